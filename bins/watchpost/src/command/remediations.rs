//! `watchpost remediations`.

use crate::{
    failure::from_core,
    output::{Output, foreign},
    session::Session,
    text,
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
    /// Lists remediations, newest first
    List {
        /// Only remediations in this state
        #[arg(long)]
        state: Option<RemediationState>,
        /// Maximum number of remediations
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows one remediation
    Show {
        /// The remediation's id
        id: RemediationId,
    },
    /// Rejects a remediation that waits for approval
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
        &["state", "action", "target", "requested", "id"],
        rows.iter().map(row_cells).collect(),
        text::remediations::NO_REMEDIATIONS,
    )?)
}

async fn show(id: RemediationId, session: &Session, output: Output) -> Result<()> {
    let read = session.watchpost.remediation(&session.scope, id).await;
    let row = session
        .read("remediation.read", "remediations show", read)
        .await?;
    Ok(output.answer(&row_json(&row), &text::remediations::details(&row))?)
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
        text::remediations::REJECTED
    } else {
        text::remediations::ALREADY_REJECTED
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
