//! Re-reads a rejected message to find the id to answer.

use super::{Members, Scanner, members::Container, unescape};
use crate::id::RequestId;
use std::borrow::Cow;

/// The parts recovered from a message that was rejected for its depth or a duplicate key.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// The id, if the message has exactly one and it is valid, so that the sender can tell which request failed
    /// (RPC-09).
    pub(crate) id: Option<RequestId<'static>>,
    /// Whether the message has a method and no id. It was meant as a notification and must not be answered
    /// (RPC-04).
    pub(crate) notification: bool,
}

/// Re-reads a message that the scanner rejected. Runs only on the error path, without recursion.
pub(crate) fn recover(body: &[u8]) -> Recovered {
    // The depth limit of 1 allows no containers: only scalars are scanned as values here.
    let mut scanner = Scanner {
        body,
        at: 0,
        depth: 1,
        members: Members::default(),
        keys: Vec::new(),
    };
    scanner.space();
    if scanner.peek() != Some(b'{') {
        return Recovered::default();
    }
    let (mut level, mut key_next) = (0_usize, false);
    let (mut ids, mut methods) = (Vec::new(), 0_usize);
    while let Some(byte) = scanner.peek() {
        if byte == b'"' {
            let start = scanner.at;
            let Ok((inside, escaped)) = scanner.string() else {
                return Recovered::default();
            };
            // An `id` key may be written as `\u0069d`. Missing it would make another `id` look like the only
            // one.
            let key = match (level == 1 && key_next, escaped) {
                (false, _) => Cow::Borrowed(&b""[..]),
                (true, false) => Cow::Borrowed(inside),
                (true, true) => unescape(body, start, scanner.at),
            };
            if *key == *b"method" {
                methods = methods.saturating_add(1);
            }
            if *key == *b"id" {
                scanner.space();
                scanner.step(1);
                scanner.space();
                // The outer loop walks objects and arrays.
                let scalar = !matches!(scanner.peek(), Some(b'{' | b'['));
                let span = if scalar {
                    scanner.value(1, Container::Elsewhere).ok()
                } else {
                    None
                };
                ids.push(span.and_then(|span| span.of(body)).and_then(RequestId::read));
            }
            key_next = false;
            continue;
        }
        match byte {
            b'{' | b'[' => level = level.saturating_add(1),
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
        key_next = matches!(byte, b'{' | b',') || (key_next && byte.is_ascii_whitespace());
        scanner.step(1);
    }
    let notification = methods > 0 && ids.is_empty();
    let id = if ids.len() == 1 {
        ids.pop().flatten().map(RequestId::into_owned)
    } else {
        None
    };
    Recovered { id, notification }
}
