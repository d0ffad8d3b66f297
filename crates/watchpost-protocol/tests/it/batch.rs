//! Arrays of messages, under 2025-03-26.

use crate::support::{Peer, Said, initialize, now, plain};
use serde_json::{Value, json};
use watchpost_protocol::{Incoming, Notification, RequestId, Revision, RpcError, Wire};

fn peer() -> Peer {
    Peer::http().session(Revision::V2025_03_26)
}

fn with_id(mut body: Value, id: Value) -> Value {
    body["id"] = id;
    body
}

fn ids(said: &Said) -> Vec<(Value, i64)> {
    let answers = said.json().as_array().unwrap();
    answers
        .iter()
        .map(|answer| {
            (
                answer["id"].clone(),
                answer["error"]["code"].as_i64().unwrap_or(0),
            )
        })
        .collect()
}

/// BAT-01.
#[test]
fn requests_and_notifications_mix_and_requests_are_answered() {
    let body = json!([
        with_id(plain("ping", json!({})), json!(1)),
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}},
        with_id(plain("tools/call", json!({"name": "echo"})), json!("1")),
        with_id(plain("nope", json!({})), json!(2)),
    ]);
    let said = peer().send(&body);
    assert_eq!(ids(&said), [(json!(1), 0), (json!("1"), 0), (json!(2), -32601)]);
    assert_eq!(said, peer().send(&body));
    let Incoming::Batch(batch) = peer().decode(body.to_string()) else {
        panic!("a batch")
    };
    let notifications: Vec<_> = batch.notifications().collect();
    assert_eq!(notifications, [&Notification::Cancelled(RequestId::Number(9))]);
}

/// BAT-02.
#[test]
fn batch_without_requests_has_no_answer() {
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(peer().send(&json!([note, note])), Said::Silence);
    let Incoming::Batch(batch) = peer().decode(json!([note]).to_string()) else {
        panic!("a batch")
    };
    assert_eq!(
        now(peer().server.handle_batch(&"alice", &batch, Default::default())).status,
        202
    );
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(peer().send(&json!([response, response])), Said::Response);
    assert_eq!(peer().send(&json!([response, note])).outcome(), (400, -32600));
}

/// BAT-03, RPC-02, RPC-16.
#[test]
fn broken_elements_are_refused_one_by_one() {
    let ping = plain("ping", json!({}));
    let body = json!([
        with_id(ping.clone(), json!(1)),
        with_id(ping.clone(), json!(1)),
        initialize("2025-03-26"),
        with_id(ping, json!(null)),
        {"jsonrpc": "1.0", "method": "x"},
    ]);
    let expected = [
        (json!(1), 0),
        (json!(1), -32600),
        (json!(7), -32600),
        (json!(null), -32600),
    ];
    let reply = peer().decode(body.to_string());
    let Incoming::Batch(batch) = reply else {
        panic!("a batch")
    };
    let reply = now(peer().server.handle_batch(&"alice", &batch, Default::default()));
    let said = Said::Answer(
        reply.status,
        serde_json::from_slice(&reply.body.unwrap()).unwrap(),
    );
    assert_eq!(ids(&said), expected);
    // The same without a session, where a handshake would be possible.
    assert_eq!(
        ids(&Peer::http().send(&json!([initialize("2025-03-26")]))),
        [(json!(7), -32600)]
    );
}

/// BAT-05.
#[test]
fn batch_length_is_bounded() {
    let pings = |count: i64| -> Value {
        (0..count)
            .map(|id| with_id(plain("ping", json!({})), json!(id)))
            .collect::<Vec<_>>()
            .into()
    };
    assert_eq!(ids(&peer().send(&pings(64))).len(), 64);
    let said = peer().send(&pings(65));
    assert_eq!(said.outcome(), (400, -32600));
    assert!(said.message().contains("64"));
}

#[test]
fn batch_on_stdio_and_sse_is_one_line_back() {
    let body = json!([plain("ping", json!({}))]);
    for wire in [Wire::Stdio, Wire::HttpSse] {
        let said = Peer::new(wire).session(Revision::V2025_03_26).send(&body);
        assert_eq!(ids(&said), [(json!(7), 0)]);
    }
    let refused = json!([plain("nope", json!({}))]);
    for (wire, status) in [(Wire::HttpSse, 202), (Wire::Http, 200)] {
        let Said::Answer(found, json) = Peer::new(wire).session(Revision::V2025_03_26).send(&refused) else {
            panic!("an answer")
        };
        assert_eq!((found, json[0]["error"]["code"].as_i64()), (status, Some(-32601)));
    }
}

#[test]
fn whole_batch_can_be_refused() {
    let body = json!([
        with_id(plain("ping", json!({})), json!(1)),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        with_id(plain("nope", json!({})), json!(2)),
    ]);
    let Incoming::Batch(batch) = peer().decode(body.to_string()) else {
        panic!("a batch")
    };
    let reply = peer()
        .server
        .refuse_batch(&batch, &RpcError::new(401, "Invalid API key", 401));
    let said = Said::Answer(
        reply.status,
        serde_json::from_slice(&reply.body.unwrap()).unwrap(),
    );
    assert_eq!(ids(&said), [(json!(1), 401), (json!(2), -32601)]);
}
