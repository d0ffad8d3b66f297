//! Times at which syncs are due. Pure: stores call this inside their transaction.

use crate::value::{id::IntegrationId, time::Timestamp};

/// Syncs are spread over the last part of their interval: the interval divided by this number.
const SPREAD: i64 = 10;

/// Returns the time at which an integration's next sync is due: one interval after the last sync began, minus at
/// most a tenth of the interval depending on the id, so that the syncs don't all start at the same time. Returns
/// `None` if there was no sync yet and one is due at once.
pub fn sync_due_at(id: IntegrationId, last_started: Option<Timestamp>, every_ms: i64) -> Option<Timestamp> {
    let spread = i64::from(id.as_bytes()[15]).saturating_mul(every_ms / SPREAD) / 255;
    last_started.map(|at| at.plus_millis(every_ms.saturating_sub(spread)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::time::HOUR_MS;

    #[test]
    fn syncs_are_spread_over_the_last_tenth_of_their_interval() {
        let began = Timestamp::from_millis(1_000);
        for (last_byte, after_ms) in [
            (0, HOUR_MS),
            (255, HOUR_MS - HOUR_MS / 10),
            (51, HOUR_MS - HOUR_MS / 50),
        ] {
            let mut id = [7; 16];
            id[15] = last_byte;
            let due = sync_due_at(IntegrationId::from_bytes(id), Some(began), HOUR_MS);
            assert_eq!(due, Some(began.plus_millis(after_ms)), "{last_byte}");
        }
        assert_eq!(
            sync_due_at(IntegrationId::from_bytes([7; 16]), None, HOUR_MS),
            None
        );
    }
}
