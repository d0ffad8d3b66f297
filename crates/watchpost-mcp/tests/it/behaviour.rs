//! The answers of the tools.

use crate::world::{World, app_id, failing, finding_id, now};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use watchpost_core::{
    audit::AuditOutcome,
    integration::fact::Dataset,
    value::word::{CollectionState, FindingStatus, Platform},
};
use watchpost_mcp::tools::{TOOLS, ToolEntry};

#[tokio::test]
async fn the_risk_score_comes_with_an_explanation() {
    let world = World::company().await;
    let answer = world.ok(&world.reader, "get_risk_score", json!({})).await;
    insta::assert_snapshot!(answer.sentence(), @"The risk score is 9 of 100 (higher is worse): High, grade D because of an open critical finding; open findings: 2 critical, 1 high, 0 medium, 1 low, 0 info. As of 2026-03-01T06:00:00Z.");
    insta::assert_json_snapshot!(answer.data());
}

#[tokio::test]
async fn without_data_there_is_no_score() {
    for (expected, world) in [
        ("not_connected", World::empty().await),
        ("waiting_for_first_sync", {
            let world = World::company().await;
            world.ours(|data| data.latest = None);
            world
        }),
        ("failed", {
            let world = World::company().await;
            world.ours(|data| {
                data.integrations = vec![failing(11, Platform::Okta)];
                data.latest = None;
            });
            world
        }),
    ] {
        let score = world.ok(&world.reader, "get_risk_score", json!({})).await;
        assert_eq!(score.data()["state"], expected);
        assert!(
            score.data()["next_step"]
                .as_str()
                .unwrap()
                .contains("`watchpost "),
            "{expected}"
        );
        for absent in ["score", "grade", "label", "severity_counts"] {
            assert!(score.data().get(absent).is_none(), "{expected} {absent}");
        }
        let summary = world.ok(&world.reader, "get_posture_summary", json!({})).await;
        assert_eq!(summary.data()["state"], expected);
        assert!(summary.data().get("metrics").is_none(), "{expected}");
        assert!(
            summary.data()["summary"]
                .as_str()
                .unwrap()
                .contains("no score and no grade")
        );
    }
}

#[tokio::test]
async fn the_summary_omits_unknown_numbers() {
    let world = World::company().await;
    let answer = world.ok(&world.reader, "get_posture_summary", json!({})).await;
    insta::assert_json_snapshot!(answer.data());
    assert!(answer.data()["metrics"].get("sso_coverage_pct").is_none());
}

#[tokio::test]
async fn every_answer_warns_of_stale_and_failing_integrations() {
    let world = World::company().await;
    world.ours(|data| {
        data.integrations[0].last_completed_at = Some(now().plus_hours(-11));
        data.integrations[1] = failing(12, Platform::Okta);
    });
    for (tool, arguments) in queries() {
        let answer = world.ok(&world.reader, tool, arguments).await;
        assert_eq!(answer.data()["as_of"], "2026-03-01T06:00:00Z", "{tool}");
        let warnings = answer.data()["warnings"].to_string();
        assert!(warnings.contains("more than 10 hours ago"), "{tool}: {warnings}");
        assert!(warnings.contains("refused the credentials"), "{tool}: {warnings}");
        assert!(
            answer.sentence().contains("2 warnings"),
            "{tool}: {}",
            answer.sentence()
        );
    }
}

/// A call of every query whose answer has the age of the data.
pub(crate) fn queries() -> Vec<(&'static str, Value)> {
    let calls = vec![
        ("get_risk_score", json!({})),
        ("get_posture_summary", json!({})),
        ("list_findings", json!({})),
        ("get_finding", json!({"finding_id": finding_id(2)})),
        (
            "lookup_identity",
            json!({"email": "mara.holt@birchworks.example"}),
        ),
        ("get_integrations", json!({})),
        ("list_rules", json!({})),
        ("check_app_policy", json!({"app": app_id(31).to_string()})),
    ];
    let is_dated = |tool: &ToolEntry| !tool.output_schema()["properties"]["as_of"].is_null();
    covers(&calls, |tool| tool.is_query() && is_dated(tool));
    calls
}

/// A call of every write tool that changes something.
pub(crate) fn actions() -> Vec<(&'static str, Value)> {
    let calls = vec![
        ("trigger_sync", json!({})),
        ("snooze_finding", json!({"finding_id": finding_id(1), "days": 7})),
        (
            "dismiss_finding",
            json!({"finding_id": finding_id(3), "reason": "accepted_risk"}),
        ),
        ("remediate_finding", json!({"finding_id": finding_id(2)})),
        (
            "set_app_policy",
            json!({"app": app_id(31).to_string(), "policy": "blocked"}),
        ),
    ];
    covers(&calls, ToolEntry::takes_write_key);
    calls
}

/// Asserts that the calls of a test include every tool of a kind.
pub(crate) fn covers<T>(calls: &[(&'static str, T)], of_kind: impl Fn(&ToolEntry) -> bool) {
    let called: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).collect();
    let kind: BTreeSet<&str> = TOOLS
        .iter()
        .filter(|tool| of_kind(tool))
        .map(|tool| tool.declaration.name)
        .collect();
    assert_eq!(called, kind);
}

#[tokio::test]
async fn findings_are_filtered_counted_and_paged() {
    let world = World::company().await;
    let check = async |arguments: Value, expected: &[u8]| {
        let answer = world.ok(&world.reader, "list_findings", arguments.clone()).await;
        let ids: Vec<&str> = answer.data()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["id"].as_str().unwrap())
            .collect();
        let expected: Vec<String> = expected.iter().map(|n| finding_id(*n).to_string()).collect();
        assert_eq!(ids, expected, "{arguments}");
        assert_eq!(answer.data()["returned"], ids.len(), "{arguments}");
        answer
    };
    let first = check(json!({}), &[2, 4, 1, 3]).await;
    insta::assert_json_snapshot!(first.data()["findings"][0]);
    check(json!({"severity": "critical"}), &[2, 4]).await;
    check(json!({"severity": ["high", "low"]}), &[1, 3]).await;
    check(json!({"category": "shadow_it"}), &[]).await;
    check(json!({"platform": ["okta"], "limit": 2.0}), &[2, 4]).await;
    check(json!({"platform": "m365"}), &[]).await;
    check(json!({"status": "snoozed"}), &[]).await;
    check(json!({"status": null, "text": "ADMIN"}), &[2, 4, 1, 3]).await;
    check(json!({"since": "2026-02-26"}), &[2, 1, 3]).await;
    check(
        json!({"since": "2026-02-27T07:00:00Z", "severity": "critical"}),
        &[2],
    )
    .await;
    check(json!({"since": 0}), &[]).await;
    check(json!({"since": "3650d", "entity": "plumline"}), &[2, 4, 1, 3]).await;
    check(json!({"entity": "Mara.Holt@Birchworks.example"}), &[2, 4, 1, 3]).await;
    check(json!({"entity": "plumline"}), &[2, 4, 1, 3]).await;
    check(json!({"entity": app_id(32).to_string()}), &[]).await;
    check(
        json!({"entity": world.ours(|data| data.integrations[0].id.to_string())}),
        &[],
    )
    .await;

    let page = check(json!({"limit": 3}), &[2, 4, 1]).await;
    assert_eq!(page.data()["total"], 4);
    let cursor = page.data()["next_cursor"].as_str().unwrap();
    let last = check(json!({"limit": 1, "cursor": cursor}), &[3]).await;
    assert!(last.data().get("next_cursor").is_none());
}

#[tokio::test]
async fn a_finding_is_explained_with_its_evidence_steps_and_saving() {
    let world = World::company().await;
    let answer = world
        .ok(&world.reader, "get_finding", json!({"finding_id": finding_id(2)}))
        .await;
    insta::assert_snapshot!(answer.sentence());
    insta::assert_json_snapshot!(answer.data());
    let dismissal = json!({"finding_id": finding_id(3), "reason": "accepted_risk"});
    world.ok(&world.writer, "dismiss_finding", dismissal).await;
    let closed = world
        .ok(&world.reader, "get_finding", json!({"finding_id": finding_id(3)}))
        .await;
    assert!(
        closed.data().get("saving").is_none(),
        "fixing it saves nothing more"
    );
    assert_eq!(closed.data()["status"], "dismissed");
    for (scope, id) in [
        (&world.stranger, finding_id(2).to_string()),
        (&world.reader, "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f".to_owned()),
    ] {
        let text = world
            .rejected(scope, "get_finding", json!({"finding_id": id}))
            .await;
        assert!(text.contains("finding not found"), "{text}");
    }
}

/// PAG-01.
#[tokio::test]
async fn a_cursor_is_valid_for_one_list_of_one_workspace() {
    let world = World::company().await;
    let page = world
        .ok(&world.reader, "list_findings", json!({"limit": 1}))
        .await;
    let cursor = page.data()["next_cursor"].as_str().unwrap().to_owned();
    let mut tampered = cursor.clone();
    tampered.replace_range(5..6, if &cursor[5..6] == "A" { "B" } else { "A" });
    for (scope, arguments) in [
        (&world.reader, json!({"cursor": tampered})),
        (&world.reader, json!({"cursor": "x"})),
        (&world.reader, json!({"cursor": format!("{cursor}A")})),
        (&world.reader, json!({"cursor": cursor, "severity": "critical"})),
        (&world.stranger, json!({"cursor": cursor})),
    ] {
        let text = world.rejected(scope, "list_findings", arguments.clone()).await;
        assert!(
            text.contains("`cursor` does not belong to this list"),
            "{arguments}: {text}"
        );
    }
    // The write key of the same workspace may use it.
    world
        .ok(&world.writer, "list_findings", json!({"cursor": cursor}))
        .await;
}

#[tokio::test]
async fn a_person_is_found_by_any_address_regardless_of_case() {
    let world = World::company().await;
    let answer = world
        .ok(
            &world.reader,
            "lookup_identity",
            json!({"email": " MARA.HOLT@Birchworks.Example "}),
        )
        .await;
    insta::assert_json_snapshot!(answer.data());
    let alias = world
        .ok(
            &world.reader,
            "lookup_identity",
            json!({"email": "mh@birchworks.example"}),
        )
        .await;
    assert_eq!(alias.data()["id"], answer.data()["id"]);
    let text = world
        .rejected(
            &world.reader,
            "lookup_identity",
            json!({"email": "nobody@birchworks.example"}),
        )
        .await;
    assert!(text.contains("not found"), "{text}");
    assert!(!text.contains("nobody"), "{text}");
}

#[tokio::test]
async fn a_person_is_found_by_the_display_name_or_the_name_that_an_address_begins_with() {
    let world = World::company().await;
    let whole = json!({"email": "mara.holt@birchworks.example"});
    let expected = world.ok(&world.reader, "lookup_identity", whole).await;
    for name in ["Mara Holt", " mara  HOLT ", "Holt, Mara", "mara.holt"] {
        let found = world
            .ok(&world.reader, "lookup_identity", json!({ "email": name }))
            .await;
        assert_eq!(found.data(), expected.data(), "{name}");
    }
    let stranger = world
        .rejected(
            &world.reader,
            "lookup_identity",
            json!({"email": "Xavier Nobody"}),
        )
        .await;
    assert!(stranger.contains("no person has this name"), "{stranger}");
    assert!(!stranger.contains("Xavier"), "{stranger}");
    // The display name is compared before the addresses.
    world.ours(|data| {
        data.identities[0].display_name = watchpost_core::value::text::ForeignText::name("Soraya Dunmore");
    });
    let renamed = world
        .ok(
            &world.reader,
            "lookup_identity",
            json!({"email": "Dunmore Soraya"}),
        )
        .await;
    assert_eq!(renamed.data()["email"], "mara.holt@birchworks.example");
    // A name of two people chooses neither, nor does a name that begins two addresses.
    world.ours(|data| {
        let mut other = data.identities[0].clone();
        other.emails = vec!["mara.other@birchworks.example".to_owned()];
        data.identities.push(other);
    });
    let several = world
        .rejected(
            &world.reader,
            "lookup_identity",
            json!({"email": "Soraya Dunmore"}),
        )
        .await;
    assert!(
        several.contains("2 people match this name: give the first"),
        "{several}"
    );
    assert!(!several.contains('@'), "{several}");
    let several = world
        .rejected(&world.reader, "lookup_identity", json!({"email": "Mara"}))
        .await;
    assert!(several.contains("2 addresses begin with this name"), "{several}");
    assert!(!several.contains("mara.other"), "{several}");
}

#[tokio::test]
async fn findings_are_listed_by_their_rule() {
    let world = World::company().await;
    let all = world
        .ok(&world.reader, "list_findings", json!({"limit": 100}))
        .await;
    let rows = all.data()["findings"].as_array().unwrap().clone();
    let rule = rows[0]["rule_id"].as_str().unwrap();
    let expected: Vec<_> = rows.iter().filter(|row| row["rule_id"] == rule).collect();
    let listed = world
        .ok(
            &world.reader,
            "list_findings",
            json!({"rule": rule.to_uppercase()}),
        )
        .await;
    assert_eq!(
        listed.data()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        expected
    );
    let none = world
        .ok(&world.reader, "list_findings", json!({"rule": "id.no_such"}))
        .await;
    assert_eq!(none.data()["total"], 0);
}

#[tokio::test]
async fn integrations_name_their_blind_rules() {
    let world = World::company().await;
    world.ours(|data| {
        let row = &mut data.integrations[1];
        let mfa = row
            .collections
            .iter_mut()
            .find(|row| row.dataset == Dataset::Mfa)
            .unwrap();
        mfa.state = CollectionState::Denied;
        mfa.detail = Some("okta.factors.read is missing".into());
    });
    let answer = world.ok(&world.reader, "get_integrations", json!({})).await;
    insta::assert_json_snapshot!(answer.data());
    let rules = world
        .ok(&world.reader, "list_rules", json!({"severity": "critical"}))
        .await;
    insta::assert_json_snapshot!(rules.data());
    assert_eq!(
        world
            .ok(&world.reader, "list_rules", json!({"severity": "low"}))
            .await
            .data()["total"],
        0
    );
    let empty = World::empty().await;
    let answer = empty.ok(&empty.reader, "get_integrations", json!({})).await;
    assert!(
        answer.sentence().contains("watchpost integrations add okta"),
        "{}",
        answer.sentence()
    );
}

#[tokio::test]
async fn an_app_is_looked_up_by_name_or_id() {
    let world = World::company().await;
    let one = world
        .ok(&world.reader, "check_app_policy", json!({"app": "PLUMLINE"}))
        .await;
    insta::assert_json_snapshot!(one.data());
    let unseen = world
        .ok(
            &world.reader,
            "check_app_policy",
            json!({"app": "Nobody Uses This"}),
        )
        .await;
    assert_eq!(unseen.data()["policy"], "none");
    assert_eq!(unseen.data()["seen"], false);
    let several = world
        .ok(&world.reader, "check_app_policy", json!({"app": "twin"}))
        .await;
    assert_eq!(several.data()["candidates"].as_array().unwrap().len(), 2);
    assert!(several.data().get("policy").is_none());
    let text = world
        .rejected(
            &world.writer,
            "set_app_policy",
            json!({"app": "twin", "policy": "blocked"}),
        )
        .await;
    assert!(
        text.contains(&app_id(32).to_string()) && text.contains(&app_id(33).to_string()),
        "{text}"
    );
}

#[tokio::test]
async fn a_repeated_action_reports_that_nothing_was_changed() {
    let world = World::company().await;
    for (tool, arguments) in actions() {
        let first = world.ok(&world.writer, tool, arguments.clone()).await;
        assert_eq!(first.data()["changed"], true, "{tool}");
        let again = world.ok(&world.writer, tool, arguments).await;
        assert_eq!(again.data()["changed"], false, "{tool}");
        assert!(
            again.sentence().contains("Nothing was changed"),
            "{tool}: {}",
            again.sentence()
        );
        insta::assert_json_snapshot!(format!("{tool}_answer"), first.data());
    }
    let rows = world.audit();
    let seen: Vec<(&str, AuditOutcome)> = rows.iter().map(|row| (&*row.action, row.outcome)).collect();
    assert_eq!(
        rows.len(),
        2 * actions().len(),
        "one entry for each call: {seen:?}"
    );
    for pair in rows.chunks(2) {
        assert_eq!(pair[0].outcome, AuditOutcome::Ok);
        assert_eq!(pair[1].outcome, AuditOutcome::Unchanged);
    }
}

#[tokio::test]
async fn the_next_answer_reflects_a_change() {
    let world = World::company().await;
    let total = async || world.ok(&world.writer, "list_findings", json!({})).await.data()["total"].clone();
    assert_eq!(total().await, 4);
    world
        .ok(
            &world.writer,
            "snooze_finding",
            json!({"finding_id": finding_id(1), "days": 1}),
        )
        .await;
    assert_eq!(total().await, 3);
    let id = finding_id(2);
    let answer = world
        .ok(
            &world.writer,
            "dismiss_finding",
            json!({"finding_id": id, "reason": "false_positive", "note": "checked"}),
        )
        .await;
    assert!(answer.text().contains(&format!("watchpost findings reopen {id}")));
    assert_eq!(total().await, 2);
    let text = world
        .rejected(
            &world.writer,
            "snooze_finding",
            json!({"finding_id": id, "days": 1}),
        )
        .await;
    assert!(text.contains("the finding is dismissed"), "{text}");
    let text = world
        .rejected(&world.writer, "remediate_finding", json!({"finding_id": id}))
        .await;
    assert!(text.contains("the finding is dismissed"), "{text}");
}

#[tokio::test]
async fn a_remediation_is_requested_and_not_executed() {
    let world = World::company().await;
    let answer = world
        .ok(
            &world.writer,
            "remediate_finding",
            json!({"finding_id": finding_id(2)}),
        )
        .await;
    assert_eq!(answer.data()["status"], "pending_approval");
    assert_eq!(answer.data()["action"], "require_mfa");
    assert!(
        answer.sentence().contains("only records the request"),
        "{}",
        answer.sentence()
    );
    assert_eq!(
        world.ours(|data| data.findings[1].state.status),
        FindingStatus::Open
    );
    let text = world
        .rejected(
            &world.writer,
            "remediate_finding",
            json!({"finding_id": finding_id(3)}),
        )
        .await;
    assert!(
        text.contains("nothing was queued") && text.contains("2. Enroll a second factor."),
        "{text}"
    );
    assert_eq!(world.audit().last().unwrap().outcome, AuditOutcome::Conflict);
}

#[tokio::test]
async fn trigger_sync_reports_new_running_and_missing_syncs() {
    let world = World::company().await;
    let one = world
        .ok(&world.writer, "trigger_sync", json!({"platform": "okta"}))
        .await;
    assert_eq!(one.data()["status"], "triggered");
    assert_eq!(one.data()["platforms"], json!(["okta"]));
    let rest = world.ok(&world.writer, "trigger_sync", json!({})).await;
    assert_eq!(rest.data()["status"], "triggered");
    assert_eq!(rest.data()["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.ok(&world.writer, "trigger_sync", json!({})).await.data()["status"],
        "already_running"
    );
    let none = world
        .ok(&world.writer, "trigger_sync", json!({"platform": "slack"}))
        .await;
    assert_eq!(none.data()["status"], "no_integrations");
    let shown = world.ok(&world.reader, "get_integrations", json!({})).await;
    assert_eq!(shown.data()["integrations"][0]["sync_status"], "queued");
}

#[tokio::test]
async fn the_policy_clear_means_none() {
    let world = World::company().await;
    let set = json!({"app": "plumline", "policy": "unauthorized"});
    let answer = world.ok(&world.writer, "set_app_policy", set).await;
    assert_eq!(answer.data()["before"], "none");
    assert_eq!(answer.data()["analysis_queued"], true);
    let cleared = world
        .ok(
            &world.writer,
            "set_app_policy",
            json!({"app": "plumline", "policy": "clear"}),
        )
        .await;
    assert_eq!(cleared.data()["policy"], "none");
    assert_eq!(cleared.data()["before"], "unauthorized");
}

/// TOO-09, TOO-10.
#[tokio::test]
async fn errors_about_arguments_name_the_expected_value() {
    let world = World::company().await;
    let id = finding_id(1).to_string();
    let check = async |tool: &str, arguments: Value, expected: &str| {
        let text = world.rejected(&world.writer, tool, arguments).await;
        // The error of a write tool is followed by advice on retrying.
        let message = text.split(". Nothing was changed, ").next().unwrap();
        assert_eq!(message, expected, "{tool}");
        let rows = world.audit();
        assert_eq!(rows.last().unwrap().outcome, AuditOutcome::Invalid, "{tool}");
        assert_eq!(rows.last().unwrap().arguments, "{}", "{tool}");
    };
    check(
        "trigger_sync",
        json!({"platfrom": "okta"}),
        "unknown argument `platfrom`: `trigger_sync` takes idempotency_key, platform",
    )
    .await;
    check(
        "list_findings",
        json!({"limit": 5000}),
        "`limit` must be a whole number from 1 to 100, not 5000",
    )
    .await;
    check(
        "list_findings",
        json!({"limit": 2.5}),
        "`limit` must be a whole number from 1 to 100, not 2.5",
    )
    .await;
    check(
        "list_findings",
        json!({"limit": "ten"}),
        "`limit` must be a whole number from 1 to 100",
    )
    .await;
    check(
        "list_findings",
        json!({"severity": ["high", "urgent, expected nothing"]}),
        "`severity[1]` must be one of: critical; high; medium; low; info",
    )
    .await;
    check(
        "list_findings",
        json!({"severity": "[\"high\""}),
        "`severity` must be a list of at most 32 values, each one of: critical; high; medium; low; info",
    )
    .await;
    check(
        "list_findings",
        json!({"severity": 3}),
        "`severity` must be a list of at most 32 values, each one of: critical; high; medium; low; info",
    )
    .await;
    check(
        "list_findings",
        json!({"text": " "}),
        "`text` must be a string of 1 to 200 characters",
    )
    .await;
    check(
        "lookup_identity",
        json!({}),
        "`email` is missing: `lookup_identity` requires it",
    )
    .await;
    check(
        "snooze_finding",
        json!({"finding_id": id, "days": 0}),
        "`days` must be a whole number from 1 to 90, not 0",
    )
    .await;
    check(
        "snooze_finding",
        json!({"finding_id": id, "days": 91}),
        "`days` must be a whole number from 1 to 90, not 91",
    )
    .await;
    check(
        "snooze_finding",
        json!({"finding_id": "7", "days": 1}),
        "`finding_id` must be a finding's id from `list_findings`, such as 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    )
    .await;
    check(
        "dismiss_finding",
        json!({"finding_id": id, "reason": "because"}),
        "`reason` must be one of: accepted_risk; false_positive; mitigated; not_applicable",
    )
    .await;
    check(
        "dismiss_finding",
        json!({"finding_id": id}),
        "`reason` is missing: `dismiss_finding` requires it",
    )
    .await;
    check(
        "set_app_policy",
        json!({"app": "x", "policy": "maybe"}),
        "`policy` must be one of: sanctioned; unauthorized; blocked; none",
    )
    .await;
}
