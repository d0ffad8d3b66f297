//! The settings and their defaults.

use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;
use watchpost_core::service::ACTIVE_KEYS_MAX;
use watchpost_mcp::ConfirmMode;

/// All settings of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `[limits]`.
    pub limits: LimitSettings,
    /// `[http]`.
    pub http: HttpSettings,
    /// `[sync]`.
    pub sync: SyncSettings,
    /// `[outbound]`.
    pub outbound: OutboundSettings,
    /// `[mcp]`.
    pub mcp: McpSettings,
    /// `[policy]`.
    pub policy: PolicySettings,
    /// `[log]`.
    pub log: LogSettings,
}

/// Bounds that an operator may move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests an hour per key over HTTP; 0 switches the limit off. The local operator and stdio have none.
    pub requests_per_hour: u32,
    /// Active keys per workspace.
    pub active_keys: u32,
    /// Open event streams in all.
    pub streams_total: u32,
    /// Open event streams per key.
    pub streams_per_key: u32,
}

/// Where and for whom the HTTP servers answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The URL under which clients reach the server through its proxy, without path.
    pub public_url: Option<Url>,
    /// A proxy with TLS stands before the server: it may listen off loopback.
    pub behind_proxy: bool,
    /// Networks whose forwarded client address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that serve; 0 takes one per processor that this process may use.
    pub threads: u32,
}

/// When integrations are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSettings {
    /// From the start of one sync of an integration to the next.
    pub every: Duration,
}

/// Where connectors may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundSettings {
    /// Exact origins (`http://127.0.0.1:8080`) that are exempt from the rules for addresses and HTTPS.
    pub allow: Vec<String>,
}

/// How assistants are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpSettings {
    /// When a person is asked before a tool changes something, where the client can ask.
    pub confirm: ConfirmMode,
}

/// Rules beside the built-in ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySettings {
    /// A folder with the customer's own packs.
    pub dir: Option<PathBuf>,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Text or JSON lines, to standard error.
    pub format: LogFormat,
    /// A level, or a filter as `tracing` reads them.
    pub filter: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: LimitSettings {
                requests_per_hour: 1_000,
                active_keys: ACTIVE_KEYS_MAX,
                streams_total: 16_384,
                streams_per_key: 1_024,
            },
            http: HttpSettings {
                listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
                public_url: None,
                behind_proxy: false,
                trusted_proxies: Vec::new(),
                threads: 0,
            },
            sync: SyncSettings {
                every: Duration::from_secs(3_600),
            },
            outbound: OutboundSettings { allow: Vec::new() },
            mcp: McpSettings {
                confirm: ConfirmMode::default(),
            },
            policy: PolicySettings { dir: None },
            log: LogSettings {
                format: LogFormat::Text,
                filter: "info".into(),
            },
        }
    }
}
