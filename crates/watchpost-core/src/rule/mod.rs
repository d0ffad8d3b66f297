//! The port to the rule engine, and what is known of each rule.

pub mod analysis;
pub mod document;
pub mod domain;

use crate::{
    integration::fact::Dataset,
    rule::document::{Document, DocumentType, EntityRef},
    value::{
        id::AppId,
        text::ForeignText,
        word::{Category, EntityType, Platform, Severity},
    },
};
use async_trait::async_trait;
use std::sync::Arc;

/// One rule, as its METADATA describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id, e.g. `id.admin_no_mfa`.
    pub id: String,
    /// The condition that it judges: its own id, unless it judges the same as others (see
    /// [`crate::finding::fingerprint`]).
    pub condition: String,
    /// A short title.
    pub title: String,
    /// What it looks for and why that matters.
    pub description: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Category of its findings.
    pub category: Category,
    /// The document it judges.
    pub document: DocumentType,
    /// Platforms whose data it judges; empty: any.
    pub platforms: Vec<Platform>,
    /// Datasets without which it can't judge.
    pub datasets: Vec<Dataset>,
    /// Whether its outcome depends on decisions inside Watchpost (an app's policy, a tag): such a finding ends at the
    /// next analysis when it is no longer seen.
    pub depends_on_decisions: bool,
    /// Never scored.
    pub informational: bool,
    /// The remediation that can be asked for, by its API name (`suspend_user`).
    pub action: Option<String>,
    /// Steps to do by hand, in order.
    pub remediation: Vec<String>,
    /// Where the reader learns more.
    pub references: Vec<String>,
    /// Framework ids, e.g. `NIST.800-53.IA-2(1)`.
    pub frameworks: Vec<String>,
}

impl Rule {
    /// The entity that its findings are about.
    pub const fn entity_type(&self) -> EntityType {
        match self.document {
            DocumentType::Identity => EntityType::Identity,
            DocumentType::App => EntityType::App,
            DocumentType::Integration => EntityType::Integration,
        }
    }
    /// Whether its findings count in the risk score.
    pub const fn is_scored(&self) -> bool {
        !self.informational
            && !matches!(self.category, Category::LicenseWaste)
            && !matches!(self.severity, Severity::Info)
    }
}

/// A rule that found its condition in a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Position in [`RuleEngine::rules`].
    pub rule: usize,
    /// What the document was about.
    pub entity: EntityRef,
    /// The finding's sentence: subject, condition, consequence.
    pub title: ForeignText,
    /// What was seen, as a JSON array's text, at most 16 KiB.
    pub evidence: String,
    /// Apps that the finding is about besides its subject, at most 20.
    pub apps: Vec<AppId>,
}

/// A rule that could not be evaluated on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFailure {
    /// Position in [`RuleEngine::rules`].
    pub rule: usize,
    /// The document's entity.
    pub entity: EntityRef,
    /// Why, for the log.
    pub reason: String,
}

/// What evaluating a batch gave. Documents and rules without a hit are left out.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Conditions found.
    pub hits: Vec<Hit>,
    /// Rules that failed; their findings on those entities neither appear nor end.
    pub failures: Vec<RuleFailure>,
}

/// The engine can't run at all.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A pack doesn't load; names file and line.
    #[error("{0}")]
    Load(String),
    /// The engine stopped.
    #[error("the rule engine stopped")]
    Stopped,
}

/// The rule engine. Brings its own threads; prepared once.
#[async_trait]
pub trait RuleEngine: Send + Sync {
    /// All active rules, sorted by id, without repeats. Doesn't change while the process runs.
    fn rules(&self) -> &[Rule];
    /// Evaluates each document with all rules of its type. `now_ms` is the time that the rules see.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself can't go on; a rule's own failure is in the [`Evaluation`].
    async fn evaluate(&self, batch: Arc<Vec<Document>>, now_ms: i64) -> Result<Evaluation, EngineError>;
}
