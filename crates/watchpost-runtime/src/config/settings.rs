//! The settings and their defaults.

use crate::server_url::ServerUrl;
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use watchpost_core::service::ACTIVE_KEYS_MAX;
use watchpost_mcp::ConfirmMode;
use watchpost_transport::Limits;

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
    /// `[audit]`.
    pub audit: AuditSettings,
    /// `[log]`.
    pub log: LogSettings,
}

/// Settings of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditSettings {
    /// The file for checkpoints of the audit trail; empty for the default one, `off` for none.
    pub checkpoint_file: String,
    /// Whether checkpoints go to the system's log, too.
    pub syslog: bool,
}

/// Limits that an operator can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Maximum number of requests per hour and key over HTTP; 0 disables the limit. The local operator and stdio clients
    /// have no limit.
    pub requests_per_hour: u32,
    /// Maximum number of active keys per workspace.
    pub active_keys: u32,
    /// Maximum number of open event streams.
    pub streams_total: u32,
    /// Maximum number of open event streams per key.
    pub streams_per_key: u32,
}

impl LimitSettings {
    /// Returns the limits of the HTTP servers, before those of the system.
    pub fn for_transport(&self) -> Limits {
        Limits {
            streams_total: self.streams_total as usize,
            streams_per_key: self.streams_per_key as usize,
            ..Limits::default()
        }
    }
}

/// Settings of the HTTP servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The address to listen on; port 0 selects a free port.
    pub listen: SocketAddr,
    /// The URL at which clients reach the server through its proxy.
    pub public_url: Option<ServerUrl>,
    /// Whether the server is behind a proxy that terminates TLS. Only then it may listen on addresses other than
    /// loopback.
    pub behind_proxy: bool,
    /// Networks of proxies whose forwarded client addresses are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Number of threads that serve requests; 0 selects one per processor available to the process.
    pub threads: u32,
}

/// Settings of syncs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSettings {
    /// The time from the start of one sync of an integration to the start of the next.
    pub every: Duration,
}

/// Settings of outbound connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundSettings {
    /// Exact origins (`http://127.0.0.1:8080`) that are exempt from the rules for addresses and HTTPS.
    pub allow: Vec<String>,
}

/// Settings of the MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpSettings {
    /// The changes for which a tool first asks a person for confirmation, if the client supports that.
    pub confirm: ConfirmMode,
}

/// Settings of rules and checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySettings {
    /// A folder with the customer's own rules and checks.
    pub dir: Option<PathBuf>,
}

/// Settings of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The format of the log on standard error.
    pub format: LogFormat,
    /// A level, or a filter in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines of text for people.
    Text,
    /// Lines of JSON for programs.
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
            audit: AuditSettings::default(),
            log: LogSettings {
                format: LogFormat::Text,
                filter: "info".into(),
            },
        }
    }
}
