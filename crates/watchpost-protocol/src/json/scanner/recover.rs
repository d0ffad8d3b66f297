//! A second look at a message that was refused, for whom to answer.

use super::{Members, Scanner, members::Container, unescape};
use crate::id::RequestId;
use std::borrow::Cow;

/// What can be told of a message that is refused for its depth or a repeated key.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Its one legal id, so that its sender can tell which request failed (RPC-09).
    pub(crate) id: Option<RequestId<'static>>,
    /// It has a method and no id: it was meant as a notification, and those are never answered (RPC-04).
    pub(crate) notification: bool,
}

/// Looks once more at a message that the scanner refused. Runs on the error path only, without recursion.
pub(crate) fn recover(body: &[u8]) -> Recovered {
    // The depth is that of one value without containers: only scalars are walked as values here.
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
            // An `id` may be written `\u0069d`: one that isn't seen here would make another look like the only one.
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
                // An object or array is walked below like any other.
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
