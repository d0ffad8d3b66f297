//! An opened data folder, and everything that stands on its store.

mod environment;
mod init;

pub use self::{
    environment::Environment,
    init::{FIRST_WORKSPACE, Initialized, init, restore},
};

use crate::{
    config::Settings,
    data_dir::{DataDir, DataDirError, MasterKey, Purpose},
    engines::engines,
};
use anyhow::Context as _;
use std::sync::Arc;
use watchpost_connectors::{ReadLimits, connectors};
use watchpost_core::{
    access::{
        Access, AccessGate, JobAuthority, KeyScope, KeyState, KeyStore as _, OperatorAuthority,
        WorkspaceScope,
    },
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    error::StoreError,
    integration::connector::Connector,
    job::{InstanceStore as _, WorkspaceRow},
    port::Random,
    service::{Engines, Unrecorded, Watchpost},
};
use watchpost_mcp::{CursorKey, McpServer};
use watchpost_outbound::{Outbound, OutboundSettings};
use watchpost_policy::Pack;
use watchpost_sqlite::SqliteStore;

/// An opened data folder. Cheap to clone.
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
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Which workspace was meant.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceChoice {
    /// There is none yet.
    #[error("this data folder has no workspace: run `watchpost init`")]
    NoneYet,
    /// There are several and none was named.
    #[error("this data folder has several workspaces: name one with `--workspace` ({})", .0.join(", "))]
    Several(Vec<String>),
    /// The named one isn't there.
    #[error("there is no workspace `{name}`: there is {}", .known.join(", "))]
    Unknown {
        /// What was named.
        name: String,
        /// What is there.
        known: Vec<String>,
    },
    /// They can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Instance {
    /// Opens a data folder. Rules and connectors are made at first use, except a customer's own rules, whose mistakes
    /// are told here.
    ///
    /// # Errors
    /// What is wrong with folder, file, key or rules; each says what to do.
    pub fn open(dir: &DataDir, settings: Settings, environment: Environment) -> anyhow::Result<Self> {
        let master = dir.open()?;
        let store = SqliteStore::open(environment.store(dir, &master, false))?;
        let pack = match &settings.policy.dir {
            Some(path) => Pack::with_dir(path)?,
            None => Pack::builtin(),
        };
        let Access { gate, jobs, operator } =
            Access::open(Arc::new(store.clone()), Arc::clone(&environment.clock));
        Ok(Self {
            settings: Arc::new(settings),
            environment,
            store,
            access: Arc::new(gate),
            jobs,
            operator,
            engines: engines(pack),
            master: Arc::new(master),
        })
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Its clock and random source.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
    /// Its store, for backup and checks of the file.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }
    /// The gate over its keys.
    pub fn access(&self) -> &Arc<AccessGate> {
        &self.access
    }
    /// The right to work on its jobs: for the worker.
    pub fn jobs(&self) -> &JobAuthority {
        &self.jobs
    }
    /// The key for one purpose.
    pub(crate) fn derived(&self, purpose: Purpose) -> zeroize::Zeroizing<[u8; 32]> {
        self.master.derive(purpose)
    }

    /// The use cases without connectors: all that answering a client needs.
    pub fn watchpost(&self) -> Watchpost {
        self.assemble(Vec::new(), Arc::clone(&self.environment.random))
    }

    /// The use cases with connectors: for the worker, and for adding and verifying integrations.
    ///
    /// # Errors
    /// If the HTTP client can't be made, or an allowed origin can't be read.
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

    /// The key that reduces argument values in the audit log.
    pub fn audit_key(&self) -> AuditKey {
        AuditKey::new(*self.derived(Purpose::Audit))
    }

    /// The MCP server.
    ///
    /// # Errors
    /// A tool's definition that no client should see.
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

    /// The workspace with this name, or the only one.
    ///
    /// # Errors
    /// [`WorkspaceChoice`] says which there are.
    pub async fn workspace(&self, name: Option<&str>) -> Result<WorkspaceRow, WorkspaceChoice> {
        let mut rows = self.store.workspaces().await?;
        let names = |rows: &[WorkspaceRow]| rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        match name {
            Some(name) => match rows.iter().position(|row| row.name == name) {
                Some(at) => Ok(rows.swap_remove(at)),
                None => Err(WorkspaceChoice::Unknown {
                    name: name.to_owned(),
                    known: names(&rows),
                }),
            },
            None if rows.len() > 1 => Err(WorkspaceChoice::Several(names(&rows))),
            None => rows.pop().ok_or(WorkspaceChoice::NoneYet),
        }
    }

    /// The scope of the command line in a workspace: everything that an operator may do.
    pub fn operator(&self, workspace: &WorkspaceRow) -> Arc<WorkspaceScope> {
        self.operator.enter(workspace.id, KeyScope::Write, true)
    }

    /// The scope of a local client without a key, on this process's standard input and output.
    pub fn local_client(&self, workspace: &WorkspaceRow, scope: KeyScope) -> Arc<WorkspaceScope> {
        self.operator.enter(workspace.id, scope, false)
    }

    /// Whether any workspace has a usable key.
    ///
    /// # Errors
    /// The store's.
    pub async fn has_active_key(&self) -> Result<bool, StoreError> {
        let now = self.environment.clock.now();
        for workspace in self.store.workspaces().await? {
            let keys = self.store.list_keys(&self.operator(&workspace)).await?;
            if keys.iter().any(|key| key.state(now) == KeyState::Active) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts into each workspace's audit log that origins are exempt from the outbound rules, if any are.
    ///
    /// # Errors
    /// The store's.
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

/// Whether the error means that `init` has to run first.
pub fn needs_init(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<DataDirError>(),
        Some(DataDirError::NotInitialized(_))
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
    async fn a_workspace_is_chosen_by_name_where_there_are_several() {
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
    fn an_uninitialized_folder_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            Instance::open(&dir(folder.path()), Settings::default(), Environment::system()).unwrap_err();
        assert!(needs_init(&error), "{error}");
    }
}
