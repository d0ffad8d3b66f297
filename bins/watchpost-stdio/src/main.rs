//! One local MCP client on standard input and output, with a worker of its own. Logs go to standard error.

use clap::{Parser, ValueEnum};
use std::{path::PathBuf, process::ExitCode};
use watchpost_runtime::{
    config::FlagValue,
    launch::{self, CommonFlags, KeyScope},
};

/// Serves Watchpost to the program that started this one, over standard input and output.
///
/// WATCHPOST_API_KEY decides workspace and scope. Without it the client is the local operator of the one workspace in
/// the data folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The data folder [default: $WATCHPOST_DATA_DIR, or $XDG_DATA_HOME/watchpost]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Without a key: the workspace, where there are several
    #[arg(long, value_name = "NAME", env = "WATCHPOST_WORKSPACE")]
    workspace: Option<String>,
    /// Without a key: what the client may do
    #[arg(long, value_enum, default_value = "read")]
    scope: Scope,
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
    /// The time at which the demo's clock stands still, like 2026-03-01T07:01:00Z
    #[arg(long, value_name = "TIME", requires = "demo")]
    demo_now: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// Every query
    Read,
    /// Actions too
    Write,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let common = CommonFlags {
        data_dir: flags.data_dir,
        settings: FlagValue::given([
            ("policy.dir", "--policy-dir", flags.policy_dir),
            ("log.format", "--log-format", flags.log_format),
            ("log.filter", "--log", flags.log),
        ]),
        demo: flags.demo,
        demo_now: flags.demo_now,
    };
    let scope = match flags.scope {
        Scope::Read => KeyScope::Read,
        Scope::Write => KeyScope::Write,
    };
    launch::end(launch::stdio(&common, flags.workspace, scope))
}
