//! Conversion between a session id and the result of the handshake.

use crate::{
    connection::Connection,
    gate::{Binding, Gate},
    mcp::Mcp,
    sessions::open::{Last, OpenSession, SessionId},
};
use http::HeaderValue;
use std::sync::{Arc, PoisonError};
use watchpost_protocol::{Handler, SessionState};

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    pub(crate) fn find_session(
        &self,
        id: &HeaderValue,
        binding: &Binding,
        connection: &Connection,
    ) -> SessionId {
        let now = self.config.clock.unix_seconds();
        let generation = self.ended.generation();
        let mut last = connection
            .last_session
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref()
            && last.id == id
            && last.binding == *binding
            && last.generation == generation
            && now < last.session.expires
        {
            return SessionId::Open(last.session.clone());
        }
        let Some(session) = self.open_session(id.as_bytes(), binding, now) else {
            return SessionId::Unknown;
        };
        *last = Some(Last {
            // A copy, because the header is a slice of the connection's read buffer and would keep all of it in
            // memory.
            id: HeaderValue::from_bytes(id.as_bytes()).unwrap_or_else(|_| id.clone()),
            binding: *binding,
            session: session.clone(),
            generation,
        });
        SessionId::Open(session)
    }

    fn open_session(&self, id: &[u8], binding: &Binding, now: u64) -> Option<OpenSession> {
        let opened = self.sealer.open(id, binding, now)?;
        if self.ended.contains(&opened.name) {
            return None;
        }
        let state: SessionState = serde_json::from_slice(&opened.payload).ok()?;
        Some(OpenSession {
            name: opened.name,
            expires: opened.expires,
            state: Arc::new(state),
        })
    }

    /// Returns a new session id that contains the result of a handshake. Returns `None` only if the state is
    /// too large to seal, which the protocol's limits prevent; the client would then continue without a
    /// session.
    pub(crate) fn seal_session(&self, state: &SessionState, principal: &G::Principal) -> Option<HeaderValue> {
        let payload = serde_json::to_vec(state).ok()?;
        let now = self.config.clock.unix_seconds();
        let id = self
            .sealer
            .seal(&payload, &self.gate.binding(principal), now, &*self.config.random)?;
        HeaderValue::from_str(&id).ok()
    }
}
