//! `watchpost findings`: findings, and a person's decisions about them.

use crate::{
    failure::{code, fail, from_core},
    output::{Output, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use watchpost_core::{
    finding::{Finding, FindingOutcome, FindingQuery, FindingSummary},
    rule::document::EntityRef,
    service::Unrecorded,
    value::{
        id::FindingId,
        time::Since,
        word::{Category, DismissReason, FindingStatus, Platform, Severity},
    },
};

#[derive(Debug, Subcommand)]
pub(crate) enum Findings {
    /// Lists findings, most severe first
    List(List),
    /// Shows a finding with its evidence and remediation
    Show {
        /// The finding's id
        id: FindingId,
    },
    /// Hides a finding for 1 to 90 days
    Snooze {
        /// The finding's id
        id: FindingId,
        /// Number of days
        #[arg(long, default_value_t = 7)]
        days: i64,
        /// The reason, in your own words
        #[arg(long)]
        note: Option<String>,
    },
    /// Closes a finding as accepted, wrong, mitigated or not applicable
    Dismiss {
        /// The finding's id
        id: FindingId,
        /// accepted_risk, false_positive, mitigated or not_applicable
        #[arg(long)]
        reason: DismissReason,
        /// The reason, in your own words
        #[arg(long)]
        note: Option<String>,
    },
    /// Closes a finding as fixed
    Resolve {
        /// The finding's id
        id: FindingId,
        /// A description of the fix, in your own words
        #[arg(long)]
        note: Option<String>,
    },
    /// Reopens a snoozed, dismissed or resolved finding
    Reopen {
        /// The finding's id
        id: FindingId,
        /// The reason, in your own words
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only findings of these severities (repeat the flag, or separate by commas)
    #[arg(long, value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only findings of these categories
    #[arg(long, value_delimiter = ',')]
    category: Vec<Category>,
    /// Only findings in these states [default: open,in_progress]
    #[arg(long, value_delimiter = ',')]
    status: Vec<FindingStatus>,
    /// Only findings on these platforms
    #[arg(long, value_delimiter = ',')]
    platform: Vec<Platform>,
    /// Only findings of this rule
    #[arg(long)]
    rule: Option<String>,
    /// Only findings whose title, subject or rule contains these words
    #[arg(long)]
    text: Option<String>,
    /// Only findings first seen since a date (2026-11-20), a time or a number of days (7)
    #[arg(long)]
    since: Option<Since>,
    /// Maximum number of findings
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

pub(crate) async fn run(command: Findings, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    match command {
        Findings::List(list) => list_findings(list, session, output).await,
        Findings::Show { id } => {
            let (finding, detector) = session
                .read(
                    "finding.read",
                    "findings show",
                    watchpost.finding(scope, id).await,
                )
                .await?;
            let steps = detector.map(|found| found.remediation).unwrap_or_default();
            show(&finding, steps, output)
        }
        Findings::Snooze { id, days, note } => {
            let call = session.call("findings snooze", &json!({"days": days}));
            let (outcome, _) = watchpost
                .snooze_finding(scope, id, days, note.as_deref(), call)
                .await
                .map_err(from_core)?;
            report(id, outcome, output)
        }
        Findings::Dismiss { id, reason, note } => {
            let call = session.call("findings dismiss", &json!({"reason": reason}));
            let (outcome, _) = watchpost
                .dismiss_finding(scope, id, reason, note.as_deref(), call)
                .await
                .map_err(from_core)?;
            report(id, outcome, output)
        }
        Findings::Resolve { id, note } => {
            let call = session.call("findings resolve", &json!({}));
            let (outcome, _) = watchpost
                .resolve_finding(scope, id, note.as_deref(), call)
                .await
                .map_err(from_core)?;
            report(id, outcome, output)
        }
        Findings::Reopen { id, note } => {
            let call = session.call("findings reopen", &json!({}));
            let (outcome, _) = watchpost
                .reopen_finding(scope, id, note.as_deref(), call)
                .await
                .map_err(from_core)?;
            report(id, outcome, output)
        }
    }
}

async fn list_findings(list: List, session: &Session, output: Output) -> Result<()> {
    let limit = usize::try_from(list.limit).unwrap_or(usize::MAX);
    let statuses = if list.status.is_empty() {
        vec![FindingStatus::Open, FindingStatus::InProgress]
    } else {
        list.status
    };
    let mut query = FindingQuery {
        severities: list.severity,
        categories: list.category,
        statuses,
        platforms: list.platform,
        rule_id: list.rule,
        text: list.text,
        since: list
            .since
            .map(|since| since.start(session.watchpost.clock().now())),
        limit: limit.min(100),
        ..FindingQuery::default()
    };
    let read = Unrecorded::gather(async |reader| {
        let mut rows = Vec::new();
        loop {
            let (page, _) = reader.open(session.watchpost.findings(&session.scope, &query).await)?;
            rows.extend(page.findings);
            query.after = page.next;
            query.limit = limit.saturating_sub(rows.len()).min(100);
            if query.after.is_none() || query.limit == 0 {
                return Ok((rows, page.total));
            }
        }
    });
    let (rows, total) = session.read("finding.read", "findings list", read.await).await?;
    let json = json!({
        "findings": rows.iter().map(summary_json).collect::<Vec<_>>(),
        "total": total.value,
        "total_is_minimum": total.is_minimum,
        "returned": rows.len(),
    });
    let shown = rows.len();
    let table = rows
        .into_iter()
        .map(|row| {
            vec![
                row.severity.to_string(),
                row.status.to_string(),
                foreign(&row.title),
                row.id.to_string(),
            ]
        })
        .collect();
    output.table(
        &json,
        &["severity", "status", "finding", "id"],
        table,
        text::findings::NO_FINDINGS,
    )?;
    if !output.json && shown > 0 {
        output.note(&text::findings::shown_of(shown, total.value, total.is_minimum));
    }
    Ok(())
}

pub(crate) fn summary_json(row: &FindingSummary) -> Value {
    json!({
        "id": row.id,
        "title": row.title,
        "severity": row.severity,
        "category": row.category,
        "status": row.status,
        "rule_id": row.rule_id,
        "also": row.also,
        "subject": {
            "type": row.subject.entity.entity_type(),
            "id": entity_id(row.subject.entity),
            "name": row.subject.name,
            "email": row.subject.email,
        },
        "apps": row.apps.iter().map(|app| json!({"id": app.id, "name": app.name})).collect::<Vec<_>>(),
        "first_seen_at": row.first_seen_at,
    })
}

fn entity_id(entity: EntityRef) -> String {
    match entity {
        EntityRef::Identity(id) => id.to_string(),
        EntityRef::App(id) => id.to_string(),
        EntityRef::Integration(id) => id.to_string(),
    }
}

fn show(finding: &Finding, steps: &[String], output: Output) -> Result<()> {
    let mut json = summary_json(&finding.summary);
    let evidence: Value = serde_json::from_str(&finding.evidence).unwrap_or(Value::Null);
    let more = json!({
        "evidence": evidence,
        "last_seen_at": finding.last_seen_at,
        "status_changed_at": finding.status_changed_at,
        "snoozed_until": finding.snoozed_until,
        "dismiss_reason": finding.dismiss_reason,
        "note": finding.note,
        "auto_resolved": finding.auto_resolved,
        "reopen_count": finding.reopen_count,
        "scored": finding.summary.scored,
        "remediation": steps,
    });
    if let (Value::Object(into), Value::Object(from)) = (&mut json, more) {
        into.extend(from);
    }
    if output.json {
        return Ok(output.line(&json.to_string())?);
    }
    Ok(output.line(&text::findings::details(finding, &evidence, steps))?)
}

fn report(id: FindingId, outcome: FindingOutcome, output: Output) -> Result<()> {
    let (changed, state) = match outcome {
        FindingOutcome::Changed { now, .. } => (true, now),
        FindingOutcome::Unchanged { state } => (false, state),
        FindingOutcome::NotPossible { status } => {
            return Err(fail(code::CONFLICT, text::findings::closed(id, status)));
        }
        FindingOutcome::NotFound => return Err(fail(code::NOT_FOUND, text::findings::NOT_FOUND)),
    };
    let json =
        json!({"id": id, "changed": changed, "status": state.status, "snoozed_until": state.snoozed_until});
    let text = if changed {
        text::findings::status_changed(state.status, state.snoozed_until)
    } else {
        text::findings::status_unchanged(state.status, state.snoozed_until)
    };
    Ok(output.answer(&json, &text)?)
}
