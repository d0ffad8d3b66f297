//! The compatible routes: its field names, its values and its errors.

use super::{Request, Server};
use serde_json::{Value, json};

/// Returns the names of an object's fields.
fn names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn answers_have_the_compatible_field_names() {
    let server = Server::start();
    let risk = server.get("/api/mcp/risk-score");
    assert_eq!(
        names(&risk),
        ["label", "score", "severity_counts", "top_risks", "total_findings"]
    );
    assert_eq!(
        names(&risk["severity_counts"]),
        ["critical", "high", "low", "medium"]
    );
    assert_eq!(
        names(&risk["top_risks"][0]),
        ["affected_count", "category", "severity", "title"]
    );
    let own = server.get("/api/v1/posture/risk-score");
    assert_eq!((&risk["score"], &risk["label"]), (&own["score"], &own["label"]));

    let findings = server.get("/api/mcp/findings?severity=critical,high&category=identity_security&limit=5");
    assert_eq!(names(&findings), ["findings", "returned", "total"]);
    let row = &findings["findings"][0];
    for name in [
        "id",
        "title",
        "severity",
        "category",
        "status",
        "rule_id",
        "affected_entities",
        "recommended_action",
        "created_at",
    ] {
        assert!(row.get(name).is_some(), "{name}: {row}");
    }
    let own = server.get("/api/v1/findings?severity=critical,high&category=identity_security&limit=5");
    assert_eq!(
        (&findings["total"], &row["id"]),
        (&own["total"], &own["findings"][0]["id"])
    );
    assert_eq!(server.get("/api/mcp/findings")["returned"], 25);

    let person = server.get("/api/mcp/identity?email=ADM.marlow.keane%40birchworks.example");
    for name in [
        "email",
        "display_name",
        "status",
        "identity_type",
        "mfa_enabled",
        "platforms",
        "findings",
        "app_access",
    ] {
        assert!(person.get(name).is_some(), "{name}: {person}");
    }
    assert_eq!(person["mfa_enabled"], false);

    let integrations = server.get("/api/mcp/integrations");
    assert_eq!(
        names(&integrations),
        ["connected_count", "integrations", "total_count"]
    );
    assert_eq!(
        names(&integrations["integrations"][0]),
        ["category", "idp_role", "last_sync_at", "platform", "status"]
    );

    let summary = server.get("/api/mcp/posture-summary");
    assert_eq!(names(&summary), ["metrics", "summary"]);
    for name in [
        "risk_score",
        "risk_label",
        "total_findings",
        "severity_counts",
        "mfa_coverage_pct",
        "admin_pct",
        "sso_coverage_pct",
        "shadow_it_count",
        "connected_integrations",
        "identity_count",
    ] {
        assert!(summary["metrics"].get(name).is_some(), "{name}: {summary}");
    }
    let own = server.get("/api/v1/posture");
    assert_eq!(
        summary["metrics"]["mfa_coverage_pct"],
        own["metrics"]["mfa_coverage_pct"]
    );
    assert_eq!(summary["summary"], own["summary"]);

    let rules = server.get("/api/mcp/rules");
    assert_eq!(rules["total"], server.get("/api/v1/rules")["total"]);
    assert_eq!(
        names(&rules["rules"][0]),
        ["affected_entity_types", "category", "id", "severity", "title"]
    );
}

#[test]
fn changes_have_the_compatible_field_names() {
    let server = Server::start();
    let app = server.get("/api/v1/apps?policy=none&limit=1")["apps"][0]["name"]
        .as_str()
        .expect("an app")
        .to_owned();
    let set = server.post(
        "/api/mcp/app-policy",
        &json!({"app_name": app, "status": "unauthorized"}),
    );
    assert_eq!(
        (&set["status"], &set["previous_status"]),
        (&"unauthorized".into(), &"none".into())
    );
    let query: String = url::form_urlencoded::byte_serialize(app.as_bytes()).collect();
    let read = server.get(&format!("/api/mcp/app-policy?app_name={query}"));
    assert_eq!(read, json!({"app_name": app, "status": "unauthorized"}));

    let findings = server.get("/api/mcp/findings?severity=critical&limit=3");
    let id = |at: usize| findings["findings"][at]["id"].clone();
    let snoozed = server.post(
        "/api/mcp/findings/snooze",
        &json!({"finding_id": id(0), "days": 30}),
    );
    assert_eq!(snoozed["status"], "snoozed");
    let dismissed = server.post("/api/mcp/findings/dismiss", &json!({"finding_id": id(1)}));
    assert_eq!(dismissed["status"], "dismissed");
    let sync = server.post("/api/mcp/sync", &json!({}));
    assert_eq!(
        names(&sync),
        ["integrations_queued", "message", "platforms", "status"]
    );
    assert_eq!(
        (&sync["status"], &sync["integrations_queued"]),
        (&"triggered".into(), &2.into())
    );
    let bodyless = server.send(&Request::new("POST", "/api/mcp/sync").key(&server.write));
    assert_eq!(
        (bodyless.status, bodyless.json()["status"].clone()),
        (200, "already_running".into())
    );
}

#[test]
fn errors_have_the_compatible_form() {
    let server = Server::start();
    for (request, status) in [
        (Request::get("/api/mcp/identity").key(&server.read), 400),
        (
            Request::get("/api/mcp/identity?email=nobody%40example.com").key(&server.read),
            404,
        ),
        (Request::get("/api/mcp/findings?limit=101").key(&server.read), 400),
        (
            Request::get("/api/mcp/findings?severity=worst").key(&server.read),
            400,
        ),
        (
            Request::get("/api/mcp/app-policy?app_name=no+such+app").key(&server.read),
            404,
        ),
        (Request::get("/api/mcp/risk-score"), 401),
        (Request::post("/api/mcp/sync", &json!({})).key(&server.read), 403),
        (
            Request::post("/api/mcp/findings/snooze", &json!({"days": 7})).key(&server.write),
            400,
        ),
    ] {
        let reply = server.send(&request);
        assert_eq!(reply.status, status, "{request:?}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(names(&reply.json()), ["error"], "{reply:?}");
    }
}
