//! Findings.

use super::{Foreign, Time};
use crate::fields::{Id, Word};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    app::AppRef,
    check::Service,
    finding::FindingSummary,
    rule::document::EntityRef,
    value::{
        id::{AppId, FindingId},
        word::{Category, EntityType, FindingStatus, Severity},
    },
};

/// Numbers of findings by severity.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(crate) struct SeverityCounts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
}

impl SeverityCounts {
    pub(crate) const fn new([critical, high, medium, low, info]: [u64; 5]) -> Self {
        Self {
            critical,
            high,
            medium,
            low,
            info,
        }
    }
    pub(crate) const fn total(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }
}

/// A finding in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub(crate) struct FindingOut<'a> {
    id: Id<FindingId>,
    /// One sentence with subject, condition and consequence.
    title: Foreign<'a>,
    severity: Word<Severity>,
    category: Word<Category>,
    status: Word<FindingStatus>,
    /// Whether it counts in the risk score.
    scored: bool,
    /// The rule or check that saw it first.
    rule_id: &'a str,
    /// Other rules and checks that see it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    also: &'a [String],
    /// The service whose settings failed a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Word<Service>>,
    subject: SubjectOut<'a>,
    /// Other apps involved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apps: Vec<AppNamed<'a>>,
    first_seen_at: Time,
}

/// The entity that a finding is about.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
struct SubjectOut<'a> {
    r#type: Word<EntityType>,
    id: Id<EntityId>,
    name: Foreign<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

/// An entity's id, regardless of the entity's type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntityId(pub(crate) EntityRef);

impl std::fmt::Display for EntityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            EntityRef::Identity(id) => id.fmt(f),
            EntityRef::App(id) => id.fmt(f),
            EntityRef::Integration(id) => id.fmt(f),
        }
    }
}

/// An app by id and name.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AppNamed<'a> {
    id: Id<AppId>,
    name: Foreign<'a>,
}

impl<'a> From<&'a AppRef> for AppNamed<'a> {
    fn from(app: &'a AppRef) -> Self {
        Self {
            id: Id(app.id),
            name: Foreign(&app.name),
        }
    }
}

impl<'a> From<&'a FindingSummary> for FindingOut<'a> {
    fn from(finding: &'a FindingSummary) -> Self {
        Self {
            id: Id(finding.id),
            title: Foreign(&finding.title),
            severity: Word(finding.severity),
            category: Word(finding.category),
            status: Word(finding.status),
            scored: finding.scored,
            rule_id: &finding.rule_id,
            also: &finding.also,
            service: finding.service.map(Word),
            subject: SubjectOut {
                r#type: Word(finding.subject.entity.entity_type()),
                id: Id(EntityId(finding.subject.entity)),
                name: Foreign(&finding.subject.name),
                email: finding.subject.email.as_deref(),
            },
            apps: finding.apps.iter().map(AppNamed::from).collect(),
            first_seen_at: Time(finding.first_seen_at),
        }
    }
}
