//! Notifications to the client, and the context that a handler receives.

use crate::{
    schema::assert_conforms,
    support::{Kept, Peer, enveloped, plain},
};
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;
use watchpost_protocol::{Era, Link, LogLevel, Revision};

fn progress_of(peer: &Peer, body: &Value, revision: Revision) -> Vec<Value> {
    let kept = Kept::default();
    let link = Link {
        outbox: Some(&kept),
        ..Link::default()
    };
    let (received, _) = peer.send_over(body.to_string(), link);
    assert_eq!(received.outcome(), (200, 0));
    let sent: Vec<Value> = kept
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|message| serde_json::from_slice(message).unwrap())
        .collect();
    for message in &sent {
        assert_conforms(revision, "ProgressNotification", message);
        let notification = ["JSONRPCNotification"]
            .into_iter()
            .find(|name| crate::schema::defines(revision, name) == Some(true));
        assert_conforms(revision, notification.unwrap_or("JSONRPCNotification"), message);
    }
    sent
}

/// PRG-01, PRG-02, PRG-04.
#[test]
fn progress_increases_and_carries_the_requested_token() {
    for revision in Revision::KNOWN {
        let mut params = json!({"name": "count"});
        let (peer, mut body) = match revision.era() {
            Era::Legacy => (Peer::http().session(revision), plain("tools/call", params.take())),
            Era::Modern => (
                Peer::modern("tools/call", Some("count")),
                enveloped("tools/call", params.take()),
            ),
        };
        body["params"]["name"] = json!("count");
        assert_eq!(
            progress_of(&peer, &body, revision),
            Vec::<Value>::new(),
            "the client didn't ask for progress"
        );
        for token in [json!("p7"), json!(7)] {
            body["params"]["_meta"]["progressToken"] = token.clone();
            assert!(peer.request(&body).wants_outbox());
            let sent = progress_of(&peer, &body, revision);
            let mut params: Vec<Value> = sent.iter().map(|message| message["params"].clone()).collect();
            let with_message = revision > Revision::V2024_11_05;
            for params in &mut params {
                let message = params.as_object_mut().unwrap().remove("message");
                let expected = (with_message && params["progress"] != json!(3.25)).then(|| json!("counting"));
                assert_eq!(message, expected, "{revision}");
            }
            assert_eq!(
                params,
                [
                    json!({"progressToken": token, "progress": 1.0}),
                    json!({"progressToken": token, "progress": 2.0, "total": 9.5}),
                    json!({"progressToken": token, "progress": 3.25}),
                ]
            );
        }
    }
}

#[test]
fn a_handler_receives_the_context_of_its_request() {
    let told = |peer: &Peer, body: &Value, link: Link<'_>| -> Value {
        let (received, _) = peer.send_over(body.to_string(), link);
        serde_json::from_str(received.result()["content"][0]["text"].as_str().unwrap()).unwrap()
    };
    let mut body = enveloped("tools/call", json!({"name": "who"}));
    body["id"] = json!("a\nb");
    let meta = body["params"]["_meta"].as_object_mut().unwrap();
    meta.insert(
        "io.modelcontextprotocol/clientInfo".into(),
        json!({"name": "desk\u{1b}host", "version": "1"}),
    );
    meta.insert(
        "io.modelcontextprotocol/clientCapabilities".into(),
        json!({"elicitation": {"form": {}, "url": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}}),
    );
    meta.insert("io.modelcontextprotocol/logLevel".into(), json!("notice"));
    meta.insert("traceparent".into(), json!("00-ab-cd-01"));
    meta.insert("progressToken".into(), json!("t"));
    let flag = AtomicBool::new(true);
    let link = Link {
        cancelled: Some(&flag),
        ..Link::default()
    };
    assert_eq!(
        told(&Peer::modern("tools/call", Some("who")), &body, link),
        json!({"id": "\"a\\nb\"", "revision": "2026-07-28", "client": "deskhost", "form": true, "url": true,
            "tasks": true, "level": "Notice", "trace": "00-ab-cd-01", "token": "\"t\"", "cancelled": true})
    );
    let legacy = Peer::http().session(Revision::V2025_06_18);
    assert_eq!(
        told(
            &legacy,
            &plain("tools/call", json!({"name": "who"})),
            Link::default()
        ),
        json!({"id": "7", "revision": "2025-06-18", "client": "bench", "form": true, "url": false,
            "tasks": false, "level": null, "trace": null, "token": null, "cancelled": false})
    );
}

// LOG-01, LOG-04
#[test]
fn log_messages_are_sent_from_the_requested_level_on() {
    let hub = watchpost_protocol::ChangeHub::new();
    let levels = |peer: &Peer, body: &Value, level: Option<LogLevel>| {
        let kept = Kept::default();
        let link = Link {
            outbox: Some(&kept),
            log_level: level,
            ..Link::default()
        };
        let (received, _) = peer.send_over(body.to_string(), link);
        assert_eq!(received.outcome(), (200, 0));
        let sent = kept.0.lock().unwrap();
        let levels: Vec<String> = sent
            .iter()
            .map(|message| {
                let message: Value = serde_json::from_slice(message).unwrap();
                assert_conforms(Revision::V2025_11_25, "LoggingMessageNotification", &message);
                assert_eq!(message["params"]["logger"], "desk");
                message["params"]["level"].as_str().unwrap().to_owned()
            })
            .collect();
        levels.join(" ")
    };
    let legacy = Peer::full(watchpost_protocol::TransportKind::Http, &hub).session(Revision::V2025_11_25);
    let call = plain("tools/call", json!({"name": "chat"}));
    assert_eq!(levels(&legacy, &call, None), "");
    assert_eq!(levels(&legacy, &call, Some(LogLevel::Debug)), "debug info error");
    assert_eq!(levels(&legacy, &call, Some(LogLevel::Warning)), "error");
    let modern = Peer::modern_full("tools/call", Some("chat"));
    let mut call = enveloped("tools/call", json!({"name": "chat"}));
    assert_eq!(
        levels(&modern, &call, Some(LogLevel::Debug)),
        "",
        "a session's level doesn't apply to a modern request"
    );
    call["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = json!("info");
    assert_eq!(levels(&modern, &call, None), "info error");
    call["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = json!("loud");
    assert_eq!(modern.send(&call).outcome(), (400, -32602));
}
