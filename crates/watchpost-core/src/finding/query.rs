//! What a list of findings can be asked for.

use super::FindingSummary;
use crate::{
    check::{Framework, Service},
    value::{
        id::{AppId, FindingId, IdentityId, IntegrationId},
        time::Timestamp,
        word::{Category, FindingStatus, Platform, Severity},
    },
};

/// Past this many rows a total is a minimum.
pub const TOTAL_COUNTED_MAX: u64 = 10_000;

/// Conditions on findings. Values inside one list are alternatives; the lists must all hold; an empty list is no
/// condition, but for `statuses`, which the caller fills (live ones by default).
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
    /// What it is about.
    pub entity: Option<EntityFilter>,
    /// Services whose settings failed a check.
    pub services: Vec<Service>,
    /// Frameworks that its rule or check has an id of.
    pub frameworks: Vec<Framework>,
    /// Words that title, subject or rule id must all contain (word beginnings, any case).
    pub text: Option<String>,
    /// Only this rule.
    pub rule_id: Option<String>,
    /// 1 to 100.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<FindingPosition>,
}

/// One entity that findings are about, or an app that they name besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityFilter {
    /// A person or machine.
    Identity(IdentityId),
    /// An app, as subject or as one of the further apps.
    App(AppId),
    /// An integration, as subject.
    Integration(IntegrationId),
}

/// A place in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingPosition {
    /// Severity of the last row.
    pub severity: Severity,
    /// First seen of the last row.
    pub first_seen_at: Timestamp,
    /// Id of the last row.
    pub id: FindingId,
}

/// How many rows fit a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: u64,
    /// Whether there may be more.
    pub is_minimum: bool,
}

/// A page of findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingPage {
    /// The rows.
    pub findings: Vec<FindingSummary>,
    /// How many fit in all.
    pub total: Total,
    /// Where the next page begins; `None` at the end.
    pub next: Option<FindingPosition>,
}
