//! The messages of JSON-RPC errors that the bridge sends to the client. Not here: the messages of `BridgeError` and
//! `ForwardError`, which are with their variants.

use std::fmt::Display;

pub(crate) const MESSAGE_TOO_LONG: &str = "the message is longer than 8 MiB";
pub(crate) const NOT_JSON: &str = "the line is not JSON";
pub(crate) const INVALID_KEY: &str = "Invalid API key";

/// The server answered 404: the path is wrong, or the session has ended.
pub(crate) const NOT_FOUND: &str = "the server answers 404: check that `--url` ends in /mcp; if it does, the session has ended, so restart the client";

/// A message could not be forwarded, or its answer could not be read.
pub(crate) fn request_failed(error: &dyn Display) -> String {
    format!("the request to the Watchpost server failed: {error}")
}

/// The server answered with a status that the bridge has no message for.
pub(crate) fn unexpected_status(status: &dyn Display) -> String {
    format!("the server answers {status}")
}

/// As [`unexpected_status`], with the server's reason, which names a host or setting that it refuses.
pub(crate) fn status_with_reason(status: &dyn Display, reason: &str) -> String {
    format!("the server answers {status}: {reason}")
}

/// The client sent too many requests; `wait_seconds` comes from the server's `Retry-After`.
pub(crate) fn too_many_requests(wait_seconds: Option<u64>) -> String {
    match wait_seconds {
        Some(1) => "too many requests: try again in 1 second".to_owned(),
        Some(seconds) => format!("too many requests: try again in {seconds} seconds"),
        None => "too many requests: try again in a minute".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_client_reads_how_long_to_wait() {
        assert_eq!(
            too_many_requests(Some(1_800)),
            "too many requests: try again in 1800 seconds"
        );
        assert_eq!(
            too_many_requests(Some(1)),
            "too many requests: try again in 1 second"
        );
        assert_eq!(
            too_many_requests(None),
            "too many requests: try again in a minute"
        );
    }
}
