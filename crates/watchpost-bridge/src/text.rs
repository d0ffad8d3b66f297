//! The texts that the bridge sends to the client in JSON-RPC errors. Not here: the messages of `BridgeError` and
//! `ForwardError`, which stand at their variants.

use std::fmt::Display;

pub(crate) const MESSAGE_TOO_LONG: &str = "the message is longer than 8 MiB";
pub(crate) const NOT_JSON: &str = "the line is not JSON";
pub(crate) const INVALID_KEY: &str = "Invalid API key";

/// The server answered 404, which means a wrong path or a session that ended.
pub(crate) const NOT_FOUND: &str = "the server answers 404: check that `--url` ends in /mcp; if it does, the session has ended, so restart the client";

/// The message could not be forwarded.
pub(crate) fn server_unreachable(error: &dyn Display) -> String {
    format!("the Watchpost server can't be reached: {error}")
}

/// The server answered with a status that has no meaning of its own here.
pub(crate) fn unexpected_status(status: &dyn Display) -> String {
    format!("the server answers {status}")
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
    fn the_wait_is_the_time_that_the_server_named() {
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
