//! Rules, and the port to the engine that evaluates them.

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

/// A rule, as described by its METADATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule's id, e.g. `id.admin_no_mfa`.
    pub id: String,
    /// The condition that the rule detects: its own id, unless other rules or checks detect the same condition
    /// (see [`crate::finding::fingerprint`]).
    pub condition: String,
    /// A short title.
    pub title: String,
    /// The condition that the rule looks for, and why it matters.
    pub description: String,
    /// The severity of the rule's findings.
    pub severity: Severity,
    /// The category of the rule's findings.
    pub category: Category,
    /// The type of document that the rule evaluates.
    pub document: DocumentType,
    /// The platforms with the data that the rule evaluates; empty for all.
    pub platforms: Vec<Platform>,
    /// The datasets that the rule requires.
    pub datasets: Vec<Dataset>,
    /// Whether the result depends on decisions made in Watchpost (an app's policy, a tag). Such a finding is
    /// resolved at the next analysis that doesn't see it.
    pub depends_on_decisions: bool,
    /// Whether the rule's findings are never scored.
    pub informational: bool,
    /// The API name of the remediation that can be requested (`suspend_user`).
    pub action: Option<String>,
    /// The manual steps to fix the condition, in order.
    pub remediation: Vec<String>,
    /// References for further reading.
    pub references: Vec<String>,
    /// Framework ids, e.g. `NIST.800-53.IA-2(1)`.
    pub frameworks: Vec<String>,
}

impl Rule {
    /// Returns the type of the entities that the rule's findings are about.
    pub const fn entity_type(&self) -> EntityType {
        match self.document {
            DocumentType::Identity => EntityType::Identity,
            DocumentType::App => EntityType::App,
            DocumentType::Integration => EntityType::Integration,
        }
    }
    /// Returns whether the rule's findings count in the risk score.
    pub const fn is_scored(&self) -> bool {
        !self.informational
            && !matches!(self.category, Category::LicenseWaste)
            && !matches!(self.severity, Severity::Info)
    }
}

/// A match of a rule on a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The position in [`RuleEngine::rules`].
    pub rule: usize,
    /// The entity of the document.
    pub entity: EntityRef,
    /// The finding's title: one sentence with subject, condition and consequence.
    pub title: ForeignText,
    /// The observed facts, as the text of a JSON array of at most 16 KiB.
    pub evidence: String,
    /// Other apps involved, besides the subject; at most 20.
    pub apps: Vec<AppId>,
}

/// A rule that couldn't be evaluated on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFailure {
    /// The position in [`RuleEngine::rules`].
    pub rule: usize,
    /// The entity of the document.
    pub entity: EntityRef,
    /// The reason, for the log.
    pub reason: String,
}

/// The result of evaluating a batch. Rules and documents without a match are omitted.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// The matches.
    pub hits: Vec<Hit>,
    /// The failures. Findings of a failed rule on the entity are neither created nor resolved.
    pub failures: Vec<RuleFailure>,
    /// The rules, as positions in [`RuleEngine::rules`], that could not judge an entity although their datasets are
    /// complete, because a fact about it is unknown. Their findings on the entity are neither created nor resolved.
    pub unjudged: Vec<(usize, EntityRef)>,
}

/// The errors of an engine that can't run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A pack couldn't be loaded. The text contains the file and line.
    #[error("{0}")]
    Load(String),
    /// The engine has stopped.
    #[error("the rule engine stopped")]
    Stopped,
}

/// The rule engine. It brings its own threads and is prepared once.
#[async_trait]
pub trait RuleEngine: Send + Sync {
    /// Returns all active rules, sorted by id and distinct. The list doesn't change while the process runs.
    fn rules(&self) -> &[Rule];
    /// Evaluates all rules on the documents of their type. `now_ms` is the current time that the rules see, in
    /// milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself can't continue. The failure of a single rule is part of the
    /// [`Evaluation`].
    async fn evaluate(&self, batch: Arc<Vec<Document>>, now_ms: i64) -> Result<Evaluation, EngineError>;
}
