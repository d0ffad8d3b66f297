//! Tool arguments that clients repeat in headers.

use crate::support::{Peer, enveloped};
use serde_json::{Value, json};

fn check(headers: &[(&str, &str)], arguments: Value, accepted: bool) {
    let body = enveloped("tools/call", json!({"name": "routed", "arguments": arguments}));
    let peer = Peer::modern_full("tools/call", Some("routed"));
    let peer = headers
        .iter()
        .fold(peer, |peer, (name, value)| peer.parameter(name, value));
    let expected = if accepted { (200, 0) } else { (400, -32020) };
    assert_eq!(peer.send(&body).outcome(), expected, "{headers:?} {arguments}");
}

// HDR-06, HDR-07
#[test]
fn a_header_must_equal_its_argument() {
    let hello = || json!({"value": "Hello"});
    check(&[("Value", "Hello")], hello(), true);
    check(&[("VALUE", " Hello\t")], hello(), true);
    check(&[("Value", "=?base64?SGVsbG8=?=")], hello(), true);
    check(&[("Value", "=?base64?SGVsbG8?=")], hello(), false);
    check(&[("Value", "=?base64?SGVs!!!bG8=?=")], hello(), false);
    check(&[("Value", "=?base64?/w==?=")], hello(), false);
    check(&[("Value", "hello")], hello(), false);
    check(&[], hello(), false);
    check(&[("Value", "Hello"), ("value", "Hello")], hello(), false);
    check(&[("Value", "SGVsbG8=")], json!({"value": "SGVsbG8="}), true);
    check(
        &[("Value", "=?base64?SGVsbG8=")],
        json!({"value": "=?base64?SGVsbG8="}),
        true,
    );
    check(&[], json!({}), true);
    check(&[], json!({"value": null}), true);
    check(&[("Value", "")], json!({}), false);
    check(&[("Value", "x")], json!({"value": null}), false);
    check(&[("Value", "")], json!({"value": ""}), true);
    check(&[("Other", "x")], json!({}), true);
    check(&[("Value", "[1]")], json!({"value": [1]}), false);
}

// HDR-08
#[test]
fn numbers_and_booleans_are_compared_by_value() {
    let deep = |count: Value| json!({"deep": {"count": count}});
    check(&[("Count", "42")], deep(json!(42)), true);
    check(&[("Count", "42.0")], deep(json!(42)), true);
    check(&[("Count", "42")], deep(json!(42.0)), true);
    check(
        &[("Count", "9007199254740991")],
        deep(json!(9_007_199_254_740_991_i64)),
        true,
    );
    check(
        &[("Count", "9007199254740990")],
        deep(json!(9_007_199_254_740_991_i64)),
        false,
    );
    check(&[("Count", "43")], deep(json!(42)), false);
    check(&[("Count", "forty")], deep(json!(42)), false);
    check(&[("Flag", "true")], json!({"deep": {"flag": true}}), true);
    check(&[("Flag", "True")], json!({"deep": {"flag": true}}), false);
    check(&[("Flag", "false")], json!({"deep": {"flag": true}}), false);
}

#[test]
fn other_tools_and_transports_need_no_such_headers() {
    let body = enveloped("tools/call", json!({"name": "echo", "arguments": {"value": "x"}}));
    let peer = Peer::modern_full("tools/call", Some("echo")).parameter("Value", "y");
    assert_eq!(peer.send(&body).outcome(), (200, 0));
    let body = enveloped(
        "tools/call",
        json!({"name": "routed", "arguments": {"value": "x"}}),
    );
    let hub = watchpost_protocol::ChangeHub::new();
    let peer = Peer::full(watchpost_protocol::TransportKind::Stdio, &hub);
    assert_eq!(peer.send(&body).outcome(), (200, 0));
}
