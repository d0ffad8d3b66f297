//! Converts facts to the values of columns.

use crate::base::row::{Word, texts_json};
use rusqlite::types::Value;
use watchpost_core::{
    app::name_key,
    integration::fact::{AccountFacts, AppFacts, GrantFacts, LastActive, RoleFacts},
    value::{text::ForeignText, time::Timestamp},
};

pub(super) fn int(code: u8) -> Value {
    Value::Integer(i64::from(code))
}

pub(super) fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// Returns the two columns of a flag that may be unknown: the flag, and whether it is known.
pub(super) fn flag_known(value: Option<bool>) -> [Value; 2] {
    [flag(value == Some(true)), flag(value.is_some())]
}

pub(super) fn flag_opt(value: Option<bool>) -> Value {
    value.map_or(Value::Null, flag)
}

pub(super) fn blob(bytes: &[u8]) -> Value {
    Value::Blob(bytes.to_vec())
}

pub(super) fn text(value: &ForeignText) -> Value {
    Value::Text(value.untrusted().to_owned())
}

pub(super) fn text_opt(value: Option<&ForeignText>) -> Value {
    value.map_or(Value::Null, text)
}

pub(super) fn plain_opt(value: Option<&String>) -> Value {
    value.map_or(Value::Null, |value| Value::Text(value.clone()))
}

pub(super) fn time_opt(value: Option<Timestamp>) -> Value {
    value.map_or(Value::Null, |at| Value::Integer(at.as_millis()))
}

/// Returns the two columns of a last use: the time, and whether it is known.
pub(super) fn last_use(value: LastActive) -> [Value; 2] {
    match value {
        LastActive::At(at) => [Value::Integer(at.as_millis()), flag(true)],
        LastActive::Never => [Value::Null, flag(true)],
        LastActive::Unknown => [Value::Null, flag(false)],
    }
}

pub(super) fn account_values(facts: &AccountFacts) -> Vec<Value> {
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
        flag_opt(facts.password_expiry_exempt),
    ]
}

pub(super) fn role_values(facts: RoleFacts) -> Vec<Value> {
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

pub(super) fn app_values(facts: &AppFacts) -> Vec<Value> {
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

pub(super) fn grant_values(facts: &GrantFacts) -> Vec<Value> {
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
        facts
            .network
            .map_or(Value::Null, |network| int(network.position())),
    ]
}
