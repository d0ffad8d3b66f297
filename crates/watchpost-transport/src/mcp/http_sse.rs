//! HTTP+SSE of 2024-11-05: an event stream for all responses, and an endpoint for messages from the client.
//!
//! A session exists only in this process and ends with the connection of its stream.

use crate::{
    admission::shares::Hold,
    connection::body::RequestBody,
    gate::Gate,
    mcp::{
        Mcp,
        streamable::{read_message, session_not_found},
    },
    response::{self, RETRY_SOON, Response},
    sessions::{
        effects::{self, Session},
        http_sse::{NAME_BYTES, SseSession, StreamName, hex, session_id},
        local::LocalState,
        outstanding::Outstanding,
    },
    streams::{
        call::{CallChannel, DetachableCall, Finished, drive, drive_batch},
        frame,
        guarded::StreamPermits,
        listening::SessionStream,
        queue::{EventQueue, Working},
        registry::Registered,
    },
    text,
};
use http::{StatusCode, request::Parts};
use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};
use watchpost_protocol::{
    Batch, Handler, Incoming, Link, Notification, Operation, Outbox, Request, RpcError, Server, SessionState,
    TransportFacts, TransportKind,
};

/// Ends the session when it is dropped together with the stream.
struct Open {
    queue: Arc<EventQueue>,
    _registered: Registered<StreamName, SseSession>,
    _permits: StreamPermits,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// Handles GET `/sse`: opens a session with its stream.
    pub(crate) fn open_sse_stream(
        self: &Arc<Self>,
        principal: G::Principal,
        hold: Option<Arc<Hold>>,
    ) -> Response {
        let Some(permits) = self.streams.enter(&principal) else {
            return response::too_many_streams();
        };
        let queue = EventQueue::new(self.config.limits.stream_buffer_bytes, hold);
        let stream = SessionStream::new(Arc::clone(&queue), None);
        let session = Arc::new(SseSession {
            binding: self.gate.binding(&principal),
            stream: Arc::clone(&stream),
            local: Arc::default(),
            state: Mutex::new(None),
            outstanding: Outstanding::new(),
        });
        let mut name = [0; NAME_BYTES];
        self.config.random.fill(&mut name);
        let Some(registered) = self.sse_sessions.enter(name, session) else {
            return response::too_many_streams();
        };
        // A path instead of a URL, so that it works behind proxies.
        let path = format!("{}/messages?session_id={}", self.config.base_path, hex(&name));
        queue.push(frame::endpoint(&path));
        let open = Open {
            queue: Arc::clone(&queue),
            _registered: registered,
            _permits: permits,
        };
        response::events(self.streams.guard(stream, principal, open))
    }

    /// Handles POST `/messages?session_id=…`: accepts the message with 202 and sends its response on the
    /// stream.
    pub(crate) async fn post_sse_message(
        self: &Arc<Self>,
        head: &Parts,
        body: RequestBody<'_>,
        principal: G::Principal,
    ) -> Response {
        let Some(name) = head.uri.query().and_then(session_id) else {
            return response::error(StatusCode::BAD_REQUEST, text::SESSION_PARAMETER_REQUIRED);
        };
        let binding = self.gate.binding(&principal);
        let session = self
            .sse_sessions
            .get(&name)
            .filter(|session| session.binding == binding);
        let Some(session) = session else {
            return session_not_found();
        };
        let message = match read_message(head, body).await {
            Ok(message) => message,
            Err(rejection) => return rejection,
        };
        let state = session.state();
        let facts = TransportFacts::new(TransportKind::HttpSse, state.as_ref());
        match self.server.decode(&message, &facts) {
            Incoming::Rejected(reply) if reply.status == 202 => {
                session.send(reply.body.as_deref());
                response::empty(StatusCode::ACCEPTED)
            }
            Incoming::Rejected(reply) => {
                let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_REQUEST);
                response::json(status, reply.body.unwrap_or_default())
            }
            Incoming::Responses(responses) => {
                responses
                    .into_iter()
                    .for_each(|response| session.local.answer(response));
                response::empty(StatusCode::ACCEPTED)
            }
            Incoming::Notification(notification) => {
                self.handle_sse_notification(&session, &principal, &notification);
                response::empty(StatusCode::ACCEPTED)
            }
            Incoming::Request(request) if request.operation() == Operation::Initialize => {
                session.start_again();
                self.run_on_sse_stream(session, request, principal).await
            }
            Incoming::Request(request) => self.run_on_sse_stream(session, request, principal).await,
            Incoming::Batch(batch) => self.run_batch_on_sse_stream(session, batch, principal).await,
        }
    }

    async fn run_on_sse_stream(
        self: &Arc<Self>,
        session: Arc<SseSession>,
        request: Request,
        principal: G::Principal,
    ) -> Response {
        let Some(working) = session.stream.queue.begin(self.config.limits.calls_per_stream) else {
            return busy();
        };
        let Some(entered) = session.outstanding.enter((), request.id().clone()) else {
            let rejection = self.server.reject(&request, &RpcError::duplicate_id());
            session.send(rejection.body.as_deref());
            return response::empty(StatusCode::ACCEPTED);
        };
        let mcp = Arc::clone(self);
        let to = Arc::clone(&session);
        let call = async move {
            let channel = request.wants_outbox().then(|| {
                CallChannel::new(Arc::clone(&to.stream.queue), mcp.config.timing.client_answer)
                    .asking(Arc::clone(&to.local))
            });
            let link = Link {
                outbox: channel.as_ref().map(|channel| channel as &dyn Outbox),
                peer: channel.as_ref().and_then(CallChannel::peer),
                log_level: to.local.level(),
                ..Link::default()
            };
            let finished = drive(&mcp.server, &principal, &request, Some(&entered), link).await;
            effects::apply(&mcp.server, &request, finished, &mut mcp.sse_effects(&to))
        };
        answer_on(session, call, working).await
    }

    async fn run_batch_on_sse_stream(
        self: &Arc<Self>,
        session: Arc<SseSession>,
        batch: Batch,
        principal: G::Principal,
    ) -> Response {
        let Some(working) = session.stream.queue.begin(self.config.limits.calls_per_stream) else {
            return busy();
        };
        for notification in batch.notifications() {
            self.handle_sse_notification(&session, &principal, notification);
        }
        let mcp = Arc::clone(self);
        let to = Arc::clone(&session);
        let call = async move {
            let finished = drive_batch(&mcp.server, &principal, &batch).await;
            effects::apply_batch(&finished, &mut mcp.sse_effects(&to));
            finished
        };
        answer_on(session, call, working).await
    }

    fn handle_sse_notification(
        &self,
        session: &SseSession,
        principal: &G::Principal,
        notification: &Notification,
    ) {
        match notification {
            Notification::Cancelled(id) => session.outstanding.cancel((), id.clone()),
            Notification::Initialized => {
                if let Some(state) = session.state() {
                    let changes = self.server.unsolicited(principal, &state, session.local.uris());
                    session.stream.begin(changes);
                }
            }
            Notification::Ignored => {}
        }
    }

    fn sse_effects<'a>(&'a self, session: &'a SseSession) -> SseEffects<'a, H> {
        SseEffects {
            server: &self.server,
            session,
        }
    }
}

/// A session together with its server.
struct SseEffects<'a, H> {
    server: &'a Server<H>,
    session: &'a SseSession,
}

impl<H: Handler> Session for SseEffects<'_, H> {
    fn opened(&mut self, state: &Arc<SessionState>) {
        let mut current = self.session.state.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(state));
    }

    fn local(&self) -> Arc<LocalState> {
        Arc::clone(&self.session.local)
    }

    fn subscriptions_changed(&mut self, uris: BTreeSet<String>) {
        let interest = self.server.unsolicited_interest(uris);
        self.session.stream.set_interest(interest);
    }
}

/// Runs a call and sends its response on the stream. A call that ends at once needs no task of its own.
async fn answer_on(
    session: Arc<SseSession>,
    call: impl Future<Output = Finished> + Send + 'static,
    working: Working,
) -> Response {
    let call = async move {
        let finished = call.await;
        if let Finished::Replied(reply) = &finished {
            session.send(reply.body.as_deref());
        }
        drop(working);
        finished
    };
    // A legacy call continues after the end of this POST, and even of the stream.
    let mut running = DetachableCall::new(call, true);
    poll_fn(|cx| {
        let _ = running.poll(cx);
        Poll::Ready(())
    })
    .await;
    drop(running);
    response::empty(StatusCode::ACCEPTED)
}

fn busy() -> Response {
    response::later(
        StatusCode::SERVICE_UNAVAILABLE,
        text::TOO_MANY_CALLS_ON_STREAM,
        RETRY_SOON,
    )
}
