//! HTTP+SSE of 2024-11-05: a stream that carries every answer, and an endpoint to post to.
//!
//! A session is its stream: it lives in this process and ends with the connection.

use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body::Body;
use watchpost_protocol::{
    Effect, Handler, Incoming, Link, Notification, Outbox, RequestId, RpcError, SessionState, TransportFacts,
    Wire,
};

use crate::gate::{Binding, Gate, Probes};
use crate::http::answer::{self, Answer};
use crate::http::streamable::{StreamPlaces, session_not_found, too_many_streams};
use crate::service::{RETRY_SOON, Shared};
use crate::sessions::notes::SessionNotes;
use crate::sessions::outstanding::Outstanding;
use crate::streams::call::{CallLine, Finished, Running, attend, attend_batch};
use crate::streams::frame;
use crate::streams::listening::Unsolicited;
use crate::streams::queue::{EventQueue, Working};
use crate::streams::registry::Registered;

const NAME_BYTES: usize = 16;

/// Names an open stream: random, and useless without the key that opened it.
pub(crate) type StreamName = [u8; NAME_BYTES];

/// One open stream, as those who post to it see it.
pub(crate) struct OldSession {
    binding: Binding,
    stream: Arc<Unsolicited>,
    notes: Arc<SessionNotes>,
    state: Mutex<Option<Arc<SessionState>>>,
    outstanding: Arc<Outstanding<(), RequestId<'static>>>,
}

impl OldSession {
    fn state(&self) -> Option<Arc<SessionState>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Dropped with the stream: the session ends.
struct Open {
    queue: Arc<EventQueue>,
    _registered: Registered<StreamName, OldSession>,
    _places: StreamPlaces,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<G, H, P> Shared<G, H, P>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
    P: Probes,
{
    /// GET `/sse`.
    pub(crate) fn open_old_stream(self: &Arc<Self>, principal: G::Principal) -> Answer {
        let Some(places) = self.enter_stream(&principal) else {
            return too_many_streams();
        };
        let queue = EventQueue::new(self.config.limits.stream_buffer_bytes);
        let stream = Unsolicited::new(Arc::clone(&queue), None);
        let session = Arc::new(OldSession {
            binding: self.gate.binding(&principal),
            stream: Arc::clone(&stream),
            notes: Arc::default(),
            state: Mutex::new(None),
            outstanding: Outstanding::new(),
        });
        let mut name = [0; NAME_BYTES];
        self.config.random.fill(&mut name);
        let Some(registered) = self.old_sessions.enter(name, session) else {
            return too_many_streams();
        };
        // A path, not a URL, so that it works behind proxies.
        let path = format!("{}/messages?session_id={}", self.config.mount, hex(&name));
        queue.push(frame::endpoint(&path));
        let open = Open {
            queue: Arc::clone(&queue),
            _registered: registered,
            _places: places,
        };
        answer::events(self.guard(stream, principal, open))
    }

    /// POST `/messages?session_id=…`: taken with 202, answered on the stream.
    pub(crate) async fn post_to_old_stream<B>(
        self: &Arc<Self>,
        head: &Parts,
        body: B,
        principal: G::Principal,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + Unpin,
    {
        let Some(name) = head.uri.query().and_then(session_id) else {
            return answer::error(StatusCode::BAD_REQUEST, "session_id is needed");
        };
        let binding = self.gate.binding(&principal);
        let session = self
            .old_sessions
            .get(&name)
            .filter(|session| session.binding == binding);
        let Some(session) = session else {
            return session_not_found();
        };
        let message = match self.read_message(head, body).await {
            Ok(message) => message,
            Err(answer) => return answer,
        };
        let state = session.state();
        let facts = TransportFacts::new(Wire::HttpSse, state.as_ref());
        match self.server.decode(&message, &facts) {
            Incoming::Rejected(reply) if reply.status == 202 => {
                if let Some(body) = reply.body {
                    session.stream.queue.push(frame::message(&body));
                }
                answer::empty(StatusCode::ACCEPTED)
            }
            Incoming::Rejected(reply) => {
                let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_REQUEST);
                answer::json(status, reply.body.unwrap_or_default())
            }
            Incoming::Responses(responses) => {
                responses
                    .into_iter()
                    .for_each(|response| session.notes.answer(response));
                answer::empty(StatusCode::ACCEPTED)
            }
            Incoming::Notification(notification) => {
                self.heed_on_stream(&session, &principal, &notification);
                answer::empty(StatusCode::ACCEPTED)
            }
            Incoming::Request(request) => {
                let Some(working) = session.stream.queue.begin(self.config.limits.calls_per_stream) else {
                    return busy();
                };
                let Some(entered) = session.outstanding.enter((), request.id().clone()) else {
                    if let Some(body) = self.server.refuse(&request, &RpcError::duplicate_id()).body {
                        session.stream.queue.push(frame::message(&body));
                    }
                    return answer::empty(StatusCode::ACCEPTED);
                };
                let shared = Arc::clone(self);
                let to = Arc::clone(&session);
                let call = async move {
                    let patience = shared.config.timing.client_answer;
                    let line = request.wants_outbox().then(|| {
                        CallLine::new(Arc::clone(&to.stream.queue), patience).asking(Arc::clone(&to.notes))
                    });
                    let link = Link {
                        outbox: line.as_ref().map(|line| line as &dyn Outbox),
                        peer: line.as_ref().and_then(CallLine::peer),
                        log_level: to.notes.level(),
                        ..Link::default()
                    };
                    let finished = attend(&shared.server, &principal, &request, Some(&entered), link).await;
                    match finished {
                        Finished::Replied(replied) if !shared.note(&replied.effects, &to) => {
                            let error = RpcError::subscription_limit();
                            Finished::Replied(shared.server.refuse(&request, &error))
                        }
                        finished => finished,
                    }
                };
                answer_on(session, call, working).await
            }
            Incoming::Batch(batch) => {
                let Some(working) = session.stream.queue.begin(self.config.limits.calls_per_stream) else {
                    return busy();
                };
                for notification in batch.notifications() {
                    self.heed_on_stream(&session, &principal, notification);
                }
                let shared = Arc::clone(self);
                let to = Arc::clone(&session);
                let call = async move {
                    let finished = attend_batch(&shared.server, &principal, &batch).await;
                    if let Finished::Replied(replied) = &finished {
                        shared.note(&replied.effects, &to);
                    }
                    finished
                };
                answer_on(session, call, working).await
            }
        }
    }

    fn heed_on_stream(&self, session: &OldSession, principal: &G::Principal, notification: &Notification) {
        match notification {
            Notification::Cancelled(id) => session.outstanding.cancel((), id.clone()),
            Notification::Initialized => {
                if let Some(state) = session.state() {
                    let changes = self.server.unsolicited(principal, &state, session.notes.uris());
                    session.stream.begin(changes);
                }
            }
            Notification::Ignored => {}
        }
    }

    /// Notes what requests changed about their session, before the answer goes out: the client goes on as soon as it
    /// has it. `false` if there was no place for a subscription.
    fn note(&self, effects: &[Effect], session: &OldSession) -> bool {
        let mut is_noted = true;
        for effect in effects {
            match effect {
                Effect::Opened(state) => {
                    *session.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(state));
                }
                Effect::LogLevel(level) => session.notes.set_level(*level),
                Effect::Subscribed(uri) => is_noted &= session.notes.subscribe(uri.clone()),
                Effect::Unsubscribed(uri) => session.notes.unsubscribe(uri),
            }
        }
        if !effects.is_empty() {
            let uris = session.notes.uris();
            session
                .stream
                .set_interest(self.server.unsolicited_interest(uris));
        }
        is_noted
    }
}

/// Runs a call and puts its answer on the stream. One that is ready at once needs no task of its own.
async fn answer_on(
    session: Arc<OldSession>,
    call: impl Future<Output = Finished> + Send + 'static,
    working: Working,
) -> Answer {
    let call = async move {
        let finished = call.await;
        if let Finished::Replied(reply) = &finished
            && let Some(body) = &reply.body
        {
            session.stream.queue.push(frame::message(body));
        }
        drop(working);
        finished
    };
    // Legacy: the call goes on when this POST, or even the stream, ends.
    let mut running = Running::new(call, true);
    poll_fn(|cx| {
        let _ = running.poll(cx);
        Poll::Ready(())
    })
    .await;
    drop(running);
    answer::empty(StatusCode::ACCEPTED)
}

fn busy() -> Answer {
    answer::later(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many calls on this stream",
        RETRY_SOON,
    )
}

fn hex(name: &StreamName) -> String {
    name.iter()
        .fold(String::with_capacity(NAME_BYTES * 2), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The one `session_id` of a query; `None` if it is missing, repeated, or no name of a stream.
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
    fn a_stream_is_named_once_and_exactly() {
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
