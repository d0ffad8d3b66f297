//! The decision whether a list that a vendor returned is the whole list. Pure: a store calls it inside the
//! transaction that retires rows.
//!
//! A vendor that hides rows from a caller without a permission or role answers with success and fewer rows. An
//! organization without users, or one that lost most of them since yesterday, is therefore a list that could not
//! be read, until a person says otherwise.

use super::{
    CollectionRow,
    fact::{Collection, Dataset},
};
use crate::{
    text,
    value::word::{CollectionState, words},
};

/// The number of rows from which a list that lost more than half of them doesn't count as complete. Smaller lists
/// change that much in everyday work.
pub const SHRINK_ROWS_MIN: u64 = 20;

words! {
    /// The reason for which Watchpost doesn't believe a list that its vendor returned without an error.
    Doubt {
        /// The list is empty, which it can't be.
        Empty = "empty",
        /// The list has fewer than half of the rows of the last complete read.
        Shrank = "shrank",
        /// The list was read for each row of another list, which isn't complete.
        Follows = "follows",
    }
}

/// The meaning of a list without rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfEmpty {
    /// The list may be empty.
    #[default]
    Empty,
    /// The vendor hides the rows: this permission or role is missing.
    Denied(&'static str),
    /// The rows are missing for this reason.
    Partial(&'static str),
}

/// A dataset as a connector reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetSpec {
    /// The dataset.
    pub dataset: Dataset,
    /// The meaning of a list without rows.
    pub if_empty: IfEmpty,
    /// The dataset for whose rows this one is read. It ends before this one.
    pub follows: Option<Dataset>,
}

impl DatasetSpec {
    /// Describes a dataset that may be empty and is read on its own.
    pub const fn new(dataset: Dataset) -> Self {
        Self {
            dataset,
            if_empty: IfEmpty::Empty,
            follows: None,
        }
    }
    /// Declares that an empty list means that this permission or role is missing.
    #[must_use]
    pub const fn denied_if_empty(mut self, permission: &'static str) -> Self {
        self.if_empty = IfEmpty::Denied(permission);
        self
    }
    /// Declares that an empty list is incomplete for this reason.
    #[must_use]
    pub const fn partial_if_empty(mut self, reason: &'static str) -> Self {
        self.if_empty = IfEmpty::Partial(reason);
        self
    }
    /// Declares that the dataset is read for each row of another one.
    #[must_use]
    pub const fn following(mut self, dataset: Dataset) -> Self {
        self.follows = Some(dataset);
        self
    }
}

/// The end of a dataset, before it is decided whether it is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetEnd {
    /// The result as the connector reported it.
    pub collection: Collection,
    /// The meaning of a list without rows.
    pub if_empty: IfEmpty,
    /// The result of the dataset that this one follows.
    pub followed: Option<Judged>,
}

impl From<Collection> for DatasetEnd {
    /// Creates the end of a dataset that may be empty and follows no other.
    fn from(collection: Collection) -> Self {
        Self {
            collection,
            if_empty: IfEmpty::Empty,
            followed: None,
        }
    }
}

/// The numbers of rows with which a list is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Baseline {
    /// The number of rows of the last complete read; `None` if there was none.
    pub complete: Option<u64>,
    /// The number of rows that a person confirmed since then.
    pub confirmed: Option<u64>,
}

impl Baseline {
    /// Returns the number of rows before, if a list with `rows` rows shrank too much to be believed.
    ///
    /// A confirmed number of rows takes the place of the last complete read: a list is believed down to half of
    /// it, like after any complete read.
    pub fn shrunk_from(self, rows: u64) -> Option<u64> {
        self.lost_most(rows).filter(|_| !self.is_confirmed(rows))
    }
    /// Returns the number of rows before, if a list with `rows` rows lost more than half of at least
    /// [`SHRINK_ROWS_MIN`].
    fn lost_most(self, rows: u64) -> Option<u64> {
        self.complete
            .filter(|before| *before >= SHRINK_ROWS_MIN && rows.saturating_mul(2) < *before)
    }
    fn is_confirmed(self, rows: u64) -> bool {
        self.confirmed
            .is_some_and(|confirmed| rows.saturating_mul(2) >= confirmed)
    }
}

/// The result of a dataset as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The result.
    pub collection: Collection,
    /// The reason why a result that the connector reported as complete isn't.
    pub doubt: Option<Doubt>,
    /// Whether the result is complete only because a person confirmed that the list shrank.
    pub confirmed: bool,
}

impl DatasetEnd {
    /// Decides whether a dataset that the connector read without an error is complete.
    pub fn judge(self, before: Baseline) -> Judged {
        let mut collection = self.collection;
        if collection.state != CollectionState::Complete {
            return Judged {
                collection,
                doubt: None,
                confirmed: false,
            };
        }
        let lost_most = before.lost_most(collection.rows).is_some();
        let doubt = doubt_about(collection.rows, self.if_empty, self.followed, before);
        let doubt = doubt.map(|(doubt, state, detail)| {
            collection.state = state;
            collection.detail = detail;
            doubt
        });
        Judged {
            collection,
            confirmed: doubt.is_none() && lost_most,
            doubt,
        }
    }
}

/// Returns the reason not to believe a list with `rows` rows, with the state and the detail that it has instead.
fn doubt_about(
    rows: u64,
    if_empty: IfEmpty,
    followed: Option<Judged>,
    before: Baseline,
) -> Option<(Doubt, CollectionState, Option<String>)> {
    match (rows, if_empty) {
        (0, IfEmpty::Denied(permission)) => {
            return Some((Doubt::Empty, CollectionState::Denied, Some(permission.to_owned())));
        }
        (0, IfEmpty::Partial(reason)) => {
            return Some((Doubt::Empty, CollectionState::Partial, Some(reason.to_owned())));
        }
        _ => {}
    }
    if let Some(followed) = followed {
        let list = followed.collection;
        match list.state {
            // The confirmed shrink of the other list explains that of this one.
            CollectionState::Complete if followed.confirmed => return None,
            CollectionState::Complete => {}
            // The same permission is missing for both.
            CollectionState::Denied => {
                return Some((Doubt::Follows, CollectionState::Denied, list.detail));
            }
            CollectionState::Partial | CollectionState::Unlicensed | CollectionState::Failed => {
                let detail = text::integration::followed_incomplete(list.dataset);
                return Some((Doubt::Follows, CollectionState::Partial, Some(detail)));
            }
        }
    }
    before.shrunk_from(rows).map(|before| {
        let detail = text::integration::shrank(rows, before);
        (Doubt::Shrank, CollectionState::Partial, Some(detail))
    })
}

/// A list that shrank and that nobody confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    /// The number of rows of the last complete read.
    pub from: u64,
    /// The number of rows of the last read.
    pub to: u64,
}

impl CollectionRow {
    /// Returns the shrink of the last read, whether confirmed or not; `None` if the list didn't shrink.
    pub fn shrink(&self) -> Option<Shrink> {
        match (self.doubt, self.complete_rows) {
            (Some(Doubt::Shrank), Some(from)) => Some(Shrink { from, to: self.rows }),
            _ => None,
        }
    }
    /// Returns whether a person has confirmed the number of rows of the last read.
    pub fn is_shrink_confirmed(&self) -> bool {
        self.confirmed_rows == Some(self.rows)
    }
}

/// The decision on a person's confirmation of a shrunk list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShrinkConfirmation {
    /// The confirmation was stored.
    Confirmed(Shrink),
    /// The same number of rows was confirmed before.
    Unchanged(Shrink),
    /// The list has another number of rows than the person has seen.
    Changed(Shrink),
    /// The last read of the dataset didn't shrink.
    NothingToConfirm,
    /// The integration has never read the dataset.
    NotRead,
    /// The workspace has no such integration.
    NotFound,
}

/// Decides the confirmation of a list with `rows` rows. `known` is the dataset's last collection.
pub fn decide_confirmation(known: Option<&CollectionRow>, rows: u64) -> ShrinkConfirmation {
    let Some(row) = known else {
        return ShrinkConfirmation::NotRead;
    };
    match row.shrink() {
        None => ShrinkConfirmation::NothingToConfirm,
        Some(shrink) if shrink.to != rows => ShrinkConfirmation::Changed(shrink),
        Some(shrink) if row.is_shrink_confirmed() => ShrinkConfirmation::Unchanged(shrink),
        Some(shrink) => ShrinkConfirmation::Confirmed(shrink),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integration::testing::collected;

    fn collection(dataset: Dataset, state: CollectionState, rows: u64) -> Collection {
        Collection {
            dataset,
            state,
            rows,
            row_errors: 0,
            detail: None,
        }
    }

    #[test]
    fn an_empty_or_shrunk_list_is_not_complete() {
        use CollectionState::{Complete, Denied, Failed, Partial};
        let check = |state, rows, if_empty, before: (Option<u64>, Option<u64>), expected| {
            let end = DatasetEnd {
                collection: collection(Dataset::Users, state, rows),
                if_empty,
                followed: None,
            };
            let (complete, confirmed) = before;
            let judged = end.judge(Baseline { complete, confirmed });
            assert_eq!(judged.collection.rows, rows, "the number of rows stays");
            assert_eq!(
                (judged.collection.state, judged.doubt),
                expected,
                "{state}, {rows} rows, {if_empty:?}, before: {before:?}"
            );
        };
        let may = IfEmpty::Empty;
        let denied = IfEmpty::Denied("a role");
        let late = IfEmpty::Partial("not computed yet");
        let believed = (Complete, None);
        let empty = (Denied, Some(Doubt::Empty));
        let shrank = (Partial, Some(Doubt::Shrank));
        // The first read.
        check(Complete, 0, may, (None, None), believed);
        check(Complete, 0, denied, (None, None), empty);
        check(Complete, 0, late, (None, None), (Partial, Some(Doubt::Empty)));
        check(Complete, 1, denied, (None, None), believed);
        check(Complete, 1_000, late, (None, None), believed);
        // Later reads.
        check(Complete, 100, may, (Some(100), None), believed);
        check(Complete, 50, may, (Some(100), None), believed);
        check(Complete, 49, may, (Some(100), None), shrank);
        check(Complete, 0, may, (Some(100), None), shrank);
        check(Complete, 0, denied, (Some(100), None), empty);
        check(Complete, 50, may, (Some(101), None), shrank);
        check(Complete, 10, may, (Some(20), None), believed);
        check(Complete, 9, may, (Some(20), None), shrank);
        // A small list changes that much in everyday work.
        check(Complete, 0, may, (Some(19), None), believed);
        check(Complete, 0, denied, (Some(19), None), empty);
        check(Complete, 3, denied, (Some(19), None), believed);
        // A confirmed number takes the place of the last complete read.
        check(Complete, 40, may, (Some(100), Some(40)), believed);
        check(Complete, 90, may, (Some(100), Some(40)), believed);
        check(Complete, 20, may, (Some(100), Some(40)), believed);
        check(Complete, 19, may, (Some(100), Some(40)), shrank);
        check(Complete, 0, may, (Some(100), Some(1)), shrank);
        check(Complete, 0, may, (Some(100), Some(0)), believed);
        // Nobody can confirm that a list is empty that can't be.
        check(Complete, 0, denied, (Some(100), Some(0)), empty);
        // What the connector couldn't read stays as it is.
        check(Failed, 0, denied, (Some(100), None), (Failed, None));
        check(Partial, 5, may, (Some(100), None), (Partial, None));
        check(Denied, 0, may, (None, Some(0)), (Denied, None));
        check(Complete, u64::MAX, may, (Some(u64::MAX), None), believed);
    }

    #[test]
    fn a_list_that_is_read_for_each_row_of_another_is_no_more_complete_than_that_one() {
        use CollectionState::{Complete, Denied, Failed, Partial, Unlicensed};
        let check =
            |followed: CollectionState, detail: Option<&str>, expected, expected_detail: Option<&str>| {
                let end = DatasetEnd {
                    collection: collection(Dataset::Mfa, Complete, 30),
                    if_empty: IfEmpty::Empty,
                    followed: Some(Judged {
                        collection: Collection {
                            detail: detail.map(str::to_owned),
                            ..collection(Dataset::Users, followed, 30)
                        },
                        doubt: None,
                        confirmed: false,
                    }),
                };
                let judged = end.judge(Baseline::default());
                assert_eq!((judged.collection.state, judged.doubt), expected, "{followed}");
                assert_eq!(judged.collection.detail.as_deref(), expected_detail);
            };
        check(Complete, None, (Complete, None), None);
        check(
            Denied,
            Some("a role"),
            (Denied, Some(Doubt::Follows)),
            Some("a role"),
        );
        for state in [Partial, Failed, Unlicensed] {
            check(
                state,
                Some("why"),
                (Partial, Some(Doubt::Follows)),
                Some("it is read for each row of `users`, which were not all read"),
            );
        }
    }

    #[test]
    fn a_confirmed_shrink_explains_that_of_the_lists_that_follow() {
        let users = |rows, confirmed| {
            DatasetEnd::from(collection(Dataset::Users, CollectionState::Complete, rows)).judge(Baseline {
                complete: Some(100),
                confirmed,
            })
        };
        let check = |followed: Judged, expected| {
            let end = DatasetEnd {
                collection: collection(Dataset::Mfa, CollectionState::Complete, 30),
                if_empty: IfEmpty::Empty,
                followed: Some(followed),
            };
            let judged = end.judge(Baseline {
                complete: Some(90),
                confirmed: None,
            });
            assert_eq!((judged.doubt, judged.confirmed), expected);
        };
        assert!(users(40, Some(40)).confirmed);
        check(users(40, Some(40)), (None, true));
        check(users(40, None), (Some(Doubt::Follows), false));
        assert!(
            !users(90, Some(40)).confirmed,
            "this is complete without a confirmation"
        );
        check(users(90, Some(40)), (Some(Doubt::Shrank), false));
    }

    #[test]
    fn only_a_shrink_that_the_person_has_seen_can_be_confirmed() {
        let row = |doubt, rows, confirmed_rows| CollectionRow {
            doubt,
            rows,
            complete_rows: Some(100),
            confirmed_rows,
            ..collected(Dataset::Users, 3)
        };
        let shrink = |to| Shrink { from: 100, to };
        let check = |known: Option<CollectionRow>, expected| {
            assert_eq!(decide_confirmation(known.as_ref(), 40), expected, "{known:?}");
        };
        check(None, ShrinkConfirmation::NotRead);
        check(Some(row(None, 40, None)), ShrinkConfirmation::NothingToConfirm);
        check(
            Some(row(Some(Doubt::Empty), 40, None)),
            ShrinkConfirmation::NothingToConfirm,
        );
        check(
            Some(row(Some(Doubt::Follows), 40, None)),
            ShrinkConfirmation::NothingToConfirm,
        );
        check(
            Some(row(Some(Doubt::Shrank), 40, None)),
            ShrinkConfirmation::Confirmed(shrink(40)),
        );
        check(
            Some(row(Some(Doubt::Shrank), 40, Some(40))),
            ShrinkConfirmation::Unchanged(shrink(40)),
        );
        check(
            Some(row(Some(Doubt::Shrank), 40, Some(30))),
            ShrinkConfirmation::Confirmed(shrink(40)),
        );
        check(
            Some(row(Some(Doubt::Shrank), 7, None)),
            ShrinkConfirmation::Changed(shrink(7)),
        );
    }
}
