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
    Batch, Bodiless, Effect, Era, Handler, Header, Incoming, Link, Notification, Operation, Outbox,
    ParameterSource, Reply, Request, RpcError, TransportFacts, Wire, classify_bodiless,
};

use crate::connection::alarm::Alarm;
use crate::connection::body::{self, BodyError};
use crate::connection::permits::Place;
use crate::gate::{Binding, Gate, Probes};
use crate::http::answer::{self, Answer};
use crate::http::negotiation::{accepts, is_encoded, is_json};
use crate::service::{Connection, RETRY_SOON, Shared};
use crate::sessions::open::{OpenSession, SessionId};
use crate::sessions::seal::SessionName;
use crate::sessions::states::Sealing;
use crate::streams::call::{CallEvents, CallLine, Finished, Running, attend, attend_batch};
use crate::streams::guarded::{Guarded, Source};
use crate::streams::listening::Subscription;
use crate::streams::queue::EventQueue;
use crate::streams::replay::Reader;

pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The code of errors about sessions; HTTP's own number, outside the range that JSON-RPC keeps.
const SESSION_NOT_FOUND: i64 = 404;

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Header<'a> {
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
        let parameters = Parameters(&head.headers);
        let facts = TransportFacts {
            wire: Wire::Http,
            version,
            method: header(&head.headers, &METHOD),
            name: header(&head.headers, &NAME),
            parameters: Some(&parameters),
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
            Incoming::Responses(responses) => {
                if let Some(notes) = session.open().and_then(|session| self.notes.get(&session.name)) {
                    responses.into_iter().for_each(|response| notes.answer(response));
                }
                answer::empty(StatusCode::ACCEPTED)
            }
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
        if request.operation() == Operation::Listen {
            return self.listen(&request, principal).await;
        }
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
        let resumable = session
            .as_ref()
            .filter(|session| legacy && session.state.revision.has_resumable_streams())
            .map(|session| session.name);
        let line = notifications.clone().map(|queue| {
            let line = CallLine::new(queue, self.config.timing.client_answer).resumable(resumable.is_some());
            match &session {
                Some(session) if legacy => line.asking(self.notes.open(session.name)),
                _ => line,
            }
        });
        let level = session
            .as_ref()
            .and_then(|session| self.notes.get(&session.name)?.level());
        let shared = Arc::clone(self);
        let whose = principal.clone();
        let call = async move {
            let _place: Place = place;
            let seal = shared.sealing(&whose);
            let link = Link {
                outbox: line.as_ref().map(|line| line as &dyn Outbox),
                peer: line.as_ref().and_then(CallLine::peer),
                seal: Some(&seal),
                log_level: level,
                cancelled: None,
            };
            let finished = attend(&shared.server, &whose, &request, entered.as_ref(), link).await;
            shared.heed_effects(finished, &request, session.as_ref())
        };
        let way = Way {
            notifications,
            resumable,
            version: head.version,
        };
        self.finish(Running::new(call, legacy), way, principal, connection)
            .await
    }

    /// A modern client's subscription: always a stream.
    async fn listen(self: &Arc<Self>, request: &Request, principal: G::Principal) -> Answer {
        let Some(held) = self.enter_stream(&principal) else {
            return reply(self.server.refuse(request, &RpcError::subscription_limit()));
        };
        match self.server.listen(&principal, request, Link::default()).await {
            Ok(stream) => answer::events(self.guard(Subscription::new(stream), principal, held)),
            Err(refused) => reply(refused),
        }
    }

    fn sealing(&self, principal: &G::Principal) -> Sealing<'_> {
        Sealing {
            keys: &self.config.state_keys,
            binding: self.gate.binding(principal),
            clock: &*self.config.clock,
            random: &*self.config.random,
        }
    }

    /// Notes what a request changed about its session, before its answer goes out.
    fn heed_effects(&self, finished: Finished, request: &Request, session: Option<&OpenSession>) -> Finished {
        let replied = match finished {
            Finished::Replied(replied) => replied,
            cancelled @ Finished::Cancelled(_) => return cancelled,
        };
        let is_noted = replied
            .effects
            .iter()
            .all(|effect| session.is_none_or(|session| self.heed_effect(effect, session)));
        Finished::Replied(if is_noted {
            replied
        } else {
            self.server.refuse(request, &RpcError::subscription_limit())
        })
    }

    fn heed_effect(&self, effect: &Effect, session: &OpenSession) -> bool {
        let notes = || self.notes.open(session.name);
        let notes = match effect {
            Effect::Opened(_) => return true,
            Effect::LogLevel(level) => {
                notes().set_level(*level);
                return true;
            }
            Effect::Subscribed(uri) => {
                let notes = notes();
                if !notes.subscribe(uri.clone()) {
                    return false;
                }
                notes
            }
            Effect::Unsubscribed(uri) => {
                let notes = notes();
                notes.unsubscribe(uri);
                notes
            }
        };
        if let Some(stream) = self.session_streams.get(&session.name) {
            stream.set_interest(self.server.unsolicited_interest(notes.uris()));
        }
        true
    }

    async fn run_batch(self: &Arc<Self>, batch: Batch, exchange: Exchange<'_, G::Principal>) -> Answer {
        let Exchange {
            principal,
            place,
            connection,
            head,
            session,
        } = exchange;
        let shared = Arc::clone(self);
        let whose = principal.clone();
        let call = async move {
            let _place: Place = place;
            let finished = attend_batch(&shared.server, &whose, &batch).await;
            if let (Finished::Replied(reply), Some(session)) = (&finished, &session) {
                for effect in &reply.effects {
                    shared.heed_effect(effect, session);
                }
            }
            finished
        };
        let way = Way {
            notifications: None,
            resumable: None,
            version: head.version,
        };
        self.finish(Running::new(call, true), way, principal, connection)
            .await
    }

    /// JSON if the call ends soon and silently, a stream otherwise.
    async fn finish(
        self: &Arc<Self>,
        mut call: Running,
        way: Way,
        principal: G::Principal,
        connection: &Connection,
    ) -> Answer {
        let Way {
            notifications,
            resumable,
            version,
        } = way;
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
        let first = match first {
            Some(Finished::Replied(done)) if has_more_to_say && done.status == 200 => Some(done),
            Some(finished) => return self.deliver(finished.into_reply(), &principal),
            None => None,
        };
        let queue = notifications.unwrap_or_else(|| EventQueue::new(self.config.limits.stream_buffer_bytes));
        let events = match first {
            Some(done) => CallEvents::of_finished(Finished::Replied(done), Arc::clone(&queue)),
            None => CallEvents::of_running(call, Arc::clone(&queue)),
        };
        let Some(held) = self.enter_stream(&principal) else {
            // No place for another stream: the client waits for JSON, without what was said on the way, and can't be
            // asked.
            queue.close();
            return self.deliver(events.into_finished().await.into_reply(), &principal);
        };
        match resumable {
            Some(session) => answer::events(self.guard(self.resumable(session, events), principal, held)),
            None => answer::events(self.guard(events, principal, held)),
        }
    }

    /// Gives a call a task of its own and its client a stream that it can come back to.
    fn resumable(&self, session: SessionName, mut events: CallEvents) -> Reader {
        let mut name = [0; 8];
        self.config.random.fill(&mut name);
        let stream_bytes = self.config.limits.stream_buffer_bytes;
        let replay = self.replays.open(session, u64::from_le_bytes(name), stream_bytes);
        let reader = replay.from_start();
        tokio::spawn(poll_fn(move |cx| {
            loop {
                match events.poll_next(cx) {
                    Poll::Ready(Some(event)) => replay.push(&event),
                    Poll::Ready(None) => {
                        replay.close();
                        return Poll::Ready(());
                    }
                    Poll::Pending => {
                        if let Some(retry) = events.take_hang_up() {
                            replay.hang_up(retry);
                        }
                        return Poll::Pending;
                    }
                }
            }
        }));
        reader
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

    pub(crate) fn session_of(
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

/// How an answer may travel.
struct Way {
    /// What the call says before its answer.
    notifications: Option<Arc<EventQueue>>,
    /// The session whose client can leave a stream and come back.
    resumable: Option<SessionName>,
    version: Version,
}

/// The headers that repeat arguments.
#[derive(Debug)]
struct Parameters<'a>(&'a HeaderMap);

impl ParameterSource for Parameters<'_> {
    fn parameter(&self, name: &str) -> Header<'_> {
        match HeaderName::try_from(format!("mcp-param-{name}")) {
            Ok(name) => header(self.0, &name),
            Err(_) => Header::Absent,
        }
    }
}

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

pub(crate) fn bad_request(message: &'static str) -> Box<Answer> {
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
