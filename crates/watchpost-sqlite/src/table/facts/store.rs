//! Stores pages of facts.

use super::{
    identity, reading,
    table::{APPS, FactContext, GRANTS, MFA, OWNERS, ROLES, SETTINGS, Written},
    values::{app_values, blob, flag_known, grant_values, int, role_values},
};
use crate::{
    base::{
        fault::Res,
        row::{Word, texts_json},
        writer::Tx,
    },
    table::integrations::running_sync,
};
use rusqlite::types::Value;
use watchpost_core::{
    integration::fact::{Fact, FactPage},
    value::{
        id::{AppId, IntegrationId, SyncId},
        time::Timestamp,
    },
};

/// Stores a page of facts in slices.
pub(crate) struct FactWriter {
    sync: SyncId,
    integration: IntegrationId,
    dataset: u8,
    facts: std::vec::IntoIter<Fact>,
    now: Timestamp,
}

impl FactWriter {
    pub(crate) fn new(sync: SyncId, integration: IntegrationId, page: FactPage, now: Timestamp) -> Self {
        Self {
            sync,
            integration,
            dataset: page.dataset.position(),
            facts: page.facts.into_iter(),
            now,
        }
    }

    /// Runs a slice. Returns `Some` once all facts are stored.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<()>> {
        let (sync, integration) = running_sync(tx.conn, workspace, self.sync, self.integration)?;
        let context = FactContext {
            workspace,
            integration,
            dataset: self.dataset,
            sync,
        };
        let mut changed = false;
        let mut done = None;
        loop {
            let Some(fact) = self.facts.next() else {
                done = Some(());
                break;
            };
            changed |= store(tx, context, fact, self.now)?;
            if !tx.count_row() {
                break;
            }
        }
        if changed {
            tx.bump(workspace)?;
        }
        Ok(done)
    }
}

/// Stores one fact. Returns whether anything changed.
fn store(tx: &Tx<'_>, context: FactContext, fact: Fact, now: Timestamp) -> Res<bool> {
    let none = || Ok(Vec::new());
    let written = match fact {
        Fact::Account(facts) => return identity::store_account(tx, context, &facts, now),
        Fact::Mfa(facts) => {
            let [resistant, resistant_known] = flag_known(facts.phishing_resistant);
            let [weak_only, weak_only_known] = flag_known(facts.weak_only);
            let values = vec![
                int(facts.mfa.position()),
                Value::Text(texts_json(&facts.methods)),
                resistant,
                resistant_known,
                weak_only,
                weak_only_known,
            ];
            MFA.write(tx, context, &facts.account_vendor_id, values, none)?
        }
        Fact::Role(facts) => {
            let vendor_id = facts.vendor_id.clone();
            ROLES.write(tx, context, &vendor_id, role_values(facts), none)?
        }
        Fact::App(facts) => {
            let once = || {
                // The vendor's date if it is earlier than the first sync that saw the app.
                let first = facts.created_at.map_or(now, |at| at.min(now));
                let id = AppId::generate(tx.clock, tx.random);
                Ok(vec![blob(id.as_bytes()), Value::Integer(first.as_millis())])
            };
            APPS.write(tx, context, &facts.vendor_id, app_values(&facts), once)?
        }
        Fact::AppOwner(facts) => {
            // The vendor has no id for this pair: the two ids identify the row.
            let vendor_id = format!("{}\u{1f}{}", facts.app_vendor_id, facts.account_vendor_id);
            let values = vec![
                Value::Text(facts.app_vendor_id),
                Value::Text(facts.account_vendor_id),
            ];
            OWNERS.write(tx, context, &vendor_id, values, none)?
        }
        Fact::Grant(facts) => GRANTS.write(tx, context, &facts.vendor_id, grant_values(&facts), none)?,
        Fact::Reading(facts) => {
            reading::store(tx, context, &facts, now)?;
            return Ok(false);
        }
        Fact::Setting(facts) => {
            let values = vec![Value::Text(facts.document)];
            SETTINGS.write(tx, context, &facts.path, values, none)?
        }
    };
    Ok(written != Written::Same)
}
