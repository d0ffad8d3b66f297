//! Queries of findings.

use super::FindingSummary;
use crate::{
    check::{Framework, Service},
    value::{
        id::{AppId, FindingId, IdentityId, IntegrationId},
        time::Timestamp,
        word::{Category, FindingStatus, Platform, Severity},
    },
};

/// Maximum number of rows that are counted for a total; beyond it the total is a minimum.
pub const TOTAL_COUNTED_MAX: u64 = 10_000;

/// Conditions on findings. Values in one list are alternatives, and every list must match. An empty list is no
/// condition, except for `statuses`, which the caller always fills (with the live ones by default).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingQuery {
    /// Severities.
    pub severities: Vec<Severity>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Statuses.
    pub statuses: Vec<FindingStatus>,
    /// Platforms of the sources.
    pub platforms: Vec<Platform>,
    /// The entity that the finding is about.
    pub entity: Option<EntityFilter>,
    /// The services whose settings failed a check.
    pub services: Vec<Service>,
    /// Frameworks to which the finding's rule or check is mapped.
    pub frameworks: Vec<Framework>,
    /// Words that must all occur in the title, subject or rule id. Matches the beginnings of words and ignores
    /// case.
    pub text: Option<String>,
    /// The rule's id.
    pub rule_id: Option<String>,
    /// The earliest time at which the finding may have been first seen.
    pub since: Option<Timestamp>,
    /// Maximum number of rows, 1 to 200.
    pub limit: usize,
    /// The position at which the previous page ended.
    pub after: Option<FindingPosition>,
}

/// The entity that findings are about or involve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityFilter {
    /// A person or machine.
    Identity(IdentityId),
    /// An app, as the subject or as one of the other apps.
    App(AppId),
    /// An integration, as the subject.
    Integration(IntegrationId),
}

/// A position in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingPosition {
    /// The severity of the last row.
    pub severity: Severity,
    /// The time at which the last row was first seen.
    pub first_seen_at: Timestamp,
    /// The id of the last row.
    pub id: FindingId,
}

/// The number of rows that match a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: u64,
    /// Whether `value` is only a minimum.
    pub is_minimum: bool,
}

/// A page of findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingPage {
    /// The rows.
    pub findings: Vec<FindingSummary>,
    /// The number of matching findings.
    pub total: Total,
    /// The position at which the next page begins; `None` at the end.
    pub next: Option<FindingPosition>,
}
