//! The severity of log messages.

/// The severity of log messages to the client, lowest first. The levels are those of syslog (RFC 5424).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Detailed debugging information.
    Debug,
    /// Normal operation.
    Info,
    /// A normal but significant event.
    Notice,
    /// A condition that may become an error.
    Warning,
    /// An error.
    Error,
    /// A component has failed.
    Critical,
    /// Someone must act immediately.
    Alert,
    /// The system is unusable.
    Emergency,
}

impl LogLevel {
    /// Returns the name of the level on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}
