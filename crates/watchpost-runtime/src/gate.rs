//! The gates of the transports, which resolve a credential to a principal: the gate of `watchpost-core` with a rate limit
//! per key.

use crate::{config::LimitSettings, metrics::Counters};
use governor::{Quota, RateLimiter, clock::Clock as _, state::keyed::DefaultKeyedStateStore};
use secrecy::{ExposeSecret, SecretString};
use std::{num::NonZeroU32, sync::Arc, time::Duration};
use watchpost_core::{
    access::{AccessGate, Actor, AuthError, KEY_MARK, WorkspaceScope},
    value::id::KeyId,
};
use watchpost_transport::{Binding, Caller, Credential, Gate, Refusal};

/// The `Retry-After` for a client while all keys are suspended, which lasts until an operator acts.
const SUSPENDED_RETRY: Duration = Duration::from_secs(60);

/// The `Retry-After` for a client whose key can't be checked because the store fails.
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
    /// A gate with a limit per key. A limit of 0 requests per hour means no limit.
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

    fn is_key(&self, secret: &str) -> bool {
        // A mistyped key is one, too: two different keys are refused, and none of them is picked.
        secret.starts_with(KEY_MARK)
    }

    async fn admit(
        &self,
        credential: Option<Credential<'_>>,
        _caller: &Caller<'_>,
    ) -> Result<Self::Principal, Refusal> {
        let secret = match credential {
            None => {
                self.counters.without_key.add();
                return Err(Refusal::Missing);
            }
            Some(Credential::Key(secret)) => secret,
            // A kind of credential that this gate doesn't support.
            Some(_) => return Err(Refusal::Invalid),
        };
        let scope = authenticate(&self.access, secret.expose(), &self.counters).await?;
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
                tracing::warn!(%error, "the key of a stream can't be checked; the stream is closed");
                false
            }
        }
    }
}

/// The gate of a stdio process. The credential never changes, and there is no rate limit.
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
    /// A gate for the key from the environment; without a key, for a local operator.
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
            // Authenticates again: that costs no more than a check, and records the use of the key.
            Actor::Key { .. } => self.admit(None, &Caller::local()).await.is_ok(),
            // What the operator changes in a database that was deleted or replaced is lost.
            _ => self.access.suspension().is_none(),
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
            // Only counted here: the transport logs a sample of them.
            counters.wrong_keys.add();
            Refusal::Invalid
        }
        AuthError::Suspended => {
            // The guard has logged the reason.
            counters.unavailable.add();
            Refusal::Unavailable {
                retry_after: SUSPENDED_RETRY,
            }
        }
        AuthError::Unavailable(source) => {
            counters.unavailable.add();
            if let Some(left_out) = counters.unchecked_keys.take(access.clock().now()) {
                tracing::error!(error = %source, left_out, "keys can't be checked");
            }
            Refusal::Unavailable {
                retry_after: STORE_RETRY,
            }
        }
    })
}

/// Identifies the principal that a session belongs to.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Settings,
        data_dir::DataDir,
        instance::{Environment, Instance, init},
    };
    use watchpost_core::{
        access::{Expiry, KeyScope},
        audit::CallRecord,
    };

    async fn instance(folder: &std::path::Path) -> Instance {
        let dir = DataDir::locate(Some(&folder.join("data")), &|_| None).unwrap();
        init(&dir, None, &Environment::system()).await.unwrap();
        Instance::open(&dir, Settings::default(), Environment::system()).unwrap()
    }

    async fn key(instance: &Instance) -> String {
        let operator = instance.operator(&instance.workspace(None).await.unwrap());
        let call = CallRecord::new("cli", "keys create", "{}");
        let issued = instance
            .watchpost()
            .create_key(&operator, "test", KeyScope::Read, Expiry::Year1, 10, call)
            .await
            .unwrap();
        issued.key.reveal().to_owned()
    }

    fn gate(instance: &Instance, requests_per_hour: u32) -> KeyGate {
        let limits = LimitSettings {
            requests_per_hour,
            ..Settings::default().limits
        };
        KeyGate::new(Arc::clone(instance.access()), &limits, Arc::default())
    }

    async fn admit(gate: &KeyGate, key: Option<&str>) -> Result<Arc<WorkspaceScope>, Refusal> {
        gate.admit(key.map(Credential::key), &Caller::local()).await
    }

    #[tokio::test]
    async fn a_key_over_its_limit_gets_a_retry_time_and_other_keys_are_served() {
        let folder = tempfile::tempdir().unwrap();
        let instance = instance(folder.path()).await;
        let (busy, quiet) = (key(&instance).await, key(&instance).await);
        let gate = gate(&instance, 2);
        assert!(admit(&gate, Some(&busy)).await.is_ok());
        assert!(admit(&gate, Some(&busy)).await.is_ok());
        match admit(&gate, Some(&busy)).await {
            Err(Refusal::Throttled { retry_after }) => {
                // Two requests per hour: the next one is allowed within half an hour.
                assert!(
                    retry_after > Duration::from_secs(1_700) && retry_after <= Duration::from_secs(1_800)
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(admit(&gate, Some(&quiet)).await.is_ok());
    }

    #[tokio::test]
    async fn a_limit_of_zero_disables_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let instance = instance(folder.path()).await;
        let key = key(&instance).await;
        let gate = gate(&instance, 0);
        for _ in 0..2_000 {
            assert!(admit(&gate, Some(&key)).await.is_ok());
        }
    }

    #[tokio::test]
    async fn missing_and_wrong_keys_are_rejected_and_each_key_has_its_own_binding() {
        let folder = tempfile::tempdir().unwrap();
        let instance = instance(folder.path()).await;
        let gate = gate(&instance, 1_000);
        assert_eq!(admit(&gate, None).await.unwrap_err(), Refusal::Missing);
        for wrong in ["", "wp_short", "wp_0123456789abcdefghijABCDEFGHIJ3O07sR"] {
            assert_eq!(
                admit(&gate, Some(wrong)).await.unwrap_err(),
                Refusal::Invalid,
                "{wrong}"
            );
        }
        let first = admit(&gate, Some(&key(&instance).await)).await.unwrap();
        let second = admit(&gate, Some(&key(&instance).await)).await.unwrap();
        assert_ne!(gate.binding(&first), gate.binding(&second));
        assert_eq!(gate.binding(&first), gate.binding(&first));
    }

    #[tokio::test]
    async fn a_stdio_client_is_rejected_once_its_key_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let instance = instance(folder.path()).await;
        let key = key(&instance).await;
        let gate = StdioGate::new(
            Arc::clone(instance.access()),
            Some(SecretString::from(key.as_str())),
            Arc::default(),
        );
        let scope = gate.admit(None, &Caller::local()).await.unwrap();
        assert!(gate.still_valid(&scope).await);
        let Actor::Key { id, .. } = scope.actor() else {
            panic!("a key's scope")
        };
        let operator = instance.operator(&instance.workspace(None).await.unwrap());
        let call = CallRecord::new("cli", "keys revoke", "{}");
        instance
            .watchpost()
            .revoke_key(&operator, *id, call)
            .await
            .unwrap();
        instance.access().forget();
        assert!(!gate.still_valid(&scope).await);
    }
}
