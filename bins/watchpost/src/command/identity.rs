//! `watchpost identity`.

use crate::{
    command::findings::summary_json,
    failure::{code, fail, from_core},
    output::Output,
    session::Session,
    text::{
        self,
        identity::{details, last_active},
    },
};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use watchpost_core::{
    identity::{Account, TagOutcome},
    service::IdentityAnswer,
    value::id::IdentityId,
};

#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// Any email address of the person, or the name; a break-glass tag requires the address
    email: String,
    /// Tag the person as a break-glass account, for emergencies only
    #[arg(long, conflicts_with = "untag_break_glass")]
    tag_break_glass: bool,
    /// Remove the break-glass tag
    #[arg(long)]
    untag_break_glass: bool,
}

pub(crate) async fn run(args: Identity, session: &Session, output: Output) -> Result<()> {
    let tags = args.tag_break_glass || args.untag_break_glass;
    // A name may mean someone else than the operator thinks.
    if tags && !args.email.contains('@') {
        return Err(fail(code::USAGE, text::identity::TAG_REQUIRES_ADDRESS));
    }
    let read = session.watchpost.identity(&session.scope, &args.email).await;
    let answer = session.read("identity.read", "identity", read).await?;
    if tags {
        return tag(answer.identity.id, args.tag_break_glass, session, output).await;
    }
    Ok(output.answer(&answer_json(&answer), &details(&answer))?)
}

/// Sets the break-glass tag, or removes it.
async fn tag(id: IdentityId, break_glass: bool, session: &Session, output: Output) -> Result<()> {
    let call = session.call("identity", &json!({"break_glass": break_glass}));
    let outcome = session
        .watchpost
        .tag_break_glass(&session.scope, id, break_glass, call)
        .await
        .map_err(from_core)?;
    let changed = outcome == TagOutcome::Changed;
    let text = if changed {
        text::identity::tag_changed(break_glass)
    } else {
        text::identity::tag_unchanged(break_glass).to_owned()
    };
    Ok(output.answer(
        &json!({"id": id, "changed": changed, "break_glass": break_glass}),
        &text,
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
