//! Changes with a write key.

use super::{Request, Server};
use crate::demo::now;
use serde_json::{Value, json};

fn open_finding(server: &Server, at: usize) -> String {
    let answer = server.get("/api/v1/findings?limit=50&rule=id.admin_no_mfa");
    answer["findings"][at]["id"]
        .as_str()
        .expect("a finding")
        .to_owned()
}

#[test]
fn a_change_has_the_effect_of_its_tool() {
    let server = Server::start();
    let (one, two) = (open_finding(&server, 0), open_finding(&server, 1));
    let tool = |name: &str, arguments: Value| {
        let answer = server.tool(&server.write, name, &arguments);
        assert_ne!(answer["isError"], true, "{answer}");
        answer["structuredContent"].clone()
    };
    let same = |rest: &Value, tool: &Value, fields: &[&str]| {
        for field in fields {
            assert_eq!(rest[field], tool[field], "{field}: {rest} {tool}");
        }
    };
    let rest = server.post(
        &format!("/api/v1/findings/{one}/snooze"),
        &json!({"days": 7, "note": "later"}),
    );
    let other = tool("snooze_finding", json!({"finding_id": two, "days": 7}));
    same(&rest, &other, &["status", "changed", "snoozed_until"]);
    assert_eq!(
        (&rest["status"], &rest["changed"]),
        (&"snoozed".into(), &true.into())
    );
    let detail = server.get(&format!("/api/v1/findings/{one}"));
    assert_eq!(
        (&detail["status"], &detail["note"]),
        (&"snoozed".into(), &"later".into())
    );

    let rest = server.post(
        &format!("/api/v1/findings/{one}/dismiss"),
        &json!({"reason": "mitigated"}),
    );
    let other = tool(
        "dismiss_finding",
        json!({"finding_id": two, "reason": "mitigated"}),
    );
    same(&rest, &other, &["status", "changed"]);
    assert_eq!(rest["dismiss_reason"], "mitigated");

    let (three, four) = (open_finding(&server, 0), open_finding(&server, 1));
    let rest = server.post(&format!("/api/v1/findings/{three}/remediations"), &json!({}));
    let other = tool("remediate_finding", json!({"finding_id": four}));
    same(
        &rest,
        &other,
        &["status", "changed", "action", "executed", "steps"],
    );
    assert_eq!(
        (&rest["status"], &rest["executed"]),
        (&"pending_approval".into(), &false.into())
    );
    let again = server.post(&format!("/api/v1/findings/{three}/remediations"), &json!({}));
    assert_eq!(
        (&again["changed"], &again["remediation_id"]),
        (&false.into(), &rest["remediation_id"])
    );

    let apps = server.get("/api/v1/apps?policy=none&limit=2");
    let app = |at: usize| apps["apps"][at]["id"].as_str().expect("an app").to_owned();
    let rest = server.post(
        &format!("/api/v1/apps/{}/policy", app(0)),
        &json!({"policy": "blocked"}),
    );
    let other = tool("set_app_policy", json!({"app": app(1), "policy": "blocked"}));
    same(&rest, &other, &["policy", "before", "changed", "analysis_queued"]);
    assert_eq!(
        server.get(&format!("/api/v1/apps/{}", app(0)))["policy"],
        "blocked"
    );

    let rest = server.post("/api/v1/syncs", &json!({"platform": "okta"}));
    assert_eq!(
        (&rest["status"], rest["jobs"].as_array().map(Vec::len)),
        (&"triggered".into(), Some(1))
    );
    // The same scan has just been completed; two minutes later, a request starts another one.
    let rest = server.post("/api/v1/scans", &json!({"scan_type": "compliance"}));
    assert_eq!(rest["outcome"], "just_completed", "{rest}");
    server.demo.clock.freeze(now().plus_millis(120_000));
    let rest = server.post("/api/v1/scans", &json!({"scan_type": "compliance"}));
    assert_eq!(rest["outcome"], "started", "{rest}");
    let other = tool("start_scan", json!({"scan_type": "compliance"}));
    assert_eq!(
        other["scan_id"], rest["scan"]["scan_id"],
        "an integration has one scan at a time"
    );
}

/// The same guarantee as the tools' `idempotency_key`.
#[test]
fn a_repeat_with_the_same_idempotency_key_changes_nothing() {
    let server = Server::start();
    let id = open_finding(&server, 0);
    let path = format!("/api/v1/findings/{id}/snooze");
    let request = |body: Value, key: &str| {
        Request::post(&path, &body)
            .key(&server.write)
            .header("Idempotency-Key", key)
    };
    let first = server.send(&request(json!({"days": 7}), "once")).json();
    assert_eq!(first["changed"], true, "{first}");
    assert!(first.get("first_requested_at").is_none());
    // A person reopens it: a repeat must not snooze it again.
    let reopened = server.run(async {
        let instance = &server.demo.instance;
        let workspace = instance.workspace(Some("default")).await.expect("a workspace");
        let call = watchpost_core::audit::CallRecord::new("cli", "findings reopen", "{}");
        let finding = id.parse().expect("an id");
        instance
            .watchpost()
            .reopen_finding(&instance.operator(&workspace), finding, None, call)
            .await
    });
    assert!(reopened.is_ok());
    let again = server.send(&request(json!({"days": 7}), "once")).json();
    assert_eq!(
        (&again["changed"], &again["status"]),
        (&false.into(), &"snoozed".into()),
        "{again}"
    );
    assert!(again["first_requested_at"].is_string(), "{again}");
    assert_eq!(server.get(&format!("/api/v1/findings/{id}"))["status"], "open");
    // Another request with the same key is refused.
    let reply = server.send(&request(json!({"days": 8}), "once"));
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(reply.json()["code"], "idempotency_key_reused");
    // The tool recognizes the same request, too.
    let arguments = json!({"finding_id": id, "days": 7, "idempotency_key": "of the tool"});
    let refused = server.tool(&server.write, "snooze_finding", &arguments);
    assert_eq!(refused["isError"], true, "a key has no spaces: {refused}");
    let other = server.send(&request(json!({"days": 7}), "twice")).json();
    assert_eq!(other["changed"], true, "{other}");
    for wrong in ["", "a b", "ü", &"x".repeat(65)] {
        let reply = server.send(&request(json!({"days": 7}), wrong));
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
    }
}

#[test]
fn what_can_not_be_changed_is_a_conflict_and_what_is_not_there_is_not_found() {
    let server = Server::start();
    let resolved = server.get("/api/v1/findings?status=resolved&limit=1")["findings"][0]["id"]
        .as_str()
        .expect("a resolved finding")
        .to_owned();
    let unknown = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    let by_check = server.get("/api/v1/findings?framework=cis&limit=1")["findings"][0]["id"]
        .as_str()
        .expect("a finding of a check")
        .to_owned();
    for (path, body, status, code) in [
        (
            format!("/api/v1/findings/{resolved}/snooze"),
            json!({"days": 7}),
            409,
            "conflict",
        ),
        (
            format!("/api/v1/findings/{resolved}/remediations"),
            json!({}),
            409,
            "conflict",
        ),
        (
            format!("/api/v1/findings/{by_check}/remediations"),
            json!({}),
            409,
            "conflict",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!({"days": 7}),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/findings/{unknown}/dismiss"),
            json!({"reason": "mitigated"}),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/findings/{unknown}/remediations"),
            json!({}),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/apps/{unknown}/policy"),
            json!({"policy": "blocked"}),
            404,
            "not_found",
        ),
        (
            "/api/v1/scans".to_owned(),
            json!({"scan_type": "compliance", "integration_id": unknown}),
            404,
            "not_found",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!({}),
            400,
            "missing_parameter",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!({"days": 91}),
            400,
            "invalid_parameter",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!({"days": 7, "dyas": 7}),
            400,
            "unknown_parameter",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze?days=7"),
            json!({"days": 7}),
            400,
            "unknown_parameter",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!([]),
            400,
            "invalid_body",
        ),
        (
            format!("/api/v1/findings/{unknown}/snooze"),
            json!({"days": 7, "note": "x".repeat(1_001)}),
            400,
            "invalid_parameter",
        ),
    ] {
        let reply = server.send(&Request::post(&path, &body).key(&server.write));
        assert_eq!(reply.status, status, "{path} {body}: {reply:?}");
        assert_eq!(reply.json()["code"], code, "{path} {body}: {reply:?}");
    }
    let mut other_type = Request::new("POST", "/api/v1/syncs").key(&server.write);
    other_type.body = "{}".to_owned();
    assert_eq!(server.send(&other_type).status, 415);
    let large = json!({"platform": "x".repeat(300_000)});
    let reply = server.send(&Request::post("/api/v1/syncs", &large).key(&server.write));
    assert_eq!(
        (reply.status, reply.json()["code"].clone()),
        (413, "too_large".into())
    );
}
