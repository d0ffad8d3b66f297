//! `watchpost imports disagreements`.

use crate::{
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    import::{Difference, Disagreement},
    value::{id::IntegrationId, text::ForeignText},
};

#[derive(Debug, Args)]
pub(crate) struct Disagreements {
    /// Only results of this integration
    #[arg(long, value_name = "ID")]
    integration: Option<IntegrationId>,
    /// Only checks that one side passed and the other failed
    #[arg(long)]
    opposite: bool,
}

pub(super) async fn run(args: &Disagreements, session: &Session, output: Output) -> Result<()> {
    let mut answers = session
        .read(
            "import.compared",
            "imports disagreements",
            session
                .watchpost
                .disagreements(&session.scope, args.integration)
                .await,
        )
        .await?;
    if args.opposite {
        for answer in &mut answers {
            answer.rows.retain(|row| row.difference == Difference::Opposite);
        }
    }
    let json = json!({"integrations": answers.iter().map(|answer| json!({
        "integration_id": answer.integration.id,
        "platform": answer.integration.platform,
        "name": answer.integration.name,
        "compared": answer.compared,
        "disagreements": answer.rows.iter().map(disagreement_json).collect::<Vec<_>>(),
    })).collect::<Vec<_>>()});
    if output.json {
        return Ok(output.line(&json.to_string())?);
    }
    if answers.is_empty() {
        return Ok(output.line(text::imports::NO_IMPORTS)?);
    }
    for answer in &answers {
        output.line(&text::imports::disagreements_of(answer))?;
        let rows: Vec<Vec<String>> = answer.rows.iter().map(disagreement_cells).collect();
        if !rows.is_empty() {
            let titles = [
                "check",
                "severity",
                "ours",
                "theirs",
                "our reason",
                "their reason",
            ];
            output.table(&json, &titles, rows, "")?;
        }
    }
    Ok(())
}

fn disagreement_cells(row: &Disagreement) -> Vec<String> {
    let short = |text: &ForeignText| foreign(&ForeignText::clean(text.untrusted(), 100));
    let verdict = &row.theirs.verdict;
    let exception = verdict
        .exception
        .map_or_else(String::new, |kind| format!(" ({kind})"));
    vec![
        row.ours.row.check_id.clone(),
        row.ours.row.severity.to_string(),
        row.ours.row.result.to_string(),
        format!("{}{exception}", verdict.result),
        short(&row.ours.row.reason),
        format!(
            "{} {}: {}",
            row.theirs.tool.title(),
            verdict.control,
            short(&verdict.reason)
        ),
    ]
}

fn disagreement_json(row: &Disagreement) -> Value {
    let (ours, theirs) = (&row.ours, &row.theirs);
    let verdict = &theirs.verdict;
    json!({
        "check_id": ours.row.check_id,
        "title": ours.row.title,
        "severity": ours.row.severity,
        "service": ours.row.service,
        "difference": row.difference,
        "ours": {
            "scan_id": ours.scan,
            "at": ours.at,
            "result": ours.row.result,
            "skip_reason": ours.row.skip,
            "reason": ours.row.reason,
        },
        "theirs": {
            "tool": theirs.tool,
            "batch_id": theirs.batch,
            "ran_at": theirs.ran_at,
            "imported_at": theirs.imported_at,
            "control": verdict.control,
            "result": verdict.result,
            "skip_reason": verdict.skip,
            "exception": verdict.exception,
            "reason": verdict.reason,
            "rows": {
                "passed": verdict.rows.passed,
                "failed": verdict.rows.failed,
                "skipped": verdict.rows.skipped,
                "error": verdict.rows.errors,
            },
        },
    })
}
