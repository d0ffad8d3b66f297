//! `watchpost scan results`.

use super::{ScanChoice, Selection, row_json, scan_json};
use crate::{
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    check::CheckResult,
    error::Error,
    scan::{ResultFilter, Scan},
    service::{ResultAnswer, ResultChoice, Unrecorded},
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
    /// Only results of these severities
    #[arg(long, value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only results whose id, title, framework ids or reason contain these words
    #[arg(long)]
    text: Option<String>,
    /// Show the result of this check in detail: evidence, settings and their origin, remediation. With an id in a framework (CIS.M365.6.2.1, or 6.2.1): of all checks that carry it, failed first
    #[arg(long)]
    check: Option<String>,
}

pub(crate) async fn run(args: Results, session: &Session, output: Output) -> Result<()> {
    let scan = args.choice.find(session).await;
    let filter = ResultFilter {
        results: args.result,
        frameworks: args.selection.framework,
        services: args.selection.service,
        severities: args.severity,
        text: args.text,
    };
    match &args.check {
        Some(check) => of_check(check, &filter, scan, session, output).await,
        None => list(&filter, scan, session, output).await,
    }
}

/// Everything that a filter selects.
const fn all(filter: &ResultFilter) -> ResultChoice<'_> {
    ResultChoice {
        filter,
        after: None,
        limit: usize::MAX,
    }
}

async fn list(
    filter: &ResultFilter,
    scan: Unrecorded<Result<Scan, Error>>,
    session: &Session,
    output: Output,
) -> Result<()> {
    let answer = session
        .read(
            "scan.read",
            "scan results",
            scan.then(async |scan| {
                session
                    .watchpost
                    .scan_results(&session.scope, scan, all(filter))
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
        &["result", "severity", "check", "reason"],
        rows,
        text::scan::NO_RESULTS,
    )?)
}

/// The result of a check in detail, or those of all checks that carry a framework's id.
async fn of_check(
    check: &str,
    filter: &ResultFilter,
    scan: Unrecorded<Result<Scan, Error>>,
    session: &Session,
    output: Output,
) -> Result<()> {
    let answer = session
        .read(
            "scan.read",
            "scan results",
            scan.then(async |scan| {
                session
                    .watchpost
                    .named_results(&session.scope, scan, check, all(filter), usize::MAX)
                    .await
            })
            .await,
        )
        .await?;
    let details: Vec<Value> = answer.details.iter().map(detail_json).collect();
    let texts: Vec<String> = answer
        .details
        .iter()
        .zip(&details)
        .map(|(one, json)| text::scan::result_details(one, &json["detected"], &json["evidence"]))
        .collect();
    match (&details[..], &texts[..]) {
        ([], _) => Ok(output.answer(
            &json!({"scan": scan_json(&answer.scan), "results": [], "total": 0}),
            text::scan::NO_RESULTS,
        )?),
        ([json], [text]) => Ok(output.answer(json, text)?),
        _ => {
            let text = text::scan::results_of_control(check, &answer.counts, &texts);
            let json = json!({
                "scan": scan_json(&answer.scan),
                "results": details,
                "total": answer.page.total,
            });
            Ok(output.answer(&json, &text)?)
        }
    }
}

/// Parses stored JSON; null if there is none.
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
    let entities: Vec<Value> = result
        .entities
        .iter()
        .map(|entity| json!({"kind": entity.kind, "id": entity.id, "name": entity.name}))
        .collect();
    if let Value::Object(object) = &mut json {
        object.insert("detected".into(), parsed(result.row.detected.as_deref()));
        object.insert("evidence".into(), parsed(Some(&result.evidence)));
        object.insert("entities".into(), entities.into());
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
