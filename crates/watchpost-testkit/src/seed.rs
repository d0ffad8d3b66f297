//! Fills a store with identities and findings for benchmarks. The rows are written through the ports, as a sync and an
//! analysis write them. Only the vendor and the rules are left out, since their speed is measured elsewhere.

use std::{collections::BTreeMap, fmt};
use watchpost_core::{
    access::{JobAuthority, JobPermit, WorkspaceScope},
    audit::CallRecord,
    error::StoreError,
    finding::{Observation, fingerprint},
    integration::{
        AddIntegration, FinishSync,
        connector::ConnectorConfig,
        fact::{AccountFacts, Collection, Dataset, Fact, FactPage, LastActive, MfaFacts},
    },
    job::{InstanceStore, JobEnd, LeasedJob},
    port::{Clock, Random, Store},
    posture::{CoverageNumbers, RecordAnalysis},
    rule::document::EntityRef,
    value::{
        id::{AnalysisId, IdentityId, IntegrationId, JobId, SyncId},
        text::ForeignText,
        word::{AccountKind, AccountStatus, Category, CollectionState, Mfa, Platform, RunState, Severity},
    },
};

/// The number of rows in a page.
const PAGE: u64 = 500;
const OWNER: &str = "watchpost-seed";

/// Fills a store through its ports.
pub struct Seeder<'a> {
    /// The store's ports.
    pub store: &'a dyn Store,
    /// The port for job leases.
    pub instance: &'a dyn InstanceStore,
    /// The authority that leases the store's jobs.
    pub jobs: &'a JobAuthority,
    /// The scope of the workspace's operator.
    pub operator: &'a WorkspaceScope,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The source of randomness.
    pub random: &'a dyn Random,
}

impl fmt::Debug for Seeder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeder")
    }
}

/// The error when a store can't be filled.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The job that was just queued can't be leased.
    #[error("the queued job can't be leased: stop the server that uses this file")]
    NoJob,
}

fn call(operation: &'static str) -> CallRecord {
    CallRecord::new("cli", operation, "{}")
}

impl Seeder<'_> {
    /// Creates `identities` people (`user0@acme.example`, `user1@acme.example` …) and `findings` findings: 2 % critical, 8 %
    /// high, 30 % medium, 40 % low, 20 % info.
    ///
    /// # Errors
    /// [`SeedError`] if the store fails or a job can't be leased.
    pub async fn fill(&self, findings: u64, identities: u64) -> Result<(), SeedError> {
        let integration = IntegrationId::generate(self.clock, self.random);
        let command = AddIntegration {
            id: integration,
            platform: Platform::Okta,
            name: ForeignText::name("Acme"),
            tenant_key: Some("acme".into()),
            config: ConnectorConfig::default(),
            first_sync: JobId::generate(self.clock, self.random),
            now: self.clock.now(),
        };
        let write = self
            .operator
            .authorize(command, call("seed"))
            .map_err(|_| SeedError::NoJob)?;
        self.store.add_integration(write).await?.into_value();

        let job = self.lease().await?;
        let permit = self.jobs.enter(&job);
        self.people(&permit, integration, identities).await?;
        self.instance
            .finish_job(&job, OWNER, JobEnd::Completed, self.clock.now())
            .await?;

        let job = self.lease().await?;
        let permit = self.jobs.enter(&job);
        let people = self.ids(self.operator).await?;
        self.findings(&permit, integration, &people, findings).await?;
        self.instance
            .finish_job(&job, OWNER, JobEnd::Completed, self.clock.now())
            .await?;
        Ok(())
    }

    async fn lease(&self) -> Result<LeasedJob, SeedError> {
        self.jobs
            .lease(self.instance, OWNER, self.clock.now())
            .await?
            .ok_or(SeedError::NoJob)
    }

    async fn people(
        &self,
        permit: &JobPermit,
        integration: IntegrationId,
        identities: u64,
    ) -> Result<(), SeedError> {
        let now = self.clock.now();
        let sync = SyncId::generate(self.clock, self.random);
        self.store.begin_sync(permit, sync, integration, now).await?;
        for dataset in [Dataset::Users, Dataset::Mfa] {
            let mut from = 0;
            while from < identities {
                let to = from.saturating_add(PAGE).min(identities);
                let facts = (from..to)
                    .map(|n| {
                        if dataset == Dataset::Users {
                            account(n, now)
                        } else {
                            factors(n)
                        }
                    })
                    .collect();
                self.store
                    .store_facts(permit, sync, integration, FactPage { dataset, facts }, now)
                    .await?;
                from = to;
            }
            let collection = Collection {
                dataset,
                state: CollectionState::Complete,
                rows: identities,
                row_errors: 0,
                detail: None,
            };
            self.store
                .finish_dataset(permit, sync, integration, collection.into(), now)
                .await?;
        }
        let analysis = JobId::generate(self.clock, self.random);
        let command = FinishSync {
            sync,
            integration,
            state: RunState::Completed,
            reason: None,
            needs_credential: false,
            analysis,
            now,
        };
        let write = permit
            .scope()
            .authorize(command, CallRecord::new("job", "sync", "{}"))
            .map_err(|_| SeedError::NoJob)?;
        self.store.finish_sync(write).await?.into_value();
        Ok(())
    }

    async fn ids(&self, scope: &WorkspaceScope) -> Result<Vec<(IdentityId, String)>, SeedError> {
        let mut out = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.identity_documents(scope, after, 1_000).await?;
            let Some(last) = page.last() else { return Ok(out) };
            after = Some(last.id);
            out.extend(
                page.into_iter()
                    .map(|doc| (doc.id, doc.email.unwrap_or_default())),
            );
        }
    }

    async fn findings(
        &self,
        permit: &JobPermit,
        integration: IntegrationId,
        people: &[(IdentityId, String)],
        findings: u64,
    ) -> Result<(), SeedError> {
        let analysis = AnalysisId::generate(self.clock, self.random);
        let start = self.clock.now();
        let mut from = 0;
        while from < findings {
            let to = from.saturating_add(PAGE).min(findings);
            let page = (from..to)
                .filter_map(|n| observation(n, integration, people))
                .collect();
            // Each page is a minute later than the one before, so that the times of the first sighting differ.
            let at = start.plus_millis(
                i64::try_from(from / PAGE)
                    .unwrap_or(0)
                    .saturating_sub(i64::try_from(findings / PAGE).unwrap_or(0))
                    .saturating_mul(60_000),
            );
            self.store.observe_findings(permit, analysis, page, at).await?;
            from = to;
        }
        let command = RecordAnalysis {
            analysis,
            coverage: CoverageNumbers::default(),
            now: self.clock.now(),
        };
        let write = permit
            .scope()
            .authorize(command, CallRecord::new("job", "analyse", "{}"))
            .map_err(|_| SeedError::NoJob)?;
        self.store.record_analysis(write).await?.into_value();
        Ok(())
    }
}

fn account(n: u64, now: watchpost_core::value::time::Timestamp) -> Fact {
    let email = format!("user{n}@acme.example");
    Fact::Account(Box::new(AccountFacts {
        vendor_id: format!("00u{n:017}"),
        login: ForeignText::name(&email),
        email: Some(email),
        aliases: Vec::new(),
        display_name: ForeignText::name(&format!("User {n}")),
        status: AccountStatus::Active,
        status_changed_at: None,
        kind: AccountKind::Member,
        last_active: LastActive::At(now.plus_hours(-i64::try_from(n % 500).unwrap_or(0))),
        created_at: Some(now.plus_days(-400)),
        department: Some(ForeignText::name(
            ["engineering", "sales", "finance", "legal", "support"][(n % 5) as usize],
        )),
        title: None,
        manager_email: None,
        password_never_expires: Some(false),
        password_expiry_exempt: Some(false),
        password_changed_at: Some(now.plus_days(-100)),
        synced: None,
        on_premises_id: None,
        invitation_pending: None,
        mailbox: None,
    }))
}

fn factors(n: u64) -> Fact {
    let on = n % 10 != 0;
    Fact::Mfa(MfaFacts {
        account_vendor_id: format!("00u{n:017}"),
        mfa: if on { Mfa::On } else { Mfa::Off },
        methods: if on {
            vec![ForeignText::name("push")]
        } else {
            Vec::new()
        },
        phishing_resistant: Some(false),
        weak_only: Some(false),
    })
}

fn observation(n: u64, integration: IntegrationId, people: &[(IdentityId, String)]) -> Option<Observation> {
    let count = u64::try_from(people.len()).ok().filter(|count| *count > 0)?;
    // Each round over all people has its own rule, so that no two findings have the same rule and person.
    let (id, email) = people.get(usize::try_from(n % count).ok()?)?;
    let severity = match (n % count).wrapping_mul(7).wrapping_add(n / count * 13) % 50 {
        0 => Severity::Critical,
        1..=4 => Severity::High,
        5..=19 => Severity::Medium,
        20..=39 => Severity::Low,
        _ => Severity::Info,
    };
    let categories = [
        Category::IdentitySecurity,
        Category::AccessHygiene,
        Category::ShadowIt,
        Category::AccessRisk,
        Category::CompoundRisk,
    ];
    let rule_id = format!("seed.rule_{}_{severity}", n / count);
    let entity = EntityRef::Identity(*id);
    Some(Observation {
        fingerprint: fingerprint(&rule_id, entity),
        condition: rule_id.clone(),
        rule_id,
        severity,
        category: *categories.get((n % 5) as usize)?,
        scored: severity != Severity::Info,
        entity,
        subject_name: ForeignText::name(&format!("User {}", n % count)),
        subject_email: Some(email.clone()),
        title: ForeignText::sentence(&format!(
            "User {} signs in without a second factor, so one stolen password is enough to read their mail",
            n % count
        )),
        evidence: r#"[{"platform":"okta","field":"mfa","value":"off"}]"#.into(),
        apps: Vec::new(),
        marks: BTreeMap::from([((integration, Dataset::Users), 1)]),
        service: None,
        frameworks: Vec::new(),
    })
}
