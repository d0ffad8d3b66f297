//! The guard of a running server: notices that the database was replaced, deleted or set back, and takes checkpoints.

use crate::{
    checkpoint::{History, Taken},
    instance::Instance,
    text,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tokio::{runtime::Runtime, sync::watch, time::Instant};
use watchpost_core::{audit::checkpoint::ChainHead, error::StoreError, job::InstanceStore as _};
use watchpost_sqlite::SqliteStore;

/// Time between two looks at the database.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time from the start to the first checkpoint, so that it doesn't slow down the first answers.
const FIRST_TAKE_AFTER: Duration = Duration::from_secs(5);
/// Maximum age of the newest checkpoint while the audit trail grows.
const TAKE_EVERY: Duration = Duration::from_secs(300);

/// Identity of a file, by which another file at the same path is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(meta: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: meta.dev(),
            inode: meta.ino(),
        }
    }
    #[cfg(not(unix))]
    fn of(meta: &fs::Metadata) -> Self {
        Self {
            created: meta.created().ok(),
        }
    }
}

/// The database as it was at the last look. Rows and generations only increase.
#[derive(Debug)]
pub(crate) struct Seen {
    path: PathBuf,
    file: FileIdentity,
    size: u64,
    heads: Vec<ChainHead>,
}

/// The result of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// The database is the one of the last look, and nothing is missing.
    Same {
        /// Whether a key was created or revoked.
        keys_changed: bool,
    },
    /// The database is another one or older. The text says why.
    Different(String),
}

impl Seen {
    /// Looks at the database for the first time.
    pub(crate) async fn first(store: &SqliteStore) -> Result<Self, StoreError> {
        let path = store.path().to_owned();
        let unavailable = |error: io::Error| StoreError::Unavailable(Box::new(error));
        let meta = fs::metadata(&path).map_err(unavailable)?;
        Ok(Self {
            file: FileIdentity::of(&meta),
            size: meta.len(),
            heads: store.chain_heads(false).await?,
            path,
        })
    }

    /// Looks again: one `stat` and one statement.
    pub(crate) async fn look(&mut self, store: &SqliteStore) -> Result<Look, StoreError> {
        if let Some(problem) = self.look_at_file() {
            return Ok(Look::Different(problem.to_owned()));
        }
        let heads = store.chain_heads(false).await?;
        // The file may have been replaced between the two.
        if let Some(problem) = self.look_at_file() {
            return Ok(Look::Different(problem.to_owned()));
        }
        let mut keys_changed = heads.len() != self.heads.len();
        for earlier in &self.heads {
            let later = heads.iter().find(|head| head.workspace == earlier.workspace);
            if let Some(contradiction) = earlier.compare(later) {
                return Ok(Look::Different(contradiction.to_string()));
            }
            keys_changed |= later.is_some_and(|later| later.key_generation != earlier.key_generation);
        }
        self.heads = heads;
        Ok(Look::Same { keys_changed })
    }

    fn look_at_file(&mut self) -> Option<&'static str> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(text::checkpoint::FILE_DELETED),
            // The file can't be looked at right now, which says nothing about it.
            Err(_) => None,
            Ok(meta) if FileIdentity::of(&meta) != self.file => Some(text::checkpoint::FILE_REPLACED),
            // SQLite makes a file smaller only by VACUUM, which Watchpost doesn't run.
            Ok(meta) if meta.len() < self.size => Some(text::checkpoint::FILE_SHRUNK),
            Ok(meta) => {
                self.size = meta.len();
                None
            }
        }
    }
}

/// Compares the database with its checkpoint, then starts a thread that looks at the database every second and takes
/// checkpoints: at once after a change of keys, and every five minutes while the audit trail grows. Once the database is
/// another one or older, all keys of the process are suspended and no more checkpoints are taken. The thread runs `runtime`.
///
/// # Errors
/// If the store fails, or if the system provides no thread.
pub(crate) async fn start(
    instance: &Instance,
    runtime: Runtime,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<thread::JoinHandle<()>> {
    instance.check_history().await?;
    let mut guard = Guard::new(instance.clone(), Instant::now()).await?;
    Ok(thread::Builder::new()
        .name("watchpost-guard".into())
        .spawn(move || runtime.block_on(guard.run(stop)))?)
}

/// The state of a guard.
struct Guard {
    instance: Instance,
    seen: Seen,
    take_at: Instant,
}

impl Guard {
    async fn new(instance: Instance, now: Instant) -> Result<Self, StoreError> {
        Ok(Self {
            seen: Seen::first(instance.store()).await?,
            instance,
            take_at: now + FIRST_TAKE_AFTER,
        })
    }

    async fn run(&mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let stopped = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            if !self.step(Instant::now(), stopped).await || stopped {
                return;
            }
        }
    }

    /// Looks at the database, and takes a checkpoint if one is due. Returns whether to go on.
    async fn step(&mut self, now: Instant, last: bool) -> bool {
        let history = self.instance.history();
        if self.instance.access().suspension().is_some() {
            return false;
        }
        let keys_changed = match self.seen.look(self.instance.store()).await {
            Ok(Look::Same { keys_changed }) => keys_changed,
            Ok(Look::Different(reason)) => {
                self.instance.suspend_keys(&reason);
                return false;
            }
            // The readiness check reports a store that can't be read.
            Err(error) => {
                tracing::debug!(%error, "the database can't be looked at");
                false
            }
        };
        if keys_changed || last || now >= self.take_at {
            take(history).await;
            self.take_at = now + TAKE_EVERY;
        }
        true
    }
}

async fn take(history: &History) {
    match history.take().await {
        Ok(Taken::Written) => tracing::debug!("a checkpoint of the audit trail was written"),
        Ok(Taken::Unchanged) => {}
        Err(error) => {
            let file = history.file().unwrap_or_else(|| Path::new("")).display();
            tracing::error!(%file, error = format!("{:#}", anyhow::Error::from(error)), "no checkpoint of the audit trail can be taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{AuditSettings, Settings},
        data_dir::DataDir,
        gate::KeyGate,
        instance::{Environment, init},
        metrics::StoreProbes,
    };
    use std::sync::Arc;
    use watchpost_core::{
        access::{Expiry, KeyScope},
        audit::CallRecord,
        value::id::KeyId,
    };
    use watchpost_transport::{Caller, Credential, Gate as _, Probes as _, Refusal};

    struct Served {
        folder: tempfile::TempDir,
        instance: Instance,
        key: String,
        id: KeyId,
    }

    impl Served {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let dir = DataDir::locate(Some(&folder.path().join("data")), &|_| None).unwrap();
            init(&dir, None, &Environment::system()).await.unwrap();
            let settings = Settings {
                audit: AuditSettings {
                    checkpoint_file: folder.path().join("state/checkpoint").display().to_string(),
                    syslog: false,
                },
                ..Settings::default()
            };
            let instance = Instance::open(&dir, settings, Environment::system()).unwrap();
            let operator = instance.operator(&instance.workspace(None).await.unwrap());
            let issued = instance
                .watchpost()
                .create_key(
                    &operator,
                    "test",
                    KeyScope::Read,
                    Expiry::Year1,
                    10,
                    CallRecord::new("cli", "keys create", "{}"),
                )
                .await
                .unwrap();
            Self {
                folder,
                key: issued.key.reveal().to_owned(),
                id: issued.id,
                instance,
            }
        }
        fn database(&self) -> PathBuf {
            self.folder.path().join("data/watchpost.db")
        }
        async fn revoke(&self) {
            let operator = self
                .instance
                .operator(&self.instance.workspace(None).await.unwrap());
            let call = CallRecord::new("cli", "keys revoke", "{}");
            self.instance
                .watchpost()
                .revoke_key(&operator, self.id, call)
                .await
                .unwrap();
        }
        async fn admit(&self) -> Result<(), Refusal> {
            let gate = KeyGate::new(
                Arc::clone(self.instance.access()),
                &Settings::default().limits,
                Arc::default(),
            );
            let admitted = gate
                .admit(Some(Credential::key(&self.key)), &Caller::local())
                .await;
            admitted.map(|_| ())
        }
        async fn ready(&self) -> Result<(), String> {
            let environment = self.instance.environment();
            StoreProbes::new(
                self.instance.store().clone(),
                Arc::clone(self.instance.access()),
                Arc::clone(&environment.clock),
                Arc::default(),
                Arc::default(),
            )
            .ready()
            .await
        }
    }

    fn different(reason: &str) -> Look {
        Look::Different(reason.to_owned())
    }

    #[tokio::test]
    async fn changes_are_seen_and_the_same_database_is_recognized() {
        let served = Served::new().await;
        let store = served.instance.store();
        let mut seen = Seen::first(store).await.unwrap();
        let same = |keys_changed| Look::Same { keys_changed };
        assert_eq!(seen.look(store).await.unwrap(), same(false));
        served.revoke().await;
        assert_eq!(seen.look(store).await.unwrap(), same(true));
        served.instance.store().checkpoint().await.unwrap();
        assert_eq!(seen.look(store).await.unwrap(), same(false));
    }

    #[tokio::test]
    async fn a_deleted_replaced_or_cut_file_is_noticed() {
        let served = Served::new().await;
        let store = served.instance.store();
        store.checkpoint().await.unwrap();
        let database = served.database();
        let aside = served.folder.path().join("data/aside.db");
        let mut seen = Seen::first(store).await.unwrap();
        fs::rename(&database, &aside).unwrap();
        let deleted = different(text::checkpoint::FILE_DELETED);
        assert_eq!(seen.look(store).await.unwrap(), deleted);
        // A copy with the same content is another file.
        fs::copy(&aside, &database).unwrap();
        let replaced = different(text::checkpoint::FILE_REPLACED);
        assert_eq!(seen.look(store).await.unwrap(), replaced);
        fs::remove_file(&database).unwrap();
        fs::rename(&aside, &database).unwrap();
        assert_eq!(
            seen.look(store).await.unwrap(),
            Look::Same { keys_changed: false }
        );
        seen.size += 1;
        assert_eq!(
            seen.look(store).await.unwrap(),
            different(text::checkpoint::FILE_SHRUNK)
        );
    }

    #[tokio::test]
    async fn rows_and_keys_that_go_back_are_noticed() {
        let served = Served::new().await;
        let store = served.instance.store();
        for change in [
            (|head: &mut ChainHead| head.rows += 1) as fn(&mut ChainHead),
            |head| head.tip = [9; 32],
            |head| head.key_generation += 1,
            |head| head.workspace = watchpost_core::value::id::WorkspaceId::from_bytes([9; 16]),
        ] {
            let mut seen = Seen::first(store).await.unwrap();
            change(&mut seen.heads[0]);
            assert!(matches!(seen.look(store).await.unwrap(), Look::Different(_)));
        }
    }

    #[tokio::test]
    async fn a_server_whose_database_is_replaced_suspends_all_keys_and_is_not_ready() {
        let served = Served::new().await;
        let history = served.instance.history();
        assert_eq!(history.take().await.unwrap(), Taken::Written);
        served.instance.store().checkpoint().await.unwrap();
        let database = served.database();
        let older = served.folder.path().join("data/older.db");
        fs::copy(&database, &older).unwrap();
        assert_eq!(served.admit().await, Ok(()));
        assert_eq!(served.ready().await, Ok(()));
        let now = Instant::now();
        let mut guard = Guard::new(served.instance.clone(), now).await.unwrap();
        assert!(guard.step(now, false).await);
        served.revoke().await;
        let checkpoint = fs::read(history.file().unwrap()).unwrap();
        fs::rename(&older, &database).unwrap();
        assert!(!guard.step(now + TAKE_EVERY, false).await);
        assert!(matches!(served.admit().await, Err(Refusal::Unavailable { .. })));
        assert!(served.ready().await.unwrap_err().contains("watchpost doctor"));
        // The checkpoint isn't replaced by one of another database.
        assert_eq!(fs::read(history.file().unwrap()).unwrap(), checkpoint);
    }

    #[tokio::test]
    async fn a_change_of_keys_and_time_lead_to_a_checkpoint() {
        let served = Served::new().await;
        let history = served.instance.history().clone();
        let file = history.file().unwrap().to_owned();
        let now = Instant::now();
        let mut guard = Guard::new(served.instance.clone(), now).await.unwrap();
        let read = || fs::read_to_string(&file).ok();
        assert!(guard.step(now, false).await);
        assert_eq!(read(), None, "not before the first answers");
        let now = now + FIRST_TAKE_AFTER;
        assert!(guard.step(now, false).await);
        let first = read();
        assert!(first.is_some());
        served.revoke().await;
        assert!(guard.step(now + LOOK_EVERY, false).await);
        let second = read();
        assert_ne!(first, second, "the keys have changed");
        let workspace = served.instance.workspace(None).await.unwrap();
        let add_row = async || {
            let call = CallRecord::new("cli", "audit export", "{}");
            let operator = served.instance.operator(&workspace);
            let watchpost = served.instance.watchpost();
            watchpost.export_audit(&operator, call, drop).await.unwrap();
        };
        add_row().await;
        assert!(guard.step(now + LOOK_EVERY * 2, false).await);
        assert_eq!(read(), second, "a row alone waits");
        assert!(guard.step(now + LOOK_EVERY + TAKE_EVERY, false).await);
        let third = read();
        assert_ne!(second, third);
        add_row().await;
        assert!(guard.step(now + LOOK_EVERY * 2 + TAKE_EVERY, true).await);
        assert_ne!(read(), third, "the last one at the end of the server");
    }
}
