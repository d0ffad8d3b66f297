//! The file: permissions, rejected files, tampering, backup.

use crate::conformance::{open, options};
use rusqlite::Connection;
use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};
use watchpost_core::{
    access::{Access, KeyScope},
    audit::{AuditOutcome, AuditStore as _, AuditTarget, ChainVerdict},
    error::StoreError,
    job::{InstanceStore as _, WorkspaceRow},
    value::{id::WorkspaceId, time::Timestamp},
};
use watchpost_sqlite::{MasterKey, OpenError, SqliteStore, restore};
use watchpost_testkit::{
    SteppingClock,
    conformance::{call, run},
};

fn clock() -> Arc<SteppingClock> {
    Arc::new(SteppingClock::from("2026-03-01T08:00:00Z".parse().unwrap()))
}

fn reopen(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(options(path.to_path_buf(), clock(), 3))
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_other_users_can_access_is_rejected_with_the_chmod_command_to_run() {
    let file = open(clock());
    let path = file.path();
    file.store.close();
    let found = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(found, 0o600);
    mode(&path, 0o640);
    let error = reopen(&path).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    mode(&path, 0o600);
    let directory = path.parent().unwrap();
    mode(directory, 0o755);
    let error = reopen(&path).unwrap_err().to_string();
    assert!(error.contains("chmod 700"), "{error}");
    mode(directory, 0o700);
    reopen(&path).unwrap();
}

#[test]
fn each_kind_of_unusable_file_has_its_own_error() {
    let file = open(clock());
    let path = file.path();
    file.store.close();
    let mut missing = options(path.with_file_name("none.db"), clock(), 1);
    missing.create = false;
    assert!(matches!(
        SqliteStore::open(missing),
        Err(OpenError::Missing { .. })
    ));

    let mut emptied = options(path.with_file_name("emptied.db"), clock(), 1);
    std::fs::write(&emptied.path, b"").unwrap();
    mode(&emptied.path, 0o600);
    emptied.create = false;
    for _ in 0..2 {
        assert!(matches!(
            SqliteStore::open(emptied.clone()),
            Err(OpenError::Empty { .. })
        ));
    }
    emptied.create = true;
    SqliteStore::open(emptied).unwrap();

    let raw = Connection::open(&path).unwrap();
    let version: i64 = raw
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    raw.execute_batch("PRAGMA user_version = 999").unwrap();
    assert!(matches!(reopen(&path), Err(OpenError::Newer { found: 999, .. })));
    raw.execute_batch(&format!("PRAGMA user_version = {version}"))
        .unwrap();
    drop(raw);
    reopen(&path).unwrap();

    let mut wrong = options(path.clone(), clock(), 1);
    wrong.master = MasterKey::new([6; 32]);
    assert!(matches!(
        SqliteStore::open(wrong),
        Err(OpenError::WrongMasterKey { .. })
    ));

    let other = path.with_file_name("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    mode(&other, 0o600);
    assert!(matches!(reopen(&other), Err(OpenError::InvalidFile { .. })));
    std::fs::write(&other, vec![b'x'; 8_192]).unwrap();
    assert!(matches!(reopen(&other), Err(OpenError::InvalidFile { .. })));

    for keep in [100, 4_096, 20_000] {
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&other, &whole[..keep]).unwrap();
        // A truncated file is rejected, or its reads fail; it never causes a panic.
        if let Ok(store) = reopen(&other) {
            let _ = run(store.integrity_check());
        }
    }
}

#[test]
fn tampering_with_the_audit_log_is_detected_at_the_changed_row() {
    run(async {
        let file = open(clock());
        let store: Arc<SqliteStore> = Arc::new(file.store.clone());
        let id = WorkspaceId::from_bytes([1; 16]);
        let row = WorkspaceRow {
            id,
            name: "one".into(),
            created_at: Timestamp::from_millis(1),
        };
        store.create_workspace(&row).await.unwrap();
        let access = Access::open(store.clone(), clock());
        let scope = access.operator.enter(id, KeyScope::Read, false);
        for _ in 0..20 {
            let entry = scope.observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
            store.append(entry).await.unwrap().into_value();
        }
        let verify = || async {
            let mut verifier = watchpost_core::audit::ChainVerifier::new(id);
            for row in store.audit_page(&scope, 0, 1_000).await.unwrap() {
                if let Err(verdict) = verifier.check(&row) {
                    return verdict;
                }
            }
            verifier.finish()
        };
        assert!(matches!(verify().await, ChainVerdict::Intact { rows: 21, .. }));
        let raw = Connection::open(file.path()).unwrap();
        raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        assert!(
            raw.execute("UPDATE audit_entries SET operation = 'x' WHERE seq = 7", [])
                .is_err()
        );
        assert!(
            raw.execute("DELETE FROM audit_entries WHERE seq = 21", [])
                .is_err()
        );
        raw.execute_batch("DROP TRIGGER audit_entries_keep; DROP TRIGGER audit_entries_stay")
            .unwrap();
        raw.execute("UPDATE audit_entries SET operation = 'x' WHERE seq = 7", [])
            .unwrap();
        assert!(matches!(verify().await, ChainVerdict::Broken { seq: 7, .. }));
        raw.execute("UPDATE audit_entries SET operation = 'case' WHERE seq = 7", [])
            .unwrap();
        raw.execute("UPDATE audit_entries SET outcome = 99 WHERE seq = 9", [])
            .unwrap();
        let error = store.audit_page(&scope, 0, 1_000).await.unwrap_err();
        let StoreError::Corrupt { source, .. } = error else {
            panic!("the error is not `Corrupt`");
        };
        assert!(source.to_string().contains("row 9"), "{source}");
        raw.execute("UPDATE audit_entries SET outcome = 0 WHERE seq = 9", [])
            .unwrap();
        raw.execute("DELETE FROM audit_entries WHERE seq = 12", [])
            .unwrap();
        assert!(matches!(verify().await, ChainVerdict::Broken { seq: 12, .. }));
    });
}

#[test]
fn a_restored_backup_has_the_content_of_its_time() {
    run(async {
        let file = open(clock());
        let row = |n: u8| WorkspaceRow {
            id: WorkspaceId::from_bytes([n; 16]),
            name: format!("workspace {n}"),
            created_at: Timestamp::from_millis(1),
        };
        file.store.create_workspace(&row(1)).await.unwrap();
        let copy = file.directory.path().join("copy.db");
        file.store.backup(&copy).await.unwrap();
        assert_eq!(
            std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
            0o600
        );
        file.store.create_workspace(&row(2)).await.unwrap();
        assert!(file.store.integrity_check().await.unwrap().is_empty());
        file.store.checkpoint().await.unwrap();
        let path = file.path();
        file.store.close();
        let closed = file.store.create_workspace(&row(3)).await;
        assert!(matches!(closed, Err(StoreError::Unavailable(_))));
        restore(&copy, &path).unwrap();
        let store = reopen(&path).unwrap();
        assert_eq!(store.workspaces().await.unwrap(), [row(1)]);
        assert!(path.with_extension("before-restore.db").exists());
        store.create_workspace(&row(2)).await.unwrap();
        store.close();
        std::fs::write(&copy, b"not a store").unwrap();
        assert!(matches!(
            restore(&copy, &path),
            Err(OpenError::InvalidFile { .. })
        ));
        assert_eq!(reopen(&path).unwrap().workspaces().await.unwrap().len(), 2);
    });
}

#[test]
fn writes_are_unavailable_while_another_process_holds_the_lock() {
    run(async {
        let file = open(clock());
        let raw = Connection::open(file.path()).unwrap();
        raw.execute_batch("BEGIN IMMEDIATE").unwrap();
        let store = file.store.clone();
        let waiting = tokio::spawn(async move { store.check_ready(Timestamp::from_millis(5)).await });
        // Reads still work.
        assert!(file.store.workspaces().await.unwrap().is_empty());
        let refused = waiting.await.unwrap();
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        raw.execute_batch("ROLLBACK").unwrap();
        file.store.check_ready(Timestamp::from_millis(6)).await.unwrap();
    });
}

#[test]
fn a_store_is_read_without_its_master_key_and_without_a_change_to_its_folder() {
    run(async {
        let file = open(clock());
        let row = WorkspaceRow {
            id: WorkspaceId::from_bytes([1; 16]),
            name: "one".into(),
            created_at: Timestamp::from_millis(1),
        };
        file.store.create_workspace(&row).await.unwrap();
        let path = file.path();
        let inspect = |path: &Path| {
            let random = options(path.to_path_buf(), clock(), 1).random;
            SqliteStore::open_read_only(path, clock(), random)
        };
        let heads = file.store.chain_heads(false).await.unwrap();
        // While another process writes, and with its write-ahead log.
        let read = inspect(&path).unwrap();
        assert_eq!(read.chain_heads(false).await.unwrap(), heads);
        assert!(read.create_workspace(&row).await.is_err());
        assert!(read.chain_heads(true).await.is_err());
        file.store.close();
        // A copy alone in a folder, in which nothing appears.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("a copy?.db");
        std::fs::copy(&path, &copy).unwrap();
        mode(&copy, 0o444);
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        let read = inspect(&copy).unwrap();
        assert_eq!(read.chain_heads(false).await.unwrap(), heads);
        read.close();
        assert_eq!(names(), 1);
        let empty = folder.path().join("empty.db");
        std::fs::write(&empty, b"").unwrap();
        assert!(matches!(inspect(&empty), Err(OpenError::InvalidFile { .. })));
        let missing = folder.path().join("missing.db");
        assert!(matches!(inspect(&missing), Err(OpenError::Missing { .. })));
    });
}
