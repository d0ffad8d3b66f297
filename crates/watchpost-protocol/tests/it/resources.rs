//! Resources: lists, templates and reads.

use crate::support::{Desk, Peer, enveloped, plain};
use serde_json::json;
use watchpost_protocol::{Revision, Server, TransportKind};

fn legacy() -> impl Iterator<Item = Revision> {
    Revision::KNOWN
        .into_iter()
        .filter(|revision| *revision != Revision::V2026_07_28)
}

/// RPC-15.
#[test]
fn a_definition_has_the_fields_of_its_revision() {
    for revision in legacy() {
        let peer = Peer::http().session(revision);
        let received = peer.send(&plain("resources/list", json!({})));
        let mut expected = json!({"uri": "desk://drawer/1", "name": "drawer", "description": "What lies in it.",
            "mimeType": "text/plain"});
        if revision >= Revision::V2025_06_18 {
            expected["title"] = json!("A drawer");
        }
        assert_eq!(received.result(), &json!({"resources": [expected]}), "{revision}");
        let received = peer.send(&plain("resources/templates/list", json!({})));
        let template = &received.result()["resourceTemplates"][0];
        assert_eq!(template["uriTemplate"], "desk://drawer/{number}", "{revision}");
        assert_eq!(template.get("mimeType"), None, "{revision}");
    }
    for (method, list) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let received = Peer::modern(method, None).send(&enveloped(method, json!({})));
        let result = received.result();
        assert_eq!(result[list][0]["title"], "A drawer");
        assert_eq!(
            (&result["ttlMs"], &result["cacheScope"]),
            (&json!(5), &json!("public"))
        );
    }
}

/// RSC-01, CCH-01.
#[test]
fn a_resource_is_read_by_its_uri() {
    let contents = json!([{"uri": "desk://drawer/1", "mimeType": "text/plain", "text": "a \"pen\"\n"}]);
    let ask = json!({"uri": "desk://drawer/1"});
    for revision in legacy() {
        let received = Peer::http()
            .session(revision)
            .send(&plain("resources/read", ask.clone()));
        assert_eq!(received.result(), &json!({"contents": contents}), "{revision}");
    }
    let received =
        Peer::modern("resources/read", Some("desk://drawer/1")).send(&enveloped("resources/read", ask));
    let result = received.result();
    assert_eq!(result["contents"], contents);
    assert_eq!(
        (&result["ttlMs"], &result["cacheScope"]),
        (&json!(0), &json!("private"))
    );
}

/// RSC-02, RSC-03, RSC-04, RPC-11.
#[test]
fn an_unknown_resource_is_reported_with_the_code_of_the_era_and_its_uri() {
    let ask = json!({"uri": "desk://drawer/2"});
    for revision in legacy() {
        let received = Peer::new(TransportKind::Stdio)
            .session(revision)
            .send(&plain("resources/read", ask.clone()));
        assert_eq!(received.json()["error"]["code"], -32002, "{revision}");
        assert_eq!(received.json()["error"]["data"], ask, "{revision}");
    }
    let received = Peer::modern("resources/read", Some("desk://drawer/2"))
        .send(&enveloped("resources/read", ask.clone()));
    assert_eq!(received.outcome(), (200, -32602));
    assert_eq!(received.json()["error"]["data"], ask);
}

#[test]
fn malformed_parameters_are_rejected() {
    let peer = Peer::http().session(Revision::V2025_11_25);
    for (method, params) in [
        ("resources/read", json!({})),
        ("resources/read", json!({"uri": 1})),
        ("resources/list", json!({"cursor": 1})),
        ("resources/list", json!({"cursor": "x"})),
        ("resources/templates/list", json!({"cursor": "x"})),
    ] {
        assert_eq!(
            peer.send(&plain(method, params.clone())).outcome(),
            (200, -32602),
            "{method} {params}"
        );
    }
}

/// RSC-01.
#[test]
fn without_the_capability_there_are_no_resources() {
    let peer = Peer::of(Server::new(Desk::new(false)), TransportKind::Http).session(Revision::V2025_11_25);
    for method in ["resources/list", "resources/templates/list", "resources/read"] {
        let received = peer.send(&plain(method, json!({"uri": "desk://drawer/1"})));
        assert_eq!(received.outcome(), (200, -32601), "{method}");
    }
}
