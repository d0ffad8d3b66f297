//! `watchpost scan results`.

use super::{ScanChoice, Selection, row_json, scan_json};
use crate::{
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    check::CheckResult,
    error::Error,
    scan::{ResultFilter, Scan},
    service::{ResultAnswer, Unrecorded},
    value::word::Severity,
};

#[derive(Debug, Args)]
pub(crate) struct Results {
    #[command(flatten)]
    choice: ScanChoice,
    #[command(flatten)]
    selection: Selection,
    /// Only these results (passed, failed, skipped, error)
    #[arg(long, value_delimiter = ',')]
    result: Vec<CheckResult>,
    /// Only these severities
    #[arg(long, value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only results whose id, title, framework ids or reason have these words
    #[arg(long)]
    text: Option<String>,
    /// Everything about this one: evidence, settings with provenance, what to do (a check's id, or its id in a framework)
    #[arg(long)]
    check: Option<String>,
}

pub(crate) async fn run(args: Results, session: &Session, output: Output) -> Result<()> {
    let scan = args.choice.find(session).await;
    match &args.check {
        Some(check) => one(check, scan, session, output).await,
        None => list(args, scan, session, output).await,
    }
}

async fn list(
    args: Results,
    scan: Unrecorded<Result<Scan, Error>>,
    session: &Session,
    output: Output,
) -> Result<()> {
    let filter = ResultFilter {
        results: args.result,
        frameworks: args.selection.framework,
        services: args.selection.service,
        severities: args.severity,
        text: args.text,
    };
    let answer = session
        .read(
            "scan.read",
            "scan results",
            scan.then(async |scan| {
                session
                    .watchpost
                    .scan_results(&session.scope, scan, &filter, None, usize::MAX)
                    .await
            })
            .await,
        )
        .await?;
    let json = json!({
        "scan": scan_json(&answer.scan),
        "results": answer.page.results.iter().map(row_json).collect::<Vec<_>>(),
        "total": answer.page.total,
    });
    let rows = answer
        .page
        .results
        .iter()
        .map(|row| {
            let result = row.skip.map_or_else(
                || row.result.to_string(),
                |skip| format!("{} ({skip})", row.result),
            );
            vec![
                result,
                row.severity.to_string(),
                row.check_id.clone(),
                foreign(&row.reason),
            ]
        })
        .collect();
    Ok(output.table(
        &json,
        &["result", "severity", "check", "why"],
        rows,
        "No results fit.",
    )?)
}

async fn one(
    check: &str,
    scan: Unrecorded<Result<Scan, Error>>,
    session: &Session,
    output: Output,
) -> Result<()> {
    let answer = session
        .read(
            "scan.read",
            "scan results",
            scan.then(async |scan| session.watchpost.scan_result(&session.scope, scan, check).await)
                .await,
        )
        .await?;
    let json = detail_json(&answer);
    Ok(output.answer(&json, &detail_text(&answer, &json))?)
}

fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null)
}

fn detail_json(answer: &ResultAnswer) -> Value {
    let result = &answer.result;
    let mut json = row_json(&result.row);
    let settings: Vec<Value> = answer
        .settings
        .iter()
        .map(|row| {
            json!({
                "path": row.path, "state": row.state, "detail": row.detail, "source": row.source,
                "read_at": row.read_at, "bytes": row.bytes,
                "sha256": row.hash.map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            })
        })
        .collect();
    let things: Vec<Value> = result
        .entities
        .iter()
        .map(|thing| json!({"kind": thing.kind, "id": thing.id, "name": thing.name}))
        .collect();
    if let Value::Object(object) = &mut json {
        object.insert("detected".into(), parsed(result.row.detected.as_deref()));
        object.insert("evidence".into(), parsed(Some(&result.evidence)));
        object.insert("entities".into(), things.into());
        object.insert("settings".into(), settings.into());
        if let Some(would) = &result.would_pass {
            object.insert(
                "would_pass".into(),
                json!({"condition": would.condition, "excluded": would.excluded}),
            );
        }
        if let Some(check) = &answer.check {
            object.insert("description".into(), json!(check.description));
            object.insert("remediation".into(), json!(check.remediation));
            object.insert("references".into(), json!(check.references));
        }
        if let Some(before) = &answer.before {
            object.insert(
                "before".into(),
                json!({"result": before.result, "reason": before.reason}),
            );
        }
    }
    json
}

fn detail_text(answer: &ResultAnswer, json: &Value) -> String {
    let row = &answer.result.row;
    let mut text = format!(
        "{}\n{}: {}\n\n{}, {}, {}",
        row.title,
        row.result,
        foreign(&row.reason),
        row.check_id,
        row.severity,
        row.service.title()
    );
    for id in &row.frameworks {
        text.push_str(&format!("\n{} {}", id.framework(), id.as_str()));
    }
    if let Some(check) = &answer.check {
        text.push_str(&format!("\n\n{}", check.description));
    }
    for (title, name) in [("Detected", "detected"), ("Evidence", "evidence")] {
        if let Some(value) = json.get(name).filter(|value| !value.is_null()) {
            text.push_str(&format!(
                "\n\n{title}\n{}",
                serde_json::to_string_pretty(value).unwrap_or_default()
            ));
        }
    }
    if let Some(would) = &answer.result.would_pass {
        text.push_str(&format!("\n\nWould pass {}", foreign(&would.condition)));
        for id in &would.excluded {
            text.push_str(&format!("\n  {id}"));
        }
    }
    if !answer.settings.is_empty() {
        text.push_str("\n\nRead from");
        for row in &answer.settings {
            text.push_str(&format!(
                "\n  {}: {}, {} at {}",
                row.path, row.state, row.source, row.read_at
            ));
        }
    }
    if let Some(check) = &answer.check
        && !check.remediation.is_empty()
    {
        text.push_str("\n\nWhat to do");
        for (number, step) in check.remediation.iter().enumerate() {
            text.push_str(&format!("\n{}. {step}", number + 1));
        }
    }
    text
}
