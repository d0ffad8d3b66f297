//! Tests of the comparison: each change of a right request or answer is a difference.

use crate::{graph, log::Log, okta};
use serde_json::{Value, json};
use watchpost_simulator::Exchange;

/// A right answer of Graph.
fn policies() -> Value {
    json!({ "@odata.context": "https://graph.example/v1.0/$metadata#identity/conditionalAccess/policies", "value": [{
        "id": "1", "displayName": "A", "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
        "conditions": { "clientAppTypes": ["all"], "users": { "includeUsers": ["All"] } } }] })
}

/// A right answer of Okta.
fn users() -> Value {
    json!([{ "id": "00u1", "status": "ACTIVE", "created": "2026-01-01T00:00:00.000Z", "lastLogin": null,
        "profile": { "login": "a@b.example", "email": "a@b.example" } }])
}

fn exchange(api: &'static str, path: &str, query: &str, status: u16, answer: &Value) -> Exchange {
    Exchange {
        api,
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        status,
        answer_headers: Vec::new(),
        answer: serde_json::to_vec(answer).unwrap(),
        faulty: false,
    }
}

/// Replaces the value at a pointer, or adds a field.
fn put(mut answer: Value, pointer: &str, value: Value) -> Value {
    match answer.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            answer.pointer_mut(parent).unwrap()[name] = value;
        }
    }
    answer
}

#[test]
fn changes_of_requests_to_graph_and_of_answers_are_found() {
    let Some(graph) = graph::graph() else {
        return;
    };
    let path = "/v1.0/identity/conditionalAccess/policies";
    let found = |path: &str, query: &str, status: u16, answer: &Value| {
        let mut log = Log::default();
        graph.compare(&mut log, &exchange("/graph", path, query, status, answer));
        log.differences.into_keys().collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found(path, "", 200, &policies()), "");
    let check = |pointer: &str, value: Value, expected: &str| {
        let found = found(path, "", 200, &put(policies(), pointer, value));
        assert!(found.contains(expected), "{pointer}: {found}");
    };
    check("/value/0/invented", json!(1), "has no such property");
    check("/value/0/state", json!("on"), "isn't a member");
    check("/value/0/displayName", Value::Null, "not nullable");
    check(
        "/value/0/createdDateTime",
        json!("yesterday"),
        "not a DateTimeOffset",
    );
    check("/value/0/conditions", json!([]), "not an object");
    check("/value/0/conditions/clientAppTypes", json!("all"), "not a list");
    check(
        "/value/0/conditions/users/includeUsers",
        json!([1]),
        "not a String",
    );
    check(
        "/value/0/conditions/riskLevel",
        json!("high"),
        "has no such property",
    );
    check("/value/0/@odata.type", json!("#microsoft.graph.user"), "isn't a");
    check("/count", json!(1), "a list has no such field");
    check(
        "/@odata.context",
        json!("https://graph.example/beta/$metadata#x"),
        "no such context",
    );
    let check = |path: &str, query: &str, expected: &str| {
        let found = found(path, query, 200, &policies());
        assert!(found.contains(expected), "{path}?{query}: {found}");
    };
    check(path, "$select=invented", "has no invented");
    check(path, "$filter=invented eq 'x'", "has no invented");
    check(path, "$filter=state eq 'on'", "'on' isn't a value of state");
    check(
        path,
        "$filter=createdDateTime gt 'x'",
        "isn't a value of createdDateTime",
    );
    check(path, "$expand=conditions", "no navigation property");
    check(path, "$top=many", "not a number");
    check(path, "limit=3", "no such option");
    check("/v1.0/identity/invented", "", "has no invented");
    check("/v2.0/users", "", "no such version");
    check("/v1.0/users/1", "$top=3", "only lists have this option");
    let error = json!({ "error": { "code": "BadRequest", "message": "x" } });
    assert_eq!(found(path, "", 400, &error), "");
    let found = found(path, "", 400, &json!({ "error": "BadRequest" }));
    assert!(found.contains("without `error`"), "{found}");
}

#[test]
fn later_members_of_an_enumeration_are_only_for_clients_that_ask() {
    let Some(graph) = graph::graph() else {
        return;
    };
    let path = "/v1.0/identity/conditionalAccess/policies";
    let answer = put(
        policies(),
        "/value/0/conditions/platforms",
        json!({ "includePlatforms": ["linux"] }),
    );
    let mut sent = exchange("/graph", path, "", 200, &answer);
    for (prefer, differences) in [(None, 1), (Some("include-unknown-enum-members"), 0)] {
        sent.headers = prefer
            .map(|value: &str| ("prefer".to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let mut log = Log::default();
        graph.compare(&mut log, &sent);
        assert_eq!(log.differences.len(), differences, "{:?}", log.differences);
    }
}

#[test]
fn changes_of_requests_to_okta_and_of_answers_are_found() {
    let Some(okta) = okta::okta() else {
        return;
    };
    let path = "/api/v1/users";
    let found = |path: &str, query: &str, status: u16, answer: &Value| {
        let mut log = Log::default();
        okta.compare_exchange(&mut log, &exchange("/okta", path, query, status, answer));
        log.differences.into_keys().collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found(path, "limit=200", 200, &users()), "");
    let check = |pointer: &str, value: Value, expected: &str| {
        let found = found(path, "", 200, &put(users(), pointer, value));
        assert!(found.contains(expected), "{pointer}: {found}");
    };
    check("/0/invented", json!(1), "no such property");
    check("/0/status", json!("BLOCKED"), "isn't one of the values");
    check("/0/created", json!("yesterday"), "not a date-time");
    check("/0/created", Value::Null, "not nullable");
    check("/0/profile", json!([]), "not of the type object");
    check("/0/profile/login", json!("a"), "too short");
    let check = |path: &str, query: &str, expected: &str| {
        let found = found(path, query, 200, &users());
        assert!(found.contains(expected), "{path}?{query}: {found}");
    };
    check(path, "page=2", "no such parameter");
    check(path, "limit=many", "not of the type integer");
    check("/api/v1/policies", "", "required, but left out");
    check("/api/v1/policies", "type=INVENTED", "isn't one of the values");
    check("/api/v1/people", "", "no such address");
    let error = json!({ "errorCode": "E0000007", "errorSummary": "x", "errorLink": "E0000007", "errorId": "1",
        "errorCauses": [] });
    assert_eq!(found(path, "", 404, &error), "");
    let found = found(path, "", 404, &json!({ "error": "not found" }));
    assert!(found.contains("error.error: no such property"), "{found}");
}
