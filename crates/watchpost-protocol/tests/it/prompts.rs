//! Prompts and content blocks.

use crate::support::{Peer, enveloped, plain};
use serde_json::{Value, json};
use watchpost_protocol::{ChangeHub, Link, Revision, TransportKind};

fn legacy(revision: Revision) -> Peer {
    Peer::full(TransportKind::Http, &ChangeHub::new()).session(revision)
}

// PRM-01
#[test]
fn prompts_are_listed_with_the_fields_of_the_revision() {
    let modern = Peer::modern_full("prompts/list", None).send(&enveloped("prompts/list", json!({})));
    let argument = json!({"name": "whom", "title": "Whom?", "description": "A name.", "required": true});
    let prompt = json!({"name": "greet", "title": "Greet someone", "description": "Says hello.",
        "arguments": [argument]});
    let result = modern.result();
    assert_eq!(result["prompts"], json!([prompt]));
    assert_eq!(
        (&result["nextCursor"], &result["ttlMs"], &result["cacheScope"]),
        (&json!("more"), &json!(9), &json!("private"))
    );
    let old = legacy(Revision::V2025_03_26).send(&plain("prompts/list", json!({})));
    let argument = json!({"name": "whom", "description": "A name.", "required": true});
    assert_eq!(
        old.result(),
        &json!({"prompts": [{"name": "greet", "description": "Says hello.", "arguments": [argument]}],
            "nextCursor": "more"})
    );
    let cursor = json!({"cursor": "unknown"});
    assert_eq!(
        legacy(Revision::V2025_11_25)
            .send(&plain("prompts/list", cursor))
            .outcome(),
        (200, -32602)
    );
}

// PRM-02, PRM-03
#[test]
fn a_prompt_is_filled_in_or_reports_an_error() {
    let filled = json!({"name": "greet", "arguments": {"whom": "\"Ada\""}});
    let messages = json!([
        {"role": "user", "content": {"type": "text", "text": "Greet \"Ada\""}},
        {"role": "assistant", "content": {"type": "text", "text": "Hello"}},
    ]);
    for revision in Revision::KNOWN {
        let received = if revision == Revision::V2026_07_28 {
            Peer::modern_full("prompts/get", Some("greet")).send(&enveloped("prompts/get", filled.clone()))
        } else {
            legacy(revision).send(&plain("prompts/get", filled.clone()))
        };
        assert_eq!(received.result()["messages"], messages, "{revision}");
        assert_eq!(received.result()["description"], "A greeting");
    }
    let check = |params: Value, message: &str| {
        let received = legacy(Revision::V2025_11_25).send(&plain("prompts/get", params));
        assert_eq!((received.outcome(), received.message()), ((200, -32602), message));
    };
    check(json!({"name": "greet"}), "the argument `whom` is missing");
    check(json!({"name": "gone"}), "Unknown prompt: gone");
    check(
        json!({"name": "greet", "arguments": {"whom": 5}}),
        "`arguments` must be an object of strings",
    );
    check(
        json!({"name": "greet", "arguments": []}),
        "`arguments` must be an object of strings",
    );
    check(json!({}), "`name` must be a string: the name of the prompt");
}

// TOO-14, RPC-15
#[test]
fn content_is_sent_as_far_as_the_revision_supports_it() {
    let blocks = |revision: Revision| {
        let params = json!({"name": "show"});
        let received = if revision == Revision::V2026_07_28 {
            Peer::modern_full("tools/call", Some("show")).send(&enveloped("tools/call", params))
        } else {
            legacy(revision).send(&plain("tools/call", params))
        };
        let content = received.result()["content"].clone();
        let kinds: Vec<String> = content
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["type"].as_str().unwrap().to_owned())
            .collect();
        (kinds.join(" "), content)
    };
    let (kinds, content) = blocks(Revision::V2026_07_28);
    assert_eq!(kinds, "text image audio resource resource_link");
    assert_eq!(
        content[1],
        json!({"type": "image", "data": "iVBORw==", "mimeType": "image/png"})
    );
    assert_eq!(
        content[3],
        json!({"type": "resource", "resource": {"uri": "desk://drawer/1", "blob": "cGVu"}})
    );
    assert_eq!(
        content[4],
        json!({"type": "resource_link", "uri": "desk://drawer/2", "name": "drawer", "mimeType": "text/plain"})
    );
    assert_eq!(
        blocks(Revision::V2025_06_18).0,
        "text image audio resource resource_link"
    );
    assert_eq!(blocks(Revision::V2025_03_26).0, "text image audio resource text");
    let (kinds, content) = blocks(Revision::V2024_11_05);
    assert_eq!(kinds, "text image text resource text");
    assert_eq!(content[4]["text"], "See the resource desk://drawer/2");
}

// PRM-01, INI-07
#[test]
fn undeclared_capabilities_are_not_served() {
    let bare = Peer::http().session(Revision::V2025_11_25);
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "greet"})),
        ("completion/complete", json!({})),
        ("logging/setLevel", json!({"level": "info"})),
        ("resources/subscribe", json!({"uri": "desk://drawer/1"})),
        ("resources/unsubscribe", json!({"uri": "desk://drawer/1"})),
        ("tasks/get", json!({"taskId": "t-1"})),
    ] {
        assert_eq!(
            bare.send(&plain(method, params.clone())).outcome(),
            (200, -32601),
            "{method}"
        );
        let named = if method == "prompts/get" { "greet" } else { "t-1" };
        let modern = Peer::modern(method, Some(named));
        assert_eq!(
            modern.send(&enveloped(method, params)).outcome(),
            (404, -32601),
            "{method}"
        );
    }
}

// INI-07, INI-11, DSC-03, ENV-11: each era has its own capabilities and methods.
#[test]
fn capabilities_depend_on_the_era() {
    let discovered =
        Peer::modern_full("server/discover", None).send(&enveloped("server/discover", json!({})));
    let lists = json!({"listChanged": true});
    assert_eq!(
        discovered.result()["capabilities"],
        json!({"completions": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}, "prompts": {},
            "resources": {"listChanged": true, "subscribe": true}, "tools": lists})
    );
    let settled = |version: &str| {
        let peer = Peer::full(TransportKind::Http, &ChangeHub::new());
        let hello = crate::support::initialize(version).to_string();
        peer.send_over(hello, Link::default()).0.result()["capabilities"].clone()
    };
    let old = json!({"logging": {}, "prompts": {},
        "resources": {"listChanged": true, "subscribe": true}, "tools": lists});
    let mut newer = old.clone();
    newer["completions"] = json!({});
    assert_eq!(settled("2024-11-05"), old);
    assert_eq!(settled("2025-11-25"), newer);
    for method in ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        let params = json!({"level": "info", "uri": "desk://drawer/1"});
        let received = Peer::modern_full(method, None).send(&enveloped(method, params));
        assert_eq!(received.outcome(), (404, -32601), "{method}");
    }
    for method in [
        "subscriptions/listen",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
    ] {
        let params = json!({"taskId": "t-1", "notifications": {}});
        let received = legacy(Revision::V2025_11_25).send(&plain(method, params));
        assert_eq!(received.outcome(), (200, -32601), "{method}");
    }
}
