//! Encoding of server-sent events.

use bytes::{BufMut, Bytes, BytesMut};
use std::time::Duration;

/// A comment that keeps proxies from closing a quiet stream.
pub(crate) const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// Encodes a `message` event. Compact JSON has no line breaks. Other JSON is split into several `data` lines,
/// which is equivalent.
pub(crate) fn message(json: &[u8]) -> Bytes {
    event(b"message", json)
}

/// Encodes the first event of HTTP+SSE.
pub(crate) fn endpoint(path: &str) -> Bytes {
    event(b"endpoint", path.as_bytes())
}

/// Encodes an event without data that sets the client's reconnection time. Without the empty `data` field it
/// wouldn't be dispatched as an event.
pub(crate) fn retry(after: Duration) -> Bytes {
    Bytes::from(format!("retry: {}\ndata: \n\n", after.as_millis()))
}

/// Adds an id to an encoded event.
pub(crate) fn with_id(id: &str, event: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(id.len() + event.len() + 5);
    out.put_slice(b"id: ");
    out.put_slice(id.as_bytes());
    out.put_slice(b"\n");
    out.put_slice(event);
    out.freeze()
}

fn event(name: &[u8], data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(name.len() + data.len() + 24);
    out.put_slice(b"event: ");
    out.put_slice(name);
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.put_slice(b"\ndata: ");
        out.put_slice(line);
    }
    out.put_slice(b"\n\n");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_event() {
        let check = |json: &str, expected: &str| assert_eq!(message(json.as_bytes()), expected.as_bytes());
        check("{}", "event: message\ndata: {}\n\n");
        check("{\n\"a\":1}", "event: message\ndata: {\ndata: \"a\":1}\n\n");
        assert_eq!(
            endpoint("/messages?session_id=x"),
            "event: endpoint\ndata: /messages?session_id=x\n\n"
        );
    }
}
