//! The audit entries of requests.

use super::{Request, Server};
use serde_json::json;
use watchpost_core::{
    audit::{AuditQuery, AuditRow, CallRecord, ReadRecord},
    service::Unrecorded,
};

/// Returns the entries of the channel `rest`, oldest first.
fn entries(server: &Server) -> Vec<AuditRow> {
    let instance = &server.demo.instance;
    let mut rows = server.run(async {
        let workspace = instance.workspace(Some("default")).await.expect("a workspace");
        let operator = instance.operator(&workspace);
        let query = AuditQuery {
            limit: 1_000,
            ..AuditQuery::default()
        };
        let watchpost = instance.watchpost();
        let read: Unrecorded<_> = watchpost.audit_entries(&operator, &query).await;
        let call = CallRecord::new("cli", "audit list", "{}");
        let describe = |read: &_| ReadRecord::of("audit.read", call, read);
        watchpost
            .record(&operator, read, describe)
            .await
            .expect("an entry")
            .expect("entries")
    });
    rows.retain(|row| row.channel == "rest");
    rows.reverse();
    rows
}

#[test]
fn each_request_has_one_entry_with_its_outcome_and_no_text_of_the_caller() {
    let server = Server::start();
    let finding = server.get("/api/v1/findings?limit=1&rule=id.admin_no_mfa")["findings"][0]["id"]
        .as_str()
        .expect("a finding")
        .to_owned();
    let begun = entries(&server).len();
    let snooze = format!("/api/v1/findings/{finding}/snooze");
    let secret = "a note that nobody should read in the log";
    for (request, operation, action, outcome) in [
        (
            Request::get("/api/v1/findings?severity=high&text=mailbox").key(&server.read),
            "list_findings",
            "api.called",
            "ok",
        ),
        (
            Request::get(&format!("/api/v1/findings/{finding}")).key(&server.read),
            "get_finding",
            "api.called",
            "ok",
        ),
        (
            Request::get("/api/v1/people?email=nobody%40example.com").key(&server.read),
            "lookup_identity",
            "api.called",
            "not_found",
        ),
        (
            Request::get("/api/v1/findings?severity=worst").key(&server.read),
            "list_findings",
            "api.called",
            "invalid",
        ),
        (
            Request::post(&snooze, &json!({"days": 7, "note": secret})).key(&server.read),
            "snooze_finding",
            "api.called",
            "denied",
        ),
        (
            Request::post(&snooze, &json!({"days": 7, "note": secret})).key(&server.write),
            "snooze_finding",
            "finding.snoozed",
            "ok",
        ),
        (
            Request::post(&snooze, &json!({"days": 7, "note": secret})).key(&server.write),
            "snooze_finding",
            "finding.snoozed",
            "unchanged",
        ),
        (
            Request::get("/api/v1/findings.csv?severity=high").key(&server.read),
            "export_findings_csv",
            "api.exported",
            "ok",
        ),
        (
            Request::get("/api/v1/apps.json?text=mailbox").key(&server.read),
            "export_apps_json",
            "api.exported",
            "ok",
        ),
        (
            Request::get("/api/mcp/risk-score").key(&server.read),
            "get_risk_score",
            "api.called",
            "ok",
        ),
    ] {
        let before = entries(&server).len();
        server.send(&request);
        let after = entries(&server);
        assert_eq!(after.len(), before + 1, "{request:?}");
        let row = after.last().expect("an entry");
        assert_eq!(
            (row.operation.as_ref(), row.action.as_ref(), row.outcome.as_str()),
            (operation, action, outcome),
            "{request:?}"
        );
        assert_eq!(row.actor_kind.as_str(), "key");
        for text in [secret, "mailbox", "nobody@example.com", "worst"] {
            assert!(!row.arguments.contains(text), "{request:?}: {}", row.arguments);
        }
    }
    let all = entries(&server);
    let filtered = all.iter().find(|row| row.arguments.contains("severity"));
    assert_eq!(
        filtered.map(|row| row.arguments.contains(r#""severity":["high"]"#)),
        Some(true),
        "words of closed lists are readable"
    );
    assert!(all.iter().skip(begun).any(|row| row.target_id == finding));
}

/// These answers contain no data of a workspace, so they have no entry.
#[test]
fn public_routes_and_refused_credentials_have_no_entry() {
    let server = Server::start();
    let before = entries(&server).len();
    for request in [
        Request::get("/api/health"),
        Request::get("/openapi.json"),
        Request::get("/api/v1/findings"),
        Request::get("/api/v1/findings").key(super::UNKNOWN_KEY),
        Request::get("/api/v1/nothing").key(&server.read),
    ] {
        server.send(&request);
    }
    assert_eq!(entries(&server).len(), before);
}
