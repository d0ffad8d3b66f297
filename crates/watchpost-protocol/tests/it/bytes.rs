//! Arbitrary bytes: the response is always a valid error, and nothing panics.

use crate::support::{Desk, Peer, Received, enveloped, plain};
use proptest::prelude::*;
use serde_json::{Value, json};
use watchpost_protocol::{Limits, Revision, Revisions, Server, TransportKind};

fn stdio() -> Peer {
    Peer::new(TransportKind::Stdio).session(Revision::V2025_06_18)
}

#[track_caller]
fn rejected(body: impl Into<Vec<u8>>, code: i64) -> Received {
    let received = stdio().send_bytes(body.into());
    assert_eq!(received.outcome().1, code);
    received
}

fn call_with(arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"echo","arguments":{arguments}}}}}"#
    )
}

/// RPC-07.
#[test]
fn text_that_is_not_json_is_a_parse_error() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "nul",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "[1,]",
        "{} {}",
        "{}x",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\t\"",
        "{\"a\":\"\n\"}",
        "NaN",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\u{0}",
        "\u{feff}",
        " \u{feff}{}",
        "// c\n{}",
        "\"\\u123",
        "[",
        "[}",
        "{\"a\":tru}",
        "\"\\",
    ] {
        let received = rejected(text, -32700);
        assert_eq!(received.json()["id"], json!(null), "{text:?}");
    }
}

#[test]
fn invalid_unicode_is_a_parse_error() {
    for bytes in [
        b"\xff".as_slice(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\xc3\"}",
        b"\xed\xa0\x80",
    ] {
        rejected(bytes, -32700);
    }
}

#[test]
fn half_a_character_is_replaced() {
    for (text, expected) in [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00""#, "\u{fffd}"),
        (r#""\ud800\ud800""#, "\u{fffd}\u{fffd}"),
        (r#""\ud800x""#, "\u{fffd}x"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        (r#""\uD83D\u0041""#, "\u{fffd}A"),
        (r#""\ud83d\ude00 \u0000""#, "😀 \u{0}"),
    ] {
        let answer = stdio().send_bytes(call_with(&format!(r#"{{"text":{text}}}"#)));
        assert_eq!(answer.result()["structuredContent"]["received"]["text"], expected);
        let answer = stdio().send_bytes(call_with(&format!("{{{text}:1}}")));
        assert_eq!(
            answer.result()["structuredContent"]["received"][expected],
            1,
            "{text}"
        );
    }
    // Two keys that differ only in what was replaced are the same key.
    rejected(call_with(r#"{"\ud800":1,"\ud801":2}"#), -32600);
}

#[test]
fn a_byte_order_mark_before_a_message_is_skipped() {
    let answer = stdio().send_bytes(format!("\u{feff}{}", call_with(r#"{"text":"x"}"#)));
    assert_eq!(answer.result()["structuredContent"]["received"]["text"], "x");
}

/// Bytes that end or invalidate a string are detected at every offset, and other bytes aren't.
#[test]
fn the_end_of_a_string_is_detected_at_any_offset() {
    for length in [1, 7, 8, 9, 17] {
        for place in 0..length {
            for byte in 0..=0x7f_u8 {
                let mut text = vec![b'x'; length];
                text[place] = byte;
                let text = String::from_utf8(text).unwrap();
                let body = call_with(&format!("{{\"a\":\"{text}\"}}"));
                let legal = serde_json::from_str::<Value>(&body).is_ok();
                assert_eq!(stdio().send_bytes(body).outcome().1 == 0, legal, "{text:?}");
            }
        }
    }
}

/// RPC-01, RPC-05, RPC-07, RPC-08.
#[test]
fn json_that_is_not_a_message_is_an_invalid_request() {
    for body in [
        json!(1),
        json!("x"),
        json!(null),
        json!(true),
        json!({}),
        json!({"id": 1}),
        json!({"jsonrpc": "2.0"}),
        json!({"jsonrpc": "2.0", "id": 1}),
        json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}),
        json!({"jsonrpc": 2.0, "id": 1, "method": "ping"}),
        json!({"id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": null}),
        json!({"jsonrpc": "2.0", "id": 1, "method": 5}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "result": {}}),
        json!({"jsonrpc": "2.0", "result": {}}),
        json!({"jsonrpc": "2.0", "id": null, "result": {}}),
    ] {
        let received = rejected(body.to_string(), -32600);
        assert_eq!(
            received.json()["id"],
            if body["id"] == 1 { json!(1) } else { json!(null) },
            "{body}"
        );
    }
}

#[test]
fn keys_are_case_sensitive() {
    rejected(r#"{"jsonrpc":"2.0","ID":1,"Method":"ping"}"#, -32600);
    rejected(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"echo"}}"#,
        -32602,
    );
    // A key in a different case is a different key, not a duplicate.
    let received = stdio().send_bytes(call_with(r#"{"a":1,"A":2}"#));
    assert_eq!(
        received.result()["structuredContent"]["received"],
        json!({"a": 1, "A": 2})
    );
}

#[test]
fn duplicate_keys_are_rejected_at_every_depth() {
    let many: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
    for body in [
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{},"params":{}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","params":{"_meta":{"a":{"x":1,"x":1}}},"id":7,"method":"ping"}"#.to_owned(),
        call_with(r#"{"a":1,"a":1}"#),
        call_with(r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#),
        call_with(r#"{"a":1,"\u0061":1}"#),
        call_with(r#"{"\u0061":1,"a":1}"#),
        call_with(r#"{"\u0061":1,"\u0061":1}"#),
        call_with(&format!("{{{many}\"k0\":0}}")),
        call_with(&format!("{{{many}\"k39\":0}}")),
        call_with(&format!("{{{many}\"\\u006b39\":0}}")),
    ] {
        let received = rejected(body.clone(), -32600);
        assert!(received.message().contains("duplicate key"), "{body}");
        assert_eq!(received.json()["id"], 7, "the id is recovered: {body}");
    }
    assert_eq!(
        rejected(r#"{"id":1,"jsonrpc":"2.0","id":2,"method":"ping"}"#, -32600).json()["id"],
        json!(null)
    );
    // The same key in different objects isn't a duplicate.
    let fine = call_with(&format!(
        r#"{{"a":{{"a":[{{"a":1}},{{"a":1}}]}},"b":{{{many}"a":1}}}}"#
    ));
    assert_eq!(stdio().send_bytes(fine).outcome().1, 0);
}

/// SEC-04.
#[test]
fn nesting_is_limited() {
    let nested = |open: &str, close: &str, levels: usize| {
        call_with(&format!(
            "{{\"a\":{}1{}}}",
            open.repeat(levels),
            close.repeat(levels)
        ))
    };
    // The message, its params and the arguments are three levels.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        assert_eq!(stdio().send_bytes(nested(open, close, 61)).outcome().1, 0);
        let received = rejected(nested(open, close, 62), -32600);
        assert!(received.message().contains("64"));
        assert_eq!(received.json()["id"], 7);
        rejected(nested(open, close, 10_000), -32600);
    }
    rejected("[".repeat(100_000), -32600);
    rejected("{\"a\":".repeat(100_000), -32600);
}

/// HTP-15.
#[test]
fn size_is_limited() {
    let limits = Limits {
        message_bytes: 300,
        ..Limits::default()
    };
    let server = Server::with_limits(Desk::new(true), Revisions::ALL, limits);
    assert_eq!(server.limits().message_bytes, 300);
    let peer = Peer::of(server, TransportKind::Http);
    let sized = |size: usize| {
        let empty = call_with("{\"a\":\"\"}").len();
        call_with(&format!("{{\"a\":\"{}\"}}", "x".repeat(size - empty)))
    };
    assert_eq!(peer.send_bytes(sized(300)).outcome(), (200, 0));
    assert_eq!(peer.send_bytes(sized(301)).outcome(), (413, -32600));
    let whole = Peer::http();
    assert_eq!(whole.send_bytes(sized(1 << 20)).outcome(), (200, 0));
    assert_eq!(whole.send_bytes(sized((1 << 20) + 1)).outcome(), (413, -32600));
}

#[test]
fn numbers_of_any_length_are_passed_to_the_tool() {
    let long = "9".repeat(500_000);
    let received = stdio().send_bytes(call_with(&format!("{{\"a\":\"{long}\",\"b\":[-0.5e-3,1E+9,0]}}")));
    assert_eq!(received.outcome().1, 0);
    // An object with very many keys doesn't take quadratic time.
    let keys: Vec<String> = (0..60_000).map(|n| format!("\"{n}\":0")).collect();
    assert_eq!(
        stdio()
            .send_bytes(call_with(&format!("{{{}}}", keys.join(","))))
            .outcome()
            .1,
        0
    );
}

#[test]
fn a_message_truncated_at_any_byte_is_rejected() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "progressToken": "é",
        "io.modelcontextprotocol/clientCapabilities": {"a": [1.5e3, null, true, "\n\"😀"]}});
    let whole = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call",
        "params": {"name": "echo", "arguments": {"x": [[], {}, -1]}, "_meta": meta}})
    .to_string();
    for transport in [TransportKind::Http, TransportKind::Stdio, TransportKind::HttpSse] {
        let peer = Peer::new(transport);
        for cut in 0..whole.len() {
            let received = peer.send_bytes(whole.as_bytes()[..cut].to_vec());
            assert_eq!(received.outcome().1, -32700, "{cut}");
        }
    }
    assert_eq!(Peer::new(TransportKind::Stdio).send_bytes(whole).outcome().1, 0);
}

fn peers() -> Vec<Peer> {
    vec![
        Peer::http(),
        Peer::modern("tools/call", Some("echo")),
        Peer::http().session(Revision::V2025_03_26),
        Peer::http().version("nonsense").session(Revision::V2025_11_25),
        Peer::new(TransportKind::Stdio),
        stdio(),
        Peer::new(TransportKind::HttpSse),
    ]
}

/// Sends the message to every peer. `send_bytes` checks each response against the schema.
fn survives(body: &[u8]) {
    for peer in peers() {
        if let Received::Answer(status, _) = peer.send_bytes(body.to_vec()) {
            assert!((200..500).contains(&status));
        }
    }
}

fn valid() -> Vec<String> {
    let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let all: Vec<Value> = vec![
        enveloped(
            "tools/call",
            json!({"name": "echo", "arguments": {"a": {"b": [1, "\u{e9}", null]}}}),
        ),
        enveloped("tools/list", json!({"cursor": ""})),
        enveloped("server/discover", json!({})),
        crate::support::initialize("2025-06-18"),
        plain(
            "tools/call",
            json!({"name": "count", "_meta": {"progressToken": 5}}),
        ),
        note.clone(),
        json!([plain("ping", json!({})), note]),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
    ];
    all.iter().map(Value::to_string).collect()
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// The number of cases of each property: more if `tests/full/run` asks for them.
fn cases() -> u32 {
    match std::env::var("WATCHPOST_TESTS") {
        Ok(value) if value == "full" => 100_000,
        _ => 400,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn arbitrary_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&body);
    }

    #[test]
    fn mutated_messages_are_answered(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut body = which.get(&valid()).clone().into_bytes();
        for (place, byte, kind) in edits {
            let at = place.index(body.len() + 1);
            match kind {
                0 => body.insert(at, byte),
                1 if at < body.len() => { body.remove(at); }
                2 if at < body.len() => body[at] = byte,
                _ => body.insert(at, *b"{}[]\",:\\".get(usize::from(byte % 8)).unwrap()),
            }
        }
        survives(&body);
    }

    /// Our scanner and serde_json accept the same JSON, except for duplicate keys, which a `Value` can't have.
    #[test]
    fn any_json_passes_through_a_tool_unchanged(value in json_value()) {
        let arguments = json!({"v": value}).to_string();
        let received = stdio().send_bytes(call_with(&arguments));
        let expected: Value = serde_json::from_str(&arguments).unwrap();
        prop_assert_eq!(&received.result()["structuredContent"]["received"], &expected);
    }

    #[test]
    fn members_of_wrong_types_are_answered(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        value in json_value(),
    ) {
        let mut body: Value = serde_json::from_str(which.get::<String>(&valid())).unwrap();
        let mut pointers = Vec::new();
        list_pointers(&body, String::new(), &mut pointers);
        *body.pointer_mut(place.get::<String>(&pointers)).unwrap() = value;
        survives(body.to_string().as_bytes());
    }
}

fn list_pointers(value: &Value, here: String, out: &mut Vec<String>) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            let key = key.replace('~', "~0").replace('/', "~1");
            list_pointers(value, format!("{here}/{key}"), out);
        }
    }
    out.push(here);
}
