//! Each tool has a twin among the operations, with the same permission and the same numbers.

use super::{Request, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use watchpost_mcp::tools::TOOLS;
use watchpost_web::OPERATIONS;

/// Fields that each surface words on its own, or that refer to its own lists.
const OWN_FIELDS: &[&str] = &[
    "as_of",
    "warnings",
    "summary",
    "next_step",
    "formula",
    "next_cursor",
    "next_before",
    "next_after",
    "reopen_command",
    "reject_command",
];

/// Tools with another parameter or answer than their twin, each with the test that compares the two.
const COMPARED_ELSEWHERE: &[&str] = &[
    "generate_report",
    "start_scan",
    "trigger_sync",
    "snooze_finding",
    "dismiss_finding",
    "remediate_finding",
    "set_app_policy",
];

/// A tool's query with the arguments, and the path of the same query.
fn queries(server: &Server) -> Vec<(&'static str, Value, String)> {
    let scans = server.get("/api/v1/scans?limit=2&scan_type=compliance");
    let id = |at: usize| scans["scans"][at]["scan_id"].as_str().expect("a scan").to_owned();
    let finding = server.get("/api/v1/findings?limit=1")["findings"][0]["id"]
        .as_str()
        .expect("a finding")
        .to_owned();
    let app = server.get("/api/v1/apps?limit=1")["apps"][0]["name"]
        .as_str()
        .expect("an app")
        .to_owned();
    let app_query: String = url::form_urlencoded::byte_serialize(app.as_bytes()).collect();
    let path = |path: &str| path.to_owned();
    vec![
        ("get_risk_score", json!({}), path("/api/v1/posture/risk-score")),
        ("get_posture_summary", json!({}), path("/api/v1/posture")),
        ("list_findings", json!({}), path("/api/v1/findings")),
        (
            "list_findings",
            json!({"severity": ["critical", "high"], "platform": "okta", "limit": 100}),
            path("/api/v1/findings?severity=critical,high&platform=okta&limit=100"),
        ),
        (
            "list_findings",
            json!({"entity": "adm.marlow.keane@birchworks.example", "status": ["open", "snoozed"]}),
            path("/api/v1/findings?entity=ADM.MARLOW.KEANE%40birchworks.example&status=open&status=snoozed"),
        ),
        (
            "list_findings",
            json!({"text": "mail", "category": "shadow_it"}),
            path("/api/v1/findings?text=mail&category=shadow_it"),
        ),
        (
            "list_findings",
            json!({"framework": "cis", "service": "exchange"}),
            path("/api/v1/findings?framework=cis&service=exchange"),
        ),
        (
            "list_findings",
            json!({"since": "3", "limit": 50}),
            path("/api/v1/findings?since=3&limit=50"),
        ),
        (
            "get_finding",
            json!({"finding_id": finding}),
            format!("/api/v1/findings/{finding}"),
        ),
        (
            "lookup_identity",
            json!({"email": "adm.marlow.keane@birchworks.example"}),
            path("/api/v1/people?email=adm.marlow.keane%40birchworks.example"),
        ),
        (
            "check_app_policy",
            json!({"app": app}),
            format!("/api/v1/app-policy?app={app_query}"),
        ),
        (
            "check_app_policy",
            json!({"app": "no such app at all"}),
            path("/api/v1/app-policy?app=no+such+app+at+all"),
        ),
        ("get_integrations", json!({}), path("/api/v1/integrations")),
        ("list_rules", json!({}), path("/api/v1/rules")),
        (
            "list_rules",
            json!({"severity": "critical"}),
            path("/api/v1/rules?severity=critical"),
        ),
        (
            "list_scans",
            json!({"scan_type": "exposure"}),
            path("/api/v1/scans?scan_type=exposure&limit=10"),
        ),
        ("get_scan", json!({}), path("/api/v1/scans/latest")),
        (
            "get_scan",
            json!({"scan_id": id(1), "service": "sharepoint"}),
            format!("/api/v1/scans/{}?service=sharepoint", id(1)),
        ),
        (
            "list_check_results",
            json!({"limit": 100}),
            path("/api/v1/check-results?limit=100"),
        ),
        (
            "list_check_results",
            json!({"check_id": "6.2.1"}),
            path("/api/v1/check-results?check_id=6.2.1"),
        ),
        (
            "list_check_results",
            json!({"scan_id": id(1), "result": "failed", "framework": "cis"}),
            format!("/api/v1/scans/{}/results?result=failed&framework=cis", id(1)),
        ),
        ("compare_scans", json!({}), path("/api/v1/comparisons")),
        (
            "compare_scans",
            json!({"scan_id": id(0), "before_scan_id": id(1)}),
            format!("/api/v1/comparisons?scan_id={}&before_scan_id={}", id(0), id(1)),
        ),
        ("get_score_trend", json!({}), path("/api/v1/scans/trend")),
    ]
}

/// Compares each value of a tool's answer with the value at the same place of its twin's.
fn compare(tool: &Value, twin: &Value, place: &str, compared: &mut usize) {
    match (tool, twin) {
        (Value::Object(fields), Value::Object(others)) => {
            for (name, value) in fields
                .iter()
                .filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str()))
            {
                let other = others.get(name);
                let other = other.unwrap_or_else(|| panic!("{place}.{name}: only the tool has it"));
                compare(value, other, &format!("{place}.{name}"), compared);
            }
        }
        // A tool shows fewer rows, since a model reads each of them.
        (Value::Array(rows), Value::Array(others)) => {
            assert!(
                others.len() >= rows.len(),
                "{place}: {} {}",
                rows.len(),
                others.len()
            );
            for (at, (row, other)) in rows.iter().zip(others).enumerate() {
                compare(row, other, &format!("{place}[{at}]"), compared);
            }
        }
        (one, other) => {
            assert_eq!(one, other, "{place}");
            *compared += 1;
        }
    }
}

#[test]
fn each_tool_has_a_twin_with_the_same_permission() {
    let tools: BTreeSet<&str> = TOOLS.iter().map(|tool| tool.declaration.name).collect();
    assert!(tools.len() > 15);
    for tool in TOOLS {
        let name = tool.declaration.name;
        let twin = OPERATIONS.iter().find(|operation| operation.id() == Some(name));
        let twin = twin.unwrap_or_else(|| panic!("no operation is the twin of `{name}`"));
        assert_eq!(
            twin.declaration.permission,
            Some(tool.declaration.permission),
            "{name}"
        );
        assert_eq!(twin.requires_write_key(), tool.takes_write_key(), "{name}");
        assert_eq!(
            twin.declaration.method.as_str() == "GET",
            tool.declaration.hints.read_only,
            "{name}"
        );
    }
}

#[test]
fn each_query_has_the_same_numbers_as_its_twin() {
    let server = Server::start();
    let queries = queries(&server);
    let mut compared = 0;
    for (tool, arguments, path) in &queries {
        let answer = server.tool(&server.read, tool, arguments);
        assert_ne!(answer["isError"], true, "{tool} {arguments}: {answer}");
        let before = compared;
        let place = format!("{tool} {arguments}");
        compare(
            &answer["structuredContent"],
            &server.get(path),
            &place,
            &mut compared,
        );
        assert!(compared > before, "{place}: nothing was compared");
    }
    assert!(compared > 3_000, "only {compared} values were compared");
    let asked: BTreeSet<&str> = queries.iter().map(|(tool, ..)| *tool).collect();
    for tool in TOOLS.iter().map(|tool| tool.declaration.name) {
        assert!(
            asked.contains(tool) || COMPARED_ELSEWHERE.contains(&tool),
            "`{tool}` isn't compared"
        );
    }
}

#[test]
fn a_report_is_the_same_as_the_tools() {
    let server = Server::start();
    let arguments = json!({"kind": "executive"});
    let answer = server.tool(&server.read, "generate_report", &arguments)["structuredContent"].clone();
    let reply =
        server.send(&Request::get("/api/v1/reports?kind=executive&format=markdown").key(&server.read));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/markdown; charset=utf-8"));
    let plain = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let tool = plain(answer["markdown"].as_str().expect("markdown"));
    assert!(tool.len() > 100);
    assert_eq!(plain(&reply.body), tool);
    for (format, media_type) in [
        ("html", "text/html; charset=utf-8"),
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8"),
    ] {
        let path = format!("/api/v1/reports?kind=framework&format={format}");
        let reply = server.send(&Request::get(&path).key(&server.read));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some(media_type))
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}
