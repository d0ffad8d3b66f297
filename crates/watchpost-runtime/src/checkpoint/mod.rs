//! Checkpoints of the audit trail outside the data folder: taking them, and comparing the database with them.
//!
//! A [`History`] is a store with the place of its checkpoints. The servers compare at their start and suspend all keys if
//! the database contradicts its checkpoint, and the guard compares again while they serve. An instance has no place unless
//! its settings name one or its environment has a state folder, which only the binaries set: the demo, tests and services
//! that embed Watchpost write nothing outside their data folder.

mod note;
mod place;
mod syslog;

pub use self::{
    note::{NoteError, Signer, VerifyingKey},
    place::{StoredCheckpoints, read_checkpoints, state_dir},
};
pub(crate) use place::checkpoint_file;

use crate::{
    config::AuditSettings,
    data_dir::{DataDir, DataDirError},
    text,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use watchpost_core::{
    access::{Access, KeyScope, OperatorAuthority, WorkspaceScope},
    audit::{
        AuditRow, AuditStore as _, ChainVerdict, ChainVerifier,
        checkpoint::{ChainHead, Checkpoint, CheckpointBuilder, Contradiction},
        tree::RowTree,
    },
    error::StoreError,
    job::{InstanceStore as _, WorkspaceRow},
    port::{Clock, Random},
    value::id::WorkspaceId,
};
use watchpost_sqlite::SqliteStore;

/// Number of rows per read.
const PAGE: usize = 2_000;

/// The place of an instance's checkpoints, and the key that signs them.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) signer: Signer,
    /// The socket of the system's log, if checkpoints go there too.
    pub(crate) syslog: Option<PathBuf>,
}

impl Place {
    pub(crate) fn new(file: PathBuf, signer: Signer, syslog: bool) -> Self {
        Self {
            file,
            signer,
            syslog: syslog.then(|| PathBuf::from(syslog::SOCKET)),
        }
    }
}

/// A store, and the place of its checkpoints.
#[derive(Clone)]
pub struct History {
    store: SqliteStore,
    operator: OperatorAuthority,
    clock: Arc<dyn Clock>,
    place: Option<Arc<Place>>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// A workspace whose rows or keys contradict its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The checkpoint that was compared.
    pub checkpoint: Checkpoint,
    /// The contradiction.
    pub contradiction: Contradiction,
}

/// The result of a comparison of the database with its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Checkpoints are off.
    Off,
    /// There is no checkpoint, for example because the data folder was moved to this machine.
    Missing(PathBuf),
    /// The file holds no valid checkpoint of this instance. That contradicts nothing.
    Invalid(PathBuf, String),
    /// The database holds everything that its checkpoint stands for.
    Agrees(PathBuf, Vec<Checkpoint>),
    /// The database contradicts its checkpoint: it is older or another one.
    Contradicts(PathBuf, Vec<Mismatch>),
}

impl Standing {
    /// The contradiction as a sentence, if there is one.
    pub fn contradiction(&self) -> Option<String> {
        match self {
            Self::Contradicts(_, mismatches) => Some(text::checkpoint::contradiction(mismatches)),
            _ => None,
        }
    }
}

/// The reason for which no checkpoint was taken.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The database contradicts the newest checkpoint, which therefore stays.
    #[error("{}", text::checkpoint::contradiction(.0))]
    Contradicts(Vec<Mismatch>),
    /// The audit chain is broken.
    #[error("{}", text::checkpoint::chain_broken(*.seq, .problem))]
    Broken {
        /// The first broken row.
        seq: u64,
        /// The problem with the row.
        problem: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file can't be written.
    #[error(transparent)]
    File(#[from] DataDirError),
}

/// Whether a checkpoint was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A new checkpoint was written.
    Written,
    /// Nothing has changed since the last one, or checkpoints are off.
    Unchanged,
}

impl History {
    pub(crate) fn new(
        store: SqliteStore,
        operator: OperatorAuthority,
        clock: Arc<dyn Clock>,
        place: Option<Arc<Place>>,
    ) -> Self {
        Self {
            store,
            operator,
            clock,
            place,
        }
    }

    /// Opens the store of a data folder only for reading, without a change to the folder: for verification of a copy, whose
    /// master key may be missing. Without the key, there is no default place of the checkpoints.
    ///
    /// # Errors
    /// If the database is missing, isn't a store, or can't be read where it is.
    pub fn open_read_only(
        dir: &DataDir,
        settings: &AuditSettings,
        state_dir: Option<&Path>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> anyhow::Result<Self> {
        let store = SqliteStore::open_read_only(&dir.database(), Arc::clone(&clock), random)?;
        let access = Access::open(Arc::new(store.clone()), Arc::clone(&clock));
        let place = dir.master_key().and_then(|master| {
            let signer = Signer::derive(master.secret());
            let file = checkpoint_file(settings, state_dir, signer.key())?;
            Some(Arc::new(Place::new(file, signer, false)))
        });
        Ok(Self::new(store, access.operator, clock, place))
    }

    /// The workspaces, ordered by name.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceRow>, StoreError> {
        self.store.workspaces().await
    }

    /// Whether the row with this number has this hash.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn has_row(
        &self,
        workspace: WorkspaceId,
        seq: u64,
        row_hash: [u8; 32],
    ) -> Result<bool, StoreError> {
        Ok(self.row_hash(workspace, seq).await? == Some(row_hash))
    }

    /// The file of the checkpoints; `None` if they are off.
    pub fn file(&self) -> Option<&Path> {
        self.place.as_ref().map(|place| place.file.as_path())
    }

    /// The key that verifies the checkpoints of this instance; `None` if they are off.
    pub fn key(&self) -> Option<&VerifyingKey> {
        self.place.as_ref().map(|place| place.signer.key())
    }

    fn scope(&self, workspace: WorkspaceId) -> Arc<WorkspaceScope> {
        self.operator.enter(workspace, KeyScope::Read, false)
    }

    /// The hash of the row with this number, if there is one and it can be read.
    async fn row_hash(&self, workspace: WorkspaceId, seq: u64) -> Result<Option<[u8; 32]>, StoreError> {
        let Some(before) = seq.checked_sub(1) else {
            return Ok(Some([0; 32]));
        };
        match self.store.audit_page(&self.scope(workspace), before, 1).await {
            Ok(rows) => Ok(rows.first().filter(|row| row.seq == seq).map(|row| row.row_hash)),
            Err(StoreError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Compares the database with checkpoints. Returns the workspaces that contradict theirs.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn compare(&self, checkpoints: &[Checkpoint]) -> Result<Vec<Mismatch>, StoreError> {
        let heads = self.store.chain_heads(false).await?;
        let mut mismatches = Vec::new();
        for checkpoint in checkpoints {
            let workspace = checkpoint.workspace;
            let head = heads.iter().find(|head| head.workspace == workspace);
            let row_hash = match head {
                Some(_) => self.row_hash(workspace, checkpoint.rows()).await?,
                None => None,
            };
            if let Some(contradiction) = checkpoint.compare(head, row_hash) {
                mismatches.push(Mismatch {
                    workspace,
                    checkpoint: checkpoint.clone(),
                    contradiction,
                });
            }
        }
        Ok(mismatches)
    }

    /// Compares the database with its newest checkpoint: a few reads, whatever the length of the audit trail.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let Some(place) = &self.place else {
            return Ok(Standing::Off);
        };
        let file = place.file.clone();
        Ok(match read_checkpoints(&file, Some(place.signer.key())) {
            StoredCheckpoints::Missing => Standing::Missing(file),
            StoredCheckpoints::Invalid(reason) => Standing::Invalid(file, reason),
            StoredCheckpoints::Valid(checkpoints, _) => {
                let mismatches = self.compare(&checkpoints).await?;
                if mismatches.is_empty() {
                    Standing::Agrees(file, checkpoints)
                } else {
                    Standing::Contradicts(file, mismatches)
                }
            }
        })
    }

    /// Takes a checkpoint of every workspace, unless nothing has changed since the last one.
    ///
    /// # Errors
    /// [`CheckpointError`]. A checkpoint that the database contradicts is never replaced.
    pub async fn take(&self) -> Result<Taken, CheckpointError> {
        let Some(place) = &self.place else {
            return Ok(Taken::Unchanged);
        };
        let _lock = place::lock(&place.file).await?;
        let previous = match read_checkpoints(&place.file, Some(place.signer.key())) {
            StoredCheckpoints::Missing => Vec::new(),
            StoredCheckpoints::Invalid(reason) => {
                tracing::error!(file = %place.file.display(), reason, "the checkpoint is not valid; it is kept beside the new one");
                let _ = place::keep_copy(&place.file, ".invalid");
                Vec::new()
            }
            StoredCheckpoints::Valid(checkpoints, _) => checkpoints,
        };
        let mismatches = self.compare(&previous).await?;
        if !mismatches.is_empty() {
            return Err(CheckpointError::Contradicts(mismatches));
        }
        let heads = self.store.chain_heads(false).await?;
        let is_current = |head: &ChainHead| {
            previous.iter().any(|taken| {
                taken.workspace == head.workspace
                    && taken.rows() == head.rows
                    && taken.key_generation == head.key_generation
            })
        };
        if heads.iter().all(is_current) {
            return Ok(Taken::Unchanged);
        }
        self.write(place, &previous).await?;
        Ok(Taken::Written)
    }

    /// Takes a checkpoint of every workspace that replaces the newest one even if the database contradicts it. The replaced
    /// file is kept beside it. The caller has recorded in the audit trail that the operator accepts the gap.
    pub(crate) async fn replace(&self) -> Result<Option<PathBuf>, CheckpointError> {
        let Some(place) = &self.place else {
            return Ok(None);
        };
        let _lock = place::lock(&place.file).await?;
        let kept = place::keep_copy(&place.file, &format!(".{}", self.clock.now().as_millis())).ok();
        self.write(place, &[]).await?;
        Ok(kept)
    }

    async fn write(&self, place: &Place, previous: &[Checkpoint]) -> Result<(), CheckpointError> {
        // A checkpoint must never stand for rows that a power cut can take away.
        let heads = self.store.chain_heads(true).await?;
        let mut signed = Vec::with_capacity(heads.len());
        for head in &heads {
            let previous = previous.iter().find(|taken| taken.workspace == head.workspace);
            let checkpoint = self.build(head, previous).await?;
            let note = place.signer.sign(&checkpoint);
            signed.push((checkpoint, note));
        }
        let notes: Vec<String> = signed.iter().map(|(_, note)| note.clone()).collect();
        place::write(&place.file, &notes)?;
        if let Some(socket) = &place.syslog
            && let Err(error) = syslog::send(socket, &signed)
        {
            tracing::error!(%error, "the checkpoint can't be sent to the system's log");
        }
        Ok(())
    }

    async fn build(
        &self,
        head: &ChainHead,
        previous: Option<&Checkpoint>,
    ) -> Result<Checkpoint, CheckpointError> {
        let broken = |verdict| match verdict {
            ChainVerdict::Broken { seq, problem } => CheckpointError::Broken { seq, problem },
            ChainVerdict::Intact { rows, .. } => CheckpointError::Broken {
                seq: rows,
                problem: text::checkpoint::ROWS_MISSING,
            },
        };
        let scope = self.scope(head.workspace);
        let mut builder = CheckpointBuilder::new(head.workspace, previous);
        while builder.rows() < head.rows {
            let after = builder.rows();
            let page = self.store.audit_page(&scope, after, PAGE).await?;
            for row in page.iter().take_while(|row| row.seq <= head.rows) {
                builder.add(row).map_err(broken)?;
            }
            if builder.rows() == after {
                return Err(CheckpointError::Broken {
                    seq: after + 1,
                    problem: text::checkpoint::ROWS_MISSING,
                });
            }
        }
        let checkpoint = builder.finish(head.key_generation, self.clock.now());
        if checkpoint.tip == head.tip {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Broken {
                seq: head.rows,
                problem: text::checkpoint::ROWS_MISSING,
            })
        }
    }

    /// Verifies the whole chain of a workspace and, on the way, that its rows are those of `checkpoint`, including the root
    /// of the tree. Passes the number of verified rows to `progress`.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. A row that can't be read yields a verdict.
    pub async fn verify(
        &self,
        workspace: WorkspaceId,
        checkpoint: Option<&Checkpoint>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Verified, StoreError> {
        let scope = self.scope(workspace);
        let mut chain = ChainVerifier::new(workspace);
        let mut verified = 0;
        // Only the rows of the checkpoint are in its tree.
        let mut tree = RowTree::default();
        let mut matched = checkpoint.is_none_or(|checkpoint| checkpoint.rows() == 0);
        let mut limit = PAGE;
        loop {
            let page: Vec<AuditRow> = match self.store.audit_page(&scope, verified, limit).await {
                Ok(page) => page,
                // Row by row, to name the one that can't be read.
                Err(StoreError::Corrupt { .. }) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                Err(StoreError::Corrupt { .. }) => {
                    return Ok(Verified::chain(ChainVerdict::Broken {
                        seq: verified + 1,
                        problem: text::checkpoint::ROW_UNREADABLE,
                    }));
                }
                Err(error) => return Err(error),
            };
            for row in &page {
                if let Err(verdict) = chain.check(row) {
                    return Ok(Verified::chain(verdict));
                }
                if let Some(checkpoint) = checkpoint.filter(|checkpoint| tree.size() < checkpoint.rows()) {
                    tree.append(&row.row_hash);
                    if tree.size() == checkpoint.rows() {
                        matched = tree == checkpoint.tree && row.row_hash == checkpoint.tip;
                    }
                }
            }
            match page.last() {
                Some(last) => verified = last.seq,
                None => break,
            }
            progress(verified);
        }
        let heads = self.store.chain_heads(false).await?;
        let head = heads.iter().find(|head| head.workspace == workspace);
        let contradiction = match checkpoint {
            None => None,
            Some(checkpoint) => {
                let row_hash = self.row_hash(workspace, checkpoint.rows()).await?;
                checkpoint
                    .compare(head, row_hash)
                    .or((!matched).then_some(Contradiction::RowsChanged {
                        seq: checkpoint.rows(),
                    }))
            }
        };
        Ok(Verified {
            chain: chain.finish(),
            contradiction,
        })
    }
}

/// The result of [`History::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whether the rows belong together.
    pub chain: ChainVerdict,
    /// The way in which they contradict the checkpoint, if they do.
    pub contradiction: Option<Contradiction>,
}

impl Verified {
    const fn chain(chain: ChainVerdict) -> Self {
        Self {
            chain,
            contradiction: None,
        }
    }
}
