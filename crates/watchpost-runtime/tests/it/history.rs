//! Databases that were rewritten, cut off, set back or replaced, and their checkpoints.

use rusqlite::{Connection, params};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use watchpost_core::{
    access::{AuthError, Expiry, KeyScope, WorkspaceScope},
    audit::{
        ActorKind, AuditOutcome, AuditQuery, AuditRow, AuditStore as _, AuditTarget, CallRecord,
        ChainVerdict, ReadRecord, checkpoint::Contradiction,
    },
    error::StoreError,
    service::Unrecorded,
    value::id::{KeyId, WorkspaceId},
};
use watchpost_runtime::{
    checkpoint::{CheckpointError, History, Standing, StoredCheckpoints, Taken, read_checkpoints},
    config::{AuditSettings, Settings},
    data_dir::DataDir,
    instance::{Environment, Instance, init},
};

/// A data folder with a key, and a place for checkpoints outside it.
struct World {
    folder: tempfile::TempDir,
    instance: Instance,
    operator: Arc<WorkspaceScope>,
    key: String,
    id: KeyId,
}

fn call() -> CallRecord {
    CallRecord::new("cli", "test", "{}")
}

fn open(folder: &Path) -> Instance {
    let environment = Environment {
        state_dir: Some(folder.join("state")),
        ..Environment::system()
    };
    Instance::open(&dir(folder), Settings::default(), environment).expect("the step succeeds")
}

fn dir(folder: &Path) -> DataDir {
    DataDir::locate(Some(&folder.join("data")), &|_| None).expect("the step succeeds")
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("the step succeeds");
        init(&dir(folder.path()), None, &Environment::system())
            .await
            .expect("the step succeeds");
        let instance = open(folder.path());
        let operator = instance.operator(&instance.workspace(None).await.expect("the step succeeds"));
        let issued = instance
            .watchpost()
            .create_key(&operator, "test", KeyScope::Read, Expiry::Year1, 10, call())
            .await
            .expect("the step succeeds");
        let world = Self {
            folder,
            key: issued.key.reveal().to_owned(),
            id: issued.id,
            operator,
            instance,
        };
        world.add_rows(5).await;
        world
    }
    fn history(&self) -> &History {
        self.instance.history()
    }
    fn database(&self) -> PathBuf {
        self.folder.path().join("data/watchpost.db")
    }
    async fn add_rows(&self, count: usize) {
        for _ in 0..count {
            self.instance
                .watchpost()
                .export_audit(&self.operator, call(), drop)
                .await
                .expect("the step succeeds");
        }
    }
    async fn revoke(&self) {
        let watchpost = self.instance.watchpost();
        watchpost
            .revoke_key(&self.operator, self.id, call())
            .await
            .expect("the step succeeds");
    }
    async fn take(&self) {
        assert_eq!(
            self.history().take().await.expect("the step succeeds"),
            Taken::Written
        );
    }
    /// Stops the process, changes its files, and starts it again.
    async fn restarted(self, change: impl FnOnce(&Path)) -> Self {
        self.instance.store().close();
        change(&self.database());
        let instance = open(self.folder.path());
        instance.check_history().await.expect("the step succeeds");
        Self { instance, ..self }
    }
    async fn contradiction(&self) -> Option<Contradiction> {
        match self.history().standing().await.expect("the step succeeds") {
            Standing::Agrees(..) => None,
            Standing::Contradicts(_, mismatches) => Some(mismatches[0].contradiction),
            other => panic!("{other:?}"),
        }
    }
    /// Asserts that no key is accepted, that the checkpoint stays, and that the whole trail contradicts it, too.
    async fn assert_suspended(&self) {
        let admitted = self.instance.access().authenticate(&self.key).await;
        assert!(matches!(admitted, Err(AuthError::Suspended)), "{admitted:?}");
        let before = fs::read(self.history().file().expect("the step succeeds")).expect("the step succeeds");
        let taken = self.history().take().await;
        assert!(matches!(taken, Err(CheckpointError::Contradicts(_))), "{taken:?}");
        assert_eq!(
            fs::read(self.history().file().expect("the step succeeds")).expect("the step succeeds"),
            before
        );
        let StoredCheckpoints::Valid(checkpoints, _) = read_checkpoints(
            self.history().file().expect("the step succeeds"),
            self.history().key(),
        ) else {
            panic!("a checkpoint")
        };
        let verified = self
            .history()
            .verify(self.operator.workspace(), checkpoints.first(), &|_| ());
        assert!(verified.await.expect("the step succeeds").contradiction.is_some());
    }
    async fn rows(&self) -> Vec<AuditRow> {
        let page = self.instance.store().audit_page(&self.operator, 0, 1_000);
        page.await.expect("the step succeeds")
    }
}

/// Opens the database as someone with access to the file does, without the triggers that keep the rows.
fn tamper(database: &Path) -> Connection {
    let raw = Connection::open(database).expect("the step succeeds");
    raw.execute_batch("DROP TRIGGER audit_entries_keep; DROP TRIGGER audit_entries_stay;")
        .expect("the step succeeds");
    raw
}

/// Changes a row and computes all hashes from it on again.
fn edit_and_hash_again(database: &Path, workspace: WorkspaceId, seq: u64, rows: &[AuditRow]) {
    let raw = tamper(database);
    let mut previous = None;
    for row in rows {
        let mut row = row.clone();
        if row.seq == seq {
            row.operation = "nothing".into();
        }
        row.prev_hash = previous.unwrap_or([0; 32]);
        row.row_hash = row.expected_hash(workspace);
        previous = Some(row.row_hash);
        raw.execute(
            "UPDATE audit_entries SET operation = ?2, prev_hash = ?3, row_hash = ?4 WHERE seq = ?1",
            params![
                i64::try_from(row.seq).expect("the step succeeds"),
                row.operation.as_ref(),
                row.prev_hash,
                row.row_hash
            ],
        )
        .expect("the step succeeds");
    }
}

#[tokio::test]
async fn a_database_that_goes_on_agrees_with_its_checkpoint() {
    let world = World::new().await;
    world.take().await;
    assert_eq!(
        world.history().take().await.expect("the step succeeds"),
        Taken::Unchanged
    );
    world.add_rows(3).await;
    let world = world.restarted(|_| ()).await;
    assert_eq!(world.contradiction().await, None);
    assert!(world.instance.access().authenticate(&world.key).await.is_ok());
    world.take().await;
    let StoredCheckpoints::Valid(checkpoints, _) = read_checkpoints(
        world.history().file().expect("the step succeeds"),
        world.history().key(),
    ) else {
        panic!("a checkpoint")
    };
    assert_eq!(checkpoints[0].rows(), world.rows().await.len() as u64);
    let verified = world
        .history()
        .verify(world.operator.workspace(), checkpoints.first(), &|_| ())
        .await
        .expect("the step succeeds");
    assert!(matches!(verified.chain, ChainVerdict::Intact { .. }));
    assert_eq!(verified.contradiction, None);
}

#[tokio::test]
async fn a_chain_that_was_edited_and_hashed_again_is_found() {
    for edited in [1, 4] {
        let world = World::new().await;
        world.take().await;
        world.add_rows(2).await;
        let (workspace, rows) = (world.operator.workspace(), world.rows().await);
        let world = world
            .restarted(|database| edit_and_hash_again(database, workspace, edited, &rows))
            .await;
        let chain = world
            .history()
            .verify(workspace, None, &|_| ())
            .await
            .expect("the step succeeds")
            .chain;
        assert!(
            matches!(chain, ChainVerdict::Intact { .. }),
            "the chain alone shows nothing"
        );
        assert!(matches!(
            world.contradiction().await,
            Some(Contradiction::RowsChanged { .. })
        ));
        world.assert_suspended().await;
    }
}

#[tokio::test]
async fn a_chain_that_was_cut_off_is_found_and_so_is_one_that_grew_again() {
    let world = World::new().await;
    world.take().await;
    let count = world.rows().await.len() as u64;
    let last = i64::try_from(count).expect("the step succeeds");
    let world = world
        .restarted(|database| {
            let raw = tamper(database);
            raw.execute("DELETE FROM audit_entries WHERE seq >= ?1", [last - 1])
                .expect("the step succeeds");
        })
        .await;
    let cut = Contradiction::RowsMissing {
        expected: count,
        found: count - 2,
    };
    assert_eq!(world.contradiction().await, Some(cut));
    world.assert_suspended().await;
    // New rows have taken the numbers of those that were cut off.
    world.add_rows(4).await;
    assert_eq!(
        world.contradiction().await,
        Some(Contradiction::RowsChanged { seq: count })
    );
    world.assert_suspended().await;
}

#[tokio::test]
async fn a_revoked_key_does_not_work_again_after_yesterdays_database_is_put_back() {
    let world = World::new().await;
    world.take().await;
    let yesterday = fs::read({
        world
            .instance
            .store()
            .checkpoint()
            .await
            .expect("the step succeeds");
        world.database()
    })
    .expect("the step succeeds");
    world.revoke().await;
    world.take().await;
    let world = world
        .restarted(|database| fs::write(database, yesterday).expect("the step succeeds"))
        .await;
    assert!(matches!(
        world.contradiction().await,
        Some(Contradiction::RowsMissing { .. })
    ));
    world.assert_suspended().await;
}

#[tokio::test]
async fn older_keys_are_found_even_if_the_rows_are_there() {
    let world = World::new().await;
    world.revoke().await;
    world.take().await;
    let world = world
        .restarted(|database| {
            Connection::open(database)
                .expect("the step succeeds")
                .execute_batch(
                    "UPDATE api_keys SET revoked_at = NULL; UPDATE workspaces SET key_generation = key_generation - 1;",
                )
                .expect("the step succeeds");
        })
        .await;
    assert!(matches!(
        world.contradiction().await,
        Some(Contradiction::KeysOlder { .. })
    ));
    world.assert_suspended().await;
}

#[tokio::test]
async fn a_lost_write_ahead_log_is_found() {
    let world = World::new().await;
    world
        .instance
        .store()
        .checkpoint()
        .await
        .expect("the step succeeds");
    world.revoke().await;
    world.take().await;
    // The file without its log, as a process that was killed and a deleted log leave it.
    let without_log = fs::read(world.database()).expect("the step succeeds");
    assert!(
        fs::metadata(world.database().with_extension("db-wal"))
            .expect("the step succeeds")
            .len()
            > 0
    );
    let world = world
        .restarted(|database| fs::write(database, without_log).expect("the step succeeds"))
        .await;
    assert!(world.contradiction().await.is_some());
    world.assert_suspended().await;
}

#[tokio::test]
async fn another_database_with_the_same_master_key_is_found() {
    let world = World::new().await;
    world.take().await;
    let other = world.folder.path().join("other");
    fs::create_dir(&other).expect("the step succeeds");
    let key = world.folder.path().join("data/master.key");
    let variables = |name: &str| (name == "WATCHPOST_MASTER_KEY_FILE").then(|| key.display().to_string());
    let other = DataDir::locate(Some(&other.join("data")), &variables).expect("the step succeeds");
    init(&other, None, &Environment::system())
        .await
        .expect("the step succeeds");
    let world = world
        .restarted(|database| {
            fs::copy(other.database(), database).expect("the step succeeds");
        })
        .await;
    assert_eq!(world.contradiction().await, Some(Contradiction::WorkspaceMissing));
}

#[tokio::test]
async fn an_accepted_database_goes_on_with_an_entry_that_tells_of_the_gap() {
    let world = World::new().await;
    world
        .instance
        .store()
        .checkpoint()
        .await
        .expect("the step succeeds");
    let older = fs::read(world.database()).expect("the step succeeds");
    world.add_rows(4).await;
    world.take().await;
    let refused = fs::read(world.history().file().expect("the step succeeds")).expect("the step succeeds");
    let world = world
        .restarted(|database| fs::write(database, older).expect("the step succeeds"))
        .await;
    world.assert_suspended().await;
    let gaps = world
        .instance
        .accept_history()
        .await
        .expect("the step succeeds")
        .expect("the step succeeds");
    assert_eq!(gaps.len(), 1);
    let rows = world.rows().await;
    let entry = rows.last().expect("the step succeeds");
    assert_eq!(entry.action, "audit_chain.gap_accepted");
    assert_eq!(
        (entry.actor_kind, entry.outcome),
        (ActorKind::LocalOperator, AuditOutcome::Ok)
    );
    assert!(
        entry.arguments.contains("\"problem\":\"rows_missing\""),
        "{}",
        entry.arguments
    );
    assert_eq!(world.contradiction().await, None);
    assert_eq!(
        world.instance.accept_history().await.expect("the step succeeds"),
        None,
        "once"
    );
    let state = world
        .history()
        .file()
        .expect("the step succeeds")
        .parent()
        .expect("the step succeeds");
    let kept = fs::read_dir(state)
        .expect("the step succeeds")
        .any(|file| fs::read(file.expect("the step succeeds").path()).expect("the step succeeds") == refused);
    assert!(kept, "the replaced checkpoint is kept");
    let world = world.restarted(|_| ()).await;
    assert!(world.instance.access().authenticate(&world.key).await.is_ok());
}

#[tokio::test]
async fn a_missing_checkpoint_stops_nothing() {
    let world = World::new().await;
    world.take().await;
    fs::remove_file(world.history().file().expect("the step succeeds")).expect("the step succeeds");
    let world = world.restarted(|_| ()).await;
    assert!(matches!(
        world.history().standing().await.expect("the step succeeds"),
        Standing::Missing(_)
    ));
    assert!(world.instance.access().authenticate(&world.key).await.is_ok());
    world.take().await;
    assert_eq!(world.contradiction().await, None);
}

#[tokio::test]
async fn an_altered_checkpoint_is_reported_and_kept_and_stops_nothing() {
    let world = World::new().await;
    world.take().await;
    let file = world.history().file().expect("the step succeeds").to_owned();
    let altered = fs::read_to_string(&file)
        .expect("the step succeeds")
        .replacen("keys ", "keys 9", 1);
    fs::write(&file, &altered).expect("the step succeeds");
    let world = world.restarted(|_| ()).await;
    assert!(matches!(
        world.history().standing().await.expect("the step succeeds"),
        Standing::Invalid(..)
    ));
    assert!(world.instance.access().authenticate(&world.key).await.is_ok());
    world.take().await;
    let mut kept = file.into_os_string();
    kept.push(".invalid");
    assert_eq!(fs::read_to_string(kept).expect("the step succeeds"), altered);
}

#[tokio::test]
async fn a_broken_chain_gets_no_checkpoint() {
    let world = World::new().await;
    let world = world
        .restarted(|database| {
            tamper(database)
                .execute("UPDATE audit_entries SET operation = 'nothing' WHERE seq = 3", [])
                .expect("the step succeeds");
        })
        .await;
    let taken = world.history().take().await;
    assert!(
        matches!(taken, Err(CheckpointError::Broken { seq: 3, .. })),
        "{taken:?}"
    );
    assert!(!world.history().file().expect("the step succeeds").exists());
}

#[tokio::test]
async fn a_copy_is_verified_without_its_master_key_and_without_a_change() {
    let world = World::new().await;
    world.take().await;
    let checkpoint = world.history().file().expect("the step succeeds").to_owned();
    let key = *world.history().key().expect("the step succeeds");
    let workspace = world.operator.workspace();
    world.instance.store().close();
    let copy = tempfile::tempdir().expect("the step succeeds");
    fs::create_dir(copy.path().join("data")).expect("the step succeeds");
    fs::copy(world.database(), copy.path().join("data/watchpost.db")).expect("the step succeeds");
    let environment = Environment::system();
    let history = History::open_read_only(
        &dir(copy.path()),
        &AuditSettings::default(),
        None,
        environment.clock,
        environment.random,
    )
    .expect("the step succeeds");
    assert_eq!((history.file(), history.key()), (None, None));
    let StoredCheckpoints::Valid(checkpoints, signed_by) = read_checkpoints(&checkpoint, None) else {
        panic!("a checkpoint")
    };
    assert_eq!(signed_by, key);
    let verified = history
        .verify(workspace, checkpoints.first(), &|_| ())
        .await
        .expect("the step succeeds");
    assert!(matches!(verified.chain, ChainVerdict::Intact { .. }));
    assert_eq!(verified.contradiction, None);
    assert_eq!(
        fs::read_dir(copy.path().join("data"))
            .expect("the step succeeds")
            .count(),
        1
    );
}

#[tokio::test]
async fn each_workspace_has_a_checkpoint_and_each_data_folder_a_file() {
    let world = World::new().await;
    init(&dir(world.folder.path()), Some("second"), &Environment::system())
        .await
        .expect("the step succeeds");
    world.take().await;
    let StoredCheckpoints::Valid(checkpoints, _) = read_checkpoints(
        world.history().file().expect("the step succeeds"),
        world.history().key(),
    ) else {
        panic!("checkpoints")
    };
    assert_eq!(checkpoints.len(), 2);
    let other = World::new().await;
    assert_ne!(
        world.history().file().expect("the step succeeds").file_name(),
        other.history().file().expect("the step succeeds").file_name()
    );
}

#[tokio::test]
async fn nothing_is_written_outside_the_data_folder_unless_the_binary_names_a_place() {
    let world = World::new().await;
    world.instance.store().close();
    let instance = Instance::open(
        &dir(world.folder.path()),
        Settings::default(),
        Environment::system(),
    )
    .expect("the step succeeds");
    assert_eq!(
        instance.check_history().await.expect("the step succeeds"),
        Standing::Off
    );
    assert_eq!(
        instance.history().take().await.expect("the step succeeds"),
        Taken::Unchanged
    );
    let names: Vec<_> = fs::read_dir(world.folder.path())
        .expect("the step succeeds")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

/// The actions of the newest entries, newest first.
async fn newest_actions(instance: &Instance, operator: &WorkspaceScope, count: usize) -> Vec<String> {
    let query = AuditQuery {
        limit: count,
        ..AuditQuery::default()
    };
    let rows = instance.store().list_entries(operator, &query).await;
    let rows = rows.expect("the step succeeds").into_iter();
    rows.map(|row| row.action.into_owned()).collect()
}

/// Reads something while the database can't be written, and keeps the entry.
async fn owe(world: &World) -> StoreError {
    let environment = Environment {
        state_dir: Some(world.folder.path().join("state")),
        ..Environment::system()
    };
    let instance = Instance::open_read_only(&dir(world.folder.path()), Settings::default(), environment)
        .expect("the step succeeds");
    let read = || Unrecorded::new(7);
    let describe = |_: &i32| ReadRecord {
        action: "finding.read",
        target: AuditTarget::default(),
        outcome: AuditOutcome::Ok,
        call: call(),
    };
    let owed = instance.owed().expect("a state folder");
    let watchpost = instance.watchpost();
    let opened = watchpost
        .record_or_owe(&world.operator, read(), describe, |entry| {
            assert!(entry.reason.contains("only read"), "{}", entry.reason);
            owed.keep(&entry).expect("the step succeeds");
        })
        .await;
    assert_eq!(opened.expect("the step succeeds"), 7);
    // Only for the person at the machine.
    let workspace = instance.workspace(None).await.expect("the step succeeds");
    let client = instance.local_client(&workspace, KeyScope::Read);
    let kept = |_| panic!("kept for a client");
    let refused = watchpost.record_or_owe(&client, read(), describe, kept).await;
    refused.expect_err("no answer without an entry")
}

#[tokio::test]
async fn an_owed_entry_is_stored_once_when_the_log_can_be_written() {
    let world = World::new().await;
    let refused = owe(&world).await;
    assert!(matches!(refused, StoreError::AuditUnavailable(_)), "{refused:?}");
    owe(&world).await;
    let file = world.instance.owed().expect("a state folder").file();
    let kept = fs::read(file).expect("the step succeeds");
    let settled = world.instance.settle_owed().await.expect("the step succeeds");
    assert_eq!((settled.stored, settled.left_out), (2, 0));
    let newest = newest_actions(&world.instance, &world.operator, 3).await;
    assert_eq!(newest[..2], ["audit.settled", "audit.settled"]);
    assert_ne!(newest[2], "audit.settled");
    // A process that was killed before it emptied the file, and a line that isn't one.
    fs::write(file, [kept.as_slice(), b"{}\n"].concat()).expect("the step succeeds");
    let settled = world.instance.settle_owed().await.expect("the step succeeds");
    assert_eq!((settled.stored, settled.left_out), (0, 1));
    let settled = world.instance.settle_owed().await.expect("the step succeeds");
    assert_eq!((settled.stored, settled.left_out), (0, 0));
    let newest = newest_actions(&world.instance, &world.operator, 3).await;
    assert_ne!(newest[2], "audit.settled");
}

#[tokio::test]
async fn an_owed_entry_is_not_stored_in_a_database_that_was_set_back() {
    let world = World::new().await;
    world
        .instance
        .store()
        .checkpoint()
        .await
        .expect("the step succeeds");
    let older = fs::read(world.database()).expect("the step succeeds");
    world.add_rows(3).await;
    world.take().await;
    owe(&world).await;
    let world = world
        .restarted(|path| fs::write(path, older).expect("the step succeeds"))
        .await;
    assert!(world.contradiction().await.is_some());
    let settled = world.instance.settle_owed().await.expect("the step succeeds");
    assert_eq!(settled.stored, 0);
    // Once the operator has accepted it, it is the database.
    world.instance.accept_history().await.expect("the step succeeds");
    let settled = world.instance.settle_owed().await.expect("the step succeeds");
    assert_eq!(settled.stored, 1);
}
