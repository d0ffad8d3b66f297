//! Integrations: connected platform instances and the data collected from each.

mod completeness;
pub mod connector;
mod credential;
pub mod fact;
pub mod reading;
pub mod setting;
mod standing;
pub mod sync;
#[cfg(test)]
pub(crate) mod testing;

pub use completeness::{
    Baseline, DatasetEnd, DatasetSpec, Doubt, IfEmpty, Judged, SHRINK_ROWS_MIN, Shrink, ShrinkConfirmation,
    decide_confirmation,
};
pub use credential::{CredentialChange, CredentialStep, OpenedTenant, decide_credential};
pub use standing::{
    IntegrationStep, SYNCS_KEPT, Standing, SyncResult, after_sync, decide_change, first_status, takes_part,
};

use crate::{
    access::{Audited, AuthorizedWrite, Command, JobPermit, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    error::StoreError,
    integration::{
        connector::ConnectorConfig,
        fact::{Dataset, FactPage},
        reading::Readings,
    },
    rule::document::IntegrationDocument,
    value::{
        id::{IntegrationId, JobId, SyncId},
        text::ForeignText,
        time::{HOUR_MS, Timestamp},
        word::{CollectionState, IntegrationStatus, Platform, RunState},
    },
};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// The time without a completed sync after which a source is stale, in milliseconds.
pub const STALE_AFTER_MS: i64 = 10 * HOUR_MS;

/// One connected platform instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// The integration's id.
    pub id: IntegrationId,
    /// The platform.
    pub platform: Platform,
    /// The name: that of the tenant, or one chosen by a person.
    pub name: ForeignText,
    /// The vendor's id of the tenant, known after verification.
    pub tenant_key: Option<String>,
    /// The status.
    pub status: IntegrationStatus,
    /// The configuration without credentials.
    pub config: BTreeMap<String, String>,
    /// The time at which the integration was added.
    pub created_at: Timestamp,
    /// The end of the last completed sync.
    pub last_completed_at: Option<Timestamp>,
    /// The start of the last sync.
    pub last_started_at: Option<Timestamp>,
    /// The current failure, if the last sync failed.
    pub failure: Option<Failure>,
    /// The job for the integration that is queued or in progress.
    pub running: Option<JobId>,
    /// The last collection of each dataset.
    pub collections: Vec<CollectionRow>,
}

/// The current failure of an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason of the last failure, written by Watchpost and suitable for display.
    pub reason: String,
    /// The time of the first of the consecutive failures.
    pub since: Timestamp,
    /// Whether the vendor rejects the credentials, or the connector can't use them: new ones end the failure.
    pub needs_credential: bool,
}

impl Integration {
    /// Returns whether the data is stale: the last completed sync is more than ten hours ago. Imports aren't
    /// synced and are never stale.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.platform.is_synced()
            && self
                .last_completed_at
                .is_none_or(|at| now.millis_since(at) > STALE_AFTER_MS)
    }
    /// Returns whether the integration takes part in syncs and scans.
    pub const fn is_active(&self) -> bool {
        takes_part(self.status)
    }
    /// Returns whether the integration is synced: it is active, and its platform is one that syncs read.
    pub const fn is_synced(&self) -> bool {
        self.is_active() && self.platform.is_synced()
    }
    /// Returns the part of the integration's state that changes depend on.
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            last_completed_at: self.last_completed_at,
            failure: self.failure.clone(),
        }
    }
    /// Returns the last collection of a dataset.
    pub fn collection(&self, dataset: Dataset) -> Option<&CollectionRow> {
        self.collections.iter().find(|row| row.dataset == dataset)
    }
}

/// The last collection of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionRow {
    /// The dataset.
    pub dataset: Dataset,
    /// The state of the last collection.
    pub state: CollectionState,
    /// The number of rows read.
    pub rows: u64,
    /// The missing permission or another reason.
    pub detail: Option<String>,
    /// The reason why a list that the vendor returned without an error isn't complete.
    pub doubt: Option<Doubt>,
    /// The end of the collection.
    pub finished_at: Timestamp,
    /// The number of `complete` collections so far. Findings that are no longer seen are resolved by comparing
    /// this number.
    pub completions: u64,
    /// The number of rows of the last complete collection.
    pub complete_rows: Option<u64>,
    /// The end of the last complete collection.
    pub complete_at: Option<Timestamp>,
    /// The number of rows that a person has confirmed since the last complete collection.
    pub confirmed_rows: Option<u64>,
}

/// Storage of integrations.
#[async_trait]
pub trait IntegrationStore: Send + Sync {
    /// Returns all integrations of the workspace with their collections, ordered by platform, then name.
    async fn list_integrations(&self, scope: &WorkspaceScope) -> Result<Vec<Integration>, StoreError>;
    /// Returns one integration.
    async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError>;
    /// Returns the documents for the rules of all active integrations. This is a long read.
    async fn integration_documents(
        &self,
        scope: &WorkspaceScope,
    ) -> Result<Vec<IntegrationDocument>, StoreError>;
    /// Opens the sealed credentials of an integration for a job.
    async fn open_config(
        &self,
        permit: &JobPermit,
        id: IntegrationId,
    ) -> Result<Option<ConnectorConfig>, StoreError>;
    /// Opens the sealed credentials for the operator's `verify` command, which is audited.
    async fn open_config_for_verify(
        &self,
        write: AuthorizedWrite<VerifyIntegration>,
    ) -> Result<Audited<Option<ConnectorConfig>>, StoreError>;
    /// Adds an integration with its credentials (sealed by the store) and enqueues its first sync.
    async fn add_integration(
        &self,
        write: AuthorizedWrite<AddIntegration>,
    ) -> Result<Audited<()>, StoreError>;
    /// Pauses, resumes or removes an integration. Removal deletes its facts and credentials and cancels its jobs
    /// and waiting remediations. It enqueues an analysis, which resolves its findings.
    async fn change_integration(
        &self,
        write: AuthorizedWrite<ChangeIntegration>,
    ) -> Result<Audited<IntegrationChange>, StoreError>;
    /// Replaces the credentials of an integration, as decided by [`decide_credential`]. Deletes the old ones, ends the
    /// failure, and starts syncs that are queued or in progress again with the new ones. Ids, facts, findings and
    /// decisions stay.
    async fn set_credential(
        &self,
        write: AuthorizedWrite<SetCredential>,
    ) -> Result<Audited<CredentialChange>, StoreError>;

    /// Begins a sync: inserts its row in the state `in_progress`.
    async fn begin_sync(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Returns what earlier syncs of an integration have read account by account or app by app. This is a long read.
    async fn readings(&self, permit: &JobPermit, integration: IntegrationId) -> Result<Readings, StoreError>;
    /// Stores a page of facts under the sync's generation, and joins accounts to identities (see
    /// [`crate::identity::join`]).
    async fn store_facts(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        page: FactPage,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Ends a dataset and returns its result. The store decides with [`DatasetEnd::judge`] whether it is complete,
    /// in the transaction that retires rows: a `complete` collection retires the rows that the sync hasn't seen and
    /// that [`reading::is_gone`] doesn't keep, and uses up a confirmation; any other retires nothing and keeps the
    /// number of rows to compare with.
    async fn finish_dataset(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        end: DatasetEnd,
        now: Timestamp,
    ) -> Result<Judged, StoreError>;
    /// Stores a person's confirmation that a list is as small as it was last read, as decided by
    /// [`decide_confirmation`].
    async fn confirm_shrink(
        &self,
        write: AuthorizedWrite<ConfirmShrink>,
    ) -> Result<Audited<ShrinkConfirmation>, StoreError>;
    /// Ends a sync. If it completed, enqueues the analysis in the same transaction.
    async fn finish_sync(&self, write: AuthorizedWrite<FinishSync>) -> Result<Audited<()>, StoreError>;
}

/// Adds an integration.
#[derive(Debug)]
pub struct AddIntegration {
    /// The id of the new integration.
    pub id: IntegrationId,
    /// The platform.
    pub platform: Platform,
    /// The name.
    pub name: ForeignText,
    /// The vendor's id of the tenant.
    pub tenant_key: Option<String>,
    /// Configuration and credentials.
    pub config: ConnectorConfig,
    /// The id of the first sync's job.
    pub first_sync: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for AddIntegration {
    fn permission(&self) -> Permission {
        Permission::ManageIntegrations
    }
    fn action(&self) -> &'static str {
        "integration.added"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.id)
    }
}

/// Opens the credentials of an integration to verify them.
#[derive(Debug)]
pub struct VerifyIntegration {
    /// The integration.
    pub id: IntegrationId,
}

impl Command for VerifyIntegration {
    fn permission(&self) -> Permission {
        Permission::ManageIntegrations
    }
    fn action(&self) -> &'static str {
        "integration.verified"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.id)
    }
}

/// An action on an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationAction {
    /// Stops syncs and keeps the data.
    Pause,
    /// Starts syncs again.
    Resume,
    /// Deletes the integration with its data.
    Remove,
}

/// Pauses, resumes or removes an integration.
#[derive(Debug)]
pub struct ChangeIntegration {
    /// The integration.
    pub id: IntegrationId,
    /// The action.
    pub action: IntegrationAction,
    /// The id of the job to enqueue (a sync on resume, an analysis on removal).
    pub job: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for ChangeIntegration {
    fn permission(&self) -> Permission {
        Permission::ManageIntegrations
    }
    fn action(&self) -> &'static str {
        "integration.changed"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.id)
    }
}

/// The outcome of [`ChangeIntegration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationChange {
    /// The integration was changed.
    Changed,
    /// The integration was in the requested state already.
    Unchanged,
    /// The workspace has no such integration.
    NotFound,
}

/// Replaces the credentials of an integration, after the vendor has accepted the new ones.
#[derive(Debug)]
pub struct SetCredential {
    /// The integration.
    pub id: IntegrationId,
    /// The tenant that the new credentials open.
    pub opened: OpenedTenant,
    /// The whole configuration with the new credentials. It replaces the current one.
    pub config: ConnectorConfig,
    /// The id of the job of the next sync.
    pub sync: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for SetCredential {
    fn permission(&self) -> Permission {
        Permission::ManageIntegrations
    }
    fn action(&self) -> &'static str {
        "integration.credential_set"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.id)
    }
}

/// Confirms that a list is as small as it was last read. The next read with at least half as many rows is complete.
#[derive(Debug)]
pub struct ConfirmShrink {
    /// The integration.
    pub id: IntegrationId,
    /// The dataset.
    pub dataset: Dataset,
    /// The number of rows that the person has seen.
    pub rows: u64,
    /// The current time.
    pub now: Timestamp,
}

impl Command for ConfirmShrink {
    fn permission(&self) -> Permission {
        Permission::ConfirmShrink
    }
    fn action(&self) -> &'static str {
        "integration.shrink_confirmed"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.id)
    }
}

impl ShrinkConfirmation {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(self) -> AuditOutcome {
        match self {
            Self::Confirmed(_) => AuditOutcome::Ok,
            Self::Unchanged(_) => AuditOutcome::Unchanged,
            Self::Changed(_) | Self::NothingToConfirm | Self::NotRead => AuditOutcome::Conflict,
            Self::NotFound => AuditOutcome::NotFound,
        }
    }
}

/// Ends a sync.
#[derive(Debug)]
pub struct FinishSync {
    /// The sync.
    pub sync: SyncId,
    /// The integration of the sync.
    pub integration: IntegrationId,
    /// `completed`, `failed` or `cancelled`.
    pub state: RunState,
    /// The reason for `failed`, written by Watchpost.
    pub reason: Option<String>,
    /// Whether new credentials would end the failure.
    pub needs_credential: bool,
    /// The id of the analysis job to enqueue on completion.
    pub analysis: JobId,
    /// The current time.
    pub now: Timestamp,
}

impl Command for FinishSync {
    fn permission(&self) -> Permission {
        Permission::RunJob
    }
    fn action(&self) -> &'static str {
        "integration.synced"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("integration", &self.integration)
    }
}
