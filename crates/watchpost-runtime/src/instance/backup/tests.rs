//! Backups and restores that fail, and what they leave.

use super::*;
use crate::{
    config::Settings,
    data_dir::make_folder,
    instance::{Environment, init},
};
use watchpost_core::job::InstanceStore as _;

struct Folders {
    scratch: tempfile::TempDir,
    source: DataDir,
}

fn dir(path: &Path) -> DataDir {
    DataDir::locate(Some(path), &|_| None).unwrap()
}

impl Folders {
    /// A data folder with a workspace.
    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let source = dir(&scratch.path().join("source"));
        init(&source, None, &Environment::system()).await.unwrap();
        Self { scratch, source }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn open(&self) -> Instance {
        Instance::open(&self.source, Settings::default(), Environment::system()).unwrap()
    }

    async fn backup(&self, name: &str) -> PathBuf {
        let file = self.path(name);
        let instance = self.open();
        instance.backup(&file).await.unwrap();
        instance.store().close();
        file
    }

    fn key(&self) -> &Path {
        self.source.master_key_file()
    }

    /// The names in the scratch folder, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.scratch.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

async fn assert_complete(dir: &DataDir) {
    let instance = Instance::open(dir, Settings::default(), Environment::system()).unwrap();
    assert_eq!(instance.store().workspaces().await.unwrap().len(), 1);
    instance.store().close();
}

#[tokio::test]
async fn a_backup_consists_of_the_database_and_its_manifest() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    assert_eq!(folders.names(), ["copy.db", "copy.db.manifest.json", "source"]);
    let instance = folders.open();
    let again = instance.backup(&file).await;
    assert!(matches!(again, Err(BackupError::FileExists(_))), "{again:?}");
    let target = dir(&folders.path("restored"));
    let restored = restore(&target, &file, Some(folders.key())).unwrap();
    assert!(restored.has_manifest);
    assert_complete(&target).await;
    let names: Vec<_> = fs::read_dir(target.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let again = restore(&target, &file, Some(folders.key()));
    assert!(
        matches!(again, Err(BackupError::Folder(DataDirError::InUse(_)))),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_backup_in_which_any_bit_changed_is_not_restored() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    let whole = fs::read(&file).unwrap();
    let target = dir(&folders.path("restored"));
    let before = folders.names();
    let assert_refused = |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).unwrap();
        let error = restore(&target, &file, Some(folders.key())).unwrap_err();
        assert!(matches!(error, BackupError::Changed(_)), "{what}: {error}");
        assert_eq!(folders.names(), before, "{what}");
    };
    // An odd distance, so that every part of a page is hit in some page.
    for at in (0..whole.len()).step_by(whole.len() / 200 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        assert_refused(&bytes, &format!("a bit of byte {at}"));
    }
    assert_refused(&whole[..whole.len() - 4_096], "the last page is missing");
    assert_refused(&[&whole[..], b"x"].concat(), "a byte more");
    assert_refused(b"", "empty");
    fs::write(&file, &whole).unwrap();
    let manifest = manifest_file(&file);
    let text = fs::read_to_string(&manifest).unwrap();
    for changed in [
        String::new(),
        text.replace("backup-1", "backup-2"),
        text.replace("sha256", "sha255"),
    ] {
        fs::write(&manifest, changed).unwrap();
        let error = restore(&target, &file, Some(folders.key())).unwrap_err();
        assert!(matches!(error, BackupError::InvalidManifest(_)), "{error}");
    }
    fs::write(&manifest, text).unwrap();
    restore(&target, &file, Some(folders.key())).unwrap();
}

#[tokio::test]
async fn a_backup_without_a_manifest_is_restored_after_all_other_checks() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    fs::remove_file(manifest_file(&file)).unwrap();
    let whole = fs::read(&file).unwrap();
    let target = dir(&folders.path("restored"));
    // The root page of a table: its structure no longer holds.
    let mut damaged = whole.clone();
    damaged[4_096..8_192].fill(0xA5);
    for bytes in [&damaged[..], &whole[..10_000], b"not a database at all", b""] {
        fs::write(&file, bytes).unwrap();
        let error = restore(&target, &file, Some(folders.key())).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
        assert!(!target.path().exists());
    }
    fs::write(&file, &whole).unwrap();
    let restored = restore(&target, &file, Some(folders.key())).unwrap();
    assert!(!restored.has_manifest);
    assert_complete(&target).await;
}

#[tokio::test]
async fn a_copy_of_a_database_in_use_is_restored_with_its_write_ahead_log() {
    let folders = Folders::new().await;
    let instance = folders.open();
    let second = watchpost_core::job::WorkspaceRow {
        id: watchpost_core::value::id::WorkspaceId::from_bytes([2; 16]),
        name: "second".into(),
        created_at: instance.environment().clock.now(),
    };
    instance.store().create_workspace(&second).await.unwrap();
    let file = folders.path("copied.db");
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    fs::copy(folders.source.database(), &file).unwrap();
    fs::copy(log(&folders.source.database()), log(&file)).unwrap();
    instance.store().close();
    let target = dir(&folders.path("restored"));
    restore(&target, &file, Some(folders.key())).unwrap();
    let instance = Instance::open(&target, Settings::default(), Environment::system()).unwrap();
    assert_eq!(instance.store().workspaces().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_restore_needs_the_master_key_of_the_backup() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    let before = folders.names();
    let target = dir(&folders.path("restored"));
    let missing = restore(&target, &file, None).unwrap_err();
    assert!(matches!(missing, BackupError::NoMasterKey(_)), "{missing}");
    assert!(missing.to_string().contains("--master-key"), "{missing}");
    assert_eq!(folders.names(), before);
    let wrong = folders.path("wrong.key");
    for (bytes, expected) in [(&[7; 32][..], "is not the master key of"), (&[7; 31], "has 31")] {
        write_private(&wrong, bytes).unwrap();
        let error = restore(&target, &file, Some(&wrong)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!target.path().exists());
    }
    let nothing = restore(&target, &file, Some(&folders.path("none.key"))).unwrap_err();
    assert!(
        matches!(nothing, BackupError::Folder(DataDirError::NoMasterKey(_))),
        "{nothing}"
    );

    // A key that is already in the folder is used, and never replaced.
    make_folder(target.path()).unwrap();
    write_private(target.master_key_file(), &[7; 32]).unwrap();
    let error = restore(&target, &file, None).unwrap_err();
    assert!(matches!(error, BackupError::WrongMasterKey { .. }), "{error}");
    let error = restore(&target, &file, Some(folders.key())).unwrap_err();
    assert!(
        matches!(error, BackupError::Folder(DataDirError::OtherMasterKey(_))),
        "{error}"
    );
    assert_eq!(fs::read(target.master_key_file()).unwrap(), [7; 32]);
    fs::copy(folders.key(), target.master_key_file()).unwrap();
    restore(&target, &file, None).unwrap();
    assert_complete(&target).await;
}

#[tokio::test]
async fn a_restore_that_fails_at_any_step_leaves_nothing_and_can_be_repeated() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    for exists in [false, true] {
        for failing in [Step::Started, Step::Written, Step::Checked, Step::KeyWritten] {
            let name = format!("restored-{exists}-{failing:?}");
            let target = dir(&folders.path(&name));
            if exists {
                fs::create_dir(target.path()).unwrap();
            }
            let before = folders.names();
            let fail = |step| match step {
                _ if step == failing => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            };
            let error = restore_in_steps(&target, &file, Some(folders.key()), &fail).unwrap_err();
            assert!(
                matches!(error, BackupError::Folder(DataDirError::Io { .. })),
                "{error}"
            );
            assert_eq!(folders.names(), before, "{failing:?}");
            assert!(!target.is_initialized(), "{failing:?}");
            restore(&target, &file, Some(folders.key())).unwrap();
            assert_complete(&target).await;
        }
    }
}

#[tokio::test]
async fn what_killed_processes_left_is_cleared() {
    let folders = Folders::new().await;
    let file = folders.backup("copy.db").await;
    for exists in [false, true] {
        let target = dir(&folders.path(&format!("restored-{exists}")));
        let left = if exists {
            // The killed restore had closed the folder to others.
            make_folder(target.path()).unwrap();
            fs::write(target.path().join("master.key.4711.part"), b"half").unwrap();
            target.path().join("setup.part")
        } else {
            folders.path("restored-false.part")
        };
        fs::create_dir(&left).unwrap();
        for (name, bytes) in [
            ("unfinished.lock", &b""[..]),
            ("watchpost.db", b"half"),
            ("watchpost.db-wal", b"x"),
        ] {
            fs::write(left.join(name), bytes).unwrap();
        }
        restore(&target, &file, Some(folders.key())).unwrap();
        assert!(!left.exists());
        assert_complete(&target).await;
        let names: Vec<_> = fs::read_dir(target.path()).unwrap().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
    // A killed backup to another file is cleared by the next one.
    let left = folders.path("yesterday.db.part");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("unfinished.lock"), b"").unwrap();
    fs::write(left.join("watchpost.db"), b"half").unwrap();
    folders.backup("today.db").await;
    assert!(!left.exists());
}

#[tokio::test]
async fn a_database_with_a_damaged_page_is_not_backed_up() {
    const PAGE: usize = 4_096;
    let folders = Folders::new().await;
    let database = folders.source.database();
    let whole = fs::read(&database).unwrap();
    let before = folders.names();
    let (mut not_opened, mut not_copied) = (0, 0);
    for start in (0..whole.len()).step_by(PAGE) {
        let mut bytes = whole.clone();
        bytes[start..start + PAGE].fill(0xA5);
        fs::write(&database, bytes).unwrap();
        match Instance::open(&folders.source, Settings::default(), Environment::system()) {
            Err(_) => not_opened += 1,
            Ok(instance) => {
                let error = instance.backup(&folders.path("copy.db")).await.unwrap_err();
                assert!(
                    matches!(error, BackupError::DamagedStore { .. }),
                    "{start}: {error}"
                );
                instance.store().close();
                not_copied += 1;
            }
        }
        assert_eq!(folders.names(), before, "{start}");
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{ending}", database.display()));
        }
    }
    // The schema's pages are read when the database is opened, most others aren't.
    assert!(
        not_opened > 0 && not_copied > not_opened,
        "{not_opened} {not_copied}"
    );
}
