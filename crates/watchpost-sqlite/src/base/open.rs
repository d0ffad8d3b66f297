//! Opening and restoring the file: permissions, settings, migrations.

use crate::{base::master::MasterKey, text};
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

/// SQLite's `application_id` of a Watchpost store: "Wpst" in ASCII.
const APPLICATION_ID: i32 = 0x5770_7374;

/// The migrations, oldest first. A migration only adds to the schema; a released one is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/0001_base.sql"),
    include_str!("../../schema/0002_scans.sql"),
    include_str!("../../schema/0003_imports.sql"),
    include_str!("../../schema/0004_once.sql"),
    include_str!("../../schema/0005_conditions.sql"),
    include_str!("../../schema/0006_doubt.sql"),
    include_str!("../../schema/0007_meanings.sql"),
    include_str!("../../schema/0008_readings.sql"),
    include_str!("../../schema/0009_credentials.sql"),
];

/// The options for opening a store.
#[derive(Clone)]
pub struct OpenOptions {
    /// The database file.
    pub path: PathBuf,
    /// The instance's master key.
    pub master: MasterKey,
    /// The clock, for the times that the store sets itself.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness for ids and nonces.
    pub random: Arc<dyn Random>,
    /// Whether to create the directory, the file and the schema if they don't exist.
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

/// The error when a store can't be opened or restored. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file doesn't exist, and creating it wasn't asked for.
    #[error(
        "there is no store at `{path}`: run `watchpost init`, or name the data directory with `--data-dir`"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Other users of the machine can read or change the file or directory.
    #[error(
        "other users of this machine can access `{path}` (mode {mode:03o}): run `chmod {wanted:03o} {path}`"
    )]
    Permissions {
        /// The file or directory.
        path: PathBuf,
        /// The mode that it has.
        mode: u32,
        /// The mode with the most permissions that is accepted.
        wanted: u32,
    },
    /// The file can't be read or written at all.
    #[error("`{path}` can't be used: {reason}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's message, or what is wrong.
        reason: String,
    },
    /// The file exists but is empty: its content was lost, or `init` was interrupted.
    #[error(
        "`{path}` is empty: restore a backup with `watchpost restore`, or start over with `watchpost init`"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a store, or is a damaged one.
    #[error(
        "`{path}` is not a Watchpost store or is damaged ({reason}): restore a backup with `watchpost restore`"
    )]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// The problem that was found.
        reason: String,
    },
    /// A newer version of Watchpost wrote the file.
    #[error(
        "`{path}` was written by a newer version of Watchpost (schema {found}, this version supports up to {known}): use that version, or restore an older backup"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest schema version that this binary supports.
        known: i64,
    },
    /// Another process has locked the file.
    #[error("`{path}` is locked by another process: stop that process, or wait until it is done")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The master key is not the one that the store was created with.
    #[error("the master key doesn't belong to `{path}`: use the `master.key` that was created with it")]
    WrongMasterKey {
        /// The file.
        path: PathBuf,
    },
    /// The migration to this version's schema failed; the file is unchanged.
    #[error("`{path}` can't be migrated to this version's schema: {reason}")]
    Migration {
        /// The file.
        path: PathBuf,
        /// The reason for the failure.
        reason: String,
    },
}

/// Opens the writer's connection. Migrates an older file to this version's schema after copying it beside itself.
pub(crate) fn open(options: &OpenOptions) -> Result<Connection, OpenError> {
    let path = &options.path;
    prepare_files(path, options.create)?;
    let mut conn = connect(path, Access::Write).map_err(|error| open_error(path, &error))?;
    let migrations = Migrations::new(MIGRATIONS.iter().map(|sql| M::up(sql)).collect());
    migrate(&mut conn, path, &migrations, MIGRATIONS.len(), options.create)?;
    check_master(&conn, path, &options.master)?;
    Ok(conn)
}

/// The purpose of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Writes by the one writer.
    Write,
    /// Bounded reads on the caller's thread.
    Read,
    /// Long reads on threads of their own.
    LongRead,
}

/// Opens a connection with every setting of the store.
pub(crate) fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    // SQLite must not create a file that has disappeared: only `prepare_files` creates it, with the right mode.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(5_000))?;
    // Without this setting, this version of SQLite prepares a cached statement again whenever a parameter is bound.
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

fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
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

/// Creates the directory and the file if `create` is set, and rejects files that other users of the machine can access.
fn prepare_files(path: &Path, create: bool) -> Result<(), OpenError> {
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    if !path.exists() {
        if !create {
            return Err(OpenError::Missing {
                path: path.to_path_buf(),
            });
        }
        if !directory.exists() {
            create_directory(directory).map_err(|error| io_error(directory, &error))?;
        }
        check_mode(directory, 0o700)?;
        create_file(path).map_err(|error| io_error(path, &error))?;
    }
    check_mode(directory, 0o700)?;
    if !path.is_file() {
        return Err(OpenError::Io {
            path: path.to_path_buf(),
            reason: text::NOT_A_FILE.into(),
        });
    }
    check_mode(path, 0o600)
}

#[cfg(unix)]
fn create_directory(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

#[cfg(unix)]
pub(crate) fn create_file(path: &Path) -> std::io::Result<()> {
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
fn create_directory(directory: &Path) -> std::io::Result<()> {
    fs::create_dir_all(directory)
}

#[cfg(not(unix))]
pub(crate) fn create_file(path: &Path) -> std::io::Result<()> {
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

/// Migrates the file to the latest schema. Processes that start at the same time wait for one another.
fn migrate(
    conn: &mut Connection,
    path: &Path,
    migrations: &Migrations<'_>,
    latest: usize,
    create: bool,
) -> Result<(), OpenError> {
    let known = i64::try_from(latest).unwrap_or(i64::MAX);
    let version = |conn: &Connection| -> Result<i64, OpenError> {
        let found = pragma_number(conn, "user_version").map_err(|error| open_error(path, &error))?;
        let application = pragma_number(conn, "application_id").map_err(|error| open_error(path, &error))?;
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| open_error(path, &error))?;
        if application != i64::from(APPLICATION_ID) && (found != 0 || tables != 0) {
            return Err(OpenError::InvalidFile {
                path: path.to_path_buf(),
                reason: text::FOREIGN_DATABASE.into(),
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
    create_file(&lock_path).map_err(|error| io_error(&lock_path, &error))?;
    let lock = fs::File::open(&lock_path).map_err(|error| io_error(&lock_path, &error))?;
    lock.lock().map_err(|error| io_error(&lock_path, &error))?;
    let found = version(conn)?;
    if found == known {
        return Ok(());
    }
    if found == 0 && !create {
        // Creating a new schema here would hide that a store was lost.
        return Err(OpenError::Empty {
            path: path.to_path_buf(),
        });
    }
    if found > 0 {
        let copy = path.with_extension(format!("before-schema-{known}.db"));
        copy_database(conn, &copy).map_err(|reason| OpenError::Migration {
            path: path.to_path_buf(),
            reason: text::copy_before_migration_failed(&reason),
        })?;
    }
    conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID};"))
        .map_err(|error| open_error(path, &error))?;
    migrations.to_latest(conn).map_err(|error| OpenError::Migration {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// Copies a database with SQLite's backup API to a file of mode 0600. The copy is written beside its target and renamed,
/// so that there is never half a copy.
pub(crate) fn copy_database(from: &Connection, to: &Path) -> Result<(), String> {
    let part = to.with_extension("part");
    // An interrupted copy may have left this file.
    let _ = fs::remove_file(&part);
    create_file(&part).map_err(|error| error.to_string())?;
    {
        let mut target = Connection::open(&part).map_err(|error| error.to_string())?;
        let backup = rusqlite::backup::Backup::new(from, &mut target).map_err(|error| error.to_string())?;
        backup
            .run_to_completion(1_024, Duration::ZERO, None)
            .map_err(|error| error.to_string())?;
        drop(backup);
        // A single file, without a write-ahead log beside it.
        target
            .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
            .map_err(|error| error.to_string())?;
    }
    fs::File::open(&part)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&part, to))
        .map_err(|error| error.to_string())
}

/// Compares the master key with the value derived from it that the store keeps, so that a wrong key is rejected before
/// anything is sealed with it.
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
    .map_err(|error| open_error(path, &error))?;
    if bool::from(found.as_slice().ct_eq(derived.as_slice())) {
        Ok(())
    } else {
        Err(OpenError::WrongMasterKey {
            path: path.to_path_buf(),
        })
    }
}

/// Returns the problems that `PRAGMA integrity_check` finds, at most 20; empty if the file is intact.
pub(crate) fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Replaces a store that no process has open with a backup: checks the backup, copies it beside the target, and renames
/// the copy. An existing target is kept beside it as `….before-restore.db`.
///
/// # Errors
/// [`OpenError`] if the backup is missing, damaged or of a newer version, or if the target is in use.
pub fn restore(backup: &Path, target: &Path) -> Result<(), OpenError> {
    if !backup.exists() {
        return Err(OpenError::Missing {
            path: backup.to_path_buf(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(backup, flags).map_err(|error| open_error(backup, &error))?;
    let problems = integrity(&from).map_err(|error| open_error(backup, &error))?;
    let found = pragma_number(&from, "user_version").map_err(|error| open_error(backup, &error))?;
    let application = pragma_number(&from, "application_id").map_err(|error| open_error(backup, &error))?;
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
            reason: text::FOREIGN_DATABASE.into(),
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
        // Fails while another process has the target open; also merges its write-ahead log. A damaged target is kept
        // as it is.
        let old = Connection::open(target).map_err(|error| open_error(target, &error))?;
        let exclusive = old.busy_timeout(Duration::from_millis(500)).and_then(|()| {
            old.execute_batch(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; ROLLBACK;",
            )
        });
        drop(old);
        if let Err(error) = exclusive {
            let error = open_error(target, &error);
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
            // Usually there is none. A write-ahead log must never be found beside another database.
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
