//! Opening the file: permissions, settings, migrations.

use crate::base::master::MasterKey;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use rusqlite_migration::{M, Migrations};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use subtle::ConstantTimeEq as _;
use watchpost_core::port::{Clock, Random};

/// "Wpst": marks the file as ours.
const APPLICATION_ID: i32 = 0x5770_7374;

/// Migrations, oldest first. They only add; a released one is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/0001_base.sql"),
    include_str!("../../schema/0002_scans.sql"),
    include_str!("../../schema/0003_imports.sql"),
    include_str!("../../schema/0004_once.sql"),
    include_str!("../../schema/0005_conditions.sql"),
];

/// What opening a store needs.
#[derive(Clone)]
pub struct OpenOptions {
    /// The database file.
    pub path: PathBuf,
    /// The instance's master key.
    pub master: MasterKey,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness: for ids and nonces.
    pub random: Arc<dyn Random>,
    /// Whether to make folder, file and schema where there are none.
    pub create: bool,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("path", &self.path)
            .field("create", &self.create)
            .finish_non_exhaustive()
    }
}

/// Why a store can't be opened. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file and it wasn't to be made.
    #[error("there is no store at `{path}`: run `watchpost init`, or name the folder with `--data-dir`")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others can read or change it.
    #[error(
        "`{path}` can be used by other people of this machine (mode {mode:03o}): run `chmod {wanted:03o} {path}`"
    )]
    Permissions {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What it must be at the most.
        wanted: u32,
    },
    /// The file can't be read or written at all.
    #[error("`{path}` can't be used: {reason}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is there and holds nothing: what was in it is lost, or `init` was cut off.
    #[error(
        "`{path}` is empty: restore a backup with `watchpost restore`, or begin anew with `watchpost init`"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is no store, or a damaged one.
    #[error(
        "`{path}` is not a Watchpost store or is damaged ({reason}): restore a backup with `watchpost restore`"
    )]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A later version of Watchpost made it.
    #[error(
        "`{path}` was made by a newer Watchpost (schema {found}, this one knows {known}): use that version, or restore an older backup"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The last schema that this version knows.
        known: i64,
    },
    /// Another process holds it.
    #[error("`{path}` is locked by another process: end it, or wait until it is done")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The master key is not the one that the store was made with.
    #[error("the master key doesn't belong to `{path}`: use the `master.key` that was made with it")]
    WrongMasterKey {
        /// The file.
        path: PathBuf,
    },
    /// The new schema couldn't be put in place; the file is as before.
    #[error("`{path}` can't be brought to this version's schema: {reason}")]
    Migration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Opens the writer's connection. Brings an older file to this version's schema after a backup beside it.
pub(crate) fn open(options: &OpenOptions) -> Result<Connection, OpenError> {
    let path = &options.path;
    prepare_files(path, options.create)?;
    let mut conn = connect(path, Access::Write).map_err(|error| explain(path, &error))?;
    let migrations = Migrations::new(MIGRATIONS.iter().map(|sql| M::up(sql)).collect());
    migrate(&mut conn, path, &migrations, MIGRATIONS.len(), options.create)?;
    check_master(&conn, path, &options.master)?;
    Ok(conn)
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The one writer.
    Write,
    /// Bounded reads in place.
    Read,
    /// Long reads on their own threads.
    LongRead,
}

/// Opens a connection with every setting of the store.
pub(crate) fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    // A file that vanished isn't made anew: `prepare_files` makes it, with the right mode.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(5_000))?;
    // Without it this SQLite prepares a cached statement anew whenever a parameter is bound.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_prepared_statement_cache_capacity(160);
    let cache_kib = match access {
        Access::Write => 16_384,
        Access::Read => 4_096,
        Access::LongRead => 8_192,
    };
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; \
         PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; \
         PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -{cache_kib};"
    ))?;
    if access != Access::Write {
        conn.execute_batch("PRAGMA query_only = ON;")?;
    }
    Ok(conn)
}

fn explain(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::InvalidFile {
            path,
            reason: error.to_string(),
        },
        _ => OpenError::Io {
            path,
            reason: error.to_string(),
        },
    }
}

fn io_error(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_path_buf(),
        reason: error.to_string(),
    }
}

/// Makes folder and file where asked, and refuses what other people of the machine can use.
fn prepare_files(path: &Path, create: bool) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !path.exists() {
        if !create {
            return Err(OpenError::Missing {
                path: path.to_path_buf(),
            });
        }
        if !folder.exists() {
            make_folder(folder).map_err(|error| io_error(folder, &error))?;
        }
        check_mode(folder, 0o700)?;
        make_file(path).map_err(|error| io_error(path, &error))?;
    }
    check_mode(folder, 0o700)?;
    if !path.is_file() {
        return Err(OpenError::Io {
            path: path.to_path_buf(),
            reason: "it is no file".into(),
        });
    }
    check_mode(path, 0o600)
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
pub(crate) fn make_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(|_| ())
}

#[cfg(unix)]
fn check_mode(path: &Path, wanted: u32) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)
        .map_err(|error| io_error(path, &error))?
        .permissions()
        .mode()
        & 0o777;
    if mode & !wanted == 0 {
        Ok(())
    } else {
        Err(OpenError::Permissions {
            path: path.to_path_buf(),
            mode,
            wanted,
        })
    }
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
pub(crate) fn make_file(path: &Path) -> std::io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map(|_| ())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _wanted: u32) -> Result<(), OpenError> {
    Ok(())
}

fn pragma_number(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Brings the file to the last schema. Several processes that start together wait for one another.
fn migrate(
    conn: &mut Connection,
    path: &Path,
    migrations: &Migrations<'_>,
    latest: usize,
    create: bool,
) -> Result<(), OpenError> {
    let known = i64::try_from(latest).unwrap_or(i64::MAX);
    let version = |conn: &Connection| -> Result<i64, OpenError> {
        let found = pragma_number(conn, "user_version").map_err(|error| explain(path, &error))?;
        let application = pragma_number(conn, "application_id").map_err(|error| explain(path, &error))?;
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| explain(path, &error))?;
        if application != i64::from(APPLICATION_ID) && (found != 0 || tables != 0) {
            return Err(OpenError::InvalidFile {
                path: path.to_path_buf(),
                reason: "another program's database".into(),
            });
        }
        if found > known {
            return Err(OpenError::Newer {
                path: path.to_path_buf(),
                found,
                known,
            });
        }
        Ok(found)
    };
    if version(conn)? == known {
        return Ok(());
    }
    let lock_path = path.with_extension("lock");
    make_file(&lock_path).map_err(|error| io_error(&lock_path, &error))?;
    let lock = fs::File::open(&lock_path).map_err(|error| io_error(&lock_path, &error))?;
    lock.lock().map_err(|error| io_error(&lock_path, &error))?;
    let found = version(conn)?;
    if found == known {
        return Ok(());
    }
    if found == 0 && !create {
        // A fresh schema here would hide that a store was lost.
        return Err(OpenError::Empty {
            path: path.to_path_buf(),
        });
    }
    if found > 0 {
        let copy = path.with_extension(format!("before-schema-{known}.db"));
        copy_database(conn, &copy).map_err(|reason| OpenError::Migration {
            path: path.to_path_buf(),
            reason: format!("the backup before it failed: {reason}"),
        })?;
    }
    conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID};"))
        .map_err(|error| explain(path, &error))?;
    migrations.to_latest(conn).map_err(|error| OpenError::Migration {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// Copies a database by SQLite's backup API to a file of mode 0600, by rename, so that there is never half a copy.
pub(crate) fn copy_database(from: &Connection, to: &Path) -> Result<(), String> {
    let part = to.with_extension("part");
    // A left-over of an interrupted copy.
    let _ = fs::remove_file(&part);
    make_file(&part).map_err(|error| error.to_string())?;
    {
        let mut target = Connection::open(&part).map_err(|error| error.to_string())?;
        let backup = rusqlite::backup::Backup::new(from, &mut target).map_err(|error| error.to_string())?;
        backup
            .run_to_completion(1_024, Duration::ZERO, None)
            .map_err(|error| error.to_string())?;
        drop(backup);
        // One file, without a log beside it.
        target
            .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
            .map_err(|error| error.to_string())?;
    }
    fs::File::open(&part)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&part, to))
        .map_err(|error| error.to_string())
}

/// The store remembers a value derived from its master key: another key is refused before it seals anything.
fn check_master(conn: &Connection, path: &Path, master: &MasterKey) -> Result<(), OpenError> {
    let derived = master.derive("check of the master key v1");
    let read = |conn: &Connection| {
        conn.query_row("SELECT master_check FROM instance WHERE one = 1", [], |row| {
            row.get::<_, Vec<u8>>(0)
        })
    };
    let found = match read(conn) {
        Err(rusqlite::Error::QueryReturnedNoRows) => conn
            .execute(
                "INSERT INTO instance (one, master_check) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                [derived.as_slice()],
            )
            .and_then(|_| read(conn)),
        other => other,
    }
    .map_err(|error| explain(path, &error))?;
    if bool::from(found.as_slice().ct_eq(derived.as_slice())) {
        Ok(())
    } else {
        Err(OpenError::WrongMasterKey {
            path: path.to_path_buf(),
        })
    }
}

/// What `PRAGMA integrity_check` finds: empty if the file is whole.
pub(crate) fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Puts a backup in place of a store that no process has open: checks it, copies it beside the target, renames.
/// The file that was there stays beside it as `….before-restore.db`.
///
/// # Errors
/// [`OpenError`] if the backup isn't whole, is newer, or the target is in use.
pub fn restore(backup: &Path, target: &Path) -> Result<(), OpenError> {
    if !backup.exists() {
        return Err(OpenError::Missing {
            path: backup.to_path_buf(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(backup, flags).map_err(|error| explain(backup, &error))?;
    let problems = integrity(&from).map_err(|error| explain(backup, &error))?;
    let found = pragma_number(&from, "user_version").map_err(|error| explain(backup, &error))?;
    let application = pragma_number(&from, "application_id").map_err(|error| explain(backup, &error))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if let Some(reason) = problems.into_iter().next() {
        return Err(OpenError::InvalidFile {
            path: backup.to_path_buf(),
            reason,
        });
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(OpenError::InvalidFile {
            path: backup.to_path_buf(),
            reason: "another program's database".into(),
        });
    }
    if found > known {
        return Err(OpenError::Newer {
            path: backup.to_path_buf(),
            found,
            known,
        });
    }
    if target.exists() {
        check_mode(target, 0o600)?;
        // Fails while anybody else has it open; also takes its log in. A damaged one is put aside as it is.
        let old = Connection::open(target).map_err(|error| explain(target, &error))?;
        let alone = old.busy_timeout(Duration::from_millis(500)).and_then(|()| {
            old.execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; ROLLBACK;",
            )
        });
        drop(old);
        if let Err(error) = alone {
            let error = explain(target, &error);
            if !matches!(error, OpenError::InvalidFile { .. }) {
                return Err(error);
            }
        }
        let kept = target.with_extension("before-restore.db");
        fs::rename(target, &kept).map_err(|error| io_error(target, &error))?;
        for end in ["-wal", "-shm"] {
            let beside = |path: &Path| {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                PathBuf::from(name)
            };
            // Usually there is none; a log must never meet another database.
            let _ = fs::rename(beside(target), beside(&kept));
        }
    } else {
        prepare_files(target, true)?;
    }
    copy_database(&from, target).map_err(|reason| OpenError::Io {
        path: target.to_path_buf(),
        reason,
    })
}
