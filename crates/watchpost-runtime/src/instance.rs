//! An opened data folder, and everything that stands on its store.

use crate::{
    clock::{SystemClock, SystemRandom},
    config::Settings,
    data_dir::{DataDir, DataDirError, MasterKey, Purpose, write_private},
    engines::engines,
};
use anyhow::Context as _;
use std::{path::Path, sync::Arc};
use watchpost_connectors::{ReadLimits, connectors};
use watchpost_core::{
    access::{Access, AccessGate, JobAuthority, KeyScope, KeyState, OperatorAuthority, WorkspaceScope},
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord},
    error::StoreError,
    job::{InstanceStore, WorkspaceRow},
    port::{Clock, Random},
    service::{Engines, Watchpost},
    value::id::WorkspaceId,
};
use watchpost_mcp::{CursorKey, McpServer};
use watchpost_outbound::{Outbound, OutboundSettings};
use watchpost_policy::PolicyPack;
use watchpost_sqlite::{OpenOptions, SqliteStore};

/// The workspace that `init` makes unless told another name.
pub const FIRST_WORKSPACE: &str = "default";
/// Longest name of a workspace, in characters.
const WORKSPACE_NAME_CHARS_MAX: usize = 100;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Environment {
    /// The clock of everything.
    pub clock: Arc<dyn Clock>,
    /// For keys, nonces and markers.
    pub random: Arc<dyn Random>,
    /// For what the store makes by itself. Another one only in the demo.
    pub store_random: Arc<dyn Random>,
}

impl Environment {
    /// The system's.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SystemRandom),
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

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

/// What `init` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initialized {
    /// The folder is new and has this workspace.
    Created {
        /// The workspace's name.
        workspace: String,
    },
    /// The folder was there; the workspace is new.
    Added {
        /// The workspace's name.
        workspace: String,
    },
    /// All was there already.
    Unchanged {
        /// The workspaces, by name.
        workspaces: Vec<String>,
    },
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

/// Makes the data folder with its first workspace, or, with `add`, one more workspace. Harmless when all is there.
///
/// # Errors
/// What is wrong with the folder, the file or the name; each says what to do.
pub async fn init(
    dir: &DataDir,
    add: Option<&str>,
    environment: &Environment,
) -> anyhow::Result<Initialized> {
    let name = add.unwrap_or(FIRST_WORKSPACE);
    let plain = |c: char| !c.is_control();
    if name.trim() != name
        || name.is_empty()
        || name.chars().count() > WORKSPACE_NAME_CHARS_MAX
        || !name.chars().all(plain)
    {
        anyhow::bail!(
            "a workspace's name has 1 to {WORKSPACE_NAME_CHARS_MAX} characters without spaces around it"
        );
    }
    let is_new = !dir.is_initialized();
    let master = dir.create(environment.random.as_ref())?;
    let store = SqliteStore::open(open_options(dir, &master, environment, true))?;
    let known: Vec<String> = store
        .workspaces()
        .await?
        .into_iter()
        .map(|row| row.name)
        .collect();
    if known.iter().any(|known| known == name) || (add.is_none() && !known.is_empty()) {
        store.close();
        return Ok(Initialized::Unchanged { workspaces: known });
    }
    let row = WorkspaceRow {
        id: WorkspaceId::generate(environment.clock.as_ref(), environment.random.as_ref()),
        name: name.to_owned(),
        created_at: environment.clock.now(),
    };
    store
        .create_workspace(&row)
        .await
        .with_context(|| format!("the workspace `{name}` can't be made"))?;
    store.close();
    let workspace = row.name;
    Ok(if is_new {
        Initialized::Created { workspace }
    } else {
        Initialized::Added { workspace }
    })
}

/// Puts a backup into an empty data folder, and, if given, the master key that belongs to it.
///
/// # Errors
/// If the folder isn't empty or can't be made, or the backup can't be read.
pub fn restore(dir: &DataDir, backup: &Path, master_key: Option<&Path>) -> anyhow::Result<()> {
    if dir.is_initialized() {
        anyhow::bail!(
            "`{}` holds data already: name an empty folder",
            dir.path().display()
        );
    }
    crate::data_dir::make_folder(dir.path())?;
    if let Some(from) = master_key {
        let key = std::fs::read(from).with_context(|| format!("can't read `{}`", from.display()))?;
        write_private(dir.master_key_file(), &key)?;
    }
    watchpost_sqlite::restore(backup, &dir.database())?;
    // Says at once if key and database don't belong together.
    dir.open()?;
    Ok(())
}

fn open_options(dir: &DataDir, master: &MasterKey, environment: &Environment, create: bool) -> OpenOptions {
    OpenOptions {
        path: dir.database(),
        master: master.for_store(),
        clock: Arc::clone(&environment.clock),
        random: Arc::clone(&environment.store_random),
        create,
    }
}

impl Instance {
    /// Opens a data folder. Rules and connectors are made at first use, except a customer's own rules, whose mistakes
    /// are told here.
    ///
    /// # Errors
    /// What is wrong with folder, file, key or rules; each says what to do.
    pub fn open(dir: &DataDir, settings: Settings, environment: Environment) -> anyhow::Result<Self> {
        let master = dir.open()?;
        let store = SqliteStore::open(open_options(dir, &master, &environment, false))?;
        let pack = match &settings.policy.dir {
            Some(path) => PolicyPack::with_dir(path)?,
            None => PolicyPack::builtin(),
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
    pub fn answering(&self) -> Watchpost {
        self.watchpost(Vec::new(), Arc::clone(&self.environment.random))
    }

    /// The use cases with connectors: for the worker, and for adding and verifying integrations.
    ///
    /// # Errors
    /// If the HTTP client can't be made, or an allowed origin can't be read.
    pub fn connecting(&self) -> anyhow::Result<Watchpost> {
        self.connecting_with(Arc::clone(&self.environment.random))
    }

    pub(crate) fn connecting_with(&self, random: Arc<dyn Random>) -> anyhow::Result<Watchpost> {
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
        Ok(self.watchpost(connectors(&outbound, ReadLimits::default()), random))
    }

    fn watchpost(
        &self,
        connectors: Vec<Arc<dyn watchpost_core::integration::connector::Connector>>,
        random: Arc<dyn Random>,
    ) -> Watchpost {
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
            self.answering(),
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
        use watchpost_core::access::KeyStore as _;
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
            self.answering()
                .record(
                    &self.operator(&workspace),
                    "outbound.exempted",
                    AuditTarget::default(),
                    AuditOutcome::Ok,
                    CallRecord::new("cli", "serve", arguments.clone()),
                )
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
    async fn a_second_init_changes_nothing_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let dir = dir(&folder.path().join("data"));
        let environment = Environment::system();
        let first = init(&dir, None, &environment).await.unwrap();
        assert_eq!(
            first,
            Initialized::Created {
                workspace: "default".into()
            }
        );
        let unchanged = Initialized::Unchanged {
            workspaces: vec!["default".into()],
        };
        assert_eq!(init(&dir, None, &environment).await.unwrap(), unchanged);
        assert_eq!(
            init(&dir, Some("default"), &environment).await.unwrap(),
            unchanged
        );
        let added = init(&dir, Some("Second one"), &environment).await.unwrap();
        assert_eq!(
            added,
            Initialized::Added {
                workspace: "Second one".into()
            }
        );
        for wrong in ["", " x", "x\n"] {
            assert!(init(&dir, Some(wrong), &environment).await.is_err(), "{wrong:?}");
        }
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
