//! Parts that many documents share: the integrations with their unreadable datasets, and the company's mail domains.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
    },
    table::integrations::all_with_numbers,
};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use watchpost_core::{
    rule::{
        document::IntegrationRef,
        domain::{DomainCounts, company_domains, verified_domains},
    },
    value::word::{AccountKind, AccountStatus, Platform},
};

/// The shared parts of documents by workspace number, cached for the pages of one analysis.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Mutex<HashMap<i64, Arc<Context>>>);

#[derive(Debug)]
pub(super) struct Context {
    pub(super) by_number: HashMap<i64, IntegrationRef>,
    pub(super) integrations: Arc<Vec<IntegrationRef>>,
    pub(super) company_domains: Arc<Vec<String>>,
}

impl Contexts {
    /// Returns the shared parts. They are read for the first page and reused for the pages after it.
    pub(super) fn get(&self, conn: &Connection, workspace: i64, first_page: bool) -> Res<Arc<Context>> {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&workspace)
            .map(Arc::clone);
        if let Some(known) = known.filter(|_| !first_page) {
            return Ok(known);
        }
        let fresh = Arc::new(Context::read(conn, workspace)?);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(workspace, Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Context {
    fn read(conn: &Connection, workspace: i64) -> Res<Self> {
        let rows = all_with_numbers(conn, workspace)?;
        let by_number: HashMap<i64, IntegrationRef> = rows
            .iter()
            .map(|(number, row)| (*number, IntegrationRef::of(row)))
            .collect();
        let integrations = rows.iter().map(|(_, row)| IntegrationRef::of(row)).collect();
        let verified = verified(conn, workspace, &by_number)?;
        let domains = company_domains(verified, || common(conn, workspace, &by_number))?;
        Ok(Self {
            by_number,
            integrations: Arc::new(integrations),
            company_domains: Arc::new(domains),
        })
    }
}

/// Returns the domains that the platforms report as verified.
fn verified(
    conn: &Connection,
    workspace: i64,
    integrations: &HashMap<i64, IntegrationRef>,
) -> Res<BTreeSet<String>> {
    let mut statement = conn.prepare_cached(
        "SELECT integration, document FROM settings WHERE workspace_id = ?1 AND vendor_id = 'domains'",
    )?;
    let mut rows = statement.query([workspace])?;
    let mut out = BTreeSet::new();
    while let Some(row) = rows.next()? {
        if integrations.contains_key(&row.get(0)?) {
            let document: String = row.get(1)?;
            // A document that isn't JSON has no domains.
            if let Ok(document) = serde_json::from_str::<Value>(&document) {
                out.extend(verified_domains(&document));
            }
        }
    }
    Ok(out)
}

/// Returns the domains that are common among the active members of identity providers.
fn common(
    conn: &Connection,
    workspace: i64,
    integrations: &HashMap<i64, IntegrationRef>,
) -> Res<BTreeSet<String>> {
    let mut counts = DomainCounts::default();
    for (number, _) in integrations
        .iter()
        .filter(|(_, row)| Platform::is_identity_provider(row.platform))
    {
        let mut statement = conn.prepare_cached(
            "SELECT coalesce(email, login) FROM accounts WHERE workspace_id = ?1 AND integration = ?2 AND retired = 0 \
             AND status = ?3 AND kind = ?4",
        )?;
        let mut rows = statement.query(params![
            workspace,
            number,
            AccountStatus::Active.position(),
            AccountKind::Member.position()
        ])?;
        while let Some(row) = rows.next()? {
            counts.add(&row.text(0)?);
        }
    }
    Ok(counts.common())
}
