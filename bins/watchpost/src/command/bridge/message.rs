//! Messages of the client: one on a line.

use serde_json::Value;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Bytes of one message, either way.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A JSON-RPC error: its code and its message.
pub(super) type RpcError = (i64, String);

/// Reads a line, whole, but keeps no more than one byte past the limit. `false` at the end.
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

/// The message on a line.
///
/// # Errors
/// What the client is answered if there is none.
pub(super) fn parse(line: &[u8]) -> Result<Value, RpcError> {
    if line.len() > MESSAGE_BYTES_MAX {
        return Err((-32600, "the message is longer than 8 MiB".to_owned()));
    }
    serde_json::from_slice(line).map_err(|_| (-32700, "the line is not JSON".to_owned()))
}
