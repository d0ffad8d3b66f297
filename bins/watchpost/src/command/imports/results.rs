//! `watchpost imports results`.

use super::batch_json;
use crate::{
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    check::{CheckResult, FrameworkId},
    import::{ImportedQuery, ImportedResult},
    value::{id::BatchId, text::ForeignText},
};

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The batch's id
    batch: BatchId,
    /// Only results for this Watchpost check
    #[arg(long)]
    check: Option<String>,
    /// Only results for this control of the tool
    #[arg(long)]
    control: Option<String>,
    /// Only this result: passed, failed, skipped, error
    #[arg(long)]
    result: Option<CheckResult>,
    /// Only results after this position
    #[arg(long)]
    after: Option<u64>,
    /// Maximum number of results
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

pub(super) async fn run(args: Results, session: &Session, output: Output) -> Result<()> {
    let query = ImportedQuery {
        check: args.check,
        control: args.control,
        result: args.result,
        after: args.after,
        limit: usize::from(args.limit),
    };
    let (batch, page) = session
        .read(
            "import.read",
            "imports results",
            session
                .watchpost
                .imported_results(&session.scope, args.batch, &query)
                .await,
        )
        .await?;
    let json = json!({
        "batch": batch_json(&batch),
        "results": page.results.iter().map(result_json).collect::<Vec<_>>(),
        "more": page.more,
    });
    let rows = page
        .results
        .iter()
        .map(|result| {
            let row = &result.row;
            let entity = row.entity.as_ref().map_or_else(String::new, |entity| {
                if entity.name.is_empty() {
                    entity.id.clone()
                } else {
                    foreign(&entity.name)
                }
            });
            vec![
                result.position.to_string(),
                row.result.to_string(),
                row.severity.to_string(),
                row.control.clone(),
                row.check.clone().unwrap_or_default(),
                entity,
                foreign(&ForeignText::clean(row.details.untrusted(), 120)),
            ]
        })
        .collect();
    let titles = [
        "position",
        "result",
        "severity",
        "control",
        "our check",
        "entity",
        "details",
    ];
    output.table(&json, &titles, rows, text::imports::NO_RESULTS)?;
    if page.more && !output.json {
        output.note(text::imports::MORE_RESULTS);
    }
    Ok(())
}

fn result_json(result: &ImportedResult) -> Value {
    let row = &result.row;
    json!({
        "position": result.position,
        "control": row.control,
        "check_id": row.check,
        "title": row.title,
        "result": row.result,
        "skip_reason": row.skip,
        "severity": row.severity,
        "service": row.service,
        "details": row.details,
        "entity": row.entity.as_ref().map(|entity| json!({"type": entity.kind, "id": entity.id, "name": entity.name})),
        "frameworks": row.frameworks.iter().map(FrameworkId::as_str).collect::<Vec<_>>(),
        "exception": row.exception.as_ref().map(|exception| json!({
            "kind": exception.kind, "reason": exception.reason, "until": exception.until,
        })),
    })
}
