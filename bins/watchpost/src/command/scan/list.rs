//! `watchpost scan list`.

use super::scan_json;
use crate::{
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use watchpost_core::{
    check::ScanType,
    scan::ScanQuery,
    value::{id::IntegrationId, word::RunState},
};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only scans of this type
    #[arg(long = "type")]
    scan_type: Option<ScanType>,
    /// Only scans of this integration
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// Only scans in this state
    #[arg(long)]
    status: Option<RunState>,
    /// Maximum number of scans
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
}

pub(super) async fn run(args: List, session: &Session, output: Output) -> Result<()> {
    let query = ScanQuery {
        integration: args.integration,
        scan_type: args.scan_type,
        state: args.status,
        before: None,
        limit: args.limit.into(),
    };
    let page = session
        .read(
            "scan.read",
            "scan list",
            session.watchpost.scans(&session.scope, &query).await,
        )
        .await?;
    let json = json!({
        "scans": page.scans.iter().map(scan_json).collect::<Vec<_>>(),
        "total": page.total,
    });
    let rows = page
        .scans
        .iter()
        .map(|scan| {
            vec![
                scan.completed_at.unwrap_or(scan.queued_at).to_string(),
                scan.scan_type.to_string(),
                format!("{} {}", scan.platform, foreign(&scan.integration_name)),
                scan.state.to_string(),
                text::scan::score(scan),
                scan.counts.failed.to_string(),
                scan.id.to_string(),
            ]
        })
        .collect();
    Ok(output.table(
        &json,
        &["time", "type", "integration", "status", "score", "failed", "id"],
        rows,
        text::scan::NO_SCANS,
    )?)
}
