//! The workspace's numbers: snapshots, risk facts, freshness.

use crate::{
    base::{
        fault::Res,
        row::{Columns, stored},
        writer::Tx,
    },
    table::{findings, identities, integrations},
};
use rusqlite::{Connection, Row, params};
use watchpost_core::{
    posture::{Coverage, Freshness, RecordAnalysis, RiskFacts, Snapshot, SourceState, TOP_FINDINGS},
    value::{id::AnalysisId, time::Timestamp},
};

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

/// Returns the latest snapshots up to a time, newest first.
pub(crate) fn latest(conn: &Connection, workspace: i64, until: i64, count: i64) -> Res<Vec<Snapshot>> {
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

/// Returns the states of the synced integrations, by platform, then name.
pub(crate) fn sources(conn: &Connection, workspace: i64) -> Res<Vec<SourceState>> {
    let mut out: Vec<SourceState> = integrations::all(conn, workspace)?
        .iter()
        // Integrations of imports are never synced.
        .filter(|row| row.platform.is_synced())
        .map(SourceState::of)
        .collect();
    out.sort_by(|a, b| (a.platform, &a.name, a.id).cmp(&(b.platform, &b.name, b.id)));
    Ok(out)
}

pub(crate) fn risk_facts(conn: &Connection, workspace: i64) -> Res<RiskFacts> {
    let counts = findings::live_counts(conn, workspace)?;
    let top = findings::top_live(conn, workspace, &counts, TOP_FINDINGS)?;
    let mut recent = latest(conn, workspace, i64::MAX, 2)?.into_iter();
    let (newest, previous) = (recent.next(), recent.next());
    let days_before = |days: i64| -> Res<Option<Snapshot>> {
        match &newest {
            Some(newest) => {
                let until = newest.at.plus_days(-days).end_of_day().as_millis();
                Ok(latest(conn, workspace, until, 1)?.into_iter().next())
            }
            None => Ok(None),
        }
    };
    let (week_ago, month_ago) = (days_before(7)?, days_before(30)?);
    Ok(RiskFacts {
        counts,
        identities: identities::count(conn, workspace)?,
        top,
        latest: newest,
        previous,
        week_ago,
        month_ago,
        sources: sources(conn, workspace)?,
    })
}

/// Returns the snapshots since a time, oldest first, at most 1,000.
pub(crate) fn since(conn: &Connection, workspace: i64, since: Timestamp) -> Res<Vec<Snapshot>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM snapshots WHERE workspace_id = ?1 AND at >= ?2 ORDER BY at, analysis_id LIMIT 1000"
    ))?;
    let mut rows = statement.query([workspace, since.as_millis()])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(snapshot(row)?);
    }
    Ok(out)
}

/// Returns the time of the last analysis and the states of all sources.
pub(crate) fn freshness(conn: &Connection, workspace: i64) -> Res<Freshness> {
    Ok(Freshness {
        as_of: latest(conn, workspace, i64::MAX, 1)?.first().map(|row| row.at),
        sources: sources(conn, workspace)?,
    })
}

/// Stores the snapshot of an analysis.
pub(crate) fn record(tx: &Tx<'_>, workspace: i64, command: &RecordAnalysis) -> Res<Snapshot> {
    let counts = findings::all_counts(tx.conn, workspace)?;
    let identities = identities::count(tx.conn, workspace)?;
    let made = command.snapshot(&counts, identities);
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
