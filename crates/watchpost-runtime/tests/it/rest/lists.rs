//! Lists: filters, pages and errors.

use super::{Request, Server};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads all pages of a list. Returns the ids.
fn pages(server: &Server, path: &str, list: &str, id: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = path.to_owned();
    loop {
        let answer = server.get(&next);
        let rows = answer[list].as_array().expect("rows");
        ids.extend(rows.iter().map(|row| row[id].as_str().expect("an id").to_owned()));
        let Some(after) = answer["next_after"].as_str() else {
            return ids;
        };
        assert!(!rows.is_empty(), "{next}: {answer}");
        next = format!("{path}&after={after}");
    }
}

#[test]
fn pages_of_any_size_have_the_same_rows_in_the_same_order() {
    let server = Server::start();
    for (path, list, id) in [
        ("/api/v1/findings", "findings", "id"),
        ("/api/v1/findings?severity=medium", "findings", "id"),
        ("/api/v1/apps", "apps", "id"),
        ("/api/v1/rules", "rules", "id"),
        ("/api/v1/checks", "checks", "id"),
        ("/api/v1/check-results", "results", "check_id"),
        ("/api/v1/scans", "scans", "scan_id"),
    ] {
        let sign = if path.contains('?') { '&' } else { '?' };
        let whole = pages(&server, &format!("{path}{sign}limit=200"), list, id);
        let small = pages(&server, &format!("{path}{sign}limit=7"), list, id);
        assert!(whole.len() > 3, "{path}: {whole:?}");
        assert_eq!(whole, small, "{path}");
        let distinct: BTreeSet<&String> = whole.iter().collect();
        assert_eq!(distinct.len(), whole.len(), "{path}");
    }
}

#[test]
fn an_offset_selects_the_same_rows_as_a_position() {
    let server = Server::start();
    let all = pages(&server, "/api/v1/findings?limit=200", "findings", "id");
    for (offset, limit) in [
        (0, 10),
        (7, 10),
        (all.len() - 3, 10),
        (all.len(), 10),
        (all.len() + 5, 10),
    ] {
        let answer = server.get(&format!("/api/v1/findings?limit={limit}&offset={offset}"));
        let ids: Vec<&str> = answer["findings"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["id"].as_str())
            .collect();
        let expected: Vec<&str> = all.iter().skip(offset).take(limit).map(String::as_str).collect();
        assert_eq!(ids, expected, "{offset}");
        assert_eq!(answer["total"], all.len());
    }
}

/// A position is valid only in the list, with the filters and in the workspace that it was made for.
#[test]
fn a_position_of_another_list_or_with_other_filters_is_refused() {
    let server = Server::start();
    let foreign = server.foreign_key();
    let after = |path: &str| {
        server.get(path)["next_after"]
            .as_str()
            .expect("a position")
            .to_owned()
    };
    let findings = after("/api/v1/findings?limit=2&severity=high");
    let rules = after("/api/v1/rules?limit=2");
    let refused = |path: String, key: &str| {
        let reply = server.send(&Request::get(&path).key(key));
        assert_eq!(reply.status, 400, "{path}: {reply:?}");
        let body = reply.json();
        assert_eq!(
            (&body["code"], &body["parameter"]),
            (&Value::from("invalid_position"), &Value::from("after"))
        );
    };
    for path in [
        format!("/api/v1/findings?severity=medium&after={findings}"),
        format!("/api/v1/findings?after={findings}"),
        format!("/api/v1/findings?severity=high&after={rules}"),
        format!("/api/v1/apps?after={findings}"),
        format!("/api/v1/checks?after={rules}"),
        "/api/v1/findings?after=x".to_owned(),
        format!("/api/v1/findings?severity=high&after={findings}A"),
    ] {
        refused(path, &server.read);
    }
    let own = format!("/api/v1/findings?severity=high&after={findings}");
    refused(own.clone(), &foreign);
    // Each character decides.
    for at in (0..findings.len()).step_by(5) {
        let mut wrong = findings.clone().into_bytes();
        wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
        let wrong = String::from_utf8(wrong).expect("text");
        refused(
            format!("/api/v1/findings?severity=high&after={wrong}"),
            &server.read,
        );
    }
    assert!(!server.get(&own)["findings"].as_array().expect("rows").is_empty());
    // The size of a page may change.
    assert!(
        server.get(&format!("{own}&limit=3"))["findings"]
            .as_array()
            .is_some_and(|rows| rows.len() == 3)
    );
    let both = format!("{own}&offset=1");
    let reply = server.send(&Request::get(&both).key(&server.read));
    assert_eq!(
        (reply.status, reply.json()["code"].clone()),
        (400, "invalid_parameter".into())
    );
}

#[test]
fn what_an_operation_does_not_take_is_refused_with_the_nearest_name() {
    let server = Server::start();
    for (path, code, meant, parameter) in [
        (
            "/api/v1/findings?severty=high",
            "unknown_parameter",
            Some("severity"),
            None,
        ),
        (
            "/api/v1/findings?Severity=high",
            "unknown_parameter",
            Some("severity"),
            None,
        ),
        (
            "/api/v1/findings?severity=hihg",
            "invalid_parameter",
            Some("high"),
            Some("severity"),
        ),
        (
            "/api/v1/findings?severity=HIGH",
            "invalid_parameter",
            Some("high"),
            Some("severity"),
        ),
        (
            "/api/v1/findings?severity=high&severity=",
            "invalid_parameter",
            None,
            Some("severity"),
        ),
        (
            "/api/v1/findings?limit=201",
            "invalid_parameter",
            None,
            Some("limit"),
        ),
        (
            "/api/v1/findings?limit=0",
            "invalid_parameter",
            None,
            Some("limit"),
        ),
        (
            "/api/v1/findings?limit=5&limit=6",
            "invalid_parameter",
            None,
            Some("limit"),
        ),
        ("/api/v1/findings/x", "invalid_parameter", None, Some("id")),
        ("/api/v1/posture?verbose=1", "unknown_parameter", None, None),
        ("/api/v1/people", "missing_parameter", None, Some("email")),
        (
            "/api/v1/scans?status=done",
            "invalid_parameter",
            None,
            Some("status"),
        ),
        (
            "/api/v1/checks?service=entr",
            "invalid_parameter",
            Some("entra"),
            Some("service"),
        ),
    ] {
        let reply = server.send(&Request::get(path).key(&server.read));
        assert_eq!(reply.status, 400, "{path}: {reply:?}");
        let body = reply.json();
        assert_eq!(body["code"], code, "{path}: {body}");
        assert_eq!(body["did_you_mean"].as_str(), meant, "{path}: {body}");
        assert_eq!(body["parameter"].as_str(), parameter, "{path}: {body}");
    }
    for path in [
        "/api/v1/findings?entity=nobody%40example.com",
        "/api/v1/people?email=nobody%40example.com",
        "/api/v1/people?email=nobody%40",
        "/api/v1/people?email=no+such+name",
        "/api/v1/rules/no.such",
        "/api/v1/checks/no.such",
    ] {
        let reply = server.send(&Request::get(path).key(&server.read));
        assert_eq!(
            (reply.status, reply.json()["code"].clone()),
            (404, "not_found".into()),
            "{path}"
        );
    }
}

#[test]
fn one_of_each_list_can_be_read_alone() {
    let server = Server::start();
    for (list, rows, id, one) in [
        ("/api/v1/findings", "findings", "id", "/api/v1/findings/"),
        ("/api/v1/apps", "apps", "id", "/api/v1/apps/"),
        ("/api/v1/rules", "rules", "id", "/api/v1/rules/"),
        ("/api/v1/checks", "checks", "id", "/api/v1/checks/"),
        (
            "/api/v1/integrations",
            "integrations",
            "id",
            "/api/v1/integrations/",
        ),
    ] {
        let answer = server.get(list);
        for row in answer[rows].as_array().expect("rows").iter().take(5) {
            let detail = server.get(&format!("{one}{}", row[id].as_str().expect("an id")));
            for (field, value) in row.as_object().expect("a row") {
                assert_eq!(&detail[field], value, "{list}: {field}");
            }
        }
    }
    let found = server.get("/api/v1/people?email=adm.marlow.keane%40birchworks.example");
    let id = found["id"].as_str().expect("an id");
    assert_eq!(server.get(&format!("/api/v1/people/{id}")), found);
}

#[test]
fn health_is_public_and_shows_no_data() {
    let server = Server::start();
    let reply = server.send(&Request::get("/api/health"));
    let body = reply.json();
    assert_eq!(
        (reply.status, &body["status"], &body["services"]["database"]),
        (200, &"ok".into(), &"ok".into())
    );
    assert!(body["services"]["latencyMs"].is_u64());
    let document = server.send(&Request::get("/openapi.json"));
    assert_eq!(document.status, 200);
    assert_eq!(document.json()["openapi"], "3.1.0");
    for text in ["birchworks", "wp_"] {
        assert!(!reply.body.contains(text) && !document.body.contains(text));
    }
    let health = server.get("/api/v1/health");
    assert_eq!(health["sources"].as_array().map(Vec::len), Some(2), "{health}");
}

#[test]
fn scans_of_different_kinds_are_not_compared() {
    let server = Server::start();
    let newest = |kind: &str| {
        let answer = server.get(&format!(
            "/api/v1/scans?scan_type={kind}&status=completed&limit=1"
        ));
        answer["scans"][0]["scan_id"].as_str().expect("a scan").to_owned()
    };
    let (compliance, exposure) = (newest("compliance"), newest("exposure"));
    let path = format!("/api/v1/comparisons?scan_id={compliance}&before_scan_id={exposure}");
    let answer = server.send(&Request::get(&path).key(&server.read));
    assert_eq!(answer.status, 409, "{}", answer.body);
    let unknown = "/api/v1/comparisons?scan_id=00000000-0000-7000-8000-000000000000";
    assert_eq!(server.send(&Request::get(unknown).key(&server.read)).status, 404);
}
