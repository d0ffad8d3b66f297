//! Documents of apps.

use super::role;
use crate::{
    base::{
        fault::{Fault, Res},
        row::{Columns, Word, stored},
        unknown::SkippedRows,
    },
    table::{identities::roles, integrations::all_with_numbers},
};
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use watchpost_core::{
    rule::document::{AppDocument, IntegrationRef, PRINCIPALS_MAX, PrincipalDocument, ROLES_MAX, SCOPES_MAX},
    value::{
        id::{AppId, IdentityId},
        text::ForeignText,
        word::{GrantKind, GrantRisk},
    },
};

/// Returns the documents of apps that aren't retired, in the order of their ids.
pub(crate) fn apps(
    conn: &Connection,
    workspace: i64,
    after: Option<AppId>,
    limit: usize,
) -> Res<Vec<AppDocument>> {
    let integrations: HashMap<i64, IntegrationRef> = all_with_numbers(conn, workspace)?
        .iter()
        .map(|(number, row)| (*number, IntegrationRef::of(row)))
        .collect();
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    let mut statement = conn.prepare_cached(
        "SELECT a.id, a.integration, a.vendor_id, a.name, a.publisher, a.publisher_verified, a.first_party, \
         a.own_registration, a.enabled, a.policy, a.first_seen_at, a.sign_on_mode, a.deprovisioning, a.credentials, \
         a.accounts FROM apps a JOIN integrations i ON i.workspace_id = a.workspace_id \
         AND i.integration = a.integration AND i.removed = 0 \
         WHERE a.workspace_id = ?1 AND a.id > ?2 AND a.retired = 0 ORDER BY a.id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![workspace, after, stored(limit as u64)])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let integration: i64 = row.get(1)?;
        let Some(reference) = integrations.get(&integration) else {
            continue;
        };
        let vendor_id: String = row.get(2)?;
        let credentials: String = row.get(13)?;
        let permissions = permissions(conn, workspace, integration, &vendor_id)?;
        let holders = "grants x JOIN accounts a ON a.workspace_id = x.workspace_id AND a.integration = x.integration \
                       AND a.vendor_id = x.account_vendor_id";
        let owners = "app_owners x JOIN accounts a ON a.workspace_id = x.workspace_id \
                      AND a.integration = x.integration AND a.vendor_id = x.account_vendor_id";
        out.push(AppDocument {
            id: row.id(0, AppId::from_bytes)?,
            integration: reference.clone(),
            name: row.text(3)?,
            publisher: row.text_opt(4)?,
            publisher_verified: row.get(5)?,
            first_party: row.get(6)?,
            own_registration: row.get(7)?,
            enabled: row.get(8)?,
            policy: row.word(9)?,
            first_seen_ms: row.get(10)?,
            sign_on_mode: row.get(11)?,
            deprovisioning: row.get(12)?,
            credentials: serde_json::from_str(&credentials)
                .map_err(|error| Fault::Damaged("apps", error.to_string()))?,
            roles: roles(conn, workspace, integration, &vendor_id, ROLES_MAX)?
                .into_iter()
                .map(role)
                .collect(),
            scopes: permissions.scopes,
            risks: permissions.risks,
            grant_counts: permissions.counts,
            tenant_wide_risk: permissions.tenant_wide_risk,
            consents: consents(conn, workspace, integration, &vendor_id)?,
            accounts: row.count(14)?,
            principals: people(conn, holders, workspace, integration, &vendor_id)?,
            owners: people(conn, owners, workspace, integration, &vendor_id)?,
        });
    }
    Ok(out)
}

#[derive(Default)]
struct Permissions {
    scopes: BTreeMap<GrantKind, Vec<ForeignText>>,
    risks: BTreeMap<GrantKind, GrantRisk>,
    counts: BTreeMap<GrantKind, u64>,
    tenant_wide_risk: Option<GrantRisk>,
}

fn permissions(conn: &Connection, workspace: i64, integration: i64, app: &str) -> Res<Permissions> {
    let mut out = Permissions::default();
    let mut distinct: BTreeMap<GrantKind, BTreeSet<ForeignText>> = BTreeMap::new();
    // Most accounts granted the same permissions, so even many grants form few groups.
    let mut statement = conn.prepare_cached(
        "SELECT g.kind, g.risk, g.scopes, count(*), sum(g.account_vendor_id IS NULL) FROM grants g \
         LEFT JOIN accounts a ON a.workspace_id = g.workspace_id AND a.integration = g.integration \
         AND a.vendor_id = g.account_vendor_id \
         WHERE g.workspace_id = ?1 AND g.integration = ?2 AND g.app_vendor_id = ?3 \
         AND (g.account_vendor_id IS NULL OR a.retired = 0) GROUP BY g.kind, g.risk, g.scopes",
    )?;
    let mut rows = statement.query(params![workspace, integration, app])?;
    let mut skipped = SkippedRows::new("grants");
    while let Some(row) = rows.next()? {
        let words = row
            .word::<GrantKind>(0)
            .and_then(|kind| Ok((kind, row.word::<GrantRisk>(1)?)));
        let Some((kind, risk)) = skipped.skip_unknown(words)? else {
            continue;
        };
        // `GrantRisk` declares its words worst first.
        out.risks
            .entry(kind)
            .and_modify(|worst| *worst = risk.min(*worst))
            .or_insert(risk);
        *out.counts.entry(kind).or_default() += row.count(3)?;
        let scopes = distinct.entry(kind).or_default();
        if scopes.len() < SCOPES_MAX {
            scopes.extend(row.texts(2)?);
        }
        if kind == GrantKind::Delegated && row.get::<_, i64>(4)? > 0 {
            out.tenant_wide_risk = Some(out.tenant_wide_risk.map_or(risk, |worst| worst.min(risk)));
        }
    }
    out.scopes = distinct
        .into_iter()
        .map(|(kind, scopes)| (kind, scopes.into_iter().take(SCOPES_MAX).collect()))
        .collect();
    Ok(out)
}

/// Counts the accounts that granted an app permissions, by the highest risk among an account's grants.
fn consents(conn: &Connection, workspace: i64, integration: i64, app: &str) -> Res<BTreeMap<GrantRisk, u64>> {
    // `GrantRisk` declares its words worst first.
    let mut statement = conn.prepare_cached(
        "SELECT worst, count(*) FROM (SELECT min(g.risk) AS worst FROM grants g \
         JOIN accounts a ON a.workspace_id = g.workspace_id AND a.integration = g.integration \
         AND a.vendor_id = g.account_vendor_id AND a.retired = 0 \
         WHERE g.workspace_id = ?1 AND g.integration = ?2 AND g.app_vendor_id = ?3 AND g.kind = ?4 \
         GROUP BY g.account_vendor_id) GROUP BY worst",
    )?;
    let kind = GrantKind::Delegated.position();
    let mut rows = statement.query(params![workspace, integration, app, kind])?;
    let mut out = BTreeMap::new();
    let mut skipped = SkippedRows::new("grants");
    while let Some(row) = rows.next()? {
        if let Some(risk) = skipped.skip_unknown(row.word::<GrantRisk>(0))? {
            out.insert(risk, row.count(1)?);
        }
    }
    Ok(out)
}

/// Returns the people behind the accounts that `from` (`x` joined with accounts `a`) selects for an app, active ones first.
fn people(
    conn: &Connection,
    from: &str,
    workspace: i64,
    integration: i64,
    app: &str,
) -> Res<Vec<PrincipalDocument>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT p.id, p.email, p.display_name, min(a.status) AS status FROM {from} \
         JOIN identities p ON p.workspace_id = a.workspace_id AND p.id = a.identity_id \
         WHERE x.workspace_id = ?1 AND x.integration = ?2 AND x.app_vendor_id = ?3 AND a.retired = 0 \
         GROUP BY p.id ORDER BY status <> ?4, p.id LIMIT ?5"
    ))?;
    let active = watchpost_core::value::word::AccountStatus::Active.position();
    let mut rows = statement.query(params![
        workspace,
        integration,
        app,
        active,
        stored(PRINCIPALS_MAX)
    ])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(PrincipalDocument {
            identity_id: row.id(0, IdentityId::from_bytes)?,
            email: row.get(1)?,
            display_name: row.text(2)?,
            status: row.word(3)?,
        });
    }
    Ok(out)
}
