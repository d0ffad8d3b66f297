//! Runs the fuzz targets over the corpus and the fixtures.

use super::{ConnectionState, Header, decode, decode_at, headers};
use std::path::PathBuf;

/// Returns the names and contents of the files in a directory of the repository.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let entries = std::fs::read_dir(&folder).expect("the directory exists");
    entries
        .map(|entry| {
            let path = entry.expect("the entry can be read").path();
            let name = path
                .file_name()
                .expect("the file has a name")
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(&path).expect("the file can be read"))
        })
        .collect()
}

fn replay(target: fn(&[u8]), folder: &str, at_least: usize) {
    let files = files(folder);
    assert!(files.len() >= at_least, "{} files in {folder}", files.len());
    for (name, input) in files {
        // If the target panics, the last name printed is that of the failing input.
        eprintln!("{folder}/{name}");
        target(&input);
    }
}

#[test]
fn messages_of_the_corpus_are_decoded_correctly() {
    replay(decode, "fuzz/corpus/decode", 100);
}

#[test]
fn headers_of_the_corpus_are_compared_correctly() {
    replay(headers, "fuzz/corpus/headers", 20);
}

/// Decodes malformed messages in every state: on each transport, before a handshake and after one of each
/// revision.
#[test]
fn malformed_messages_are_decoded_correctly_in_every_state() {
    let files: Vec<_> = files("fixtures/mcp/malformed")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".json") || name.ends_with(".http"))
        .collect();
    assert!(files.len() >= 500);
    for (name, content) in files {
        // Starting with a line feed, so that the empty line is found even if there are no headers.
        let framed = [b"\n".as_slice(), &content].concat();
        let (head, body) = if name.ends_with(".http") {
            let end = framed
                .windows(2)
                .position(|pair| pair == b"\n\n")
                .expect("there is an empty line");
            let (head, rest) = framed.split_at(end);
            (head, rest.get(2..).unwrap_or_default())
        } else {
            (&[][..], content.as_slice())
        };
        let header = |wanted: &str| {
            Header::from_values(head.split(|byte| *byte == b'\n').filter_map(|line| {
                let at = line.iter().position(|byte| *byte == b':')?;
                let (name, value) = line.split_at(at);
                let value = value.get(1..)?;
                name.eq_ignore_ascii_case(wanted.as_bytes()).then_some(value)
            }))
        };
        let headers = ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"].map(header);
        eprintln!("{name}");
        // Messages of other kinds may have an invalid header only, or be valid in some revision.
        let kind = name.split("--").next().unwrap_or_default();
        let is_never_valid = [
            "truncated",
            "syntax",
            "encoding",
            "nul",
            "depth",
            "duplicate",
            "id",
            "message",
            "method",
            "params",
            "handshake",
            "envelope",
        ]
        .contains(&kind);
        for connection in ConnectionState::all() {
            let is_rejected = decode_at(connection, headers, body);
            assert!(is_rejected || !is_never_valid, "accepted at {connection:?}");
            decode_at(connection, [Header::Absent; 3], body);
        }
    }
}
