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
use watchpost_sqlite::{MasterKey, OpenError, SqliteStore, check_copy};
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

/// Another program that reads the database for a long time is noticed, and so is its end.
#[tokio::test]
async fn a_foreign_reader_that_keeps_the_log_from_being_emptied_is_noticed() {
    let file = with_entries(1).await;
    let store = &file.store;
    let workspace = store.workspaces().await.unwrap()[0].id;
    let scope =
        Access::open(Arc::new(store.clone()), clock())
            .operator
            .enter(workspace, KeyScope::Read, false);
    // Writes until the log was merged at least once.
    let write_until = async |held: bool| {
        for _ in 0..5_000 {
            if store.log_held_since().is_some() == held {
                return;
            }
            let entry = scope.observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
            store.append(entry).await.unwrap().into_value();
        }
        panic!(
            "after 5,000 entries the log is held since {:?}",
            store.log_held_since()
        );
    };
    let foreign = Connection::open(file.path()).unwrap();
    foreign
        .execute_batch("BEGIN; SELECT count(*) FROM audit_entries;")
        .unwrap();
    write_until(true).await;
    assert!(store.log_bytes() > 4_096 * 1_000 && !store.is_log_large());
    foreign.execute_batch("COMMIT").unwrap();
    write_until(false).await;
}

/// A store with a workspace and `entries` audit entries, and a folder for copies.
async fn with_entries(entries: usize) -> crate::conformance::File {
    let file = open(clock());
    let store: Arc<SqliteStore> = Arc::new(file.store.clone());
    let id = WorkspaceId::from_bytes([1; 16]);
    let row = WorkspaceRow {
        id,
        name: "one".into(),
        created_at: Timestamp::from_millis(1),
    };
    store.create_workspace(&row).await.unwrap();
    let scope = Access::open(store.clone(), clock())
        .operator
        .enter(id, KeyScope::Read, false);
    for _ in 0..entries {
        let entry = scope.observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
        store.append(entry).await.unwrap().into_value();
    }
    file
}

#[test]
fn a_backup_has_the_content_of_its_time_and_the_mode_0600() {
    run(async {
        let file = with_entries(3).await;
        let copy = file.directory.path().join("copy.db");
        file.store.backup(&copy).await.unwrap();
        assert_eq!(
            std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let second = WorkspaceRow {
            id: WorkspaceId::from_bytes([2; 16]),
            name: "two".into(),
            created_at: Timestamp::from_millis(1),
        };
        file.store.create_workspace(&second).await.unwrap();
        assert!(file.store.integrity_check().await.unwrap().is_empty());
        file.store.checkpoint().await.unwrap();
        let path = file.path();
        file.store.close();
        let closed = file.store.create_workspace(&second).await;
        assert!(matches!(closed, Err(StoreError::Unavailable(_))));
        let master = options(path.clone(), clock(), 1).master;
        let before = std::fs::read(&copy).unwrap();
        check_copy(&copy, &master).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), before);
        assert!(matches!(
            check_copy(&copy, &MasterKey::new([6; 32])),
            Err(OpenError::WrongMasterKey { .. })
        ));
        mode(file.directory.path(), 0o700);
        let store = reopen(&copy).unwrap();
        assert_eq!(store.workspaces().await.unwrap().len(), 1);
        assert_eq!(reopen(&path).unwrap().workspaces().await.unwrap().len(), 2);
    });
}

#[test]
fn a_damaged_store_is_not_copied() {
    run(async {
        let file = with_entries(400).await;
        let path = file.path();
        file.store.close();
        let whole = std::fs::read(&path).unwrap();
        let pages = whole.len() / 4_096;
        let copy = file.directory.path().join("copy.db");
        let mut refused = 0;
        // The first page is the header and the schema: without it the file doesn't open at all.
        for page in 1..pages {
            let mut damaged = whole.clone();
            damaged[page * 4_096..(page + 1) * 4_096].fill(0xA5);
            std::fs::write(&path, &damaged).unwrap();
            let Ok(store) = reopen(&path) else {
                refused += 1;
                continue;
            };
            let copied = store.backup(&copy).await;
            store.close();
            match copied {
                Err(StoreError::Corrupt { .. }) => refused += 1,
                other => panic!("page {page} is damaged, and the copy was {other:?}"),
            }
            assert!(!copy.exists());
        }
        assert_eq!(refused, pages - 1);
        std::fs::write(&path, &whole).unwrap();
        reopen(&path).unwrap().backup(&copy).await.unwrap();
    });
}

#[test]
fn a_store_with_a_changed_audit_entry_is_not_copied() {
    run(async {
        let file = with_entries(5).await;
        let raw = Connection::open(file.path()).unwrap();
        raw.execute_batch("DROP TRIGGER audit_entries_keep").unwrap();
        raw.execute("UPDATE audit_entries SET operation = 'x' WHERE seq = 3", [])
            .unwrap();
        let copy = file.directory.path().join("copy.db");
        let error = file.store.backup(&copy).await.unwrap_err();
        let StoreError::Corrupt { source, .. } = error else {
            panic!("the error is not `Corrupt`");
        };
        assert!(
            source.to_string().contains("workspace `one` is broken at row 3"),
            "{source}"
        );
        assert!(!copy.exists());
    });
}

#[test]
fn a_copy_with_a_credential_that_the_master_key_does_not_open_is_rejected() {
    run(async {
        let file = with_entries(1).await;
        let raw = Connection::open(file.path()).unwrap();
        raw.execute_batch(
            "INSERT INTO integrations (workspace_id, integration, id, platform, name, status, config, created_at) \
             VALUES (1, 1, zeroblob(16), 0, 'one', 0, '{}', 1); \
             INSERT INTO integration_secrets (workspace_id, integration, field, key_version, nonce, sealed) \
             VALUES (1, 1, 'api_token', 1, zeroblob(24), zeroblob(40))",
        )
        .unwrap();
        let copy = file.directory.path().join("copy.db");
        assert!(file.store.backup(&copy).await.is_err());
        file.store.checkpoint().await.unwrap();
        let path = file.path();
        file.store.close();
        std::fs::copy(&path, &copy).unwrap();
        let error = check_copy(&copy, &options(path, clock(), 1).master).unwrap_err();
        assert!(
            error.to_string().contains("a credential can't be opened"),
            "{error}"
        );
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
        assert!(matches!(inspect(&empty), Err(OpenError::Empty { .. })));
        let missing = folder.path().join("missing.db");
        assert!(matches!(inspect(&missing), Err(OpenError::Missing { .. })));
    });
}

#[test]
fn a_store_that_cannot_be_written_is_read_with_its_master_key() {
    run(async {
        let file = open(clock());
        let row = WorkspaceRow {
            id: WorkspaceId::from_bytes([1; 16]),
            name: "one".into(),
            created_at: Timestamp::from_millis(1),
        };
        file.store.create_workspace(&row).await.unwrap();
        let options = options(file.path(), clock(), 1);
        let read = SqliteStore::open_unwritable(&options).unwrap();
        assert_eq!(read.workspaces().await.unwrap().len(), 1);
        let other = WorkspaceRow {
            id: WorkspaceId::from_bytes([2; 16]),
            name: "two".into(),
            ..row
        };
        let refused = read.create_workspace(&other).await;
        assert!(matches!(&refused, Err(StoreError::Unavailable(source))
            if source.to_string().contains("only read")));
        // A backup reads the file in the same way.
        let copy = file.path().with_file_name("copy.db");
        read.backup(&copy).await.unwrap();
        assert!(copy.is_file());
        let mut wrong = options.clone();
        wrong.master = MasterKey::new([6; 32]);
        let refused = SqliteStore::open_unwritable(&wrong);
        assert!(matches!(refused, Err(OpenError::WrongMasterKey { .. })));
        let raw = Connection::open(file.path()).unwrap();
        raw.execute_batch("PRAGMA user_version = 3").unwrap();
        let refused = SqliteStore::open_unwritable(&options);
        assert!(matches!(refused, Err(OpenError::Older { .. })));
    });
}
