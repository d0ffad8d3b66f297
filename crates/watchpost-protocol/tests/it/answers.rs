//! The shape of results and errors in each revision.

use crate::support::{Peer, enveloped, initialize, plain};
use serde_json::{Value, json};
use watchpost_protocol::{Era, Incoming, Revision, RpcError, TransportKind};

/// Returns the request in the form of each revision.
fn in_each(method: &str, params: &Value) -> Vec<(Revision, Value)> {
    let name = params.get("name").and_then(Value::as_str);
    Revision::KNOWN
        .into_iter()
        .map(|revision| {
            let received = match revision.era() {
                Era::Legacy => Peer::http()
                    .session(revision)
                    .send(&plain(method, params.clone())),
                Era::Modern => Peer::modern(method, name).send(&enveloped(method, params.clone())),
            };
            (revision, received.json().clone())
        })
        .collect()
}

/// ENV-06, ENV-07, ENV-14, TOO-06, TOO-07, TOO-13, RPC-15, ERA-08.
#[test]
fn a_tool_result_has_the_fields_of_its_revision() {
    let structured = json!({"received": {"a": [1, "é"]}});
    let arguments: Value = serde_json::from_str(r#"{"a":[1,"é"]}"#).unwrap();
    for (revision, json) in in_each("tools/call", &json!({"name": "echo", "arguments": arguments})) {
        let result = &json["result"];
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            structured["received"],
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
fn errors_of_handlers_are_sent_as_errors_or_tool_errors() {
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
            "the server failed to process this request; its log describes the cause",
        ),
        (
            "mixed-up",
            -32603,
            "the server failed to process this request; its log describes the cause",
        ),
    ] {
        let legacy = Peer::http()
            .session(Revision::V2025_11_25)
            .send(&plain("tools/call", json!({"name": tool})));
        assert_eq!(legacy.outcome(), (200, code), "{tool}");
        assert_eq!(legacy.message(), message);
        let stdio = Peer::new(TransportKind::Stdio).send(&enveloped("tools/call", json!({"name": tool})));
        assert_eq!(stdio.outcome(), (200, code), "{tool}");
    }
}

/// DSC-01, DSC-02, DSC-04, CCH-01, CCH-04.
#[test]
fn discover_lists_what_the_server_offers() {
    let received = Peer::modern("server/discover", None).send(&enveloped("server/discover", json!({})));
    let result = received.result();
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
    // The only modern result with the icon: every other one repeats the name and the version, and would repeat the image.
    let info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(info["icons"][0]["src"], "data:image/svg+xml;base64,PHN2Zy8+");
}

/// RPC-02, RPC-03.
#[test]
fn ids_are_returned_unchanged() {
    let stdio = Peer::new(TransportKind::Stdio).session(Revision::V2025_06_18);
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
fn invalid_ids_are_rejected_without_an_id() {
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
        let received = Peer::new(TransportKind::Stdio).send_bytes(body.clone());
        assert_eq!(received.outcome().1, -32600, "{id}");
        assert_eq!(received.json()["id"], json!(null));
        let received = Peer::http().session(Revision::V2025_11_25).send_bytes(body);
        assert!(received.json().get("id").is_none());
    }
}

/// RPC-09.
#[test]
fn an_error_without_id_follows_the_known_revision_of_the_peer() {
    let check = |peer: Peer, null: bool| {
        let received = peer.send_bytes("{");
        assert_eq!(received.outcome(), (400, -32700));
        assert_eq!(received.json().get("id"), null.then_some(&Value::Null));
    };
    check(Peer::http(), true);
    check(Peer::http().version("2025-06-18"), true);
    check(Peer::http().session(Revision::V2025_06_18), true);
    check(Peer::http().version("2025-11-25"), false);
    check(Peer::http().version("2026-07-28"), false);
    check(Peer::new(TransportKind::Stdio), true);
    check(
        Peer::new(TransportKind::Stdio).session(Revision::V2025_11_25),
        false,
    );
}

#[test]
fn a_transport_can_reject_a_request() {
    for (body, revision) in [
        (enveloped("tools/list", json!({})), Revision::V2026_07_28),
        (initialize("2025-03-26"), Revision::V2025_03_26),
    ] {
        let peer = Peer::new(TransportKind::Stdio);
        let Incoming::Request(request) = peer.decode(body.to_string()) else {
            panic!("the message is a request")
        };
        assert_eq!(request.revision(), revision);
        let error = RpcError::new(401, "Invalid API key", 401);
        assert_eq!((error.code(), error.message()), (401, "Invalid API key"));
        let reply = peer.server.reject(&request, &error);
        assert_eq!((reply.status, reply.new_session()), (401, None));
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
fn responses_on_http_sse_go_to_the_stream() {
    let peer = Peer::new(TransportKind::HttpSse).session(Revision::V2024_11_05);
    assert_eq!(
        peer.send(&plain("tools/call", json!({"name": "nope"}))).outcome(),
        (202, -32602)
    );
    assert_eq!(
        peer.send(&plain("tools/call", json!({}))).outcome(),
        (202, -32602)
    );
    assert_eq!(
        Peer::new(TransportKind::HttpSse)
            .send(&initialize("2024-11-05"))
            .outcome(),
        (202, 0)
    );
}
