//! Arguments as models and clients write them, although the schema asks for another form.

use crate::world::{World, app_id, finding_id};
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_arguments_in_another_form_have_the_same_answer() {
    let world = World::company().await;
    let check = async |tool: &str, plain: Value, forms: &[Value]| {
        let expected = world.ok(&world.reader, tool, plain.clone()).await;
        for form in forms {
            let answer = world.ok(&world.reader, tool, form.clone()).await;
            assert_eq!(answer.data(), expected.data(), "{tool} {form}");
            assert_eq!(answer.sentence(), expected.sentence(), "{tool} {form}");
        }
    };
    // Absent.
    check(
        "list_findings",
        json!({}),
        &[
            json!({"severity": null, "entity": null, "limit": null, "cursor": null}),
            json!({"severity": "", "entity": "", "limit": "", "cursor": "", "text": ""}),
            json!({"severity": [], "status": []}),
        ],
    )
    .await;
    check("get_risk_score", json!({}), &[Value::Null]).await;
    // Lists.
    check(
        "list_findings",
        json!({"severity": ["critical", "high"], "status": ["open", "in_progress"]}),
        &[
            json!({"severity": "critical,high", "status": "open, in_progress"}),
            json!({"severity": "[\"high\", \"critical\"]", "status": ["Open", "IN PROGRESS"]}),
            json!({"severity": ["HIGH", "Critical"], "status": "in-progress,open"}),
            json!({"Severity": ["critical", "high"], "STATUS": ["open", "in_progress"]}),
        ],
    )
    .await;
    // Numbers and flags.
    check(
        "list_findings",
        json!({"limit": 1}),
        &[
            json!({"limit": "1"}),
            json!({"limit": 1.0}),
            json!({"limit": " 1.0 "}),
        ],
    )
    .await;
    // Addresses.
    let address = "mara.holt@birchworks.example";
    check(
        "lookup_identity",
        json!({ "email": address }),
        &[
            json!({"email": format!("mailto:{address}")}),
            json!({"email": format!("<{address}>")}),
            json!({"email": format!("Mara Holt <{address}>")}),
            json!({"email": format!("[{address}](mailto:{address})")}),
            json!({"email": format!("**{}**", address.to_uppercase())}),
        ],
    )
    .await;
    check(
        "list_findings",
        json!({ "entity": address }),
        &[
            json!({"entity": format!("\"{address}\"")}),
            json!({"entity": format!("`{address}`")}),
        ],
    )
    .await;
}

#[tokio::test]
async fn actions_take_the_same_forms() {
    let world = World::company().await;
    let id = finding_id(1);
    let snoozed = world
        .ok(
            &world.writer,
            "snooze_finding",
            json!({"findingId": id, "days": "14", "note": "", "idempotency_key": ""}),
        )
        .await;
    assert_eq!(snoozed.data()["changed"], true, "{}", snoozed.0);
    let set = world
        .ok(
            &world.writer,
            "set_app_policy",
            json!({"app": app_id(31), "policy": "Unauthorized", "idempotencyKey": null}),
        )
        .await;
    assert_eq!(set.data()["policy"], "unauthorized", "{}", set.0);
}

#[tokio::test]
async fn a_query_ignores_arguments_that_it_does_not_have_and_says_so() {
    let world = World::company().await;
    let plain = world
        .ok(&world.reader, "list_findings", json!({"limit": 1}))
        .await;
    let given = json!({"limit": 1, "sevrity": "high", "session_id": "x"});
    let answer = world.ok(&world.reader, "list_findings", given).await;
    let warning =
        "The answer ignores the arguments `session_id`, `sevrity`: `list_findings` doesn't have them";
    assert_eq!(answer.sentence(), format!("{} {warning}.", plain.sentence()));
    let warnings = answer.data()["warnings"].as_array().unwrap();
    assert_eq!(warnings.last().unwrap(), warning);
    assert_eq!(answer.data()["findings"], plain.data()["findings"]);
    // The names are the caller's text, so there are not more than a few of them.
    let many: serde_json::Map<_, _> = (0..50).map(|n| (format!("x{n:02}"), json!(n))).collect();
    let answer = world.ok(&world.reader, "get_risk_score", many.into()).await;
    assert!(
        answer.sentence().contains("`x00`, `x01`, `x02`, `x03`, `x04`:"),
        "{}",
        answer.sentence()
    );
}

#[tokio::test]
async fn an_action_refuses_arguments_that_it_does_not_have() {
    let world = World::company().await;
    let generation = world.ours(|data| data.generation);
    for (tool, mut arguments) in crate::behaviour::actions() {
        arguments["dry_run"] = true.into();
        let text = world.rejected(&world.writer, tool, arguments).await;
        assert!(text.starts_with("unknown argument `dry_run`"), "{tool}: {text}");
    }
    assert_eq!(world.ours(|data| data.generation), generation);
}
