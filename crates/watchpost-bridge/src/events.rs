//! Server-sent events.

use crate::{error::ForwardError, message::MESSAGE_BYTES_MAX};

/// An incremental parser of an event stream.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// Returns the data of each event that `chunk` completes.
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
            } else if let Some(data) = line.strip_prefix(b"data:") {
                self.data
                    .extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
                if self.data.len() > MESSAGE_BYTES_MAX {
                    return Err(ForwardError::EventTooLong);
                }
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
        let stream = b": hello\r\n\r\nevent: message\ndata: {\"a\":1}\n\nid: 1\ndata:{\"b\":\ndata: 2}\n\n";
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
        }
    }
}
