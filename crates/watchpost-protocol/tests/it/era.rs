//! The era of a message, on each transport.

use crate::support::{Desk, Peer, Received, enveloped, initialize, plain};
use serde_json::{Value, json};
use watchpost_protocol::{
    Bodiless, Era, Header, Incoming, Notification, Revision, Revisions, Server, TransportKind,
    classify_bodiless,
};

fn list() -> Value {
    plain("tools/list", json!({}))
}

#[track_caller]
fn served_as(peer: &Peer, body: &Value, revision: Revision) {
    assert_eq!(peer.request(body).revision(), revision);
    assert_eq!(peer.send(body).outcome(), (200, 0));
}

#[test]
fn get_and_delete_follow_the_version_header() {
    let check = |value: Option<&str>, expected| {
        let header = Header::from_values(value.map(str::as_bytes));
        assert_eq!(classify_bodiless(header), expected, "{value:?}");
    };
    check(None, Bodiless::Legacy);
    check(Some("2025-11-25"), Bodiless::Legacy);
    check(Some("1999-01-01"), Bodiless::Legacy);
    check(Some("2026-07-28"), Bodiless::MethodNotAllowed);
    check(Some(" 2027-01-01 "), Bodiless::MethodNotAllowed);
}

/// BAT-04, BAT-05, HTP-06.
#[test]
fn an_array_that_is_not_a_batch_is_rejected() {
    let peer = Peer::http().session(Revision::V2025_03_26);
    for body in [
        json!([]),
        json!([list(), enveloped("tools/list", json!({}))]),
        json!([1, list()]),
        json!([[]]),
        json!([{"jsonrpc": "2.0", "id": 1}]),
    ] {
        assert_eq!(peer.send(&body).outcome(), (400, -32600), "{body}");
    }
}

/// BAT-04, HTP-06.
#[test]
fn an_array_requires_2025_03_26() {
    let body = json!([list()]);
    let check = |peer: Peer, served: bool| {
        let received = peer.send(&body);
        match served {
            true => assert!(received.json().is_array(), "{received:?}"),
            false => assert_eq!(received.outcome(), (400, -32600)),
        }
    };
    for revision in Revision::KNOWN
        .into_iter()
        .filter(|revision| revision.era() == Era::Legacy)
    {
        let served = revision == Revision::V2025_03_26;
        check(Peer::http().session(revision), served);
        check(Peer::http().version(revision.as_str()), served);
    }
    check(Peer::http(), true);
    check(Peer::http().version("2026-07-28"), false);
    // The negotiated revision takes precedence over a legacy revision in the header.
    check(
        Peer::http().session(Revision::V2025_03_26).version("2025-06-18"),
        true,
    );
    check(Peer::new(TransportKind::Stdio), false);
    check(Peer::new(TransportKind::HttpSse), false);
    check(
        Peer::new(TransportKind::HttpSse).session(Revision::V2025_03_26),
        true,
    );
}

/// HTP-06.
#[test]
fn a_response_is_legacy() {
    for body in [
        json!({"jsonrpc": "2.0", "id": "a", "result": {}}),
        json!({"jsonrpc": "2.0", "id": 3, "error": {"code": 1, "message": "no"}}),
        json!({"jsonrpc": "2.0", "error": {"code": 1, "message": "no"}}),
    ] {
        assert_eq!(Peer::http().send(&body), Received::Response);
        assert_eq!(Peer::new(TransportKind::Stdio).send(&body), Received::Response);
        assert_eq!(
            Peer::http().version("2026-07-28").send(&body).outcome(),
            (400, -32600)
        );
    }
}

/// ERA-01, ERA-03, ENV-11.
#[test]
fn an_envelope_makes_a_request_modern_whatever_its_method() {
    served_as(
        &Peer::modern("tools/list", None),
        &enveloped("tools/list", json!({})),
        Revision::V2026_07_28,
    );
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        let received = Peer::modern(method, None).send(&enveloped(method, json!({})));
        assert_eq!(received.outcome(), (404, -32601), "{method}");
    }
    // The body takes precedence: with a legacy header or none, the request is still modern but has an invalid
    // header.
    for peer in [
        Peer::http(),
        Peer::http().version("2025-06-18"),
        Peer::http().session(Revision::V2025_06_18),
    ] {
        assert_eq!(
            peer.send(&enveloped("tools/list", json!({}))).outcome(),
            (400, -32020)
        );
    }
}

/// ERA-02.
#[test]
fn initialize_without_envelope_is_the_legacy_handshake() {
    for peer in [
        Peer::http(),
        Peer::http().version("2025-03-26"),
        Peer::http().version("2019-01-01"),
    ] {
        let received = peer.send(&initialize("2025-06-18"));
        assert_eq!(received.result()["protocolVersion"], "2025-06-18");
    }
}

/// ERA-05.
#[test]
fn initialize_under_a_modern_header_is_a_mismatch() {
    for version in ["2026-07-28", "2031-01-01"] {
        assert_eq!(
            Peer::http()
                .version(version)
                .send(&initialize("2025-06-18"))
                .outcome(),
            (400, -32020)
        );
    }
}

/// ERA-06.
#[test]
fn a_modern_header_without_envelope_names_the_missing_keys() {
    for peer in [
        Peer::http().version("2026-07-28"),
        Peer::http().version("v999"),
        Peer::http().version("2026-07-28").session(Revision::V2025_11_25),
    ] {
        let received = peer.send(&list());
        assert_eq!(received.outcome(), (400, -32602));
        assert!(
            received
                .message()
                .contains("io.modelcontextprotocol/protocolVersion")
        );
        assert!(
            received
                .message()
                .contains("io.modelcontextprotocol/clientCapabilities")
        );
    }
}

/// HTP-02, HTP-16.
#[test]
fn a_modern_notification_is_ignored_after_its_version_is_checked() {
    let note = |version: &str| {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": version});
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": 1, "_meta": meta}})
    };
    let bare = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    let ignored = Received::Noted(Notification::Ignored);
    assert_eq!(Peer::http().send(&note("2026-07-28")), ignored);
    assert_eq!(
        Peer::http().version("2026-07-28").send(&note("2026-07-28")),
        ignored
    );
    assert_eq!(Peer::http().version("2026-07-28").send(&bare), ignored);
    assert_eq!(Peer::http().send(&note("2030-01-01")).outcome(), (400, -32022));
    assert_eq!(Peer::http().send(&note("2025-06-18")).outcome(), (400, -32022));
    assert_eq!(
        Peer::http().version("2030-01-01").send(&bare).outcome(),
        (400, -32022)
    );
    assert_eq!(
        Peer::http()
            .version("2030-01-01")
            .send(&note("2026-07-28"))
            .outcome(),
        (400, -32020)
    );
}

/// SHT-08.
#[test]
fn an_unknown_older_version_header_is_rejected() {
    for version in ["2024-10-07", "2025-06-19", "", "1"] {
        assert_eq!(
            Peer::http().version(version).send(&list()).outcome(),
            (400, -32600),
            "{version}"
        );
        let peer = Peer::http().session(Revision::V2025_06_18).version(version);
        assert_eq!(peer.send(&list()).outcome(), (400, -32600), "{version}");
    }
    let twice = Peer::http().version("2025-06-18").version("2025-06-18");
    assert_eq!(twice.send(&list()).outcome(), (400, -32600));
}

/// SHT-09.
#[test]
fn other_messages_are_legacy_under_the_known_revision() {
    served_as(&Peer::http(), &list(), Revision::V2025_03_26);
    for revision in Revision::KNOWN
        .into_iter()
        .filter(|revision| revision.era() == Era::Legacy)
    {
        served_as(&Peer::http().version(revision.as_str()), &list(), revision);
        served_as(&Peer::http().session(revision), &list(), revision);
        served_as(
            &Peer::http().session(revision).version("2024-11-05"),
            &list(),
            revision,
        );
    }
    // `_meta` without the envelope's keys doesn't make a message modern.
    served_as(
        &Peer::http(),
        &plain("tools/list", json!({"_meta": {"progressToken": 1}})),
        Revision::V2025_03_26,
    );
}

/// ERA-04, INI-08, PNG-01.
#[test]
fn on_stdio_the_era_is_decided_for_each_message() {
    let before = Peer::new(TransportKind::Stdio);
    let after = Peer::new(TransportKind::Stdio).session(Revision::V2025_06_18);
    for peer in [&before, &after] {
        served_as(peer, &enveloped("tools/list", json!({})), Revision::V2026_07_28);
        assert_eq!(peer.send(&plain("ping", json!({}))).result(), &json!({}));
        assert_eq!(peer.send(&plain("prompts/list", json!({}))).outcome().1, -32601);
    }
    served_as(&after, &list(), Revision::V2025_06_18);
    let received = before.send(&list());
    assert_eq!(received.outcome().1, -32602);
    assert!(
        received
            .message()
            .contains("io.modelcontextprotocol/protocolVersion")
    );
    assert!(matches!(
        before.decode(initialize("2025-06-18").to_string()),
        Incoming::Request(_)
    ));
    // INI-09: a client that starts again on the same connection gets a new session.
    assert_eq!(after.send(&initialize("2025-06-18")).outcome().1, 0);
}

/// DSC-05.
#[test]
fn discover_on_stdio_returns_a_result_or_an_unsupported_version() {
    let peer = Peer::new(TransportKind::Stdio);
    assert_eq!(peer.send(&enveloped("server/discover", json!({}))).outcome().1, 0);
    let mut later = enveloped("server/discover", json!({}));
    later["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2027-03-01");
    assert_eq!(peer.send(&later).outcome().1, -32022);
}

#[test]
fn http_sse_is_legacy_only() {
    let before = Peer::new(TransportKind::HttpSse);
    assert_eq!(
        before.send(&enveloped("tools/list", json!({}))).outcome(),
        (202, -32600)
    );
    assert_eq!(before.send(&list()).outcome(), (202, -32600));
    assert_eq!(before.send(&plain("ping", json!({}))).outcome(), (202, 0));
    assert_eq!(before.send(&plain("nope", json!({}))).outcome(), (202, -32601));
    // SSE-03, SSE-04: an invalid message is rejected on the POST itself.
    assert_eq!(before.send_bytes("{").outcome(), (400, -32700));
    let after = Peer::new(TransportKind::HttpSse).session(Revision::V2024_11_05);
    assert_eq!(after.send(&list()).outcome(), (202, 0));
}

/// ERA-07.
#[test]
fn a_server_can_support_a_single_era() {
    let serving = |era| Server::with_limits(Desk::new(true), Revisions::of(era), Default::default());
    let modern = Peer::of(serving(Era::Modern), TransportKind::Http);
    let received = modern.send(&initialize("2025-06-18"));
    assert_eq!(received.outcome(), (400, -32022));
    assert_eq!(
        received.json()["error"]["data"]["supported"],
        json!(["2026-07-28"])
    );
    assert_eq!(modern.send(&list()).outcome(), (400, -32602));
    assert_eq!(
        modern.version("2025-06-18").send(&list()).outcome(),
        (400, -32600)
    );
    let legacy = Peer::of(serving(Era::Legacy), TransportKind::Stdio);
    let received = legacy.send(&enveloped("server/discover", json!({})));
    assert_eq!(received.outcome().1, -32022);
    assert_eq!(
        received.json()["error"]["data"]["supported"],
        json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    );
}
