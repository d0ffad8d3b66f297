//! Entry points for fuzzers, which this crate's tests also run over the checked-in corpus. Not part of the API; compiled
//! only with the feature `fuzzing`.

use crate::cursor::{CURSOR_CHARS, CursorKey};
use std::sync::OnceLock;
use watchpost_core::{
    finding::{FindingPosition, FindingQuery},
    value::{
        id::{FindingId, WorkspaceId},
        time::Timestamp,
        word::Severity,
    },
};

const OURS: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
const THEIRS: WorkspaceId = WorkspaceId::from_bytes([2; 16]);

const PLACE: FindingPosition = FindingPosition {
    severity: Severity::High,
    first_seen_at: Timestamp::from_millis(1_800_000_000_000),
    id: FindingId::from_bytes([3; 16]),
};

fn key() -> CursorKey {
    CursorKey::new([5; 32])
}

/// A valid cursor: [`PLACE`] in the list without filters.
fn valid() -> &'static str {
    static VALID: OnceLock<String> = OnceLock::new();
    VALID.get_or_init(|| key().seal_in(OURS, &FindingQuery::default(), &PLACE))
}

/// Checks cursors. The first byte selects the meaning of the rest: a cursor, changes to a valid one, or a position to seal
/// with a text filter.
///
/// # Panics
/// If a forged cursor opens or a valid one doesn't.
pub fn cursors(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 3 {
        0 => check_cursor(&String::from_utf8_lossy(rest)),
        1 => check_changed(rest),
        _ => check_sealed(rest),
    }
}

fn check_cursor(text: &str) {
    let query = FindingQuery::default();
    let opened = key().open_in(OURS, &query, text);
    assert_eq!(
        opened,
        (text == valid()).then_some(PLACE),
        "only the valid one opens"
    );
    assert_eq!(key().open_in(THEIRS, &query, text), None);
    let filtered = FindingQuery {
        text: Some("mfa".to_owned()),
        ..query
    };
    assert_eq!(key().open_in(OURS, &filtered, text), None);
}

/// Changes the valid cursor by pairs of an index and a byte.
fn check_changed(pairs: &[u8]) {
    let mut text = valid().as_bytes().to_vec();
    for pair in pairs.chunks_exact(2) {
        let &[at, byte] = pair else { continue };
        match text.get_mut(usize::from(at)) {
            Some(old) => *old = byte,
            // An index past the end truncates or extends the cursor.
            None if byte % 2 == 0 => text.truncate(usize::from(byte)),
            None => text.push(byte),
        }
    }
    check_cursor(&String::from_utf8_lossy(&text));
}

fn check_sealed(bytes: &[u8]) {
    let Some((severity, rest)) = bytes.split_first() else {
        return;
    };
    let (Some((at, rest)), Some(severity)) = (rest.split_first_chunk::<8>(), Severity::from_code(*severity))
    else {
        return;
    };
    let Some((id, text)) = rest.split_first_chunk::<16>() else {
        return;
    };
    let place = FindingPosition {
        severity,
        first_seen_at: Timestamp::from_millis(i64::from_be_bytes(*at)),
        id: FindingId::from_bytes(*id),
    };
    let text = String::from_utf8_lossy(text).into_owned();
    let query = FindingQuery {
        text: Some(text.clone()),
        ..FindingQuery::default()
    };
    let cursor = key().seal_in(OURS, &query, &place);
    assert_eq!(cursor.len(), CURSOR_CHARS);
    assert_eq!(key().open_in(OURS, &query, &cursor), Some(place));
    assert_eq!(key().open_in(THEIRS, &query, &cursor), None);
    let swapped = FindingQuery {
        rule_id: Some(text.clone()),
        text: None,
        ..FindingQuery::default()
    };
    // An empty text and an empty rule are both no filter.
    assert_eq!(key().open_in(OURS, &swapped, &cursor).is_some(), text.is_empty());
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    #[test]
    fn only_valid_cursors_of_the_corpus_open() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/cursors");
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("an entry").path();
            // The last path in the output is the input that fails.
            eprintln!("{}", path.display());
            super::cursors(&std::fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count >= 20, "{count} files");
        super::check_cursor(super::valid());
    }
}
