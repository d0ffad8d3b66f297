//! The session of the client's handshake, which can be started again when the server has ended it.

use serde_json::Value;
use std::collections::BTreeMap;

/// The state of the session, and the messages with which it can be started again.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The id that the server gave.
    pub(super) id: Option<String>,
    /// The protocol version of the handshake.
    pub(super) version: Option<String>,
    /// The client's `initialize`.
    pub(super) handshake: Option<Vec<u8>>,
    /// Whether the client has sent `notifications/initialized`.
    pub(super) initialized: bool,
    /// The requests that changed the session since its handshake, by what they changed: subscriptions and the log level.
    changes: BTreeMap<String, Vec<u8>>,
}

impl Session {
    /// Notes what a message that the server has accepted changed in the session.
    pub(super) fn note(&mut self, message: &Value, body: &[u8]) {
        let uri = || format!("uri {}", message["params"]["uri"]);
        match message["method"].as_str() {
            Some("notifications/initialized") => self.initialized = true,
            Some("resources/subscribe") => drop(self.changes.insert(uri(), body.to_vec())),
            Some("resources/unsubscribe") => drop(self.changes.remove(&uri())),
            Some("logging/setLevel") => drop(self.changes.insert("level".to_owned(), body.to_vec())),
            _ => {}
        }
    }

    /// Starts a new session with the client's `initialize`.
    pub(super) fn begin(&mut self, handshake: &[u8], id: Option<String>) {
        *self = Self {
            id,
            handshake: Some(handshake.to_vec()),
            ..Self::default()
        };
    }

    /// Returns the messages that follow the handshake when the session is started again.
    pub(super) fn replay(&self) -> Vec<Vec<u8>> {
        let initialized = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let initialized = self.initialized.then(|| initialized.to_vec());
        initialized
            .into_iter()
            .chain(self.changes.values().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_is_started_again_with_its_subscriptions_and_log_level() {
        let mut session = Session::default();
        session.begin(b"hello", Some("a".to_owned()));
        let mut note = |message: Value| session.note(&message, message["id"].to_string().as_bytes());
        note(json!({"method": "notifications/initialized"}));
        note(json!({"id": 1, "method": "resources/subscribe", "params": {"uri": "x"}}));
        note(json!({"id": 2, "method": "resources/subscribe", "params": {"uri": "y"}}));
        note(json!({"id": 3, "method": "resources/unsubscribe", "params": {"uri": "x"}}));
        note(json!({"id": 4, "method": "logging/setLevel", "params": {"level": "info"}}));
        note(json!({"id": 5, "method": "logging/setLevel", "params": {"level": "error"}}));
        note(json!({"id": 6, "method": "tools/call", "params": {"name": "x"}}));
        let replay = session.replay();
        assert!(replay[0].ends_with(b"initialized\"}"));
        assert_eq!(replay[1..], [b"5".to_vec(), b"2".to_vec()]);
        session.begin(b"again", None);
        assert!(session.replay().is_empty());
    }
}
