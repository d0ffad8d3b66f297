//! The parts that a program provides for the transport: a gate, a clock and random bytes.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use watchpost_transport::{Binding, Caller, Clock, Credential, Gate, Probes, Random, Refusal};

/// A gate that admits every request without a credential.
pub(crate) struct Open;

impl Gate for Open {
    type Principal = ();

    async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn binding(&self, (): &()) -> Binding {
        Binding::new(b"").expect("an empty binding is short enough")
    }

    async fn still_valid(&self, (): &()) -> bool {
        true
    }
}

impl Probes for Open {
    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn metrics(&self) -> String {
        String::new()
    }
}

/// The system clock and a monotonic clock.
pub(crate) struct Wall(Instant);

impl Wall {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Wall {
    fn unix_seconds(&self) -> u64 {
        unix_millis() / 1_000
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Random bytes that are good enough for a server that admits every client. A server with keys must use the
/// operating system's generator.
pub(crate) struct Unpredictable;

impl Random for Unpredictable {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = RandomState::new().build_hasher().finish().to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// Returns a key for the lifetime of the process.
pub(crate) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    Unpredictable.fill(&mut key);
    key
}

/// Returns the number of milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the source of time")]
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
