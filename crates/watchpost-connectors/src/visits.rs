//! Datasets that need a request for each account or app. One sync reads only as many as the rate budget allows in a limited
//! time; the next one continues, and what was read before is kept.

use crate::{
    run::{DatasetRun, ReadError},
    text,
};
use std::time::Duration;
use tokio::time::Instant;
use watchpost_core::{
    integration::{
        fact::{Dataset, EntityReading, Fact},
        reading::Readings,
    },
    value::time::{DAY_MS, HOUR_MS, Timestamp},
};

/// The age from which on an account or app is read again, in milliseconds.
pub(crate) const REFRESH_AFTER_MS: i64 = DAY_MS;
/// The age from which on what was read no longer counts, in milliseconds.
pub(crate) const KEPT_MAX_MS: i64 = 3 * DAY_MS;
/// The time that one dataset of one sync may take for what is due.
pub(crate) const DUE_TIME: Duration = Duration::from_secs(20 * 60);
/// The time in which accounts and apps are read again that aren't due yet, so that a small organization is always up to date.
pub(crate) const SPARE_TIME: Duration = Duration::from_secs(2 * 60);

/// An account or app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The vendor id.
    pub(crate) entity: Box<str>,
    /// Whether each sync reads it, before all others.
    pub(crate) always: bool,
}

/// An account or app in its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) entity: Box<str>,
    /// The time of the last reading, and the number of rows.
    known: Option<(Timestamp, u64)>,
    /// Whether it should be read in this sync.
    due: bool,
}

/// The order in which the accounts or apps of a dataset are read, and the time for it.
pub(crate) struct Round {
    pub(crate) turns: Vec<Turn>,
    now: Timestamp,
    due_until: Instant,
    spare_until: Instant,
}

impl Round {
    /// Begins to read a dataset: first those that each sync reads, then those that were never read, then the oldest.
    pub(crate) fn begin(visits: Vec<Visit>, dataset: Dataset, known: &Readings, now: Timestamp) -> Self {
        let started = Instant::now();
        Self {
            turns: turns(visits, dataset, known, now),
            now,
            due_until: started + DUE_TIME,
            spare_until: started + SPARE_TIME,
        }
    }

    /// Returns the time after which an account or app is no longer read in this sync.
    pub(crate) const fn until(&self, turn: &Turn) -> Instant {
        if turn.due {
            self.due_until
        } else {
            self.spare_until
        }
    }
}

fn turns(visits: Vec<Visit>, dataset: Dataset, known: &Readings, now: Timestamp) -> Vec<Turn> {
    let mut keyed: Vec<(bool, i64, Turn)> = visits
        .into_iter()
        .map(|visit| {
            let known = known.of(dataset, &visit.entity);
            let read_at_ms = known.map_or(i64::MIN, |(at, _)| at.as_millis());
            let old = known.is_none_or(|(at, _)| now.millis_since(at) >= REFRESH_AFTER_MS);
            let turn = Turn {
                entity: visit.entity,
                known,
                due: visit.always || old,
            };
            (!visit.always, read_at_ms, turn)
        })
        .collect();
    // A stable sort: the vendor's order decides among equals, so that two syncs of the same state send the same requests.
    keyed.sort_by_key(|(later, read_at_ms, _)| (*later, *read_at_ms));
    keyed.into_iter().map(|(.., turn)| turn).collect()
}

/// The accounts or apps of a dataset that were read in this sync or kept.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    total: u64,
    read: u64,
    kept: u64,
    oldest: Option<Timestamp>,
}

impl Tally {
    /// Reports an account or app that was read in this sync, after its rows.
    pub(crate) async fn read(&mut self, run: &mut DatasetRun<'_>, turn: &Turn, rows: u64) {
        self.total += 1;
        self.read += 1;
        run.push(Some(reading(turn, rows, false))).await;
    }

    /// Reports an account or app whose turn didn't come in this sync: what is known is kept.
    pub(crate) async fn missed(&mut self, run: &mut DatasetRun<'_>, round: &Round, turn: &Turn) {
        self.total += 1;
        let Some((read_at, rows)) = turn.known else {
            return;
        };
        run.add_rows(rows);
        run.push(Some(reading(turn, rows, true))).await;
        if round.now.millis_since(read_at) <= KEPT_MAX_MS {
            self.kept += 1;
            self.oldest = Some(self.oldest.map_or(read_at, |oldest| oldest.min(read_at)));
        }
    }

    /// Ends the dataset. `noun` names the accounts or apps.
    ///
    /// # Errors
    /// Returns [`ReadError::Partial`] as long as some weren't read, or too long ago.
    pub(crate) fn end(&self, run: &mut DatasetRun<'_>, round: &Round, noun: &str) -> Result<(), ReadError> {
        let known = self.read + self.kept;
        let oldest_hours = self
            .oldest
            .map(|oldest| round.now.millis_since(oldest).div_euclid(HOUR_MS));
        if known < self.total {
            return Err(ReadError::Partial(text::continues(
                known,
                self.total,
                noun,
                oldest_hours,
            )));
        }
        if let Some(hours) = oldest_hours {
            run.note(text::kept_from_earlier(self.kept, self.total, noun, hours));
        }
        Ok(())
    }
}

fn reading(turn: &Turn, rows: u64, kept: bool) -> Fact {
    Fact::Reading(EntityReading {
        entity_vendor_id: turn.entity.to_string(),
        rows,
        kept,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchpost_core::integration::reading::Reading;

    const NOW: Timestamp = Timestamp::from_millis(100 * DAY_MS);

    #[test]
    fn privileged_accounts_come_first_then_unread_ones_then_the_oldest() {
        let known: Readings = [("old", 30), ("young", 2), ("admin", 1), ("older", 60)]
            .into_iter()
            .map(|(entity, hours)| Reading {
                dataset: Dataset::Mfa,
                entity_vendor_id: entity.to_owned(),
                read_at: Timestamp::from_millis(NOW.as_millis() - hours * HOUR_MS),
                rows: 1,
            })
            .collect();
        let visits = ["young", "old", "new", "admin", "older"]
            .into_iter()
            .map(|entity| Visit {
                entity: entity.into(),
                always: entity == "admin",
            })
            .collect();
        let order: Vec<(String, bool)> = turns(visits, Dataset::Mfa, &known, NOW)
            .into_iter()
            .map(|turn| (turn.entity.to_string(), turn.due))
            .collect();
        let expected = [
            ("admin", true),
            ("new", true),
            ("older", true),
            ("old", true),
            ("young", false),
        ];
        assert_eq!(order, expected.map(|(entity, due)| (entity.to_owned(), due)));
    }
}
