//! An open store for commands: the use cases, the operator's scope, and the audit entry of each command.

use crate::{
    failure::{code, fail, from_backup, from_core, from_store},
    output::Output,
    text,
};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use watchpost_core::{
    access::WorkspaceScope,
    audit::{CallRecord, ReadRecord},
    error::Error,
    job::WorkspaceRow,
    service::{OwedEntry, Unrecorded, Watchpost},
};
use watchpost_runtime::{
    checkpoint::{History, Mismatch},
    config::Loaded,
    data_dir::DataDir,
    instance::{self, BackupError, Environment, Initialized, Instance, Restored, WorkspaceError},
    serve::stop_signal,
    worker,
};

/// Time between two reads of the queue while a command waits.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The data folder, and the workspace that was named.
#[derive(Debug)]
pub(crate) struct Location {
    dir: DataDir,
    workspace: Option<String>,
}

/// Result of [`Session::init`].
#[derive(Debug)]
pub(crate) struct InitOutcome {
    /// The new workspace; if nothing changed, the existing ones, separated by commas.
    pub(crate) workspace: String,
    /// Whether a workspace was created.
    pub(crate) changed: bool,
}

/// An open store.
pub(crate) struct Session {
    /// The use cases, with connectors.
    pub(crate) watchpost: Watchpost,
    /// The operator's scope in the workspace.
    pub(crate) scope: Arc<WorkspaceScope>,
    /// The name of the workspace.
    pub(crate) workspace: String,
    /// Maximum number of active keys in a workspace.
    pub(crate) active_keys_max: u32,
    instance: Instance,
    /// The reason why an audit entry of this command could not be stored.
    unwritten: Mutex<Option<String>>,
}

/// The environment of the command line, with the state folder of the user.
fn environment() -> Environment {
    Environment::of_user(&|name| std::env::var(name).ok())
}

impl Location {
    /// Finds the data folder: the named one, or the default.
    pub(crate) fn find(data_dir: Option<&Path>, workspace: Option<String>) -> Result<Self> {
        Ok(Self {
            dir: DataDir::locate(data_dir, &|name| std::env::var(name).ok())?,
            workspace,
        })
    }
    /// Loads the settings with their origins.
    pub(crate) fn settings(&self) -> Result<Loaded> {
        Ok(Loaded::load(&self.dir.settings_file(), std::env::vars(), &[])?)
    }
    /// Whether the data folder has been initialized.
    pub(crate) fn is_initialized(&self) -> bool {
        self.dir.is_initialized()
    }
    /// The path of the data folder.
    pub(crate) fn data_dir(&self) -> &Path {
        self.dir.path()
    }
    /// The name of the workspace, if one was named.
    pub(crate) fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }
    /// Selects the named workspace, or all.
    pub(crate) fn select(&self, rows: Vec<WorkspaceRow>) -> Result<Vec<WorkspaceRow>> {
        let Some(name) = &self.workspace else {
            return Ok(rows);
        };
        let known = rows.iter().map(|row| row.name.clone()).collect();
        let selected: Vec<_> = rows.into_iter().filter(|row| row.name == *name).collect();
        if selected.is_empty() {
            let unknown = WorkspaceError::Unknown {
                name: name.clone(),
                known,
            };
            return Err(fail(code::NOT_FOUND, unknown.to_string()));
        }
        Ok(selected)
    }
    /// Opens the database only for reading, without its master key.
    pub(crate) fn open_history(&self) -> Result<History> {
        // A copy may have no settings, and those of the folder may not be readable.
        let settings = self
            .settings()
            .map(|loaded| loaded.settings.audit)
            .unwrap_or_default();
        let environment = environment();
        History::open_read_only(
            &self.dir,
            &settings,
            environment.state_dir.as_deref(),
            environment.clock,
            environment.random,
        )
    }
    /// Opens the instance without selecting a workspace.
    fn open_instance(&self) -> Result<Instance> {
        Instance::open(&self.dir, self.settings()?.settings, environment())
    }
    /// Returns the way in which the database contradicts its checkpoint, if it does.
    pub(crate) async fn contradiction(&self) -> Result<Option<String>> {
        let instance = self.open_instance()?;
        let standing = instance.history().standing().await.map_err(from_store);
        instance.store().close();
        Ok(standing?.contradiction())
    }
    /// Accepts a database that contradicts its checkpoint. Returns what was accepted, `None` if there was nothing to accept,
    /// and the number of active keys in all workspaces.
    pub(crate) async fn accept(&self) -> Result<(Option<Vec<Mismatch>>, usize)> {
        let instance = self.open_instance()?;
        let accepted = async {
            let accepted = instance.accept_history().await?;
            Ok((accepted, instance.active_keys().await.map_err(from_store)?))
        };
        let accepted = accepted.await;
        instance.store().close();
        accepted
    }
    /// Restores a backup into the empty data folder.
    pub(crate) fn restore(&self, file: &Path, master_key: Option<&Path>) -> Result<Restored, BackupError> {
        instance::restore(&self.dir, file, master_key)
    }
}

/// Opens the instance. If the database can't be written at all, opens it only for reading and says so. Otherwise stores the
/// audit entries that are owed.
async fn open_instance(location: &Location) -> Result<Instance> {
    let settings = location.settings()?.settings;
    let refused = match Instance::open(&location.dir, settings.clone(), environment()) {
        Ok(instance) => {
            // They stay owed if the log still can't be written.
            if let Ok(settled) = instance.settle_owed().await {
                let output = Output { json: false };
                if settled.stored > 0 {
                    output.note(&text::entries_settled(settled.stored));
                }
                if settled.left_out > 0 {
                    output.alarm(&text::entries_left_out(settled.left_out));
                }
            }
            return Ok(instance);
        }
        Err(error) => error,
    };
    if !instance::cannot_be_written(&refused) {
        return Err(refused);
    }
    let instance = Instance::open_read_only(&location.dir, settings, environment())?;
    Output { json: false }.note(&text::only_reading(&refused));
    Ok(instance)
}

fn from_workspace(error: WorkspaceError) -> anyhow::Error {
    match error {
        WorkspaceError::Store(source) => from_store(source),
        WorkspaceError::Unknown { .. } => fail(code::NOT_FOUND, error.to_string()),
        other => fail(code::USAGE, other.to_string()),
    }
}

impl Session {
    /// Opens the store.
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        let instance = open_instance(location).await?;
        let workspace = instance
            .workspace(location.workspace.as_deref())
            .await
            .map_err(from_workspace)?;
        Self::of(instance, &workspace)
    }

    /// Opens the store for a command about the whole database: a session for each workspace. With `named`, only for the
    /// workspace that was named, if one was.
    pub(crate) async fn open_each(location: &Location, named: bool) -> Result<Vec<Self>> {
        let instance = open_instance(location).await?;
        let all = instance.history().workspaces().await.map_err(from_store)?;
        if all.is_empty() {
            return Err(from_workspace(WorkspaceError::NoneYet));
        }
        let selected = location.select(all.clone())?;
        let rows = if named { selected } else { all };
        rows.iter().map(|row| Self::of(instance.clone(), row)).collect()
    }

    fn of(instance: Instance, workspace: &WorkspaceRow) -> Result<Self> {
        Ok(Self {
            watchpost: instance.watchpost_with_connectors()?,
            scope: instance.operator(workspace),
            workspace: workspace.name.clone(),
            active_keys_max: instance.settings().limits.active_keys,
            instance,
            unwritten: Mutex::default(),
        })
    }

    /// Creates the data folder with its first workspace, or adds a workspace.
    pub(crate) async fn init(location: &Location, add: Option<&str>) -> Result<InitOutcome> {
        Ok(
            match instance::init(&location.dir, add, &Environment::system()).await? {
                Initialized::Created { workspace } | Initialized::Added { workspace } => InitOutcome {
                    workspace,
                    changed: true,
                },
                Initialized::Unchanged { workspaces } => InitOutcome {
                    workspace: workspaces.join(", "),
                    changed: false,
                },
            },
        )
    }

    /// The audit trail's checkpoints.
    pub(crate) const fn history(&self) -> &History {
        self.instance.history()
    }

    /// Takes a checkpoint after a change of keys. The change stays if that fails, so the failure is a note.
    pub(crate) async fn take_checkpoint(&self, output: Output) {
        if let Err(error) = self.history().take().await {
            output.note(&text::audit::no_checkpoint_taken(&error));
        }
    }

    /// Makes the record of a command, which becomes its audit entry. `arguments` must hold neither secrets nor email
    /// addresses.
    pub(crate) fn call(&self, operation: &'static str, arguments: &Value) -> CallRecord {
        CallRecord::new("cli", operation, arguments.to_string())
    }

    /// Stores the audit entry of a read and returns its result.
    pub(crate) async fn read<T>(
        &self,
        action: &'static str,
        operation: &'static str,
        read: Unrecorded<Result<T, Error>>,
    ) -> Result<T> {
        let call = CallRecord::new("cli", operation, "{}");
        self.watchpost
            .record_or_owe(
                &self.scope,
                read,
                |read| ReadRecord::of(action, call, read),
                |entry| self.owe(&entry),
            )
            .await
            .map_err(|error| {
                *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                from_store(error)
            })?
            .map_err(from_core)
    }

    /// Returns the reason why an audit entry of this command could not be stored, if one couldn't.
    pub(crate) fn unwritten(&self) -> Option<String> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps an audit entry that can't be stored now, and says so once.
    pub(crate) fn owe(&self, entry: &OwedEntry) {
        let kept = match self.instance.owed() {
            Some(owed) => owed
                .keep(entry)
                .map(|()| owed.file())
                .map_err(|error| error.to_string()),
            None => Err(text::audit::NO_STATE_FOLDER.to_owned()),
        };
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = unwritten.replace(entry.reason.clone()).is_none();
        let output = Output { json: false };
        match kept {
            Ok(file) if is_first => output.note(&text::audit::entry_owed(file, &entry.reason)),
            Ok(_) => {}
            Err(reason) => output.alarm(&text::audit::entry_lost(&entry.operation, &entry.reason, &reason)),
        }
    }

    /// Stores the audit entry of a command that shows no data of the workspace. To be called before the command runs.
    pub(crate) async fn record(&self, action: &'static str, operation: &'static str) -> Result<()> {
        self.read(action, operation, Unrecorded::new(Ok(()))).await
    }

    /// Runs jobs until this workspace has no unfinished ones. Waits for those that other processes run. At SIGTERM, SIGINT
    /// or SIGHUP, returns the running job to the queue and fails.
    pub(crate) async fn work_until_idle(&self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<()> {
        let mut signal = std::pin::pin!(stop_signal()?);
        let (stopping, stop) = watch::channel(false);
        loop {
            let mut work = std::pin::pin!(worker::work_until_idle(&self.instance, &stop));
            loop {
                tokio::select! {
                    done = &mut work => { done?; break; }
                    () = &mut signal, if !*stop.borrow() => { let _ = stopping.send(true); }
                    () = tokio::time::sleep(POLL_INTERVAL) => { self.show_progress(progress).await?; }
                }
            }
            if *stop.borrow() {
                return Err(fail(code::UNAVAILABLE, text::STOPPED));
            }
            if self.show_progress(progress).await? == 0 {
                return Ok(());
            }
            // Other processes run the remaining jobs.
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                () = &mut signal => return Err(fail(code::UNAVAILABLE, text::STOPPED)),
            }
        }
    }

    /// Shows the progress of one of the jobs. Returns the number of unfinished jobs.
    async fn show_progress(&self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<usize> {
        let queue = self.watchpost.queue(&self.scope).await.map_err(from_store)?;
        if let Some(text) = queue.progress {
            progress(text);
        }
        Ok(queue.unfinished)
    }

    /// Returns the stored words that this version doesn't know, by table, column and row.
    pub(crate) async fn unknown_words(&self) -> Result<Vec<String>> {
        self.instance.store().unknown_words().await.map_err(from_store)
    }

    /// Returns the stored credentials that can't be opened, by field and integration.
    pub(crate) async fn unreadable_credentials(&self) -> Result<Vec<String>> {
        let read = self.instance.store().unreadable_credentials().await;
        read.map_err(from_store)
    }

    /// Notes that rows may be missing in the output, because this version doesn't know a word of theirs.
    pub(crate) fn note_unknown_words(&self) {
        let count = Instance::unknown_words();
        if count > 0 {
            Output { json: false }.alarm(&text::unknown_words(count));
        }
    }

    /// Returns the size of the write-ahead log in bytes, and whether it is larger than it is when it can be emptied.
    pub(crate) fn write_ahead_log(&self) -> (u64, bool) {
        let store = self.instance.store();
        (store.log_bytes(), store.is_log_large())
    }

    /// Checks the database file.
    pub(crate) async fn integrity_check(&self) -> Result<()> {
        let problems = self
            .instance
            .store()
            .integrity_check()
            .await
            .map_err(from_store)?;
        if problems.is_empty() {
            Ok(())
        } else {
            Err(fail(code::PROBLEM_FOUND, problems.join("; ")))
        }
    }

    /// Writes a backup of the database.
    pub(crate) async fn backup(&self, to: &Path) -> Result<()> {
        let to: PathBuf = std::path::absolute(to).with_context(|| text::backup::unresolvable(to))?;
        self.instance.backup(&to).await.map_err(from_backup)
    }

    /// Flushes and closes the store.
    pub(crate) async fn close(self) {
        self.instance.store().close();
    }
}
