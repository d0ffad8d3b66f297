//! Integrations: rows, credentials, syncs, removal.

use crate::{
    fault::{Fault, Res},
    jobs::{Subject, acting_key, enqueue},
    master::{KEY_VERSION, Place},
    row::{Columns, Word, stored},
    store::SqliteStore,
    writer::Tx,
};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, HashMap};
use watchpost_core::{
    access::{Audited, AuthorizedWrite, JobPermit, WorkspaceScope},
    audit::{AuditOutcome, PendingEntry},
    error::StoreError,
    integration::{
        AddIntegration, ChangeIntegration, CollectionRow, Failure, FinishSync, Integration, IntegrationAct,
        IntegrationChange, IntegrationStore, VerifyIntegration,
        connector::ConnectorConfig,
        fact::{Collection, FactPage},
    },
    job::JobKind,
    rule::document::IntegrationDocument,
    value::{
        id::{IntegrationId, JobId, ScanId, SyncId, WorkspaceId},
        time::Timestamp,
        word::{IntegrationStatus, Platform, RemediationState, RunState},
    },
};

/// Syncs of an integration that are kept.
const SYNCS_KEPT: i64 = 50;

const COLUMNS: &str = "integration, id, platform, name, tenant_key, status, config, created_at, last_completed_at, \
                       last_started_at, failure_reason, failure_since";

fn integration_row(row: &Row<'_>) -> Res<(i64, Integration)> {
    let config: String = row.get(6)?;
    let failure = match (row.get::<_, Option<String>>(10)?, row.time_opt(11)?) {
        (Some(reason), Some(since)) => Some(Failure { reason, since }),
        _ => None,
    };
    Ok((
        row.get(0)?,
        Integration {
            id: row.id(1, IntegrationId::from_bytes)?,
            platform: row.word(2)?,
            name: row.text(3)?,
            tenant_key: row.get(4)?,
            status: row.word(5)?,
            config: serde_json::from_str(&config)
                .map_err(|error| Fault::Damaged("integrations", error.to_string()))?,
            created_at: row.time(7)?,
            last_completed_at: row.time_opt(8)?,
            last_started_at: row.time_opt(9)?,
            failure,
            running: None,
            collections: Vec::new(),
        },
    ))
}

/// All integrations with their numbers in this file, by platform, then name.
pub(crate) fn numbered(conn: &Connection, workspace: i64) -> Res<Vec<(i64, Integration)>> {
    let mut out = Vec::new();
    {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM integrations WHERE workspace_id = ?1 AND removed = 0 \
             ORDER BY platform, name, integration"
        ))?;
        let mut rows = statement.query([workspace])?;
        while let Some(row) = rows.next()? {
            out.push(integration_row(row)?);
        }
    }
    let places: HashMap<i64, usize> = out
        .iter()
        .enumerate()
        .map(|(place, (number, _))| (*number, place))
        .collect();
    {
        let mut statement = conn.prepare_cached(
            "SELECT integration, dataset, state, row_count, detail, finished_at, completions FROM collections \
             WHERE workspace_id = ?1 ORDER BY integration, dataset",
        )?;
        let mut rows = statement.query([workspace])?;
        while let Some(row) = rows.next()? {
            if let Some((_, integration)) = places.get(&row.get(0)?).and_then(|place| out.get_mut(*place)) {
                integration.collections.push(CollectionRow {
                    dataset: row.word(1)?,
                    state: row.word(2)?,
                    rows: row.count(3)?,
                    detail: row.get(4)?,
                    finished_at: row.time(5)?,
                    completions: row.count(6)?,
                });
            }
        }
    }
    let mut statement = conn.prepare_cached(
        "SELECT id, subject FROM jobs WHERE state IN (0, 1) AND workspace_id = ?1 AND kind = ?2 ORDER BY state",
    )?;
    let mut rows = statement.query(params![workspace, JobKind::Sync.position()])?;
    while let Some(row) = rows.next()? {
        let subject: Vec<u8> = row.get(1)?;
        if let Some((_, integration)) = out
            .iter_mut()
            .find(|(_, integration)| integration.id.as_bytes().as_slice() == subject)
        {
            // The running one comes last and wins over a queued one.
            integration.running = Some(row.id(0, JobId::from_bytes)?);
        }
    }
    Ok(out)
}

/// All integrations, by platform, then name.
pub(crate) fn all(conn: &Connection, workspace: i64) -> Res<Vec<Integration>> {
    Ok(numbered(conn, workspace)?
        .into_iter()
        .map(|(_, row)| row)
        .collect())
}

/// The number of an integration that isn't removed.
pub(crate) fn number_of(conn: &Connection, workspace: i64, id: IntegrationId) -> Res<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT integration FROM integrations WHERE workspace_id = ?1 AND id = ?2 AND removed = 0",
        )?
        .query_row(params![workspace, id.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// A number for a new integration.
pub(crate) fn next_number(tx: &Tx<'_>, workspace: i64) -> Res<i64> {
    Ok(tx.conn.query_row(
        "UPDATE workspaces SET last_integration = last_integration + 1 WHERE workspace_id = ?1 \
         RETURNING last_integration",
        [workspace],
        |row| row.get(0),
    )?)
}

/// Integrations whose removal isn't finished, with their workspaces.
pub(crate) fn removed(conn: &Connection) -> Res<Vec<(i64, i64)>> {
    let mut statement =
        conn.prepare_cached("SELECT workspace_id, integration FROM integrations WHERE removed = 1")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The number of a sync that is under way: facts of another one are refused.
pub(crate) fn running_sync(
    conn: &Connection,
    workspace: i64,
    sync: SyncId,
    integration: IntegrationId,
) -> Res<(i64, i64)> {
    conn.prepare_cached(
        "SELECT s.sync, s.integration FROM syncs s JOIN integrations i USING (workspace_id, integration) \
         WHERE s.workspace_id = ?1 AND s.id = ?2 AND s.state = ?3 AND i.id = ?4 AND i.removed = 0",
    )?
    .query_row(
        params![
            workspace,
            sync.as_bytes(),
            RunState::InProgress.position(),
            integration.as_bytes()
        ],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()?
    .ok_or(Fault::Store(StoreError::Conflict))
}

impl SqliteStore {
    pub(crate) fn open_secrets(
        &self,
        conn: &Connection,
        workspace: i64,
        workspace_id: WorkspaceId,
        id: IntegrationId,
    ) -> Res<Option<ConnectorConfig>> {
        open_config(conn, &self.inner.sealer, workspace, workspace_id, id)
    }
}

fn open_config(
    conn: &Connection,
    sealer: &crate::master::Sealer,
    workspace: i64,
    workspace_id: WorkspaceId,
    id: IntegrationId,
) -> Res<Option<ConnectorConfig>> {
    let found: Option<(i64, String)> = conn
        .query_row(
            "SELECT integration, config FROM integrations WHERE workspace_id = ?1 AND id = ?2 AND removed = 0",
            params![workspace, id.as_bytes()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((integration, config)) = found else {
        return Ok(None);
    };
    let values: BTreeMap<String, String> =
        serde_json::from_str(&config).map_err(|error| Fault::Damaged("integrations", error.to_string()))?;
    let mut secrets = BTreeMap::new();
    let mut statement = conn.prepare(
        "SELECT field, key_version, nonce, sealed FROM integration_secrets WHERE workspace_id = ?1 AND integration = ?2",
    )?;
    let mut rows = statement.query([workspace, integration])?;
    while let Some(row) = rows.next()? {
        let field: String = row.get(0)?;
        let sealed: Vec<u8> = row.get(3)?;
        let place = Place {
            workspace: workspace_id,
            integration: id,
            field: &field,
            key_version: row.get(1)?,
        };
        let clear = sealer.open(place, row.get(2)?, &sealed)?;
        let clear = std::str::from_utf8(&clear)
            .map_err(|_| Fault::Damaged("integration_secrets", "a credential is no text".into()))?;
        secrets.insert(field, SecretString::from(clear));
    }
    Ok(Some(ConnectorConfig { values, secrets }))
}

#[async_trait]
impl IntegrationStore for SqliteStore {
    async fn list_integrations(&self, scope: &WorkspaceScope) -> Result<Vec<Integration>, StoreError> {
        self.read(scope, "integrations", all)
    }

    async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        self.read(scope, "integrations", |conn, workspace| {
            Ok(all(conn, workspace)?.into_iter().find(|row| row.id == id))
        })
    }

    async fn integration_documents(
        &self,
        scope: &WorkspaceScope,
    ) -> Result<Vec<IntegrationDocument>, StoreError> {
        self.long(scope, "settings", crate::documents::integrations).await
    }

    async fn open_config(
        &self,
        permit: &JobPermit,
        id: IntegrationId,
    ) -> Result<Option<ConnectorConfig>, StoreError> {
        let scope = permit.scope();
        self.read(scope, "integration_secrets", |conn, workspace| {
            self.open_secrets(conn, workspace, scope.workspace(), id)
        })
    }

    async fn open_config_for_verify(
        &self,
        write: AuthorizedWrite<VerifyIntegration>,
    ) -> Result<Audited<Option<ConnectorConfig>>, StoreError> {
        let sealer = std::sync::Arc::clone(&self.inner.sealer);
        self.change(
            "integration_secrets",
            write,
            move |tx, workspace, command, entry| {
                let config = open_config(tx.conn, &sealer, workspace, entry.workspace(), command.id)?;
                if config.is_none() {
                    entry.set_outcome(AuditOutcome::NotFound);
                }
                Ok(config)
            },
        )
        .await
    }

    async fn add_integration(
        &self,
        write: AuthorizedWrite<AddIntegration>,
    ) -> Result<Audited<()>, StoreError> {
        let sealer = std::sync::Arc::clone(&self.inner.sealer);
        self.change("integrations", write, move |tx, workspace, command, entry| {
            let integration = next_number(tx, workspace)?;
            let config = serde_json::to_string(&command.config.values)
                .map_err(|error| Fault::Damaged("integrations", error.to_string()))?;
            tx.conn.execute(
                "INSERT INTO integrations (workspace_id, integration, id, platform, name, tenant_key, status, config, \
                 created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    workspace,
                    integration,
                    command.id.as_bytes(),
                    command.platform.position(),
                    command.name.untrusted(),
                    command.tenant_key,
                    IntegrationStatus::Pending.position(),
                    config,
                    command.now.as_millis(),
                ],
            )?;
            for (field, secret) in &command.config.secrets {
                let place = Place {
                    workspace: entry.workspace(),
                    integration: command.id,
                    field,
                    key_version: KEY_VERSION,
                };
                let (nonce, sealed) = sealer.seal(place, secret.expose_secret().as_bytes(), tx.random)?;
                tx.conn.execute(
                    "INSERT INTO integration_secrets (workspace_id, integration, field, key_version, nonce, sealed) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![workspace, integration, field, KEY_VERSION, nonce, sealed],
                )?;
            }
            let what = (JobKind::Sync, Subject::Integration(command.id));
            enqueue(tx, workspace, what, command.first_sync, acting_key(entry), command.now)?;
            tx.bump(workspace)
        })
        .await
    }

    async fn change_integration(
        &self,
        write: AuthorizedWrite<ChangeIntegration>,
    ) -> Result<Audited<IntegrationChange>, StoreError> {
        let done = self
            .change("integrations", write, |tx, workspace, command, entry| {
                let change = change(tx, workspace, &command, entry)?;
                entry.set_outcome(match change {
                    IntegrationChange::Changed => AuditOutcome::Ok,
                    IntegrationChange::Unchanged => AuditOutcome::Unchanged,
                    IntegrationChange::NotFound => AuditOutcome::NotFound,
                });
                Ok(change)
            })
            .await?;
        // The removal stands; deleting its facts goes on at the next schedule if it fails here.
        let left = self
            .inner
            .pool
            .read_one(removed)
            .map_err(|fault| fault.into_store("integrations"))?;
        for (workspace, integration) in left {
            if let Err(error) = self.purge(workspace, integration).await {
                tracing::warn!(%error, "a removed integration's facts can't be deleted yet");
            }
        }
        Ok(done)
    }

    async fn begin_sync(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = permit.scope().workspace();
        self.inner
            .writer
            .call("syncs", true, move |tx| {
                let workspace = tx.workspace(id)?;
                let Some(number) = number_of(tx.conn, workspace, integration)? else {
                    return Err(Fault::Store(StoreError::Conflict));
                };
                // What an earlier attempt left behind must not write any more.
                tx.conn.execute(
                    "UPDATE syncs SET state = ?3, finished_at = ?4 WHERE workspace_id = ?1 AND integration = ?2 AND state = ?5",
                    params![
                        workspace,
                        number,
                        RunState::Cancelled.position(),
                        now.as_millis(),
                        RunState::InProgress.position()
                    ],
                )?;
                let next: i64 = tx.conn.query_row(
                    "UPDATE workspaces SET last_sync = last_sync + 1, generation = generation + 1 \
                     WHERE workspace_id = ?1 RETURNING last_sync",
                    [workspace],
                    |row| row.get(0),
                )?;
                tx.conn.execute(
                    "INSERT INTO syncs (workspace_id, sync, id, integration, state, started_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        workspace,
                        next,
                        sync.as_bytes(),
                        number,
                        RunState::InProgress.position(),
                        now.as_millis()
                    ],
                )?;
                tx.conn.execute(
                    "DELETE FROM syncs WHERE workspace_id = ?1 AND integration = ?2 AND sync <= ( \
                       SELECT sync FROM syncs WHERE workspace_id = ?1 AND integration = ?2 \
                       ORDER BY sync DESC LIMIT 1 OFFSET ?3)",
                    params![workspace, number, SYNCS_KEPT],
                )?;
                tx.conn.execute(
                    "UPDATE integrations SET last_started_at = ?3 WHERE workspace_id = ?1 AND integration = ?2",
                    params![workspace, number, now.as_millis()],
                )?;
                Ok(())
            })
            .await
    }

    async fn store_facts(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        page: FactPage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_facts(permit, sync, integration, page, now).await
    }

    async fn finish_dataset(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        collection: Collection,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.end_dataset(permit, sync, integration, collection, now).await
    }

    async fn finish_sync(&self, write: AuthorizedWrite<FinishSync>) -> Result<Audited<()>, StoreError> {
        self.change("syncs", write, |tx, workspace, command, entry| {
            finish_sync(tx, workspace, &command, entry)
        })
        .await
    }
}

/// Records the end of a collection.
pub(crate) fn record_collection(
    tx: &Tx<'_>,
    workspace: i64,
    integration: i64,
    collection: &Collection,
    now: Timestamp,
) -> Res<()> {
    let complete = collection.state == watchpost_core::value::word::CollectionState::Complete;
    tx.conn
        .prepare_cached(
            "INSERT INTO collections (workspace_id, integration, dataset, state, row_count, row_errors, detail, \
             finished_at, completions) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT (workspace_id, integration, dataset) DO UPDATE SET state = ?4, row_count = ?5, row_errors = ?6, \
             detail = ?7, finished_at = ?8, completions = completions + ?9",
        )?
        .execute(params![
            workspace,
            integration,
            collection.dataset.position(),
            collection.state.position(),
            stored(collection.rows),
            stored(collection.row_errors),
            collection.detail,
            now.as_millis(),
            i64::from(complete),
        ])?;
    tx.bump(workspace)
}

fn finish_sync(tx: &Tx<'_>, workspace: i64, command: &FinishSync, entry: &mut PendingEntry) -> Res<()> {
    let found = running_sync(tx.conn, workspace, command.sync, command.integration);
    let (sync, integration) = match found {
        Ok(found) => found,
        // Another attempt took over, or the integration is gone: this one ends nothing.
        Err(Fault::Store(StoreError::Conflict)) => {
            entry.set_outcome(AuditOutcome::Conflict);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    tx.conn.execute(
        "UPDATE syncs SET state = ?3, reason = ?4, finished_at = ?5 WHERE workspace_id = ?1 AND sync = ?2",
        params![
            workspace,
            sync,
            command.state.position(),
            command.reason,
            command.now.as_millis()
        ],
    )?;
    let live = [
        IntegrationStatus::Pending.position(),
        IntegrationStatus::Connected.position(),
        IntegrationStatus::Error.position(),
    ];
    match command.state {
        RunState::Completed => {
            tx.conn.execute(
                "UPDATE integrations SET last_completed_at = ?3, failure_reason = NULL, failure_since = NULL, \
                 status = CASE WHEN status IN (?4, ?5, ?6) THEN ?7 ELSE status END \
                 WHERE workspace_id = ?1 AND integration = ?2",
                params![
                    workspace,
                    integration,
                    command.now.as_millis(),
                    live[0],
                    live[1],
                    live[2],
                    IntegrationStatus::Connected.position()
                ],
            )?;
            enqueue(
                tx,
                workspace,
                (JobKind::Analyse, Subject::None),
                command.analysis,
                None,
                command.now,
            )?;
        }
        RunState::Failed => {
            entry.set_outcome(AuditOutcome::Error);
            tx.conn.execute(
                "UPDATE integrations SET failure_reason = ?3, failure_since = coalesce(failure_since, ?4), \
                 status = CASE WHEN status IN (?5, ?6, ?7) THEN ?8 ELSE status END \
                 WHERE workspace_id = ?1 AND integration = ?2",
                params![
                    workspace,
                    integration,
                    command.reason.as_deref().unwrap_or("the sync failed"),
                    command.now.as_millis(),
                    live[0],
                    live[1],
                    live[2],
                    IntegrationStatus::Error.position()
                ],
            )?;
        }
        RunState::Queued | RunState::InProgress | RunState::Cancelled => {}
    }
    tx.bump(workspace)
}

/// Pauses, resumes or hides an integration. A hidden one's facts are deleted afterwards, in bulk.
fn change(
    tx: &Tx<'_>,
    workspace: i64,
    command: &ChangeIntegration,
    entry: &PendingEntry,
) -> Res<IntegrationChange> {
    let Some((integration, row)) = numbered(tx.conn, workspace)?
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
    match command.act {
        IntegrationAct::Pause if row.is_active() => {
            set(IntegrationStatus::Paused)?;
            cancel_jobs(tx, workspace, command)?;
        }
        IntegrationAct::Resume if row.status == IntegrationStatus::Paused => {
            set(match (&row.failure, row.last_completed_at) {
                (Some(_), _) => IntegrationStatus::Error,
                (None, Some(_)) => IntegrationStatus::Connected,
                (None, None) => IntegrationStatus::Pending,
            })?;
            if row.platform != Platform::Import {
                let what = (JobKind::Sync, Subject::Integration(command.id));
                enqueue(tx, workspace, what, command.job, acting_key(entry), command.now)?;
            }
        }
        IntegrationAct::Pause | IntegrationAct::Resume => return Ok(IntegrationChange::Unchanged),
        IntegrationAct::Remove => {
            cancel_jobs(tx, workspace, command)?;
            cancel_remediations(tx, workspace, integration, command)?;
            crate::imports::forget_files(tx, workspace, integration)?;
            tx.conn.execute(
                "DELETE FROM integration_secrets WHERE workspace_id = ?1 AND integration = ?2",
                [workspace, integration],
            )?;
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
        crate::scans::cancel_unfinished(tx, workspace, ScanId::from_bytes(scan), command.now)?;
    }
    tx.conn.execute(
        "UPDATE jobs SET state = ?3, finished_at = ?4, owner = NULL, lease_until = NULL, \
         reason = 'the integration was paused or removed' \
         WHERE state IN (0, 1) AND workspace_id = ?1 AND kind = ?5 AND subject = ?2",
        params![
            workspace,
            command.id.as_bytes(),
            RunState::Cancelled.position(),
            command.now.as_millis(),
            JobKind::Sync.position()
        ],
    )?;
    Ok(())
}

/// Cancels what waits for approval on the integration itself, its apps, and people who are nowhere else.
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
