//! `watchpost identity`.

use crate::{
    command::findings::summary_json,
    failure::from_core,
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    identity::{Account, TagOutcome},
    integration::fact::LastActive,
    service::IdentityAnswer,
    value::id::IdentityId,
};

#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// Any of the person's addresses
    email: String,
    /// Tag as an account for emergencies (break-glass)
    #[arg(long, conflicts_with = "untag_break_glass")]
    tag_break_glass: bool,
    /// Take the tag away
    #[arg(long)]
    untag_break_glass: bool,
}

pub(crate) async fn run(args: Identity, session: &Session, output: Output) -> Result<()> {
    let read = session.watchpost.identity(&session.scope, &args.email).await;
    let answer = session.read("identity.read", "identity", read).await?;
    if args.tag_break_glass || args.untag_break_glass {
        return tag(answer.identity.id, args.tag_break_glass, session, output).await;
    }
    Ok(output.answer(&answer_json(&answer), &answer_text(&answer))?)
}

/// Tags an account for emergencies, or takes the tag away.
async fn tag(id: IdentityId, break_glass: bool, session: &Session, output: Output) -> Result<()> {
    let call = session.call("identity", &json!({"break_glass": break_glass}));
    let outcome = session
        .watchpost
        .tag_break_glass(&session.scope, id, break_glass, call)
        .await
        .map_err(from_core)?;
    let changed = outcome == TagOutcome::Changed;
    let text = if changed {
        "Changed; the next analysis judges by it."
    } else {
        "Nothing changed: it was so already."
    };
    Ok(output.answer(
        &json!({"id": id, "changed": changed, "break_glass": break_glass}),
        text,
    )?)
}

fn answer_json(answer: &IdentityAnswer) -> Value {
    let person = &answer.identity;
    json!({
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
    })
}

fn answer_text(answer: &IdentityAnswer) -> String {
    let person = &answer.identity;
    let mut text = format!(
        "{} <{}>",
        foreign(&person.display_name),
        person.email.as_deref().unwrap_or("no address")
    );
    if person.break_glass {
        text.push_str(", account for emergencies");
    }
    for account in &person.accounts {
        text.push_str(&account_text(account));
    }
    text.push_str(&format!("\n\n{} open findings", answer.total.value));
    for finding in &answer.findings {
        text.push_str(&format!(
            "\n  {:<8} {}",
            finding.severity.as_str(),
            foreign(&finding.title)
        ));
    }
    text
}

/// An account with its roles and grants, after an empty line.
fn account_text(account: &Account) -> String {
    let mut text = format!(
        "\n\n{} ({}): {}, MFA {}, last active {}",
        account.platform.title(),
        foreign(&account.login),
        account.status,
        account.mfa,
        last_active(account.last_active),
    );
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
    text
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
