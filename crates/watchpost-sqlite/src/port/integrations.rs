//! The [`IntegrationStore`] port.

use crate::{
    base::fault::Res,
    port::store::SqliteStore,
    table::{
        documents, facts, integrations,
        removal::{self, Purge},
    },
};
use async_trait::async_trait;
use rusqlite::Connection;
use std::sync::Arc;
use watchpost_core::{
    access::{Audited, AuthorizedWrite, JobPermit, WorkspaceScope},
    audit::AuditOutcome,
    error::StoreError,
    integration::{
        AddIntegration, ChangeIntegration, ConfirmShrink, CredentialChange, DatasetEnd, FinishSync,
        Integration, IntegrationChange, IntegrationStore, Judged, SetCredential, ShrinkConfirmation,
        VerifyIntegration, connector::ConnectorConfig, fact::FactPage, reading::Readings,
    },
    rule::document::IntegrationDocument,
    value::{
        id::{IntegrationId, SyncId, WorkspaceId},
        time::Timestamp,
    },
};

impl SqliteStore {
    /// Reads the configuration of an integration with its decrypted credentials.
    pub(crate) fn open_secrets(
        &self,
        conn: &Connection,
        workspace: i64,
        workspace_id: WorkspaceId,
        id: IntegrationId,
    ) -> Res<Option<ConnectorConfig>> {
        integrations::open_config(conn, &self.inner.sealer, workspace, workspace_id, id)
    }

    /// Deletes the facts of a removed integration, then its row.
    pub(crate) async fn purge(&self, workspace: i64, integration: i64) -> Result<(), StoreError> {
        let mut purge = Purge::new(workspace, integration);
        self.inner.writer.bulk("facts", move |tx| purge.slice(tx)).await
    }

    /// Updates the stored usage of the integration's apps where it has changed.
    async fn measure_usage(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
    ) -> Result<(), StoreError> {
        let changes = self
            .long(scope, "grants", move |conn, workspace| {
                facts::changed_usage(conn, workspace, integration)
            })
            .await?;
        let Some(mut changes) = changes else {
            return Ok(());
        };
        self.bulk("apps", scope.workspace(), move |tx, workspace| {
            changes.slice(tx, workspace)
        })
        .await
    }
}

#[async_trait]
impl IntegrationStore for SqliteStore {
    async fn list_integrations(&self, scope: &WorkspaceScope) -> Result<Vec<Integration>, StoreError> {
        self.read(scope, "integrations", integrations::all)
    }

    async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        self.read(scope, "integrations", |conn, workspace| {
            Ok(integrations::all(conn, workspace)?
                .into_iter()
                .find(|row| row.id == id))
        })
    }

    async fn integration_documents(
        &self,
        scope: &WorkspaceScope,
    ) -> Result<Vec<IntegrationDocument>, StoreError> {
        self.long(scope, "settings", documents::integrations).await
    }

    async fn open_config(
        &self,
        permit: &JobPermit,
        id: IntegrationId,
    ) -> Result<Option<ConnectorConfig>, StoreError> {
        let scope = permit.scope();
        self.read(scope, "integrations", |conn, workspace| {
            self.open_secrets(conn, workspace, scope.workspace(), id)
        })
    }

    async fn open_config_for_verify(
        &self,
        write: AuthorizedWrite<VerifyIntegration>,
    ) -> Result<Audited<Option<ConnectorConfig>>, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        self.change("integrations", write, move |tx, workspace, command, entry| {
            let config =
                integrations::open_config(tx.conn, &sealer, workspace, entry.workspace(), command.id)?;
            if config.is_none() {
                entry.set_outcome(AuditOutcome::NotFound);
            }
            Ok(config)
        })
        .await
    }

    async fn add_integration(
        &self,
        write: AuthorizedWrite<AddIntegration>,
    ) -> Result<Audited<()>, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        self.change("integrations", write, move |tx, workspace, command, entry| {
            integrations::add(tx, &sealer, workspace, &command, entry)
        })
        .await
    }

    async fn change_integration(
        &self,
        write: AuthorizedWrite<ChangeIntegration>,
    ) -> Result<Audited<IntegrationChange>, StoreError> {
        let done = self
            .change("integrations", write, |tx, workspace, command, entry| {
                let change = removal::change(tx, workspace, &command, entry)?;
                entry.set_outcome(change.audit_outcome());
                Ok(change)
            })
            .await?;
        // The removal is committed. If deleting the facts fails here, the next run of the schedules continues it.
        let left = self
            .inner
            .pool
            .read_one(removal::unfinished)
            .map_err(|fault| fault.into_store("integrations"))?;
        for (workspace, integration) in left {
            if let Err(error) = self.purge(workspace, integration).await {
                tracing::warn!(%error, "a removed integration's facts can't be deleted yet");
            }
        }
        Ok(done)
    }

    async fn set_credential(
        &self,
        write: AuthorizedWrite<SetCredential>,
    ) -> Result<Audited<CredentialChange>, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        self.change("integrations", write, move |tx, workspace, command, entry| {
            let change = integrations::set_credential(tx, &sealer, workspace, &command, entry)?;
            entry.set_outcome(change.audit_outcome());
            Ok(change)
        })
        .await
    }

    async fn begin_sync(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.call("syncs", permit.scope().workspace(), move |tx, workspace| {
            integrations::begin(tx, workspace, sync, integration, now)
        })
        .await
    }

    async fn readings(&self, permit: &JobPermit, integration: IntegrationId) -> Result<Readings, StoreError> {
        self.long(permit.scope(), "entity_readings", move |conn, workspace| {
            facts::readings(conn, workspace, integration)
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
        let mut writer = facts::FactWriter::new(sync, integration, page, now);
        self.bulk("facts", permit.scope().workspace(), move |tx, workspace| {
            writer.slice(tx, workspace)
        })
        .await
    }

    async fn finish_dataset(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        end: DatasetEnd,
        now: Timestamp,
    ) -> Result<Judged, StoreError> {
        let determines_app_usage = end.collection.dataset.determines_app_usage();
        let mut finisher = facts::DatasetFinisher::new(sync, integration, end, now);
        let judged = self
            .bulk("facts", permit.scope().workspace(), move |tx, workspace| {
                finisher.slice(tx, workspace)
            })
            .await?;
        if determines_app_usage {
            self.measure_usage(permit.scope(), integration).await?;
        }
        Ok(judged)
    }

    async fn confirm_shrink(
        &self,
        write: AuthorizedWrite<ConfirmShrink>,
    ) -> Result<Audited<ShrinkConfirmation>, StoreError> {
        self.change("collections", write, |tx, workspace, command, entry| {
            let confirmation = integrations::confirm_shrink(tx, workspace, &command)?;
            entry.set_outcome(confirmation.audit_outcome());
            Ok(confirmation)
        })
        .await
    }

    async fn finish_sync(&self, write: AuthorizedWrite<FinishSync>) -> Result<Audited<()>, StoreError> {
        self.change("syncs", write, |tx, workspace, command, entry| {
            integrations::finish_sync(tx, workspace, &command, entry)
        })
        .await
    }
}
