//! The `analyse` job: evaluates all rules on all facts and reconciles the findings with the results.

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
    text,
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

/// Maximum number of identities or apps per evaluation, which bounds the memory of an analysis.
const DOCUMENTS_PER_BATCH: usize = 500;
/// Maximum number of findings per write.
const OBSERVATIONS_PER_WRITE: usize = 500;
/// Maximum number of rule failures that are remembered by entity.
const FAILURES_MAX: usize = 100_000;

/// Maximum number of rules that couldn't judge an entity that are remembered.
const UNJUDGED_MAX: usize = 400_000;

/// The result of an analysis.
#[derive(Debug, Clone)]
pub struct AnalysisSummary {
    /// The workspace's numbers after the analysis.
    pub snapshot: Snapshot,
    /// The number of evaluated documents.
    pub documents: u64,
    /// The numbers of created, kept and reopened findings.
    pub observed: ObserveCounts,
    /// The numbers of findings that were resolved, counted as missed, or kept because of missing data.
    pub swept: SweepCounts,
    /// Rules that failed on an entity, with the reason of the first failure each. For the log and the `doctor`
    /// command.
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

/// Evaluates all rules on all facts and reconciles the findings. Passes progress messages for people to
/// `progress`.
///
/// # Errors
/// Returns the errors of the store and of an engine that can't continue. Findings that were stored before the
/// error stay; the next analysis processes everything again.
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
    run.evaluate_integrations().await?;
    run.evaluate_apps().await?;
    run.evaluate_identities(progress).await?;
    run.flush().await?;
    run.finish(&integrations).await
}

/// Returns the last state and the number of complete collections of each dataset.
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
    async fn evaluate_integrations(&mut self) -> Result<(), Error> {
        let documents = self.store.integration_documents(self.permit.scope()).await?;
        self.evaluate(
            documents
                .into_iter()
                .map(Box::new)
                .map(Document::Integration)
                .collect(),
        )
        .await
    }

    async fn evaluate_apps(&mut self) -> Result<(), Error> {
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
            self.evaluate(page.into_iter().map(Box::new).map(Document::App).collect())
                .await?;
        }
    }

    async fn evaluate_identities(&mut self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<(), Error> {
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
            self.evaluate(page.into_iter().map(Box::new).map(Document::Identity).collect())
                .await?;
            progress(text::rule::evaluated(self.documents));
        }
    }

    /// Resolves findings that are no longer seen, and records the numbers.
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

    async fn evaluate(&mut self, documents: Vec<Document>) -> Result<(), Error> {
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
        for (rule, entity) in evaluation.unjudged {
            if let Some(rule) = rules.get(rule)
                && self.failed.len() < UNJUDGED_MAX
            {
                self.failed.insert((rule.id.clone(), entity));
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

    /// Returns the sources of a finding: the rule's datasets on each integration in the document.
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
        let is_in_scope = |id: &IntegrationId| {
            rule.platforms.is_empty()
                || self
                    .platforms
                    .get(id)
                    .is_some_and(|platform| rule.platforms.contains(platform))
        };
        sources
            .into_iter()
            .filter(is_in_scope)
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
