//! The session of a sync, a collection or a verification: the client, the deadline and the page limit.

use crate::{echo::Secrets, paging::Pagination};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use url::Url;
use watchpost_core::{port::Random, value::time::Timestamp};
use watchpost_outbound::{Outbound, Request, RequestError, Response};

/// The limits on reading from a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// The time limit for one sync, including waits.
    pub sync_budget: Duration,
    /// The time limit for one verification.
    pub verify_budget: Duration,
    /// The maximum number of pages of one list.
    pub pages_max: u32,
    /// Whether rate budgets also apply to origins that are exempt from the outbound address rules. Such an origin is a
    /// simulator, which nobody else uses.
    pub meters_exempt: bool,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            sync_budget: Duration::from_secs(2 * 60 * 60),
            verify_budget: Duration::from_secs(120),
            pages_max: 20_000,
            meters_exempt: false,
        }
    }
}

/// The session of one sync, collection or verification.
pub(crate) struct Session {
    outbound: Outbound,
    deadline: Instant,
    pages_max: u32,
    secrets: Secrets,
}

impl Session {
    /// Starts a session that ends after `budget`.
    pub(crate) fn begin(outbound: &Outbound, limits: &ReadLimits, budget: Duration) -> Self {
        let now = Instant::now();
        Self {
            outbound: outbound.clone(),
            deadline: now.checked_add(budget).unwrap_or(now),
            pages_max: limits.pages_max,
            secrets: Secrets::default(),
        }
    }

    /// Returns the HTTP client.
    pub(crate) const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Returns the time at which the session ends.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.outbound.clock().now()
    }

    /// Returns the milliseconds of the monotonic clock.
    pub(crate) fn monotonic_ms(&self) -> u64 {
        self.outbound.clock().monotonic_ms()
    }

    /// Returns the random generator, for ids and nonces.
    pub(crate) fn random(&self) -> &dyn Random {
        self.outbound.random()
    }

    /// Returns the credentials that responses must not contain.
    pub(crate) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Sends a request, with retries where they can help. A response that contains a credential is an error.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, RequestError> {
        let response = self.outbound.send(request, self.deadline).await?;
        if self.secrets.are_in(&response) {
            tracing::warn!("a vendor's response contained a credential and was discarded");
            return Err(RequestError::Echoed);
        }
        Ok(response)
    }

    /// Sends a request for a token. The response may contain a token that was issued before. It is never shown.
    pub(crate) async fn send_for_token(&self, request: &Request) -> Result<Response, RequestError> {
        self.outbound.send(request, self.deadline).await
    }

    /// Sleeps, but not past the deadline.
    pub(crate) async fn pause(&self, wait: Duration) {
        let until = Instant::now()
            .checked_add(wait)
            .map_or(self.deadline, |until| until.min(self.deadline));
        sleep_until(until).await;
    }

    /// Starts reading a list whose first page is at `first`.
    pub(crate) fn pagination(&self, first: &Url) -> Pagination {
        Pagination::new(first, self.pages_max)
    }
}
