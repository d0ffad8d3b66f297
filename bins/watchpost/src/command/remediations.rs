//! `watchpost remediations`.

use crate::{
    failure::from_core,
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use watchpost_core::{
    remediation::{RejectOutcome, Remediation},
    value::{id::RemediationId, word::RemediationState},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Remediations {
    /// Lists what was asked for, newest first
    List {
        /// Only in this state
        #[arg(long)]
        state: Option<RemediationState>,
        /// Show at most this many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows one
    Show {
        /// The remediation's id
        id: RemediationId,
    },
    /// Refuses one that waits
    Reject {
        /// The remediation's id
        id: RemediationId,
    },
}

pub(crate) async fn run(command: Remediations, session: &Session, output: Output) -> Result<()> {
    match command {
        Remediations::List { state, limit } => list(state, limit, session, output).await,
        Remediations::Show { id } => show(id, session, output).await,
        Remediations::Reject { id } => reject(id, session, output).await,
    }
}

async fn list(
    state: Option<RemediationState>,
    limit: usize,
    session: &Session,
    output: Output,
) -> Result<()> {
    let read = session
        .watchpost
        .remediations(&session.scope, state, limit.clamp(1, 1_000))
        .await;
    let rows = session
        .read("remediation.read", "remediations list", read)
        .await?;
    let json = json!({"remediations": rows.iter().map(row_json).collect::<Vec<_>>()});
    Ok(output.table(
        &json,
        &["state", "action", "target", "asked for", "id"],
        rows.iter().map(row_cells).collect(),
        "Nothing was asked for.",
    )?)
}

async fn show(id: RemediationId, session: &Session, output: Output) -> Result<()> {
    let read = session.watchpost.remediation(&session.scope, id).await;
    let row = session
        .read("remediation.read", "remediations show", read)
        .await?;
    let text = format!(
        "{} on {}\n{}\nfinding {}: {}\nasked for {}{}",
        row.action,
        foreign(&row.target),
        row.state,
        row.finding,
        foreign(&row.finding_title),
        row.requested_at,
        row.note
            .as_ref()
            .map(|note| format!("\nnote: {}", foreign(note)))
            .unwrap_or_default(),
    );
    Ok(output.answer(&row_json(&row), &text)?)
}

async fn reject(id: RemediationId, session: &Session, output: Output) -> Result<()> {
    let call = session.call("remediations reject", &json!({}));
    let outcome = session
        .watchpost
        .reject_remediation(&session.scope, id, call)
        .await
        .map_err(from_core)?;
    let changed = outcome == RejectOutcome::Rejected;
    let text = if changed {
        "The remediation is rejected."
    } else {
        "Nothing changed: it was rejected already."
    };
    Ok(output.answer(&json!({"id": id, "changed": changed, "state": "rejected"}), text)?)
}

fn row_cells(row: &Remediation) -> Vec<String> {
    vec![
        row.state.to_string(),
        row.action.clone(),
        foreign(&row.target),
        row.requested_at.to_string(),
        row.id.to_string(),
    ]
}

fn row_json(row: &Remediation) -> Value {
    json!({
        "id": row.id,
        "finding_id": row.finding,
        "finding_title": row.finding_title,
        "action": row.action,
        "target": row.target,
        "state": row.state,
        "note": row.note,
        "requested_at": row.requested_at,
        "requested_by": row.requested_by,
        "decided_at": row.decided_at,
    })
}
