//! Server-sent events.

use crate::{error::ForwardError, message::MESSAGE_BYTES_MAX};
use std::time::Duration;

/// The longest time that a server can make the bridge wait before it opens a stream again.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// An incremental parser of an event stream.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The id of the last event, from which the stream can be resumed.
    pub(super) last_id: Option<String>,
    /// The time to wait before the stream is opened again, if the server named one.
    pub(super) retry: Option<Duration>,
}

impl Events {
    /// Returns the data of each event that `chunk` completes. Events without data are left out.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Vec<u8>>, ForwardError> {
        let mut out = Vec::new();
        for &byte in chunk {
            if byte != b'\n' {
                self.line.push(byte);
                if self.line.len() > MESSAGE_BYTES_MAX {
                    return Err(ForwardError::EventTooLong);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    out.push(std::mem::take(&mut self.data));
                }
                continue;
            }
            let (field, value) = match line.iter().position(|byte| *byte == b':') {
                Some(at) => (line.get(..at), line.get(at + 1..)),
                None => (Some(line), None),
            };
            let value = value.unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match field.unwrap_or_default() {
                b"data" => {
                    self.data.extend_from_slice(value);
                    if self.data.len() > MESSAGE_BYTES_MAX {
                        return Err(ForwardError::EventTooLong);
                    }
                }
                b"id" => self.last_id = String::from_utf8(value.to_vec()).ok(),
                b"retry" => {
                    let wait = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.retry = wait.map(|wait| Duration::from_millis(wait).min(RETRY_MAX));
                }
                _ => {}
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_complete_for_any_size_of_chunks() {
        let stream = b": hello\r\n\r\nid: 0\nretry: 250\ndata:\n\nevent: message\ndata: {\"a\":1}\n\nid: 1\ndata:{\"b\":\ndata: 2}\n\n";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut out = Vec::new();
            for chunk in stream.chunks(size) {
                out.extend(events.feed(chunk).unwrap());
            }
            assert_eq!(
                out,
                [b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()],
                "in chunks of {size}"
            );
            assert_eq!(events.last_id.as_deref(), Some("1"));
            assert_eq!(events.retry, Some(Duration::from_millis(250)));
        }
    }
}
