//! What a sync, a collection or a verification has for its length: the client, a deadline and the limit of pages.

use crate::paging::Trail;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use url::Url;
use watchpost_core::{port::Random, value::time::Timestamp};
use watchpost_outbound::{Outbound, Request, RequestError, Response};

/// How long reading a vendor may take, and how many pages it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// How long one sync may take; no wait goes past it.
    pub sync_budget: Duration,
    /// How long one verification may take.
    pub verify_budget: Duration,
    /// Pages of one list.
    pub pages_max: u32,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            sync_budget: Duration::from_secs(2 * 60 * 60),
            verify_budget: Duration::from_secs(120),
            pages_max: 20_000,
        }
    }
}

/// One sync, collection or verification under way.
pub(crate) struct Session {
    outbound: Outbound,
    deadline: Instant,
    pages_max: u32,
}

impl Session {
    /// Begins now and ends after `budget`.
    pub(crate) fn begin(outbound: &Outbound, limits: &ReadLimits, budget: Duration) -> Self {
        let now = Instant::now();
        Self {
            outbound: outbound.clone(),
            deadline: now.checked_add(budget).unwrap_or(now),
            pages_max: limits.pages_max,
        }
    }

    /// The client.
    pub(crate) const fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// When everything must have ended.
    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.outbound.clock().now()
    }

    /// Milliseconds of a clock that only goes forward.
    pub(crate) fn monotonic_ms(&self) -> u64 {
        self.outbound.clock().monotonic_ms()
    }

    /// For ids and nonces.
    pub(crate) fn random(&self) -> &dyn Random {
        self.outbound.random()
    }

    /// Sends a request, and again where that can help.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, RequestError> {
        self.outbound.send(request, self.deadline).await
    }

    /// Sleeps, but not past the end.
    pub(crate) async fn pause(&self, wait: Duration) {
        let until = Instant::now()
            .checked_add(wait)
            .map_or(self.deadline, |until| until.min(self.deadline));
        sleep_until(until).await;
    }

    /// The way through a list that begins at `first`.
    pub(crate) fn trail(&self, first: &Url) -> Trail {
        Trail::new(first, self.pages_max)
    }
}
