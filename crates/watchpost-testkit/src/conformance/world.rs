//! A store under test, and the steps that cases consist of.

use crate::{SeededRandom, SteppingClock};
use async_trait::async_trait;
use std::{collections::BTreeMap, future::Future, sync::Arc};
use watchpost_core::{
    access::{
        Access, AuthorizedWrite, Command, CreateKey, Expiry, JobPermit, KeyCreation, KeyDirectory, KeyScope,
        NewKey, WorkspaceScope,
    },
    audit::{AuditOutcome, AuditTarget, CallRecord, ChainVerdict, ChainVerifier},
    finding::{Completions, FindingQuery, FindingSummary, SweepInput, SweepRule},
    integration::{
        AddIntegration, DatasetEnd, FinishSync, Integration, Judged,
        connector::ConnectorConfig,
        fact::{Collection, Dataset, Fact, FactPage},
    },
    job::{InstanceStore, JobEnd, JobKind, LeasedJob, TriggerSync, WorkspaceRow},
    port::{Clock as _, Store},
    value::{
        id::{AnalysisId, IntegrationId, JobId, KeyId, SyncId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, FindingStatus, Platform, RunState},
    },
};

/// All storage ports in one trait.
pub trait AnyStore: Store + KeyDirectory + InstanceStore {}
impl<T: Store + KeyDirectory + InstanceStore> AnyStore for T {}

/// Opens the stores that the suite tests.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens a new, empty store that uses the clock and the source of randomness.
    async fn open(&self, clock: Arc<SteppingClock>, random: Arc<SeededRandom>) -> Box<dyn Opened>;
}

/// An open store under test.
pub trait Opened: Send + Sync {
    /// Returns the store.
    fn store(&self) -> Arc<dyn AnyStore>;
    /// Opens a second store on the same data, as another process would.
    fn open_again(&self) -> Arc<dyn AnyStore>;
    /// Makes storing audit entries fail from now on, or succeed again.
    fn break_audit(&self, broken: bool);
}

/// Runs a case to completion.
///
/// # Panics
/// If the case fails.
pub fn run<F: Future>(case: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built")
        .block_on(case)
}

/// A store under test with its clock, its source of randomness and the access to its workspaces.
pub struct World {
    /// The open store, to open it again or to break its audit log.
    pub opened: Box<dyn Opened>,
    /// The store under test.
    pub store: Arc<dyn AnyStore>,
    /// The store's clock.
    pub clock: Arc<SteppingClock>,
    /// The store's source of randomness.
    pub random: Arc<SeededRandom>,
    /// The gate, the operator and the job authority of the store.
    pub access: Access,
}

/// A workspace with the scopes that cases use.
pub struct Tenant {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// The scope of the local operator.
    pub operator: Arc<WorkspaceScope>,
    /// The scope of a write key, obtained through the gate.
    pub writer: Arc<WorkspaceScope>,
    /// The id of the write key.
    pub writer_key: KeyId,
}

/// Returns a call record for audit entries.
pub fn call() -> CallRecord {
    CallRecord::new("mcp", "case", "{}")
}

impl World {
    /// Opens a new, empty store.
    pub async fn new(harness: &dyn Harness) -> Self {
        let start = "2026-03-01T08:00:00Z".parse().expect("a time");
        let clock = Arc::new(SteppingClock::from(start));
        let random = Arc::new(SeededRandom::new(7));
        let opened = harness.open(Arc::clone(&clock), Arc::clone(&random)).await;
        let store = opened.store();
        let access = Access::open(
            Arc::clone(&store) as Arc<dyn KeyDirectory>,
            Arc::clone(&clock) as Arc<dyn watchpost_core::port::Clock>,
        );
        Self {
            opened,
            store,
            clock,
            random,
            access,
        }
    }

    /// Returns the current time, which is a millisecond later at each call.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns a new job id.
    pub fn job_id(&self) -> JobId {
        JobId::generate(self.clock.as_ref(), self.random.as_ref())
    }

    /// Creates a workspace with a write key.
    pub async fn tenant(&self, name: &str) -> Tenant {
        let id = WorkspaceId::generate(self.clock.as_ref(), self.random.as_ref());
        let row = WorkspaceRow {
            id,
            name: name.into(),
            created_at: self.now(),
        };
        self.store.create_workspace(&row).await.expect("a workspace");
        let operator = self.access.operator.enter(id, KeyScope::Write, true);
        let (writer_key, secret, made) = self.create_key(&operator, KeyScope::Write).await;
        assert_eq!(made, KeyCreation::Created);
        let writer = self
            .access
            .gate
            .authenticate(&secret)
            .await
            .expect("the key is good");
        Tenant {
            id,
            operator,
            writer,
            writer_key,
        }
    }

    /// Creates a key. Returns its id, its secret and the outcome.
    pub async fn create_key(
        &self,
        operator: &WorkspaceScope,
        scope: KeyScope,
    ) -> (KeyId, String, KeyCreation) {
        let key = NewKey::generate(self.random.as_ref());
        let id = KeyId::generate(self.clock.as_ref(), self.random.as_ref());
        let command = CreateKey {
            id,
            hash: key.hash,
            prefix: key.prefix.clone(),
            label: ForeignText::name("case"),
            scope,
            expires_at: Expiry::Days90.ends_at(self.now()),
            active_max: 10,
        };
        let write = operator.authorize(command, call()).expect("the operator may");
        let made = self
            .store
            .create_key(write)
            .await
            .expect("the store works")
            .into_value();
        (id, key.reveal().to_owned(), made)
    }

    /// Authorizes a command that the scope allows.
    pub fn write<C: Command>(&self, scope: &WorkspaceScope, command: C) -> AuthorizedWrite<C> {
        scope.authorize(command, call()).expect("the scope may")
    }

    /// Records a read in the audit log and returns the entry's sequence number.
    pub async fn observe(&self, scope: &WorkspaceScope) -> u64 {
        let entry = scope.observe("case.read", AuditTarget::default(), AuditOutcome::Ok, call());
        self.store
            .append(entry)
            .await
            .expect("the log can be written")
            .seq()
    }

    /// Verifies the audit chain of a workspace.
    pub async fn verify_chain(&self, tenant: &Tenant) -> ChainVerdict {
        let mut verifier = ChainVerifier::new(tenant.id);
        let mut after = 0;
        loop {
            let page = self
                .store
                .audit_page(&tenant.operator, after, 100)
                .await
                .expect("the log can be read");
            let Some(last) = page.last() else {
                return verifier.finish();
            };
            after = last.seq;
            for row in &page {
                if let Err(verdict) = verifier.check(row) {
                    return verdict;
                }
            }
        }
    }

    /// Adds an integration for a platform.
    pub async fn integration(&self, tenant: &Tenant, platform: Platform) -> IntegrationId {
        let id = IntegrationId::generate(self.clock.as_ref(), self.random.as_ref());
        let command = AddIntegration {
            id,
            platform,
            name: ForeignText::name(platform.title()),
            tenant_key: Some("tenant".into()),
            config: ConnectorConfig {
                values: BTreeMap::from([("org_url".into(), "https://org.example".into())]),
                secrets: BTreeMap::from([("token".into(), format!("secret of {platform}").into())]),
            },
            first_sync: self.job_id(),
            now: self.now(),
        };
        let write = self.write(&tenant.operator, command);
        self.store
            .add_integration(write)
            .await
            .expect("the store works")
            .into_value();
        id
    }

    /// Returns an integration as it is stored.
    pub async fn row(&self, tenant: &Tenant, id: IntegrationId) -> Integration {
        self.store
            .integration(&tenant.operator, id)
            .await
            .expect("the store works")
            .expect("the integration exists")
    }

    /// Leases the sync job of an integration. Queues it first if necessary.
    pub async fn lease_sync(&self, tenant: &Tenant, integration: IntegrationId) -> LeasedJob {
        let command = TriggerSync {
            integration: Some(integration),
            platform: None,
            jobs: vec![self.job_id()],
            now: self.now(),
        };
        let write = self.write(&tenant.operator, command);
        self.store
            .trigger_sync(write)
            .await
            .expect("the store works")
            .into_value();
        loop {
            let job = self.lease("case", self.now()).await.expect("a job is due");
            if job.workspace() == tenant.id && job.row().integration == Some(integration) {
                return job;
            }
            self.end_job(&job).await;
        }
    }

    /// Leases the oldest job that is due.
    pub async fn lease(&self, owner: &str, now: Timestamp) -> Option<LeasedJob> {
        self.access
            .jobs
            .lease(&*self.store, owner, now)
            .await
            .expect("the store works")
    }

    /// Leases the sync job of an integration again after its lease has expired.
    pub async fn take_over_sync(&self, tenant: &Tenant, integration: IntegrationId) -> LeasedJob {
        self.clock.advance_ms(watchpost_core::job::LEASE_MS + 1);
        loop {
            let job = self.lease("case", self.now()).await.expect("a job is due");
            if job.workspace() == tenant.id && job.row().integration == Some(integration) {
                return job;
            }
        }
    }

    /// Completes a job.
    pub async fn end_job(&self, job: &LeasedJob) {
        self.store
            .finish_job(job, "case", JobEnd::Completed, self.now())
            .await
            .expect("the store works");
    }

    /// Begins a sync.
    pub async fn begin(&self, tenant: &Tenant, integration: IntegrationId) -> RunningSync<'_> {
        let job = self.lease_sync(tenant, integration).await;
        let permit = self.access.jobs.enter(&job);
        let sync = SyncId::generate(self.clock.as_ref(), self.random.as_ref());
        self.store
            .begin_sync(&permit, sync, integration, self.now())
            .await
            .expect("the store works");
        RunningSync {
            world: self,
            job,
            permit,
            sync,
            integration,
        }
    }

    /// Runs a complete sync whose datasets are all read completely, and ends its job.
    pub async fn sync(&self, tenant: &Tenant, integration: IntegrationId, pages: Vec<(Dataset, Vec<Fact>)>) {
        let syncing = self.begin(tenant, integration).await;
        for (dataset, facts) in pages {
            syncing.facts(dataset, facts).await;
            syncing.finish_dataset(dataset, CollectionState::Complete).await;
        }
        syncing.finish(RunState::Completed, None).await;
    }

    /// Leases the queued analysis job. Returns a new analysis id, the job's permit and the job.
    pub async fn analysis(&self, tenant: &Tenant) -> (AnalysisId, JobPermit, LeasedJob) {
        let job = loop {
            let job = self
                .lease("case", self.now())
                .await
                .expect("an analysis is queued");
            if job.workspace() == tenant.id && job.row().kind == JobKind::Analyse {
                break job;
            }
            self.end_job(&job).await;
        };
        let analysis = AnalysisId::generate(self.clock.as_ref(), self.random.as_ref());
        let permit = self.access.jobs.enter(&job);
        (analysis, permit, job)
    }

    /// Returns the state and the number of completions of each dataset.
    pub async fn completions(&self, tenant: &Tenant) -> Completions {
        self.store
            .list_integrations(&tenant.operator)
            .await
            .expect("the store works")
            .iter()
            .flat_map(|row| {
                row.collections
                    .iter()
                    .map(|c| ((row.id, c.dataset), (c.state, c.completions)))
            })
            .collect()
    }

    /// Returns the input of a sweep in which these rules are active.
    pub async fn sweep_input(&self, tenant: &Tenant, rules: &[&str]) -> SweepInput {
        let integrations = self
            .store
            .list_integrations(&tenant.operator)
            .await
            .expect("the store works");
        SweepInput {
            rules: rules
                .iter()
                .map(|rule| {
                    let rule = (*rule).to_owned();
                    (
                        rule,
                        SweepRule {
                            depends_on_decisions: true,
                        },
                    )
                })
                .collect(),
            completions: self.completions(tenant).await,
            integrations: integrations.iter().map(|row| row.id).collect(),
            failed: std::collections::BTreeSet::new(),
        }
    }

    /// Reads all findings that match the query, page by page, and asserts that they are in order without repeats.
    pub async fn all_findings(&self, scope: &WorkspaceScope, mut query: FindingQuery) -> Vec<FindingSummary> {
        let mut out: Vec<FindingSummary> = Vec::new();
        loop {
            let page = self
                .store
                .list_findings(scope, &query)
                .await
                .expect("the store works");
            assert!(page.findings.len() <= query.limit);
            out.extend(page.findings);
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        let key = |row: &FindingSummary| (row.severity, std::cmp::Reverse(row.first_seen_at), row.id);
        assert!(
            out.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])),
            "in order, no repeats"
        );
        out
    }
}

/// Returns a query for findings with these statuses.
pub fn with_statuses(statuses: &[FindingStatus]) -> FindingQuery {
    FindingQuery {
        statuses: statuses.to_vec(),
        limit: 25,
        ..FindingQuery::default()
    }
}

/// Returns a query for live findings.
pub fn live() -> FindingQuery {
    with_statuses(&[FindingStatus::Open, FindingStatus::InProgress])
}

/// The reason of a failure that new credentials end.
pub const REJECTED: &str = "authentication failed: the token is revoked";

/// A running sync.
pub struct RunningSync<'a> {
    world: &'a World,
    /// The sync's job.
    pub job: LeasedJob,
    /// The permit of the job.
    pub permit: JobPermit,
    /// The sync's id.
    pub sync: SyncId,
    integration: IntegrationId,
}

impl RunningSync<'_> {
    /// Stores a page of facts.
    pub async fn facts(&self, dataset: Dataset, facts: Vec<Fact>) {
        let page = FactPage { dataset, facts };
        self.world
            .store
            .store_facts(&self.permit, self.sync, self.integration, page, self.world.now())
            .await
            .expect("the store works");
    }

    /// Finishes a dataset with a state.
    pub async fn finish_dataset(&self, dataset: Dataset, state: CollectionState) {
        let collection = Collection {
            dataset,
            state,
            rows: 1,
            row_errors: 0,
            detail: (state != CollectionState::Complete).then(|| "User.Read.All".to_owned()),
        };
        self.end_dataset(collection.into()).await;
    }

    /// Ends a dataset.
    pub async fn end_dataset(&self, end: DatasetEnd) -> Judged {
        let (store, now) = (&self.world.store, self.world.now());
        store
            .finish_dataset(&self.permit, self.sync, self.integration, end, now)
            .await
            .expect("the store works")
    }

    /// Ends the sync and its job.
    pub async fn finish(self, state: RunState, reason: Option<&str>) {
        let command = FinishSync {
            sync: self.sync,
            integration: self.integration,
            state,
            reason: reason.map(str::to_owned),
            needs_credential: reason == Some(REJECTED),
            analysis: self.world.job_id(),
            now: self.world.now(),
        };
        let write = self
            .permit
            .scope()
            .authorize(command, call())
            .expect("the worker may");
        self.world
            .store
            .finish_sync(write)
            .await
            .expect("the store works")
            .into_value();
        self.world.end_job(&self.job).await;
    }
}
