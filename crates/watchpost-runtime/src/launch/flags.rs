//! The flags of the servers.
//!
//! Help lists flags by `display_order`: the data folder (0), what one server alone takes (1 to 9), what all take (from 10).

use crate::config::FlagValue;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use watchpost_core::access::KeyScope;

/// Flags that every server takes.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonFlags {
    /// The data folder [default: $WATCHPOST_DATA_DIR, or $XDG_DATA_HOME/watchpost]
    #[arg(long, value_name = "DIR", display_order = 0)]
    pub data_dir: Option<PathBuf>,
    /// A folder with your own rules
    #[arg(long, value_name = "DIR", display_order = 10)]
    pub policy_dir: Option<String>,
    /// text or json, to standard error
    #[arg(long, value_name = "FORMAT", display_order = 11)]
    pub log_format: Option<String>,
    /// error, warn, info, debug, trace, or a filter per crate
    #[arg(long, value_name = "FILTER", display_order = 12)]
    pub log: Option<String>,
    /// Serve an invented company, in a throw-away folder unless --data-dir is given
    #[arg(long, display_order = 13)]
    pub demo: bool,
    /// The time at which the demo's clock stands still, like 2026-03-01T07:01:00Z
    #[arg(long, value_name = "TIME", requires = "demo", display_order = 15)]
    pub demo_now: Option<String>,
}

/// Flags of `watchpost-http` and `watchpost-sse`.
#[derive(Debug, Clone, Default, Args)]
pub struct HttpFlags {
    /// Those of every server.
    #[command(flatten)]
    pub common: CommonFlags,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR", display_order = 1)]
    pub listen: Option<String>,
    /// The URL under which clients reach the server through its proxy
    #[arg(long, value_name = "URL", display_order = 2)]
    pub public_url: Option<String>,
    /// A proxy with TLS stands before the server
    #[arg(long, display_order = 3)]
    pub behind_proxy: bool,
    /// Write the demo's addresses and keys to this file, as JSON, once it is ready
    #[arg(long, value_name = "FILE", requires = "demo", display_order = 14)]
    pub demo_info: Option<PathBuf>,
}

/// Flags of `watchpost-stdio`.
#[derive(Debug, Clone, Args)]
pub struct StdioFlags {
    /// Those of every server.
    #[command(flatten)]
    pub common: CommonFlags,
    /// Without a key: the workspace, where there are several
    #[arg(long, value_name = "NAME", env = "WATCHPOST_WORKSPACE", display_order = 1)]
    pub workspace: Option<String>,
    /// Without a key: what the client may do
    #[arg(long, value_enum, default_value = "read", display_order = 2)]
    pub scope: Scope,
}

/// What a local client without a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Every query
    Read,
    /// Actions too
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
    /// Those that are settings.
    pub fn settings(&self) -> Vec<FlagValue> {
        FlagValue::given([
            ("policy.dir", "--policy-dir", self.policy_dir.clone()),
            ("log.format", "--log-format", self.log_format.clone()),
            ("log.filter", "--log", self.log.clone()),
        ])
    }
}

impl HttpFlags {
    /// Those that are settings.
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
