//! Streamable HTTP: both eras on one endpoint.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use http_body::Body;
use tokio::time::Instant;
use watchpost_protocol::{
    Batch, Bodiless, Era, Handler, Header, Incoming, Notification, Outbox, Reply, Request, Revision,
    RpcError, TransportFacts, Wire, classify_bodiless,
};

use crate::connection::alarm::Alarm;
use crate::connection::body::{self, BodyError};
use crate::connection::permits::Place;
use crate::gate::{Binding, Gate, Probes};
use crate::http::answer::{self, Answer};
use crate::http::negotiation::{accepts, is_encoded, is_json};
use crate::service::{Connection, RETRY_SOON, Shared};
use crate::sessions::open::{OpenSession, SessionId};
use crate::streams::call::{CallEvents, Finished, Running, ToQueue, attend, attend_batch};
use crate::streams::guarded::Guarded;
use crate::streams::queue::EventQueue;

pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The code of errors about sessions; HTTP's own number, outside the range that JSON-RPC keeps.
const SESSION_NOT_FOUND: i64 = 404;

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Header<'a> {
    Header::from_values(headers.get_all(name).iter().map(HeaderValue::as_bytes))
}

impl<G, H, P> Shared<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// One message, or one array of them.
    pub(crate) async fn post_mcp<B>(
        self: &Arc<Self>,
        head: &Parts,
        body: B,
        principal: G::Principal,
        connection: &Connection,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        if !is_json(&head.headers) {
            return answer::error(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Content-Type must be application/json",
            );
        }
        if is_encoded(&head.headers) {
            return encoded();
        }
        if body.size_hint().lower() > self.config.limits.message_bytes as u64 {
            return too_large();
        }
        if !(accepts(&head.headers, "application", "json") && accepts(&head.headers, "text", "event-stream"))
        {
            return answer::error(
                StatusCode::NOT_ACCEPTABLE,
                "Accept must list application/json and text/event-stream",
            );
        }
        let Some(place) = self.calls.enter() else {
            return answer::later(StatusCode::SERVICE_UNAVAILABLE, "Too many calls", RETRY_SOON);
        };
        let message = match self.read_message(head, body).await {
            Ok(message) => message,
            Err(answer) => return answer,
        };
        let session = match self.session_of(&head.headers, &principal, connection) {
            Ok(session) => session,
            Err(answer) => return *answer,
        };
        let version = header(&head.headers, &PROTOCOL_VERSION);
        let facts = TransportFacts {
            wire: Wire::Http,
            version,
            method: header(&head.headers, &METHOD),
            name: header(&head.headers, &NAME),
            parameters: None,
            session: session.open().map(|open| &open.state),
        };
        let is_lost = session.is_unknown() && classify_bodiless(version) == Bodiless::Legacy;
        match self.server.decode(&message, &facts) {
            Incoming::Request(request) if session.is_unknown() && request.era() == Era::Legacy => {
                let error = RpcError::new(
                    SESSION_NOT_FOUND,
                    "Session not found; send `initialize` again",
                    404,
                );
                reply(self.server.refuse(&request, &error))
            }
            Incoming::Request(request) => {
                let exchange = Exchange {
                    principal,
                    session: session.into_open(),
                    place,
                    connection,
                    head,
                };
                self.run(request, exchange).await
            }
            Incoming::Rejected(refused) => reply(refused),
            _ if is_lost => session_not_found(),
            Incoming::Notification(notification) => {
                self.heed(&notification, session.open());
                answer::empty(StatusCode::ACCEPTED)
            }
            Incoming::Responses(_) => answer::empty(StatusCode::ACCEPTED),
            Incoming::Batch(batch) => {
                for notification in batch.notifications() {
                    self.heed(notification, session.open());
                }
                let exchange = Exchange {
                    principal,
                    session: session.into_open(),
                    place,
                    connection,
                    head,
                };
                self.run_batch(batch, exchange).await
            }
        }
    }

    /// The body of a message, within its bounds; also for the old transport.
    pub(crate) async fn read_message<B>(&self, head: &Parts, body: B) -> Result<Bytes, Answer>
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        if is_encoded(&head.headers) {
            return Err(encoded());
        }
        body::read(body, &self.config.limits, &self.config.timing)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => too_large(),
                BodyError::TooSlow => answer::error(StatusCode::REQUEST_TIMEOUT, "The body took too long"),
                BodyError::Broken => answer::error(StatusCode::BAD_REQUEST, "The body is incomplete"),
            })
    }

    fn heed(&self, notification: &Notification, session: Option<&OpenSession>) {
        if let (Notification::Cancelled(id), Some(session)) = (notification, session) {
            self.outstanding.cancel(session.name, id.clone());
        }
    }

    async fn run(self: &Arc<Self>, request: Request, exchange: Exchange<'_, G::Principal>) -> Answer {
        let Exchange {
            principal,
            session,
            place,
            connection,
            head,
        } = exchange;
        let legacy = request.era() == Era::Legacy;
        let entered = match &session {
            Some(session) if legacy => match self.outstanding.enter(session.name, request.id().clone()) {
                Some(entered) => Some(entered),
                None => return reply(self.server.refuse(&request, &RpcError::duplicate_id())),
            },
            _ => None,
        };
        let notifications = request
            .wants_outbox()
            .then(|| EventQueue::new(self.config.limits.stream_buffer_bytes));
        let queue = notifications.clone();
        let shared = Arc::clone(self);
        let whose = principal.clone();
        let call = async move {
            let _place: Place = place;
            let outbox = queue.map(ToQueue::new);
            let outbox = outbox.as_ref().map(|outbox| outbox as &dyn Outbox);
            attend(&shared.server, &whose, &request, entered.as_ref(), outbox).await
        };
        self.finish(
            Running::new(call, legacy),
            notifications,
            principal,
            connection,
            head.version,
        )
        .await
    }

    async fn run_batch(self: &Arc<Self>, batch: Batch, exchange: Exchange<'_, G::Principal>) -> Answer {
        let Exchange {
            principal,
            place,
            connection,
            head,
            session: _,
        } = exchange;
        let shared = Arc::clone(self);
        let whose = principal.clone();
        let call = async move {
            let _place: Place = place;
            attend_batch(&shared.server, &whose, &batch).await
        };
        self.finish(
            Running::new(call, true),
            None,
            principal,
            connection,
            head.version,
        )
        .await
    }

    /// JSON if the call ends soon and silently, a stream otherwise.
    async fn finish(
        self: &Arc<Self>,
        mut call: Running,
        notifications: Option<Arc<EventQueue>>,
        principal: G::Principal,
        connection: &Connection,
        version: Version,
    ) -> Answer {
        let mut patience: Option<Instant> = None;
        let mut own_alarm = Alarm::default();
        let multiplexed = version == Version::HTTP_2;
        let first = poll_fn(|cx| {
            if let Poll::Ready(finished) = call.poll(cx) {
                return Poll::Ready(Some(finished));
            }
            if notifications.as_ref().is_some_and(|queue| queue.has_events(cx)) {
                return Poll::Ready(None);
            }
            let deadline = *patience.get_or_insert_with(|| Instant::now() + self.config.timing.keep_alive);
            let is_over = if multiplexed {
                own_alarm.has_passed(deadline, cx)
            } else {
                connection.has_passed(deadline, cx)
            };
            if is_over { Poll::Ready(None) } else { Poll::Pending }
        })
        .await;
        let has_more_to_say = notifications.as_ref().is_some_and(|queue| !queue.is_empty());
        let queue = notifications.unwrap_or_else(|| EventQueue::new(self.config.limits.stream_buffer_bytes));
        let events = match first {
            Some(Finished::Replied(done)) if has_more_to_say && done.status == 200 => {
                CallEvents::of_finished(Finished::Replied(done), queue)
            }
            Some(finished) => return self.deliver(finished.into_reply(), &principal),
            None => CallEvents::of_running(call, queue),
        };
        match self.enter_stream(&principal) {
            Some(held) => answer::events(self.guard(events, principal, held)),
            // No place for another stream: the client waits for JSON, without what was said on the way.
            None => self.deliver(events.into_finished().await.into_reply(), &principal),
        }
    }

    /// A reply as JSON, with a session id if it opened one.
    fn deliver(&self, done: Reply, principal: &G::Principal) -> Answer {
        let opened = done.opened().cloned();
        let mut answer = reply(done);
        if let Some(state) = opened
            && let Some(id) = self.seal_session(&state, principal)
        {
            answer.headers_mut().insert(SESSION_ID, id);
        }
        answer
    }

    /// GET: the stream for what belongs to no request.
    pub(crate) fn open_session_stream(
        self: &Arc<Self>,
        head: &Parts,
        principal: G::Principal,
        connection: &Connection,
    ) -> Answer {
        let session = match self.bodiless_session(head, &principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return answer::not_allowed("POST"),
            Err(answer) => return *answer,
        };
        if !accepts(&head.headers, "text", "event-stream") {
            return answer::error(StatusCode::NOT_ACCEPTABLE, "Accept must list text/event-stream");
        }
        let Some(held) = self.enter_stream(&principal) else {
            return too_many_streams();
        };
        let queue = EventQueue::new(self.config.limits.stream_buffer_bytes);
        let Some(registered) = self.session_streams.enter(session.name, Arc::clone(&queue)) else {
            return answer::error(StatusCode::CONFLICT, "This session has a stream already");
        };
        answer::events(self.guard(queue, principal, (held, registered)))
    }

    /// DELETE: the session is over, here at once, and on other replicas when its stream or its day ends.
    pub(crate) fn end_session(
        &self,
        head: &Parts,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Answer {
        let session = match self.bodiless_session(head, principal, connection) {
            Ok(Some(session)) => session,
            Ok(None) => return answer::error(StatusCode::BAD_REQUEST, "Mcp-Session-Id is needed"),
            Err(answer) => return *answer,
        };
        self.ended
            .add(session.name, session.expires, self.config.clock.unix_seconds());
        if let Some(stream) = self.session_streams.get(&session.name) {
            stream.close();
        }
        answer::empty(StatusCode::NO_CONTENT)
    }

    /// The session of a GET or DELETE; `None` if it names none.
    fn bodiless_session(
        &self,
        head: &Parts,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Result<Option<OpenSession>, Box<Answer>> {
        let version = header(&head.headers, &PROTOCOL_VERSION);
        if classify_bodiless(version) == Bodiless::MethodNotAllowed {
            return Err(Box::new(answer::not_allowed("POST")));
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

    fn session_of(
        &self,
        headers: &HeaderMap,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Result<SessionId, Box<Answer>> {
        let mut ids = headers.get_all(SESSION_ID).iter();
        match (ids.next(), ids.next()) {
            (None, _) => Ok(SessionId::Absent),
            (Some(id), None) => Ok(self.find_session(id, &self.gate.binding(principal), connection)),
            (Some(_), Some(_)) => Err(bad_request("Mcp-Session-Id is there more than once")),
        }
    }

    /// Places for one more stream.
    pub(crate) fn enter_stream(&self, principal: &G::Principal) -> Option<StreamPlaces> {
        let binding: Binding = self.gate.binding(principal);
        Some((self.streams.enter()?, self.streams_by_key.enter(binding)?))
    }

    pub(crate) fn guard<S, K>(&self, source: S, principal: G::Principal, held: K) -> Guarded<G, S, K>
    where
        S: crate::streams::guarded::Source,
    {
        let stopping = Arc::clone(&self.stopping);
        Guarded::new(
            source,
            Arc::clone(&self.gate),
            principal,
            stopping,
            &self.config.timing,
            held,
        )
    }
}

/// What a stream holds while it is open.
pub(crate) type StreamPlaces = (Place, crate::connection::permits::KeyedPlace<Binding>);

/// One request on its way, besides its message.
struct Exchange<'a, T> {
    principal: T,
    session: Option<OpenSession>,
    place: Place,
    connection: &'a Connection,
    head: &'a Parts,
}

fn reply(reply: Reply) -> Answer {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match reply.body {
        Some(body) => answer::json(status, body),
        None => answer::empty(status),
    }
}

fn bad_request(message: &'static str) -> Box<Answer> {
    Box::new(answer::error(StatusCode::BAD_REQUEST, message))
}

fn encoded() -> Answer {
    answer::error(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Content-Encoding is not supported",
    )
}

fn too_large() -> Answer {
    answer::error(StatusCode::PAYLOAD_TOO_LARGE, "The message is too large")
}

pub(crate) fn too_many_streams() -> Answer {
    answer::later(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many open streams",
        RETRY_SOON,
    )
}

pub(crate) fn session_not_found() -> Answer {
    answer::error(StatusCode::NOT_FOUND, "Session not found")
}
