//! `watchpost integrations list`.

use crate::{
    output::{Output, foreign, time_or_never},
    session::Session,
    text,
};
use anyhow::Result;
use serde_json::{Value, json};
use watchpost_core::{integration::Integration, value::word::CollectionState};

pub(super) async fn run(session: &Session, output: Output) -> Result<()> {
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session
        .read("integration.read", "integrations list", read)
        .await?;
    let now = session.watchpost.clock().now();
    let json =
        json!({"integrations": rows.iter().map(|row| row_json(row, row.is_stale(now))).collect::<Vec<_>>()});
    let titles = [
        "platform",
        "name",
        "state",
        "last sync",
        "datasets",
        "problem",
        "id",
    ];
    Ok(output.table(
        &json,
        &titles,
        rows.iter().map(row_cells).collect(),
        text::integrations::NOTHING_CONNECTED,
    )?)
}

fn row_cells(row: &Integration) -> Vec<String> {
    let complete = row
        .collections
        .iter()
        .filter(|collection| collection.state == CollectionState::Complete)
        .count();
    vec![
        row.platform.title().to_owned(),
        foreign(&row.name),
        row.status.to_string(),
        time_or_never(row.last_completed_at),
        format!("{complete} of {}", row.collections.len()),
        problem(row),
        row.id.to_string(),
    ]
}

/// The failure or, without one, the first dataset that the vendor returned but that isn't believed.
fn problem(row: &Integration) -> String {
    if let Some(failure) = &row.failure {
        let next = failure.next_step(row.platform).map(text::next::step);
        let next = next.map(|next| format!("; {next}")).unwrap_or_default();
        return format!("since {}: {}{next}", failure.since, failure.reason);
    }
    let doubted = row
        .collections
        .iter()
        .find(|collection| collection.doubt.is_some());
    doubted
        .map(|collection| {
            let detail = collection.detail.as_deref().unwrap_or_default();
            format!("{} {}: {detail}", collection.dataset, collection.state)
        })
        .unwrap_or_default()
}

fn row_json(row: &Integration, stale: bool) -> Value {
    json!({
        "id": row.id,
        "platform": row.platform,
        "name": row.name,
        "status": row.status,
        "stale": stale,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| json!({
            "reason": failure.reason, "since": failure.since,
            "next_step": failure.next_step(row.platform).map(text::next::step),
        })),
        "config": row.config,
        "datasets": row.collections.iter().map(|c| json!({
            "dataset": c.dataset, "state": c.state, "rows": c.rows, "detail": c.detail, "finished_at": c.finished_at,
            "doubt": c.doubt, "complete_rows": c.complete_rows, "complete_at": c.complete_at,
            "confirmed_rows": c.confirmed_rows,
        })).collect::<Vec<_>>(),
    })
}
