//! The `analyse` job: judges all facts with all rules and reconciles the findings with what was seen.

use crate::{
    access::JobPermit,
    audit::CallRecord,
    check::FrameworkId,
    error::Error,
    finding::{
        Completions, Marks, Observation, ObserveCounts, SweepCounts, SweepInput, SweepRule, fingerprint,
    },
    integration::Integration,
    port::{Clock, Random, Store},
    posture::{RecordAnalysis, Snapshot},
    rule::{
        Hit, Rule, RuleEngine,
        document::{Document, EntityRef},
    },
    value::{
        id::{AnalysisId, IntegrationId},
        text::ForeignText,
        word::Platform,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// Identities and apps that are judged at a time: what bounds the memory of an analysis.
const DOCUMENTS_PER_BATCH: usize = 500;
/// Findings that are stored at a time.
const OBSERVATIONS_PER_WRITE: usize = 500;
/// Rule failures that are remembered by entity; past it the analysis keeps all unseen findings of a failing rule.
const FAILURES_MAX: usize = 100_000;

/// What an analysis did.
#[derive(Debug, Clone)]
pub struct AnalysisSummary {
    /// The numbers after it.
    pub snapshot: Snapshot,
    /// Documents judged.
    pub documents: u64,
    /// Findings made, kept, brought back.
    pub observed: ObserveCounts,
    /// Findings ended, missed, kept for want of data.
    pub swept: SweepCounts,
    /// Rules that failed on something, with the first reason of each: for the log and for `doctor`.
    pub failed_rules: BTreeMap<String, String>,
}

struct Run<'a> {
    store: &'a dyn Store,
    engine: &'a dyn RuleEngine,
    permit: &'a JobPermit,
    clock: &'a dyn Clock,
    analysis: AnalysisId,
    completions: Completions,
    platforms: HashMap<IntegrationId, Platform>,
    pending: Vec<Observation>,
    documents: u64,
    observed: ObserveCounts,
    failed: BTreeSet<(String, EntityRef)>,
    failed_rules: BTreeMap<String, String>,
}

/// Judges everything and reconciles. Progress sentences go to `progress`.
///
/// # Errors
/// The store's, or an engine that can't go on. What was stored before stays; the next analysis goes over it again.
pub async fn run_analysis(
    store: &dyn Store,
    engine: &dyn RuleEngine,
    clock: &dyn Clock,
    random: &dyn Random,
    permit: &JobPermit,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<AnalysisSummary, Error> {
    let scope = permit.scope();
    let integrations = store.list_integrations(scope).await?;
    let mut run = Run {
        store,
        engine,
        permit,
        clock,
        analysis: AnalysisId::generate(clock, random),
        completions: completions(&integrations),
        platforms: integrations.iter().map(|row| (row.id, row.platform)).collect(),
        pending: Vec::new(),
        documents: 0,
        observed: ObserveCounts::default(),
        failed: BTreeSet::new(),
        failed_rules: BTreeMap::new(),
    };
    run.judge_integrations().await?;
    run.judge_apps().await?;
    run.judge_identities(progress).await?;
    run.flush().await?;
    run.finish(&integrations).await
}

/// How often each dataset of each integration was read wholly, and how it was read last.
fn completions(integrations: &[Integration]) -> Completions {
    integrations
        .iter()
        .flat_map(|row| {
            row.collections
                .iter()
                .map(|c| ((row.id, c.dataset), (c.state, c.completions)))
        })
        .collect()
}

impl Run<'_> {
    async fn judge_integrations(&mut self) -> Result<(), Error> {
        let documents = self.store.integration_documents(self.permit.scope()).await?;
        self.judge(
            documents
                .into_iter()
                .map(Box::new)
                .map(Document::Integration)
                .collect(),
        )
        .await
    }

    async fn judge_apps(&mut self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self
                .store
                .app_documents(self.permit.scope(), after, DOCUMENTS_PER_BATCH)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            self.judge(page.into_iter().map(Box::new).map(Document::App).collect())
                .await?;
        }
    }

    async fn judge_identities(&mut self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self
                .store
                .identity_documents(self.permit.scope(), after, DOCUMENTS_PER_BATCH)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            self.judge(page.into_iter().map(Box::new).map(Document::Identity).collect())
                .await?;
            progress(format!(
                "analysis: {} people, apps and platforms judged",
                self.documents
            ));
        }
    }

    /// Ends findings that were seen no more, and records the numbers.
    async fn finish(self, integrations: &[Integration]) -> Result<AnalysisSummary, Error> {
        let sweep_rule = |rule: &Rule| SweepRule {
            depends_on_decisions: rule.depends_on_decisions,
        };
        let rules = self.engine.rules().iter();
        let input = SweepInput {
            rules: rules.map(|rule| (rule.id.clone(), sweep_rule(rule))).collect(),
            completions: self.completions,
            integrations: integrations.iter().map(|row| row.id).collect(),
            failed: self.failed,
        };
        let swept = self
            .store
            .sweep_findings(self.permit, self.analysis, &input, self.clock.now())
            .await?;
        let scope = self.permit.scope();
        let command = RecordAnalysis {
            analysis: self.analysis,
            coverage: self.store.measure_coverage(scope, self.clock.now()).await?,
            now: self.clock.now(),
        };
        let write = scope.authorize(command, CallRecord::new("job", "analyse", "{}"))?;
        let snapshot = self.store.record_analysis(write).await?.into_value();
        Ok(AnalysisSummary {
            snapshot,
            documents: self.documents,
            observed: self.observed,
            swept,
            failed_rules: self.failed_rules,
        })
    }

    async fn judge(&mut self, documents: Vec<Document>) -> Result<(), Error> {
        if documents.is_empty() {
            return Ok(());
        }
        let documents = Arc::new(documents);
        let now_ms = self.clock.now().as_millis();
        let evaluation = self
            .engine
            .evaluate(Arc::clone(&documents), now_ms)
            .await
            .map_err(|error| Error::Internal(Box::new(error)))?;
        self.documents = self.documents.saturating_add(documents.len() as u64);
        let by_entity: HashMap<EntityRef, &Document> =
            documents.iter().map(|doc| (doc.entity(), doc)).collect();
        let rules = self.engine.rules();
        for failure in evaluation.failures {
            let Some(rule) = rules.get(failure.rule) else {
                continue;
            };
            self.failed_rules.entry(rule.id.clone()).or_insert(failure.reason);
            if self.failed.len() < FAILURES_MAX {
                self.failed.insert((rule.id.clone(), failure.entity));
            }
        }
        for hit in evaluation.hits {
            if let (Some(rule), Some(document)) = (rules.get(hit.rule), by_entity.get(&hit.entity)) {
                let marks = self.marks(rule, document);
                self.pending.push(observation(rule, hit, document, marks));
            }
        }
        if self.pending.len() >= OBSERVATIONS_PER_WRITE {
            self.flush().await
        } else {
            Ok(())
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let mut rest = std::mem::take(&mut self.pending);
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(OBSERVATIONS_PER_WRITE));
            let counts = self
                .store
                .observe_findings(self.permit, self.analysis, rest, self.clock.now())
                .await?;
            self.observed.new += counts.new;
            self.observed.kept += counts.kept;
            self.observed.reopened += counts.reopened;
            rest = tail;
        }
        Ok(())
    }

    /// The sources of a finding: the rule's datasets on each integration that the document speaks of.
    fn marks(&self, rule: &Rule, document: &Document) -> Marks {
        let mut sources: Vec<IntegrationId> = match document {
            Document::Identity(doc) => doc
                .accounts
                .iter()
                .map(|account| account.integration.id)
                .collect(),
            Document::App(doc) => vec![doc.integration.id],
            Document::Integration(doc) => vec![doc.id],
        };
        sources.sort_unstable();
        sources.dedup();
        let judged = |id: &IntegrationId| {
            rule.platforms.is_empty()
                || self
                    .platforms
                    .get(id)
                    .is_some_and(|platform| rule.platforms.contains(platform))
        };
        sources
            .into_iter()
            .filter(judged)
            .flat_map(|id| rule.datasets.iter().map(move |dataset| (id, *dataset)))
            .filter_map(|key| {
                self.completions
                    .get(&key)
                    .map(|(_, completions)| (key, *completions))
            })
            .collect()
    }
}

fn observation(rule: &Rule, hit: Hit, document: &Document, marks: Marks) -> Observation {
    let (subject_name, subject_email) = match document {
        Document::Identity(doc) => (doc.display_name.clone(), doc.email.clone()),
        Document::App(doc) => (doc.name.clone(), None),
        Document::Integration(doc) => {
            let name = if doc.name.is_empty() {
                ForeignText::name(doc.platform.title())
            } else {
                doc.name.clone()
            };
            (name, None)
        }
    };
    Observation {
        fingerprint: fingerprint(&rule.condition, hit.entity),
        condition: rule.condition.clone(),
        rule_id: rule.id.clone(),
        severity: rule.severity,
        category: rule.category,
        scored: rule.is_scored(),
        entity: hit.entity,
        subject_name,
        subject_email,
        title: hit.title,
        evidence: hit.evidence,
        apps: hit.apps,
        marks,
        service: None,
        frameworks: rule.frameworks.iter().map(|id| FrameworkId::new(id)).collect(),
    }
}
