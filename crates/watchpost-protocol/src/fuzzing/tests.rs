//! The targets over checked-in input.

use super::{ConnectionState, Header, decode, decode_at, headers};
use std::path::PathBuf;

/// The files of a folder of the repository, with their names.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a file"))
        })
        .collect()
}

fn replay(target: fn(&[u8]), folder: &str, at_least: usize) {
    let files = files(folder);
    assert!(files.len() >= at_least, "{} files in {folder}", files.len());
    for (name, input) in files {
        // The name of the input that fails is the last thing on the output.
        eprintln!("{folder}/{name}");
        target(&input);
    }
}

#[test]
fn messages_of_the_corpus_are_decoded_as_they_should_be() {
    replay(decode, "fuzz/corpus/decode", 100);
}

#[test]
fn headers_of_the_corpus_are_compared_as_they_should_be() {
    replay(headers, "fuzz/corpus/headers", 20);
}

/// Malformed messages in every state: each wire, before a handshake and after one of each revision.
#[test]
fn malformed_messages_are_decoded_as_they_should_be_everywhere() {
    let files: Vec<_> = files("fixtures/mcp/malformed")
        .into_iter()
        .filter(|(name, _)| name.ends_with(".json") || name.ends_with(".http"))
        .collect();
    assert!(files.len() >= 500);
    for (name, content) in files {
        // A line feed before it all, so that the empty line is found even where no header stands before it.
        let framed = [b"\n".as_slice(), &content].concat();
        let (head, body) = if name.ends_with(".http") {
            let end = framed
                .windows(2)
                .position(|pair| pair == b"\n\n")
                .expect("an empty line");
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
        // Elsewhere what is wrong may be a header, or be legal under some revision.
        let kind = name.split("--").next().unwrap_or_default();
        let never_legal = [
            "truncated",
            "syntax",
            "surrogate",
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
            let refused = decode_at(connection, headers, body);
            assert!(refused || !never_legal, "accepted at {connection:?}");
            decode_at(connection, [Header::Absent; 3], body);
        }
    }
}
