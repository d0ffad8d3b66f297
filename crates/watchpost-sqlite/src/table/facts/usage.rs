//! The usage of apps: measured over an integration's grants when a dataset that affects it is finished, and stored with the
//! app, so that looking up an app doesn't count its grants.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word, stored, texts_json},
        unknown::SkippedRows,
        writer::Tx,
    },
    table::integrations::number_of,
};
use rusqlite::{Connection, params};
use std::collections::{BTreeSet, HashMap};
use watchpost_core::{
    app::SCOPES_KEPT,
    value::{id::IntegrationId, text::ForeignText, word::GrantRisk},
};

/// The most distinct permissions of one app that are read.
const SCOPES_READ_MAX: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Usage {
    accounts: u64,
    tenant_wide: bool,
    grants: u64,
    risk: Option<GrantRisk>,
    scopes: BTreeSet<(GrantRisk, ForeignText)>,
}

impl Usage {
    fn scopes_json(&self) -> String {
        let mut out: Vec<ForeignText> = Vec::new();
        for (_, scope) in &self.scopes {
            if out.len() >= SCOPES_KEPT {
                break;
            }
            if !out.contains(scope) {
                out.push(scope.clone());
            }
        }
        texts_json(&out)
    }
}

/// The changed usage of an integration's apps, which is stored in slices.
pub(crate) struct ChangedUsage {
    integration: i64,
    apps: std::vec::IntoIter<(String, Usage)>,
}

/// Measures the usage of an integration's apps. Returns `None` if nothing has changed.
pub(crate) fn changed_usage(
    conn: &Connection,
    workspace: i64,
    integration: IntegrationId,
) -> Res<Option<ChangedUsage>> {
    let Some(integration) = number_of(conn, workspace, integration)? else {
        return Ok(None);
    };
    let apps = changes(conn, workspace, integration)?;
    Ok((!apps.is_empty()).then(|| ChangedUsage {
        integration,
        apps: apps.into_iter(),
    }))
}

impl ChangedUsage {
    /// Runs a slice. Returns `Some` once everything is stored.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<()>> {
        let mut done = None;
        loop {
            let Some((vendor_id, usage)) = self.apps.next() else {
                done = Some(());
                break;
            };
            tx.conn
                .prepare_cached(
                    "UPDATE apps SET accounts = ?4, grants = ?5, risk = ?6, scopes = ?7, \
                     tenant_wide = ?8 \
                     WHERE workspace_id = ?1 AND integration = ?2 AND vendor_id = ?3",
                )?
                .execute(params![
                    workspace,
                    self.integration,
                    vendor_id,
                    stored(usage.accounts),
                    stored(usage.grants),
                    usage.risk.map(Word::position),
                    usage.scopes_json(),
                    usage.tenant_wide,
                ])?;
            if !tx.count_row() {
                break;
            }
        }
        tx.bump(workspace)?;
        Ok(done)
    }
}

/// Returns the apps whose usage differs from the stored one.
fn changes(conn: &Connection, workspace: i64, integration: i64) -> Res<Vec<(String, Usage)>> {
    let mut now: HashMap<String, Usage> = HashMap::new();
    // A grant by a retired account doesn't count. A grant without an account is for everybody, or for the app itself.
    let grants = "FROM grants g LEFT JOIN accounts a ON a.workspace_id = g.workspace_id \
                  AND a.integration = g.integration AND a.vendor_id = g.account_vendor_id \
                  WHERE g.workspace_id = ?1 AND g.integration = ?2 AND g.app_vendor_id IS NOT NULL \
                  AND (g.account_vendor_id IS NULL OR a.retired = 0)";
    {
        let mut statement = conn.prepare(&format!(
            "SELECT g.app_vendor_id, count(*), count(DISTINCT g.account_vendor_id), min(g.risk), \
             max(g.account_vendor_id IS NULL) {grants} \
             GROUP BY g.app_vendor_id"
        ))?;
        let mut rows = statement.query([workspace, integration])?;
        while let Some(row) = rows.next()? {
            let usage = Usage {
                grants: row.count(1)?,
                accounts: row.count(2)?,
                risk: row.word_opt(3)?,
                tenant_wide: row.get(4)?,
                scopes: BTreeSet::new(),
            };
            now.insert(row.get(0)?, usage);
        }
    }
    {
        let mut statement = conn.prepare(&format!(
            "SELECT DISTINCT g.app_vendor_id, g.risk, g.scopes {grants}"
        ))?;
        let mut skipped = SkippedRows::new("grants");
        let mut rows = statement.query([workspace, integration])?;
        while let Some(row) = rows.next()? {
            let app: String = row.get(0)?;
            let Some(risk) = skipped.skip_unknown(row.word::<GrantRisk>(1))? else {
                continue;
            };
            if let Some(usage) = now.get_mut(&app)
                && usage.scopes.len() < SCOPES_READ_MAX
            {
                usage
                    .scopes
                    .extend(row.texts(2)?.into_iter().map(|scope| (risk, scope)));
            }
        }
    }
    let mut out = Vec::new();
    let mut statement = conn.prepare(
        "SELECT vendor_id, accounts, grants, risk, scopes, tenant_wide FROM apps WHERE workspace_id = ?1 AND integration = ?2",
    )?;
    let mut rows = statement.query([workspace, integration])?;
    while let Some(row) = rows.next()? {
        let vendor_id: String = row.get(0)?;
        let usage = now.remove(&vendor_id).unwrap_or_default();
        let same = row.count(1)? == usage.accounts
            && row.count(2)? == usage.grants
            && row.word_opt::<GrantRisk>(3)? == usage.risk
            && row.get::<_, String>(4)? == usage.scopes_json()
            && row.get::<_, bool>(5)? == usage.tenant_wide;
        if !same {
            out.push((vendor_id, usage));
        }
    }
    Ok(out)
}
