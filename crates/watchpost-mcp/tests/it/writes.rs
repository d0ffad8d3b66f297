//! Repeated calls of write tools, and the advice on retrying in their errors.

use crate::{
    behaviour::actions,
    world::{Answer, World, app_id, finding_id},
};
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};
use watchpost_core::{access::WorkspaceScope, audit::AuditOutcome, value::word::FindingStatus};
use watchpost_mcp::ConfirmMode;

fn with(mut arguments: Value, name: &str, value: &str) -> Value {
    arguments[name] = value.into();
    arguments
}

/// The advice of an error on a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Advice {
    /// A retry is safe and can succeed.
    Safe,
    /// Nothing was changed, and a retry fails again.
    Refused,
    /// A retry could make the change twice.
    Unsafe,
}

/// Makes a call that must fail. Returns the error's text and what it says about a retry.
async fn rejected(
    world: &World,
    scope: &Arc<WorkspaceScope>,
    tool: &str,
    arguments: Value,
) -> (String, Advice) {
    let answer = world.call(scope, tool, arguments).await;
    check_error(tool, &answer)
}

fn check_error(tool: &str, answer: &Answer) -> (String, Advice) {
    assert!(answer.is_error(), "{tool}: {}", answer.0);
    // It would not conform to the tool's output schema.
    assert!(
        answer.0["result"].get("structuredContent").is_none(),
        "{tool}: {}",
        answer.0
    );
    let text = answer.text();
    let found: Vec<Advice> = [
        ("Safe to retry: yes, ", Advice::Safe),
        (
            "Nothing was changed, and the same call fails again until the cause is removed.",
            Advice::Refused,
        ),
        ("Safe to retry: no, ", Advice::Unsafe),
    ]
    .into_iter()
    .flat_map(|(words, advice)| text.matches(words).map(move |_| advice))
    .collect();
    assert_eq!(text.lines().count(), 1, "{tool}: {text}");
    let [advice] = found[..] else {
        panic!("{tool}: one piece of advice is expected: {text}");
    };
    (text.to_owned(), advice)
}

#[tokio::test]
async fn a_repeat_with_the_same_key_changes_nothing_and_returns_the_first_result() {
    let world = World::company().await;
    for (tool, arguments) in actions() {
        let keyed = with(arguments.clone(), "idempotency_key", "one-and-only/1");
        let first = world.ok(&world.writer, tool, keyed.clone()).await;
        assert_eq!(first.data()["changed"], true, "{tool}");
        assert!(!first.sentence().contains("Nothing was changed"), "{tool}");
        // In the meantime, the first change is undone.
        world.ours(|data| {
            for row in &mut data.findings {
                row.state.status = FindingStatus::Open;
            }
            for app in &mut data.apps {
                app.policy = watchpost_core::value::word::AppPolicy::Sanctioned;
            }
            data.jobs.clear();
            data.remediations.clear();
        });
        let again = world.ok(&world.writer, tool, keyed.clone()).await;
        assert_eq!(again.data()["changed"], false, "{tool}");
        let sentence = again.sentence();
        assert!(
            sentence.starts_with("Nothing was changed this time: a call with the same idempotency_key"),
            "{tool}: {sentence}"
        );
        world.ours(|data| {
            assert!(
                data.findings
                    .iter()
                    .all(|row| row.state.status == FindingStatus::Open)
            );
            assert!(data.jobs.is_empty() && data.remediations.is_empty(), "{tool}");
        });
        let mut first = first.data().clone();
        first["changed"] = false.into();
        assert_eq!(&first, again.data(), "{tool}");

        let rows = world.audit();
        let (made, repeat) = (&rows[rows.len() - 2], &rows[rows.len() - 1]);
        assert_eq!(
            (made.outcome, repeat.outcome),
            (AuditOutcome::Ok, AuditOutcome::Unchanged)
        );
        assert_eq!(made.arguments, repeat.arguments);
        assert!(
            made.arguments.contains(r#""idempotency_key":"hmac:"#),
            "{}",
            made.arguments
        );
        assert!(!made.arguments.contains("one-and-only"), "{}", made.arguments);
    }
}

#[tokio::test]
async fn a_key_is_valid_for_one_set_of_arguments_of_one_tool_of_one_caller() {
    let world = World::company().await;
    let snooze = |days: i64| json!({"finding_id": finding_id(1), "days": days, "idempotency_key": "k"});
    world.ok(&world.writer, "snooze_finding", snooze(3)).await;
    let (text, advice) = rejected(&world, &world.writer, "snooze_finding", snooze(4)).await;
    assert!(
        advice == Advice::Refused && text.contains("`idempotency_key`") && text.contains("other arguments"),
        "{text}"
    );
    let row = world.audit().pop().unwrap();
    assert_eq!(
        (row.outcome, &*row.operation),
        (AuditOutcome::Invalid, "snooze_finding")
    );
    // Each tool has its own keys.
    let policy = |word: &str| json!({"app": app_id(31), "policy": word, "idempotency_key": "k"});
    world
        .ok(
            &world.writer,
            "set_app_policy",
            with(policy("blocked"), "policy", "blocked"),
        )
        .await;
    world
        .ok(&world.writer, "trigger_sync", json!({"idempotency_key": "k"}))
        .await;
    let note = json!({"finding_id": finding_id(1), "days": 3, "idempotency_key": "k", "note": "because"});
    let (text, _) = rejected(&world, &world.writer, "snooze_finding", note).await;
    assert!(text.contains("other arguments"), "{text}");
    // Each workspace has its own keys, so the error is that there is no such finding.
    let (text, _) = rejected(&world, &world.stranger, "snooze_finding", snooze(3)).await;
    assert!(text.contains("finding not found"), "{text}");
}

#[tokio::test]
async fn a_key_has_1_to_64_visible_ascii_characters() {
    let world = World::company().await;
    let long = "x".repeat(65);
    for (tool, arguments) in actions() {
        for bad in [" ", "a b", "a\n", "é", "\u{200b}", long.as_str()] {
            let bad = with(arguments.clone(), "idempotency_key", bad);
            let (text, advice) = rejected(&world, &world.writer, tool, bad).await;
            assert_eq!(advice, Advice::Refused, "{text}");
            assert!(
                text.starts_with("`idempotency_key` must be a string of 1 to 64 visible ASCII"),
                "{text}"
            );
        }
    }
    let most = json!({"idempotency_key": "~".repeat(64)});
    world.ok(&world.writer, "trigger_sync", most).await;
}

#[tokio::test]
async fn a_refusal_says_that_a_retry_fails_again() {
    let world = World::company().await;
    let unknown = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    world.ours(|data| {
        data.findings[0].state.status = FindingStatus::Resolved;
        data.findings[0].summary.status = FindingStatus::Resolved;
    });
    let closed = finding_id(1);
    let dismiss = |id: String| json!({"finding_id": id, "reason": "mitigated"});
    let snooze = |id: String, days: i64| json!({"finding_id": id, "days": days});
    let policy = |app: &str, policy: &str| json!({"app": app, "policy": policy});
    let twin = app_id(32).to_string();
    let cases = [
        // Wrong arguments.
        ("trigger_sync", json!({"platform": "fax"}), "`platform` must be"),
        ("trigger_sync", json!({"x": 1}), "unknown argument"),
        ("snooze_finding", json!({}), "`finding_id` is missing"),
        ("snooze_finding", snooze(unknown.into(), 91), "`days` must be"),
        ("dismiss_finding", dismiss("x".into()), "`finding_id` must be"),
        ("set_app_policy", policy("x", "great"), "`policy` must be"),
        // The target does not exist.
        ("snooze_finding", snooze(unknown.into(), 3), "finding not found"),
        ("dismiss_finding", dismiss(unknown.into()), "finding not found"),
        ("remediate_finding", json!({"finding_id": unknown}), "not found"),
        (
            "set_app_policy",
            policy("nothing like it", "blocked"),
            "app not found",
        ),
        // The target's state forbids the change.
        (
            "snooze_finding",
            snooze(closed.to_string(), 3),
            "the finding is resolved",
        ),
        (
            "dismiss_finding",
            dismiss(closed.to_string()),
            "the finding is resolved",
        ),
        (
            "remediate_finding",
            json!({"finding_id": closed}),
            "the finding is resolved",
        ),
        (
            "remediate_finding",
            json!({"finding_id": finding_id(3)}),
            "no action",
        ),
        ("set_app_policy", policy("Twin", "blocked"), &twin),
    ];
    for (tool, arguments, expected) in cases {
        let (text, advice) = rejected(&world, &world.writer, tool, arguments).await;
        assert!(text.contains(expected), "{tool}: {text}");
        assert_eq!(advice, Advice::Refused, "{tool}: {text}");
    }
    for (tool, arguments) in actions() {
        let (text, advice) = rejected(&world, &world.reader, tool, arguments.clone()).await;
        assert!(
            advice == Advice::Refused && text.starts_with("Write scope required"),
            "{text}"
        );
        world.store.audit_broken.store(true, Ordering::Relaxed);
        for scope in [&world.reader, &world.writer] {
            let (text, advice) = rejected(&world, scope, tool, arguments.clone()).await;
            assert!(
                advice == Advice::Safe && text.contains("audit log can't be written"),
                "{tool}: {text}"
            );
        }
        world.store.audit_broken.store(false, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_store_failure_before_the_change_is_safe_to_retry() {
    let world = World::company().await;
    world.store.broken.store(true, Ordering::Relaxed);
    for (tool, arguments) in actions() {
        // The fake's reads fail, so a tool with a preview never reaches the change.
        if ["dismiss_finding", "remediate_finding", "set_app_policy"].contains(&tool) {
            let (text, advice) = rejected(&world, &world.writer, tool, arguments).await;
            assert_eq!(advice, Advice::Safe, "{tool}: {text}");
            assert!(
                text.contains("incident") && !text.contains("fire"),
                "{tool}: {text}"
            );
            assert_eq!(world.audit().last().unwrap().outcome, AuditOutcome::Error);
        }
    }
}

#[tokio::test]
async fn a_change_that_the_store_cannot_take_is_not_made_and_is_safe_to_retry() {
    let world = World::company().await;
    world.store.full.store(true, Ordering::Relaxed);
    let generation = world.ours(|data| data.generation);
    for (tool, arguments) in actions() {
        let (text, advice) = rejected(&world, &world.writer, tool, arguments.clone()).await;
        assert!(
            advice == Advice::Safe
                && text.contains("nothing was changed")
                && !text.contains("incident")
                && !text.contains("disk full"),
            "{tool}: {text}"
        );
        // The client of the stateless revision reads the error by the status, and a legacy client a tool error.
        let (status, answer) = world.call_over_http(&world.writer, tool, arguments).await;
        assert_eq!(status, 503, "{tool}");
        assert_eq!(
            answer.0["error"]["message"].as_str(),
            Some(text.as_str()),
            "{tool}"
        );
        assert_eq!(world.audit().last().unwrap().outcome, AuditOutcome::Error);
    }
    assert_eq!(world.ours(|data| data.generation), generation);
}

#[tokio::test]
async fn whether_a_lost_change_is_safe_to_retry_depends_on_its_key() {
    for (tool, arguments) in actions() {
        let world = World::company().await;
        world.store.answers_lost.store(true, Ordering::Relaxed);
        let keyed = with(arguments.clone(), "idempotency_key", "k");
        let (text, advice) = rejected(&world, &world.writer, tool, keyed.clone()).await;
        assert!(
            advice == Advice::Safe && text.contains("with the same idempotency_key"),
            "{tool}: {text}"
        );
        assert!(
            text.contains("not known whether") && !text.contains("went away"),
            "{tool}: {text}"
        );
        world.store.answers_lost.store(false, Ordering::Relaxed);
        let generation = world.ours(|data| data.generation);
        let again = world.ok(&world.writer, tool, keyed).await;
        assert!(
            again.sentence().starts_with("Nothing was changed this time"),
            "{tool}"
        );
        assert_eq!(world.ours(|data| data.generation), generation, "{tool}");

        let world = World::company().await;
        world.store.answers_lost.store(true, Ordering::Relaxed);
        let (text, advice) = rejected(&world, &world.writer, tool, arguments).await;
        assert!(
            advice == Advice::Unsafe && text.contains("it isn't known whether"),
            "{tool}: {text}"
        );
    }
}

#[tokio::test]
async fn the_audit_entry_of_a_change_has_its_confirmation() {
    let confirmations = async |mode: ConfirmMode| {
        let world = World::company_that_asks(mode).await;
        for (tool, arguments) in actions() {
            world.ok(&world.writer, tool, arguments).await;
        }
        let mut found: Vec<(String, String)> = world
            .audit()
            .iter()
            .map(|row| {
                let arguments: Value = serde_json::from_str(&row.arguments).unwrap();
                let word = arguments["confirmation"].as_str().unwrap().to_owned();
                (row.operation.to_string(), word)
            })
            .collect();
        found.sort();
        found
    };
    // The dismissed finding has a low severity, and the new policy is `blocked`.
    let risky = ["remediate_finding", "set_app_policy"];
    let expected = |asks: &dyn Fn(&str) -> bool| {
        let mut words: Vec<(String, String)> = actions()
            .into_iter()
            .map(|(tool, _)| {
                let word = if asks(tool) { "nobody_asked" } else { "not_needed" };
                (tool.to_owned(), word.to_owned())
            })
            .collect();
        words.sort();
        words
    };
    assert_eq!(confirmations(ConfirmMode::Never).await, expected(&|_| false));
    assert_eq!(
        confirmations(ConfirmMode::Risky).await,
        expected(&|tool| risky.contains(&tool))
    );
    assert_eq!(confirmations(ConfirmMode::Always).await, expected(&|_| true));
    let world = World::company().await;
    let critical = json!({"finding_id": finding_id(2), "reason": "mitigated"});
    world.ok(&world.writer, "dismiss_finding", critical).await;
    let row = world.audit().pop().unwrap();
    assert!(
        row.arguments.contains(r#""confirmation":"nobody_asked""#),
        "{}",
        row.arguments
    );
}
