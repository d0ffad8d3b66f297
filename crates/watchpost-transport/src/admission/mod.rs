//! The checks that every request must pass before it reaches a mount: host and origin, sizes, the credential,
//! and its allowance.

pub(crate) mod address;
pub(crate) mod cors;
pub(crate) mod credential;
pub(crate) mod hosts;
pub(crate) mod shares;
pub(crate) mod throttle;

use crate::{
    admission::{
        credential::{Presented, presented},
        hosts::HostError,
        shares::{Full, Hold, Shares},
        throttle::{LogSample, WrongKeys},
    },
    config::Config,
    connection::{
        Connection,
        permits::{ConnectionPermit, Connections},
    },
    gate::{Caller, Credential, Gate, Refusal},
    response::{self, RETRY_SOON, Response},
    routing::route::Access,
    text,
};
use http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, HOST, ORIGIN},
    request::Parts,
};
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// The maximum number of headers. hyper's own limit for HTTP/1 is the same.
const HEADERS_MAX: usize = 100;
/// The maximum number of characters of a host or origin that a response and the log repeat.
const NAME_CHARS_MAX: usize = 200;

/// Admits connections and requests, or rejects them. Of a route, it knows only the required access.
pub(crate) struct Admission<G> {
    config: Arc<Config>,
    gate: Arc<G>,
    connections: Connections,
    wrong_keys: WrongKeys,
    logged_keys: LogSample,
    logged_names: LogSample,
    logged_connections: LogSample,
    shares: Arc<Shares>,
}

impl<G: Gate> Admission<G> {
    pub(crate) fn new(config: Arc<Config>, gate: Arc<G>) -> Self {
        let limits = &config.limits;
        let clock = Arc::clone(&config.clock);
        Self {
            connections: Connections::new(limits),
            wrong_keys: WrongKeys::new(limits.wrong_keys_per_minute, Arc::clone(&clock)),
            logged_keys: LogSample::new(Arc::clone(&clock)),
            logged_names: LogSample::new(Arc::clone(&clock)),
            logged_connections: LogSample::new(clock),
            shares: Shares::new(limits),
            gate,
            config,
        }
    }

    /// Admits a connection. `None` means to close it without reading from it.
    pub(crate) fn admit_connection(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let is_exempt = peer.is_loopback() || address::trusted(peer, &self.config.proxies);
        self.connections.admit(peer, is_exempt)
    }

    /// Returns the numbers of open connections and of those that may be open, without those reserved for probes.
    pub(crate) fn connections(&self) -> (usize, usize) {
        (self.connections.open(), self.config.limits.connections_total)
    }

    /// Whether to log that a connection was refused or couldn't be accepted.
    pub(crate) fn logs_connection(&self) -> bool {
        self.logged_connections.takes()
    }

    /// Begins a call of an authenticated principal. Returns the response if it holds too much already.
    pub(crate) fn begin_call(
        &self,
        principal: &G::Principal,
        connection: &Connection,
    ) -> Result<Arc<Hold>, Box<Response>> {
        let begun = connection.owner.begin(&self.shares, self.gate.binding(principal));
        begun.map_err(|full| {
            let message = match full {
                Full::Connections => text::TOO_MANY_CONNECTIONS_OF_KEY,
                Full::Calls => text::TOO_MANY_CALLS_OF_KEY,
                Full::Memory => text::TOO_MUCH_UNREAD,
            };
            let mut response = response::later(StatusCode::SERVICE_UNAVAILABLE, message, RETRY_SOON);
            if full == Full::Connections {
                // Its place is for clients with other keys.
                connection.activity.close();
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Box::new(response)
        })
    }

    /// Returns the origin of a request.
    pub(crate) fn caller<'a>(&'a self, head: &'a Parts, peer: IpAddr) -> Caller<'a> {
        Caller::remote(peer, &head.headers, &self.config.proxies)
    }

    /// Whether the client reached this server by HTTPS.
    pub(crate) fn is_behind_tls(&self, caller: &Caller<'_>) -> bool {
        self.config.hosts.has_https_url() || caller.is_behind_tls()
    }

    /// Returns the origin of the web page that sent the request, if it may use this server.
    pub(crate) fn allowed_origin<'h>(&self, head: &'h Parts) -> Option<&'h HeaderValue> {
        self.config.hosts.allowed_origin(head)
    }

    /// Checks the parts of a request that don't depend on its route. Returns the response if the request is
    /// rejected.
    pub(crate) fn reject_head(&self, head: &Parts) -> Option<Response> {
        let limits = &self.config.limits;
        let uri_bytes = head.uri.path_and_query().map_or(0, |uri| uri.as_str().len());
        let (status, message) = match self.config.hosts.check(head) {
            Err(HostError::Ambiguous) => (StatusCode::BAD_REQUEST, text::HOST_REQUIRED),
            Err(error @ (HostError::Host | HostError::Origin)) => {
                return Some(self.reject_name(head, error));
            }
            Ok(()) if uri_bytes > limits.uri_bytes => (StatusCode::URI_TOO_LONG, text::URI_TOO_LONG),
            Ok(())
                if head.headers.len() > HEADERS_MAX || uri_bytes + head_bytes(head) > limits.head_bytes =>
            {
                (
                    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                    text::HEADERS_TOO_LARGE,
                )
            }
            Ok(()) => return None,
        };
        Some(response::error(status, message))
    }

    /// Returns the response to a request whose host or origin isn't allowed, and logs it: it is the most frequent fault of a
    /// new set-up behind a proxy.
    fn reject_name(&self, head: &Parts, error: HostError) -> Response {
        let (name, message): (_, fn(&str) -> String) = match error {
            HostError::Origin => (head.headers.get(ORIGIN), text::origin_not_allowed),
            HostError::Host | HostError::Ambiguous => (head.headers.get(HOST), text::host_not_allowed),
        };
        let name = name.map_or(Cow::Borrowed(""), |name| String::from_utf8_lossy(name.as_bytes()));
        let name = match (name.is_empty(), head.uri.authority()) {
            (true, Some(authority)) => Cow::Borrowed(authority.as_str()),
            _ => name,
        };
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_graphic() { c } else { '?' })
            .take(NAME_CHARS_MAX)
            .collect();
        let message = message(&name);
        if self.logged_names.takes() {
            tracing::warn!("{message}");
        }
        response::error_about_client(StatusCode::FORBIDDEN, &message)
    }

    /// Authenticates a request to a route that isn't public. The gate also limits the rate per key, so all
    /// routes share one limit.
    pub(crate) async fn authenticate(
        &self,
        head: &Parts,
        caller: &Caller<'_>,
        access: Access,
    ) -> Result<G::Principal, Response> {
        let credential = match presented(&head.headers, |secret| self.gate.is_key(secret)) {
            Presented::One(credential) if access.takes(&credential) => Some(credential),
            Presented::Unusable if access != Access::Member => {
                return Err(self.reject(caller, access, Refusal::Invalid));
            }
            Presented::Nothing | Presented::One(_) | Presented::Unusable => None,
        };
        match credential {
            // Another site can't make a browser send a key, so this kind needs no check for forgery.
            Some(Credential::Key(_)) => {}
            None if access == Access::Member => return Err(self.reject(caller, access, Refusal::Missing)),
            None => {}
        }
        self.gate
            .admit(credential, caller)
            .await
            .map_err(|refusal| self.reject(caller, access, refusal))
    }

    /// Returns the response for a refusal of the gate, and counts invalid keys.
    fn reject(&self, caller: &Caller<'_>, access: Access, refusal: Refusal) -> Response {
        match refusal {
            Refusal::Missing if access == Access::Member => response::unauthorized(text::SIGN_IN_REQUIRED),
            Refusal::Missing => response::unauthorized(text::API_KEY_REQUIRED),
            Refusal::Invalid => self.reject_invalid_key(caller),
            Refusal::Throttled { retry_after } => response::later(
                StatusCode::TOO_MANY_REQUESTS,
                text::TOO_MANY_REQUESTS,
                retry_after,
            ),
            Refusal::Unavailable { retry_after } => response::later(
                StatusCode::SERVICE_UNAVAILABLE,
                text::SERVICE_UNAVAILABLE,
                retry_after,
            ),
        }
    }

    fn reject_invalid_key(&self, caller: &Caller<'_>) -> Response {
        let Some(address) = caller.address() else {
            return response::unauthorized(text::INVALID_API_KEY);
        };
        if self.logged_keys.takes() {
            tracing::warn!(client = %address, "a request with an invalid API key was rejected");
        }
        match self.wrong_keys.count(address::network(address)) {
            Ok(()) => response::unauthorized(text::INVALID_API_KEY),
            Err(wait) => response::later(
                StatusCode::TOO_MANY_REQUESTS,
                text::TOO_MANY_INVALID_API_KEYS,
                wait,
            ),
        }
    }
}

/// Returns the approximate size of the headers. hyper's own limit isn't exact: it may read more than
/// configured.
fn head_bytes(head: &Parts) -> usize {
    let lengths = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    lengths.sum()
}
