//! POST requests of Streamable HTTP: one message of either era, or an array of messages.

use crate::{
    connection::{
        Connection,
        body::{BodyError, RequestBody},
    },
    gate::Gate,
    mcp::{
        Mcp,
        exchange::{Exchange, reply},
        headers::{METHOD, NAME, PROTOCOL_VERSION, Parameters, SESSION_ID, header},
        negotiation::{Accepted, accepted, is_encoded, is_json},
    },
    response::{self, RETRY_SOON, Response},
    sessions::open::{OpenSession, SessionId},
    text,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, request::Parts};
use std::sync::Arc;
use watchpost_protocol::{
    Bodiless, Era, Handler, Incoming, Notification, Operation, RpcError, TransportFacts, TransportKind,
    classify_bodiless,
};

/// The code of errors about sessions. It equals the HTTP status and lies outside of the range reserved by
/// JSON-RPC.
const SESSION_NOT_FOUND: i64 = 404;

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// Handles a POST with one message or an array of messages.
    pub(crate) async fn post(
        self: &Arc<Self>,
        head: &Parts,
        body: RequestBody<'_>,
        principal: G::Principal,
        connection: &Connection,
    ) -> Response {
        let accepted = match check_post(&head.headers, &body) {
            Ok(accepted) => accepted,
            Err(rejection) => return *rejection,
        };
        let Some(permit) = self.calls.enter() else {
            return response::later(StatusCode::SERVICE_UNAVAILABLE, text::TOO_MANY_CALLS, RETRY_SOON);
        };
        let hold = body.hold();
        let message = match read_message(head, body).await {
            Ok(message) => message,
            Err(rejection) => return rejection,
        };
        let session = match self.session_of(&head.headers, &principal, connection) {
            Ok(session) => session,
            Err(rejection) => return *rejection,
        };
        let version = header(&head.headers, &PROTOCOL_VERSION);
        let parameters = Parameters(&head.headers);
        let facts = TransportFacts {
            transport: TransportKind::Http,
            version,
            method: header(&head.headers, &METHOD),
            name: header(&head.headers, &NAME),
            parameters: Some(&parameters),
            session: session.open().map(|open| &open.state),
        };
        let is_session_lost = session.is_unknown() && classify_bodiless(version) == Bodiless::Legacy;
        let incoming = self.server.decode(&message, &facts);
        if is_session_lost && !matches!(incoming, Incoming::Request(_) | Incoming::Rejected(_)) {
            return session_not_found();
        }
        let exchange = Exchange {
            principal,
            session: None,
            permit,
            connection,
            version: head.version,
            accepted,
            hold,
        };
        self.handle(incoming, session, exchange).await
    }

    /// Handles a decoded message. `exchange` has no session yet.
    async fn handle(
        self: &Arc<Self>,
        incoming: Incoming,
        session: SessionId,
        mut exchange: Exchange<'_, G::Principal>,
    ) -> Response {
        match incoming {
            // A handshake always makes a new session, whatever session the client had before.
            Incoming::Request(request) if request.operation() == Operation::Initialize => {
                self.run(request, exchange).await
            }
            Incoming::Request(request) if session.is_unknown() && request.era() == Era::Legacy => {
                let error = RpcError::new(SESSION_NOT_FOUND, text::SESSION_NOT_FOUND_RPC, 404);
                reply(self.server.reject(&request, &error))
            }
            Incoming::Request(request) => {
                exchange.session = session.into_open();
                self.run(request, exchange).await
            }
            Incoming::Rejected(rejection) => reply(rejection),
            Incoming::Notification(notification) => {
                self.handle_notification(&notification, session.open());
                response::empty(StatusCode::ACCEPTED)
            }
            Incoming::Responses(responses) => {
                if let Some(local) = session.open().and_then(|session| self.local.get(&session.name)) {
                    responses.into_iter().for_each(|response| local.answer(response));
                }
                response::empty(StatusCode::ACCEPTED)
            }
            Incoming::Batch(batch) => {
                for notification in batch.notifications() {
                    self.handle_notification(notification, session.open());
                }
                exchange.session = session.into_open();
                self.run_batch(batch, exchange).await
            }
        }
    }

    fn handle_notification(&self, notification: &Notification, session: Option<&OpenSession>) {
        if let (Notification::Cancelled(id), Some(session)) = (notification, session) {
            self.outstanding.cancel(session.name, id.clone());
        }
    }

    pub(crate) fn session_of(
        &self,
        headers: &HeaderMap,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Result<SessionId, Box<Response>> {
        let mut ids = headers.get_all(SESSION_ID).iter();
        match (ids.next(), ids.next()) {
            (None, _) => Ok(SessionId::Absent),
            (Some(id), None) => Ok(self.find_session(id, &self.gate.binding(principal), connection)),
            (Some(_), Some(_)) => Err(bad_request(text::REPEATED_SESSION_ID)),
        }
    }
}

/// Checks a POST before its body is read. Returns the forms of a response that the client accepts.
fn check_post(headers: &HeaderMap, body: &RequestBody<'_>) -> Result<Accepted, Box<Response>> {
    let reject = |status, message| Err(Box::new(response::error(status, message)));
    if !is_json(headers) {
        return reject(StatusCode::UNSUPPORTED_MEDIA_TYPE, text::CONTENT_TYPE_JSON);
    }
    if is_encoded(headers) {
        return Err(Box::new(encoded()));
    }
    if body.is_too_large() {
        return Err(Box::new(BodyError::TooLarge.response()));
    }
    match accepted(headers) {
        Some(accepted) => Ok(accepted),
        None => reject(StatusCode::NOT_ACCEPTABLE, text::ACCEPT_JSON_AND_EVENT_STREAM),
    }
}

/// Reads the body of a message within its limits. Also used for HTTP+SSE.
pub(crate) async fn read_message(head: &Parts, body: RequestBody<'_>) -> Result<Bytes, Response> {
    if is_encoded(&head.headers) {
        return Err(encoded());
    }
    body.read().await.map_err(BodyError::response)
}

fn encoded() -> Response {
    response::error(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        text::CONTENT_ENCODING_NOT_SUPPORTED,
    )
}

pub(crate) fn bad_request(message: &'static str) -> Box<Response> {
    Box::new(response::error(StatusCode::BAD_REQUEST, message))
}

pub(crate) fn session_not_found() -> Response {
    response::error(StatusCode::NOT_FOUND, text::SESSION_NOT_FOUND)
}
