//! A client with a deterministic clock and random generator.

use async_trait::async_trait;
use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use watchpost_core::{
    port::{Clock, Random},
    value::time::Timestamp,
};
use watchpost_outbound::{Lookup, Outbound, OutboundSettings};

/// 2026-03-02T09:00:00Z.
pub(crate) const ORIGIN_MS: i64 = 1_772_442_000_000;

/// A clock that follows tokio's.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(ORIGIN_MS + i64::try_from(self.monotonic_ms()).unwrap())
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// A generator that returns the same bytes in each run.
struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::SeqCst);
            *byte = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7];
        }
    }
}

/// A lookup that resolves no name.
pub(crate) struct NoNames;

#[async_trait]
impl Lookup for NoNames {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

pub(crate) fn client(settings: OutboundSettings, lookup: Arc<dyn Lookup>) -> Outbound {
    let clock = Arc::new(TestClock(Instant::now()));
    let random = Arc::new(TestRandom(AtomicU64::new(1)));
    Outbound::with_lookup(settings, clock, random, lookup).unwrap()
}

/// Returns settings in which these origins are exempt.
pub(crate) fn allowing(origins: &[&str]) -> OutboundSettings {
    OutboundSettings {
        allow: origins.iter().map(|origin| origin.parse().unwrap()).collect(),
        ..OutboundSettings::default()
    }
}

pub(crate) fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
