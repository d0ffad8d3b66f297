//! Sessions opened from their ids, and the cache of a connection's last session.

use crate::{gate::Binding, sessions::seal::SessionName};
use http::HeaderValue;
use std::sync::{Arc, Mutex};
use watchpost_protocol::SessionState;

/// A session opened from its id.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession {
    pub(crate) name: SessionName,
    /// The time of expiry, in Unix seconds.
    pub(crate) expires: u64,
    pub(crate) state: Arc<SessionState>,
}

/// The result of reading the `Mcp-Session-Id` header.
#[derive(Debug)]
pub(crate) enum SessionId {
    Absent,
    /// The session is unknown, expired, ended, altered, or bound to another key. These cases aren't told apart.
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

/// The last session used on a connection. Clients usually stay with one session, so its id is opened only once
/// per connection.
#[derive(Debug, Default)]
pub(crate) struct LastSession(pub(crate) Mutex<Option<Last>>);

#[derive(Debug)]
pub(crate) struct Last {
    pub(crate) id: HeaderValue,
    pub(crate) binding: Binding,
    pub(crate) session: OpenSession,
    /// The generation of the ended sessions at the time of the lookup.
    pub(crate) generation: u64,
}
