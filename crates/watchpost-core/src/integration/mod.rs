//! Integrations: connected platform instances, and what was collected from each.

pub mod connector;
pub mod fact;
pub mod setting;
mod standing;
pub mod sync;
#[cfg(test)]
pub(crate) mod testing;

pub use standing::{
    IntegrationStep, SYNCS_KEPT, Standing, SyncResult, after_sync, decide_change, first_status, takes_part,
};

use crate::{
    access::{Audited, AuthorizedWrite, Command, JobPermit, Permission, WorkspaceScope},
    audit::AuditTarget,
    error::StoreError,
    integration::{
        connector::ConnectorConfig,
        fact::{Collection, Dataset, FactPage},
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

/// A source is stale after this many milliseconds without a completed sync.
pub const STALE_AFTER_MS: i64 = 10 * HOUR_MS;

/// One connected platform instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// What kind of platform.
    pub platform: Platform,
    /// What people call it: the tenant's name, or what they typed.
    pub name: ForeignText,
    /// The vendor's id of the tenant, once verified.
    pub tenant_key: Option<String>,
    /// State of the connection.
    pub status: IntegrationStatus,
    /// Plain configuration values.
    pub config: BTreeMap<String, String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When the last completed sync ended.
    pub last_completed_at: Option<Timestamp>,
    /// When the last sync began.
    pub last_started_at: Option<Timestamp>,
    /// The last failure, while it lasts: reason and since when.
    pub failure: Option<Failure>,
    /// The job that is queued or running for it.
    pub running: Option<JobId>,
    /// Which datasets were collected and how.
    pub collections: Vec<CollectionRow>,
}

/// Why an integration fails, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In our own words, fit to be shown.
    pub reason: String,
    /// The first failure of the present run of failures.
    pub since: Timestamp,
}

impl Integration {
    /// Whether its data is older than it should be: no completed sync for ten hours. Imports aren't synced, so they
    /// are never late.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.platform.is_synced()
            && self
                .last_completed_at
                .is_none_or(|at| now.millis_since(at) > STALE_AFTER_MS)
    }
    /// Whether it takes part in syncs.
    pub const fn is_active(&self) -> bool {
        takes_part(self.status)
    }
    /// Whether syncs read it now: it is active, and of a platform that is read.
    pub const fn takes_syncs(&self) -> bool {
        self.is_active() && self.platform.is_synced()
    }
    /// How it stands, as changes of it need to know.
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            last_completed_at: self.last_completed_at,
            failure: self.failure.clone(),
        }
    }
    /// The collection of a dataset.
    pub fn collection(&self, dataset: Dataset) -> Option<&CollectionRow> {
        self.collections.iter().find(|row| row.dataset == dataset)
    }
}

/// The last collection of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionRow {
    /// Which dataset.
    pub dataset: Dataset,
    /// How its last collection ended.
    pub state: CollectionState,
    /// Rows read then.
    pub rows: u64,
    /// Missing permission or reason.
    pub detail: Option<String>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How many times it was `complete`: the mark that resolution by absence compares.
    pub completions: u64,
}

/// Integrations' port.
#[async_trait]
pub trait IntegrationStore: Send + Sync {
    /// All integrations of the workspace with their collections, by platform, then name.
    async fn list_integrations(&self, scope: &WorkspaceScope) -> Result<Vec<Integration>, StoreError>;
    /// One.
    async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError>;
    /// Documents for the rules, all integrations that take part in syncs. A long read.
    async fn integration_documents(
        &self,
        scope: &WorkspaceScope,
    ) -> Result<Vec<IntegrationDocument>, StoreError>;
    /// Opens the sealed credentials of an integration for a sync.
    async fn open_config(
        &self,
        permit: &JobPermit,
        id: IntegrationId,
    ) -> Result<Option<ConnectorConfig>, StoreError>;
    /// Opens them for the operator's own `verify`; audited by the command.
    async fn open_config_for_verify(
        &self,
        write: AuthorizedWrite<VerifyIntegration>,
    ) -> Result<Audited<Option<ConnectorConfig>>, StoreError>;
    /// Adds one with its credentials (sealed by the store) and enqueues its first sync.
    async fn add_integration(
        &self,
        write: AuthorizedWrite<AddIntegration>,
    ) -> Result<Audited<()>, StoreError>;
    /// Pauses, resumes or removes. Removing deletes its facts and credentials, cancels its jobs and waiting
    /// remediations; its findings end at the next analysis, which is enqueued.
    async fn change_integration(
        &self,
        write: AuthorizedWrite<ChangeIntegration>,
    ) -> Result<Audited<IntegrationChange>, StoreError>;

    /// Begins a sync: makes its row (`in_progress`).
    async fn begin_sync(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Stores a page of facts under the sync's generation; accounts are joined to identities (see
    /// [`crate::identity::join`]).
    async fn store_facts(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        page: FactPage,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Ends a dataset. A `complete` one retires what the sync hasn't seen of it; any other retires nothing.
    async fn finish_dataset(
        &self,
        permit: &JobPermit,
        sync: SyncId,
        integration: IntegrationId,
        collection: Collection,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Ends a sync and, if it completed, enqueues the analysis in the same transaction.
    async fn finish_sync(&self, write: AuthorizedWrite<FinishSync>) -> Result<Audited<()>, StoreError>;
}

/// Add an integration.
#[derive(Debug)]
pub struct AddIntegration {
    /// The id it gets.
    pub id: IntegrationId,
    /// What kind of platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// The vendor's id of the tenant.
    pub tenant_key: Option<String>,
    /// Values and credentials.
    pub config: ConnectorConfig,
    /// The first sync's job.
    pub first_sync: JobId,
    /// When.
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

/// Open an integration's credentials to verify them.
#[derive(Debug)]
pub struct VerifyIntegration {
    /// Which.
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

/// What to do with an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationAct {
    /// Keep its data, sync no more.
    Pause,
    /// Sync again.
    Resume,
    /// Delete it with its data.
    Remove,
}

/// Change an integration.
#[derive(Debug)]
pub struct ChangeIntegration {
    /// Which.
    pub id: IntegrationId,
    /// What.
    pub act: IntegrationAct,
    /// The id of the job this enqueues (a sync on resume, an analysis on removal).
    pub job: JobId,
    /// When.
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

/// What came of changing an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegrationChange {
    /// Done.
    Changed,
    /// It was so already.
    Unchanged,
    /// There is no such integration.
    NotFound,
}

/// End a sync.
#[derive(Debug)]
pub struct FinishSync {
    /// Which.
    pub sync: SyncId,
    /// Of which integration.
    pub integration: IntegrationId,
    /// `completed`, `failed` or `cancelled`.
    pub state: RunState,
    /// For `failed`: the reason in our own words.
    pub reason: Option<String>,
    /// The analysis job to enqueue on completion.
    pub analysis: JobId,
    /// When.
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
