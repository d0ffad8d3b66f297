//! Coverage numbers, measured over the current accounts and apps.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
        unknown::known_rows,
    },
    table::{identities::last_use, integrations},
};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use watchpost_core::{
    integration::{Integration, fact::Dataset},
    posture::{
        CoverageNumbers,
        coverage::{ACTIVE_PERSON, AppGroup, CoverageTally, PersonAccount},
    },
    value::{
        time::Timestamp,
        word::{CollectionState, Platform},
    },
};

/// Measures the coverage numbers. This is a long read.
pub(crate) fn coverage(conn: &Connection, workspace: i64, now: Timestamp) -> Res<CoverageNumbers> {
    let (numbers, integrations): (Vec<i64>, Vec<Integration>) =
        integrations::all_with_numbers(conn, workspace)?
            .into_iter()
            .unzip();
    let sources: HashMap<i64, Source> = numbers
        .into_iter()
        .zip(integrations.iter().map(Source::of))
        .collect();
    let mut tally = CoverageTally::new(&integrations, now);
    add_people(conn, workspace, &sources, &mut tally)?;
    add_apps(conn, workspace, &mut tally)?;
    Ok(tally.finish())
}

#[derive(Debug, Clone, Copy)]
struct Source {
    platform: Platform,
    mfa_readable: bool,
}

impl Source {
    fn of(row: &Integration) -> Self {
        Self {
            platform: row.platform,
            mfa_readable: row
                .collection(Dataset::Mfa)
                .is_some_and(|collection| collection.state == CollectionState::Complete),
        }
    }
}

/// Adds the accounts of active people to the tally, person by person.
fn add_people(
    conn: &Connection,
    workspace: i64,
    sources: &HashMap<i64, Source>,
    tally: &mut CoverageTally,
) -> Res<()> {
    let mut statement = conn.prepare(
        "SELECT a.identity_id, a.integration, a.last_active_at, a.last_active_known, a.created_at, m.mfa, \
         EXISTS (SELECT 1 FROM roles r WHERE r.workspace_id = a.workspace_id AND r.integration = a.integration \
                 AND r.principal_vendor_id = a.vendor_id AND r.privileged = 1) \
         FROM accounts a INDEXED BY accounts_identity LEFT JOIN account_mfa m ON m.workspace_id = a.workspace_id \
         AND m.integration = a.integration AND m.dataset = ?2 AND m.vendor_id = a.vendor_id \
         WHERE a.workspace_id = ?1 AND a.retired = 0 AND a.status = ?3 AND a.kind = ?4 ORDER BY a.identity_id",
    )?;
    let (status, kind) = ACTIVE_PERSON;
    let mut rows = statement.query(params![
        workspace,
        Dataset::Mfa.position(),
        status.position(),
        kind.position()
    ])?;
    let mut current: Option<[u8; 16]> = None;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        // The integration is being removed: it no longer counts.
        let Some(source) = sources.get(&row.get(1)?) else {
            continue;
        };
        let identity: [u8; 16] = row.get(0)?;
        if current.replace(identity).is_some_and(|before| before != identity) {
            tally.add_person(&accounts);
            accounts.clear();
        }
        accounts.push(PersonAccount {
            platform: source.platform,
            mfa_readable: source.mfa_readable,
            mfa: row.word_opt(5)?,
            privileged: row.get(6)?,
            last_active: last_use(row, 2, 3)?,
            created_at: row.time_opt(4)?,
        });
    }
    tally.add_person(&accounts);
    Ok(())
}

/// Adds the apps that aren't retired to the tally, grouped by the values that decide whether they need a review.
fn add_apps(conn: &Connection, workspace: i64, tally: &mut CoverageTally) -> Res<()> {
    let mut statement = conn.prepare(
        "SELECT a.policy, a.first_party, a.grants > 0, count(*) FROM apps a \
         JOIN integrations i USING (workspace_id, integration) \
         WHERE a.workspace_id = ?1 AND i.removed = 0 AND a.retired = 0 GROUP BY 1, 2, 3",
    )?;
    let groups = known_rows(&mut statement.query([workspace])?, "apps", |row| {
        Ok(AppGroup {
            policy: row.word(0)?,
            first_party: row.get(1)?,
            has_grants: row.get(2)?,
            count: row.count(3)?,
        })
    })?;
    for group in groups {
        tally.add_apps(group);
    }
    Ok(())
}
