//! Storing pages of facts.

use super::{
    identity,
    table::{APPS, GRANTS, Home, MFA, OWNERS, ROLES, SETTINGS, Written},
    values::{app_values, blob, flag, grant_values, int, role_values},
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

/// A page on its way into the tables: as many facts as a slice takes at a time.
pub(crate) struct Storing {
    sync: SyncId,
    integration: IntegrationId,
    dataset: u8,
    facts: std::vec::IntoIter<Fact>,
    now: Timestamp,
}

impl Storing {
    pub(crate) fn new(sync: SyncId, integration: IntegrationId, page: FactPage, now: Timestamp) -> Self {
        Self {
            sync,
            integration,
            dataset: page.dataset.position(),
            facts: page.facts.into_iter(),
            now,
        }
    }

    /// Gives `()` once all are in.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>, workspace: i64) -> Res<Option<()>> {
        let (sync, integration) = running_sync(tx.conn, workspace, self.sync, self.integration)?;
        let home = Home {
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
            changed |= store(tx, home, fact, self.now)?;
            if !tx.may_go_on() {
                break;
            }
        }
        if changed {
            tx.bump(workspace)?;
        }
        Ok(done)
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
