//! The legacy handshake and its effects.

use crate::support::{Peer, Received, enveloped, initialize, plain};
use serde_json::json;
use watchpost_protocol::{
    ClientCapabilities, Era, Link, Notification, RequestId, Revision, Revisions, SessionState, TransportKind,
};

/// INI-01, INI-02, INI-03.
#[test]
fn negotiation_echoes_a_supported_revision_and_otherwise_offers_the_newest() {
    let all = Revisions::ALL;
    let check = |served: Revisions, requested: &str, expected: Option<&str>| {
        assert_eq!(
            served.negotiate(requested).map(Revision::as_str),
            expected,
            "{requested}"
        );
    };
    check(all, "2024-11-05", Some("2024-11-05"));
    check(all, "2025-03-26", Some("2025-03-26"));
    check(all, "2025-06-18", Some("2025-06-18"));
    check(all, "2025-11-25", Some("2025-11-25"));
    for unknown in [
        "2026-07-28",
        "2027-01-01",
        "2024-10-07",
        "",
        "latest",
        "2025-06-18 ",
    ] {
        check(all, unknown, Some("2025-11-25"));
    }
    check(Revisions::of(Era::Modern), "2025-06-18", None);
    assert!(!Revisions::of(Era::Modern).serves(Revision::V2025_06_18));
    assert_eq!(Revisions::of(Era::Legacy).iter().count(), 4);
}

/// INI-04, ENV-14.
#[test]
fn the_initialize_result_has_the_fields_of_its_revision() {
    let check = |version: &str, info: serde_json::Value| {
        let received = Peer::http().send(&initialize(version));
        let expected = json!({
            "protocolVersion": version,
            "capabilities": {"resources": {}, "tools": {}},
            "serverInfo": info,
            "instructions": "Hello \"alice\".",
        });
        assert_eq!(received.result(), &expected);
    };
    check("2024-11-05", json!({"name": "desk", "version": "1.2.3"}));
    check("2025-03-26", json!({"name": "desk", "version": "1.2.3"}));
    check(
        "2025-06-18",
        json!({"name": "desk", "title": "The Desk", "version": "1.2.3"}),
    );
    check(
        "2025-11-25",
        json!({"name": "desk", "title": "The Desk", "version": "1.2.3", "description": "Answers.",
            "websiteUrl": "https://desk.example/",
            "icons": [{"src": "data:image/svg+xml;base64,PHN2Zy8+", "mimeType": "image/svg+xml", "sizes": ["any"]}]}),
    );
}

#[test]
fn the_handshake_sets_revision_client_and_capabilities() {
    let mut hello = initialize("2025-11-25");
    hello["params"]["clientInfo"] = json!({"name": "x\u{7}".repeat(100), "version": "3.1.0", "title": "X"});
    hello["params"]["capabilities"] = json!({
        "elicitation": {"url": {}}, "sampling": {}, "made-up": [1],
        "extensions": {"io.modelcontextprotocol/tasks": {}, "io.modelcontextprotocol/ui": 5},
    });
    let (_, opened) = Peer::http().send_over(hello.to_string(), Link::default());
    let opened = opened.unwrap();
    assert_eq!(opened.revision, Revision::V2025_11_25);
    assert_eq!(opened.client.name, "x".repeat(64));
    let capabilities = ClientCapabilities {
        elicitation_url: true,
        sampling: true,
        tasks: true,
        ..ClientCapabilities::default()
    };
    assert_eq!(opened.capabilities, capabilities);
    let sealed = serde_json::to_string(&*opened).unwrap();
    assert_eq!(serde_json::from_str::<SessionState>(&sealed).unwrap(), *opened);
}

#[test]
fn elicitation_without_modes_means_forms() {
    for (declared, form, url) in [
        (json!({}), true, false),
        (json!({"form": {}}), true, false),
        (json!({"url": {}}), false, true),
        (json!({"form": {}, "url": {}}), true, true),
        (json!(7), false, false),
        (json!(null), false, false),
    ] {
        let mut hello = initialize("2025-11-25");
        hello["params"]["capabilities"] = json!({"elicitation": declared});
        let (_, opened) = Peer::http().send_over(hello.to_string(), Link::default());
        let capabilities = opened.unwrap().capabilities;
        assert_eq!(
            (capabilities.elicitation_form, capabilities.elicitation_url),
            (form, url),
            "{declared}"
        );
    }
}

/// INI-05, SES-08.
#[test]
fn an_invalid_initialize_is_rejected_and_opens_no_session() {
    let good = initialize("2025-06-18");
    for (pointer, broken) in [
        ("protocolVersion", json!(null)),
        ("protocolVersion", json!(20250618)),
        ("capabilities", json!(null)),
        ("capabilities", json!([])),
        ("clientInfo", json!("bench")),
        ("clientInfo", json!({"name": "bench"})),
        ("clientInfo", json!({"name": 1, "version": "1"})),
    ] {
        let mut wrong = good.clone();
        wrong["params"][pointer] = broken.clone();
        let mut missing = good.clone();
        missing["params"].as_object_mut().unwrap().remove(pointer);
        for body in [wrong, missing] {
            let (received, opened) = Peer::http().send_over(body.to_string(), Link::default());
            assert_eq!(received.outcome().1, -32602, "{body}");
            assert_eq!(opened, None);
        }
    }
    assert_eq!(
        Peer::http()
            .send(&json!({"jsonrpc": "2.0", "id": 7, "method": "initialize"}))
            .outcome()
            .1,
        -32602
    );
}

#[test]
fn only_initialize_opens_a_session() {
    let peer = Peer::http().session(Revision::V2025_06_18);
    let (received, opened) = peer.send_over(plain("ping", json!({})).to_string(), Link::default());
    assert_eq!((received.result(), opened), (&json!({}), None));
    // INI-09: also in a session, whose client starts again.
    let (received, opened) = peer.send_over(initialize("2025-03-26").to_string(), Link::default());
    assert_eq!(received.outcome(), (200, 0));
    assert_eq!(opened.unwrap().revision, Revision::V2025_03_26);
}

/// PNG-01.
#[test]
fn ping_is_answered_in_every_legacy_revision() {
    for revision in Revision::KNOWN
        .into_iter()
        .filter(|revision| revision.era() == Era::Legacy)
    {
        let body = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
        let received = Peer::http().session(revision).send(&body);
        assert_eq!(
            received.json(),
            &json!({"jsonrpc": "2.0", "id": "p", "result": {}})
        );
    }
}

/// INI-07, RPC-06, DSC-03.
#[test]
fn methods_of_undeclared_capabilities_do_not_exist() {
    let legacy = Peer::http().session(Revision::V2025_06_18);
    for method in [
        "logging/setLevel",
        "resources/subscribe",
        "resources/lists",
        "prompts/list",
        "prompts/get",
        "completion/complete",
        "tasks/list",
        "server/discover",
        "subscriptions/listen",
        "Tools/List",
        "tools/list ",
        "",
    ] {
        assert_eq!(
            legacy.send(&plain(method, json!({}))).outcome(),
            (200, -32601),
            "{method}"
        );
        let peer = Peer::modern(method.trim(), None);
        if method != "server/discover" && method.trim() == method {
            let peer = if method.starts_with("resources/r") || method.starts_with("prompts/g") {
                peer.name("x")
            } else {
                peer
            };
            let body = enveloped(method, json!({"name": "x", "uri": "x"}));
            assert_eq!(peer.send(&body).outcome(), (404, -32601), "{method}");
        }
    }
    let bare = Peer::of(
        watchpost_protocol::Server::new(crate::support::Desk::new(false)),
        TransportKind::Http,
    );
    assert_eq!(
        bare.send(&plain("tools/list", json!({}))).outcome(),
        (200, -32601)
    );
    assert_eq!(
        bare.send(&initialize("2025-06-18")).result()["capabilities"],
        json!({})
    );
    let modern = bare.version("2026-07-28");
    let received = modern
        .clone()
        .method("tools/list")
        .send(&enveloped("tools/list", json!({})));
    assert_eq!(received.outcome(), (404, -32601));
    let received = modern
        .method("server/discover")
        .send(&enveloped("server/discover", json!({})));
    assert_eq!(received.result()["capabilities"], json!({}));
}

/// TSK-01.
#[test]
fn tasks_of_2025_11_25_are_neither_declared_nor_created() {
    let received = Peer::http().send(&initialize("2025-11-25"));
    assert_eq!(received.result()["capabilities"].get("tasks"), None);
    let peer = Peer::http().session(Revision::V2025_11_25);
    let plain_call = json!({"name": "echo", "arguments": {"a": 1}});
    let mut as_task = plain_call.clone();
    as_task["task"] = json!({"ttl": 60_000});
    assert_eq!(
        peer.send(&plain("tools/call", as_task)),
        peer.send(&plain("tools/call", plain_call))
    );
    for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
        let received = peer.send(&plain(method, json!({"taskId": "t"})));
        assert_eq!(received.outcome(), (200, -32601), "{method}");
    }
}

/// CAN-04, CAN-07, HTP-16, RPC-04.
#[test]
fn a_cancellation_affects_only_its_own_session() {
    let cancel = |id: serde_json::Value| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    let hit = |id| Received::Noted(Notification::Cancelled(id));
    let ignored = Received::Noted(Notification::Ignored);
    for peer in [
        Peer::http().session(Revision::V2025_06_18),
        Peer::new(TransportKind::HttpSse).session(Revision::V2024_11_05),
        Peer::new(TransportKind::Stdio).session(Revision::V2025_11_25),
        Peer::new(TransportKind::Stdio),
    ] {
        assert_eq!(peer.send(&cancel(json!(4))), hit(RequestId::Number(4)));
        assert_eq!(peer.send(&cancel(json!("4"))), hit(RequestId::Text("4".into())));
        for malformed in [json!(null), json!(1.5), json!({}), json!([4])] {
            assert_eq!(peer.send(&cancel(malformed)), ignored);
        }
    }
    assert_eq!(Peer::http().send(&cancel(json!(4))), ignored);
    let mut modern = cancel(json!(4));
    modern["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    assert_eq!(Peer::http().session(Revision::V2025_06_18).send(&modern), ignored);
    assert_eq!(
        Peer::new(TransportKind::Stdio).send(&modern),
        hit(RequestId::Number(4))
    );
}

#[test]
fn initialized_and_unknown_notifications_are_never_answered() {
    let note = |method: &str| json!({"jsonrpc": "2.0", "method": method});
    for peer in [
        Peer::http(),
        Peer::new(TransportKind::Stdio),
        Peer::new(TransportKind::HttpSse),
    ] {
        assert_eq!(
            peer.send(&note("notifications/initialized")),
            Received::Noted(Notification::Initialized)
        );
        for method in [
            "notifications/roots/list_changed",
            "tools/list",
            "initialize",
            "nonsense",
        ] {
            assert_eq!(
                peer.send(&note(method)),
                Received::Noted(Notification::Ignored),
                "{method}"
            );
        }
    }
    // RPC-04: not even a malformed one, unless an HTTP exchange needs a response.
    let unserved = json!({"jsonrpc": "2.0", "method": "x",
        "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "1"}}});
    assert_eq!(Peer::new(TransportKind::Stdio).send(&unserved), Received::Silence);
    for broken in [json!({"method": "x"}), json!({"jsonrpc": "2.0", "method": 5})] {
        assert_eq!(Peer::new(TransportKind::Stdio).send(&broken), Received::Silence);
        assert_eq!(Peer::http().send(&broken).outcome(), (400, -32600));
    }
    for unreadable in [
        r#"{"jsonrpc":"2.0","method":"x","params":{"a":1,"a":2}}"#.to_owned(),
        format!(r#"{{"method":"x","params":{{"id":{}}}}}"#, "[".repeat(100)),
    ] {
        assert_eq!(
            Peer::new(TransportKind::Stdio).send_bytes(unreadable.clone()),
            Received::Silence
        );
        assert_eq!(Peer::http().send_bytes(unreadable).outcome(), (400, -32600));
    }
}
