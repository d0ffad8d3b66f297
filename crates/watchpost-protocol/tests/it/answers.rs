//! What results and errors look like, revision by revision.

use crate::support::{Peer, enveloped, initialize, plain};
use serde_json::{Value, json};
use watchpost_protocol::{Era, Incoming, Revision, RpcError, Wire};

/// The same request in each revision's own dress.
fn in_each(method: &str, params: &Value) -> Vec<(Revision, Value)> {
    let name = params.get("name").and_then(Value::as_str);
    Revision::KNOWN
        .into_iter()
        .map(|revision| {
            let said = match revision.era() {
                Era::Legacy => Peer::http()
                    .session(revision)
                    .send(&plain(method, params.clone())),
                Era::Modern => Peer::modern(method, name).send(&enveloped(method, params.clone())),
            };
            (revision, said.json().clone())
        })
        .collect()
}

/// ENV-06, ENV-07, ENV-14, TOO-06, TOO-07, TOO-13, RPC-15, ERA-08.
#[test]
fn tool_result_has_the_fields_of_its_revision() {
    let structured = json!({"said": {"a": [1, "é"]}});
    let arguments: Value = serde_json::from_str(r#"{"a":[1,"é"]}"#).unwrap();
    for (revision, json) in in_each("tools/call", &json!({"name": "echo", "arguments": arguments})) {
        let result = &json["result"];
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            structured["said"],
            "{revision}"
        );
        let mut expected = json!({"content": result["content"], "isError": false});
        if revision >= Revision::V2025_06_18 {
            expected["structuredContent"] = structured.clone();
        }
        if revision == Revision::V2026_07_28 {
            expected["resultType"] = json!("complete");
            expected["_meta"] = json!({"io.modelcontextprotocol/serverInfo": {
                "name": "desk", "title": "The Desk", "version": "1.2.3", "description": "Answers.",
                "websiteUrl": "https://desk.example/"}});
        }
        assert_eq!(result, &expected, "{revision}");
        assert_eq!(json["id"], 7);
    }
}

/// TOO-08, TOO-09, RPC-13, HTP-14.
#[test]
fn errors_of_handlers_travel_as_what_they_are() {
    for (revision, json) in in_each("tools/call", &json!({"name": "fail"})) {
        assert_eq!(json["result"]["isError"], true, "{revision}");
        assert_eq!(json["result"]["content"][0]["text"], "say less");
    }
    for (tool, code, message) in [
        ("unheard\nof", -32602, "Unknown tool: unheardof"),
        ("strict", -32602, "no"),
        (
            "crash",
            -32603,
            "the server failed to answer this request; its log says why",
        ),
        (
            "mixed-up",
            -32603,
            "the server failed to answer this request; its log says why",
        ),
    ] {
        let legacy = Peer::http()
            .session(Revision::V2025_11_25)
            .send(&plain("tools/call", json!({"name": tool})));
        assert_eq!(legacy.outcome(), (200, code), "{tool}");
        assert_eq!(legacy.message(), message);
        let stdio = Peer::new(Wire::Stdio).send(&enveloped("tools/call", json!({"name": tool})));
        assert_eq!(stdio.outcome(), (200, code), "{tool}");
    }
}

/// DSC-01, DSC-02, DSC-04, CCH-01, CCH-04.
#[test]
fn discover_says_what_is_served() {
    let said = Peer::modern("server/discover", None).send(&enveloped("server/discover", json!({})));
    let result = said.result();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["capabilities"], json!({"resources": {}, "tools": {}}));
    assert_eq!(result["instructions"], "Hello \"alice\".");
    assert_eq!(result["ttlMs"], 3_600_000);
    assert_eq!(
        result["cacheScope"], "private",
        "instructions depend on the caller"
    );
    assert_eq!(result["resultType"], "complete");
    assert!(result.get("serverInfo").is_none());
}

/// RPC-02, RPC-03.
#[test]
fn ids_come_back_as_they_came() {
    let stdio = Peer::new(Wire::Stdio).session(Revision::V2025_06_18);
    for id in [
        json!(92),
        json!("92"),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("é\"\\\n\u{0}"),
        json!("x".repeat(1024)),
    ] {
        for method in ["ping", "nope"] {
            let mut body = plain(method, json!({}));
            body["id"] = id.clone();
            assert_eq!(stdio.send(&body).json()["id"], id);
        }
    }
    let escaped = r#"{"jsonrpc":"2.0","id":"\u0061\/","method":"\u0070ing"}"#;
    assert_eq!(stdio.send_bytes(escaped).json()["id"], "a/");
}

/// RPC-02, RPC-09.
#[test]
fn illegal_ids_are_refused_without_one() {
    let huge = "9".repeat(400);
    let long = format!("\"{}\"", "x".repeat(1025));
    for id in [
        "null",
        "1.0",
        "1.5",
        "1e3",
        "9223372036854775808",
        &huge,
        "true",
        "{}",
        "[]",
        &long,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let said = Peer::new(Wire::Stdio).send_bytes(body.clone());
        assert_eq!(said.outcome().1, -32600, "{id}");
        assert_eq!(said.json()["id"], json!(null));
        let said = Peer::http().session(Revision::V2025_11_25).send_bytes(body);
        assert!(said.json().get("id").is_none());
    }
}

/// RPC-09.
#[test]
fn error_without_id_follows_what_the_peer_is_known_to_speak() {
    let check = |peer: Peer, null: bool| {
        let said = peer.send_bytes("{");
        assert_eq!(said.outcome(), (400, -32700));
        assert_eq!(said.json().get("id"), null.then_some(&Value::Null));
    };
    check(Peer::http(), true);
    check(Peer::http().version("2025-06-18"), true);
    check(Peer::http().session(Revision::V2025_06_18), true);
    check(Peer::http().version("2025-11-25"), false);
    check(Peer::http().version("2026-07-28"), false);
    check(Peer::new(Wire::Stdio), true);
    check(Peer::new(Wire::Stdio).session(Revision::V2025_11_25), false);
}

#[test]
fn transport_can_refuse_a_request() {
    for (body, revision) in [
        (enveloped("tools/list", json!({})), Revision::V2026_07_28),
        (initialize("2025-03-26"), Revision::V2025_03_26),
    ] {
        let peer = Peer::new(Wire::Stdio);
        let Incoming::Request(request) = peer.decode(body.to_string()) else {
            panic!("a request")
        };
        assert_eq!(request.revision(), revision);
        let error = RpcError::new(401, "Invalid API key", 401);
        assert_eq!((error.code(), error.message()), (401, "Invalid API key"));
        let reply = peer.server.refuse(&request, &error);
        assert_eq!((reply.status, reply.opened()), (401, None));
        let json: Value = serde_json::from_slice(&reply.body.unwrap()).unwrap();
        assert_eq!(
            json,
            json!({"jsonrpc": "2.0", "id": 7,
            "error": {"code": 401, "message": "Invalid API key"}})
        );
    }
    assert_eq!(RpcError::cancelled().code(), -32800);
    assert_eq!(RpcError::duplicate_id().code(), -32600);
}

#[test]
fn answers_on_http_sse_go_out_on_the_stream() {
    let peer = Peer::new(Wire::HttpSse).session(Revision::V2024_11_05);
    assert_eq!(
        peer.send(&plain("tools/call", json!({"name": "nope"}))).outcome(),
        (202, -32602)
    );
    assert_eq!(
        peer.send(&plain("tools/call", json!({}))).outcome(),
        (202, -32602)
    );
    assert_eq!(
        Peer::new(Wire::HttpSse).send(&initialize("2024-11-05")).outcome(),
        (202, 0)
    );
}
