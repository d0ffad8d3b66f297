//! Completion, and the fake's port for it.

use crate::{
    store::Fake,
    world::{Answer, World, app_id, finding_id},
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};
use watchpost_core::{
    access::WorkspaceScope,
    audit::AuditOutcome,
    error::StoreError,
    port::completion::{CompletionStore, Completions, StoredCompletion},
};

#[async_trait]
impl CompletionStore for Fake {
    async fn complete(
        &self,
        scope: &WorkspaceScope,
        what: &StoredCompletion,
    ) -> Result<Completions, StoreError> {
        self.read(scope, |data| {
            let within = |id: &[u8; 16], of: &watchpost_core::port::completion::IdPrefix| {
                *id >= of.from && *id <= of.to
            };
            let values = match what {
                StoredCompletion::Findings(of) => data
                    .findings
                    .iter()
                    .filter(|row| within(row.summary.id.as_bytes(), of))
                    .map(|row| row.summary.id.to_string())
                    .collect(),
                StoredCompletion::Apps(of) => data
                    .apps
                    .iter()
                    .filter(|app| within(app.id.as_bytes(), of))
                    .map(|app| app.id.to_string())
                    .collect(),
                StoredCompletion::Scans(_) => Vec::new(),
                StoredCompletion::AppNames(prefix) => data
                    .apps
                    .iter()
                    .map(|app| app.name.untrusted().to_owned())
                    .filter(|name| name.to_lowercase().starts_with(prefix))
                    .collect(),
                StoredCompletion::Addresses(prefix) => data
                    .identities
                    .iter()
                    .flat_map(|identity| &identity.emails)
                    .filter(|email| email.starts_with(prefix))
                    .cloned()
                    .collect(),
            };
            Completions::of(values)
        })
    }
}

async fn ask(world: &World, scope: &Arc<WorkspaceScope>, of: Value, argument: &str, typed: &str) -> Answer {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "completion/complete",
        "params": {
            "ref": of,
            "argument": {"name": argument, "value": typed},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}
            }
        }
    });
    world.send(scope, &message).await
}

fn prompt(name: &str) -> Value {
    json!({"type": "ref/prompt", "name": name})
}

fn template(uri: &str) -> Value {
    json!({"type": "ref/resource", "uri": uri})
}

async fn values(
    world: &World,
    scope: &Arc<WorkspaceScope>,
    of: Value,
    argument: &str,
    typed: &str,
) -> Vec<String> {
    let answer = ask(world, scope, of, argument, typed).await;
    let completion = &answer.0["result"]["completion"];
    let values = completion["values"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", answer.0));
    assert_eq!(completion["hasMore"], false, "{}", answer.0);
    values
        .iter()
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

const REPORTS: &str = "watchpost://reports/{scan_id}-{kind}.{ending}{?framework*,service*,compare_with}";

#[tokio::test]
async fn arguments_of_prompts_and_variables_of_templates_are_completed() {
    let world = World::company().await;
    let at = &world.reader;
    let person = || prompt("investigate_person");
    assert_eq!(
        values(&world, at, person(), "email", "Mar").await,
        ["mara.holt@birchworks.example"]
    );
    assert_eq!(
        values(
            &world,
            at,
            template("watchpost://identities/{email}"),
            "email",
            "mh@"
        )
        .await,
        ["mh@birchworks.example"]
    );
    assert_eq!(
        values(&world, at, prompt("review_app"), "app", "plu").await,
        ["Plumline"]
    );
    let id = app_id(31).to_string();
    assert_eq!(
        values(&world, at, prompt("review_app"), "app", &id[..10]).await,
        std::slice::from_ref(&id)
    );
    let found = values(&world, at, template("watchpost://apps/{id}"), "id", "").await;
    assert_eq!(found.len(), 3);
    let finding = finding_id(2).to_string();
    let findings = || template("watchpost://findings/{id}");
    assert_eq!(
        values(&world, at, findings(), "id", &finding[..8]).await,
        std::slice::from_ref(&finding)
    );
    // Without input, the worst finding comes first.
    let all = values(&world, at, findings(), "id", "").await;
    assert_eq!((all.len(), &all[0]), (4, &finding));
    assert_eq!(
        values(&world, at, template("watchpost://rules/{id}"), "id", "admin").await,
        ["id.admin_no_mfa"]
    );
    assert_eq!(
        values(
            &world,
            at,
            prompt("triage_critical_findings"),
            "category",
            "access"
        )
        .await,
        ["access_hygiene", "access_risk"]
    );
    assert_eq!(
        values(&world, at, prompt("posture_review"), "framework", "nist")
            .await
            .len(),
        2
    );
    assert_eq!(
        values(&world, at, template(REPORTS), "kind", "").await,
        ["executive", "framework", "evidence"]
    );
    assert_eq!(
        values(&world, at, template(REPORTS), "ending", "ocsf").await,
        ["ocsf.jsonl"]
    );
    assert!(
        values(&world, at, template("watchpost://scans/{id}"), "id", "0")
            .await
            .is_empty()
    );
}

/// CMP-04.
#[tokio::test]
async fn addresses_are_completed_from_three_characters_on() {
    let world = World::company().await;
    for typed in ["", "m", "ma", " m ", "m  "] {
        let found = values(&world, &world.reader, prompt("offboarding_proof"), "email", typed).await;
        assert!(found.is_empty(), "{typed:?}: {found:?}");
    }
    assert_eq!(
        values(&world, &world.reader, prompt("offboarding_proof"), "email", "mar")
            .await
            .len(),
        1
    );
}

/// CMP-04.
#[tokio::test]
async fn completions_are_limited_to_the_callers_workspace() {
    let world = World::company().await;
    for (of, argument, typed) in [
        (prompt("investigate_person"), "email", "mara".to_owned()),
        (prompt("review_app"), "app", "plu".into()),
        (template("watchpost://apps/{id}"), "id", String::new()),
        (template("watchpost://findings/{id}"), "id", String::new()),
        (
            template("watchpost://findings/{id}"),
            "id",
            finding_id(1).to_string(),
        ),
    ] {
        assert!(
            !values(&world, &world.reader, of.clone(), argument, &typed)
                .await
                .is_empty()
        );
        let found = values(&world, &world.stranger, of, argument, &typed).await;
        assert!(found.is_empty(), "{argument} {typed}: {found:?}");
    }
}

#[tokio::test]
async fn unknown_arguments_are_errors_and_each_request_has_an_audit_entry() {
    let world = World::company().await;
    for (of, argument) in [
        (prompt("no_such_prompt"), "email"),
        (prompt("investigate_person"), "app"),
        (prompt("what_changed_this_week"), "email"),
        (template("watchpost://nothing/{id}"), "id"),
        (template("watchpost://posture"), "id"),
        (template("watchpost://findings/{id}"), "email"),
    ] {
        let answer = ask(&world, &world.reader, of, argument, "x").await;
        assert_eq!(answer.0["error"]["code"], -32602, "{}", answer.0);
    }
    for typed in [
        "%",
        "_",
        "*",
        "'; DROP TABLE apps; --",
        "\u{0}",
        &"m".repeat(4_000),
    ] {
        for argument in [("review_app", "app"), ("investigate_person", "email")] {
            let found = values(&world, &world.reader, prompt(argument.0), argument.1, typed).await;
            assert!(found.is_empty(), "{typed}");
        }
    }
    let rows = world.audit();
    assert_eq!(rows.len(), 6 + 12);
    for (place, row) in rows.iter().enumerate() {
        let expected = if place < 6 {
            AuditOutcome::NotFound
        } else {
            AuditOutcome::Ok
        };
        assert_eq!((row.action.as_ref(), row.outcome), ("completion", expected));
        assert!(!row.arguments.contains("DROP"), "{}", row.arguments);
    }
    world.store.audit_broken.store(true, Ordering::Relaxed);
    let answer = ask(&world, &world.reader, prompt("review_app"), "app", "plu").await;
    assert_eq!(answer.0["error"]["code"], -32603);
}
