//! What requests change about their legacy session, on every transport.

use crate::{sessions::local::LocalState, streams::call::Finished};
use std::{collections::BTreeSet, sync::Arc};
use watchpost_protocol::{Effect, Handler, Request, RpcError, Server, SessionState};

/// A legacy session as a transport keeps it.
pub(crate) trait Session {
    /// A handshake settled this.
    fn opened(&mut self, state: &Arc<SessionState>);

    /// What it said since.
    fn local(&self) -> Arc<LocalState>;

    /// It subscribed to these resources, and no others.
    fn subscriptions_changed(&mut self, uris: BTreeSet<String>);
}

/// Applies what one request changed, before its answer goes out: the client goes on as soon as it has it. A
/// subscription beyond the session's bounds is refused instead.
pub(crate) fn apply<H: Handler>(
    server: &Server<H>,
    request: &Request,
    finished: Finished,
    session: &mut impl Session,
) -> Finished {
    match finished {
        Finished::Replied(reply) if !apply_all(&reply.effects, session) => {
            Finished::Replied(server.refuse(request, &RpcError::subscription_limit()))
        }
        finished => finished,
    }
}

/// Applies what the requests of an array changed. Their answers are one text already, so a subscription beyond the
/// bounds is left out without a word.
pub(crate) fn apply_batch(finished: &Finished, session: &mut impl Session) {
    if let Finished::Replied(reply) = finished {
        let _ = apply_all(&reply.effects, session);
    }
}

/// `false` if there was no room for a subscription.
fn apply_all(effects: &[Effect], session: &mut impl Session) -> bool {
    let (mut has_room, mut is_changed) = (true, false);
    for effect in effects {
        match effect {
            Effect::Opened(state) => session.opened(state),
            Effect::LogLevel(level) => session.local().set_level(*level),
            Effect::Subscribed(uri) => {
                let is_kept = session.local().subscribe(uri.clone());
                has_room &= is_kept;
                is_changed |= is_kept;
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
