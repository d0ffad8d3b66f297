//! `watchpost scan compare`.

use super::{Choice, Confined, row_json, scan_json};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use watchpost_core::{
    scan::{ResultChange, ResultRow},
    service::ComparisonAnswer,
    value::id::ScanId,
};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    choice: Choice,
    /// The earlier scan [default: the completed one before]
    #[arg(long)]
    before: Option<ScanId>,
    #[command(flatten)]
    confined: Confined,
}

pub(crate) async fn run(args: Compare, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let after = args.choice.find(session).await?;
    let before = match args.before {
        Some(_) => {
            let earlier = Choice {
                scan: args.before,
                scan_type: after.scan_type,
                integration: None,
            };
            earlier.find(session).await?
        }
        None => watchpost
            .scan_before(scope, &after)
            .await
            .map_err(from_core)?
            .ok_or_else(|| {
                fail(
                    code::CONFLICT,
                    "there is no earlier completed scan of this type to compare with",
                )
            })?,
    };
    let answer = watchpost
        .compare_scans(scope, before, after)
        .await
        .map_err(from_core)?;
    session.record("scan.read", "scan compare").await?;
    show(&answer, &args.confined, output)
}

type Kind<'a> = (&'static str, &'static str, &'a [ResultChange]);

fn kinds(answer: &ComparisonAnswer) -> [Kind<'_>; 7] {
    let comparison = &answer.comparison;
    [
        ("new_failures", "New failures", &comparison.new_failures),
        ("fixed", "Fixed", &comparison.fixed),
        (
            "changed_failures",
            "Failing otherwise",
            &comparison.changed_failures,
        ),
        ("newly_skipped", "Newly skipped", &comparison.newly_skipped),
        ("newly_readable", "Newly readable", &comparison.newly_readable),
        ("added", "Added checks", &comparison.added),
        ("removed", "Removed checks", &comparison.removed),
    ]
}

fn side(row: Option<&ResultRow>) -> Value {
    row.map_or(Value::Null, |row| {
        let detected: Value = row
            .detected
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or(Value::Null);
        json!({"result": row.result, "skip_reason": row.skip, "reason": row.reason, "detected": detected})
    })
}

fn change_json(answer: &ComparisonAnswer, change: &ResultChange) -> Option<Value> {
    let row = change.row()?;
    let mut json = row_json(row);
    let moved: Vec<Value> = answer
        .inputs
        .get(&row.check_id)
        .into_iter()
        .flatten()
        .filter_map(|path| answer.settings.get(path))
        .map(|setting| json!(setting))
        .collect();
    if let Value::Object(object) = &mut json {
        object.remove("result");
        object.remove("skip_reason");
        object.remove("reason");
        object.insert("before".into(), side(change.before.as_ref()));
        object.insert("after".into(), side(change.after.as_ref()));
        object.insert("settings".into(), moved.into());
    }
    Some(json)
}

fn show(answer: &ComparisonAnswer, confined: &Confined, output: Output) -> Result<()> {
    let comparison = &answer.comparison;
    let mut object = Map::new();
    object.insert("before".into(), scan_json(&answer.before));
    object.insert("after".into(), scan_json(&answer.after));
    let score = |score: Option<watchpost_core::scan::ComplianceScore>| {
        score.map_or_else(|| "no score".to_owned(), |score| score.to_string())
    };
    let mut text = format!(
        "{} → {}\nscore {} → {}; {} unchanged, {} of them failing",
        answer.before.completed_at.unwrap_or(answer.before.queued_at),
        answer.after.completed_at.unwrap_or(answer.after.queued_at),
        score(comparison.score.0),
        score(comparison.score.1),
        comparison.unchanged,
        comparison.still_failing
    );
    for (name, title, list) in kinds(answer) {
        let shown: Vec<&ResultChange> = list
            .iter()
            .filter(|change| change.row().is_some_and(|row| confined.admits(row)))
            .collect();
        let rows: Vec<Value> = shown
            .iter()
            .filter_map(|change| change_json(answer, change))
            .collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n\n{title} ({})", rows.len()));
        }
        for row in shown.iter().filter_map(|change| change.row()) {
            text.push_str(&format!(
                "\n  {} {} ({}): {}",
                row.severity,
                row.title,
                row.check_id,
                foreign(&row.reason)
            ));
            for path in answer.inputs.get(&row.check_id).into_iter().flatten() {
                for value in answer
                    .settings
                    .get(path)
                    .into_iter()
                    .flat_map(|change| &change.values)
                {
                    let word = |value: &Option<Value>| {
                        value
                            .as_ref()
                            .map_or_else(|| "nothing".to_owned(), Value::to_string)
                    };
                    text.push_str(&format!(
                        "\n      {path}{}: {} → {}",
                        value.pointer,
                        word(&value.before),
                        word(&value.after)
                    ));
                }
            }
        }
        object.insert(name.to_owned(), rows.into());
    }
    object.insert("unchanged".into(), json!(comparison.unchanged));
    object.insert("still_failing".into(), json!(comparison.still_failing));
    let frameworks: Map<String, Value> = comparison
        .frameworks
        .iter()
        .map(|delta| {
            let change = delta
                .after
                .zip(delta.before)
                .map(|(after, before)| f64::from(after.difference(before)) / 10.0);
            (
                delta.framework.to_string(),
                json!({"before": delta.before, "after": delta.after, "change": change}),
            )
        })
        .collect();
    object.insert("frameworks".into(), Value::Object(frameworks));
    Ok(output.answer(&Value::Object(object), &text)?)
}
