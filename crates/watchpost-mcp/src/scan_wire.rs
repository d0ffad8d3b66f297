//! Output structs that the answers about scans share.

use crate::{
    schema::inline_schema,
    wire::{Tenths, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Service, SkipReason},
    scan::{ComplianceScore, ResultRow, Scan, ScanCounts},
    value::{
        id::{IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::Severity,
    },
};

/// A compliance score as answers show it.
pub(crate) fn tenths(score: Option<ComplianceScore>) -> Option<Tenths> {
    score.map(|score| Tenths(score.tenths().into()))
}

/// A signed difference of scores, in tenths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference(pub i16);

impl Serialize for Difference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

inline_schema!(Difference, "Difference", { "type": "number" });

/// An object whose schema doesn't list its fields.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct OpenObject<T>(pub T);

inline_schema!(OpenObject<T>, [T], "OpenObject", { "type": "object" });

/// A list of objects whose schema doesn't list their fields.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct OpenList<T>(pub Vec<T>);

impl<T> OpenList<T> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

inline_schema!(OpenList<T>, [T], "OpenList", { "type": "array", "items": { "type": "object" } });

/// The counts and the score of a group of checks.
#[derive(Debug, Serialize)]
pub(crate) struct CountsOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    passed: u64,
    failed: u64,
    skipped: u64,
    errors: u64,
}

impl From<&ScanCounts> for CountsOut {
    fn from(counts: &ScanCounts) -> Self {
        Self {
            score: tenths(counts.score()),
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped_total(),
            errors: counts.errors,
        }
    }
}

/// The counts of each group, by the group's word.
pub(crate) fn counts_by_word<T: Copy + Ord>(
    groups: &BTreeMap<T, ScanCounts>,
    name: fn(T) -> &'static str,
) -> OpenObject<BTreeMap<&'static str, CountsOut>> {
    OpenObject(
        groups
            .iter()
            .map(|(word, counts)| (name(*word), CountsOut::from(counts)))
            .collect(),
    )
}

/// A scan.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScanOut<'a> {
    scan_id: Text<ScanId>,
    scan_type: &'static str,
    /// queued, in_progress, completed, failed (did not finish) or cancelled.
    status: &'static str,
    integration_id: Text<IntegrationId>,
    platform: &'static str,
    name: Text<&'a ForeignText>,
    trigger: &'static str,
    queued_at: Text<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a str>,
    /// Reason for not finishing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'static str>,
    passed: u64,
    failed: u64,
    skipped: u64,
    errors: u64,
}

impl<'a> From<&'a Scan> for ScanOut<'a> {
    fn from(scan: &'a Scan) -> Self {
        let score = scan.score();
        Self {
            scan_id: Text(scan.id),
            scan_type: scan.scan_type.as_str(),
            status: scan.state.as_str(),
            integration_id: Text(scan.integration),
            platform: scan.platform.as_str(),
            name: Text(&scan.integration_name),
            trigger: scan.trigger.as_str(),
            queued_at: Text(scan.queued_at),
            completed_at: scan.completed_at.map(Text),
            progress: scan.progress.as_deref().filter(|_| scan.is_unfinished()),
            reason: scan.reason.as_deref(),
            score: tenths(score),
            band: score.map(|score| score.band().as_str()),
            exposure: scan.exposure().map(|label| label.as_str()),
            passed: scan.counts.passed,
            failed: scan.counts.failed,
            skipped: scan.counts.skipped_total(),
            errors: scan.counts.errors,
        }
    }
}

/// A check's result in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResultOut<'a> {
    check_id: &'a str,
    title: &'a str,
    result: Text<CheckResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<Text<SkipReason>>,
    severity: Text<Severity>,
    service: Text<Service>,
    framework_ids: Vec<&'a str>,
    reason: Text<&'a ForeignText>,
    /// Number of failing entities.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<u64>,
}

impl<'a> From<&'a ResultRow> for ResultOut<'a> {
    fn from(row: &'a ResultRow) -> Self {
        Self {
            check_id: &row.check_id,
            title: &row.title,
            result: Text(row.result),
            skip_reason: row.skip.map(Text),
            severity: Text(row.severity),
            service: Text(row.service),
            framework_ids: row.frameworks.iter().map(|id| id.as_str()).collect(),
            reason: Text(&row.reason),
            failing: (row.entities > 0).then_some(row.entities),
        }
    }
}
