//! The GET and DELETE requests of a legacy session: opening its stream, resuming a stream, and ending the
//! session.

use crate::{
    admission::shares::Hold,
    connection::Connection,
    gate::Gate,
    mcp::{
        Mcp,
        headers::{LAST_EVENT_ID, PROTOCOL_VERSION, header},
        negotiation::{accepts, single},
        streamable::{bad_request, session_not_found},
    },
    response::{self, Response},
    sessions::open::{OpenSession, SessionId},
    streams::{listening::SessionStream, queue::EventQueue, replay::EventId},
    text,
};
use http::{HeaderValue, StatusCode, request::Parts};
use std::sync::Arc;
use watchpost_protocol::{Bodiless, Handler, Header, Revision, classify_bodiless};

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// Handles GET: opens the stream for notifications that belong to no request.
    pub(crate) fn open_session_stream(
        self: &Arc<Self>,
        head: &Parts,
        principal: G::Principal,
        connection: &Connection,
        hold: Option<Arc<Hold>>,
    ) -> Response {
        let session = match self.bodiless_session(head, &principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return response::not_allowed(HeaderValue::from_static("POST")),
            Err(answer) => return *answer,
        };
        if !accepts(&head.headers, "text", "event-stream") {
            return response::error(StatusCode::NOT_ACCEPTABLE, text::ACCEPT_EVENT_STREAM);
        }
        if head.headers.contains_key(LAST_EVENT_ID) {
            return self.resume(head, &session, principal);
        }
        let Some(held) = self.streams.enter(&principal) else {
            return response::too_many_streams();
        };
        let queue = EventQueue::new(self.config.limits.stream_buffer_bytes, hold);
        let uris = self.local.get(&session.name).map(|local| local.uris());
        let uris = uris.unwrap_or_default();
        let changes = self.server.unsolicited(&principal, &session.state, uris.clone());
        let stream = SessionStream::new(queue, Some(changes));
        let interest = self.server.unsolicited_interest(uris);
        let registered = self
            .session_streams
            .enter(session.name, Arc::clone(&stream), interest);
        response::events(self.streams.guard(stream, principal, (registered, held)))
    }

    /// Handles GET with `Last-Event-ID`: resumes the stream of a request. An event of another session is
    /// treated as unknown.
    fn resume(self: &Arc<Self>, head: &Parts, session: &OpenSession, principal: G::Principal) -> Response {
        let reader = single(&head.headers, &LAST_EVENT_ID)
            .and_then(EventId::parse)
            .and_then(|event| self.replays.after(session.name, event));
        let Some(reader) = reader else {
            return response::error(StatusCode::NOT_FOUND, text::EVENT_NOT_FOUND);
        };
        match self.streams.enter(&principal) {
            Some(held) => response::events(self.streams.guard(reader, principal, held)),
            None => response::too_many_streams(),
        }
    }

    /// Handles DELETE: ends the session. Other replicas still accept it until its stream ends or its id
    /// expires.
    pub(crate) fn end_session(
        &self,
        head: &Parts,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Response {
        let session = match self.bodiless_session(head, principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return response::error(StatusCode::BAD_REQUEST, text::SESSION_ID_REQUIRED),
            Err(answer) => return *answer,
        };
        self.ended
            .add(session.name, session.expires, self.config.clock.unix_seconds());
        self.session_streams.close(&session.name);
        self.local.forget(&session.name);
        self.replays.forget(&session.name);
        response::empty(StatusCode::NO_CONTENT)
    }

    /// Returns the session of a GET or DELETE, or `None` if the request names none.
    fn bodiless_session(
        &self,
        head: &Parts,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Result<Option<OpenSession>, Box<Response>> {
        let version = header(&head.headers, &PROTOCOL_VERSION);
        if classify_bodiless(version) == Bodiless::MethodNotAllowed {
            return Err(Box::new(response::not_allowed(HeaderValue::from_static("POST"))));
        }
        let is_known = match version {
            Header::Absent => true,
            Header::One(name) => {
                std::str::from_utf8(name).is_ok_and(|name| Revision::parse(name.trim()).is_some())
            }
            Header::Repeated => false,
        };
        if !is_known {
            return Err(bad_request(text::VERSION_NOT_SUPPORTED));
        }
        match self.session_of(&head.headers, principal, connection)? {
            SessionId::Absent => Ok(None),
            SessionId::Open(session) => Ok(Some(session)),
            SessionId::Unknown => Err(Box::new(session_not_found())),
        }
    }
}
