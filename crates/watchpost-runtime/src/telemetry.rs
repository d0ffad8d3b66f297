//! Logs to standard error, as text or as JSON lines.
//!
//! Redaction is by construction: no crate logs header values, bodies, credentials or configuration values, and the
//! types that hold secrets have no readable `Debug`. What third-party crates log below `warn` is off by default.

use crate::config::{LogFormat, LogSettings};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging. A second call in a process changes nothing.
///
/// # Errors
/// If the filter can't be read; the text names it.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = filter(&settings.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let done = match settings.format {
        LogFormat::Text => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    };
    // Already started: by an embedding program, or by a test before.
    drop(done);
    Ok(())
}

/// A single level (`debug`) is for Watchpost's own crates; anything longer is taken as a whole filter.
fn filter(text: &str) -> anyhow::Result<EnvFilter> {
    let whole = if text.parse::<tracing::Level>().is_ok() {
        format!(
            "warn,{}",
            OWN_CRATES.map(|name| format!("{name}={text}")).join(",")
        )
    } else {
        text.to_owned()
    };
    EnvFilter::try_new(&whole)
        .map_err(|error| anyhow::anyhow!("`log.filter`: `{text}` is no log filter: {error}"))
}

const OWN_CRATES: [&str; 13] = [
    "watchpost",
    "watchpost_core",
    "watchpost_protocol",
    "watchpost_transport",
    "watchpost_mcp",
    "watchpost_policy",
    "watchpost_outbound",
    "watchpost_connectors",
    "watchpost_simulator",
    "watchpost_sqlite",
    "watchpost_runtime",
    "watchpost_http",
    "watchpost_stdio",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_for_our_crates_alone() {
        let text = filter("debug").unwrap().to_string();
        assert!(text.contains("watchpost_runtime=debug"), "{text}");
        assert!(text.contains("warn"), "{text}");
    }

    #[test]
    fn a_broken_filter_is_named() {
        let error = filter("watchpost=loud").unwrap_err().to_string();
        assert!(error.contains("`watchpost=loud`"), "{error}");
    }
}
