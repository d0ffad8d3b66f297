//! Apps: look-up, lists, policies.

use crate::{
    base::{
        fault::Res,
        row::{Columns, Word, stored},
        unknown::known_rows,
        writer::Tx,
    },
    table::jobs::{Subject, acting_key, enqueue},
};
use rusqlite::{Connection, Row, params, types::ToSql};
use watchpost_core::{
    app::{
        App, AppLookup, AppMatch, AppPolicyOutcome, AppQuery, CANDIDATES_MAX, SetAppPolicy, decide_policy,
        name_key,
    },
    audit::PendingEntry,
    job::JobKind,
    value::{
        id::{AppId, IntegrationId},
        word::AppPolicy,
    },
};

const COLUMNS: &str = "a.id, i.id, i.platform, a.name, a.client_id, a.publisher, a.publisher_verified, a.first_party, \
                       a.enabled, a.policy, a.policy_set_at, a.first_seen_at, a.accounts, a.grants, a.risk, a.scopes, \
                       a.tenant_wide";

const FROM: &str = "FROM apps a JOIN integrations i ON i.workspace_id = a.workspace_id \
                    AND i.integration = a.integration AND i.removed = 0";

fn app(row: &Row<'_>) -> Res<App> {
    Ok(App {
        id: row.id(0, AppId::from_bytes)?,
        integration: row.id(1, IntegrationId::from_bytes)?,
        platform: row.word(2)?,
        name: row.text(3)?,
        client_id: row.get(4)?,
        publisher: row.text_opt(5)?,
        publisher_verified: row.get(6)?,
        first_party: row.get(7)?,
        enabled: row.get(8)?,
        policy: row.word(9)?,
        policy_set_at: row.time_opt(10)?,
        first_seen_at: row.time(11)?,
        accounts: row.count(12)?,
        tenant_wide: row.get(16)?,
        grants: row.count(13)?,
        risk: row.word_opt(14)?,
        scopes: row.texts(15)?,
    })
}

fn apps(conn: &Connection, sql: &str, values: &[&dyn ToSql]) -> Res<Vec<App>> {
    let mut statement = conn.prepare_cached(sql)?;
    known_rows(&mut statement.query(values)?, "apps", app)
}

/// Returns a LIKE pattern that matches texts containing `text`, with `\` as the escape character.
fn contains(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// Finds the app that a look-up means.
pub(crate) fn find(conn: &Connection, workspace: i64, lookup: &AppLookup) -> Res<AppMatch> {
    let name = match lookup {
        AppLookup::Id(id) => {
            let sql = format!("SELECT {COLUMNS} {FROM} WHERE a.workspace_id = ?1 AND a.id = ?2");
            let found = apps(conn, &sql, params![workspace, id.as_bytes()])?;
            return Ok(AppMatch::of(found, 1));
        }
        AppLookup::Name(name) => name_key(name),
    };
    if name.is_empty() {
        return Ok(AppMatch::None);
    }
    let part = contains(&name);
    // An exact name or client id first. Retired apps, which the vendor no longer lists, come last.
    for (condition, value) in [
        ("(a.name_key = ?2 OR a.client_key = ?2) AND a.retired = 0", &name),
        ("a.name_key LIKE ?2 ESCAPE '\\' AND a.retired = 0", &part),
        ("(a.name_key = ?2 OR a.client_key = ?2)", &name),
    ] {
        let sql = format!(
            "SELECT {COLUMNS} {FROM} WHERE a.workspace_id = ?1 AND {condition} \
             ORDER BY a.accounts DESC, a.grants DESC, a.name_key, a.id LIMIT ?3"
        );
        let found = apps(conn, &sql, params![workspace, value, stored(CANDIDATES_MAX)])?;
        if found.is_empty() {
            continue;
        }
        let total = if found.len() as u64 == CANDIDATES_MAX {
            conn.prepare_cached(&format!(
                "SELECT count(*) {FROM} WHERE a.workspace_id = ?1 AND {condition}"
            ))?
            .query_row(params![workspace, value], |row| row.get::<_, i64>(0))?
        } else {
            stored(found.len() as u64)
        };
        return Ok(AppMatch::of(found, u64::try_from(total).unwrap_or(0)));
    }
    Ok(AppMatch::None)
}

/// Returns a page of apps.
pub(crate) fn list(conn: &Connection, workspace: i64, query: &AppQuery) -> Res<Vec<App>> {
    let mut sql = format!("SELECT {COLUMNS} {FROM} WHERE a.workspace_id = ?1 AND a.retired = 0");
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(workspace)];
    if let Some(policy) = query.policy {
        values.push(Box::new(policy.position()));
        sql.push_str(&format!(" AND a.policy = ?{}", values.len()));
    }
    if let Some(platform) = query.platform {
        values.push(Box::new(platform.position()));
        sql.push_str(&format!(" AND i.platform = ?{}", values.len()));
    }
    if let Some(text) = &query.text {
        values.push(Box::new(contains(&name_key(text))));
        sql.push_str(&format!(" AND a.name_key LIKE ?{} ESCAPE '\\'", values.len()));
    }
    if let Some((name, id)) = &query.after {
        values.push(Box::new(name_key(name)));
        values.push(Box::new(*id.as_bytes()));
        let n = values.len();
        sql.push_str(&format!(" AND (a.name_key, a.id) > (?{}, ?{n})", n - 1));
    }
    values.push(Box::new(stored(query.limit.clamp(1, 200) as u64)));
    sql.push_str(&format!(" ORDER BY a.name_key, a.id LIMIT ?{}", values.len()));
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    apps(conn, &sql, &values)
}

/// Sets the policy of an app and queues an analysis if the policy has changed.
pub(crate) fn set_policy(
    tx: &Tx<'_>,
    workspace: i64,
    command: &SetAppPolicy,
    entry: &mut PendingEntry,
) -> Res<AppPolicyOutcome> {
    let before: Option<AppPolicy> = {
        let mut statement = tx.conn.prepare_cached(&format!(
            "SELECT a.policy {FROM} WHERE a.workspace_id = ?1 AND a.id = ?2"
        ))?;
        let mut rows = statement.query(params![workspace, command.app.as_bytes()])?;
        rows.next()?.map(|row| row.word(0)).transpose()?
    };
    let outcome = decide_policy(before, command.policy);
    if let AppPolicyOutcome::Changed { .. } = outcome {
        tx.conn.execute(
            "UPDATE apps SET policy = ?3, policy_set_at = ?4 WHERE workspace_id = ?1 AND id = ?2",
            params![
                workspace,
                command.app.as_bytes(),
                command.policy.position(),
                command.now.as_millis()
            ],
        )?;
        let job = (JobKind::Analyse, Subject::None);
        enqueue(
            tx,
            workspace,
            job,
            command.analysis,
            acting_key(entry),
            command.now,
        )?;
        tx.bump(workspace)?;
    }
    entry.set_outcome(outcome.audit_outcome());
    Ok(outcome)
}
