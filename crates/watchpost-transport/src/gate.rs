//! Authentication, as the transport needs it: the [`Gate`], credentials, callers, and the [`Probes`].

use crate::admission::address;
use http::HeaderMap;
use ipnet::IpNet;
use std::{fmt, future::Future, net::IpAddr, sync::Arc, time::Duration};

/// Authenticates requests by turning credentials into principals. Every request to a route that isn't public
/// goes through the gate.
///
/// The transport doesn't know the format of a key: it extracts the secret from a header and passes it on, and
/// keeps neither the secret nor a hash of it.
pub trait Gate: Send + Sync + 'static {
    /// The authenticated caller. It is cloned for each request, so cloning should be cheap (an `Arc` inside).
    type Principal: Clone + Send + Sync + 'static;

    /// Authenticates one request.
    ///
    /// `credential` is `None` if the request has no credential. A gate that requires one then returns
    /// [`Refusal::Missing`].
    fn admit(
        &self,
        credential: Option<Credential<'_>>,
        caller: &Caller<'_>,
    ) -> impl Future<Output = Result<Self::Principal, Refusal>> + Send;

    /// Returns bytes that identify the principal permanently. Sessions are bound to them, so that a session
    /// opened with another key looks like an unknown one. They must be stable over restarts, different for
    /// different keys, and at most 64 bytes long.
    fn binding(&self, principal: &Self::Principal) -> Binding;

    /// Whether a secret has the form of a key. Called when a request has both headers with different secrets: an
    /// `Authorization` that can't be a key is ignored beside an `X-Api-Key` that can. It decides nothing else.
    /// By default every secret may be a key.
    fn is_key(&self, secret: &str) -> bool {
        let _ = secret;
        true
    }

    /// Whether the principal is still valid. Called periodically for open streams, and for each message on
    /// stdio.
    fn still_valid(&self, principal: &Self::Principal) -> impl Future<Output = bool> + Send;
}

/// The bytes to which the sessions of a principal are bound.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Binding {
    bytes: [u8; Binding::BYTES_MAX],
    len: u8,
}

impl Binding {
    /// The maximum length of a binding, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Creates a binding from at most [`Binding::BYTES_MAX`] bytes. Returns `None` if there are more.
    pub fn new(source: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..source.len())?.copy_from_slice(source);
        Some(Self {
            bytes,
            len: u8::try_from(source.len()).ok()?,
        })
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({} bytes)", self.len)
    }
}

/// The credential of a request.
///
/// So far there is one kind. A second kind, the session of a user's browser, would be a variant here and would
/// be read from its cookie in `admission/credential.rs`. A browser sends a cookie with every request, including
/// those that another site makes it send. So admission must check such a request for forgery before it calls
/// the gate: on every method that changes anything, it must require a matching `Origin` or `Sec-Fetch-Site`
/// header and the form's token. That check belongs in the `match` of `Admission::authenticate`, which doesn't
/// compile without an arm for the new kind.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// An API key, from a header or the environment. Browsers don't send it on their own.
    Key(Secret<'a>),
}

impl<'a> Credential<'a> {
    /// Creates the credential of a client with an API key.
    pub fn key(secret: &'a str) -> Self {
        Self::Key(Secret(secret))
    }
}

/// A secret from a request. `Debug` prints `Secret(…)`.
#[derive(Clone, Copy)]
pub struct Secret<'a>(&'a str);

impl<'a> Secret<'a> {
    /// Returns the secret itself, to be hashed. It must not be logged.
    pub fn expose(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The origin of a request.
pub struct Caller<'a> {
    peer: Option<IpAddr>,
    headers: Option<&'a HeaderMap>,
    proxies: &'a [IpNet],
}

impl<'a> Caller<'a> {
    /// Creates the caller of the local client on stdio, which has no address.
    pub fn local() -> Self {
        Self {
            peer: None,
            headers: None,
            proxies: &[],
        }
    }

    pub(crate) fn remote(peer: IpAddr, headers: &'a HeaderMap, proxies: &'a [IpNet]) -> Self {
        Self {
            peer: Some(peer),
            headers: Some(headers),
            proxies,
        }
    }

    /// Returns the client's address: the peer's address, or the forwarded one if the peer is a trusted proxy.
    /// `None` on stdio.
    pub fn address(&self) -> Option<IpAddr> {
        let peer = self.peer?;
        Some(match self.headers {
            Some(headers) => address::client(peer, headers, self.proxies),
            None => peer,
        })
    }

    /// Whether a trusted proxy reports that the client connected to it by TLS.
    pub fn is_behind_tls(&self) -> bool {
        let (Some(peer), Some(headers)) = (self.peer, self.headers) else {
            return false;
        };
        address::is_forwarded_https(peer, headers, self.proxies)
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("address", &self.address())
            .finish()
    }
}

/// The reason why a request wasn't admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no credential.
    Missing,
    /// The credential is unknown, revoked, expired or malformed. These cases aren't told apart.
    Invalid,
    /// The credential is valid but has used up its allowance.
    Throttled {
        /// The time after which the client may retry. It is sent rounded up to whole seconds.
        retry_after: Duration,
    },
    /// The credential can't be checked at the moment, for example because the store doesn't respond.
    Unavailable {
        /// The time after which the client may retry. It is sent rounded up to whole seconds.
        retry_after: Duration,
    },
}

/// The content of the probe routes. They need no key and don't count against the limits for calls.
pub trait Probes: Send + Sync + 'static {
    /// Whether the process can accept requests. `Err` gives the reason, in a few words without secrets.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// Returns the metrics in the Prometheus text format.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}

impl<P: Probes> Probes for Arc<P> {
    async fn ready(&self) -> Result<(), String> {
        P::ready(self).await
    }

    async fn metrics(&self) -> String {
        P::metrics(self).await
    }
}
