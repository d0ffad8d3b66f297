//! Checkpoints: what the end of a chain was at a time, kept outside the database.
//!
//! A chain proves only that its rows belong together. Someone who can write to the database can edit a row and compute
//! all later hashes again, cut rows off, or put an older database in its place, and the chain is valid all the same. A
//! checkpoint that was taken before that contradicts the database afterwards.

use super::{AuditRow, ChainVerdict, ChainVerifier, tree::RowTree};
use crate::{
    text,
    value::{id::WorkspaceId, time::Timestamp},
};

/// The end of a workspace's chain, and the generation of the workspace's keys, in one state of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The number of rows.
    pub rows: u64,
    /// The hash of the last row; zeros if there is none.
    pub tip: [u8; 32],
    /// The generation of the keys. Each creation and revocation of a key increments it.
    pub key_generation: u64,
}

/// The state of one workspace at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tree over the rows.
    pub tree: RowTree,
    /// The hash of the last row.
    pub tip: [u8; 32],
    /// The generation of the keys.
    pub key_generation: u64,
    /// The time at which the checkpoint was taken.
    pub at: Timestamp,
}

/// The way in which a database contradicts a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// The workspace is not in the database.
    WorkspaceMissing,
    /// The database has fewer rows than the checkpoint.
    RowsMissing {
        /// The number of rows at the checkpoint.
        expected: u64,
        /// The number of rows in the database.
        found: u64,
    },
    /// The last row of the checkpoint has another hash in the database: it or a row before it was changed.
    RowsChanged {
        /// The number of the row.
        seq: u64,
    },
    /// The generation of the keys is lower than at the checkpoint: a revocation or creation of a key is missing.
    KeysOlder {
        /// The generation at the checkpoint.
        expected: u64,
        /// The generation in the database.
        found: u64,
    },
}

impl std::fmt::Display for Contradiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text::audit::contradiction(*self))
    }
}

impl Checkpoint {
    /// Returns the number of rows.
    pub const fn rows(&self) -> u64 {
        self.tree.size()
    }

    /// Compares the database with the checkpoint. `head` is the workspace's head, or `None` if there is no such
    /// workspace; `row_hash` is the hash of the row with the number [`Checkpoint::rows`], if there is one. Returns the
    /// first contradiction.
    pub fn compare(&self, head: Option<&ChainHead>, row_hash: Option<[u8; 32]>) -> Option<Contradiction> {
        let Some(head) = head else {
            return Some(Contradiction::WorkspaceMissing);
        };
        if head.rows < self.rows() {
            return Some(Contradiction::RowsMissing {
                expected: self.rows(),
                found: head.rows,
            });
        }
        if row_hash != Some(self.tip) {
            return Some(Contradiction::RowsChanged { seq: self.rows() });
        }
        if head.key_generation < self.key_generation {
            return Some(Contradiction::KeysOlder {
                expected: self.key_generation,
                found: head.key_generation,
            });
        }
        None
    }
}

impl ChainHead {
    /// Compares a later head of the same workspace with this one, as a process that stays open sees them. Returns the
    /// first contradiction.
    pub fn compare(&self, later: Option<&Self>) -> Option<Contradiction> {
        match later {
            None => Some(Contradiction::WorkspaceMissing),
            Some(later) if later.rows < self.rows => Some(Contradiction::RowsMissing {
                expected: self.rows,
                found: later.rows,
            }),
            Some(later) if later.rows == self.rows && later.tip != self.tip => {
                Some(Contradiction::RowsChanged { seq: self.rows })
            }
            Some(later) if later.key_generation < self.key_generation => Some(Contradiction::KeysOlder {
                expected: self.key_generation,
                found: later.key_generation,
            }),
            Some(_) => None,
        }
    }
}

/// Takes the next checkpoint of a workspace from the previous one and the rows after it.
#[derive(Debug)]
pub struct CheckpointBuilder {
    workspace: WorkspaceId,
    verifier: ChainVerifier,
    tree: RowTree,
}

impl CheckpointBuilder {
    /// Begins after the last row of `previous`, or at the first row.
    pub fn new(workspace: WorkspaceId, previous: Option<&Checkpoint>) -> Self {
        match previous {
            None => Self {
                workspace,
                verifier: ChainVerifier::new(workspace),
                tree: RowTree::default(),
            },
            Some(previous) => Self {
                workspace,
                verifier: ChainVerifier::resume(workspace, previous.rows(), previous.tip),
                tree: previous.tree.clone(),
            },
        }
    }

    /// Returns the number of rows so far.
    pub const fn rows(&self) -> u64 {
        self.tree.size()
    }

    /// Adds the next row.
    ///
    /// # Errors
    /// The verdict, if the row isn't the next row of the chain. No checkpoint may be taken then.
    pub fn add(&mut self, row: &AuditRow) -> Result<(), ChainVerdict> {
        self.verifier.check(row)?;
        self.tree.append(&row.row_hash);
        Ok(())
    }

    /// Returns the checkpoint after the rows that were added. `key_generation` must have been read before the last row
    /// or with it.
    pub fn finish(self, key_generation: u64, at: Timestamp) -> Checkpoint {
        Checkpoint {
            workspace: self.workspace,
            tip: self.verifier.tip(),
            tree: self.tree,
            key_generation,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);

    fn rows(count: u64) -> Vec<AuditRow> {
        let mut rows = vec![AuditRow::genesis(WORKSPACE, Timestamp::from_millis(1))];
        while (rows.len() as u64) < count {
            let last = rows.last().unwrap();
            let mut row = AuditRow {
                seq: last.seq + 1,
                prev_hash: last.row_hash,
                ..last.clone()
            };
            row.row_hash = row.expected_hash(WORKSPACE);
            rows.push(row);
        }
        rows
    }

    fn checkpoint(rows: &[AuditRow], previous: Option<&Checkpoint>, keys: u64) -> Checkpoint {
        let mut builder = CheckpointBuilder::new(WORKSPACE, previous);
        for row in rows {
            builder.add(row).unwrap();
        }
        builder.finish(keys, Timestamp::from_millis(5))
    }

    fn head(rows: &[AuditRow], key_generation: u64) -> ChainHead {
        ChainHead {
            workspace: WORKSPACE,
            rows: rows.len() as u64,
            tip: rows.last().unwrap().row_hash,
            key_generation,
        }
    }

    #[test]
    fn a_checkpoint_from_the_previous_one_equals_one_from_the_first_row() {
        let rows = rows(9);
        let at_four = checkpoint(&rows[..4], None, 1);
        assert_eq!(
            checkpoint(&rows[4..], Some(&at_four), 1),
            checkpoint(&rows, None, 1)
        );
        let mut builder = CheckpointBuilder::new(WORKSPACE, Some(&at_four));
        assert!(builder.add(&rows[5]).is_err(), "a row is missing");
        let mut edited = rows[4].clone();
        edited.operation = "other".into();
        assert!(builder.add(&edited).is_err(), "a row was edited");
    }

    #[test]
    fn a_database_contradicts_a_checkpoint_if_anything_before_it_is_missing_or_changed() {
        let rows = rows(9);
        let taken = checkpoint(&rows[..6], None, 3);
        let row_hash = |n: usize| rows.get(n - 1).map(|row| row.row_hash);
        assert_eq!(taken.compare(Some(&head(&rows[..6], 3)), row_hash(6)), None);
        assert_eq!(taken.compare(Some(&head(&rows, 4)), row_hash(6)), None);
        for (found, hash, expected) in [
            (None, None, Contradiction::WorkspaceMissing),
            (
                Some(head(&rows[..5], 3)),
                None,
                Contradiction::RowsMissing {
                    expected: 6,
                    found: 5,
                },
            ),
            (
                Some(head(&rows, 3)),
                Some([9; 32]),
                Contradiction::RowsChanged { seq: 6 },
            ),
            (
                Some(head(&rows, 2)),
                row_hash(6),
                Contradiction::KeysOlder {
                    expected: 3,
                    found: 2,
                },
            ),
        ] {
            assert_eq!(taken.compare(found.as_ref(), hash), Some(expected));
        }
    }

    #[test]
    fn a_head_contradicts_an_earlier_one_if_anything_went_backwards() {
        let rows = rows(9);
        let earlier = head(&rows[..6], 3);
        assert_eq!(earlier.compare(Some(&earlier)), None);
        assert_eq!(earlier.compare(Some(&head(&rows, 3))), None);
        assert_eq!(earlier.compare(None), Some(Contradiction::WorkspaceMissing));
        let cut = Contradiction::RowsMissing {
            expected: 6,
            found: 5,
        };
        assert_eq!(earlier.compare(Some(&head(&rows[..5], 3))), Some(cut));
        let changed = ChainHead {
            tip: [9; 32],
            ..earlier
        };
        assert_eq!(
            earlier.compare(Some(&changed)),
            Some(Contradiction::RowsChanged { seq: 6 })
        );
        let older = Contradiction::KeysOlder {
            expected: 3,
            found: 2,
        };
        assert_eq!(earlier.compare(Some(&head(&rows, 2))), Some(older));
    }
}
