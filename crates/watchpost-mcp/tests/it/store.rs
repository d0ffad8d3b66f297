//! A store in memory for the ports that the tools use. Unused methods return an error.

use async_trait::async_trait;
use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use watchpost_core::{
    access::{
        Audited, AuthorizedWrite, Command, CreateKey, FoundKey, JobPermit, KeyCreation, KeyDirectory,
        KeyHash, KeyRevocation, KeyRow, KeyStore, KeyUse, OnceToken, RevokeKey, WorkspaceScope,
    },
    app::{App, AppLookup, AppMatch, AppPolicyOutcome, AppQuery, AppStore, SetAppPolicy},
    audit::{ActorKind, AuditOutcome, AuditQuery, AuditRow, AuditStore, PendingEntry},
    error::StoreError,
    finding::{
        EntityFilter, Finding, FindingCommand, FindingCount, FindingOutcome, FindingPage, FindingPosition,
        FindingQuery, FindingState, FindingStore, FindingSummary, Observation, ObserveCounts, SweepCounts,
        SweepInput, Total, decide, repair_rank,
    },
    identity::{Identity, IdentityStore, NameKey, NamedIdentities, TagBreakGlass, TagOutcome},
    integration::{
        AddIntegration, ChangeIntegration, ConfirmShrink, CredentialChange, DatasetEnd, FinishSync,
        Integration, IntegrationChange, IntegrationStore, Judged, SetCredential, ShrinkConfirmation,
        VerifyIntegration, connector::ConnectorConfig, fact::FactPage, reading::Readings,
    },
    job::{JobKind, JobRow, JobStore, TriggerSync, TriggeredSync},
    posture::{CoverageNumbers, Freshness, PostureStore, RecordAnalysis, RiskFacts, Snapshot, SourceState},
    remediation::{
        RejectOutcome, RejectRemediation, Remediation, RemediationOutcome, RemediationStore,
        RequestRemediation,
    },
    rule::document::{AppDocument, EntityRef, IdentityDocument, IntegrationDocument},
    value::{
        id::{
            AnalysisId, AppId, FindingId, IdentityId, IntegrationId, JobId, RemediationId, SyncId,
            WorkspaceId,
        },
        text::ForeignText,
        time::Timestamp,
        word::{FindingStatus, Platform, RemediationState, RunState},
    },
};

/// A finding in the fake.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) summary: FindingSummary,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) state: FindingState,
}

/// The data of one workspace.
#[derive(Default)]
pub(crate) struct Data {
    pub(crate) findings: Vec<Row>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) apps: Vec<App>,
    pub(crate) integrations: Vec<Integration>,
    pub(crate) jobs: Vec<JobRow>,
    pub(crate) remediations: Vec<Remediation>,
    pub(crate) latest: Option<Snapshot>,
    pub(crate) previous: Option<Snapshot>,
    pub(crate) generation: u64,
    pub(crate) audit: Vec<AuditRow>,
    pub(crate) spent: Vec<Spent>,
}

/// A token that a call spent, with the result of the call.
pub(crate) struct Spent {
    actor: (ActorKind, String),
    operation: String,
    once: OnceToken,
    outcome: Box<dyn Any + Send>,
}

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) data: Mutex<BTreeMap<[u8; 16], Data>>,
    pub(crate) keys: Mutex<HashMap<KeyHash, KeyRow>>,
    /// While set, no audit entry can be written.
    pub(crate) audit_broken: AtomicBool,
    /// While set, changes are made but their answers are lost.
    pub(crate) answers_lost: AtomicBool,
    /// While set, changes can't be stored and are not made.
    pub(crate) full: AtomicBool,
    /// While set, reads fail.
    pub(crate) broken: AtomicBool,
    /// The number of reads of risk facts.
    pub(crate) risk_reads: AtomicU64,
    /// The number of reads of the generation.
    pub(crate) generation_reads: AtomicU64,
}

fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::Backend("not part of the fake store".into()))
}

impl Fake {
    pub(crate) fn with<T>(&self, workspace: WorkspaceId, see: impl FnOnce(&mut Data) -> T) -> T {
        see(self
            .data
            .lock()
            .unwrap()
            .entry(*workspace.as_bytes())
            .or_default())
    }

    pub(crate) fn read<T>(
        &self,
        scope: &WorkspaceScope,
        see: impl FnOnce(&mut Data) -> T,
    ) -> Result<T, StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Backend("disk on fire".into()));
        }
        Ok(self.with(scope.workspace(), see))
    }

    /// Makes a change and stores its audit entry; fails if the audit log is broken.
    fn write<C: Command, T: Clone + Send + 'static>(
        &self,
        write: AuthorizedWrite<C>,
        change: impl FnOnce(&mut Data, C) -> (T, AuditOutcome),
    ) -> Result<Audited<T>, StoreError> {
        let (workspace, command, mut entry) = write.open();
        if self.audit_broken.load(Ordering::Relaxed) {
            return Err(StoreError::AuditUnavailable("disk full".into()));
        }
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("disk full".into()));
        }
        let done = self.with(workspace, |data| {
            let (kind, id) = entry.actor();
            let actor = (kind, id.to_owned());
            let spent = data.spent.iter().find(|spent| {
                spent.actor == actor
                    && spent.operation == entry.operation()
                    && entry
                        .once()
                        .iter()
                        .any(|once| (once.kind(), once.key()) == (spent.once.kind(), spent.once.key()))
            });
            if let Some(spent) = spent {
                if !entry.once().contains(&spent.once) {
                    return Err(StoreError::Reused(spent.once.kind()));
                }
                let value = spent.outcome.downcast_ref::<T>().unwrap().clone();
                entry.set_outcome(AuditOutcome::Unchanged);
                let seq = store_entry(data, &entry);
                return Ok(entry.stored_again(seq, Timestamp::from_millis(0), value));
            }
            let (value, outcome) = change(data, command);
            entry.set_outcome(outcome);
            if outcome == AuditOutcome::Ok {
                data.generation += 1;
            }
            for once in entry.once() {
                data.spent.push(Spent {
                    actor: actor.clone(),
                    operation: entry.operation().to_owned(),
                    once: once.clone(),
                    outcome: Box::new(value.clone()),
                });
            }
            let seq = store_entry(data, &entry);
            Ok(entry.stored(seq, value))
        });
        if self.answers_lost.load(Ordering::Relaxed) {
            return Err(StoreError::OutcomeUnknown("the disk went away".into()));
        }
        done
    }
}

fn store_entry(data: &mut Data, entry: &PendingEntry) -> u64 {
    let seq = u64::try_from(data.audit.len()).unwrap() + 1;
    let previous = data.audit.last().map_or([0; 32], |row| row.row_hash);
    data.audit
        .push(entry.to_row(seq, Timestamp::from_millis(0), previous));
    seq
}

fn sources(data: &Data) -> Vec<SourceState> {
    data.integrations.iter().map(SourceState::of).collect()
}

fn fits(row: &Row, query: &FindingQuery) -> bool {
    let finding = &row.summary;
    let entity = match query.entity {
        None => true,
        Some(EntityFilter::Identity(id)) => finding.subject.entity == EntityRef::Identity(id),
        Some(EntityFilter::App(id)) => {
            finding.subject.entity == EntityRef::App(id) || finding.apps.iter().any(|app| app.id == id)
        }
        Some(EntityFilter::Integration(id)) => finding.subject.entity == EntityRef::Integration(id),
    };
    entity
        && (query.severities.is_empty() || query.severities.contains(&finding.severity))
        && (query.categories.is_empty() || query.categories.contains(&finding.category))
        && query.statuses.contains(&row.state.status)
        && query.since.is_none_or(|since| finding.first_seen_at >= since)
        && (query.platforms.is_empty() || row.platforms.iter().any(|one| query.platforms.contains(one)))
        && query
            .rule_id
            .as_deref()
            .is_none_or(|rule| finding.rule_id == rule)
        && query.text.as_deref().is_none_or(|text| {
            finding
                .title
                .untrusted()
                .to_lowercase()
                .contains(&text.to_lowercase())
        })
}

fn position(finding: &FindingSummary) -> FindingPosition {
    FindingPosition {
        severity: finding.severity,
        first_seen_at: finding.first_seen_at,
        id: finding.id,
    }
}

fn page(data: &Data, query: &FindingQuery) -> FindingPage {
    let mut all: Vec<&Row> = data.findings.iter().filter(|row| fits(row, query)).collect();
    all.sort_by_key(|row| {
        (
            row.summary.severity,
            -row.summary.first_seen_at.as_millis(),
            row.summary.id,
        )
    });
    let start = query.after.map_or(0, |after| {
        all.iter()
            .position(|row| position(&row.summary) == after)
            .map_or(all.len(), |at| at + 1)
    });
    let rest = &all[start..];
    let findings: Vec<FindingSummary> = rest
        .iter()
        .take(query.limit)
        .map(|row| row.summary.clone())
        .collect();
    FindingPage {
        next: (rest.len() > query.limit)
            .then(|| findings.last().map(position))
            .flatten(),
        total: Total {
            value: u64::try_from(all.len()).unwrap(),
            is_minimum: false,
        },
        findings,
    }
}

#[async_trait]
impl FindingStore for Fake {
    async fn list_findings(
        &self,
        scope: &WorkspaceScope,
        query: &FindingQuery,
    ) -> Result<FindingPage, StoreError> {
        self.read(scope, |data| page(data, query))
    }
    async fn finding(&self, scope: &WorkspaceScope, id: FindingId) -> Result<Option<Finding>, StoreError> {
        self.read(scope, |data| {
            let row = data.findings.iter().find(|row| row.summary.id == id)?;
            Some(Finding {
                summary: row.summary.clone(),
                evidence: serde_json::json!([{ "login": row.summary.subject.name.untrusted() }]).to_string(),
                last_seen_at: row.summary.first_seen_at,
                status_changed_at: row.summary.first_seen_at,
                snoozed_until: row.state.snoozed_until,
                dismiss_reason: row.state.dismiss_reason,
                note: None,
                auto_resolved: false,
                reopen_count: 0,
            })
        })
    }
    async fn finding_counts(&self, _: &WorkspaceScope) -> Result<Vec<FindingCount>, StoreError> {
        unused()
    }
    async fn change_finding(
        &self,
        write: AuthorizedWrite<FindingCommand>,
    ) -> Result<Audited<FindingOutcome>, StoreError> {
        self.write(write, |data, command| {
            let Some(row) = data
                .findings
                .iter_mut()
                .find(|row| row.summary.id == command.finding)
            else {
                return (FindingOutcome::NotFound, AuditOutcome::NotFound);
            };
            let outcome = decide(&row.state, &command.action, command.now);
            if let FindingOutcome::Changed { now, .. } = outcome {
                row.state.status = now.status;
                row.state.snoozed_until = now.snoozed_until;
                row.state.dismiss_reason = now.dismiss_reason;
                row.summary.status = now.status;
            }
            (outcome, outcome.audit_outcome())
        })
    }
    async fn observe_findings(
        &self,
        _: &JobPermit,
        _: AnalysisId,
        _: Vec<Observation>,
        _: Timestamp,
    ) -> Result<ObserveCounts, StoreError> {
        unused()
    }
    async fn sweep_findings(
        &self,
        _: &JobPermit,
        _: AnalysisId,
        _: &SweepInput,
        _: Timestamp,
    ) -> Result<SweepCounts, StoreError> {
        unused()
    }
    async fn wake_snoozed(&self, _: &JobPermit, _: Timestamp) -> Result<u64, StoreError> {
        unused()
    }
}

#[async_trait]
impl PostureStore for Fake {
    async fn risk_facts(&self, scope: &WorkspaceScope) -> Result<RiskFacts, StoreError> {
        self.risk_reads.fetch_add(1, Ordering::Relaxed);
        self.read(scope, |data| {
            let mut counts: Vec<FindingCount> = Vec::new();
            for row in &data.findings {
                counts.push(FindingCount {
                    status: row.state.status,
                    severity: row.summary.severity,
                    category: row.summary.category,
                    scored: row.summary.scored,
                    count: 1,
                });
            }
            let live = data.findings.iter().filter(|row| row.state.status.is_live());
            let mut top: Vec<FindingSummary> = live.map(|row| row.summary.clone()).collect();
            top.sort_by_key(|row| (repair_rank(row.severity, row.scored), row.first_seen_at));
            top.truncate(5);
            RiskFacts {
                counts,
                identities: u64::try_from(data.identities.len()).unwrap(),
                top,
                latest: data.latest.clone(),
                previous: data.previous.clone(),
                week_ago: None,
                month_ago: None,
                sources: sources(data),
            }
        })
    }
    async fn freshness(&self, scope: &WorkspaceScope) -> Result<Freshness, StoreError> {
        self.read(scope, |data| Freshness {
            as_of: data.latest.as_ref().map(|snapshot| snapshot.at),
            sources: sources(data),
        })
    }
    async fn measure_coverage(
        &self,
        _: &WorkspaceScope,
        _: Timestamp,
    ) -> Result<CoverageNumbers, StoreError> {
        unused()
    }
    async fn snapshots(&self, _: &WorkspaceScope, _: Timestamp) -> Result<Vec<Snapshot>, StoreError> {
        unused()
    }
    async fn generation(&self, scope: &WorkspaceScope) -> Result<u64, StoreError> {
        self.generation_reads.fetch_add(1, Ordering::Relaxed);
        self.read(scope, |data| data.generation)
    }
    async fn record_analysis(
        &self,
        _: AuthorizedWrite<RecordAnalysis>,
    ) -> Result<Audited<Snapshot>, StoreError> {
        unused()
    }
}

#[async_trait]
impl IdentityStore for Fake {
    async fn identity_by_email(
        &self,
        scope: &WorkspaceScope,
        email: &str,
    ) -> Result<Option<Identity>, StoreError> {
        self.read(scope, |data| {
            data.identities
                .iter()
                .find(|identity| identity.emails.iter().any(|known| known == email))
                .cloned()
        })
    }
    async fn identities_named(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        limit: usize,
    ) -> Result<NamedIdentities, StoreError> {
        self.read(scope, |data| {
            let key = NameKey::of(name);
            let ids = data
                .identities
                .iter()
                .filter(|identity| NameKey::of(identity.display_name.untrusted()).words == key.words)
                .map(|identity| identity.id)
                .collect();
            NamedIdentities::first(ids, limit)
        })
    }
    async fn identity(&self, scope: &WorkspaceScope, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        self.read(scope, |data| {
            data.identities.iter().find(|identity| identity.id == id).cloned()
        })
    }
    async fn count_identities(&self, _: &WorkspaceScope) -> Result<u64, StoreError> {
        unused()
    }
    async fn identity_documents(
        &self,
        _: &WorkspaceScope,
        _: Option<IdentityId>,
        _: usize,
    ) -> Result<Vec<IdentityDocument>, StoreError> {
        unused()
    }
    async fn tag_break_glass(
        &self,
        _: AuthorizedWrite<TagBreakGlass>,
    ) -> Result<Audited<TagOutcome>, StoreError> {
        unused()
    }
}

#[async_trait]
impl AppStore for Fake {
    async fn find_app(&self, scope: &WorkspaceScope, lookup: &AppLookup) -> Result<AppMatch, StoreError> {
        self.read(scope, |data| {
            let fits = |app: &&App| match lookup {
                AppLookup::Id(id) => app.id == *id,
                AppLookup::Name(name) => app.name.untrusted().to_lowercase() == name.to_lowercase(),
            };
            let mut found: Vec<App> = data.apps.iter().filter(fits).cloned().collect();
            match found.len() {
                0 => AppMatch::None,
                1 => AppMatch::One(Box::new(found.remove(0))),
                n => AppMatch::Several(found, u64::try_from(n).unwrap()),
            }
        })
    }
    async fn list_apps(&self, _: &WorkspaceScope, _: &AppQuery) -> Result<Vec<App>, StoreError> {
        unused()
    }
    async fn app_documents(
        &self,
        _: &WorkspaceScope,
        _: Option<AppId>,
        _: usize,
    ) -> Result<Vec<AppDocument>, StoreError> {
        unused()
    }
    async fn set_app_policy(
        &self,
        write: AuthorizedWrite<SetAppPolicy>,
    ) -> Result<Audited<AppPolicyOutcome>, StoreError> {
        self.write(write, |data, command| {
            let Some(app) = data.apps.iter_mut().find(|app| app.id == command.app) else {
                return (AppPolicyOutcome::NotFound, AuditOutcome::NotFound);
            };
            let before = app.policy;
            app.policy = command.policy;
            if before == command.policy {
                (AppPolicyOutcome::Unchanged, AuditOutcome::Unchanged)
            } else {
                (AppPolicyOutcome::Changed { before }, AuditOutcome::Ok)
            }
        })
    }
}

#[async_trait]
impl AuditStore for Fake {
    async fn append(&self, entry: PendingEntry) -> Result<Audited<()>, StoreError> {
        if self.audit_broken.load(Ordering::Relaxed) {
            return Err(StoreError::AuditUnavailable("disk full".into()));
        }
        self.with(entry.workspace(), |data| {
            let seq = store_entry(data, &entry);
            Ok(entry.stored(seq, ()))
        })
    }
    async fn list_entries(&self, _: &WorkspaceScope, _: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        unused()
    }
    async fn audit_page(&self, _: &WorkspaceScope, _: u64, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        unused()
    }
}

#[async_trait]
impl JobStore for Fake {
    async fn trigger_sync(
        &self,
        write: AuthorizedWrite<TriggerSync>,
    ) -> Result<Audited<Vec<TriggeredSync>>, StoreError> {
        self.write(write, |data, command| {
            let mut ids = command.jobs.into_iter();
            let mut out = Vec::new();
            for row in data.integrations.iter().filter(|row| row.is_active()) {
                if command.platform.is_some_and(|platform| platform != row.platform) {
                    continue;
                }
                let known = data
                    .jobs
                    .iter()
                    .find(|job| job.integration == Some(row.id))
                    .map(|job| job.id);
                let job = known.unwrap_or_else(|| ids.next().unwrap());
                if known.is_none() {
                    data.jobs.push(JobRow {
                        id: job,
                        kind: JobKind::Sync,
                        integration: Some(row.id),
                        scan: None,
                        state: RunState::Queued,
                        attempts: 0,
                        queued_at: command.now,
                        finished_at: None,
                        reason: None,
                        progress: None,
                    });
                }
                out.push(TriggeredSync {
                    integration: row.id,
                    platform: row.platform,
                    name: row.name.clone(),
                    job,
                    is_new: known.is_none(),
                });
            }
            let outcome = if out.iter().any(|sync| sync.is_new) {
                AuditOutcome::Ok
            } else {
                AuditOutcome::Unchanged
            };
            (out, outcome)
        })
    }
    async fn job(&self, scope: &WorkspaceScope, id: JobId) -> Result<Option<JobRow>, StoreError> {
        self.read(scope, |data| data.jobs.iter().find(|job| job.id == id).cloned())
    }
    async fn unfinished_jobs(&self, scope: &WorkspaceScope) -> Result<Vec<JobRow>, StoreError> {
        self.read(scope, |data| data.jobs.clone())
    }
}

#[async_trait]
impl RemediationStore for Fake {
    async fn request_remediation(
        &self,
        write: AuthorizedWrite<RequestRemediation>,
    ) -> Result<Audited<RemediationOutcome>, StoreError> {
        self.write(write, |data, command| {
            let row = data.findings.iter().find(|row| row.summary.id == command.finding);
            match row.map(|row| row.state.status) {
                None => return (RemediationOutcome::NotFound, AuditOutcome::NotFound),
                Some(status @ (FindingStatus::Resolved | FindingStatus::Dismissed)) => {
                    return (RemediationOutcome::FindingClosed(status), AuditOutcome::Conflict);
                }
                Some(_) => {}
            }
            let waiting = data
                .remediations
                .iter()
                .find(|one| one.finding == command.finding);
            if let Some(waiting) = waiting {
                let outcome = RemediationOutcome::AlreadyWaiting(Box::new(waiting.clone()));
                return (outcome, AuditOutcome::Unchanged);
            }
            let remediation = Remediation {
                id: command.id,
                finding: command.finding,
                finding_title: ForeignText::sentence("t"),
                action: command.action,
                target: ForeignText::name("mara.holt@birchworks.example"),
                state: RemediationState::PendingApproval,
                note: command.note,
                requested_at: command.now,
                requested_by: String::new(),
                decided_at: None,
            };
            data.remediations.push(remediation.clone());
            (
                RemediationOutcome::Requested(Box::new(remediation)),
                AuditOutcome::Ok,
            )
        })
    }
    async fn reject_remediation(
        &self,
        _: AuthorizedWrite<RejectRemediation>,
    ) -> Result<Audited<RejectOutcome>, StoreError> {
        unused()
    }
    async fn list_remediations(
        &self,
        _: &WorkspaceScope,
        _: Option<RemediationState>,
        _: usize,
    ) -> Result<Vec<Remediation>, StoreError> {
        unused()
    }
    async fn remediation(
        &self,
        _: &WorkspaceScope,
        _: RemediationId,
    ) -> Result<Option<Remediation>, StoreError> {
        unused()
    }
}

#[async_trait]
impl IntegrationStore for Fake {
    async fn list_integrations(&self, scope: &WorkspaceScope) -> Result<Vec<Integration>, StoreError> {
        self.read(scope, |data| data.integrations.clone())
    }
    async fn integration(
        &self,
        scope: &WorkspaceScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        self.read(scope, |data| {
            data.integrations.iter().find(|row| row.id == id).cloned()
        })
    }
    async fn integration_documents(
        &self,
        _: &WorkspaceScope,
    ) -> Result<Vec<IntegrationDocument>, StoreError> {
        unused()
    }
    async fn open_config(
        &self,
        _: &JobPermit,
        _: IntegrationId,
    ) -> Result<Option<ConnectorConfig>, StoreError> {
        unused()
    }
    async fn open_config_for_verify(
        &self,
        _: AuthorizedWrite<VerifyIntegration>,
    ) -> Result<Audited<Option<ConnectorConfig>>, StoreError> {
        unused()
    }
    async fn add_integration(&self, _: AuthorizedWrite<AddIntegration>) -> Result<Audited<()>, StoreError> {
        unused()
    }
    async fn change_integration(
        &self,
        _: AuthorizedWrite<ChangeIntegration>,
    ) -> Result<Audited<IntegrationChange>, StoreError> {
        unused()
    }
    async fn begin_sync(
        &self,
        _: &JobPermit,
        _: SyncId,
        _: IntegrationId,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        unused()
    }
    async fn readings(&self, _: &JobPermit, _: IntegrationId) -> Result<Readings, StoreError> {
        unused()
    }
    async fn store_facts(
        &self,
        _: &JobPermit,
        _: SyncId,
        _: IntegrationId,
        _: FactPage,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        unused()
    }
    async fn finish_dataset(
        &self,
        _: &JobPermit,
        _: SyncId,
        _: IntegrationId,
        _: DatasetEnd,
        _: Timestamp,
    ) -> Result<Judged, StoreError> {
        unused()
    }
    async fn set_credential(
        &self,
        _: AuthorizedWrite<SetCredential>,
    ) -> Result<Audited<CredentialChange>, StoreError> {
        unused()
    }
    async fn confirm_shrink(
        &self,
        _: AuthorizedWrite<ConfirmShrink>,
    ) -> Result<Audited<ShrinkConfirmation>, StoreError> {
        unused()
    }
    async fn finish_sync(&self, _: AuthorizedWrite<FinishSync>) -> Result<Audited<()>, StoreError> {
        unused()
    }
}

#[async_trait]
impl KeyStore for Fake {
    async fn list_keys(&self, _: &WorkspaceScope) -> Result<Vec<KeyRow>, StoreError> {
        unused()
    }
    async fn create_key(&self, _: AuthorizedWrite<CreateKey>) -> Result<Audited<KeyCreation>, StoreError> {
        unused()
    }
    async fn revoke_key(&self, _: AuthorizedWrite<RevokeKey>) -> Result<Audited<KeyRevocation>, StoreError> {
        unused()
    }
}

#[async_trait]
impl KeyDirectory for Fake {
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<FoundKey>, StoreError> {
        let row = self.keys.lock().unwrap().get(hash).cloned();
        Ok(row.map(|row| FoundKey { row, generation: 1 }))
    }
    async fn key_generation(&self, _: WorkspaceId) -> Result<u64, StoreError> {
        Ok(1)
    }
    async fn mark_expired_keys(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
    async fn record_key_uses(&self, _: &[KeyUse]) -> Result<(), StoreError> {
        Ok(())
    }
}
