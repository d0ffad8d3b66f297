//! What every request passes before anything is served: `Host` and `Origin`, sizes, the credential, its allowance.

pub(crate) mod address;
pub(crate) mod credential;
pub(crate) mod hosts;
pub(crate) mod throttle;

use crate::{
    admission::{
        credential::{Presented, presented},
        hosts::HostError,
        throttle::WrongKeys,
    },
    config::Config,
    connection::permits::{ConnectionPermit, Connections},
    gate::{Caller, Credential, Gate, Refusal},
    response::{self, Response},
    routing::route::Access,
};
use http::{StatusCode, request::Parts};
use std::{net::IpAddr, sync::Arc};

/// More headers than this are refused; hyper's own bound for HTTP/1 is the same number.
const HEADERS_MAX: usize = 100;

/// Lets connections and requests in, or answers them itself. Knows routes by their access alone.
pub(crate) struct Admission<G> {
    config: Arc<Config>,
    gate: Arc<G>,
    connections: Connections,
    wrong_keys: WrongKeys,
}

impl<G: Gate> Admission<G> {
    pub(crate) fn new(config: Arc<Config>, gate: Arc<G>) -> Self {
        let limits = &config.limits;
        let clock = Arc::clone(&config.clock);
        Self {
            connections: Connections::new(limits),
            wrong_keys: WrongKeys::new(limits.wrong_keys_per_minute, clock),
            gate,
            config,
        }
    }

    /// Lets a connection in; `None`: close it unread.
    pub(crate) fn admit_connection(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let is_exempt = peer.is_loopback() || address::trusted(peer, &self.config.proxies);
        self.connections.admit(peer, is_exempt)
    }

    /// Where a request came from.
    pub(crate) fn caller<'a>(&'a self, head: &'a Parts, peer: IpAddr) -> Caller<'a> {
        Caller::remote(peer, &head.headers, &self.config.proxies)
    }

    /// Whether clients reach this server by HTTPS.
    pub(crate) fn is_behind_tls(&self, caller: &Caller<'_>) -> bool {
        self.config.hosts.has_https_url() || caller.is_behind_tls()
    }

    /// The answer to a request that may not go on, whichever route it takes.
    pub(crate) fn refuse_head(&self, head: &Parts) -> Option<Response> {
        let limits = &self.config.limits;
        let uri_bytes = head.uri.path_and_query().map_or(0, |uri| uri.as_str().len());
        let (status, message) = match self.config.hosts.check(head) {
            Err(HostError::Ambiguous) => (StatusCode::BAD_REQUEST, "Exactly one Host is needed"),
            Err(HostError::Host) => (StatusCode::FORBIDDEN, "Host not allowed"),
            Err(HostError::Origin) => (StatusCode::FORBIDDEN, "Origin not allowed"),
            Ok(()) if uri_bytes > limits.uri_bytes => (StatusCode::URI_TOO_LONG, "URI too long"),
            Ok(())
                if head.headers.len() > HEADERS_MAX || uri_bytes + head_bytes(head) > limits.head_bytes =>
            {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large")
            }
            Ok(()) => return None,
        };
        Some(response::error(status, message))
    }

    /// Who is acting, for a route that isn't public. The gate holds a key's allowance too, so all routes draw on one.
    pub(crate) async fn authenticate(
        &self,
        head: &Parts,
        caller: &Caller<'_>,
        access: Access,
    ) -> Result<G::Principal, Response> {
        let credential = match presented(&head.headers) {
            Presented::One(credential) if access.takes(&credential) => Some(credential),
            Presented::Unusable if access != Access::Member => {
                return Err(self.refuse(caller, access, Refusal::Invalid));
            }
            Presented::Nothing | Presented::One(_) | Presented::Unusable => None,
        };
        match credential {
            // No site can make a browser send a key, so there is no forgery to look for.
            Some(Credential::Key(_)) => {}
            None if access == Access::Member => return Err(self.refuse(caller, access, Refusal::Missing)),
            None => {}
        }
        self.gate
            .admit(credential, caller)
            .await
            .map_err(|refusal| self.refuse(caller, access, refusal))
    }

    /// Answers for the gate, and counts what it costs to knock with wrong keys.
    fn refuse(&self, caller: &Caller<'_>, access: Access, refusal: Refusal) -> Response {
        match refusal {
            Refusal::Missing if access == Access::Member => response::unauthorized("Sign-in required"),
            Refusal::Missing => response::unauthorized("API key required"),
            Refusal::Invalid => self.refuse_wrong_key(caller),
            Refusal::Throttled { retry_after } => response::later(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests for this API key",
                retry_after,
            ),
            Refusal::Unavailable { retry_after } => response::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service unavailable",
                retry_after,
            ),
        }
    }

    fn refuse_wrong_key(&self, caller: &Caller<'_>) -> Response {
        let Some(address) = caller.address() else {
            return response::unauthorized("Invalid API key");
        };
        if self.wrong_keys.may_report() {
            tracing::warn!(client = %address, "a wrong API key was refused");
        }
        match self.wrong_keys.count(address::network(address)) {
            Ok(()) => response::unauthorized("Invalid API key"),
            Err(wait) => response::later(StatusCode::TOO_MANY_REQUESTS, "Too many wrong API keys", wait),
        }
    }
}

/// About how long the headers were. hyper's own bound is loose: it may read more than it was told to.
fn head_bytes(head: &Parts) -> usize {
    let lengths = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    lengths.sum()
}
