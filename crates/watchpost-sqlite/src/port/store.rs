//! The store: its writer, its readers, and the operations on the file as a whole.

use crate::{
    base::{
        fault::{Fault, Res, unsupported},
        master::{MasterKey, Sealer},
        open::{
            Access, CopyError, OpenOptions, check_master_unchanged, connect, connect_copy, copy_database,
            inspect, integrity, open,
        },
        open_error::OpenError,
        reader::{LongReads, Pool},
        writer::{LARGE_LOG_BYTES, Ports, Tx, Writer},
    },
    port::copy,
    table::{
        documents::Contexts,
        findings, integrations, names,
        once::{self, StoredOutcome},
        words, workspaces,
    },
    text,
};
use rusqlite::Connection;
use std::{
    collections::HashMap,
    error::Error as _,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use watchpost_core::{
    access::{Audited, AuthorizedWrite, Command, WorkspaceScope},
    audit::{AuditOutcome, PendingEntry},
    error::StoreError,
    port::{Clock, Random},
    value::{
        id::{ImportId, WorkspaceId},
        time::Timestamp,
    },
};

/// The embedded store: implements all storage ports with one SQLite file. Cheap to clone; dropping the last clone closes it.
///
/// Dropping the future of a write doesn't cancel the write once it is queued.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) pool: Pool,
    pub(crate) long: LongReads,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) contexts: Arc<Contexts>,
    /// The locks of the imports in progress.
    pub(super) imports: Mutex<HashMap<ImportId, File>>,
    workspaces: RwLock<HashMap<WorkspaceId, i64>>,
}

impl Inner {
    fn new(conn: Connection, options: OpenOptions) -> Self {
        let ports = Ports {
            clock: options.clock,
            random: options.random,
        };
        Self {
            writer: Writer::new(conn, ports),
            pool: Pool::new(options.path.clone(), Access::Read),
            long: LongReads::new(options.path.clone(), Access::LongRead),
            sealer: Arc::new(Sealer::new(&options.master)),
            contexts: Arc::default(),
            path: options.path,
            imports: Mutex::default(),
            workspaces: RwLock::default(),
        }
    }

    fn close(&self) {
        self.long.close();
        self.pool.clear();
        self.writer.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the store. Migrates an older file to this version's schema after copying it beside itself.
    ///
    /// # Errors
    /// [`OpenError`] if the file can't be used, can't be migrated, or belongs to another master key.
    pub fn open(options: OpenOptions) -> Result<Self, OpenError> {
        let mut conn = open(&options)?;
        let failed = |error: StoreError| {
            let path = options.path.clone();
            let reason = error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string);
            match error {
                StoreError::Corrupt { .. } => OpenError::InvalidFile { path, reason },
                _ => OpenError::Migration { path, reason },
            }
        };
        findings::apply_condition_moves(&mut conn, options.clock.now())
            .map_err(|fault| failed(fault.into_store("findings")))?;
        names::fill(&mut conn).map_err(|fault| failed(fault.into_store("identities")))?;
        Ok(Self {
            inner: Arc::new(Inner::new(conn, options)),
        })
    }

    /// Opens the store only for reading, without its master key and without changing the file or its folder: for checks of
    /// a copy. Every write fails as unavailable, and sealed credentials can't be opened.
    ///
    /// # Errors
    /// [`OpenError`] if the file is missing, isn't a store or was written by a newer version, or if it has a write-ahead
    /// log that can't be read where it is.
    pub fn open_read_only(
        path: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenError> {
        let (access, _) = inspect(path)?;
        let master = MasterKey::new([0; 32]);
        Ok(Self::read_only(path, access, &master, Ports { clock, random }))
    }

    /// Opens the store only for reading, with its master key: for a store that can't be written, because its disk is full
    /// or read-only. Every write fails as unavailable.
    ///
    /// # Errors
    /// As [`Self::open_read_only`], and if an older version wrote the file or if it belongs to another master key.
    pub fn open_unwritable(options: &OpenOptions) -> Result<Self, OpenError> {
        let path = &options.path;
        let (access, has_this_schema) = inspect(path)?;
        if !has_this_schema {
            return Err(OpenError::Older { path: path.clone() });
        }
        check_master_unchanged(path, access, &options.master)?;
        let ports = Ports {
            clock: Arc::clone(&options.clock),
            random: Arc::clone(&options.random),
        };
        Ok(Self::read_only(path, access, &options.master, ports))
    }

    fn read_only(path: &Path, access: Access, master: &MasterKey, ports: Ports) -> Self {
        Self {
            inner: Arc::new(Inner {
                writer: Writer::closed(ports),
                pool: Pool::new(path.to_owned(), access),
                long: LongReads::new(path.to_owned(), access),
                sealer: Arc::new(Sealer::new(master)),
                contexts: Arc::default(),
                path: path.to_owned(),
                imports: Mutex::default(),
                workspaces: RwLock::default(),
            }),
        }
    }

    /// Returns the path of the database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs everything that is queued, ends the threads, and merges the write-ahead log into the file. Later calls fail as
    /// unavailable.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Copies the current state of the store to a new file of mode 0600, while the store stays in use, and checks the copy
    /// as [`check_copy`](crate::check_copy) does. The copy doesn't contain the master key: it can be opened only with the
    /// key of this store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the target can't be written; [`StoreError::Corrupt`] if the store is damaged. Then
    /// there is no copy.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_path_buf();
        let inner = Arc::clone(&self.inner);
        self.inner
            .long
            .read("store", move |_| {
                // A separate connection outside any transaction, so that the copy is of one state.
                let from = connect(&inner.path, inner.long.access())?;
                copy_database(&from, &to).map_err(|error| match error {
                    CopyError::Sql(error) => Fault::Sql(error),
                    CopyError::Io(error) => Fault::Store(StoreError::Unavailable(Box::new(error))),
                })?;
                // Damage in the store is in the copy too, and nothing changes the copy during the check.
                let checked = connect_copy(&to)
                    .map_err(Fault::Sql)
                    .and_then(|conn| copy::check(&conn, &inner.sealer));
                if checked.is_err() {
                    let _ = std::fs::remove_file(&to);
                }
                checked
            })
            .await
    }

    /// Returns the size of the write-ahead log in bytes; 0 if there is none.
    pub fn log_bytes(&self) -> u64 {
        let mut path = self.inner.path.as_os_str().to_owned();
        path.push("-wal");
        std::fs::metadata(path).map_or(0, |meta| meta.len())
    }

    /// Whether the write-ahead log is larger than it is when it can be emptied.
    pub fn is_log_large(&self) -> bool {
        self.log_bytes() > LARGE_LOG_BYTES
    }

    /// Returns the time since which this process can't empty the write-ahead log, because another one reads an older state of
    /// the database. It is measured when the log is merged into the file.
    pub fn log_held_since(&self) -> Option<Timestamp> {
        self.inner.writer.log_held_since()
    }

    /// Returns the problems in the file's structure, at most 20 lines; empty if the file is intact.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be read.
    pub async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.long.read("store", |conn| Ok(integrity(conn)?)).await
    }

    /// Returns the stored words that this version doesn't know, each with its table, its column and its first row, at most
    /// 20 lines. Lists skip their rows, or read them as a fallback.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be read.
    pub async fn unknown_words(&self) -> Result<Vec<String>, StoreError> {
        self.inner.long.read("store", words::unknown).await
    }

    /// Returns the sealed credentials that can't be opened, each with its field and its integration, at most 20 lines.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be read.
    pub async fn unreadable_credentials(&self) -> Result<Vec<String>, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        self.inner
            .long
            .read("integrations", move |conn| {
                integrations::unreadable(conn, &sealer)
            })
            .await
    }

    /// Merges the write-ahead log into the file.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file can't be opened or written.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let path = self.inner.path.clone();
        self.inner
            .long
            .read("store", move |_| {
                let conn = connect(&path, Access::Write)?;
                conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
                Ok(())
            })
            .await
    }

    /// Returns the generations of a workspace's data and of its keys, in one read. A value that is cached between requests
    /// is valid while they are unchanged.
    ///
    /// # Errors
    /// [`StoreError`] if the file can't be read.
    pub fn generations(&self, scope: &WorkspaceScope) -> Result<Generations, StoreError> {
        self.inner
            .pool
            .read_one(|conn| {
                let (data, keys) = workspaces::generations(conn, scope.workspace())?;
                Ok(Generations { data, keys })
            })
            .map_err(|fault| fault.into_store("workspaces"))
    }

    /// Returns the number of a workspace in this file, or -1, which no row has, for a workspace that isn't in this store.
    pub(crate) fn number(&self, id: WorkspaceId) -> Res<i64> {
        let known = self
            .inner
            .workspaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied();
        if let Some(number) = known {
            return Ok(number);
        }
        let found = self.inner.pool.read_one(|conn| workspaces::number(conn, id))?;
        if let Some(number) = found {
            self.inner
                .workspaces
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id, number);
        }
        Ok(found.unwrap_or(-1))
    }

    /// Runs a bounded read of several statements on the caller's thread, in one transaction.
    pub(crate) fn read<T>(
        &self,
        scope: &WorkspaceScope,
        table: &'static str,
        read: impl FnOnce(&Connection, i64) -> Res<T>,
    ) -> Result<T, StoreError> {
        self.number(scope.workspace())
            .and_then(|workspace| self.inner.pool.read(|conn| read(conn, workspace)))
            .map_err(|fault| fault.into_store(table))
    }

    /// Runs a bounded read of one statement on the caller's thread.
    pub(crate) fn read_one<T>(
        &self,
        scope: &WorkspaceScope,
        table: &'static str,
        read: impl FnOnce(&Connection, i64) -> Res<T>,
    ) -> Result<T, StoreError> {
        self.number(scope.workspace())
            .and_then(|workspace| self.inner.pool.read_one(|conn| read(conn, workspace)))
            .map_err(|fault| fault.into_store(table))
    }

    /// Runs a read on a thread for long reads, since it may take longer than it may block a request's thread.
    pub(crate) async fn long<T: Send + 'static>(
        &self,
        scope: &WorkspaceScope,
        table: &'static str,
        read: impl FnOnce(&Connection, i64) -> Res<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let workspace = self
            .number(scope.workspace())
            .map_err(|fault| fault.into_store(table))?;
        self.inner
            .long
            .read(table, move |conn| read(conn, workspace))
            .await
    }

    /// Runs a change in a workspace that has no audit entry of its own, because it is part of a job.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        table: &'static str,
        id: WorkspaceId,
        work: impl FnOnce(&Tx<'_>, i64) -> Res<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .writer
            .call(table, true, move |tx| work(tx, tx.workspace(id)?))
            .await
    }

    /// Runs bulk work in a workspace, slice by slice until `slice` returns a value.
    pub(crate) async fn bulk<T: Send + 'static>(
        &self,
        table: &'static str,
        id: WorkspaceId,
        mut slice: impl FnMut(&Tx<'_>, i64) -> Res<Option<T>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .writer
            .bulk(table, move |tx| slice(tx, tx.workspace(id)?))
            .await
    }

    /// Runs a change and stores its audit entry in the same transaction. `work` may set the entry's outcome.
    pub(crate) async fn change<C, T>(
        &self,
        table: &'static str,
        write: AuthorizedWrite<C>,
        work: impl FnOnce(&Tx<'_>, i64, C, &mut PendingEntry) -> Res<T> + Send + 'static,
    ) -> Result<Audited<T>, StoreError>
    where
        C: Command + 'static,
        T: Send + 'static,
    {
        let (id, command, mut entry) = write.open();
        if !entry.once().is_empty() {
            // Only `change_once` checks the tokens.
            return Err(unsupported(text::ONCE_NOT_SUPPORTED));
        }
        self.inner
            .writer
            .call(table, true, move |tx| {
                let workspace = tx.workspace(id)?;
                let value = work(tx, workspace, command, &mut entry)?;
                let seq = tx.audit(&entry)?;
                Ok(entry.stored(seq, value))
            })
            .await
    }

    /// Runs a change and stores its audit entry in the same transaction, at most once for the tokens of the call.
    pub(crate) async fn change_once<C, T>(
        &self,
        table: &'static str,
        write: AuthorizedWrite<C>,
        work: impl FnOnce(&Tx<'_>, i64, C, &mut PendingEntry) -> Res<T> + Send + 'static,
    ) -> Result<Audited<T>, StoreError>
    where
        C: Command + 'static,
        T: StoredOutcome,
    {
        let (id, command, mut entry) = write.open();
        self.inner
            .writer
            .call(table, true, move |tx| {
                let workspace = tx.workspace(id)?;
                let now = tx.clock.now();
                if let Some((at, value)) = once::find_earlier(tx, workspace, &entry, now)? {
                    entry.set_outcome(AuditOutcome::Unchanged);
                    let seq = tx.audit(&entry)?;
                    return Ok(entry.stored_again(seq, at, value));
                }
                let value = work(tx, workspace, command, &mut entry)?;
                if !entry.once().is_empty() {
                    once::spend(tx, workspace, &entry, &value.to_text(), now)?;
                }
                let seq = tx.audit(&entry)?;
                Ok(entry.stored(seq, value))
            })
            .await
    }
}

/// The generations of a workspace: counters that increase with every change of the data that they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generations {
    /// The generation of the data that answers can show.
    pub data: u64,
    /// The generation of the API keys.
    pub keys: u64,
}
