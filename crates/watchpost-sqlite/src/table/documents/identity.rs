//! Documents of identities.

use super::{
    context::{Context, Contexts},
    role,
};
use crate::{
    base::{
        fault::Res,
        row::{Columns, stored},
        unknown::known_rows,
    },
    table::identities::{last_use, mfa, roles},
};
use rusqlite::{Connection, params, types::ValueRef};
use std::sync::Arc;
use watchpost_core::{
    integration::fact::LastActive,
    rule::document::{ACCOUNTS_MAX, AccountDocument, GRANTS_MAX, GrantDocument, IdentityDocument, ROLES_MAX},
    value::{
        id::{AccountId, AppId, IdentityId},
        time::Timestamp,
    },
};

/// Returns the documents of identities that have an account, in the order of their ids.
pub(crate) fn identities(
    conn: &Connection,
    workspace: i64,
    contexts: &Contexts,
    after: Option<IdentityId>,
    limit: usize,
) -> Res<Vec<IdentityDocument>> {
    let context = contexts.get(conn, workspace, after.is_none())?;
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    let mut statement = conn.prepare_cached(
        "SELECT id, email, display_name, kind, break_glass FROM identities \
         WHERE workspace_id = ?1 AND id > ?2 AND accounts > 0 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![workspace, after, stored(limit as u64)])?;
    let mut out = Vec::with_capacity(limit.min(1_000));
    while let Some(row) = rows.next()? {
        let id = row.id(0, IdentityId::from_bytes)?;
        out.push(IdentityDocument {
            id,
            email: row.get(1)?,
            display_name: row.text(2)?,
            kind: row.word(3)?,
            break_glass: row.get(4)?,
            accounts: accounts(conn, workspace, &context, id)?,
            integrations: Arc::clone(&context.integrations),
            company_domains: Arc::clone(&context.company_domains),
        });
    }
    Ok(out)
}

/// Returns the time of the last use in milliseconds, and whether it is known.
pub(super) fn use_ms(value: LastActive) -> (Option<i64>, bool) {
    match value {
        LastActive::At(at) => (Some(at.as_millis()), true),
        LastActive::Never => (None, true),
        LastActive::Unknown => (None, false),
    }
}

fn accounts(
    conn: &Connection,
    workspace: i64,
    context: &Context,
    identity: IdentityId,
) -> Res<Vec<AccountDocument>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, integration, vendor_id, login, email, status, status_changed_at, kind, last_active_at, \
         last_active_known, created_at, password_never_expires, password_changed_at, on_premises_id, \
         invitation_pending, mailbox, password_expiry_exempt, synced FROM accounts \
         WHERE workspace_id = ?1 AND identity_id = ?2 AND retired = 0 LIMIT ?3",
    )?;
    let mut rows = statement.query(params![workspace, identity.as_bytes(), stored(ACCOUNTS_MAX)])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let integration: i64 = row.get(1)?;
        // The integration is being removed: its accounts are left out.
        let Some(reference) = context.by_number.get(&integration) else {
            continue;
        };
        let vendor_id: String = row.get(2)?;
        let mfa = mfa(conn, workspace, integration, &vendor_id)?;
        let (last_active_ms, last_active_known) = use_ms(last_use(row, 8, 9)?);
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        out.push(AccountDocument {
            id: row.id(0, AccountId::from_bytes)?,
            integration: reference.clone(),
            login: row.text(3)?,
            email: row.get(4)?,
            status: row.word(5)?,
            status_changed_at_ms: ms(row.time_opt(6)?),
            kind: row.word(7)?,
            mfa: mfa.mfa,
            mfa_methods: mfa.methods,
            phishing_resistant: mfa.phishing_resistant,
            weak_mfa_only: mfa.weak_only,
            last_active_ms,
            last_active_known,
            created_at_ms: ms(row.time_opt(10)?),
            password_never_expires: row.get(11)?,
            password_changed_at_ms: ms(row.time_opt(12)?),
            password_expiry_exempt: row.get(16)?,
            synced: row.get(17)?,
            on_premises_id: row.get(13)?,
            invitation_pending: row.get(14)?,
            mailbox: row.get(15)?,
            roles: roles(conn, workspace, integration, &vendor_id, ROLES_MAX)?
                .into_iter()
                .map(role)
                .collect(),
            grants: grants(conn, workspace, integration, &vendor_id)?,
        });
    }
    out.sort_by(|a, b| {
        (a.integration.platform, &a.login, a.id).cmp(&(b.integration.platform, &b.login, b.id))
    });
    Ok(out)
}

fn grants(conn: &Connection, workspace: i64, integration: i64, account: &str) -> Res<Vec<GrantDocument>> {
    let mut statement = conn.prepare_cached(
        "SELECT p.id, p.name, p.policy, g.name, g.kind, g.scopes, g.risk, g.created_at, g.last_used_at, \
         g.expires_at, g.never_expires, g.network \
         FROM grants g LEFT JOIN apps p ON p.workspace_id = g.workspace_id AND p.integration = g.integration \
         AND p.vendor_id = g.app_vendor_id \
         WHERE g.workspace_id = ?1 AND g.integration = ?2 AND g.account_vendor_id = ?3 ORDER BY g.risk LIMIT ?4",
    )?;
    let mut rows = statement.query(params![workspace, integration, account, stored(GRANTS_MAX)])?;
    known_rows(&mut rows, "grants", |row| {
        let known = !matches!(row.get_ref(0)?, ValueRef::Null);
        Ok(GrantDocument {
            app_id: if known {
                Some(row.id(0, AppId::from_bytes)?)
            } else {
                None
            },
            app_name: row.text_opt(1)?,
            app_policy: row.word_opt(2)?,
            name: row.text_opt(3)?,
            kind: row.word(4)?,
            scopes: row.texts(5)?,
            risk: row.word(6)?,
            created_at_ms: row.get(7)?,
            last_used_ms: row.get(8)?,
            expires_at_ms: row.get(9)?,
            never_expires: row.get(10)?,
            network: row.word_opt(11)?,
        })
    })
}
