//! Validation of the modern envelope and routing headers, and its order.

use crate::support::{Peer, enveloped, plain};
use serde_json::{Value, json};
use watchpost_protocol::{ChangeHub, Revision, TransportKind};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

fn call(name: Value) -> Value {
    enveloped("tools/call", json!({"name": name, "arguments": {}}))
}

fn with_meta(mut body: Value, key: &str, value: Value) -> Value {
    body["params"]["_meta"][key] = value;
    body
}

fn without_meta(mut body: Value, key: &str) -> Value {
    body["params"]["_meta"].as_object_mut().unwrap().remove(key);
    body
}

/// ENV-01, LOG-04.
#[test]
fn an_invalid_envelope_is_rejected() {
    let peer = Peer::modern("tools/call", Some("echo"));
    let good = call(json!("echo"));
    assert_eq!(peer.send(&good).outcome(), (200, 0));
    let mut no_meta = good.clone();
    no_meta["params"].as_object_mut().unwrap().remove("_meta");
    let mut no_params = good.clone();
    no_params.as_object_mut().unwrap().remove("params");
    let mut array = good.clone();
    array["params"] = json!([]);
    let mut flat_meta = good.clone();
    flat_meta["params"]["_meta"] = json!("x");
    for body in [
        no_meta,
        no_params,
        array,
        flat_meta,
        without_meta(good.clone(), VERSION),
        without_meta(good.clone(), CAPABILITIES),
        with_meta(good.clone(), VERSION, json!(20260728)),
        with_meta(good.clone(), VERSION, json!(null)),
        with_meta(good.clone(), CAPABILITIES, json!([])),
        with_meta(good.clone(), CAPABILITIES, json!(null)),
        with_meta(good.clone(), "io.modelcontextprotocol/clientInfo", json!("me")),
        with_meta(good.clone(), "io.modelcontextprotocol/logLevel", json!("loud")),
        with_meta(good, "io.modelcontextprotocol/logLevel", json!(3)),
    ] {
        assert_eq!(peer.send(&body).outcome(), (400, -32602), "{body}");
    }
}

/// ENV-02, RPC-14, ENV-08.
#[test]
fn optional_and_unknown_meta_keys_are_accepted() {
    let peer = Peer::modern("tools/call", Some("echo"));
    let good = call(json!("echo"));
    for body in [
        with_meta(good.clone(), "io.modelcontextprotocol/clientInfo", json!({})),
        with_meta(good.clone(), "io.modelcontextprotocol/made-up", json!({"a": [1]})),
        with_meta(good.clone(), "example.vendor/thing", json!(null)),
        with_meta(good.clone(), "traceparent", json!(5)),
        with_meta(good, "io.modelcontextprotocol/logLevel", json!("warning")),
    ] {
        assert_eq!(peer.send(&body).outcome(), (200, 0), "{body}");
    }
}

/// ENV-03, ENV-13, DSC-04.
#[test]
fn an_unsupported_version_error_lists_the_supported_ones() {
    for version in ["2027-01-01", "2025-06-18", "v999", ""] {
        let body = with_meta(enveloped("tools/list", json!({})), VERSION, json!(version));
        let received = Peer::http().version(version).method("tools/list").send(&body);
        assert_eq!(received.outcome(), (400, -32022), "{version}");
        let data = &received.json()["error"]["data"];
        assert_eq!(data, &json!({"supported": ["2026-07-28"], "requested": version}));
    }
}

/// HDR-01, HDR-02, HDR-03, HDR-04, HDR-05, HDR-06, HDR-09.
#[test]
fn routing_headers_must_equal_the_body() {
    let check = |peer: &Peer, body: &Value, expected: (u16, i64)| {
        assert_eq!(
            peer.send(body).outcome(),
            expected,
            "{:?} {:?}",
            peer.method,
            peer.name
        );
    };
    let (fine, mismatch) = ((200, 0), (400, -32020));
    let base = || Peer::http().version("2026-07-28");
    let full = || base().method("tools/call");
    let echo = call(json!("echo"));
    check(&full().name("echo"), &echo, fine);
    check(
        &Peer::http()
            .version(" 2026-07-28\t")
            .method(" tools/call ")
            .name("\techo "),
        &echo,
        fine,
    );
    check(&full().name("=?base64?ZWNobw==?="), &echo, fine);
    check(&Peer::http().method("tools/call").name("echo"), &echo, mismatch);
    check(
        &Peer::http()
            .version("2025-11-25")
            .method("tools/call")
            .name("echo"),
        &echo,
        mismatch,
    );
    check(
        &base().version("2026-07-28").method("tools/call").name("echo"),
        &echo,
        mismatch,
    );
    check(&base().name("echo"), &echo, mismatch);
    check(&base().method("tools/list").name("echo"), &echo, mismatch);
    check(&base().method("TOOLS/CALL").name("echo"), &echo, mismatch);
    check(&full().method("tools/call").name("echo"), &echo, mismatch);
    check(&full(), &echo, mismatch);
    for name in [
        "Echo",
        "fail",
        "",
        "=?base64?ZWNobw?=",
        "=?base64?*?=",
        "=?base64?/w==?=",
        "=?BASE64?ZWNobw==?=",
    ] {
        check(&full().name(name), &echo, mismatch);
    }
    check(&full().name("echo").name("echo"), &echo, mismatch);
    check(
        &base().method("tools/list").name("a").name("b"),
        &enveloped("tools/list", json!({})),
        mismatch,
    );
    check(
        &base().method("tools/list").name("a"),
        &enveloped("tools/list", json!({})),
        fine,
    );
    // The encoded form can carry characters that a header can't.
    check(&full().name("=?base64?w6k=?="), &call(json!("é")), (200, -32602));
    // Other methods repeat other members.
    let read = enveloped("resources/read", json!({"uri": "desk://a"}));
    check(
        &base().method("resources/read").name("desk://a"),
        &read,
        (200, -32602),
    );
    check(&base().method("resources/read").name("desk://b"), &read, mismatch);
    let task = enveloped("tasks/get", json!({"taskId": "t"}));
    check(&base().method("tasks/get").name("t"), &task, (404, -32601));
    check(&base().method("tasks/get"), &task, mismatch);
}

#[test]
fn stdio_has_no_routing_headers() {
    let peer = Peer::new(TransportKind::Stdio);
    assert_eq!(peer.send(&call(json!("echo"))).outcome().1, 0);
}

/// HDR-11: each body breaks one more rule than the one before. The first rule in the order of validation is
/// reported.
#[test]
fn the_first_failure_is_reported() {
    let check = |peer: Peer, body: &Value, expected: (u16, i64)| {
        assert_eq!(peer.send(body).outcome(), expected, "{body}");
    };
    let other = |peer: &Peer| peer.clone().method("other").version("2026-07-28");
    let shape = enveloped("tools/call", json!({}));
    let peer = Peer::http();
    // Parameters: nothing else is wrong.
    check(Peer::modern("tools/call", None), &shape, (200, -32602));
    // Method before parameters: the parameters of an unknown method aren't checked.
    let mut method = shape;
    method["method"] = json!("nope");
    check(Peer::modern("nope", None), &method, (404, -32601));
    // Version before method.
    let version = with_meta(method.clone(), VERSION, json!("v999"));
    check(
        peer.clone().version("v999").method("nope"),
        &version,
        (400, -32022),
    );
    // Headers before version.
    check(other(&peer), &version, (400, -32020));
    // Envelope before headers.
    let envelope = without_meta(version, CAPABILITIES);
    check(other(&peer), &envelope, (400, -32602));
    // A valid message before the envelope.
    let mut message = envelope;
    message["id"] = json!(1.5);
    check(other(&peer), &message, (400, -32600));
}

/// ENV-05, HTP-05.
#[test]
fn a_modern_request_ignores_a_session() {
    let peer = Peer::modern("tools/call", Some("who")).session(Revision::V2025_06_18);
    let received = peer.send(&call(json!("who")));
    let text: Value =
        serde_json::from_str(received.result()["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["revision"], "2026-07-28");
    assert_eq!(text["client"], json!(null));
    assert_eq!(text["form"], false);
}

#[test]
fn malformed_parameters_are_rejected_in_both_eras() {
    let legacy = Peer::http().session(Revision::V2025_06_18);
    for (method, name, params) in [
        ("tools/call", None, json!({})),
        ("tools/call", None, json!({"name": 5})),
        (
            "tools/call",
            Some("echo"),
            json!({"name": "echo", "arguments": []}),
        ),
        (
            "tools/call",
            Some("echo"),
            json!({"name": "echo", "arguments": "{}"}),
        ),
        ("tools/list", None, json!({"cursor": 1})),
        ("tools/list", None, json!({"cursor": true})),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        assert_eq!(legacy.send(&body).outcome(), (200, -32602), "{body}");
        let body = enveloped(method, params);
        assert_eq!(
            Peer::modern(method, name).send(&body).outcome(),
            (200, -32602),
            "{body}"
        );
    }
    for (params, place) in [
        (json!([]), ""),
        (json!("x"), ""),
        (json!(true), ""),
        (json!({}), "_meta"),
    ] {
        let mut body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params});
        if place == "_meta" {
            body["params"]["_meta"] = json!([]);
        }
        assert_eq!(legacy.send(&body).outcome(), (200, -32602), "{body}");
    }
    for token in [json!(1.5), json!([]), json!({}), json!(true)] {
        let params = json!({"_meta": {"progressToken": token}});
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params});
        assert_eq!(legacy.send(&body).outcome(), (200, -32602), "{body}");
    }
}

/// Many clients write `null` for what they leave out.
#[test]
fn null_is_the_same_as_absent_for_optional_members() {
    let legacy = Peer::full(TransportKind::Stdio, &ChangeHub::new()).session(Revision::V2025_11_25);
    let check = |peer: &Peer, with: &Value, without: &Value| {
        let (with_null, absent) = (peer.send(with), peer.send(without));
        assert_eq!(absent.outcome().1, 0, "{without}: {}", absent.json());
        assert_eq!(with_null.json(), absent.json(), "{with}");
    };
    let ping = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
    for params in [
        json!(null),
        json!({"_meta": null}),
        json!({"_meta": {"progressToken": null}}),
    ] {
        let mut with = ping.clone();
        with["params"] = params;
        check(&legacy, &with, &ping);
    }
    for (method, with, without) in [
        ("tools/list", json!({"cursor": null}), json!({})),
        (
            "tools/call",
            json!({"name": "echo", "arguments": null, "_meta": null, "inputResponses": null, "requestState": null}),
            json!({"name": "echo"}),
        ),
        (
            "prompts/get",
            json!({"name": "greet", "arguments": {"whom": "Ada", "other": null}}),
            json!({"name": "greet", "arguments": {"whom": "Ada"}}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "greet", "uri": null}, "argument": {"name": "whom", "value": "x"}, "context": null}),
            json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "whom", "value": "x"}}),
        ),
    ] {
        check(
            &legacy,
            &plain(method, with.clone()),
            &plain(method, without.clone()),
        );
        let name = with["name"].as_str();
        let modern = Peer::modern_full(method, name);
        check(&modern, &enveloped(method, with), &enveloped(method, without));
    }
    let mut with = enveloped("tools/call", json!({"name": "echo"}));
    let without = with.clone();
    with["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = json!(null);
    with["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = json!(null);
    check(&Peer::modern_full("tools/call", Some("echo")), &with, &without);
}
