//! Changes that requests make to their legacy session, on every transport.

use crate::{sessions::local::LocalState, streams::call::Finished};
use std::{collections::BTreeSet, sync::Arc};
use watchpost_protocol::{Effect, Handler, Request, RpcError, Server, SessionState};

/// A legacy session, as a transport stores it.
pub(crate) trait Session {
    /// Stores the result of a handshake.
    fn opened(&mut self, state: &Arc<SessionState>);

    /// Returns the changes since the handshake.
    fn local(&self) -> Arc<LocalState>;

    /// Called with all subscribed URIs when the subscriptions have changed.
    fn subscriptions_changed(&mut self, uris: BTreeSet<String>);
}

/// Applies the changes of one request before its response is sent, because the client may rely on them from
/// then on. If a subscription exceeds the session's limits, the request is rejected instead.
pub(crate) fn apply<H: Handler>(
    server: &Server<H>,
    request: &Request,
    finished: Finished,
    session: &mut impl Session,
) -> Finished {
    match finished {
        Finished::Replied(reply) if !apply_all(&reply.effects, session) => {
            Finished::Replied(server.reject(request, &RpcError::subscription_limit()))
        }
        finished => finished,
    }
}

/// Applies the changes of an array of requests. Their responses are already encoded, so a subscription that
/// exceeds the limits is silently left out.
pub(crate) fn apply_batch(finished: &Finished, session: &mut impl Session) {
    if let Finished::Replied(reply) = finished {
        let _ = apply_all(&reply.effects, session);
    }
}

/// Returns `false` if a subscription exceeded the limits.
fn apply_all(effects: &[Effect], session: &mut impl Session) -> bool {
    let (mut has_room, mut is_changed) = (true, false);
    for effect in effects {
        match effect {
            Effect::SessionOpened(state) => session.opened(state),
            Effect::LogLevel(level) => session.local().set_level(*level),
            Effect::Subscribed(uri) => {
                let is_stored = session.local().subscribe(uri.clone());
                has_room &= is_stored;
                is_changed |= is_stored;
            }
            Effect::Unsubscribed(uri) => {
                session.local().unsubscribe(uri);
                is_changed = true;
            }
        }
    }
    if is_changed {
        let uris = session.local().uris();
        session.subscriptions_changed(uris);
    }
    has_room
}
