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
        row.failure
            .as_ref()
            .map(|failure| format!("since {}: {}", failure.since, failure.reason))
            .unwrap_or_default(),
        row.id.to_string(),
    ]
}

fn row_json(row: &Integration, stale: bool) -> Value {
    json!({
        "id": row.id,
        "platform": row.platform,
        "name": row.name,
        "status": row.status,
        "stale": stale,
        "last_sync_at": row.last_completed_at,
        "failure": row.failure.as_ref().map(|failure| json!({"reason": failure.reason, "since": failure.since})),
        "config": row.config,
        "datasets": row.collections.iter().map(|c| json!({
            "dataset": c.dataset, "state": c.state, "rows": c.rows, "detail": c.detail, "finished_at": c.finished_at,
        })).collect::<Vec<_>>(),
    })
}
