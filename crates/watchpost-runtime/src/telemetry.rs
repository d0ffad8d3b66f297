//! Logs to standard error, as text or as JSON lines.
//!
//! The log needs no redaction: no crate logs header values, bodies, credentials or configuration values, and the types
//! that hold secrets hide them in `Debug` output. By default, third-party crates log only at `warn` and above.

use crate::{
    config::{LogFormat, LogSettings},
    text,
};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging. A second call in the same process has no effect.
///
/// # Errors
/// If the filter is invalid; the message names it.
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
    // Fails if logging is already started, by a program that embeds this crate or by an earlier test.
    drop(done);
    Ok(())
}

/// Parses a filter. A single level (`debug`) applies only to Watchpost's own crates; any other text is a complete filter.
fn filter(setting: &str) -> anyhow::Result<EnvFilter> {
    let filter = if setting.parse::<tracing::Level>().is_ok() {
        format!(
            "warn,{}",
            OWN_CRATES.map(|name| format!("{name}={setting}")).join(",")
        )
    } else {
        setting.to_owned()
    };
    EnvFilter::try_new(&filter).map_err(|error| anyhow::Error::msg(text::invalid_log_filter(setting, &error)))
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
    fn a_level_applies_only_to_own_crates() {
        let text = filter("debug").unwrap().to_string();
        assert!(text.contains("watchpost_runtime=debug"), "{text}");
        assert!(text.contains("warn"), "{text}");
    }

    #[test]
    fn the_error_names_an_invalid_filter() {
        let error = filter("watchpost=loud").unwrap_err().to_string();
        assert!(error.contains("`watchpost=loud`"), "{error}");
    }
}
