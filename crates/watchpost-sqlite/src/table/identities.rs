//! Identities: look-up with accounts and grants, count, break-glass tag.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word, stored},
        unknown::{SkippedRows, known_rows},
        writer::Tx,
    },
    table::jobs::{Subject, acting_key, enqueue},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use watchpost_core::{
    app::AppRef,
    audit::PendingEntry,
    identity::{
        Account, Grant, HeldRole, Identity, Role, SHOWN_MAX, TagBreakGlass, TagOutcome, decide_tag,
        distinct_roles,
    },
    integration::fact::{Dataset, LastActive},
    job::JobKind,
    value::{
        id::{AccountId, AppId, IdentityId, IntegrationId},
        text::ForeignText,
        word::Mfa,
    },
};

/// Reads a last use from two columns: the time, and whether it is known.
pub(crate) fn last_use(row: &Row<'_>, at: usize, known: usize) -> Res<LastActive> {
    Ok(match (row.time_opt(at)?, row.get::<_, bool>(known)?) {
        (Some(at), _) => LastActive::At(at),
        (None, true) => LastActive::Never,
        (None, false) => LastActive::Unknown,
    })
}

/// Reads the roles of a principal, combined by [`distinct_roles`].
pub(crate) fn roles(
    conn: &Connection,
    workspace: i64,
    integration: i64,
    principal: &str,
    limit: usize,
) -> Res<Vec<HeldRole>> {
    let mut statement = conn.prepare_cached(
        "SELECT role_key, role_name, privileged, super_admin, hold, via_group, ends_at FROM roles \
         WHERE workspace_id = ?1 AND integration = ?2 AND principal_vendor_id = ?3 LIMIT 400",
    )?;
    let mut rows = statement.query(params![workspace, integration, principal])?;
    let mut out: Vec<HeldRole> = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(HeldRole {
            key: row.get(0)?,
            name: row.text(1)?,
            privileged: row.get(2)?,
            super_admin: row.get(3)?,
            hold: row.word(4)?,
            via_group: row.text_opt(5)?,
            ends_at: row.time_opt(6)?,
        });
    }
    Ok(distinct_roles(out, limit))
}

/// The stored state of an account's multi-factor authentication.
pub(crate) struct StoredMfa {
    pub(crate) mfa: Mfa,
    pub(crate) methods: Vec<ForeignText>,
    pub(crate) phishing_resistant: Option<bool>,
    pub(crate) weak_only: Option<bool>,
}

pub(crate) fn mfa(conn: &Connection, workspace: i64, integration: i64, account: &str) -> Res<StoredMfa> {
    let mut statement = conn.prepare_cached(
        "SELECT mfa, methods, iif(phishing_resistant_known, phishing_resistant, NULL), \
         iif(weak_only_known, weak_only, NULL) FROM account_mfa \
         WHERE workspace_id = ?1 AND integration = ?2 AND dataset = ?3 AND vendor_id = ?4",
    )?;
    let mut rows = statement.query(params![workspace, integration, Dataset::Mfa.position(), account])?;
    Ok(match rows.next()? {
        Some(row) => StoredMfa {
            mfa: row.word(0)?,
            methods: row.texts(1)?,
            phishing_resistant: row.get(2)?,
            weak_only: row.get(3)?,
        },
        None => StoredMfa {
            mfa: Mfa::Unknown,
            methods: Vec::new(),
            phishing_resistant: None,
            weak_only: None,
        },
    })
}

const APP_OF_GRANT: &str = "LEFT JOIN apps p ON p.workspace_id = g.workspace_id AND p.integration = g.integration \
                            AND p.vendor_id = g.app_vendor_id";

fn grants(conn: &Connection, workspace: i64, integration: i64, account: &str) -> Res<(Vec<Grant>, u64)> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT p.id, p.name, p.policy, g.name, g.kind, g.scopes, g.risk, g.last_used_at, g.last_used_known \
         FROM grants g {APP_OF_GRANT} \
         WHERE g.workspace_id = ?1 AND g.integration = ?2 AND g.account_vendor_id = ?3 ORDER BY g.risk LIMIT ?4"
    ))?;
    let limit = stored(SHOWN_MAX as u64 + 1);
    let mut rows = statement.query(params![workspace, integration, account, limit])?;
    let mut read = 0;
    let mut out = known_rows(&mut rows, "grants", |row| {
        read += 1;
        let app = match row.get_ref(0)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(AppRef {
                id: row.id(0, AppId::from_bytes)?,
                name: row.text(1)?,
                policy: row.word(2)?,
            }),
        };
        let mut scopes = row.texts(5)?;
        scopes.truncate(64);
        Ok(Grant {
            app,
            name: row.text_opt(3)?,
            kind: row.word(4)?,
            scopes,
            risk: row.word(6)?,
            last_used: last_use(row, 7, 8)?,
        })
    })?;
    let mut total = out.len() as u64;
    if read > SHOWN_MAX {
        out.truncate(SHOWN_MAX);
        let counted: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM grants WHERE workspace_id = ?1 AND integration = ?2 AND account_vendor_id = ?3",
            )?
            .query_row(params![workspace, integration, account], |row| row.get(0))?;
        total = u64::try_from(counted).unwrap_or(0);
    }
    Ok((out, total))
}

fn accounts(conn: &Connection, workspace: i64, identity: IdentityId) -> Res<Vec<Account>> {
    let mut out = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT a.id, i.id, i.platform, i.name, a.login, a.status, a.kind, a.last_active_at, a.last_active_known, \
         a.created_at, a.department, a.title, a.manager_email, a.integration, a.vendor_id \
         FROM accounts a JOIN integrations i ON i.workspace_id = a.workspace_id AND i.integration = a.integration \
         WHERE a.workspace_id = ?1 AND a.identity_id = ?2 AND a.retired = 0 AND i.removed = 0",
    )?;
    let mut rows = statement.query(params![workspace, identity.as_bytes()])?;
    let mut skipped = SkippedRows::new("integrations");
    while let Some(row) = rows.next()? {
        let Some(platform) = skipped.skip_unknown(row.word(2))? else {
            continue;
        };
        let integration: i64 = row.get(13)?;
        let vendor_id: String = row.get(14)?;
        let mfa = mfa(conn, workspace, integration, &vendor_id)?;
        let roles = roles(conn, workspace, integration, &vendor_id, SHOWN_MAX)?;
        let (grants, grants_total) = grants(conn, workspace, integration, &vendor_id)?;
        out.push(Account {
            id: row.id(0, AccountId::from_bytes)?,
            integration: row.id(1, IntegrationId::from_bytes)?,
            platform,
            integration_name: row.text(3)?,
            login: row.text(4)?,
            status: row.word(5)?,
            kind: row.word(6)?,
            mfa: mfa.mfa,
            mfa_methods: mfa.methods,
            last_active: last_use(row, 7, 8)?,
            created_at: row.time_opt(9)?,
            department: row.text_opt(10)?,
            title: row.text_opt(11)?,
            manager_email: row.get(12)?,
            roles: roles
                .into_iter()
                .map(|role| Role {
                    name: role.name,
                    privileged: role.privileged,
                    hold: role.hold,
                })
                .collect(),
            grants,
            grants_total,
        });
    }
    out.sort_by(|a, b| {
        (a.platform, a.integration, &a.login, a.id).cmp(&(b.platform, b.integration, &b.login, b.id))
    });
    Ok(out)
}

/// Reads one identity with all its details.
pub(crate) fn load(conn: &Connection, workspace: i64, id: IdentityId) -> Res<Option<Identity>> {
    let mut statement = conn.prepare_cached(
        "SELECT email, display_name, kind, break_glass FROM identities WHERE workspace_id = ?1 AND id = ?2",
    )?;
    let mut rows = statement.query(params![workspace, id.as_bytes()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let email: Option<String> = row.get(0)?;
    let mut emails: Vec<String> = email.clone().into_iter().collect();
    let mut statement = conn.prepare_cached(
        "SELECT address FROM identity_addresses WHERE workspace_id = ?1 AND identity_id = ?2 ORDER BY address LIMIT 100",
    )?;
    let mut addresses = statement.query(params![workspace, id.as_bytes()])?;
    while let Some(address) = addresses.next()? {
        let address: String = address.get(0)?;
        if !emails.contains(&address) {
            emails.push(address);
        }
    }
    Ok(Some(Identity {
        id,
        email,
        emails,
        display_name: row.text(1)?,
        kind: row.word(2)?,
        break_glass: row.get(3)?,
        accounts: accounts(conn, workspace, id)?,
    }))
}

/// Reads the stored count of identities that have an account.
pub(crate) fn count(conn: &Connection, workspace: i64) -> Res<u64> {
    let found: Option<i64> = conn
        .prepare_cached("SELECT identities FROM workspaces WHERE workspace_id = ?1")?
        .query_row([workspace], |row| row.get(0))
        .optional()?;
    Ok(found.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Reads the identity with an address.
pub(crate) fn by_address(conn: &Connection, workspace: i64, address: &str) -> Res<Option<Identity>> {
    let id: Option<[u8; 16]> = conn
        .prepare_cached(
            "SELECT identity_id FROM identity_addresses WHERE workspace_id = ?1 AND address = ?2",
        )?
        .query_row(params![workspace, address], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => load(conn, workspace, IdentityId::from_bytes(id)),
        None => Ok(None),
    }
}

/// Sets or removes the break-glass tag of an identity and queues an analysis if the tag has changed.
pub(crate) fn tag(
    tx: &Tx<'_>,
    workspace: i64,
    command: &TagBreakGlass,
    entry: &mut PendingEntry,
) -> Res<TagOutcome> {
    let tagged: Option<bool> = tx
        .conn
        .query_row(
            "SELECT break_glass FROM identities WHERE workspace_id = ?1 AND id = ?2",
            params![workspace, command.id.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    let outcome = decide_tag(tagged, command.tagged);
    if outcome == TagOutcome::Changed {
        tx.conn.execute(
            "UPDATE identities SET break_glass = ?3, tagged_at = ?4 WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                command.id.as_bytes(),
                command.tagged,
                command.now.as_millis()
            ],
        )?;
        let job = (JobKind::Analyse, Subject::None);
        enqueue(
            tx,
            workspace,
            job,
            command.analysis,
            acting_key(entry),
            command.now,
        )?;
        tx.bump(workspace)?;
    }
    entry.set_outcome(outcome.audit_outcome());
    Ok(outcome)
}
