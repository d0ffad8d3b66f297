//! An opened data folder, and everything built on its store.

mod backup;
mod environment;
mod init;
mod manifest;

pub use self::{
    backup::{BackupError, Restored, restore},
    environment::Environment,
    init::{FIRST_WORKSPACE, Initialized, init},
};

use crate::{
    checkpoint::{CheckpointError, History, Mismatch, Place, Signer, Standing, checkpoint_file},
    config::Settings,
    data_dir::{DataDir, DataDirError, MasterKey, Purpose},
    engines::engines,
    metrics::StoreProbes,
    owed::{OwedEntries, TakenEntries},
    text,
};
use anyhow::Context as _;
use std::sync::Arc;
use watchpost_connectors::{ReadLimits, connectors};
use watchpost_core::{
    access::{
        Access, AccessGate, JobAuthority, KeyScope, KeyState, KeyStore as _, OperatorAuthority,
        WorkspaceScope,
    },
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord, ReadRecord, checkpoint::Contradiction},
    error::StoreError,
    integration::connector::Connector,
    job::{InstanceStore as _, WorkspaceRow},
    port::Random,
    service::{Engines, Unrecorded, Watchpost},
};
use watchpost_mcp::{CursorKey, McpServer};
use watchpost_outbound::{Outbound, OutboundSettings};
use watchpost_policy::Pack;
use watchpost_sqlite::{OpenError, SqliteStore};
use watchpost_web::{PositionKey, WebMount};

/// An opened data folder. Clones are cheap and share the store.
#[derive(Clone)]
pub struct Instance {
    settings: Arc<Settings>,
    environment: Environment,
    store: SqliteStore,
    access: Arc<AccessGate>,
    jobs: JobAuthority,
    operator: OperatorAuthority,
    engines: Engines,
    master: Arc<MasterKey>,
    history: History,
    owed: Option<OwedEntries>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Result of [`Instance::settle_owed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// The number of entries that were stored.
    pub stored: usize,
    /// The number of lines that can't be stored: damaged ones, and those of a workspace that isn't in the database.
    pub left_out: usize,
}

/// The reason why no workspace was selected.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The data folder has no workspace yet.
    #[error("this data folder has no workspace: run `watchpost init`")]
    NoneYet,
    /// The data folder has several workspaces, and none was named.
    #[error("this data folder has several workspaces: name one with `--workspace` ({})", .0.join(", "))]
    Several(Vec<String>),
    /// There is no workspace with this name.
    #[error("there is no workspace `{name}`; the workspaces are: {}", .known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names of the existing workspaces.
        known: Vec<String>,
    },
    /// The workspaces can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Instance {
    /// Opens a data folder. The built-in rules and the connectors are loaded at first use; a customer's own rules are
    /// loaded here, so that their errors are reported now.
    ///
    /// # Errors
    /// If the folder, the database, the master key or the rules are invalid. Each message says what to do.
    pub fn open(dir: &DataDir, settings: Settings, environment: Environment) -> anyhow::Result<Self> {
        let master = dir.open()?;
        let store = SqliteStore::open(environment.store(dir, &master, false))?;
        Self::over(store, master, settings, environment)
    }

    /// Opens a data folder only for reading, without a change to it: for the command line on a full disk or a read-only file
    /// system. Every write fails as unavailable.
    ///
    /// # Errors
    /// As [`Instance::open`], and if the database has a write-ahead log that can't be read where it is.
    pub fn open_read_only(
        dir: &DataDir,
        settings: Settings,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        let master = dir.open()?;
        let store = SqliteStore::open_unwritable(&environment.store(dir, &master, false))?;
        Self::over(store, master, settings, environment)
    }

    fn over(
        store: SqliteStore,
        master: MasterKey,
        settings: Settings,
        environment: Environment,
    ) -> anyhow::Result<Self> {
        let pack = match &settings.policy.dir {
            Some(path) => Pack::with_dir(path)?,
            None => Pack::builtin(),
        };
        let Access { gate, jobs, operator } =
            Access::open(Arc::new(store.clone()), Arc::clone(&environment.clock));
        let signer = Signer::derive(master.secret());
        let owed = environment.state_dir.as_ref().map(|folder| {
            let instance = signer.key().instance();
            OwedEntries::new(folder, &instance, store.path(), Arc::clone(&environment.random))
        });
        let place = checkpoint_file(&settings.audit, environment.state_dir.as_deref(), signer.key())
            .map(|file| Arc::new(Place::new(file, signer, settings.audit.syslog)));
        let history = History::new(
            store.clone(),
            operator.clone(),
            Arc::clone(&environment.clock),
            place,
        );
        Ok(Self {
            settings: Arc::new(settings),
            environment,
            store,
            access: Arc::new(gate),
            jobs,
            operator,
            engines: engines(pack),
            master: Arc::new(master),
            history,
            owed,
        })
    }

    /// The instance's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// The instance's clock and random sources.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
    /// The instance's store, for backups and checks of the file.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }
    /// The audit trail's checkpoints.
    pub const fn history(&self) -> &History {
        &self.history
    }
    /// The audit entries of commands that could not be stored; `None` if there is no folder for them.
    pub const fn owed(&self) -> Option<&OwedEntries> {
        self.owed.as_ref()
    }

    /// Stores the audit entries that are owed, each once in the log of its workspace. Stores none while the database
    /// contradicts its checkpoint.
    ///
    /// # Errors
    /// [`StoreError`] if they can't be stored yet. They stay owed.
    pub async fn settle_owed(&self) -> Result<Settled, StoreError> {
        let mut settled = Settled::default();
        let taken = self.owed.as_ref().map(OwedEntries::take).unwrap_or_default();
        if taken.is_empty() {
            return Ok(settled);
        }
        // What is stored in a database that was set back or replaced is lost.
        if let Standing::Contradicts(..) | Standing::Invalid(..) = self.history.standing().await? {
            return Ok(settled);
        }
        for taken in taken {
            self.settle(&taken, &mut settled).await?;
            taken.remove();
        }
        if settled.left_out > 0 {
            tracing::warn!(left_out = settled.left_out, "owed audit entries can't be stored");
        }
        Ok(settled)
    }

    async fn settle(&self, taken: &TakenEntries, settled: &mut Settled) -> Result<(), StoreError> {
        let mut owed = taken.entries.len();
        for row in self.store.workspaces().await? {
            let of_workspace = taken.entries.iter().filter(|entry| entry.workspace == row.id);
            let arguments: Vec<_> = of_workspace.map(|entry| entry.arguments.clone()).collect();
            if arguments.is_empty() {
                continue;
            }
            owed -= arguments.len();
            let operator = self.operator(&row);
            settled.stored += self.watchpost().settle_owed(&operator, arguments).await?;
        }
        // Another database with the same master key may have had other workspaces.
        settled.left_out += taken.unreadable + owed;
        Ok(())
    }

    /// The number of words that this process has read and that this version doesn't know. Their rows are skipped.
    pub fn unknown_words() -> u64 {
        watchpost_sqlite::unknown_words()
    }

    /// The gate that authenticates keys.
    pub fn access(&self) -> &Arc<AccessGate> {
        &self.access
    }
    /// The authority to run jobs, for the worker.
    pub fn jobs(&self) -> &JobAuthority {
        &self.jobs
    }
    /// The derived key for a purpose.
    pub(crate) fn derived(&self, purpose: Purpose) -> zeroize::Zeroizing<[u8; 32]> {
        self.master.derive(purpose)
    }

    /// The use cases without connectors, which is sufficient to answer clients.
    pub fn watchpost(&self) -> Watchpost {
        self.assemble(Vec::new(), Arc::clone(&self.environment.random))
    }

    /// The use cases with connectors, for the worker and for adding and verifying integrations.
    ///
    /// # Errors
    /// If the HTTP client can't be built, or if an allowed origin is invalid.
    pub fn watchpost_with_connectors(&self) -> anyhow::Result<Watchpost> {
        self.connected(Arc::clone(&self.environment.random))
    }

    pub(crate) fn connected(&self, random: Arc<dyn Random>) -> anyhow::Result<Watchpost> {
        let allow = &self.settings.outbound.allow;
        let settings = OutboundSettings {
            allow: allow
                .iter()
                .map(|origin| origin.parse())
                .collect::<Result<_, _>>()
                .context("`outbound.allow`")?,
            ..OutboundSettings::default()
        };
        let outbound = Outbound::new(settings, Arc::clone(&self.environment.clock), Arc::clone(&random))?;
        Ok(self.assemble(connectors(&outbound, ReadLimits::default()), random))
    }

    fn assemble(&self, connectors: Vec<Arc<dyn Connector>>, random: Arc<dyn Random>) -> Watchpost {
        Watchpost::new(
            Arc::new(self.store.clone()),
            self.engines.clone(),
            connectors,
            Arc::clone(&self.environment.clock),
            random,
        )
    }

    /// The key with which argument values are digested for the audit trail.
    pub fn audit_key(&self) -> AuditKey {
        AuditKey::new(*self.derived(Purpose::Audit))
    }

    /// Makes the MCP server.
    ///
    /// # Errors
    /// If the definition of a tool is invalid.
    pub fn mcp(&self) -> anyhow::Result<McpServer> {
        let cursors = CursorKey::new(*self.derived(Purpose::Cursor));
        Ok(McpServer::new(
            self.watchpost(),
            cursors,
            self.audit_key(),
            env!("CARGO_PKG_VERSION"),
        )?
        .with_confirmation(self.settings.mcp.confirm))
    }

    /// Makes the REST API. `probes` report the health of the server.
    pub fn rest(&self, probes: Arc<StoreProbes>) -> WebMount {
        WebMount::new(
            self.watchpost(),
            PositionKey::new(*self.derived(Purpose::Position)),
            self.audit_key(),
            env!("CARGO_PKG_VERSION"),
            probes,
        )
    }

    /// Selects the workspace with this name; without a name, the only workspace.
    ///
    /// # Errors
    /// [`WorkspaceError`], which names the existing workspaces.
    pub async fn workspace(&self, name: Option<&str>) -> Result<WorkspaceRow, WorkspaceError> {
        let mut rows = self.store.workspaces().await?;
        let names = |rows: &[WorkspaceRow]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        match name {
            Some(name) => match rows.iter().position(|row| row.name == name) {
                Some(at) => Ok(rows.swap_remove(at)),
                None => Err(WorkspaceError::Unknown {
                    name: name.to_owned(),
                    known: names(&rows),
                }),
            },
            None if rows.len() > 1 => Err(WorkspaceError::Several(names(&rows))),
            None => rows.pop().ok_or(WorkspaceError::NoneYet),
        }
    }

    /// The scope of the command line in a workspace, with all permissions of an operator.
    pub fn operator(&self, workspace: &WorkspaceRow) -> Arc<WorkspaceScope> {
        self.operator.enter(workspace.id, KeyScope::Write, true)
    }

    /// The scope of a local client without a key, on the standard input and output of this process.
    pub fn local_client(&self, workspace: &WorkspaceRow, scope: KeyScope) -> Arc<WorkspaceScope> {
        self.operator.enter(workspace.id, scope, false)
    }

    /// Whether any workspace has an active key.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn has_active_key(&self) -> Result<bool, StoreError> {
        Ok(self.active_keys().await? > 0)
    }

    /// The number of active keys in all workspaces.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn active_keys(&self) -> Result<usize, StoreError> {
        let now = self.environment.clock.now();
        let mut active = 0;
        for workspace in self.store.workspaces().await? {
            let keys = self.store.list_keys(&self.operator(&workspace)).await?;
            active += keys
                .iter()
                .filter(|key| key.state(now) == KeyState::Active)
                .count();
        }
        Ok(active)
    }

    /// Compares the database with its checkpoint, logs the result, and suspends all keys if the database contradicts it.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn check_history(&self) -> Result<Standing, StoreError> {
        let standing = self.history.standing().await?;
        match &standing {
            Standing::Off | Standing::Agrees(..) => {}
            Standing::Missing(file) => {
                tracing::warn!(file = %file.display(), "the audit trail has no checkpoint on this machine yet");
            }
            Standing::Invalid(file, reason) => {
                tracing::error!(file = %file.display(), reason, "the checkpoint of the audit trail is not valid");
            }
            Standing::Contradicts(_, mismatches) => {
                self.suspend_keys(&text::checkpoint::contradiction(mismatches));
            }
        }
        Ok(standing)
    }

    /// Suspends all keys of this process and logs why.
    pub(crate) fn suspend_keys(&self, reason: &str) {
        let reason = text::checkpoint::keys_suspended(reason);
        tracing::error!("{reason}");
        self.access.suspend(reason);
    }

    /// Accepts a database that contradicts its checkpoint, or whose checkpoint is not valid: records the gap in the audit
    /// trail of each workspace, then takes a new checkpoint. The old file is kept beside it. Returns what was accepted;
    /// `None` if there was nothing to accept.
    ///
    /// # Errors
    /// [`CheckpointError`]. A broken chain can't be accepted.
    pub async fn accept_history(&self) -> Result<Option<Vec<Mismatch>>, CheckpointError> {
        let (file, mismatches) = match self.history.standing().await? {
            Standing::Contradicts(file, mismatches) => (file, mismatches),
            Standing::Invalid(file, _) => (file, Vec::new()),
            Standing::Off | Standing::Missing(_) | Standing::Agrees(..) => return Ok(None),
        };
        let gaps: Vec<_> = mismatches.iter().map(gap_arguments).collect();
        let arguments = serde_json::json!({"gaps": gaps}).to_string();
        for workspace in self.store.workspaces().await? {
            let describe = |(): &()| ReadRecord {
                action: "audit_chain.gap_accepted",
                target: AuditTarget::new("workspace", &workspace.id),
                outcome: AuditOutcome::Ok,
                call: CallRecord::new("cli", "restore", arguments.clone()),
            };
            self.watchpost()
                .record(&self.operator(&workspace), Unrecorded::new(()), describe)
                .await?;
        }
        let kept = self.history.replace().await?;
        tracing::warn!(
            file = %file.display(),
            kept = %kept.unwrap_or_default().display(),
            "the database was accepted; the replaced checkpoint is kept"
        );
        Ok(Some(mismatches))
    }

    /// Records in the audit trail of each workspace which origins are exempt from the outbound rules, if any are.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn record_exemptions(&self) -> Result<(), StoreError> {
        let allow = &self.settings.outbound.allow;
        if allow.is_empty() {
            return Ok(());
        }
        tracing::warn!(origins = ?allow, "these origins are exempt from the outbound rules");
        let arguments = serde_json::json!({ "allow": allow }).to_string();
        for workspace in self.store.workspaces().await? {
            let describe = |(): &()| ReadRecord {
                action: "outbound.exempted",
                target: AuditTarget::default(),
                outcome: AuditOutcome::Ok,
                call: CallRecord::new("cli", "serve", arguments.clone()),
            };
            self.watchpost()
                .record(&self.operator(&workspace), Unrecorded::new(()), describe)
                .await?;
        }
        Ok(())
    }
}

/// The arguments of the audit entry that tells of a gap.
fn gap_arguments(mismatch: &Mismatch) -> serde_json::Value {
    let taken = &mismatch.checkpoint;
    let mut gap = serde_json::json!({
        "workspace": mismatch.workspace,
        "checkpoint_at": taken.at,
        "checkpoint_rows": taken.rows(),
        "checkpoint_keys": taken.key_generation,
    });
    let found = match mismatch.contradiction {
        Contradiction::WorkspaceMissing => serde_json::json!({"problem": "workspace_missing"}),
        Contradiction::RowsMissing { found, .. } => {
            serde_json::json!({"problem": "rows_missing", "rows": found})
        }
        Contradiction::RowsChanged { seq } => serde_json::json!({"problem": "rows_changed", "row": seq}),
        Contradiction::KeysOlder { found, .. } => {
            serde_json::json!({"problem": "keys_older", "keys": found})
        }
    };
    if let (Some(gap), serde_json::Value::Object(found)) = (gap.as_object_mut(), found) {
        gap.extend(found);
    }
    gap
}

/// Whether an error of [`Instance::open`] means that the database can't be opened for writing, and that
/// [`Instance::open_read_only`] may open it.
pub fn cannot_be_written(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::Unwritable { .. }))
}

/// Whether an error of opening the database may be over later, with the same file.
pub fn is_temporary(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(OpenError::Unwritable { .. } | OpenError::Unreadable { .. } | OpenError::Locked { .. })
    )
}

/// Whether an error means that the data folder must be initialized first.
pub fn needs_init(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<DataDirError>(),
        Some(DataDirError::NotInitialized(_))
    )
}

/// Whether an error means that the database is damaged.
pub fn is_damaged(error: &anyhow::Error) -> bool {
    let open = error.downcast_ref::<OpenError>();
    matches!(
        open,
        Some(OpenError::InvalidFile { .. } | OpenError::Empty { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn dir(path: &Path) -> DataDir {
        DataDir::locate(Some(path), &|_| None).unwrap()
    }

    #[tokio::test]
    async fn a_workspace_is_selected_by_name_if_there_are_several() {
        let folder = tempfile::tempdir().unwrap();
        let dir = dir(&folder.path().join("data"));
        let environment = Environment::system();
        init(&dir, None, &environment).await.unwrap();
        let open = || Instance::open(&dir, Settings::default(), environment.clone()).unwrap();
        assert_eq!(open().workspace(None).await.unwrap().name, "default");
        init(&dir, Some("other"), &environment).await.unwrap();
        let instance = open();
        assert_eq!(instance.workspace(Some("other")).await.unwrap().name, "other");
        let several = instance.workspace(None).await.unwrap_err().to_string();
        assert!(several.contains("`--workspace` (default, other)"), "{several}");
        let unknown = instance.workspace(Some("third")).await.unwrap_err().to_string();
        assert!(unknown.contains("no workspace `third`"), "{unknown}");
    }

    #[test]
    fn the_error_of_an_uninitialized_folder_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            Instance::open(&dir(folder.path()), Settings::default(), Environment::system()).unwrap_err();
        assert!(needs_init(&error), "{error}");
    }
}
