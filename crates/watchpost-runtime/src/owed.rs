//! Audit entries of the operator's commands that could not be stored at their time, as on a full disk or a read-only file
//! system. They are kept in the state folder of the user, in a file for each database, and stored by the next process of this user
//! that can write the database. The entries of a database that was moved or is gone are stored in the one that is used instead, which
//! has the same master key; a copy that is restored beside a database takes none of its entries.
//!
//! Each entry has an id, so that one that was stored just before its process was killed isn't stored again. The file is outside
//! the audit chain and not signed: until they are stored, the user whose folder it is in can change and delete the entries.

use crate::data_dir::{make_folder, sync_parent};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    fmt, fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};
use watchpost_core::{
    port::Random,
    service::OwedEntry,
    value::{id::WorkspaceId, time::Timestamp},
};

/// The largest size of the file, which is enough for over 500 entries. Further ones are not kept.
const BYTES_MAX: u64 = 128 * 1_024;

/// The end of the name of a file of owed entries.
const ENDING: &str = ".owed";

/// The entries that a database owes.
#[derive(Clone)]
pub struct OwedEntries {
    file: PathBuf,
    /// The beginning of the names of the files of this instance.
    instance: String,
    database: PathBuf,
    random: Arc<dyn Random>,
}

impl fmt::Debug for OwedEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwedEntries")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: String,
    database: PathBuf,
    workspace: String,
    at: String,
    action: String,
    operation: String,
    outcome: String,
}

impl OwedEntries {
    /// `instance` is the name of the instance, `database` its database.
    pub(crate) fn new(folder: &Path, instance: &str, database: &Path, random: Arc<dyn Random>) -> Self {
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let digest = Sha256::digest(database.as_os_str().as_encoded_bytes());
        let mut name = format!("{instance}-");
        for byte in digest.iter().take(8) {
            name.push_str(&format!("{byte:02x}"));
        }
        Self {
            file: folder.join(format!("{name}{ENDING}")),
            instance: format!("{instance}-"),
            database,
            random,
        }
    }

    /// The path of the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Keeps an entry. It is durable when this returns.
    ///
    /// # Errors
    /// If the file can't be written or is full.
    pub fn keep(&self, entry: &OwedEntry) -> io::Result<()> {
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let line = Line {
            id: WorkspaceId::from_bytes(id).to_string(),
            database: self.database.clone(),
            workspace: entry.workspace.to_string(),
            at: entry.at.to_string(),
            action: entry.action.clone(),
            operation: entry.operation.clone(),
            outcome: entry.outcome.clone(),
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        if let Some(folder) = self.file.parent() {
            make_folder(folder).map_err(io::Error::other)?;
        }
        let mut options = fs::OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.file)?;
        // The file is only emptied, never removed, so the lock is that of the file at this path.
        file.lock()?;
        let before = file.metadata()?.len();
        if before > 0 && last_byte(&file)? != b'\n' {
            // A killed process left half a line, which must not swallow this one.
            line.insert(0, b'\n');
        }
        if before + line.len() as u64 > BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        file.write_all(&line)
            .and_then(|()| file.sync_all())
            .inspect_err(|_| {
                let _ = file.set_len(before);
            })?;
        sync_parent(&self.file);
        Ok(())
    }

    /// Locks the file, and those of databases of this instance that are no longer there, and reads them. Leaves out those that
    /// are empty or that another process stores.
    pub(crate) fn take(&self) -> Vec<TakenEntries> {
        let mut taken: Vec<_> = take_file(&self.file).into_iter().collect();
        let names = self.file.parent().map(fs::read_dir).and_then(Result::ok);
        for entry in names.into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&self.instance) && name.ends_with(ENDING) && entry.path() != self.file {
                taken.extend(take_file(&entry.path()).filter(|taken| !taken.database.exists()));
            }
        }
        taken
    }
}

fn take_file(path: &Path) -> Option<TakenEntries> {
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return None;
    }
    let file = fs::OpenOptions::new().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    let mut content = Vec::new();
    (&file).take(BYTES_MAX).read_to_end(&mut content).ok()?;
    if content.is_empty() {
        return None;
    }
    let content = String::from_utf8_lossy(&content);
    let mut ids = HashSet::new();
    let mut taken = TakenEntries {
        entries: Vec::new(),
        unreadable: 0,
        database: PathBuf::new(),
        file,
    };
    for line in content.lines().filter(|line| !line.is_empty()) {
        match parse(line) {
            Some((database, entry)) => {
                taken.database = database;
                if ids.insert(entry.id.clone()) {
                    taken.entries.push(entry);
                }
            }
            None => taken.unreadable += 1,
        }
    }
    Some(taken)
}

fn last_byte(mut file: &fs::File) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// An entry of the file.
#[derive(Debug)]
pub(crate) struct TakenEntry {
    pub(crate) id: String,
    pub(crate) workspace: WorkspaceId,
    /// The time, the action, the command and the id of the entry, as a JSON object.
    pub(crate) arguments: String,
}

/// The entries of the file, which stays locked.
#[derive(Debug)]
pub(crate) struct TakenEntries {
    pub(crate) entries: Vec<TakenEntry>,
    /// The number of lines that can't be read.
    pub(crate) unreadable: usize,
    /// The database that owes the entries.
    database: PathBuf,
    file: fs::File,
}

impl TakenEntries {
    /// Empties the file once all entries are stored.
    pub(crate) fn remove(self) {
        let emptied = self.file.set_len(0).and_then(|()| self.file.sync_all());
        if let Err(error) = emptied {
            tracing::warn!(%error, "the file of owed audit entries can't be emptied");
        }
    }
}

/// Reads a line. Other programs can write the file, so the texts are cleaned and shortened.
fn parse(line: &str) -> Option<(PathBuf, TakenEntry)> {
    let line: Line = serde_json::from_str(line).ok()?;
    let at: Timestamp = line.at.parse().ok()?;
    let id: WorkspaceId = line.id.parse().ok()?;
    let short = |text: &str| {
        text.chars()
            .filter(|char| !char.is_control())
            .take(64)
            .collect::<String>()
    };
    let arguments = serde_json::json!({
        "action": short(&line.action),
        "at": at.to_string(),
        "id": id.to_string(),
        "operation": short(&line.operation),
        "outcome": short(&line.outcome),
    });
    let entry = TakenEntry {
        id: id.to_string(),
        workspace: line.workspace.parse().ok()?,
        arguments: arguments.to_string(),
    };
    Some((line.database, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    fn entry(operation: &str) -> OwedEntry {
        OwedEntry {
            workspace: WorkspaceId::from_bytes([7; 16]),
            at: "2026-03-01T08:00:00Z".parse().unwrap(),
            action: "finding.read".into(),
            operation: operation.into(),
            outcome: "ok".into(),
            reason: String::new(),
        }
    }

    /// The entries of the database `name` in a folder.
    fn owed(folder: &tempfile::TempDir, name: &str) -> OwedEntries {
        let state = folder.path().join("state");
        let database = folder.path().join(name);
        fs::write(&database, b"").unwrap();
        OwedEntries::new(&state, "a1b2", &database, Arc::new(SystemRandom))
    }

    fn take(owed: &OwedEntries) -> Option<TakenEntries> {
        let mut taken = owed.take();
        assert!(taken.len() < 2);
        taken.pop()
    }

    #[test]
    fn an_entry_is_kept_until_it_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let owed = owed(&folder, "a.db");
        assert!(take(&owed).is_none());
        owed.keep(&entry("findings list")).unwrap();
        owed.keep(&entry("doctor")).unwrap();
        // It can't be stored yet.
        assert_eq!(take(&owed).unwrap().entries.len(), 2);
        let taken = take(&owed).unwrap();
        assert!(take(&owed).is_none(), "another process stores them");
        assert_eq!(taken.entries[0].workspace, WorkspaceId::from_bytes([7; 16]));
        let id = taken.entries[1].id.clone();
        assert_eq!(
            taken.entries[1].arguments,
            format!(
                r#"{{"action":"finding.read","at":"2026-03-01T08:00:00Z","id":"{id}","operation":"doctor","outcome":"ok"}}"#
            )
        );
        taken.remove();
        assert!(take(&owed).is_none());
        // A process that waited for the lock writes to the same file.
        owed.keep(&entry("backup")).unwrap();
        assert_eq!(take(&owed).unwrap().entries.len(), 1);
    }

    #[test]
    fn a_copy_beside_a_database_takes_none_of_its_entries_unless_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (first, copy) = (owed(&folder, "a.db"), owed(&folder, "copy.db"));
        first.keep(&entry("doctor")).unwrap();
        assert!(take(&copy).is_none());
        assert_eq!(take(&first).unwrap().entries.len(), 1);
        // Another instance never takes it.
        fs::remove_file(folder.path().join("a.db")).unwrap();
        let state = folder.path().join("state");
        let other = OwedEntries::new(
            &state,
            "c3d4",
            &folder.path().join("b.db"),
            Arc::new(SystemRandom),
        );
        assert!(take(&other).is_none());
        let taken = take(&copy).unwrap();
        assert_eq!(taken.entries.len(), 1);
        taken.remove();
        assert!(take(&copy).is_none() && take(&first).is_none());
    }

    #[test]
    fn a_damaged_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let owed = owed(&folder, "a.db");
        owed.keep(&entry("doctor")).unwrap();
        let whole = fs::read(owed.file()).unwrap();
        // A killed process wrote half a line, after one that is there twice and one that isn't text.
        let mut content = [whole.as_slice(), &whole, b"\xff\n", &whole].concat();
        content.truncate(content.len() - 9);
        fs::write(owed.file(), content).unwrap();
        owed.keep(&entry("audit export")).unwrap();
        let taken = take(&owed).unwrap();
        assert_eq!((taken.entries.len(), taken.unreadable), (2, 2));
        assert!(taken.entries[1].arguments.contains("audit export"));
    }

    #[test]
    fn the_file_has_a_limit_and_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let owed = owed(&folder, "a.db");
        owed.keep(&entry("doctor")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(owed.file()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(owed.file(), vec![b'\n'; 128 * 1_024]).unwrap();
        assert!(owed.keep(&entry("doctor")).is_err());
        assert_eq!(fs::metadata(owed.file()).unwrap().len(), 128 * 1_024);
    }

    #[test]
    fn long_and_invisible_text_is_not_taken_over() {
        let line = format!(
            r#"{{"id":"{0}","database":"/a.db","workspace":"{0}","at":"2026-03-01T08:00:00Z","action":"{1}","operation":"a\u001b[31mb","outcome":"ok"}}"#,
            WorkspaceId::from_bytes([1; 16]),
            "x".repeat(5_000)
        );
        let arguments = parse(&line).unwrap().1.arguments;
        assert!(
            arguments.len() < 300 && arguments.contains(r#""a[31mb""#),
            "{arguments}"
        );
    }
}
