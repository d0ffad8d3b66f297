//! Documents of integrations.

use crate::{
    base::{
        fault::Res,
        row::{Word, str_of},
    },
    table::integrations::all_with_numbers,
};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use watchpost_core::{
    rule::document::{IntegrationDocument, unreadable},
    value::{
        time::Timestamp,
        word::{AccountKind, AccountStatus, CollectionState, Platform},
    },
};

/// Returns the documents of the integrations that are synced.
pub(crate) fn integrations(conn: &Connection, workspace: i64) -> Res<Vec<IntegrationDocument>> {
    let mut out = Vec::new();
    for (number, row) in all_with_numbers(conn, workspace)? {
        // Imports contain verdicts, which rules don't read.
        if !row.is_active() || row.platform == Platform::Import {
            continue;
        }
        let lost = row
            .collections
            .iter()
            .filter(|collection| collection.state == CollectionState::Denied && collection.completions > 0)
            .map(|collection| collection.dataset)
            .collect();
        let (super_admins, break_glass_accounts) = super_admins(conn, workspace, number)?;
        out.push(IntegrationDocument {
            id: row.id,
            platform: row.platform,
            status: row.status,
            unreadable: unreadable(&row),
            lost,
            last_completed_ms: row.last_completed_at.map(Timestamp::as_millis),
            settings: settings(conn, workspace, number)?,
            super_admins,
            break_glass_accounts,
            active_members: active_members(conn, workspace, number)?,
            name: row.name,
        });
    }
    Ok(out)
}

fn settings(conn: &Connection, workspace: i64, integration: i64) -> Res<BTreeMap<String, serde_json::Value>> {
    let mut statement = conn.prepare_cached(
        "SELECT vendor_id, document FROM settings WHERE workspace_id = ?1 AND integration = ?2",
    )?;
    let mut rows = statement.query([workspace, integration])?;
    let mut out = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let path: String = row.get(0)?;
        // A setting that isn't JSON is left out, as if it hadn't been read.
        match serde_json::from_str(str_of(row.get_ref(1)?)?) {
            Ok(document) => {
                out.insert(path, document);
            }
            Err(error) => tracing::warn!(%path, %error, "a setting is not valid JSON"),
        }
    }
    Ok(out)
}

/// Counts the active accounts that have the platform's highest role, and those of them that are tagged as break-glass
/// accounts.
fn super_admins(conn: &Connection, workspace: i64, integration: i64) -> Res<(u64, u64)> {
    let (all, tagged): (i64, i64) = conn
        .prepare_cached(
            "SELECT count(*), coalesce(sum(break_glass), 0) FROM ( \
               SELECT DISTINCT a.vendor_id, p.break_glass FROM roles r \
               JOIN accounts a ON a.workspace_id = r.workspace_id AND a.integration = r.integration \
               AND a.vendor_id = r.principal_vendor_id \
               JOIN identities p ON p.workspace_id = a.workspace_id AND p.id = a.identity_id \
               WHERE r.workspace_id = ?1 AND r.integration = ?2 AND r.super_admin = 1 AND a.retired = 0 \
               AND a.status = ?3)",
        )?
        .query_row(
            params![workspace, integration, AccountStatus::Active.position()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    Ok((
        u64::try_from(all).unwrap_or(0),
        u64::try_from(tagged).unwrap_or(0),
    ))
}

fn active_members(conn: &Connection, workspace: i64, integration: i64) -> Res<u64> {
    let count: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM accounts WHERE workspace_id = ?1 AND integration = ?2 AND retired = 0 \
             AND status = ?3 AND kind = ?4",
        )?
        .query_row(
            params![
                workspace,
                integration,
                AccountStatus::Active.position(),
                AccountKind::Member.position()
            ],
            |row| row.get(0),
        )?;
    Ok(u64::try_from(count).unwrap_or(0))
}
