//! `watchpost scan compare`.

use super::{ScanChoice, Selection, row_json, scan_json};
use crate::{
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use watchpost_core::{
    error::Error,
    scan::{ComplianceScore, FrameworkDelta, ResultChange, ResultRow},
    service::{ComparisonAnswer, Unrecorded},
    value::id::ScanId,
};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    choice: ScanChoice,
    /// The earlier scan [default: the completed one before]
    #[arg(long)]
    before: Option<ScanId>,
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(args: Compare, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let read = Unrecorded::gather(async |reader| {
        let after = reader.open(args.choice.find(session).await)?;
        let before = match args.before {
            Some(_) => {
                let earlier = ScanChoice {
                    scan: args.before,
                    scan_type: after.scan_type,
                    integration: None,
                };
                reader.open(earlier.find(session).await)?
            }
            None => reader
                .open(watchpost.scan_before(scope, &after).await)?
                .ok_or_else(|| {
                    Error::conflict("there is no earlier completed scan of this type to compare with")
                })?,
        };
        reader.open(watchpost.compare_scans(scope, before, after).await)
    });
    let answer = session.read("scan.read", "scan compare", read.await).await?;
    show(&answer, &args.selection, output)
}

type Section<'a> = (&'static str, &'static str, &'a [ResultChange]);

fn sections(answer: &ComparisonAnswer) -> [Section<'_>; 7] {
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

fn show(answer: &ComparisonAnswer, selection: &Selection, output: Output) -> Result<()> {
    let comparison = &answer.comparison;
    let mut json = json!({
        "before": scan_json(&answer.before),
        "after": scan_json(&answer.after),
        "unchanged": comparison.unchanged,
        "still_failing": comparison.still_failing,
        "frameworks": frameworks_json(&comparison.frameworks),
    });
    let mut text = summary_text(answer);
    for (name, title, list) in sections(answer) {
        let shown: Vec<&ResultChange> = list
            .iter()
            .filter(|change| change.row().is_some_and(|row| selection.contains(row)))
            .collect();
        if !shown.is_empty() {
            text.push_str(&format!("\n\n{title} ({})", shown.len()));
        }
        for row in shown.iter().filter_map(|change| change.row()) {
            text.push_str(&change_text(answer, row));
        }
        json[name] = shown
            .iter()
            .filter_map(|change| change_json(answer, change))
            .collect();
    }
    Ok(output.answer(&json, &text)?)
}

/// Both scans with their scores, and how much is as it was.
fn summary_text(answer: &ComparisonAnswer) -> String {
    let comparison = &answer.comparison;
    let score = |score: Option<ComplianceScore>| {
        score.map_or_else(|| "no score".to_owned(), |score| score.to_string())
    };
    format!(
        "{} → {}\nscore {} → {}; {} unchanged, {} of them failing",
        answer.before.completed_at.unwrap_or(answer.before.queued_at),
        answer.after.completed_at.unwrap_or(answer.after.queued_at),
        score(comparison.score.0),
        score(comparison.score.1),
        comparison.unchanged,
        comparison.still_failing
    )
}

/// A check, and below it each setting that moved.
fn change_text(answer: &ComparisonAnswer, row: &ResultRow) -> String {
    let mut text = format!(
        "\n  {} {} ({}): {}",
        row.severity,
        row.title,
        row.check_id,
        foreign(&row.reason)
    );
    let value = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), Value::to_string)
    };
    for path in answer.inputs.get(&row.check_id).into_iter().flatten() {
        let moved = answer.settings.get(path).into_iter();
        for change in moved.flat_map(|setting| &setting.values) {
            text.push_str(&format!(
                "\n      {path}{}: {} → {}",
                change.pointer,
                value(&change.before),
                value(&change.after)
            ));
        }
    }
    text
}

fn frameworks_json(deltas: &[FrameworkDelta]) -> Value {
    deltas
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
        .collect::<Map<_, _>>()
        .into()
}
