//! Subscriptions of both eras.

use crate::{
    features::task,
    schema::assert_conforms,
    support::{Peer, enveloped, plain, run_ready, session},
};
use serde_json::{Value, json};
use std::task::{Context, Poll, Waker};
use watchpost_protocol::{
    Change, ChangeHub, ChangeStream, Effect, Link, Revision, TaskStatus, TransportKind,
};

fn next(stream: &mut ChangeStream) -> Option<Value> {
    match stream.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(message) => {
            let message = message.expect("the source hasn't ended");
            Some(serde_json::from_slice(&message).unwrap())
        }
        Poll::Pending => None,
    }
}

fn listening(hub: &ChangeHub, notifications: Value) -> ChangeStream {
    let peer = Peer::full(TransportKind::Stdio, hub);
    let mut body = enveloped("subscriptions/listen", json!({"notifications": notifications}));
    body["id"] = json!("s\"1");
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let request = peer.request(&body);
    run_ready(peer.server.listen(&"alice", &request, Link::default())).unwrap()
}

const ID: &str = "io.modelcontextprotocol/subscriptionId";

// SUB-01, SUB-02, SUB-03, SUB-04
#[test]
fn a_subscription_receives_only_the_changes_it_asked_for() {
    let hub = ChangeHub::new();
    let mut stream = listening(
        &hub,
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": false,
            "resourceSubscriptions": ["desk://drawer/1"], "taskIds": ["t-1"]}),
    );
    let acknowledged: Value = serde_json::from_slice(&stream.acknowledgment()).unwrap();
    assert_conforms(
        Revision::V2026_07_28,
        "SubscriptionsAcknowledgedNotification",
        &acknowledged,
    );
    assert_eq!(
        acknowledged["params"],
        // The list of prompts doesn't change on this server.
        json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": ["desk://drawer/1"],
            "taskIds": ["t-1"]}, "_meta": {ID: "s\"1"}})
    );
    assert_eq!(next(&mut stream), None);
    hub.publish(&Change::Prompts);
    hub.publish(&Change::Resources);
    hub.publish(&Change::Resource("desk://drawer/2".to_owned()));
    hub.publish(&Change::Task(task("t-2", TaskStatus::Working)));
    assert_eq!(next(&mut stream), None, "these weren't asked for");
    hub.publish(&Change::Resource("desk://drawer/1".to_owned()));
    hub.publish(&Change::Tools);
    hub.publish(&Change::Tools);
    hub.publish(&Change::Task(task("t-1", TaskStatus::Cancelled)));
    let updated = next(&mut stream).unwrap();
    assert_conforms(Revision::V2026_07_28, "ResourceUpdatedNotification", &updated);
    assert_eq!(
        (&updated["method"], &updated["params"]),
        (
            &json!("notifications/resources/updated"),
            &json!({"uri": "desk://drawer/1", "_meta": {ID: "s\"1"}})
        )
    );
    let changed = next(&mut stream).unwrap();
    assert_conforms(Revision::V2026_07_28, "ToolListChangedNotification", &changed);
    assert_eq!(changed["params"], json!({"_meta": {ID: "s\"1"}}));
    let moved = next(&mut stream).unwrap();
    assert_eq!(
        (
            &moved["method"],
            &moved["params"]["status"],
            &moved["params"]["_meta"]
        ),
        (
            &json!("notifications/tasks"),
            &json!("cancelled"),
            &json!({ID: "s\"1"})
        )
    );
    assert_eq!(next(&mut stream), None, "a waiting change isn't queued twice");
}

// SUB-06, SUB-08
#[test]
fn a_subscription_ends_with_its_result() {
    let stream = listening(&ChangeHub::new(), json!({}));
    let acknowledged: Value = serde_json::from_slice(&stream.acknowledgment()).unwrap();
    assert_eq!(acknowledged["params"]["notifications"], json!({}));
    let ending: Value = serde_json::from_slice(&stream.ending()).unwrap();
    assert_conforms(
        Revision::V2026_07_28,
        "SubscriptionsListenResult",
        &ending["result"],
    );
    assert_eq!(
        (
            &ending["id"],
            &ending["result"]["_meta"][ID],
            &ending["result"]["resultType"]
        ),
        (&json!("s\"1"), &json!("s\"1"), &json!("complete"))
    );
    let cancelled: Value = serde_json::from_slice(&stream.cancelled().unwrap()).unwrap();
    assert_conforms(Revision::V2026_07_28, "CancelledNotification", &cancelled);
    assert_eq!(cancelled["params"]["requestId"], "s\"1");
}

#[test]
fn a_malformed_filter_is_rejected() {
    let check = |notifications: Value| {
        let peer = Peer::modern_full("subscriptions/listen", None);
        let received = peer.send(&enveloped(
            "subscriptions/listen",
            json!({"notifications": notifications}),
        ));
        assert_eq!(received.outcome(), (200, -32602), "{notifications}");
    };
    check(json!(null));
    check(json!([]));
    check(json!({"toolsListChanged": "yes"}));
    check(json!({"resourceSubscriptions": "desk://drawer/1"}));
    check(json!({"resourceSubscriptions": [1]}));
    check(json!({"resourceSubscriptions": (0..1025).map(|n| n.to_string()).collect::<Vec<_>>()}));
}

// RSC-06
#[test]
fn a_legacy_session_subscribes_with_requests() {
    let hub = ChangeHub::new();
    for revision in Revision::KNOWN
        .into_iter()
        .filter(|revision| *revision < Revision::V2026_07_28)
    {
        let peer = Peer::full(TransportKind::Http, &hub).session(revision);
        let effect = |method: &str| {
            let request = peer.request(&plain(method, json!({"uri": "desk://drawer/1"})));
            let reply = run_ready(peer.server.handle(&"alice", &request, Link::default()));
            let json: Value = serde_json::from_slice(&reply.body.unwrap()).unwrap();
            assert_eq!(json["result"], json!({}));
            reply.effects
        };
        let uri = || "desk://drawer/1".to_owned();
        assert_eq!(effect("resources/subscribe"), [Effect::Subscribed(uri())]);
        assert_eq!(effect("resources/unsubscribe"), [Effect::Unsubscribed(uri())]);
        let mut stream = peer.server.unsolicited(&"alice", &session(revision), [uri()]);
        hub.publish(&Change::Resource(uri()));
        hub.publish(&Change::Tools);
        hub.publish(&Change::Prompts);
        assert_eq!(
            next(&mut stream).unwrap(),
            json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri()}})
        );
        let changed = next(&mut stream).unwrap();
        assert_conforms(revision, "ToolListChangedNotification", &changed);
        assert_eq!(
            changed,
            json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        );
        assert_eq!(next(&mut stream), None);
        stream.set_interest(peer.server.unsolicited_interest([]));
        hub.publish(&Change::Resource(uri()));
        assert_eq!(next(&mut stream), None, "unsubscribed");
    }
    assert!(hub.is_idle());
    assert_eq!(hub.interests(), watchpost_protocol::Interest::default());
}

// LOG-02
#[test]
fn a_log_level_is_set_or_rejected() {
    let peer = Peer::full(TransportKind::Http, &ChangeHub::new()).session(Revision::V2025_06_18);
    let request = peer.request(&plain("logging/setLevel", json!({"level": "notice"})));
    let reply = run_ready(peer.server.handle(&"alice", &request, Link::default()));
    assert_eq!(
        reply.effects,
        [Effect::LogLevel(watchpost_protocol::LogLevel::Notice)]
    );
    let json: Value = serde_json::from_slice(&reply.body.unwrap()).unwrap();
    assert_eq!(json["result"], json!({}));
    for params in [json!({}), json!({"level": "loud"}), json!({"level": 3})] {
        assert_eq!(
            peer.send(&plain("logging/setLevel", params)).outcome(),
            (200, -32602)
        );
    }
}

#[test]
fn a_stream_that_is_not_read_ends_instead_of_losing_changes() {
    let hub = ChangeHub::new();
    let uris: Vec<String> = (0..1024).map(|n| format!("desk://drawer/{n}")).collect();
    let mut stream = listening(&hub, json!({"resourceSubscriptions": uris}));
    for _ in 0..9 {
        for uri in &uris {
            hub.publish(&Change::Resource(uri.clone()));
        }
    }
    assert!(next(&mut stream).is_some(), "repeated changes are queued once");
}
