//! Imports whose process was killed.

use crate::conformance::{open, options};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use watchpost_core::{
    access::{Access, KeyScope},
    check::{CheckResult, Service},
    import::{ImportPermit, ImportStore as _, ImportedRow},
    job::{InstanceStore as _, WorkspaceRow},
    value::{
        id::{ImportId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::Severity,
    },
};
use watchpost_sqlite::SqliteStore;
use watchpost_testkit::{SteppingClock, conformance::run};

fn row() -> ImportedRow {
    ImportedRow {
        control: "users_mfa".into(),
        check: None,
        title: ForeignText::name("MFA"),
        result: CheckResult::Failed,
        skip: None,
        severity: Severity::High,
        service: Service::Entra,
        details: ForeignText::name(""),
        entity: None,
        frameworks: Vec::new(),
        exception: None,
        fingerprint: "0".repeat(32),
    }
}

/// The numbers of imports and of rows, and the number of lock files.
fn left(path: &Path) -> (i64, i64, usize) {
    let raw = Connection::open(path).unwrap();
    let count = |table: &str| {
        raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .unwrap()
    };
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let locks = files.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("import-")
    });
    (count("imports"), count("import_results"), locks.count())
}

#[test]
fn the_rows_of_an_import_are_deleted_once_its_process_has_ended() {
    run(async {
        let clock = Arc::new(SteppingClock::from("2026-03-01T08:00:00Z".parse().unwrap()));
        let file = open(Arc::clone(&clock));
        let path = file.path();
        let workspace = WorkspaceRow {
            id: WorkspaceId::from_bytes([1; 16]),
            name: "one".into(),
            created_at: Timestamp::from_millis(1),
        };
        file.store.create_workspace(&workspace).await.unwrap();
        let scope = Access::open(Arc::new(file.store.clone()), clock.clone())
            .operator
            .enter(workspace.id, KeyScope::Write, true);
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let permit = |n: u8| ImportPermit::new(&scope, ImportId::from_bytes([n; 16])).unwrap();
        let begin = async |store: &SqliteStore, n: u8| {
            store.begin_import(&permit(n), now).await.unwrap();
            let rows = (0..1_000).map(|_| (0, row())).collect();
            store.stage_rows(&permit(n), 0, rows, now).await.unwrap();
        };
        // Stands for another process: closing its files releases its locks, as the end of a process does.
        let other = || SqliteStore::open(options(path.clone(), clock.clone(), 2)).unwrap();
        let killed = other();
        begin(&killed, 1).await;
        file.store.enqueue_due(1, now).await.unwrap();
        assert_eq!(left(&path), (1, 1_000, 1), "an import in progress stays");
        drop(killed);
        // The next start, and every round of a server's worker.
        file.store.enqueue_due(1, now).await.unwrap();
        assert_eq!(left(&path), (0, 0, 0));
        // The next import.
        let killed = other();
        begin(&killed, 2).await;
        begin(&killed, 3).await;
        assert_eq!(left(&path), (2, 2_000, 2));
        drop(killed);
        // A process that was killed before the row was there, or after the rows were kept.
        let stray = path.with_extension(format!("import-{}.lock", ImportId::from_bytes([9; 16])));
        std::fs::write(&stray, b"").unwrap();
        std::fs::write(path.with_extension("import-mine.lock"), b"").unwrap();
        begin(&file.store, 4).await;
        assert!(!stray.exists(), "nobody holds its lock");
        std::fs::remove_file(path.with_extension("import-mine.lock")).expect("it isn't one of these files");
        assert_eq!(left(&path), (1, 1_000, 1));
        file.store.discard_import(&permit(4)).await.unwrap();
        assert_eq!(left(&path), (0, 0, 0));
    });
}
