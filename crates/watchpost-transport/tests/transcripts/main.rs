//! Replays conversations of every revision over every transport that supports it. The responses must be equal.
//!
//! Each file `fixtures/mcp/<revision>/*.jsonl` is one conversation. The README there describes how to read and
//! write them.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

#[path = "../../examples/conformance_server/asking.rs"]
mod asking;
#[path = "../../examples/environment/mod.rs"]
#[expect(
    dead_code,
    reason = "the clock and random generator of the example are replaced by fixed ones"
)]
mod environment;
#[path = "../../examples/conformance_server/fixture.rs"]
mod fixture;
#[path = "../it/http_client.rs"]
#[expect(dead_code, reason = "this test uses only a part")]
mod http_client;
mod names;
#[path = "../../examples/conformance_server/prompts.rs"]
mod prompts;
#[path = "../../examples/conformance_server/resources.rs"]
mod resources;
#[path = "../../examples/conformance_server/tasks.rs"]
mod tasks;
#[path = "../../examples/conformance_server/tools.rs"]
mod tools;
mod transport;

use crate::{
    fixture::{CACHE, Fixture},
    names::Names,
    transport::{Conversation, Transport},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A recording ends a step when no message arrives for this long.
const QUIET: Duration = Duration::from_millis(400);

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mcp")
}

/// One line: a message from the client or from the server.
#[derive(Debug, Clone, PartialEq)]
enum Line {
    Send(Value),
    Receive(Value),
}

impl Line {
    fn read(text: &str) -> Self {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        match (line.get("send"), line.get("receive")) {
            (Some(message), None) => Self::Send(message.clone()),
            (None, Some(message)) => Self::Receive(message.clone()),
            _ => panic!("a line must have `send` or `receive`: {text}"),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Send(message) => format!("{{\"send\":{message}}}\n"),
            Self::Receive(message) => format!("{{\"receive\":{message}}}\n"),
        }
    }
}

fn conversations(revision: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory().join(revision)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    files
}

fn lines(file: &Path) -> Vec<Line> {
    std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(Line::read)
        .collect()
}

/// Sorts messages, so that they can be compared regardless of their order.
fn sorted(mut messages: Vec<Value>) -> Vec<Value> {
    messages.sort_by_key(Value::to_string);
    messages
}

/// Sends the client's messages and compares the responses.
async fn replay(transport: Transport, revision: &str, file: &Path) {
    let mut names = Names::default();
    let mut conversation = Conversation::open(transport, revision).await;
    let all = lines(file);
    let mut rest = all.as_slice();
    let mut received = 0;
    while let Some((Line::Send(message), after)) = rest.split_first() {
        conversation.send(&names.fill_in(message)).await;
        let answers = after.iter().take_while(|line| matches!(line, Line::Receive(_)));
        let expected: Vec<Value> = answers
            .map(|line| match line {
                Line::Send(message) | Line::Receive(message) => message.clone(),
            })
            .collect();
        rest = &after[expected.len()..];
        received += expected.len();
        let mut actual = Vec::new();
        for _ in 0..expected.len() {
            actual.push(names.replace(conversation.next().await));
        }
        assert_eq!(
            sorted(actual),
            sorted(expected),
            "{transport:?}, {}, after {message}",
            file.display()
        );
    }
    assert!(
        rest.is_empty(),
        "{}: a conversation must begin with `send`",
        file.display()
    );
    assert!(received > 0, "{}: there was no response", file.display());
    conversation.end(file).await;
}

/// Sends the client's messages of a file and records the responses.
async fn record(transport: Transport, revision: &str, file: &Path) {
    let mut names = Names::default();
    let mut conversation = Conversation::open(transport, revision).await;
    let mut out = String::new();
    for line in lines(file) {
        let Line::Send(message) = &line else { continue };
        out.push_str(&line.write());
        conversation.send(&names.fill_in(message)).await;
        while let Some(answer) = conversation.next_within(QUIET).await {
            out.push_str(&Line::Receive(names.replace(answer)).write());
        }
    }
    std::fs::write(file, out).unwrap();
}

async fn check(revision: &str, transports: &[Transport]) {
    let files = conversations(revision);
    assert!(files.len() >= 5, "{revision}: {} conversations", files.len());
    for file in files {
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            record(transports[0], revision, &file).await;
        }
        for transport in transports {
            replay(*transport, revision, &file).await;
        }
    }
}

const LEGACY: [Transport; 3] = [Transport::Stdio, Transport::Http, Transport::HttpSse];

// ERA-08: the same messages get the same responses on every transport.
#[tokio::test]
async fn conversations_of_2024_11_05_are_the_same_on_every_transport() {
    check("2024-11-05", &LEGACY).await;
}

#[tokio::test]
async fn conversations_of_2025_03_26_are_the_same_on_every_transport() {
    check("2025-03-26", &LEGACY).await;
}

#[tokio::test]
async fn conversations_of_2025_06_18_are_the_same_on_every_transport() {
    check("2025-06-18", &LEGACY).await;
}

#[tokio::test]
async fn conversations_of_2025_11_25_are_the_same_on_every_transport() {
    check("2025-11-25", &LEGACY).await;
}

#[tokio::test]
async fn conversations_of_2026_07_28_are_the_same_on_every_transport() {
    check("2026-07-28", &[Transport::Stdio, Transport::Http]).await;
}
