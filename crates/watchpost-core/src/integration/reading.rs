//! Datasets that are read with a request for each account or app. They take many requests, so that a sync reads only a
//! part of the accounts or apps, and what earlier syncs have read of the others stays valid.

use crate::{integration::fact::Dataset, value::time::Timestamp};
use std::collections::HashMap;

/// An account or app whose part of a dataset was read with a request of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The dataset.
    pub dataset: Dataset,
    /// The vendor id of the account or app.
    pub entity_vendor_id: String,
    /// The time at which it was last read.
    pub read_at: Timestamp,
    /// The number of its rows.
    pub rows: u64,
}

/// All that earlier syncs of an integration have read entity by entity.
#[derive(Debug, Clone, Default)]
pub struct Readings(HashMap<Dataset, HashMap<String, (Timestamp, u64)>>);

impl Readings {
    /// Returns the time of the last reading of an entity, and the number of its rows.
    pub fn of(&self, dataset: Dataset, entity_vendor_id: &str) -> Option<(Timestamp, u64)> {
        self.0.get(&dataset)?.get(entity_vendor_id).copied()
    }
}

impl FromIterator<Reading> for Readings {
    fn from_iter<I: IntoIterator<Item = Reading>>(readings: I) -> Self {
        let mut all = Self::default();
        for reading in readings {
            let of_dataset = all.0.entry(reading.dataset).or_default();
            of_dataset.insert(reading.entity_vendor_id, (reading.read_at, reading.rows));
        }
        all
    }
}

/// The syncs that last listed an entity and last read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityMark {
    /// The sync that last reported the entity, read or kept.
    pub listed_in: i64,
    /// The sync that last read the entity.
    pub read_in: i64,
}

/// Returns whether a row that `sync` hasn't seen is gone once the dataset is complete. `seen_in` is the sync that last saw
/// the row; `entity` belongs to the entity that the row is about, if the dataset is read entity by entity.
///
/// The row of an entity that was kept is as it was when the entity was last read.
pub const fn is_gone(sync: i64, seen_in: i64, entity: Option<EntityMark>) -> bool {
    match entity {
        Some(mark) if mark.listed_in == sync => seen_in < mark.read_in,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_kept_entity_stay_as_they_were_last_read() {
        let check = |seen_in, entity: Option<(i64, i64)>, expected| {
            let entity = entity.map(|(listed_in, read_in)| EntityMark { listed_in, read_in });
            assert_eq!(is_gone(9, seen_in, entity), expected, "{seen_in} {entity:?}");
        };
        // The dataset isn't read entity by entity.
        check(8, None, true);
        // Kept in this sync: the row was there when the entity was last read, or it wasn't.
        check(5, Some((9, 5)), false);
        check(4, Some((9, 5)), true);
        // Read in this sync, which hasn't seen the row.
        check(8, Some((9, 9)), true);
        // No longer listed.
        check(5, Some((8, 5)), true);
    }
}
