//! What fuzzers run, and the tests of this crate over checked-in input: not part of the API, and only there with
//! the feature `fuzzing`.

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

/// A cursor of [`PLACE`] in the list without filters.
fn good() -> &'static str {
    static GOOD: OnceLock<String> = OnceLock::new();
    GOOD.get_or_init(|| key().seal_in(OURS, &FindingQuery::default(), &PLACE))
}

/// Cursors. The first byte says what the rest is: a cursor, changes to one of ours, or a place to seal and a
/// filter by text.
///
/// # Panics
/// If a cursor opens that isn't ours, or one of ours doesn't.
pub fn cursors(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    match first % 3 {
        0 => a_cursor(&String::from_utf8_lossy(rest)),
        1 => changes(rest),
        _ => a_place(rest),
    }
}

fn a_cursor(text: &str) {
    let query = FindingQuery::default();
    let opened = key().open_in(OURS, &query, text);
    assert_eq!(opened, (text == good()).then_some(PLACE), "only ours opens");
    assert_eq!(key().open_in(THEIRS, &query, text), None);
    let filtered = FindingQuery {
        text: Some("mfa".to_owned()),
        ..query
    };
    assert_eq!(key().open_in(OURS, &filtered, text), None);
}

/// Pairs of a place and a byte: what they make of a good cursor.
fn changes(pairs: &[u8]) {
    let mut text = good().as_bytes().to_vec();
    for pair in pairs.chunks_exact(2) {
        let &[at, byte] = pair else { continue };
        match text.get_mut(usize::from(at)) {
            Some(place) => *place = byte,
            // Past the end: cut, or made longer.
            None if byte % 2 == 0 => text.truncate(usize::from(byte)),
            None => text.push(byte),
        }
    }
    a_cursor(&String::from_utf8_lossy(&text));
}

fn a_place(bytes: &[u8]) {
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
    // An empty text is no filter, and neither is an empty rule.
    assert_eq!(key().open_in(OURS, &swapped, &cursor).is_some(), text.is_empty());
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    #[test]
    fn cursors_of_the_corpus_open_only_if_they_are_ours() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/cursors");
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            // The input that fails is the last one on the output.
            eprintln!("{}", path.display());
            super::cursors(&std::fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count >= 20, "{count} files");
        super::a_cursor(super::good());
    }
}
