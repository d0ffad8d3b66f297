//! `watchpost scan compare`.

use super::{ScanChoice, Selection, row_json, scan_json};
use crate::{
    output::Output,
    session::Session,
    text::{self, scan::group},
};
use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};
use watchpost_core::{
    scan::{FrameworkDelta, ResultChange, ResultRow},
    service::ComparisonAnswer,
    value::id::ScanId,
};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    choice: ScanChoice,
    /// The earlier scan [default: the last scan of another day, or the previous one]
    #[arg(long)]
    before: Option<ScanId>,
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(args: Compare, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let filter = args.selection.filter();
    let read = args
        .choice
        .find(session)
        .await
        .then(async |after| watchpost.compare_scans(scope, args.before, after, &filter).await);
    let answer = session.read("scan.read", "scan compare", read.await).await?;
    show(&answer, output)
}

/// The name in JSON, the title for people, and the changes of a group.
type Group<'a> = (&'static str, &'static str, &'a [ResultChange]);

fn groups(answer: &ComparisonAnswer) -> [Group<'_>; 7] {
    let comparison = &answer.comparison;
    [
        ("new_failures", group::NEW_FAILURES, &comparison.new_failures),
        ("fixed", group::FIXED, &comparison.fixed),
        (
            "changed_failures",
            group::CHANGED_FAILURES,
            &comparison.changed_failures,
        ),
        ("newly_skipped", group::NEWLY_SKIPPED, &comparison.newly_skipped),
        (
            "newly_readable",
            group::NEWLY_READABLE,
            &comparison.newly_readable,
        ),
        ("added", group::ADDED, &comparison.added),
        ("removed", group::REMOVED, &comparison.removed),
    ]
}

/// The result of a check in one of the scans; null if that scan has none.
fn result_json(row: Option<&ResultRow>) -> Value {
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
    let settings: Vec<Value> = answer
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
        object.insert("before".into(), result_json(change.before.as_ref()));
        object.insert("after".into(), result_json(change.after.as_ref()));
        object.insert("settings".into(), settings.into());
    }
    Some(json)
}

fn show(answer: &ComparisonAnswer, output: Output) -> Result<()> {
    let comparison = &answer.comparison;
    let mut json = json!({
        "before": scan_json(&answer.before),
        "after": scan_json(&answer.after),
        "compared_with": answer.with,
        "score": {"before": comparison.score.0, "after": comparison.score.1},
        "unchanged": comparison.unchanged,
        "still_failing": comparison.still_failing,
        "frameworks": frameworks_json(&comparison.frameworks),
    });
    let mut text = text::scan::comparison(answer);
    for (name, title, list) in groups(answer) {
        if !list.is_empty() {
            text.push_str(&text::scan::changes(title, list.len()));
        }
        for row in list.iter().filter_map(ResultChange::row) {
            text.push_str(&text::scan::change(answer, row));
        }
        json[name] = list
            .iter()
            .filter_map(|change| change_json(answer, change))
            .collect();
    }
    Ok(output.answer(&json, &text)?)
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
