//! The port conformance suite, run on SQLite files.

use async_trait::async_trait;
use rusqlite::Connection;
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;
use watchpost_sqlite::{MasterKey, OpenOptions, SqliteStore};
use watchpost_testkit::{
    SeededRandom, SteppingClock,
    conformance::{AnyStore, Harness, Opened},
};

pub(crate) struct Sqlite;

pub(crate) struct File {
    pub(crate) directory: TempDir,
    pub(crate) store: SqliteStore,
    clock: Arc<SteppingClock>,
}

impl File {
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("data").join("watchpost.db")
    }
}

pub(crate) fn options(path: PathBuf, clock: Arc<SteppingClock>, seed: u64) -> OpenOptions {
    OpenOptions {
        path,
        master: MasterKey::new([5; 32]),
        clock,
        random: Arc::new(SeededRandom::new(seed)),
        create: true,
    }
}

pub(crate) fn open(clock: Arc<SteppingClock>) -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data").join("watchpost.db");
    let store = SqliteStore::open(options(path, Arc::clone(&clock), 1)).unwrap();
    File {
        directory,
        store,
        clock,
    }
}

#[async_trait]
impl Harness for Sqlite {
    async fn open(&self, clock: Arc<SteppingClock>, _random: Arc<SeededRandom>) -> Box<dyn Opened> {
        Box::new(open(clock))
    }
}

impl Opened for File {
    fn store(&self) -> Arc<dyn AnyStore> {
        Arc::new(self.store.clone())
    }
    fn open_again(&self) -> Arc<dyn AnyStore> {
        let options = options(self.path(), Arc::clone(&self.clock), 2);
        Arc::new(SqliteStore::open(options).unwrap())
    }
    fn break_audit(&self, broken: bool) {
        let conn = Connection::open(self.path()).unwrap();
        conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        conn.execute_batch(if broken {
            "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END;"
        } else {
            "DROP TRIGGER broken;"
        })
        .unwrap();
    }
}

watchpost_testkit::conformance_tests!(Sqlite);
