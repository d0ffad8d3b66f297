//! `watchpost exemption`: what checks leave out, agreed by a person, with an end.

use crate::{
    failure::from_core,
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use watchpost_core::{
    check::Exempted,
    scan::Exemption as Row,
    value::{
        id::ExemptionId,
        time::{DAY_MS, Timestamp},
    },
};

#[derive(Debug, Subcommand)]
pub(crate) enum Exemption {
    /// Exempts one thing from a check, or a check as a whole
    Add(Add),
    /// Lists exemptions
    List,
    /// Takes an exemption back
    Remove {
        /// The exemption's id
        id: ExemptionId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The check's id, or its id in a framework
    #[arg(long)]
    check: String,
    /// What kind of thing: user, group, application, role, domain, mailbox, policy, app
    #[arg(long, requires = "entity", required_unless_present = "whole_check")]
    kind: Option<String>,
    /// The thing's id or name at the vendor
    #[arg(long, requires = "kind")]
    entity: Option<String>,
    /// The check as a whole: it counts as not applicable
    #[arg(long, conflicts_with_all = ["kind", "entity"])]
    whole_check: bool,
    /// Why
    #[arg(long)]
    reason: String,
    /// Who answers for it
    #[arg(long)]
    owner: String,
    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, conflicts_with = "days")]
    until: Option<Timestamp>,
    /// After how many days it ends
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=3_650))]
    days: Option<i64>,
}

pub(crate) async fn run(command: Exemption, session: &Session, output: Output) -> Result<()> {
    match command {
        Exemption::Add(args) => add(args, session, output).await,
        Exemption::List => list(session, output).await,
        Exemption::Remove { id } => remove(id, session, output).await,
    }
}

async fn add(args: Add, session: &Session, output: Output) -> Result<()> {
    let now = session.watchpost.clock().now();
    let what = Exempted {
        check: args.check,
        kind: args.kind.unwrap_or_else(|| "*".to_owned()),
        id: args.entity.unwrap_or_default(),
    };
    let until = args
        .until
        .or_else(|| args.days.map(|days| now.plus_millis(days.saturating_mul(DAY_MS))));
    let call = session.call("exemption add", &json!({"check": what.check, "kind": what.kind}));
    let row = session
        .watchpost
        .add_exemption(&session.scope, what, &args.reason, &args.owner, until, call)
        .await
        .map_err(from_core)?;
    let end = row.until.map_or_else(
        || "until it is removed".to_owned(),
        |until| format!("until {until}"),
    );
    let text = format!("Exempted {end}; the next scan applies it. Id {}", row.id);
    Ok(output.answer(&row_json(&row, now), &text)?)
}

async fn list(session: &Session, output: Output) -> Result<()> {
    let rows = session
        .read(
            "exemption.read",
            "exemption list",
            session.watchpost.exemptions(&session.scope).await,
        )
        .await?;
    let now = session.watchpost.clock().now();
    let json = json!({"exemptions": rows.iter().map(|row| row_json(row, now)).collect::<Vec<_>>()});
    Ok(output.table(
        &json,
        &["check", "what", "why", "owner", "until", "id"],
        rows.iter().map(|row| row_cells(row, now)).collect(),
        "No exemptions.",
    )?)
}

async fn remove(id: ExemptionId, session: &Session, output: Output) -> Result<()> {
    let call = session.call("exemption remove", &json!({"exemption_id": id}));
    session
        .watchpost
        .remove_exemption(&session.scope, id, call)
        .await
        .map_err(from_core)?;
    Ok(output.answer(
        &json!({"id": id, "removed": true}),
        "Taken back; the next scan applies it.",
    )?)
}

fn row_json(row: &Row, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "check": row.what.check,
        "kind": row.what.kind,
        "entity": row.what.id,
        "reason": row.reason,
        "owner": row.owner,
        "created_at": row.created_at,
        "until": row.until,
        "holds": row.holds_at(now),
    })
}

fn row_cells(row: &Row, now: Timestamp) -> Vec<String> {
    let what = if row.what.kind == "*" {
        "the whole check".to_owned()
    } else {
        format!("{} {}", row.what.kind, row.what.id)
    };
    let end = match row.until {
        None => "no end".to_owned(),
        Some(until) if row.holds_at(now) => until.to_string(),
        Some(until) => format!("ended {until}"),
    };
    vec![
        row.what.check.clone(),
        what,
        foreign(&row.reason),
        foreign(&row.owner),
        end,
        row.id.to_string(),
    ]
}
