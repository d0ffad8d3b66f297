//! Messages from the client, one per line.

use crate::text;
use serde_json::Value;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// The maximum size of one message in bytes, in both directions.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A JSON-RPC error: its code and its message.
pub(super) type RpcError = (i64, String);

/// Reads one line, but stores at most one byte more than the limit. Returns `false` at the end of the input.
pub(super) async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut any = false;
    loop {
        let (used, done) = {
            let chunk = input.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(any);
            }
            any = true;
            let (part, used, done) = match chunk.iter().position(|b| *b == b'\n') {
                Some(at) => (chunk.get(..at).unwrap_or_default(), at + 1, true),
                None => (chunk, chunk.len(), false),
            };
            let room = (MESSAGE_BYTES_MAX + 1).saturating_sub(line.len());
            line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            (used, done)
        };
        input.consume(used);
        if done {
            return Ok(true);
        }
    }
}

/// Parses the message on a line, and repairs it if it has half a surrogate pair.
///
/// # Errors
/// The JSON-RPC error to send to the client.
pub(super) fn parse(line: &mut Vec<u8>) -> Result<Value, RpcError> {
    if line.len() > MESSAGE_BYTES_MAX {
        return Err((-32600, text::MESSAGE_TOO_LONG.to_owned()));
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Ok(message);
    }
    if let Some(repaired) = watchpost_protocol::repair(line) {
        *line = repaired;
    }
    serde_json::from_slice(line).map_err(|_| (-32700, text::NOT_JSON.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_almost_valid_are_repaired() {
        let check = |line: &[u8], expected: Option<&str>| {
            let mut line = line.to_vec();
            let message = parse(&mut line).ok();
            let text = message.map(|message| message["a"].as_str().unwrap().to_owned());
            assert_eq!(text.as_deref(), expected, "{}", line.escape_ascii());
            assert!(expected.is_none() || serde_json::from_slice::<Value>(&line).is_ok());
        };
        check(br#"{"a":"x"}"#, Some("x"));
        check(b"\xef\xbb\xbf{\"a\":\"x\"}", Some("x"));
        check(br#"{"a":"\ud83d"}"#, Some("\u{fffd}"));
        check(br#"{"a":"\ud83d\ude00"}"#, Some("😀"));
        check(br#"{"a":"x""#, None);
    }
}
