//! The demo's company with its history of thirty days.
//!
//! Building the history takes a while. [`Copy`] is for tests that need no vendors: the demo is built once for all of them, and each opens a
//! copy of its data folder. [`Live`] is for tests with syncs and scans, since its vendors answer requests.

use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
    thread,
};
use tempfile::TempDir;
use watchpost_core::{port::Clock, value::time::Timestamp};
use watchpost_runtime::{
    clock::{DemoClock, SystemRandom},
    config::Settings,
    data_dir::{DataDir, make_folder, write_private},
    demo::{Demo, DemoOptions},
    instance::{Environment, Instance},
};
use watchpost_simulator::Company;

/// A demo whose simulated vendors answer requests.
pub(crate) struct Live {
    pub(crate) demo: Demo,
    folder: TempDir,
}

impl Live {
    /// Builds a demo of a company with its history. Afterwards its clock is frozen at `now`, or runs.
    pub(crate) fn new(company: Company, now: Option<Timestamp>) -> Self {
        // On a separate thread: the caller may be inside an event loop, and the demo starts others.
        let build = move || {
            let folder = tempfile::tempdir().expect("a folder");
            let options = DemoOptions {
                data_dir: Some(folder.path().join("data")),
                now,
                settings: Settings::default(),
            };
            let demo = Demo::start_with(options, company).expect("the demo starts");
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(demo.build_history())
                .expect("the history is built");
            Self { demo, folder }
        };
        thread::spawn(build).join().expect("a demo")
    }

    pub(crate) fn data_dir(&self) -> DataDir {
        data_dir(self.folder.path())
    }
}

/// An instance with a copy of the demo's data folder. Its clock is frozen at [`now`].
pub(crate) struct Copy {
    pub(crate) instance: Instance,
    pub(crate) clock: Arc<DemoClock>,
    folder: TempDir,
}

impl Copy {
    /// The folder of the copy, to add a workspace to it.
    pub(crate) fn data_dir(&self) -> DataDir {
        data_dir(self.folder.path())
    }

    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    /// Does the same with other settings than the default ones.
    pub(crate) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = data_dir(folder.path());
        make_folder(dir.path()).expect("a folder");
        write_private(&dir.database(), &ORIGINAL.database).expect("a copy");
        write_private(dir.master_key_file(), &ORIGINAL.master_key).expect("a copy");
        let clock = Arc::new(DemoClock::new());
        clock.freeze(now());
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SystemRandom),
            state_dir: None,
        };
        Self {
            instance: Instance::open(&dir, settings, environment).expect("an instance"),
            clock,
            folder,
        }
    }
}

/// The current time in the tests.
pub(crate) fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

fn data_dir(folder: &Path) -> DataDir {
    DataDir::locate(Some(&folder.join("data")), &|_| None).expect("the folder")
}

/// The files for [`Copy`]. They are in memory so that no folder stays behind, since statics aren't dropped.
struct Files {
    database: Vec<u8>,
    master_key: Vec<u8>,
}

static ORIGINAL: LazyLock<Files> = LazyLock::new(|| {
    let live = Live::new(Company::load_embedded().expect("the company loads"), Some(now()));
    let backup = live.folder.path().join("backup.db");
    let store = live.demo.instance().store().clone();
    let to = backup.clone();
    thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(store.backup(&to))
    })
    .join()
    .expect("a thread")
    .expect("a backup");
    Files {
        database: fs::read(backup).expect("the backup"),
        master_key: fs::read(live.data_dir().master_key_file()).expect("the key"),
    }
});
