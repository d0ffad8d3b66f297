use super::*;

/// A database in a folder as a killed process leaves it: with a log, of which nothing is in the file yet.
fn crashed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    create_file(&path).unwrap();
    let conn = connect(&path, Access::Write).unwrap();
    conn.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE t (x); INSERT INTO t VALUES (7);"
    ))
    .unwrap();
    let left = folder.path().join("left.db");
    for ending in ["", "-wal", "-shm"] {
        fs::copy(with_ending(&path, ending), with_ending(&left, ending)).unwrap();
    }
    (folder, left)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn stored(path: &Path, inspection: Inspection) -> rusqlite::Result<i64> {
    let conn = connect(path, Access::Inspect(inspection))?;
    let first = conn.query_row("SELECT x FROM t", [], |row| row.get(0))?;
    // Several connections at once, each with an index of its own.
    let other = connect(path, Access::Inspect(inspection))?;
    assert_eq!(
        other.query_row("SELECT x FROM t", [], |row| row.get(0)),
        Ok(first)
    );
    Ok(first)
}

#[test]
fn a_log_is_read_without_writing_its_index() {
    let (_folder, path) = crashed();
    // An index that is damaged, as after a crash while the disk was full.
    fs::write(with_ending(&path, "-shm"), [0xA5; 3]).unwrap();
    assert_eq!(stored(&path, Inspection::FixedIndex), Ok(7));
    assert_eq!(fs::read(with_ending(&path, "-shm")).unwrap(), [0xA5; 3]);
    // The file alone doesn't have the row.
    assert!(stored(&path, Inspection::Immutable).is_err());
    assert_eq!(inspect(&path).unwrap().0, Access::Inspect(Inspection::Shared));
    assert_eq!(stored(&path, Inspection::Shared), Ok(7));
}

#[test]
fn a_file_without_a_log_is_read_alone() {
    let (_folder, path) = crashed();
    drop(connect(&path, Access::Write).unwrap());
    assert!(!with_ending(&path, "-wal").exists());
    assert_eq!(inspect(&path).unwrap().0, Access::Inspect(Inspection::Immutable));
    assert_eq!(stored(&path, Inspection::Immutable), Ok(7));
}
