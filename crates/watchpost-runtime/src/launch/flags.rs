//! The flags of the servers.
//!
//! The help lists flags by `display_order`: the data folder (0), flags of one server (1 to 9), flags of all servers (from
//! 10).

use crate::config::FlagValue;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use watchpost_bridge::BridgeFlags;
use watchpost_core::access::KeyScope;

/// Flags of every server.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonFlags {
    /// The data folder [default: $WATCHPOST_DATA_DIR, or $XDG_DATA_HOME/watchpost]
    #[arg(long, value_name = "DIR", display_order = 0)]
    pub data_dir: Option<PathBuf>,
    /// A folder with your own rules and checks
    #[arg(long, value_name = "DIR", display_order = 10)]
    pub policy_dir: Option<String>,
    /// The format of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT", display_order = 11)]
    pub log_format: Option<String>,
    /// The level of the log (error, warn, info, debug, trace), or a filter per crate
    #[arg(long, value_name = "FILTER", display_order = 12)]
    pub log: Option<String>,
    /// Serve a demo of an invented company, in a temporary folder unless --data-dir is given
    #[arg(long, display_order = 13)]
    pub demo: bool,
    /// The time at which the demo's clock is frozen, such as 2026-03-01T07:01:00Z
    #[arg(long, value_name = "TIME", requires = "demo", display_order = 15)]
    pub demo_now: Option<String>,
}

/// Flags of `watchpost-http` and `watchpost-sse`.
#[derive(Debug, Clone, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HttpFlags {
    /// The command to run instead of serving.
    #[command(subcommand)]
    pub command: Option<HttpCommand>,
    /// Flags of every server.
    #[command(flatten)]
    pub common: CommonFlags,
    /// The address to listen on; port 0 selects a free port [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR", display_order = 1)]
    pub listen: Option<String>,
    /// The URL at which clients reach the server through its proxy
    #[arg(long, value_name = "URL", display_order = 2)]
    pub public_url: Option<String>,
    /// The server is behind a proxy that terminates TLS, so it may listen on addresses other than loopback
    #[arg(long, display_order = 3)]
    pub behind_proxy: bool,
    /// Write the demo's addresses and keys as JSON to this file once the demo is ready
    #[arg(long, value_name = "FILE", requires = "demo", display_order = 14)]
    pub demo_info: Option<PathBuf>,
}

/// Commands of `watchpost-http` and `watchpost-sse`.
#[derive(Debug, Clone, Subcommand)]
pub enum HttpCommand {
    /// Connects a desktop assistant over stdio to a server over HTTP
    Bridge(BridgeFlags),
}

/// Flags of `watchpost-stdio`.
#[derive(Debug, Clone, Args)]
pub struct StdioFlags {
    /// Flags of every server.
    #[command(flatten)]
    pub common: CommonFlags,
    /// The workspace of a client without a key, if there are several
    #[arg(long, value_name = "NAME", env = "WATCHPOST_WORKSPACE", display_order = 1)]
    pub workspace: Option<String>,
    /// The scope of a client without a key
    #[arg(long, value_enum, default_value = "read", display_order = 2)]
    pub scope: Scope,
}

/// The scope of a local client without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// All queries
    Read,
    /// All queries and actions
    Write,
}

impl From<Scope> for KeyScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
        }
    }
}

impl CommonFlags {
    /// The flags that are settings.
    pub fn settings(&self) -> Vec<FlagValue> {
        FlagValue::given([
            ("policy.dir", "--policy-dir", self.policy_dir.clone()),
            ("log.format", "--log-format", self.log_format.clone()),
            ("log.filter", "--log", self.log.clone()),
        ])
    }
}

impl HttpFlags {
    /// The flags that are settings.
    pub fn settings(&self) -> Vec<FlagValue> {
        let mut settings = FlagValue::given([
            ("http.listen", "--listen", self.listen.clone()),
            ("http.public_url", "--public-url", self.public_url.clone()),
            (
                "http.behind_proxy",
                "--behind-proxy",
                self.behind_proxy.then(|| "true".into()),
            ),
        ]);
        settings.extend(self.common.settings());
        settings
    }
}
