//! Arrays of messages in 2025-03-26.

use crate::support::{Peer, Received, initialize, plain, run_ready};
use serde_json::{Value, json};
use watchpost_protocol::{Incoming, Notification, RequestId, Revision, RpcError, TransportKind};

fn peer() -> Peer {
    Peer::http().session(Revision::V2025_03_26)
}

fn with_id(mut body: Value, id: Value) -> Value {
    body["id"] = id;
    body
}

fn ids(received: &Received) -> Vec<(Value, i64)> {
    let answers = received.json().as_array().unwrap();
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
fn requests_of_a_mixed_array_are_answered() {
    let body = json!([
        with_id(plain("ping", json!({})), json!(1)),
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}},
        with_id(plain("tools/call", json!({"name": "echo"})), json!("1")),
        with_id(plain("nope", json!({})), json!(2)),
    ]);
    let received = peer().send(&body);
    assert_eq!(
        ids(&received),
        [(json!(1), 0), (json!("1"), 0), (json!(2), -32601)]
    );
    assert_eq!(received, peer().send(&body));
    let Incoming::Batch(batch) = peer().decode(body.to_string()) else {
        panic!("the message is a batch")
    };
    let notifications: Vec<_> = batch.notifications().collect();
    assert_eq!(notifications, [&Notification::Cancelled(RequestId::Number(9))]);
}

/// BAT-02.
#[test]
fn an_array_without_requests_has_no_response() {
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(peer().send(&json!([note, note])), Received::Silence);
    let Incoming::Batch(batch) = peer().decode(json!([note]).to_string()) else {
        panic!("the message is a batch")
    };
    assert_eq!(
        run_ready(peer().server.handle_batch(&"alice", &batch, Default::default())).status,
        202
    );
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(peer().send(&json!([response, response])), Received::Response);
    assert_eq!(peer().send(&json!([response, note])).outcome(), (400, -32600));
}

/// BAT-03, RPC-02, RPC-16.
#[test]
fn invalid_elements_are_rejected_individually() {
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
        panic!("the message is a batch")
    };
    let reply = run_ready(peer().server.handle_batch(&"alice", &batch, Default::default()));
    let received = Received::Answer(
        reply.status,
        serde_json::from_slice(&reply.body.unwrap()).unwrap(),
    );
    assert_eq!(ids(&received), expected);
    // The same without a session, where a handshake would be allowed.
    assert_eq!(
        ids(&Peer::http().send(&json!([initialize("2025-03-26")]))),
        [(json!(7), -32600)]
    );
}

/// BAT-05.
#[test]
fn the_length_of_an_array_is_limited() {
    let pings = |count: i64| -> Value {
        (0..count)
            .map(|id| with_id(plain("ping", json!({})), json!(id)))
            .collect::<Vec<_>>()
            .into()
    };
    assert_eq!(ids(&peer().send(&pings(64))).len(), 64);
    let received = peer().send(&pings(65));
    assert_eq!(received.outcome(), (400, -32600));
    assert!(received.message().contains("64"));
}

#[test]
fn a_batch_on_stdio_and_sse_is_answered_with_one_line() {
    let body = json!([plain("ping", json!({}))]);
    for transport in [TransportKind::Stdio, TransportKind::HttpSse] {
        let received = Peer::new(transport).session(Revision::V2025_03_26).send(&body);
        assert_eq!(ids(&received), [(json!(7), 0)]);
    }
    let refused = json!([plain("nope", json!({}))]);
    for (transport, status) in [(TransportKind::HttpSse, 202), (TransportKind::Http, 200)] {
        let Received::Answer(found, json) =
            Peer::new(transport).session(Revision::V2025_03_26).send(&refused)
        else {
            panic!("the batch is answered")
        };
        assert_eq!((found, json[0]["error"]["code"].as_i64()), (status, Some(-32601)));
    }
}

#[test]
fn a_whole_batch_can_be_rejected() {
    let body = json!([
        with_id(plain("ping", json!({})), json!(1)),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        with_id(plain("nope", json!({})), json!(2)),
    ]);
    let Incoming::Batch(batch) = peer().decode(body.to_string()) else {
        panic!("the message is a batch")
    };
    let reply = peer()
        .server
        .reject_batch(&batch, &RpcError::new(401, "Invalid API key", 401));
    let received = Received::Answer(
        reply.status,
        serde_json::from_slice(&reply.body.unwrap()).unwrap(),
    );
    assert_eq!(ids(&received), [(json!(1), 401), (json!(2), -32601)]);
}
