//! Messages that are almost valid: their meaning is certain, so they are answered with their id.

use super::{
    corpus::Case,
    replay::{Process, REVISION, post},
};
use crate::{
    app::{App, GOOD},
    http_client::Request,
    talk::{INITIALIZED, handshake, initialize},
};
use serde_json::Value;

/// Returns the messages, each with the text that the tool receives.
fn messages() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let call = |argument: &[u8]| {
        let start =
            br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo","arguments":{"a":""#;
        [start, argument, br#""}}}"#].concat()
    };
    vec![
        ("mark", [b"\xef\xbb\xbf", &*call(b"x")].concat(), r#"{"a":"x"}"#),
        ("high", call(br"\ud83d"), r#"{"a":"\ufffd"}"#),
        ("low", call(br"x\ude00"), r#"{"a":"x\ufffd"}"#),
        ("pair", call(br"\ud83d\ude00"), r#"{"a":"\ud83d\ude00"}"#),
        ("reversed", call(br"\ude00\ud83d"), r#"{"a":"\ufffd\ufffd"}"#),
        ("raw", call(b"\xed\xa0\xbd"), "{\"a\":\"\u{fffd}\"}"),
        (
            "raw-pair",
            call(b"\xed\xa0\xbd\xed\xb8\x80"),
            "{\"a\":\"\u{fffd}\u{fffd}\"}",
        ),
        ("key", call(br#"x","\ud83d":""#), r#"{"a":"x","\ufffd":""}"#),
    ]
}

#[track_caller]
fn check(name: &str, answer: &Value, said: &str) {
    assert_eq!(answer["id"], "a", "{name}: {answer}");
    let text = answer["result"]["content"][0]["text"].as_str();
    assert_eq!(
        text,
        Some(format!("{GOOD} said {said}").as_str()),
        "{name}: {answer}"
    );
}

fn case(name: &str, body: Vec<u8>) -> Case {
    Case {
        name: name.to_owned(),
        headers: None,
        body,
    }
}

#[tokio::test]
async fn are_answered_over_streamable_http() {
    let app = App::start().await;
    let mut client = app.connect().await;
    let session = handshake(&mut client, REVISION).await;
    for (name, body, said) in messages() {
        client.send(post("/mcp", Some(&session), &case(name, body))).await;
        check(name, &client.reply().await.json(), said);
    }
}

#[tokio::test]
async fn are_answered_over_http_sse() {
    let app = App::start().await;
    let mut stream = app.connect().await;
    stream.ask(&Request::new("GET", "/sse").key(GOOD)).await;
    let first = stream.event().await.unwrap();
    let path = first.strip_prefix("event: endpoint\ndata: ").unwrap().to_owned();
    let mut client = app.connect().await;
    let first = format!("\u{feff}{}", initialize(REVISION));
    for line in [first, INITIALIZED.to_owned()] {
        client.ask(&Request::post(&path, line).key(GOOD)).await;
    }
    assert_eq!(stream.message().await.unwrap()["id"], 0);
    for (name, body, said) in messages() {
        client.send(post(&path, None, &case(name, body))).await;
        assert_eq!(client.reply().await.status, 202, "{name}");
        check(name, &stream.message().await.unwrap(), said);
    }
}

#[tokio::test]
async fn are_answered_over_stdio() {
    let mut process = Process::start();
    process.send("\u{feff}").await;
    process.send(format!("\u{feff}{}", initialize(REVISION))).await;
    assert_eq!(process.next().await["id"], 0);
    process.send(INITIALIZED).await;
    for (name, body, said) in messages() {
        process.send(body).await;
        check(name, &process.next().await, said);
    }
}
