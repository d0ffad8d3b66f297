//! From credential to principal, for the transport: the gate of `watchpost-core` with a limit per key around it.

use crate::{config::LimitSettings, metrics::Counters};
use governor::{Quota, RateLimiter, clock::Clock as _, state::keyed::DefaultKeyedStateStore};
use secrecy::{ExposeSecret, SecretString};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use watchpost_core::{
    access::{AccessGate, Actor, AuthError, WorkspaceScope},
    id::KeyId,
};
use watchpost_transport::{Binding, Caller, Credential, Gate, Refusal};

/// What a client is told to wait when the keys can't be read.
const STORE_RETRY: Duration = Duration::from_secs(2);

type Limiter = RateLimiter<KeyId, DefaultKeyedStateStore<KeyId>, governor::clock::DefaultClock>;

/// The gate of the HTTP transports.
pub struct KeyGate {
    access: Arc<AccessGate>,
    limiter: Option<(Limiter, governor::clock::DefaultClock)>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for KeyGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyGate")
    }
}

impl KeyGate {
    /// A gate over keys. A limit of 0 requests an hour is none.
    pub fn new(access: Arc<AccessGate>, limits: &LimitSettings, counters: Arc<Counters>) -> Self {
        let limiter = NonZeroU32::new(limits.requests_per_hour).map(|per_hour| {
            let clock = governor::clock::DefaultClock::default();
            (
                RateLimiter::new(
                    Quota::per_hour(per_hour),
                    DefaultKeyedStateStore::default(),
                    clock.clone(),
                ),
                clock,
            )
        });
        Self {
            access,
            limiter,
            counters,
        }
    }

    fn within_limit(&self, scope: &WorkspaceScope) -> Result<(), Refusal> {
        let (Some((limiter, clock)), Actor::Key { id, .. }) = (&self.limiter, scope.actor()) else {
            return Ok(());
        };
        limiter.check_key(id).map_err(|until| {
            self.counters.throttled.add();
            Refusal::Throttled {
                retry_after: until.wait_time_from(clock.now()),
            }
        })
    }
}

impl Gate for KeyGate {
    type Principal = Arc<WorkspaceScope>;

    async fn admit(
        &self,
        credential: Option<Credential<'_>>,
        _caller: &Caller<'_>,
    ) -> Result<Self::Principal, Refusal> {
        let Some(credential) = credential else {
            self.counters.without_key.add();
            return Err(Refusal::Missing);
        };
        let scope = authenticate(&self.access, credential.expose(), &self.counters).await?;
        self.within_limit(&scope)?;
        self.counters.admitted.add();
        Ok(scope)
    }

    fn binding(&self, principal: &Self::Principal) -> Binding {
        binding(principal)
    }

    async fn still_valid(&self, principal: &Self::Principal) -> bool {
        match self.access.still_valid(principal).await {
            Ok(valid) => valid,
            Err(error) => {
                tracing::warn!(%error, "a stream's key can't be checked; the stream ends");
                false
            }
        }
    }
}

/// The gate of one stdio process: its credential doesn't change, and there is no limit.
pub struct StdioGate {
    access: Arc<AccessGate>,
    key: Option<SecretString>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for StdioGate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StdioGate")
    }
}

impl StdioGate {
    /// A gate for the key of the environment, or, without one, for a local operator.
    pub fn new(access: Arc<AccessGate>, key: Option<SecretString>, counters: Arc<Counters>) -> Self {
        Self {
            access,
            key,
            counters,
        }
    }
}

impl Gate for StdioGate {
    type Principal = Arc<WorkspaceScope>;

    async fn admit(
        &self,
        _credential: Option<Credential<'_>>,
        _caller: &Caller<'_>,
    ) -> Result<Self::Principal, Refusal> {
        match &self.key {
            Some(key) => authenticate(&self.access, key.expose_secret(), &self.counters).await,
            None => Err(Refusal::Missing),
        }
    }

    fn binding(&self, principal: &Self::Principal) -> Binding {
        binding(principal)
    }

    async fn still_valid(&self, principal: &Self::Principal) -> bool {
        match principal.actor() {
            // Anew each time: it costs no more than looking, and notes the use.
            Actor::Key { .. } => self.admit(None, &Caller::local()).await.is_ok(),
            _ => true,
        }
    }
}

async fn authenticate(
    access: &AccessGate,
    presented: &str,
    counters: &Counters,
) -> Result<Arc<WorkspaceScope>, Refusal> {
    access.authenticate(presented).await.map_err(|error| match error {
        AuthError::Invalid => {
            // Counted here; the transport logs it, sampled.
            counters.wrong_keys.add();
            Refusal::Invalid
        }
        AuthError::Unavailable(source) => {
            counters.unavailable.add();
            tracing::error!(error = %source, "keys can't be checked");
            Refusal::Unavailable {
                retry_after: STORE_RETRY,
            }
        }
    })
}

fn binding(principal: &WorkspaceScope) -> Binding {
    let (kind, id) = match principal.actor() {
        Actor::Key { id, .. } => (b'k', *id.as_bytes()),
        Actor::Worker { job } => (b'j', *job.as_bytes()),
        Actor::LocalOperator { .. } => (b'o', *principal.workspace().as_bytes()),
    };
    let mut bytes = [kind; 17];
    bytes[1..].copy_from_slice(&id);
    Binding::new(&bytes).expect("17 bytes are fewer than 64")
}
