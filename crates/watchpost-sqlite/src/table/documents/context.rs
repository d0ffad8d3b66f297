//! What many documents share: the integrations with what can't be read of them, and the company's mail domains.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
    },
    table::integrations::numbered,
};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use watchpost_core::{
    identity::normal_address,
    integration::{Integration, fact::Dataset},
    rule::document::IntegrationRef,
    value::word::{AccountKind, AccountStatus, CollectionState, Platform},
};

/// Mail domains that are taken for the company's at the most.
const DOMAINS_MAX: usize = 500;

/// Without a list of verified domains, a domain is the company's if so many percent of the people have it.
const COMMON_PERCENT: u64 = 5;

/// Shared parts of documents, kept over the pages of one analysis.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Mutex<HashMap<i64, Arc<Context>>>);

#[derive(Debug)]
pub(super) struct Context {
    pub(super) by_number: HashMap<i64, IntegrationRef>,
    pub(super) integrations: Arc<Vec<IntegrationRef>>,
    pub(super) company_domains: Arc<Vec<String>>,
}

impl Contexts {
    /// The shared parts: read anew for a first page, and kept for those after it.
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

/// Datasets that aren't complete now.
pub(super) fn unreadable(row: &Integration) -> Vec<Dataset> {
    Dataset::ALL
        .iter()
        .copied()
        .filter(|dataset| {
            row.collection(*dataset)
                .is_none_or(|collection| collection.state != CollectionState::Complete)
        })
        .collect()
}

pub(super) fn reference(row: &Integration) -> IntegrationRef {
    IntegrationRef {
        id: row.id,
        platform: row.platform,
        name: row.name.clone(),
        identity_provider: row.platform.is_identity_provider(),
        unreadable: unreadable(row),
    }
}

impl Context {
    fn read(conn: &Connection, workspace: i64) -> Res<Self> {
        let rows = numbered(conn, workspace)?;
        let by_number: HashMap<i64, IntegrationRef> = rows
            .iter()
            .map(|(number, row)| (*number, reference(row)))
            .collect();
        let integrations = rows.iter().map(|(_, row)| reference(row)).collect();
        let mut domains = verified(conn, workspace, &by_number)?;
        if domains.is_empty() {
            domains = common(conn, workspace, &by_number)?;
        }
        Ok(Self {
            by_number,
            integrations: Arc::new(integrations),
            company_domains: Arc::new(domains.into_iter().take(DOMAINS_MAX).collect()),
        })
    }
}

/// Domains that a platform says are verified: an array of names, or a list of `{id, isVerified}`.
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
            // A document that is no JSON names no domain.
            if let Ok(document) = serde_json::from_str::<Value>(&document) {
                out.extend(domains_of(&document));
            }
        }
    }
    Ok(out)
}

fn domains_of(document: &Value) -> Vec<String> {
    let rows = document
        .as_array()
        .or_else(|| document.get("value").and_then(Value::as_array));
    rows.into_iter()
        .flatten()
        .filter_map(|row| match row {
            Value::String(name) => Some(name.as_str()),
            Value::Object(fields) if fields.get("isVerified") == Some(&Value::Bool(true)) => {
                fields.get("id").and_then(Value::as_str)
            }
            _ => None,
        })
        .map(|name| name.trim().to_lowercase())
        .filter(|name| name.contains('.') && name.len() <= 253)
        .collect()
}

/// Domains that at least one in twenty active members of identity providers has.
fn common(
    conn: &Connection,
    workspace: i64,
    integrations: &HashMap<i64, IntegrationRef>,
) -> Res<BTreeSet<String>> {
    let mut people = 0_u64;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
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
            let address = row.text(0)?;
            people += 1;
            if let Some((_, domain)) = normal_address(address.untrusted())
                .as_deref()
                .and_then(|address| address.rsplit_once('@'))
            {
                *counts.entry(domain.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(counts
        .into_iter()
        .filter(|(_, count)| count * 100 >= people * COMMON_PERCENT)
        .map(|(domain, _)| domain)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verified_domains_are_read_in_both_forms() {
        let check = |document: &str, expected: &[&str]| {
            assert_eq!(
                domains_of(&serde_json::from_str(document).unwrap()),
                expected,
                "{document}"
            );
        };
        check(r#"["Birch.example", "no"]"#, &["birch.example"]);
        check(
            r#"{"value":[{"id":"birch.example","isVerified":true},{"id":"new.example","isVerified":false}]}"#,
            &["birch.example"],
        );
        check("{}", &[]);
        check("[1, null]", &[]);
    }
}
