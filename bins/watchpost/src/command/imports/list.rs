//! `watchpost imports list`.

use crate::{
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    import::{Batch, BatchQuery, ImportTool, RowError},
    value::id::{BatchId, IntegrationId},
};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only batches of this integration
    #[arg(long, value_name = "ID")]
    integration: Option<IntegrationId>,
    /// Only batches of this tool: scubagear, scubagoggles, prowler, maester, watchpost, ocsf
    #[arg(long)]
    tool: Option<ImportTool>,
    /// Only batches older than this one
    #[arg(long, value_name = "ID")]
    before: Option<BatchId>,
    /// Maximum number of batches
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
}

pub(super) async fn run(args: List, session: &Session, output: Output) -> Result<()> {
    let query = BatchQuery {
        integration: args.integration,
        import: None,
        tool: args.tool,
        before: args.before,
        limit: usize::from(args.limit),
    };
    let page = session
        .read(
            "import.listed",
            "imports list",
            session.watchpost.import_batches(&session.scope, &query).await,
        )
        .await?;
    let json = json!({
        "batches": page.batches.iter().map(batch_json).collect::<Vec<_>>(),
        "total": page.total,
        "more": page.more,
    });
    let rows = page
        .batches
        .iter()
        .map(|batch| {
            vec![
                batch.id.to_string(),
                batch.file.imported_at.to_string(),
                batch.header.tool.to_string(),
                foreign(&batch.integration_name),
                batch.counts.rows_ok.to_string(),
                batch.results.failed.to_string(),
                batch.counts.rows_skipped.to_string(),
                batch.settings.to_string(),
            ]
        })
        .collect();
    let titles = [
        "id",
        "imported",
        "tool",
        "integration",
        "rows",
        "failed",
        "unreadable",
        "settings",
    ];
    Ok(output.table(&json, &titles, rows, text::imports::NO_IMPORTS)?)
}

pub(crate) fn batch_json(batch: &Batch) -> Value {
    let counts = &batch.counts;
    json!({
        "id": batch.id,
        "import_id": batch.file.id,
        "file": batch.file.name,
        "imported_at": batch.file.imported_at,
        "tool": batch.header.tool,
        "tool_version": batch.header.tool_version,
        "format": batch.header.format,
        "tenant": batch.header.tenant_key,
        "tenant_name": batch.header.tenant_name,
        "ran_at": batch.header.ran_at,
        "integration_id": batch.integration,
        "integration_name": batch.integration_name,
        "platform": batch.platform,
        "rows": counts.rows,
        "rows_ok": counts.rows_ok,
        "rows_skipped": counts.rows_skipped,
        "rows_not_run": counts.rows_not_run,
        "partial": counts.partial,
        "errors": errors_json(&counts.errors),
        "results": {
            "passed": batch.results.passed,
            "failed": batch.results.failed,
            "skipped": batch.results.skipped,
            "error": batch.results.errors,
            "excepted": batch.results.excepted,
        },
        "checks": batch.checks,
        "settings": batch.settings,
        "scans": batch.scans,
    })
}

fn errors_json(errors: &[RowError]) -> Vec<Value> {
    errors
        .iter()
        .map(|error| json!({"row": error.index, "reason": error.reason}))
        .collect()
}
