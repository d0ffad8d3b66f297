//! Resources: contents, access and addresses. The resources of scans and reports are tested over a real store in
//! `watchpost-runtime`.

use crate::{
    safety::{CANARY, HOSTILE},
    world::{Answer, World, app_id, finding_id},
};
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome};

const NOBODYS: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

async fn ask(world: &World, scope: &Arc<WorkspaceScope>, method: &str, mut params: Value) -> Answer {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    world.send(scope, &message).await
}

async fn read(world: &World, scope: &Arc<WorkspaceScope>, uri: &str) -> Answer {
    ask(world, scope, "resources/read", json!({ "uri": uri })).await
}

/// Reads an existing resource and returns its text as JSON.
async fn contents(world: &World, uri: &str) -> Value {
    let answer = read(world, &world.reader, uri).await;
    let content = &answer.0["result"]["contents"][0];
    assert_eq!(content["uri"], uri, "{}", answer.0);
    assert_eq!(content["mimeType"], "application/json", "{uri}");
    serde_json::from_str(content["text"].as_str().unwrap()).unwrap()
}

/// One address of each kind.
fn all() -> [String; 6] {
    [
        "watchpost://posture".into(),
        "watchpost://integrations".into(),
        format!("watchpost://findings/{}", finding_id(1)),
        "watchpost://identities/mara.holt@birchworks.example".into(),
        format!("watchpost://apps/{}", app_id(31)),
        "watchpost://rules/id.admin_no_mfa".into(),
    ]
}

#[tokio::test]
async fn a_resource_has_the_same_contents_as_its_tools_answer() {
    let world = World::company().await;
    let app = app_id(31);
    for (uri, tool, arguments) in [
        ("watchpost://posture".to_owned(), "get_posture_summary", json!({})),
        ("watchpost://integrations".into(), "get_integrations", json!({})),
        (
            "watchpost://identities/mara.holt%40birchworks.example".into(),
            "lookup_identity",
            json!({"email": "mara.holt@birchworks.example"}),
        ),
        (
            "watchpost://identities/MH@birchworks.example".into(),
            "lookup_identity",
            json!({"email": "mh@birchworks.example"}),
        ),
        (
            format!("watchpost://apps/{app}"),
            "check_app_policy",
            json!({"app": app}),
        ),
    ] {
        let answer = world.ok(&world.reader, tool, arguments).await;
        assert_eq!(&contents(&world, &uri).await, answer.data(), "{uri}");
    }
}

/// Asserts that `whole` has all fields of `part` with the same values.
fn assert_contains(whole: &Value, part: &Value) {
    for (name, value) in part.as_object().unwrap() {
        assert_eq!(&whole[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_finding_has_its_evidence_and_remediation() {
    let world = World::company().await;
    let list = world.ok(&world.reader, "list_findings", json!({})).await;
    let rows = list.data()["findings"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let uri = format!("watchpost://findings/{}", row["id"].as_str().unwrap());
        let resource = contents(&world, &uri).await;
        assert_contains(&resource, row);
        assert_eq!(resource["as_of"], list.data()["as_of"]);
        assert_eq!(resource["evidence"], json!([{"login": "Mara Holt"}]));
        assert_eq!(resource["rule"]["remediation"][0], "Open the admin console.");
        assert_eq!(resource["reopen_count"], 0);
        assert!(resource.get("snoozed_until").is_none());
    }
    world
        .ok(
            &world.writer,
            "snooze_finding",
            json!({"finding_id": finding_id(1), "days": 7}),
        )
        .await;
    let resource = contents(&world, &format!("watchpost://findings/{}", finding_id(1))).await;
    assert_eq!(resource["snoozed_until"], "2026-03-08T07:00:00Z");
}

#[tokio::test]
async fn a_rule_has_the_fields_of_the_list_and_its_remediation() {
    let world = World::company().await;
    let list = world.ok(&world.reader, "list_rules", json!({})).await;
    let rows = list.data()["rules"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let resource = contents(
            &world,
            &format!("watchpost://rules/{}", row["id"].as_str().unwrap()),
        )
        .await;
        assert_contains(&resource, row);
        assert_eq!(resource["remediation"][1], "Enroll a second factor.");
    }
}

/// RSC-05, RSC-07.
#[tokio::test]
async fn foreign_missing_and_malformed_addresses_are_all_unknown() {
    let world = World::company().await;
    let rejected = async |scope, uri: &str| {
        let mut answer = read(&world, scope, uri).await.0;
        let echoed = answer["error"]["data"]["uri"].as_str().unwrap();
        assert!(uri.starts_with(echoed.trim_end_matches('…')), "{answer}");
        answer["error"]["data"].take();
        answer
    };
    let expected = rejected(&world.reader, "watchpost://nothing").await;
    assert_eq!(expected["error"]["code"], -32602);
    for theirs in [
        format!("watchpost://findings/{}", finding_id(1)),
        "watchpost://identities/mara.holt@birchworks.example".into(),
        format!("watchpost://apps/{}", app_id(31)),
    ] {
        assert_eq!(rejected(&world.stranger, &theirs).await, expected, "{theirs}");
    }
    for uri in [
        format!("watchpost://findings/{NOBODYS}"),
        format!("watchpost://apps/{NOBODYS}"),
        format!("watchpost://scans/{NOBODYS}"),
        format!("watchpost://reports/{NOBODYS}-executive.html"),
        "watchpost://identities/no@one.example".into(),
        "watchpost://identities/mara.holt@birchworks.example%00".into(),
        "watchpost://apps/Plumline".into(),
        "watchpost://rules/id.no_such_rule".into(),
        "watchpost://rules/id.admin_no_mfa/".into(),
        "watchpost://posture?all=true".into(),
        "file:///etc/passwd".into(),
        String::new(),
        format!("watchpost://identities/{}@birchworks.example", "m".repeat(2_000)),
    ] {
        assert_eq!(rejected(&world.reader, &uri).await, expected, "{uri}");
    }
    // The other workspace's own posture is empty.
    let answer = read(&world, &world.stranger, "watchpost://posture").await;
    let text = answer.0["result"]["contents"][0]["text"].as_str().unwrap();
    assert!(text.contains("not_connected"), "{text}");
}

#[tokio::test]
async fn the_list_and_the_templates_cover_every_kind() {
    let world = World::company().await;
    let listed = ask(&world, &world.reader, "resources/list", json!({})).await;
    let templates = ask(&world, &world.reader, "resources/templates/list", json!({})).await;
    let listed = listed.0["result"]["resources"].as_array().unwrap();
    let templates = templates.0["result"]["resourceTemplates"].as_array().unwrap();
    assert_eq!((listed.len(), templates.len()), (2, 6));
    for resource in listed {
        contents(&world, resource["uri"].as_str().unwrap()).await;
    }
    for uri in all() {
        let family = uri.rsplit_once('/').unwrap().0;
        let is_named = listed.iter().any(|row| row["uri"] == uri.as_str())
            || templates.iter().any(|row| {
                let template = row["uriTemplate"].as_str().unwrap();
                template.starts_with(family) && template.len() > family.len() + 1
            });
        assert!(is_named, "{uri}");
    }
}

#[tokio::test]
async fn each_read_has_one_audit_entry_without_the_address() {
    let world = World::company().await;
    for uri in all() {
        contents(&world, &uri).await;
    }
    read(&world, &world.reader, "watchpost://identities/no@one.example").await;
    let rows = world.audit();
    assert_eq!(rows.len(), 7);
    for row in &rows {
        assert_eq!(
            (row.action.as_ref(), row.operation.as_ref()),
            ("resource.read", "resources/read")
        );
        assert!(!row.arguments.contains("example"), "{}", row.arguments);
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.target_kind.as_ref()).collect();
    assert_eq!(kinds, ["", "", "finding", "identity", "app", "rule", ""]);
    assert_eq!(rows[6].outcome, AuditOutcome::NotFound);

    world.store.audit_broken.store(true, Ordering::Relaxed);
    for uri in all() {
        let answer = read(&world, &world.reader, &uri).await;
        assert_eq!(answer.0["error"]["code"], -32603, "{uri}");
    }
}

#[tokio::test]
async fn a_broken_store_is_an_incident() {
    let world = World::company().await;
    world.store.broken.store(true, Ordering::Relaxed);
    for uri in all() {
        let answer = read(&world, &world.reader, &uri).await;
        let text = answer.0["error"]["message"].as_str().unwrap();
        assert!(
            text.contains("incident") && !text.contains("fire"),
            "{uri}: {text}"
        );
    }
}

#[tokio::test]
async fn text_from_outside_stays_inside_json_strings() {
    let mut seen = 0;
    for hostile in HOSTILE {
        let world = World::with(&format!("{CANARY} {hostile} {CANARY}")).await;
        for uri in all() {
            let resource = contents(&world, &uri).await;
            seen += strings(&resource);
            let names = resource.to_string().matches(&format!("{CANARY}\":")).count();
            assert_eq!(names, 0, "no field's name comes from outside");
        }
        let listed = ask(&world, &world.reader, "resources/list", json!({})).await;
        assert!(!listed.0.to_string().contains(CANARY));
    }
    assert!(seen > 20 * 20, "{seen}");
}

/// The number of string values with the canary, none of which has a control character.
fn strings(value: &Value) -> usize {
    match value {
        Value::String(text) if text.contains(CANARY) => {
            let odd = |c: char| c.is_control() || ('\u{200b}'..='\u{202e}').contains(&c) || c >= '\u{e0000}';
            assert!(!text.contains(odd), "{text:?}");
            1
        }
        Value::Array(list) => list.iter().map(strings).sum(),
        Value::Object(map) => map.values().map(strings).sum(),
        _ => 0,
    }
}
