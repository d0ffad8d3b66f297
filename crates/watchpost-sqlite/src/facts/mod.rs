//! Facts: storing pages, ending datasets, deleting what a removed integration left.

mod identity;
mod retire;
mod table;
mod usage;

use crate::{
    fault::Res,
    integrations::running_sync,
    row::{Word, texts_json},
    store::SqliteStore,
    writer::Tx,
};
use rusqlite::types::Value;
use table::{APPS, GRANTS, Home, MFA, OWNERS, ROLES, SETTINGS, Written};
use watchpost_core::{
    access::JobPermit,
    error::StoreError,
    integration::fact::{AccountFacts, AppFacts, Fact, FactPage, GrantFacts, LastActive, RoleFacts},
    value::{
        id::{AppId, IntegrationId, SyncId},
        text::ForeignText,
        time::Timestamp,
    },
};

impl SqliteStore {
    pub(crate) async fn write_facts(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        page: FactPage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = permit.scope().workspace();
        let dataset = page.dataset.position();
        let mut facts = page.facts.into_iter();
        self.inner
            .writer
            .bulk("facts", move |tx| {
                let workspace = tx.workspace(id)?;
                let (sync, integration) = running_sync(tx.conn, workspace, sync, integration)?;
                let home = Home {
                    workspace,
                    integration,
                    dataset,
                    sync,
                };
                let mut changed = false;
                let mut done = None;
                loop {
                    let Some(fact) = facts.next() else {
                        done = Some(());
                        break;
                    };
                    changed |= store(tx, home, fact, now)?;
                    if !tx.may_go_on() {
                        break;
                    }
                }
                if changed {
                    tx.bump(workspace)?;
                }
                Ok(done)
            })
            .await
    }
}

/// Stores one fact. Gives whether anything changed.
fn store(tx: &Tx<'_>, home: Home, fact: Fact, now: Timestamp) -> Res<bool> {
    let none = || Ok(Vec::new());
    let written = match fact {
        Fact::Account(facts) => return identity::store_account(tx, home, &facts, now),
        Fact::Mfa(facts) => {
            let values = vec![
                int(facts.mfa.position()),
                Value::Text(texts_json(&facts.methods)),
                flag(facts.phishing_resistant),
                flag(facts.weak_only),
            ];
            MFA.write(tx, home, &facts.account_vendor_id, values, none)?
        }
        Fact::Role(facts) => {
            let vendor_id = facts.vendor_id.clone();
            ROLES.write(tx, home, &vendor_id, role_values(facts), none)?
        }
        Fact::App(facts) => {
            let once = || {
                // The vendor's date if it is earlier than our first sight.
                let first = facts.created_at.map_or(now, |at| at.min(now));
                let id = AppId::generate(tx.clock, tx.random);
                Ok(vec![blob(id.as_bytes()), Value::Integer(first.as_millis())])
            };
            APPS.write(tx, home, &facts.vendor_id, app_values(&facts), once)?
        }
        Fact::AppOwner(facts) => {
            // The pair is the row's identity.
            let vendor_id = format!("{}\u{1f}{}", facts.app_vendor_id, facts.account_vendor_id);
            let values = vec![
                Value::Text(facts.app_vendor_id),
                Value::Text(facts.account_vendor_id),
            ];
            OWNERS.write(tx, home, &vendor_id, values, none)?
        }
        Fact::Grant(facts) => GRANTS.write(tx, home, &facts.vendor_id, grant_values(&facts), none)?,
        Fact::Setting(facts) => {
            let values = vec![Value::Text(facts.document)];
            SETTINGS.write(tx, home, &facts.path, values, none)?
        }
    };
    Ok(written != Written::Same)
}

fn int(code: u8) -> Value {
    Value::Integer(i64::from(code))
}

fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

fn flag_opt(value: Option<bool>) -> Value {
    value.map_or(Value::Null, flag)
}

fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.to_vec())
}

fn text(value: &ForeignText) -> Value {
    Value::Text(value.untrusted().to_owned())
}

fn text_opt(value: Option<&ForeignText>) -> Value {
    value.map_or(Value::Null, text)
}

fn plain_opt(value: Option<&String>) -> Value {
    value.map_or(Value::Null, |value| Value::Text(value.clone()))
}

fn time_opt(value: Option<Timestamp>) -> Value {
    value.map_or(Value::Null, |at| Value::Integer(at.as_millis()))
}

/// A last use as two columns: when, and whether it is known.
fn last_use(value: LastActive) -> [Value; 2] {
    match value {
        LastActive::At(at) => [Value::Integer(at.as_millis()), flag(true)],
        LastActive::Never => [Value::Null, flag(true)],
        LastActive::Unknown => [Value::Null, flag(false)],
    }
}

fn account_values(facts: &AccountFacts) -> Vec<Value> {
    let [last_active_at, last_active_known] = last_use(facts.last_active);
    vec![
        text(&facts.login),
        plain_opt(facts.email.as_ref()),
        Value::Text(serde_json::to_string(&facts.aliases).unwrap_or_else(|_| "[]".into())),
        text(&facts.display_name),
        int(facts.status.position()),
        time_opt(facts.status_changed_at),
        int(facts.kind.position()),
        last_active_at,
        last_active_known,
        time_opt(facts.created_at),
        text_opt(facts.department.as_ref()),
        text_opt(facts.title.as_ref()),
        plain_opt(facts.manager_email.as_ref()),
        flag_opt(facts.password_never_expires),
        time_opt(facts.password_changed_at),
        flag_opt(facts.synced),
        flag_opt(facts.on_premises_id),
        flag_opt(facts.invitation_pending),
        flag_opt(facts.mailbox),
    ]
}

fn role_values(facts: RoleFacts) -> Vec<Value> {
    vec![
        Value::Text(facts.principal_vendor_id),
        Value::Text(facts.role_key),
        text(&facts.role_name),
        flag(facts.privileged),
        flag(facts.super_admin),
        int(facts.hold.position()),
        text_opt(facts.via_group.as_ref()),
        time_opt(facts.ends_at),
    ]
}

/// How a name is compared: without regard to case and blanks at the ends.
pub(crate) fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

fn app_values(facts: &AppFacts) -> Vec<Value> {
    vec![
        text(&facts.name),
        Value::Text(name_key(facts.name.untrusted())),
        facts
            .client_id
            .as_ref()
            .map_or(Value::Null, |id| Value::Text(name_key(id))),
        plain_opt(facts.client_id.as_ref()),
        text_opt(facts.publisher.as_ref()),
        flag_opt(facts.publisher_verified),
        flag(facts.first_party),
        flag_opt(facts.own_registration),
        flag(facts.enabled),
        time_opt(facts.created_at),
        plain_opt(facts.sign_on_mode.as_ref()),
        flag_opt(facts.deprovisioning),
        Value::Text(serde_json::to_string(&facts.credentials).unwrap_or_else(|_| "[]".into())),
    ]
}

fn grant_values(facts: &GrantFacts) -> Vec<Value> {
    let [last_used_at, last_used_known] = last_use(facts.last_used);
    vec![
        plain_opt(facts.app_vendor_id.as_ref()),
        plain_opt(facts.account_vendor_id.as_ref()),
        int(facts.kind.position()),
        text_opt(facts.name.as_ref()),
        Value::Text(texts_json(&facts.scopes)),
        int(facts.risk.position()),
        time_opt(facts.created_at),
        last_used_at,
        last_used_known,
        time_opt(facts.expires_at),
        flag(facts.never_expires),
    ]
}
