//! One exchange of Streamable HTTP: a call and the form of its response.

use crate::{
    admission::shares::Hold,
    connection::{Connection, deadline::DeadlineTimer, permits::Permit},
    gate::Gate,
    mcp::{Mcp, headers::SESSION_ID, negotiation::Accepted},
    response::{self, RETRY_SOON, Response},
    sessions::{
        effects::{self, Session},
        local::LocalState,
        open::OpenSession,
        seal::SessionName,
        states::Sealing,
    },
    streams::{
        call::{CallChannel, CallEvents, DetachableCall, Finished, drive, drive_batch},
        guarded::Source as _,
        listening::Subscription,
        queue::EventQueue,
        replay::Reader,
    },
    text,
};
use http::{StatusCode, Version};
use std::{collections::BTreeSet, future::poll_fn, sync::Arc, task::Poll};
use tokio::time::Instant;
use watchpost_protocol::{
    Batch, Era, Handler, Link, Operation, Outbox, Reply, Request, RpcError, SessionState,
};

/// The context of a request: everything besides its message.
pub(crate) struct Exchange<'a, T> {
    pub(crate) principal: T,
    pub(crate) session: Option<OpenSession>,
    pub(crate) permit: Permit,
    pub(crate) connection: &'a Connection,
    pub(crate) version: Version,
    pub(crate) accepted: Accepted,
    /// The share of the request.
    pub(crate) hold: Option<Arc<Hold>>,
}

/// The parameters that determine the form of a response.
struct ResponseMode {
    /// The notifications that precede the result.
    notifications: Option<Arc<EventQueue>>,
    /// The session, if the stream of the response can be resumed.
    resumable: Option<SessionName>,
    version: Version,
    accepted: Accepted,
    hold: Option<Arc<Hold>>,
}

/// A session of Streamable HTTP. Its state is in its id; the changes since the handshake are in this process.
struct HttpSession<'a, G: Gate, H> {
    mcp: &'a Mcp<G, H>,
    name: SessionName,
}

impl<G, H> Session for HttpSession<'_, G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// Does nothing: the response carries the session's id, which contains the state.
    fn opened(&mut self, _: &Arc<SessionState>) {}

    fn local(&self) -> Arc<LocalState> {
        self.mcp.local.open(self.name)
    }

    fn subscriptions_changed(&mut self, uris: BTreeSet<String>) {
        let interest = self.mcp.server.unsolicited_interest(uris);
        self.mcp.session_streams.set_interest(&self.name, interest);
    }
}

impl<G, H> Mcp<G, H>
where
    G: Gate,
    H: Handler<Principal = G::Principal>,
{
    /// Answers one request.
    pub(crate) async fn run(
        self: &Arc<Self>,
        request: Request,
        exchange: Exchange<'_, G::Principal>,
    ) -> Response {
        let Exchange {
            principal,
            session,
            permit,
            connection,
            version,
            accepted,
            hold,
        } = exchange;
        if request.operation() == Operation::Listen {
            if accepted == Accepted::Json {
                return response::error(StatusCode::NOT_ACCEPTABLE, text::ACCEPT_EVENT_STREAM);
            }
            return self.listen(&request, principal).await;
        }
        let legacy = request.era() == Era::Legacy;
        let entered = match &session {
            Some(session) if legacy => match self.outstanding.enter(session.name, request.id().clone()) {
                Some(entered) => Some(entered),
                None => return reply(self.server.reject(&request, &RpcError::duplicate_id())),
            },
            _ => None,
        };
        let notifications = (request.wants_outbox() && accepted != Accepted::Json)
            .then(|| EventQueue::new(self.config.limits.stream_buffer_bytes, hold.clone()));
        let in_session = session.as_ref().filter(|_| legacy);
        let resumable = in_session
            .filter(|session| session.state.revision.has_resumable_streams())
            .map(|session| session.name);
        let channel = notifications
            .clone()
            .map(|queue| self.channel(queue, in_session, resumable.is_some()));
        let level = session
            .as_ref()
            .and_then(|session| self.local.get(&session.name)?.level());
        let mcp = Arc::clone(self);
        let caller = principal.clone();
        let call = async move {
            let _permit: Permit = permit;
            let seal = mcp.sealing(&caller);
            let link = Link {
                outbox: channel.as_ref().map(|channel| channel as &dyn Outbox),
                peer: channel.as_ref().and_then(CallChannel::peer),
                seal: Some(&seal),
                log_level: level,
                cancelled: None,
            };
            let finished = drive(&mcp.server, &caller, &request, entered.as_ref(), link).await;
            match session {
                Some(session) => {
                    effects::apply(&mcp.server, &request, finished, &mut mcp.http_session(&session))
                }
                None => finished,
            }
        };
        let mode = ResponseMode {
            notifications,
            resumable,
            version,
            accepted,
            hold,
        };
        self.respond(DetachableCall::new(call, legacy), mode, principal, connection)
            .await
    }

    /// Returns the channel to the client of a call, who can be asked in a session.
    fn channel(&self, queue: Arc<EventQueue>, session: Option<&OpenSession>, resumable: bool) -> CallChannel {
        let channel = CallChannel::new(queue, self.config.timing.client_answer).resumable(resumable);
        match session {
            Some(session) => channel.asking(self.local.open(session.name)),
            None => channel,
        }
    }

    /// Opens a modern client's subscription. The response is always a stream.
    async fn listen(self: &Arc<Self>, request: &Request, principal: G::Principal) -> Response {
        let Some(held) = self.streams.enter(&principal) else {
            return reply(self.server.reject(request, &RpcError::subscription_limit()));
        };
        match self.server.listen(&principal, request, Link::default()).await {
            Ok(stream) => response::events(self.streams.guard(Subscription::new(stream), principal, held)),
            Err(rejection) => reply(rejection),
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

    /// Answers an array of messages.
    pub(crate) async fn run_batch(
        self: &Arc<Self>,
        batch: Batch,
        exchange: Exchange<'_, G::Principal>,
    ) -> Response {
        let Exchange {
            principal,
            session,
            permit,
            connection,
            version,
            accepted,
            hold,
        } = exchange;
        let mcp = Arc::clone(self);
        let caller = principal.clone();
        let call = async move {
            let _permit: Permit = permit;
            let finished = drive_batch(&mcp.server, &caller, &batch).await;
            if let Some(session) = &session {
                effects::apply_batch(&finished, &mut mcp.http_session(session));
            }
            finished
        };
        let mode = ResponseMode {
            notifications: None,
            resumable: None,
            version,
            accepted,
            hold,
        };
        self.respond(DetachableCall::new(call, true), mode, principal, connection)
            .await
    }

    /// Responds with JSON if the call ends soon and without notifications, otherwise with a stream. A client that accepts
    /// one of them gets that, except that errors of the protocol are always JSON.
    async fn respond(
        self: &Arc<Self>,
        mut call: DetachableCall,
        mode: ResponseMode,
        principal: G::Principal,
        connection: &Connection,
    ) -> Response {
        let first = self.first_result(&mut call, &mode, connection).await;
        let ResponseMode {
            notifications,
            resumable,
            accepted,
            hold,
            ..
        } = mode;
        let needs_events =
            accepted == Accepted::Events || notifications.as_ref().is_some_and(|queue| !queue.is_empty());
        let opened = match &first {
            Some(Finished::Replied(done)) => done.new_session().cloned(),
            _ => None,
        };
        let first = match first {
            Some(Finished::Replied(done)) if needs_events && done.status == 200 => Some(done),
            Some(finished) => return self.json_response(finished.into_reply(), &principal),
            None => None,
        };
        let queue =
            notifications.unwrap_or_else(|| EventQueue::new(self.config.limits.stream_buffer_bytes, hold));
        let events = match first {
            Some(done) => CallEvents::of_finished(Finished::Replied(done), Arc::clone(&queue)),
            None => CallEvents::of_running(call, Arc::clone(&queue)),
        };
        let Some(held) = self.streams.enter(&principal) else {
            // The limit on streams is reached. The client gets JSON at the end, without the notifications, and
            // can't be asked for input.
            queue.close();
            return self.json_response(events.into_finished().await.into_reply(), &principal);
        };
        let id = opened.and_then(|state| self.seal_session(&state, &principal));
        let mut response = match resumable {
            Some(session) => response::events(self.streams.guard(
                self.resumable(session, events),
                principal,
                held,
            )),
            None => response::events(self.streams.guard(events, principal, held)),
        };
        if let Some(id) = id {
            response.headers_mut().insert(SESSION_ID, id);
        }
        response
    }

    /// Waits until the call has ended; `None` if a stream is needed before, for notifications or because it takes long.
    async fn first_result(
        &self,
        call: &mut DetachableCall,
        mode: &ResponseMode,
        connection: &Connection,
    ) -> Option<Finished> {
        let mut deadline: Option<Instant> = None;
        let mut own_timer = DeadlineTimer::default();
        let multiplexed = mode.version == Version::HTTP_2;
        poll_fn(|cx| {
            if let Poll::Ready(finished) = call.poll(cx) {
                return Poll::Ready(Some(finished));
            }
            if mode
                .notifications
                .as_ref()
                .is_some_and(|queue| queue.has_events(cx))
            {
                return Poll::Ready(None);
            }
            if mode.accepted == Accepted::Json {
                return Poll::Pending;
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.config.timing.keep_alive);
            let has_passed = if multiplexed {
                own_timer.has_passed(deadline, cx)
            } else {
                connection.has_passed(deadline, cx)
            };
            if has_passed {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Runs a call in a task of its own and returns a stream that its client can resume.
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
                        if let Some(retry) = events.take_disconnect() {
                            replay.disconnect(retry);
                        }
                        return Poll::Pending;
                    }
                }
            }
        }));
        reader
    }

    /// Responds with JSON, with the session id if the reply opened a session.
    fn json_response(&self, done: Reply, principal: &G::Principal) -> Response {
        let opened = done.new_session().cloned();
        let mut response = reply(done);
        if let Some(state) = opened
            && let Some(id) = self.seal_session(&state, principal)
        {
            response.headers_mut().insert(SESSION_ID, id);
        }
        response
    }

    fn http_session(&self, session: &OpenSession) -> HttpSession<'_, G, H> {
        HttpSession {
            mcp: self,
            name: session.name,
        }
    }
}

pub(crate) fn reply(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match reply.body {
        Some(body) => response::json(status, body),
        None => response::empty(status),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response::retry_after(&mut response, RETRY_SOON);
    }
    response
}
