//! `watchpost score` and `watchpost identity`.

use crate::{
    command::findings::summary_json,
    failure::{code, fail, from_core},
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    identity::Account,
    integration::fact::LastActive,
    posture::Freshness,
    service::{Change, Scored},
    value::word::Severity,
};

pub(crate) async fn score(session: &Session, output: Output) -> Result<()> {
    let answer = session.watchpost.risk(&session.scope).await.map_err(from_core)?;
    session.record("posture.read", "score").await?;
    let warnings = answer.freshness.warnings(session.watchpost.clock().now());
    match answer.score {
        Err(not_ready) => {
            let json =
                json!({"state": not_ready.state, "next_step": not_ready.next_step, "warnings": warnings});
            output.answer(
                &json,
                &format!(
                    "There is no score yet ({}).\n{}",
                    not_ready.state, not_ready.next_step
                ),
            )?;
            if !output.json {
                warn(&warnings, output);
            }
            Err(fail(code::NOT_IN_ORDER, "no score"))
        }
        Ok(scored) => {
            output.answer(
                &score_json(&scored, &answer.freshness, &warnings),
                &score_text(&scored, &answer.freshness),
            )?;
            if !output.json {
                warn(&warnings, output);
            }
            Ok(())
        }
    }
}

fn warn(warnings: &[String], output: Output) {
    for warning in warnings {
        output.note(&format!("note: {warning}"));
    }
}

fn score_json(scored: &Scored, freshness: &Freshness, warnings: &[String]) -> Value {
    let counts: serde_json::Map<String, Value> = Severity::ALL
        .iter()
        .zip(scored.severity_counts)
        .map(|(severity, count)| (severity.to_string(), json!(count)))
        .collect();
    let change = |change: Option<Change>| {
        change.map(|change| json!({"at": change.at, "score": change.score, "difference": change.difference}))
    };
    json!({
        "score": scored.risk.score,
        "label": scored.risk.label,
        "grade": scored.risk.grade,
        "direction": "higher_is_worse",
        "severity_counts": counts,
        "not_scored": scored.not_scored,
        "identities": scored.identities,
        "points": scored.risk.raw,
        "ceiling": scored.risk.ceiling,
        "points_by_category": scored.risk.points_by_category.iter().map(|(category, points)| (category.to_string(), json!(points))).collect::<serde_json::Map<_, _>>(),
        "top_findings": scored.top.iter().map(|top| {
            let mut row = summary_json(&top.finding);
            row["score_without"] = json!(top.score_without);
            row
        }).collect::<Vec<_>>(),
        "change": {"last_analysis": change(scored.since_last), "seven_days": change(scored.since_week), "thirty_days": change(scored.since_month)},
        "as_of": freshness.as_of,
        "warnings": warnings,
    })
}

fn score_text(scored: &Scored, freshness: &Freshness) -> String {
    let risk = &scored.risk;
    let mut text = format!(
        "Risk score {} of 100 ({}, grade {}; higher is worse)\n{} points of {} over {} identities",
        risk.score, risk.label, risk.grade, risk.raw, risk.ceiling, scored.identities
    );
    if let Some(at) = freshness.as_of {
        text.push_str(&format!("; as of {at}"));
    }
    let counts: Vec<String> = Severity::ALL
        .iter()
        .zip(scored.severity_counts)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    text.push_str(&format!("\n\nOpen findings: {}", counts.join(", ")));
    if scored.not_scored > 0 {
        text.push_str(&format!(
            " ({} of them don't count in the score)",
            scored.not_scored
        ));
    }
    for (name, change) in [
        ("the analysis before", scored.since_last),
        ("7 days ago", scored.since_week),
        ("30 days ago", scored.since_month),
    ] {
        if let Some(change) = change {
            text.push_str(&format!(
                "\nAgainst {name}: {:+} (it was {})",
                change.difference, change.score
            ));
        }
    }
    if !scored.top.is_empty() {
        text.push_str("\n\nThe worst");
        for top in &scored.top {
            text.push_str(&format!(
                "\n  {:<8} {}\n           {}, score without it: {}",
                top.finding.severity.as_str(),
                foreign(&top.finding.title),
                top.finding.id,
                top.score_without
            ));
        }
    }
    text
}

#[derive(Debug, Args)]
pub(crate) struct IdentityArgs {
    /// Any of the person's addresses
    email: String,
    /// Tag as an account for emergencies (break-glass)
    #[arg(long, conflicts_with = "untag_break_glass")]
    tag_break_glass: bool,
    /// Take the tag away
    #[arg(long)]
    untag_break_glass: bool,
}

pub(crate) async fn identity(args: IdentityArgs, session: &Session, output: Output) -> Result<()> {
    let answer = session
        .watchpost
        .identity(&session.scope, &args.email)
        .await
        .map_err(from_core)?;
    if args.tag_break_glass || args.untag_break_glass {
        let call = session.call("identity", &json!({"break_glass": args.tag_break_glass}));
        let outcome = session
            .watchpost
            .tag_break_glass(&session.scope, answer.identity.id, args.tag_break_glass, call)
            .await
            .map_err(from_core)?;
        let changed = outcome == watchpost_core::identity::TagOutcome::Changed;
        let text = if changed {
            "Changed; the next analysis judges by it."
        } else {
            "Nothing changed: it was so already."
        };
        return Ok(output.answer(
            &json!({"id": answer.identity.id, "changed": changed, "break_glass": args.tag_break_glass}),
            text,
        )?);
    }
    session.record("identity.read", "identity").await?;
    let person = &answer.identity;
    let json = json!({
        "id": person.id,
        "email": person.email,
        "emails": person.emails,
        "display_name": person.display_name,
        "kind": person.kind,
        "break_glass": person.break_glass,
        "accounts": person.accounts.iter().map(account_json).collect::<Vec<_>>(),
        "findings": answer.findings.iter().map(summary_json).collect::<Vec<_>>(),
        "findings_total": answer.total.value,
        "as_of": answer.freshness.as_of,
    });
    let mut text = format!(
        "{} <{}>",
        foreign(&person.display_name),
        person.email.as_deref().unwrap_or("no address")
    );
    if person.break_glass {
        text.push_str(", account for emergencies");
    }
    for account in &person.accounts {
        text.push_str(&format!(
            "\n\n{} ({}): {}, MFA {}, last active {}",
            account.platform.title(),
            foreign(&account.login),
            account.status,
            account.mfa,
            last_active(account.last_active),
        ));
        for role in &account.roles {
            text.push_str(&format!(
                "\n  role {}{}",
                foreign(&role.name),
                if role.privileged { " (privileged)" } else { "" }
            ));
        }
        for grant in &account.grants {
            let name = grant
                .app
                .as_ref()
                .map(|app| foreign(&app.name))
                .or_else(|| grant.name.as_ref().map(foreign))
                .unwrap_or_default();
            text.push_str(&format!("\n  {} {name}, risk {}", grant.kind, grant.risk));
        }
    }
    text.push_str(&format!("\n\n{} open findings", answer.total.value));
    for finding in &answer.findings {
        text.push_str(&format!(
            "\n  {:<8} {}",
            finding.severity.as_str(),
            foreign(&finding.title)
        ));
    }
    Ok(output.answer(&json, &text)?)
}

fn last_active(last: LastActive) -> String {
    match last {
        LastActive::At(at) => at.to_string(),
        LastActive::Never => "never".into(),
        LastActive::Unknown => "unknown".into(),
    }
}

fn account_json(account: &Account) -> Value {
    json!({
        "id": account.id,
        "platform": account.platform,
        "integration_id": account.integration,
        "login": account.login,
        "status": account.status,
        "kind": account.kind,
        "mfa": account.mfa,
        "mfa_methods": account.mfa_methods,
        "last_active": last_active(account.last_active),
        "department": account.department,
        "title": account.title,
        "manager_email": account.manager_email,
        "roles": account.roles.iter().map(|role| json!({"name": role.name, "privileged": role.privileged, "hold": role.hold})).collect::<Vec<_>>(),
        "grants": account.grants.iter().map(|grant| json!({
            "app": grant.app.as_ref().map(|app| json!({"id": app.id, "name": app.name, "policy": app.policy})),
            "name": grant.name, "kind": grant.kind, "risk": grant.risk, "scopes": grant.scopes,
        })).collect::<Vec<_>>(),
        "grants_total": account.grants_total,
    })
}
