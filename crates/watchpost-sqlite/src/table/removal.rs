//! Pauses, resumes and removes integrations, and deletes the data of removed ones.

use crate::{
    base::{fault::Res, row::Word, writer::Tx},
    table::{
        facts, imports, integrations,
        jobs::{Subject, acting_key, enqueue},
        scans,
    },
    text,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use watchpost_core::{
    audit::PendingEntry,
    integration::{ChangeIntegration, IntegrationChange, IntegrationStep, decide_change},
    job::JobKind,
    value::{
        id::ScanId,
        word::{IntegrationStatus, RemediationState},
    },
};

/// Returns the removed integrations whose data isn't deleted yet: pairs of workspace number and integration number.
pub(crate) fn unfinished(conn: &Connection) -> Res<Vec<(i64, i64)>> {
    let mut statement =
        conn.prepare_cached("SELECT workspace_id, integration FROM integrations WHERE removed = 1")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Pauses, resumes or removes an integration. The facts of a removed one are deleted afterwards, in bulk.
pub(crate) fn change(
    tx: &Tx<'_>,
    workspace: i64,
    command: &ChangeIntegration,
    entry: &PendingEntry,
) -> Res<IntegrationChange> {
    let Some((integration, row)) = integrations::all_with_numbers(tx.conn, workspace)?
        .into_iter()
        .find(|(_, row)| row.id == command.id)
    else {
        return Ok(IntegrationChange::NotFound);
    };
    let set = |status: IntegrationStatus| -> Res<()> {
        tx.conn.execute(
            "UPDATE integrations SET status = ?3 WHERE workspace_id = ?1 AND integration = ?2",
            params![workspace, integration, status.position()],
        )?;
        Ok(())
    };
    match decide_change(command.action, &row.standing()) {
        IntegrationStep::Nothing => return Ok(IntegrationChange::Unchanged),
        IntegrationStep::Pause => {
            set(IntegrationStatus::Paused)?;
            cancel_jobs(tx, workspace, command)?;
        }
        IntegrationStep::Resume(status) => {
            set(status)?;
            if row.platform.is_synced() {
                let job = (JobKind::Sync, Subject::Integration(command.id));
                enqueue(tx, workspace, job, command.job, acting_key(entry), command.now)?;
            }
        }
        IntegrationStep::Remove => {
            cancel_jobs(tx, workspace, command)?;
            cancel_remediations(tx, workspace, integration, command)?;
            imports::forget_files(tx, workspace, integration)?;
            integrations::wipe(tx, workspace, integration)?;
            tx.conn.execute(
                "UPDATE integrations SET removed = 1, config = '{}', status = ?3 WHERE workspace_id = ?1 AND integration = ?2",
                params![workspace, integration, IntegrationStatus::Disconnected.position()],
            )?;
            enqueue(
                tx,
                workspace,
                (JobKind::Analyse, Subject::None),
                command.job,
                None,
                command.now,
            )?;
        }
    }
    tx.bump(workspace)?;
    Ok(IntegrationChange::Changed)
}

fn cancel_jobs(tx: &Tx<'_>, workspace: i64, command: &ChangeIntegration) -> Res<()> {
    let scan: Option<[u8; 16]> = tx
        .conn
        .query_row(
            "SELECT s.id FROM scans s JOIN integrations i ON i.workspace_id = s.workspace_id \
             AND i.integration = s.integration WHERE s.workspace_id = ?1 AND i.id = ?2 AND s.state IN (0, 1)",
            params![workspace, command.id.as_bytes()],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(scan) = scan {
        scans::cancel_unfinished(tx, workspace, ScanId::from_bytes(scan), command.now)?;
    }
    integrations::cancel_jobs(tx, workspace, command.id, text::INTEGRATION_STOPPED, command.now)
}

/// Cancels the waiting remediations of the integration itself, of its apps, and of people with no account elsewhere.
fn cancel_remediations(
    tx: &Tx<'_>,
    workspace: i64,
    integration: i64,
    command: &ChangeIntegration,
) -> Res<()> {
    tx.conn.execute(
        "UPDATE remediations SET state = ?3, decided_at = ?4 WHERE workspace_id = ?1 AND state = ?5 AND finding_id IN ( \
           SELECT f.id FROM remediations r JOIN findings f ON f.workspace_id = r.workspace_id AND f.id = r.finding_id \
           WHERE r.workspace_id = ?1 AND r.state = ?5 AND ( \
             f.entity_id = ?6 \
             OR EXISTS (SELECT 1 FROM apps a WHERE a.workspace_id = ?1 AND a.id = f.entity_id AND a.integration = ?2) \
             OR (EXISTS (SELECT 1 FROM accounts a WHERE a.workspace_id = ?1 AND a.identity_id = f.entity_id \
                 AND a.integration = ?2) \
                 AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.workspace_id = ?1 AND a.identity_id = f.entity_id \
                 AND a.integration <> ?2 AND a.retired = 0))))",
        params![
            workspace,
            integration,
            RemediationState::Cancelled.position(),
            command.now.as_millis(),
            RemediationState::PendingApproval.position(),
            command.id.as_bytes()
        ],
    )?;
    Ok(())
}

/// Deletes the data of a removed integration in slices, its row last.
pub(crate) struct Purge {
    workspace: i64,
    integration: i64,
    left: Vec<&'static str>,
}

impl Purge {
    pub(crate) fn new(workspace: i64, integration: i64) -> Self {
        Self {
            workspace,
            integration,
            left: vec![
                "apps",
                "accounts",
                "settings",
                "app_owners",
                "roles",
                "account_mfa",
                "grants",
                "entity_readings",
            ],
        }
    }

    /// Runs a slice. Returns `Some` once nothing is left.
    pub(crate) fn slice(&mut self, tx: &Tx<'_>) -> Res<Option<()>> {
        let (workspace, integration) = (self.workspace, self.integration);
        while let Some(table) = self.left.last().copied() {
            let more = if table == "accounts" {
                facts::purge_accounts(tx, workspace, integration)?
            } else {
                delete_some(tx, table, workspace, integration)?
            };
            if more {
                tx.bump(workspace)?;
                return Ok(None);
            }
            self.left.pop();
        }
        if imports::purge_some(tx, workspace, integration)? {
            tx.bump(workspace)?;
            return Ok(None);
        }
        purge_scans(tx, workspace, integration)?;
        for table in ["integration_secrets", "collections", "syncs", "integrations"] {
            tx.conn.execute(
                &format!("DELETE FROM {table} WHERE workspace_id = ?1 AND integration = ?2"),
                [workspace, integration],
            )?;
        }
        tx.bump(workspace)?;
        Ok(Some(()))
    }
}

/// Deletes some rows of a table of facts. Returns whether there may be more.
fn delete_some(tx: &Tx<'_>, table: &str, workspace: i64, integration: i64) -> Res<bool> {
    let deleted = tx
        .conn
        .prepare_cached(&format!(
            "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} \
             WHERE workspace_id = ?1 AND integration = ?2 LIMIT 400)"
        ))?
        .execute([workspace, integration])?;
    Ok(deleted > 0)
}

fn purge_scans(tx: &Tx<'_>, workspace: i64, integration: i64) -> Res<()> {
    for (table, of_scan) in [
        ("scan_results", true),
        ("scan_settings", true),
        ("scans", false),
        ("schedules", false),
    ] {
        let which = if of_scan {
            "scan_id IN (SELECT id FROM scans WHERE workspace_id = ?1 AND integration = ?2)"
        } else {
            "integration = ?2"
        };
        tx.conn.execute(
            &format!("DELETE FROM {table} WHERE workspace_id = ?1 AND {which}"),
            [workspace, integration],
        )?;
    }
    tx.conn.execute(
        "DELETE FROM setting_bodies WHERE workspace_id = ?1 AND hash NOT IN ( \
         SELECT hash FROM scan_settings WHERE workspace_id = ?1 AND hash IS NOT NULL)",
        [workspace],
    )?;
    Ok(())
}
