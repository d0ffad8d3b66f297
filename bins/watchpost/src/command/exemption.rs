//! `watchpost exemption`.

use crate::{
    failure::from_core,
    output::{Output, foreign},
    session::Session,
    text,
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
    /// Exempts one entity from a check, or exempts the whole check
    Add(Add),
    /// Lists exemptions
    List,
    /// Removes an exemption
    Remove {
        /// The exemption's id
        id: ExemptionId,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The check's id, or an id in a framework (CIS.M365.6.2.1, or 6.2.1) for all checks that carry it
    #[arg(long)]
    check: String,
    /// The kind of the entity: user, group, application, role, domain, mailbox, policy, app
    #[arg(long, requires = "entity", required_unless_present = "whole_check")]
    kind: Option<String>,
    /// The entity's id or name at the vendor
    #[arg(long, requires = "kind")]
    entity: Option<String>,
    /// Exempt the whole check: its result is not applicable
    #[arg(long, conflicts_with_all = ["kind", "entity"])]
    whole_check: bool,
    /// The reason for the exemption
    #[arg(long)]
    reason: String,
    /// The person who is responsible for the exemption
    #[arg(long)]
    owner: String,
    /// The time at which the exemption ends, such as 2027-01-31T00:00:00Z
    #[arg(long, conflicts_with = "days")]
    until: Option<Timestamp>,
    /// The number of days after which the exemption ends
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
    Ok(output.answer(&row_json(&row, now), &text::exemption::added(row.id, row.until))?)
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
        &["check", "exempted", "reason", "owner", "until", "id"],
        rows.iter().map(|row| row_cells(row, now)).collect(),
        text::exemption::NO_EXEMPTIONS,
    )?)
}

async fn remove(id: ExemptionId, session: &Session, output: Output) -> Result<()> {
    let call = session.call("exemption remove", &json!({"exemption_id": id}));
    session
        .watchpost
        .remove_exemption(&session.scope, id, call)
        .await
        .map_err(from_core)?;
    Ok(output.answer(&json!({"id": id, "removed": true}), text::exemption::REMOVED)?)
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
        text::exemption::WHOLE_CHECK.to_owned()
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
