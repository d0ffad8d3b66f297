//! A session that an id opened, and the one that a connection used last.

use crate::{gate::Binding, sessions::seal::SessionName};
use http::HeaderValue;
use std::sync::{Arc, Mutex};
use watchpost_protocol::SessionState;

/// A session that an id opened.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession {
    pub(crate) name: SessionName,
    /// In Unix seconds.
    pub(crate) expires: u64,
    pub(crate) state: Arc<SessionState>,
}

/// What the `Mcp-Session-Id` header comes to.
#[derive(Debug)]
pub(crate) enum SessionId {
    Absent,
    /// Unknown, expired, ended, altered or another key's: all alike.
    Unknown,
    Open(OpenSession),
}

impl SessionId {
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub(crate) fn open(&self) -> Option<&OpenSession> {
        match self {
            Self::Open(session) => Some(session),
            Self::Absent | Self::Unknown => None,
        }
    }

    pub(crate) fn into_open(self) -> Option<OpenSession> {
        match self {
            Self::Open(session) => Some(session),
            Self::Absent | Self::Unknown => None,
        }
    }
}

/// The session that a connection used last: clients stay with one, so its id is opened once per connection.
#[derive(Debug, Default)]
pub(crate) struct LastSession(pub(crate) Mutex<Option<Last>>);

#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) id: HeaderValue,
    pub(crate) binding: Binding,
    pub(crate) session: OpenSession,
    /// Of the ended sessions when this one was looked for among them.
    pub(crate) generation: u64,
}
