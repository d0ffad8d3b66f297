//! Completion.

use crate::support::{Peer, Received, enveloped, plain};
use serde_json::{Value, json};
use watchpost_protocol::{ChangeHub, Revision, TransportKind};

fn complete(params: Value) -> Received {
    let peer = Peer::full(TransportKind::Http, &ChangeHub::new()).session(Revision::V2025_11_25);
    peer.send(&plain("completion/complete", params))
}

fn greet(value: &str) -> Value {
    json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "whom", "value": value}})
}

// CMP-01, CMP-02
#[test]
fn at_most_100_values_are_sent() {
    for revision in Revision::KNOWN {
        let received = if revision == Revision::V2026_07_28 {
            Peer::modern_full("completion/complete", None).send(&enveloped("completion/complete", greet("a")))
        } else {
            let peer = Peer::full(TransportKind::Stdio, &ChangeHub::new()).session(revision);
            peer.send(&plain("completion/complete", greet("a")))
        };
        let completion = &received.result()["completion"];
        let values = completion["values"].as_array().unwrap();
        assert_eq!((values.len(), &values[99]), (100, &json!("a99-0")), "{revision}");
        assert_eq!(
            (&completion["total"], &completion["hasMore"]),
            (&json!(150), &json!(true))
        );
    }
}

#[test]
fn context_arguments_reach_the_handler() {
    let mut params = greet("b");
    params["context"] = json!({"arguments": {"x": "1", "y": "2"}});
    assert_eq!(complete(params).result()["completion"]["values"][0], "b0-2");
    let template = json!({"ref": {"type": "ref/resource", "uri": "desk://drawer/{number}"},
        "argument": {"name": "number", "value": ""}});
    assert_eq!(
        complete(template).result(),
        &json!({"completion": {"values": [], "hasMore": false}})
    );
}

// CMP-03
#[test]
fn an_unknown_completion_target_is_an_error() {
    let check = |params: Value| {
        assert_eq!(complete(params.clone()).outcome(), (200, -32602), "{params}");
    };
    let reference = json!({"type": "ref/prompt", "name": "greet"});
    let argument = json!({"name": "whom", "value": ""});
    check(json!({"ref": {"type": "ref/prompt", "name": "gone"}, "argument": argument}));
    check(json!({"ref": reference, "argument": {"name": "gone", "value": ""}}));
    check(json!({"ref": {"type": "ref/prompt"}, "argument": argument}));
    check(json!({"ref": {"type": "ref/other", "name": "greet"}, "argument": argument}));
    check(json!({"ref": "greet", "argument": argument}));
    check(json!({"argument": argument}));
    check(json!({"ref": reference}));
    check(json!({"ref": reference, "argument": {"name": "whom", "value": 7}}));
    check(json!({"ref": reference, "argument": argument, "context": []}));
    check(json!({"ref": reference, "argument": argument, "context": {"arguments": {"a": 1}}}));
    let many: Value = (0..65)
        .map(|n| (n.to_string(), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    check(json!({"ref": reference, "argument": argument, "context": {"arguments": many}}));
}
