//! What the transport asks of whoever knows the keys.

use crate::admission::address;
use http::HeaderMap;
use ipnet::IpNet;
use std::{fmt, future::Future, net::IpAddr, time::Duration};

/// Turns credentials into principals. The only way into anything that isn't in the public table.
///
/// The transport never learns what a key is: it takes the secret out of a header, hands it over, and
/// keeps neither the secret nor a hash of it.
pub trait Gate: Send + Sync + 'static {
    /// Who is acting. Cloned per request, so cheap to clone (an `Arc` inside).
    type Principal: Clone + Send + Sync + 'static;

    /// Admits or refuses one request.
    ///
    /// `credential` is `None` when the request carried none; a gate that needs one answers
    /// [`Refusal::Missing`].
    fn admit(
        &self,
        credential: Option<Credential<'_>>,
        caller: &Caller<'_>,
    ) -> impl Future<Output = Result<Self::Principal, Refusal>> + Send;

    /// Bytes that name the principal for good: sessions are bound to them, so that another key's session
    /// looks like an unknown one. Stable over restarts, different between keys, at most 64 bytes.
    fn binding(&self, principal: &Self::Principal) -> Binding;

    /// Whether the principal may go on. Asked for open streams and for kept stdio principals.
    fn still_valid(&self, principal: &Self::Principal) -> impl Future<Output = bool> + Send;
}

/// The bytes that sessions of one principal are bound to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Binding {
    bytes: [u8; Binding::BYTES_MAX],
    len: u8,
}

impl Binding {
    /// The longest binding, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Takes at most [`Binding::BYTES_MAX`] bytes; `None` if there are more.
    pub fn new(source: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes.get_mut(..source.len())?.copy_from_slice(source);
        Some(Self {
            bytes,
            len: u8::try_from(source.len()).ok()?,
        })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({} bytes)", self.len)
    }
}

/// What a request shows to say who is asking.
///
/// There is one kind so far. A second one, the session of a person's browser, is a variant here and is read from its
/// cookie where the others are read (`admission/credential.rs`). A browser sends it with every request, also with those
/// that another site made it send, so admission has to check such a request for forgery before it asks the gate:
/// an `Origin` or `Sec-Fetch-Site` of ours, and the token of the form, on every method that changes anything. That
/// belongs into the match of `Admission::authenticate`, which doesn't compile without an arm for the new kind.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// An API key, from a header or the environment. No browser sends it by itself.
    Key(Secret<'a>),
}

impl<'a> Credential<'a> {
    /// The credential of a client with an API key.
    pub fn key(secret: &'a str) -> Self {
        Self::Key(Secret(secret))
    }
}

/// A secret as it came. Prints as `Secret(…)`.
#[derive(Clone, Copy)]
pub struct Secret<'a>(&'a str);

impl<'a> Secret<'a> {
    /// The secret itself, for hashing; never for logs.
    pub fn expose(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a request came from.
pub struct Caller<'a> {
    peer: Option<IpAddr>,
    headers: Option<&'a HeaderMap>,
    proxies: &'a [IpNet],
}

impl<'a> Caller<'a> {
    /// The process's own client on stdio: no address.
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

    /// The client's address: the peer's, or, when the peer is a trusted proxy, what it forwarded.
    /// `None` on stdio.
    pub fn address(&self) -> Option<IpAddr> {
        let peer = self.peer?;
        Some(match self.headers {
            Some(headers) => address::client(peer, headers, self.proxies),
            None => peer,
        })
    }

    /// Whether a trusted proxy says that the client speaks TLS with it.
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

/// Why a request wasn't admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There was no credential.
    Missing,
    /// There was one, and it opens nothing: unknown, revoked, expired, misspelt. All alike.
    Invalid,
    /// The credential is good and has used up its allowance.
    Throttled {
        /// When to come back; sent rounded up to whole seconds.
        retry_after: Duration,
    },
    /// It can't be told right now, for example because the store doesn't answer.
    Unavailable {
        /// When to come back; sent rounded up to whole seconds.
        retry_after: Duration,
    },
}

/// What the probe routes say. They need no key, and they don't wait behind calls.
pub trait Probes: Send + Sync + 'static {
    /// Whether the process should be sent requests; `Err` says why not, in a few words without secrets.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// The metrics in the Prometheus text format.
    fn metrics(&self) -> impl Future<Output = String> + Send;
}
