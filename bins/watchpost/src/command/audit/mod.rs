//! `watchpost audit`: the audit trail.

mod verify;

pub(crate) use verify::{Verify, verify};

use crate::{failure::from_store, output::Output, session::Session, text};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write as _;
use watchpost_core::{
    audit::{AuditQuery, AuditRow, CHAIN_VERSION},
    value::{text::is_formula, time::Timestamp},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Lists entries, newest first
    List(List),
    /// Verifies the whole trail and its checkpoint, without the master key and without writing
    Verify(Verify),
    /// Writes all entries to standard output, oldest first; the export itself is audited too
    Export {
        /// The format
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object per line
    Jsonl,
    /// One JSON array
    Json,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only entries of this action, or of all actions with this prefix if it ends in a dot (`finding.`)
    #[arg(long)]
    action: Option<String>,
    /// Only entries of the actor with this id
    #[arg(long)]
    actor: Option<String>,
    /// Only entries at or after this time (RFC 3339)
    #[arg(long)]
    from: Option<Timestamp>,
    /// Only entries before this time (RFC 3339)
    #[arg(long)]
    to: Option<Timestamp>,
    /// Maximum number of entries
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

pub(crate) async fn run(command: Audit, session: &Session, output: Output) -> Result<()> {
    match command {
        Audit::List(list) => {
            let limit = usize::try_from(list.limit).unwrap_or(100);
            let query = AuditQuery {
                action: list.action,
                actor_id: list.actor,
                from: list.from,
                to: list.to,
                before_seq: None,
                limit,
            };
            let read = session.watchpost.audit_entries(&session.scope, &query).await;
            let rows = session.read("audit.read", "audit list", read).await?;
            let json = json!({"entries": rows.iter().map(row_json).collect::<Vec<_>>()});
            let table = rows
                .iter()
                .map(|row| {
                    vec![
                        row.seq.to_string(),
                        row.at.to_string(),
                        format!("{} {}", row.actor_kind, short(&row.actor_id)),
                        row.action.to_string(),
                        format!("{} {}", row.target_kind, row.target_id),
                        row.outcome.to_string(),
                        format!("{} {}", row.channel, row.operation),
                    ]
                })
                .collect();
            Ok(output.table(
                &json,
                &["row", "time", "actor", "action", "target", "outcome", "request"],
                table,
                text::audit::NO_ENTRIES,
            )?)
        }
        Audit::Verify(_) => unreachable!("handled before a store is opened"),
        Audit::Export { format } => export(session, output, format).await,
    }
}

async fn export(session: &Session, output: Output, format: Format) -> Result<()> {
    let call = session.call("audit export", &json!({}));
    let mut pages = session
        .watchpost
        .export_audit(&session.scope, call, |entry| session.owe(&entry))
        .await
        .map_err(from_store)?;
    let mut first = true;
    match format {
        Format::Json => output.line("[")?,
        Format::Csv => output.line("seq,at,actor_kind,actor_id,action,target_kind,target_id,outcome,channel,operation,arguments,prev_hash,row_hash")?,
        Format::Jsonl => {}
    }
    loop {
        let page = pages.next_page().await.map_err(from_store)?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let line = match format {
                Format::Jsonl => row_json(row).to_string(),
                Format::Json => format!("{}{}", if first { " " } else { "," }, row_json(row)),
                Format::Csv => csv(row),
            };
            output.line(&line)?;
            first = false;
        }
    }
    if matches!(format, Format::Json) {
        output.line("]")?;
    }
    Ok(())
}

fn row_json(row: &AuditRow) -> Value {
    json!({
        "chain": CHAIN_VERSION,
        "seq": row.seq,
        "at": row.at,
        "at_ms": row.at.as_millis(),
        "actor_kind": row.actor_kind,
        "actor_id": row.actor_id,
        "action": row.action,
        "target_kind": row.target_kind,
        "target_id": row.target_id,
        "outcome": row.outcome,
        "channel": row.channel,
        "operation": row.operation,
        "arguments": row.arguments,
        "prev_hash": hex(&row.prev_hash),
        "row_hash": hex(&row.row_hash),
    })
}

fn csv(row: &AuditRow) -> String {
    let cells = [
        row.seq.to_string(),
        row.at.to_string(),
        row.actor_kind.to_string(),
        row.actor_id.clone(),
        row.action.to_string(),
        row.target_kind.to_string(),
        row.target_id.clone(),
        row.outcome.to_string(),
        row.channel.to_string(),
        row.operation.to_string(),
        row.arguments.clone(),
        hex(&row.prev_hash),
        hex(&row.row_hash),
    ];
    let mut line = String::new();
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            line.push(',');
        }
        // Keeps spreadsheets from evaluating a cell as a formula.
        let guard = if is_formula(cell) { "'" } else { "" };
        let _ = write!(line, "\"{guard}{}\"", cell.replace('"', "\"\""));
    }
    line
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
