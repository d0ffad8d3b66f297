//! The workspace's numbers.

use crate::{
    fault::Res,
    findings,
    identities::counted,
    row::{Columns, Word, stored},
    store::SqliteStore,
    writer::Tx,
};
use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, WorkspaceScope},
    error::StoreError,
    integration::{Failure, fact::Dataset},
    posture::{
        Coverage, CoverageNumbers, Freshness, PostureStore, RecordAnalysis, RiskFacts, Snapshot, SourceState,
        score::{live_by_severity, risk_score},
    },
    value::{
        id::{AnalysisId, IntegrationId},
        time::Timestamp,
        word::{AccountKind, AccountStatus, AppPolicy, CollectionState, Mfa, Platform},
    },
};

/// How many findings the risk score's answer names.
const TOP: usize = 5;
/// Somebody not seen for so long is stale.
const STALE_DAYS: i64 = 30;

const COLUMNS: &str = "analysis_id, at, score, live_critical, live_high, live_medium, live_low, live_info, identities, \
                       mfa_on, mfa_off, mfa_unknown, admin_mfa_on, admin_mfa_off, admin_mfa_unknown, sso_on, sso_off, \
                       sso_unknown, admins, unreviewed_apps, stale_accounts";

fn snapshot(row: &Row<'_>) -> Res<Snapshot> {
    let coverage = |first: usize| -> Res<Coverage> {
        Ok(Coverage {
            on: row.count(first)?,
            off: row.count(first + 1)?,
            unknown: row.count(first + 2)?,
        })
    };
    let score: i64 = row.get(2)?;
    Ok(Snapshot {
        analysis: row.id(0, AnalysisId::from_bytes)?,
        at: row.time(1)?,
        score: u8::try_from(score).unwrap_or(100),
        live_by_severity: [
            row.count(3)?,
            row.count(4)?,
            row.count(5)?,
            row.count(6)?,
            row.count(7)?,
        ],
        identities: row.count(8)?,
        mfa: coverage(9)?,
        admin_mfa: coverage(12)?,
        sso: coverage(15)?,
        admins: row.count(18)?,
        unreviewed_apps: row.count(19)?,
        stale_accounts: row.count(20)?,
    })
}

/// The latest snapshots not after a time.
fn latest(conn: &Connection, workspace: i64, until: i64, count: i64) -> Res<Vec<Snapshot>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM snapshots WHERE workspace_id = ?1 AND at <= ?2 \
         ORDER BY at DESC, analysis_id DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query([workspace, until, count])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(snapshot(row)?);
    }
    Ok(out)
}

fn sources(conn: &Connection, workspace: i64) -> Res<Vec<SourceState>> {
    let mut statement = conn.prepare_cached(
        "SELECT i.id, i.platform, i.name, i.status, i.last_completed_at, i.failure_reason, i.failure_since, \
         coalesce(sum(c.state = ?2), 0), coalesce(sum(c.state <> ?2), 0) \
         FROM integrations i LEFT JOIN collections c \
         ON c.workspace_id = i.workspace_id AND c.integration = i.integration \
         WHERE i.workspace_id = ?1 AND i.removed = 0 AND i.platform <> ?3 GROUP BY i.integration",
    )?;
    // Nothing is read from what only imports speak of.
    let mut rows = statement.query(params![
        workspace,
        CollectionState::Complete.position(),
        Platform::Import.position()
    ])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let failure = match (row.get::<_, Option<String>>(5)?, row.time_opt(6)?) {
            (Some(reason), Some(since)) => Some(Failure { reason, since }),
            _ => None,
        };
        out.push(SourceState {
            id: row.id(0, IntegrationId::from_bytes)?,
            platform: row.word(1)?,
            name: row.text(2)?,
            status: row.word(3)?,
            last_completed_at: row.time_opt(4)?,
            failure,
            readable: u32::try_from(row.count(7)?).unwrap_or(u32::MAX),
            unreadable: u32::try_from(row.count(8)?).unwrap_or(u32::MAX),
        });
    }
    out.sort_by(|a, b| (a.platform, &a.name, a.id).cmp(&(b.platform, &b.name, b.id)));
    Ok(out)
}

fn risk_facts(conn: &Connection, workspace: i64) -> Res<RiskFacts> {
    let counts = findings::live_counts(conn, workspace)?;
    let top = findings::top_live(conn, workspace, &counts, TOP)?;
    let mut recent = latest(conn, workspace, i64::MAX, 2)?.into_iter();
    let (newest, previous) = (recent.next(), recent.next());
    let days_before = |days: i64| -> Res<Option<Snapshot>> {
        match &newest {
            Some(newest) => {
                let until = newest.at.plus_days(-days).as_millis();
                Ok(latest(conn, workspace, until, 1)?.into_iter().next())
            }
            None => Ok(None),
        }
    };
    let (week_ago, month_ago) = (days_before(7)?, days_before(30)?);
    Ok(RiskFacts {
        counts,
        identities: counted(conn, workspace)?,
        top,
        latest: newest,
        previous,
        week_ago,
        month_ago,
        sources: sources(conn, workspace)?,
    })
}

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

fn coverage(conn: &Connection, workspace: i64, now: Timestamp) -> Res<CoverageNumbers> {
    let integrations = crate::integrations::numbered(conn, workspace)?;
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

fn record(tx: &Tx<'_>, workspace: i64, command: &RecordAnalysis) -> Res<Snapshot> {
    let counts = findings::all_counts(tx.conn, workspace)?;
    let identities = counted(tx.conn, workspace)?;
    let measured = command.coverage;
    let made = Snapshot {
        analysis: command.analysis,
        at: command.now,
        score: risk_score(&counts, identities).score,
        live_by_severity: live_by_severity(&counts),
        identities,
        mfa: measured.mfa,
        admin_mfa: measured.admin_mfa,
        sso: measured.sso,
        admins: measured.admins,
        unreviewed_apps: measured.unreviewed_apps,
        stale_accounts: measured.stale_accounts,
    };
    let live = made.live_by_severity;
    let n = |count: u64| stored(count);
    tx.conn.execute(
        &format!(
            "INSERT INTO snapshots (workspace_id, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
             ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
        ),
        params![
            workspace,
            made.analysis.as_bytes(),
            made.at.as_millis(),
            made.score,
            n(live[0]),
            n(live[1]),
            n(live[2]),
            n(live[3]),
            n(live[4]),
            n(made.identities),
            n(made.mfa.on),
            n(made.mfa.off),
            n(made.mfa.unknown),
            n(made.admin_mfa.on),
            n(made.admin_mfa.off),
            n(made.admin_mfa.unknown),
            n(made.sso.on),
            n(made.sso.off),
            n(made.sso.unknown),
            n(made.admins),
            n(made.unreviewed_apps),
            n(made.stale_accounts),
        ],
    )?;
    tx.bump(workspace)?;
    Ok(made)
}

#[async_trait]
impl PostureStore for SqliteStore {
    async fn risk_facts(&self, scope: &WorkspaceScope) -> Result<RiskFacts, StoreError> {
        self.read(scope, "findings", risk_facts)
    }

    async fn freshness(&self, scope: &WorkspaceScope) -> Result<Freshness, StoreError> {
        self.read(scope, "integrations", |conn, workspace| {
            Ok(Freshness {
                as_of: latest(conn, workspace, i64::MAX, 1)?.first().map(|row| row.at),
                sources: sources(conn, workspace)?,
            })
        })
    }

    async fn measure_coverage(
        &self,
        scope: &WorkspaceScope,
        now: Timestamp,
    ) -> Result<CoverageNumbers, StoreError> {
        self.long(scope, "accounts", move |conn, workspace| {
            coverage(conn, workspace, now)
        })
        .await
    }

    async fn snapshots(&self, scope: &WorkspaceScope, since: Timestamp) -> Result<Vec<Snapshot>, StoreError> {
        self.read_one(scope, "snapshots", |conn, workspace| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM snapshots WHERE workspace_id = ?1 AND at >= ?2 ORDER BY at, analysis_id LIMIT 1000"
            ))?;
            let mut rows = statement.query([workspace, since.as_millis()])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(snapshot(row)?);
            }
            Ok(out)
        })
    }

    async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        Ok(self.generations(scope)?.data)
    }

    async fn record_analysis(
        &self,
        write: AuthorizedWrite<RecordAnalysis>,
    ) -> Result<Audited<Snapshot>, StoreError> {
        self.change("snapshots", write, |tx, workspace, command, _| {
            record(tx, workspace, &command)
        })
        .await
    }
}
