//! Sessions of HTTP+SSE. A session exists only in this process and ends with the connection of its stream.

use crate::{
    gate::Binding,
    sessions::{local::LocalState, outstanding::Outstanding},
    streams::{frame, listening::SessionStream},
};
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};
use watchpost_protocol::{RequestId, SessionState};

pub(crate) const NAME_BYTES: usize = 16;

/// The name of an open stream. It is random, and useless without the key that opened the stream.
pub(crate) type StreamName = [u8; NAME_BYTES];

/// An open session, as messages posted to it see it.
pub(crate) struct SseSession {
    pub(crate) binding: Binding,
    pub(crate) stream: Arc<SessionStream>,
    pub(crate) local: Arc<LocalState>,
    pub(crate) state: Mutex<Option<Arc<SessionState>>>,
    pub(crate) outstanding: Arc<Outstanding<(), RequestId<'static>>>,
}

impl SseSession {
    pub(crate) fn state(&self) -> Option<Arc<SessionState>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the session and keeps its stream: its client sends another `initialize`, for a new session.
    pub(crate) fn start_again(&self) {
        let previous = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        if previous.is_some() {
            self.outstanding.cancel_all();
            self.local.clear();
            self.stream.end_changes();
        }
    }

    pub(crate) fn send(&self, message: Option<&[u8]>) {
        if let Some(message) = message {
            self.stream.queue.push(frame::message(message));
        }
    }
}

pub(crate) fn hex(name: &StreamName) -> String {
    name.iter()
        .fold(String::with_capacity(NAME_BYTES * 2), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Returns the `session_id` of a query, or `None` if it is missing, repeated or malformed.
pub(crate) fn session_id(query: &str) -> Option<StreamName> {
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "session_id");
    let (_, value) = found.next()?;
    if found.next().is_some()
        || value.len() != NAME_BYTES * 2
        || !value.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    let mut name = [0; NAME_BYTES];
    for (at, byte) in name.iter_mut().enumerate() {
        *byte = u8::from_str_radix(value.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_must_name_one_stream_exactly_once() {
        let name = [0x0f; NAME_BYTES];
        let text = hex(&name);
        let check =
            |query: &str, expected: Option<StreamName>| assert_eq!(session_id(query), expected, "{query}");
        check(&format!("session_id={text}"), Some(name));
        check(&format!("a=b&session_id={text}"), Some(name));
        check(&format!("session_id={text}&session_id={text}"), None);
        check(&format!("session_id={text}0"), None);
        check("session_id=+f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", None);
        check("session_id=", None);
        check("sessionId=x", None);
        check("", None);
    }
}
