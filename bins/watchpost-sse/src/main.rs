//! HTTP+SSE MCP alone, for clients that still need the old transport, with the worker that reads and judges.

use clap::Parser;
use std::{path::PathBuf, process::ExitCode};
use watchpost_runtime::{
    config::FlagValue,
    launch::{self, CommonFlags, Surface},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves Watchpost over HTTP+SSE alone.
///
/// Settings come from flags, then from variables like WATCHPOST_HTTP_LISTEN, then from watchpost.toml in the data
/// folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The data folder [default: $WATCHPOST_DATA_DIR, or $XDG_DATA_HOME/watchpost]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The URL under which clients reach the server through its proxy
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A proxy with TLS stands before the server
    #[arg(long)]
    behind_proxy: bool,
    /// A folder with your own rules
    #[arg(long, value_name = "DIR")]
    policy_dir: Option<String>,
    /// text or json, to standard error
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// error, warn, info, debug, trace, or a filter per crate
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Serve an invented company, in a throw-away folder unless --data-dir is given
    #[arg(long)]
    demo: bool,
    /// Write the demo's addresses and keys to this file, as JSON, once it is ready
    #[arg(long, value_name = "FILE", requires = "demo")]
    demo_info: Option<PathBuf>,
    /// The time at which the demo's clock stands still, like 2026-03-01T07:01:00Z
    #[arg(long, value_name = "TIME", requires = "demo")]
    demo_now: Option<String>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let common = CommonFlags {
        data_dir: flags.data_dir,
        settings: FlagValue::given([
            ("http.listen", "--listen", flags.listen),
            ("http.public_url", "--public-url", flags.public_url),
            (
                "http.behind_proxy",
                "--behind-proxy",
                flags.behind_proxy.then(|| "true".into()),
            ),
            ("policy.dir", "--policy-dir", flags.policy_dir),
            ("log.format", "--log-format", flags.log_format),
            ("log.filter", "--log", flags.log),
        ]),
        demo: flags.demo,
        demo_now: flags.demo_now,
    };
    launch::end(launch::http(
        &common,
        Surface::HttpSse,
        flags.demo_info.as_deref(),
    ))
}
