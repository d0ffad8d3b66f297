//! Opening and copying the file: permissions, settings, migrations.

use crate::{
    base::{
        master::MasterKey,
        open_error::{OpenError, io_error, is_damage, needs_space, open_error, read_error},
    },
    text,
};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
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
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/0001_base.sql"),
    include_str!("../../schema/0002_scans.sql"),
    include_str!("../../schema/0003_imports.sql"),
    include_str!("../../schema/0004_once.sql"),
    include_str!("../../schema/0005_conditions.sql"),
    include_str!("../../schema/0006_doubt.sql"),
    include_str!("../../schema/0007_meanings.sql"),
    include_str!("../../schema/0008_readings.sql"),
    include_str!("../../schema/0009_credentials.sql"),
    include_str!("../../schema/0010_lapsed.sql"),
    include_str!("../../schema/0011_names.sql"),
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
    /// Reads of a file that must not be changed and whose folder may not be writable.
    Inspect(Inspection),
}

/// The way in which a file is read without changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inspection {
    /// With its write-ahead log, whose index may be created and repaired.
    Shared,
    /// With its write-ahead log, whose index exists and isn't written: on a full disk, or in a folder that can't be written.
    /// Each connection makes an index of its own in memory if no process keeps the one in the folder up to date.
    FixedIndex,
    /// The file alone, without locks: nothing may write to it.
    Immutable,
}

/// Opens a connection with every setting of the store.
pub(crate) fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    if let Access::Inspect(inspection) = access {
        return connect_read_only(path, inspection);
    }
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
        Access::LongRead | Access::Inspect(_) => 8_192,
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

/// Opens a connection that changes nothing, not even the journal mode.
fn connect_read_only(path: &Path, inspection: Inspection) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let option = match inspection {
        Inspection::Shared => None,
        Inspection::FixedIndex => Some("?readonly_shm=1"),
        Inspection::Immutable => Some("?immutable=1"),
    };
    let conn = if let Some(option) = option {
        flags |= OpenFlags::SQLITE_OPEN_URI;
        let mut uri = String::from("file:");
        for byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                    uri.push(char::from(*byte));
                }
                _ => uri.push_str(&format!("%{byte:02x}")),
            }
        }
        uri.push_str(option);
        Connection::open_with_flags(uri, flags)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    conn.busy_timeout(Duration::from_millis(5_000))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.execute_batch(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;",
    )?;
    Ok(conn)
}

/// Returns how a file can be read without changing it or its folder, and whether it has this version's schema.
///
/// # Errors
/// [`OpenError`] if it is missing, isn't a store, was written by a newer version, or can't be read where it is.
pub(crate) fn inspect(path: &Path) -> Result<(Access, bool), OpenError> {
    if !path.is_file() {
        return Err(OpenError::Missing {
            path: path.to_path_buf(),
        });
    }
    let check = |inspection| -> rusqlite::Result<(Access, i64, i64)> {
        let access = Access::Inspect(inspection);
        let conn = connect(path, access)?;
        Ok((
            access,
            pragma_number(&conn, "application_id")?,
            pragma_number(&conn, "user_version")?,
        ))
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = fs::metadata(PathBuf::from(log)).ok().map(|meta| meta.len());
    let found = match log {
        // Without a write-ahead log, no process has the file open, and it is all there is. SQLite would create a log.
        None => check(Inspection::Immutable),
        Some(bytes) => match check(Inspection::Shared) {
            // In a folder that can't be written or is full, SQLite can't make the index of a log, of which an empty one has no need.
            Err(error) if needs_space(&error) && bytes == 0 => check(Inspection::Immutable),
            Err(error) if needs_space(&error) => check(Inspection::FixedIndex),
            found => found,
        },
    };
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match found.map_err(|error| read_error(path, &error))? {
        (_, 0, 0) if fs::metadata(path).is_ok_and(|file| file.len() == 0) => Err(OpenError::Empty {
            path: path.to_path_buf(),
        }),
        (_, application, _) if application != i64::from(APPLICATION_ID) => Err(OpenError::InvalidFile {
            path: path.to_path_buf(),
            reason: text::FOREIGN_DATABASE.into(),
        }),
        (_, _, found) if found > known => Err(OpenError::Newer {
            path: path.to_path_buf(),
            found,
            known,
        }),
        (access, _, found) => Ok((access, found == known)),
    }
}

/// Checks that a file that is only read belongs to a master key.
pub(crate) fn check_master_unchanged(
    path: &Path,
    access: Access,
    master: &MasterKey,
) -> Result<(), OpenError> {
    let found = connect(path, access)
        .and_then(|conn| read_master_check(&conn))
        .map_err(|error| read_error(path, &error))?;
    is_master(&found, path, master)
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
        copy_database(conn, &copy).map_err(|error| match error {
            CopyError::Sql(error) if is_damage(&error) => open_error(path, &error),
            error => OpenError::Migration {
                path: path.to_path_buf(),
                reason: text::copy_before_migration_failed(&error.to_string()),
            },
        })?;
    }
    conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID};"))
        .map_err(|error| open_error(path, &error))?;
    migrations.to_latest(conn).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } if is_damage(&err) => open_error(path, &err),
        error => OpenError::Migration {
            path: path.to_path_buf(),
            reason: error.to_string(),
        },
    })
}

/// The error when a database can't be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// An error from SQLite, of the database or of its copy.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// The file can't be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Copies a database with SQLite's backup API to a file of mode 0600. The copy is written beside its target and renamed,
/// so that there is never half a copy.
pub(crate) fn copy_database(from: &Connection, to: &Path) -> Result<(), CopyError> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // An interrupted copy may have left this file.
    let _ = fs::remove_file(&part);
    create_file(&part)?;
    let copied = copy_into(from, &part).and_then(|()| Ok(fs::rename(&part, to)?));
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied
}

fn copy_into(from: &Connection, part: &Path) -> Result<(), CopyError> {
    let mut target = Connection::open(part)?;
    let backup = rusqlite::backup::Backup::new(from, &mut target)?;
    backup.run_to_completion(1_024, Duration::ZERO, None)?;
    drop(backup);
    // A single file, without a write-ahead log beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    drop(target);
    Ok(fs::File::open(part)?.sync_all()?)
}

/// Opens a copy of a store that nothing else uses, and merges a write-ahead log that lies beside it.
pub(crate) fn connect_copy(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;")?;
    conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    Ok(conn)
}

/// Opens a copy of a store, and checks that it is a store that this version can read and that it belongs to the master key.
/// Unlike [`open`], changes nothing in its content.
pub(crate) fn open_copy(path: &Path, master: &MasterKey) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, &error);
    let conn = connect_copy(path).map_err(failed)?;
    if pragma_number(&conn, "application_id").map_err(failed)? != i64::from(APPLICATION_ID) {
        return Err(OpenError::InvalidFile {
            path: path.to_path_buf(),
            reason: text::FOREIGN_DATABASE.into(),
        });
    }
    let found = pragma_number(&conn, "user_version").map_err(failed)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_path_buf(),
            found,
            known,
        });
    }
    // A copy without the value has lost it: a store always has one.
    let check = read_master_check(&conn).map_err(failed)?;
    is_master(&check, path, master).map(|()| conn)
}

/// The value that the store keeps to recognize its master key.
fn master_check(master: &MasterKey) -> [u8; 32] {
    master.derive("check of the master key v1")
}

fn read_master_check(conn: &Connection) -> rusqlite::Result<Vec<u8>> {
    conn.query_row("SELECT master_check FROM instance WHERE one = 1", [], |row| {
        row.get(0)
    })
}

/// Compares the master key with the value derived from it that the store keeps, so that a wrong key is rejected before
/// anything is sealed with it.
fn check_master(conn: &Connection, path: &Path, master: &MasterKey) -> Result<(), OpenError> {
    let derived = master_check(master);
    let found = match read_master_check(conn) {
        Err(rusqlite::Error::QueryReturnedNoRows) => conn
            .execute(
                "INSERT INTO instance (one, master_check) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                [derived.as_slice()],
            )
            .and_then(|_| read_master_check(conn)),
        other => other,
    }
    .map_err(|error| open_error(path, &error))?;
    is_master(&found, path, master)
}

fn is_master(found: &[u8], path: &Path, master: &MasterKey) -> Result<(), OpenError> {
    if bool::from(found.ct_eq(master_check(master).as_slice())) {
        Ok(())
    } else {
        Err(OpenError::WrongMasterKey {
            path: path.to_path_buf(),
        })
    }
}

/// Returns the problems in the file's structure, at most 20 of each kind; empty if the file is intact.
pub(crate) fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut problems: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()?
        && problems.len() < 20
    {
        let table: String = row.get(0)?;
        problems.push(text::dangling_reference(&table));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests;
