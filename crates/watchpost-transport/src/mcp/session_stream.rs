//! What a legacy session does besides posting: its stream, coming back to a stream, and its end.

use crate::{
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
};
use http::{HeaderValue, StatusCode, request::Parts};
use std::sync::Arc;
use watchpost_protocol::{Bodiless, Handler, Header, Revision, classify_bodiless};

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// GET: the stream for what belongs to no request.
    pub(crate) fn open_session_stream(
        self: &Arc<Self>,
        head: &Parts,
        principal: G::Principal,
        connection: &Connection,
    ) -> Response {
        let session = match self.bodiless_session(head, &principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return response::not_allowed(HeaderValue::from_static("POST")),
            Err(answer) => return *answer,
        };
        if !accepts(&head.headers, "text", "event-stream") {
            return response::error(StatusCode::NOT_ACCEPTABLE, "Accept must list text/event-stream");
        }
        if head.headers.contains_key(LAST_EVENT_ID) {
            return self.resume(head, &session, principal);
        }
        let Some(held) = self.streams.enter(&principal) else {
            return response::too_many_streams();
        };
        let queue = EventQueue::new(self.config.limits.stream_buffer_bytes);
        let uris = self.local.get(&session.name).map(|local| local.uris());
        let changes = self
            .server
            .unsolicited(&principal, &session.state, uris.unwrap_or_default());
        let stream = SessionStream::new(queue, Some(changes));
        let Some(registered) = self.session_streams.enter(session.name, Arc::clone(&stream)) else {
            return response::error(StatusCode::CONFLICT, "This session has a stream already");
        };
        response::events(self.streams.guard(stream, principal, (held, registered)))
    }

    /// GET with `Last-Event-ID`: what a client missed of the stream of one of its requests. Another session's event is
    /// as unknown as one that never was.
    fn resume(self: &Arc<Self>, head: &Parts, session: &OpenSession, principal: G::Principal) -> Response {
        let reader = single(&head.headers, &LAST_EVENT_ID)
            .and_then(EventId::parse)
            .and_then(|event| self.replays.after(session.name, event));
        let Some(reader) = reader else {
            return response::error(StatusCode::NOT_FOUND, "Event not found; send the request again");
        };
        match self.streams.enter(&principal) {
            Some(held) => response::events(self.streams.guard(reader, principal, held)),
            None => response::too_many_streams(),
        }
    }

    /// DELETE: the session is over, here at once, and on other replicas when its stream or its day ends.
    pub(crate) fn end_session(
        &self,
        head: &Parts,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Response {
        let session = match self.bodiless_session(head, principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return response::error(StatusCode::BAD_REQUEST, "Mcp-Session-Id is needed"),
            Err(answer) => return *answer,
        };
        self.ended
            .add(session.name, session.expires, self.config.clock.unix_seconds());
        if let Some(stream) = self.session_streams.get(&session.name) {
            stream.queue.close();
        }
        self.local.forget(&session.name);
        self.replays.forget(&session.name);
        response::empty(StatusCode::NO_CONTENT)
    }

    /// The session of a GET or DELETE; `None` if it names none.
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
            return Err(bad_request("MCP-Protocol-Version is not served"));
        }
        match self.session_of(&head.headers, principal, connection)? {
            SessionId::Absent => Ok(None),
            SessionId::Open(session) => Ok(Some(session)),
            SessionId::Unknown => Err(Box::new(session_not_found())),
        }
    }
}
