//! `watchpost scan trend`.

use super::counts_json;
use crate::{output::Output, session::Session, text};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{check::ScanType, value::id::IntegrationId};

#[derive(Debug, Args)]
pub(crate) struct Trend {
    /// The type of the scans
    #[arg(long = "type", default_value = "compliance")]
    scan_type: ScanType,
    /// The integration, if more than one can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// Number of days to look back, including the whole day that many days ago
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=3_650))]
    days: i64,
}

pub(super) async fn run(args: Trend, session: &Session, output: Output) -> Result<()> {
    let answer = session
        .read(
            "scan.read",
            "scan trend",
            session
                .watchpost
                .score_trend(&session.scope, args.integration, args.scan_type, args.days)
                .await,
        )
        .await?;
    let points: Vec<Value> = answer
        .points
        .iter()
        .map(|point| {
            let mut json = counts_json(&point.counts);
            if let Value::Object(object) = &mut json {
                object.insert("scan_id".into(), json!(point.scan));
                object.insert("at".into(), json!(point.at));
            }
            json
        })
        .collect();
    let rows = answer
        .points
        .iter()
        .map(|point| {
            vec![
                point.at.to_string(),
                text::scan::plain_score(point.counts.score()),
                point.counts.failed.to_string(),
                point.scan.to_string(),
            ]
        })
        .collect();
    Ok(output.table(
        &json!({"scan_type": answer.scan_type, "direction": "higher_is_better", "points": points}),
        &["time", "score", "failed", "scan"],
        rows,
        text::scan::NO_SCANS_IN_PERIOD,
    )?)
}
