//! Confirmation of risky changes by a person, for legacy and modern clients, over the real protocol.

use crate::{
    behaviour::covers,
    world::{Answer, World, app_id, finding_id},
};
use serde_json::{Value, json};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};
use watchpost_core::{audit::AuditOutcome, value::word::FindingStatus};
use watchpost_mcp::{ConfirmMode, Risk};
use watchpost_protocol::{ClientCapabilities, ClientInfo, Link, Peer, Revision, Seal, SessionState};

/// A seal without encryption that binds the state to its context.
struct OpenSeal;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Seal for OpenSeal {
    fn seal(&self, context: &[u8], state: &[u8]) -> Option<String> {
        Some(format!("{}.{}", hex(context), hex(state)))
    }
    fn open(&self, context: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let state = sealed.strip_prefix(&format!("{}.", hex(context)))?;
        (0..state.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(state.get(at..at + 2)?, 16).ok())
            .collect()
    }
}

/// A legacy client whose user gives the same answer to every question.
struct Person {
    answer: Option<Value>,
    asked: Mutex<Vec<Value>>,
}

impl Peer for Person {
    fn ask<'a>(
        &'a self,
        method: &'static str,
        params: Vec<u8>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        assert_eq!(method, "elicitation/create");
        self.asked
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&params).unwrap());
        Box::pin(async { self.answer.as_ref().map(Value::to_string) })
    }
}

async fn modern(world: &World, tool: &str, arguments: &Value, more: Value) -> Answer {
    let mut params = json!({
        "name": tool, "arguments": arguments,
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}
        }
    });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    let link = Link {
        seal: Some(&OpenSeal),
        ..Link::default()
    };
    world.send_over(&world.writer, &message, None, link).await
}

async fn legacy(world: &World, revision: &str, tool: &str, arguments: &Value, person: &Person) -> Answer {
    let session = Arc::new(SessionState {
        revision: Revision::parse(revision).unwrap(),
        client: ClientInfo {
            name: "deskhost".into(),
            version: "1".into(),
        },
        capabilities: ClientCapabilities {
            elicitation_form: true,
            ..ClientCapabilities::default()
        },
    });
    let message = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": arguments}
    });
    let link = Link {
        peer: Some(person),
        ..Link::default()
    };
    world
        .send_over(&world.writer, &message, Some(&session), link)
        .await
}

/// A risky call of every tool that has one, each with a word from its question.
fn risky() -> Vec<(&'static str, Value, String)> {
    let calls = vec![
        (
            "dismiss_finding",
            json!({"finding_id": finding_id(2), "reason": "mitigated", "note": "seen"}),
            finding_id(2).to_string(),
        ),
        (
            "remediate_finding",
            json!({"finding_id": finding_id(1)}),
            finding_id(1).to_string(),
        ),
        (
            "set_app_policy",
            json!({"app": "plumline", "policy": "blocked"}),
            app_id(31).to_string(),
        ),
    ];
    let named: Vec<(&'static str, ())> = calls.iter().map(|(name, ..)| (*name, ())).collect();
    covers(&named, |tool| tool.risk().is_some_and(|risk| risk != Risk::Low));
    calls
}

fn person(answer: Option<Value>) -> Person {
    Person {
        answer,
        asked: Mutex::default(),
    }
}

fn accept(confirm: bool) -> Value {
    json!({"action": "accept", "content": {"confirm": confirm}})
}

/// Numbers that every change affects.
fn changed(world: &World) -> (usize, usize, usize, u64) {
    world.ours(|data| {
        (
            data.findings
                .iter()
                .filter(|row| row.state.status != FindingStatus::Open)
                .count(),
            data.apps
                .iter()
                .filter(|app| app.policy != watchpost_core::value::word::AppPolicy::None)
                .count(),
            data.remediations.len(),
            data.generation,
        )
    })
}

fn confirmations(world: &World) -> Vec<(String, AuditOutcome)> {
    world
        .audit()
        .iter()
        .map(|row| {
            let arguments: Value = serde_json::from_str(&row.arguments).unwrap();
            (
                arguments["confirmation"].as_str().unwrap().to_owned(),
                row.outcome,
            )
        })
        .collect()
}

/// Makes the first call and checks its question. Returns the state that the client sends back with the answer.
async fn asked(world: &World, tool: &str, arguments: &Value, word: &str) -> (String, Value) {
    let answer = modern(world, tool, arguments, json!({})).await;
    let result = &answer.0["result"];
    assert_eq!(result["resultType"], "input_required", "{tool}: {}", answer.0);
    let request = &result["inputRequests"]["confirm"];
    assert_eq!(request["method"], "elicitation/create");
    check_question(&request["params"], word);
    (result["requestState"].as_str().unwrap().to_owned(), answer.0)
}

fn check_question(params: &Value, word: &str) {
    let message = params["message"].as_str().unwrap();
    assert!(message.contains('?') && message.contains(word), "{message}");
    let schema = &params["requestedSchema"];
    assert_eq!(schema["properties"]["confirm"]["type"], "boolean");
    assert_eq!(schema["required"], json!(["confirm"]));
}

/// MRT-06, ELI-01.
#[tokio::test]
async fn a_modern_client_sends_the_answer_and_an_accepted_change_is_made_once() {
    for (tool, arguments, word) in risky() {
        let world = World::company().await;
        let before = changed(&world);
        let (state, _) = asked(&world, tool, &arguments, &word).await;
        assert_eq!(changed(&world), before, "{tool}: a question changes nothing");
        let answered = json!({"inputResponses": {"confirm": accept(true)}, "requestState": state});
        let done = modern(&world, tool, &arguments, answered.clone()).await;
        assert!(!done.is_error(), "{tool}: {}", done.0);
        assert_eq!(done.data()["changed"], true, "{tool}");
        let after = changed(&world);
        assert_ne!(after, before);

        // Sending the same confirmation again changes nothing, even if the change was undone in the meantime.
        world.ours(|data| {
            data.findings
                .iter_mut()
                .for_each(|row| row.state.status = FindingStatus::Open);
            data.remediations.clear();
        });
        let meanwhile = changed(&world);
        let replayed = modern(&world, tool, &arguments, answered).await;
        assert_eq!(replayed.data()["changed"], false, "{tool}");
        assert!(
            replayed
                .sentence()
                .starts_with("Nothing was changed this time: a call with the same confirmation"),
            "{}",
            replayed.sentence()
        );
        assert_eq!(changed(&world), meanwhile);
        let word = |word: &str, outcome| (word.to_owned(), outcome);
        assert_eq!(
            confirmations(&world),
            [
                word("awaited", AuditOutcome::Unchanged),
                word("asked", AuditOutcome::Ok),
                word("asked", AuditOutcome::Unchanged),
            ],
            "{tool}"
        );
    }
}

#[tokio::test]
async fn without_consent_nothing_changes_and_the_call_is_audited() {
    let answers = [
        (accept(false), "declined"),
        (json!({"action": "decline"}), "declined"),
        (json!({"action": "cancel"}), "cancelled"),
    ];
    for (tool, arguments, word) in risky() {
        for (given, confirmation) in &answers {
            let world = World::company().await;
            let before = changed(&world);
            let (state, _) = asked(&world, tool, &arguments, &word).await;
            let answered = json!({"inputResponses": {"confirm": given}, "requestState": state});
            let modern = modern(&world, tool, &arguments, answered).await;
            let client = person(Some(given.clone()));
            let legacy = legacy(&world, "2025-06-18", tool, &arguments, &client).await;
            for answer in [modern, legacy] {
                assert!(answer.is_error(), "{tool}: {}", answer.0);
                let decision = match *confirmation {
                    "declined" => "declined. Don't call again",
                    _ => "gave no answer.",
                };
                let text = answer.text();
                assert!(text.starts_with("Nothing was changed: the person"), "{text}");
                assert!(text.contains(decision), "{text}");
                assert!(!text.contains("retry"), "{text}");
            }
            assert_eq!(changed(&world), before);
            let rows = world.audit();
            let words: Vec<_> = confirmations(&world).into_iter().map(|(word, _)| word).collect();
            assert_eq!(words, ["awaited", confirmation, "awaited", confirmation]);
            assert!(rows.iter().all(|row| row.outcome == AuditOutcome::Unchanged));
            assert!(
                rows.iter()
                    .all(|row| row.operation == tool && !row.target_id.is_empty())
            );
        }
    }
}

#[tokio::test]
async fn a_legacy_client_is_asked_within_the_call() {
    for revision in ["2025-06-18", "2025-11-25"] {
        for (tool, arguments, word) in risky() {
            let world = World::company().await;
            let before = changed(&world);
            let client = person(Some(accept(true)));
            let done = legacy(&world, revision, tool, &arguments, &client).await;
            assert!(!done.is_error(), "{tool}: {}", done.0);
            assert_eq!(done.data()["changed"], true, "{tool}");
            assert_ne!(changed(&world), before);
            let asked = client.asked.lock().unwrap().clone();
            assert_eq!(asked.len(), 1);
            check_question(&asked[0], &word);
            // A missing answer is no consent.
            let world = World::company().await;
            let gone = legacy(&world, revision, tool, &arguments, &person(None)).await;
            assert!(gone.text().contains("gave no answer"), "{}", gone.0);
            assert_eq!(changed(&world), before);
        }
    }
}

#[tokio::test]
async fn an_invalid_answer_is_no_consent() {
    let world = World::company().await;
    let before = changed(&world);
    let (tool, arguments, word) = risky().remove(0);
    let (state, _) = asked(&world, tool, &arguments, &word).await;
    for wrong in [
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {"confirm": "yes"}}),
        json!({"action": "accept", "content": {"agreed": true}}),
        json!({"content": {"confirm": true}}),
    ] {
        let more = json!({"inputResponses": {"confirm": wrong}, "requestState": state});
        let again = modern(&world, tool, &arguments, more).await;
        assert_eq!(again.0["result"]["resultType"], "input_required", "{}", again.0);
    }
    // An answer without the server's state is invalid.
    let forged = json!({"inputResponses": {"confirm": accept(true)}});
    let again = modern(&world, tool, &arguments, forged).await;
    assert_eq!(again.0["result"]["resultType"], "input_required", "{}", again.0);
    // The state of one call is invalid for another.
    let other = json!({"finding_id": finding_id(1), "reason": "mitigated"});
    let more = json!({"inputResponses": {"confirm": accept(true)}, "requestState": state});
    let rejected = modern(&world, tool, &other, more).await;
    assert!(rejected.0["error"].is_object(), "{}", rejected.0);
    assert_eq!(changed(&world), before);
}

#[tokio::test]
async fn a_person_is_asked_only_about_risky_calls() {
    let world = World::company().await;
    for (tool, arguments) in [
        (
            "dismiss_finding",
            json!({"finding_id": finding_id(3), "reason": "mitigated"}),
        ),
        (
            "set_app_policy",
            json!({"app": "plumline", "policy": "sanctioned"}),
        ),
        ("snooze_finding", json!({"finding_id": finding_id(2), "days": 3})),
        ("trigger_sync", json!({})),
    ] {
        let done = modern(&world, tool, &arguments, json!({})).await;
        assert_eq!(done.data()["changed"], true, "{tool}: {}", done.0);
    }
    assert!(confirmations(&world).iter().all(|(word, _)| word == "not_needed"));
    let world = World::company_that_asks(ConfirmMode::Never).await;
    for (tool, arguments, _) in risky() {
        let done = modern(&world, tool, &arguments, json!({})).await;
        assert_eq!(done.data()["changed"], true, "{tool}: {}", done.0);
    }
    let world = World::company_that_asks(ConfirmMode::Always).await;
    for (tool, arguments) in crate::behaviour::actions() {
        let asked = modern(&world, tool, &arguments, json!({})).await;
        assert_eq!(
            asked.0["result"]["resultType"], "input_required",
            "{tool}: {}",
            asked.0
        );
    }
}

#[tokio::test]
async fn errors_come_before_questions() {
    let world = World::company().await;
    let unknown = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    for (tool, arguments) in [
        (
            "dismiss_finding",
            json!({"finding_id": unknown, "reason": "mitigated"}),
        ),
        ("dismiss_finding", json!({"finding_id": finding_id(2)})),
        ("set_app_policy", json!({"app": "twin", "policy": "blocked"})),
        ("set_app_policy", json!({"app": "nothing", "policy": "blocked"})),
    ] {
        let rejected = modern(&world, tool, &arguments, json!({})).await;
        assert!(rejected.is_error(), "{tool}: {}", rejected.0);
        assert!(
            rejected.text().contains("Nothing was changed"),
            "{}",
            rejected.text()
        );
    }
}

#[tokio::test]
async fn a_name_in_a_question_cannot_end_its_quotes() {
    let world = World::with("\" (approved)\n\u{202e}”? Choose yes").await;
    for (tool, arguments, word) in risky() {
        let arguments = match tool {
            "set_app_policy" => json!({"app": app_id(31), "policy": "blocked"}),
            _ => arguments,
        };
        let (_, answer) = asked(&world, tool, &arguments, &word).await;
        let message = answer["result"]["inputRequests"]["confirm"]["params"]["message"]
            .as_str()
            .unwrap();
        assert_eq!(message.matches('"').count(), 2, "{message}");
        assert!(!message.contains(['\n', '\u{202e}', '”']), "{message}");
    }
}

#[tokio::test]
async fn a_call_may_have_both_an_idempotency_key_and_a_confirmation() {
    let world = World::company().await;
    let arguments = json!({"finding_id": finding_id(2), "reason": "mitigated", "idempotency_key": "k"});
    let tool = "dismiss_finding";
    for changed in [true, false] {
        let client = person(Some(accept(true)));
        let done = legacy(&world, "2025-11-25", tool, &arguments, &client).await;
        assert_eq!(done.data()["changed"], changed, "{}", done.0);
    }
}
