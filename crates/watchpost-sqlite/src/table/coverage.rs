//! Coverage, measured over the accounts as they are.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word},
    },
    table::integrations,
};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use watchpost_core::{
    integration::fact::Dataset,
    posture::{Coverage, CoverageNumbers},
    value::{
        time::Timestamp,
        word::{AccountKind, AccountStatus, AppPolicy, CollectionState, Mfa, Platform},
    },
};

/// Somebody not seen for so long is stale.
const STALE_DAYS: i64 = 30;

/// One person, gathered over their active accounts.
#[derive(Debug, Default)]
struct Person {
    mfa: Factors,
    admin: bool,
    sso: bool,
    /// Whether a last use is known, and whether one lies within the last weeks.
    use_known: bool,
    used: bool,
}

/// What a person's accounts say of second factors: any account, and those with a privileged role.
#[derive(Debug, Default)]
struct Factors {
    any_on: bool,
    any_off: bool,
    admin_on: bool,
    admin_off: bool,
}

impl Factors {
    fn on(&mut self, privileged: bool) {
        self.any_on = true;
        self.admin_on |= privileged;
    }
    fn off(&mut self, privileged: bool) {
        self.any_off = true;
        self.admin_off |= privileged;
    }
}

#[derive(Debug, Clone, Copy)]
struct Source {
    platform: Platform,
    mfa_readable: bool,
}

pub(crate) fn coverage(conn: &Connection, workspace: i64, now: Timestamp) -> Res<CoverageNumbers> {
    let integrations = integrations::numbered(conn, workspace)?;
    let sources: BTreeMap<i64, Source> = integrations
        .iter()
        .map(|(number, row)| {
            let readable = |dataset| {
                row.collection(dataset)
                    .is_some_and(|collection| collection.state == CollectionState::Complete)
            };
            let source = Source {
                platform: row.platform,
                mfa_readable: readable(Dataset::Mfa),
            };
            (*number, source)
        })
        .collect();
    // Where the question of single sign-on can be asked: a provider besides Microsoft's own directory that was read.
    let sso_asked = integrations.iter().any(|(_, row)| {
        signs_in(row.platform)
            && row.is_active()
            && row
                .collection(Dataset::Users)
                .is_some_and(|collection| collection.completions > 0)
    });
    let mut out = CoverageNumbers::default();
    let mut current: Option<([u8; 16], Person)> = None;
    let since = now.plus_days(-STALE_DAYS).as_millis();
    let mut statement = conn.prepare(
        "SELECT a.identity_id, a.integration, a.last_active_at, a.last_active_known, a.created_at, m.mfa, \
         EXISTS (SELECT 1 FROM roles r WHERE r.workspace_id = a.workspace_id AND r.integration = a.integration \
                 AND r.principal_vendor_id = a.vendor_id AND r.privileged = 1) \
         FROM accounts a INDEXED BY accounts_identity LEFT JOIN account_mfa m ON m.workspace_id = a.workspace_id \
         AND m.integration = a.integration AND m.dataset = ?2 AND m.vendor_id = a.vendor_id \
         WHERE a.workspace_id = ?1 AND a.retired = 0 AND a.status = ?3 AND a.kind = ?4 ORDER BY a.identity_id",
    )?;
    let mut rows = statement.query(params![
        workspace,
        Dataset::Mfa.position(),
        AccountStatus::Active.position(),
        AccountKind::Member.position()
    ])?;
    while let Some(row) = rows.next()? {
        let Some(source) = sources.get(&row.get(1)?) else {
            continue;
        };
        let identity: [u8; 16] = row.get(0)?;
        if current.as_ref().is_none_or(|(id, _)| *id != identity)
            && let Some((_, person)) = current.replace((identity, Person::default()))
        {
            add_person(&mut out, &person, sso_asked);
        }
        let Some((_, person)) = &mut current else {
            continue;
        };
        let privileged: bool = row.get(6)?;
        if source.platform.is_identity_provider() {
            match row.word_opt::<Mfa>(5)? {
                Some(Mfa::On) => person.mfa.on(privileged),
                // What can't be read now is unknown, never off.
                Some(Mfa::Off) if source.mfa_readable => person.mfa.off(privileged),
                _ => {}
            }
        }
        person.admin |= privileged;
        person.sso |= signs_in(source.platform);
        let last: Option<i64> = row.get(2)?;
        let is_new = row.get::<_, Option<i64>>(4)?.is_some_and(|at| at >= since);
        person.use_known |= row.get::<_, bool>(3)?;
        person.used |= last.is_some_and(|at| at >= since) || is_new;
    }
    if let Some((_, person)) = current {
        add_person(&mut out, &person, sso_asked);
    }
    let unreviewed: i64 = conn.query_row(
        "SELECT count(*) FROM apps a JOIN integrations i USING (workspace_id, integration) \
         WHERE a.workspace_id = ?1 AND i.removed = 0 AND a.retired = 0 AND a.policy = ?2 AND a.first_party = 0 \
         AND a.grants > 0",
        params![workspace, AppPolicy::None.position()],
        |row| row.get(0),
    )?;
    out.unreviewed_apps = u64::try_from(unreviewed).unwrap_or(0);
    Ok(out)
}

/// Whether having an account there means signing in through it elsewhere.
fn signs_in(platform: Platform) -> bool {
    platform.is_identity_provider() && platform != Platform::M365
}

fn add_person(out: &mut CoverageNumbers, person: &Person, sso_asked: bool) {
    // A person is as well protected as their worst account: one that says off decides.
    let count_mfa = |coverage: &mut Coverage, on: bool, off: bool| {
        if off {
            coverage.off += 1;
        } else if on {
            coverage.on += 1;
        } else {
            coverage.unknown += 1;
        }
    };
    count_mfa(&mut out.mfa, person.mfa.any_on, person.mfa.any_off);
    if person.admin {
        out.admins += 1;
        // What protects an administrator is the factor of the account that has the role.
        count_mfa(&mut out.admin_mfa, person.mfa.admin_on, person.mfa.admin_off);
    }
    match (sso_asked, person.sso) {
        (false, _) => out.sso.unknown += 1,
        (true, true) => out.sso.on += 1,
        (true, false) => out.sso.off += 1,
    }
    out.stale_accounts += u64::from(person.use_known && !person.used);
}
