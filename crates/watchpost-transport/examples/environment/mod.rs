//! What the transport gets from the program around it: who is let in, what time it is, what nobody can guess.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use watchpost_transport::{Binding, Caller, Clock, Credential, Gate, Probes, Random, Refusal};

/// Lets everyone in, as nobody.
pub(crate) struct Open;

impl Gate for Open {
    type Principal = ();

    async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn binding(&self, (): &()) -> Binding {
        Binding::new(b"").expect("nothing fits")
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

/// The clock on the wall, and one that never goes back.
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

/// Bytes that are good enough for a server which lets everyone in. One with keys takes them from the operating
/// system's generator.
pub(crate) struct Unpredictable;

impl Random for Unpredictable {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = RandomState::new().build_hasher().finish().to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// A key for as long as the process lives.
pub(crate) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    Unpredictable.fill(&mut key);
    key
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
