//! Scans and results.

use super::{Difference, Foreign, Tenths, Time, raw};
use crate::{
    fields::{Id, Word},
    schema::{any_list, any_value},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, ScanType, Service, SkipReason},
    scan::{ComplianceScore, ResultRow, Scan, ScanCounts, SettingRow},
    service::ResultAnswer,
    value::{
        id::{IntegrationId, ScanId},
        word::{CollectionState, Platform, RunState, Severity},
    },
};

/// The maximum number of failing entities that the detail of a result names.
const ENTITIES_SHOWN: usize = 100;

/// A compliance score as answers show it.
pub(crate) fn tenths(score: Option<ComplianceScore>) -> Option<Tenths> {
    score.map(|score| Tenths(score.tenths().into()))
}

/// The difference of two scores.
pub(crate) fn difference(
    before: Option<ComplianceScore>,
    after: Option<ComplianceScore>,
) -> Option<Difference> {
    after
        .zip(before)
        .map(|(after, before)| Difference(after.difference(before)))
}

/// The counts and the score of a group of checks.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Counts")]
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
) -> BTreeMap<&'static str, CountsOut> {
    groups
        .iter()
        .map(|(word, counts)| (name(*word), CountsOut::from(counts)))
        .collect()
}

/// A scan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scan")]
pub(crate) struct ScanOut<'a> {
    scan_id: Id<ScanId>,
    scan_type: Word<ScanType>,
    /// `failed` means that it did not finish.
    status: Word<RunState>,
    integration_id: Id<IntegrationId>,
    platform: Word<Platform>,
    name: Foreign<'a>,
    trigger: &'static str,
    queued_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<&'a str>,
    /// The reason for not finishing.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The compliance score; higher is better.
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
            scan_id: Id(scan.id),
            scan_type: Word(scan.scan_type),
            status: Word(scan.state),
            integration_id: Id(scan.integration),
            platform: Word(scan.platform),
            name: Foreign(&scan.integration_name),
            trigger: scan.trigger.as_str(),
            queued_at: Time(scan.queued_at),
            completed_at: scan.completed_at.map(Time),
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
#[schemars(rename = "CheckResultRow")]
pub(crate) struct ResultOut<'a> {
    check_id: &'a str,
    title: &'a str,
    result: Word<CheckResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<Word<SkipReason>>,
    severity: Word<Severity>,
    service: Word<Service>,
    framework_ids: Vec<&'a str>,
    reason: Foreign<'a>,
    /// The number of failing entities.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<u64>,
}

impl<'a> From<&'a ResultRow> for ResultOut<'a> {
    fn from(row: &'a ResultRow) -> Self {
        Self {
            check_id: &row.check_id,
            title: &row.title,
            result: Word(row.result),
            skip_reason: row.skip.map(Word),
            severity: Word(row.severity),
            service: Word(row.service),
            framework_ids: row.frameworks.iter().map(|id| id.as_str()).collect(),
            reason: Foreign(&row.reason),
            failing: (row.entities > 0).then_some(row.entities),
        }
    }
}

/// Everything about one result.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckResultDetail")]
pub(crate) struct DetailOut<'a> {
    check_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// The setting's value at the time of the scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    detected: Option<Box<RawValue>>,
    /// The observed facts.
    #[schemars(schema_with = "any_list")]
    evidence: Box<RawValue>,
    failing: Vec<Failing<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_pass_if: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<&'a [String]>,
    remediation: &'a [String],
    references: &'a [String],
    settings: Vec<SettingOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_before: Option<Word<CheckResult>>,
}

/// An entity that fails a check.
#[derive(Debug, Serialize, JsonSchema)]
struct Failing<'a> {
    kind: &'a str,
    id: &'a str,
    name: Foreign<'a>,
}

/// A setting that a scan read, or could not read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
pub(crate) struct SettingOut<'a> {
    path: &'a str,
    state: Word<CollectionState>,
    source: &'a str,
    read_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> From<&'a SettingRow> for SettingOut<'a> {
    fn from(row: &'a SettingRow) -> Self {
        Self {
            path: &row.path,
            state: Word(row.state),
            source: &row.source,
            read_at: Time(row.read_at),
            detail: row.detail.as_deref(),
        }
    }
}

impl<'a> DetailOut<'a> {
    pub(crate) fn new(answer: &'a ResultAnswer) -> Result<Self, serde_json::Error> {
        let result = &answer.result;
        let check = answer.check.as_ref();
        Ok(Self {
            check_id: &result.row.check_id,
            description: check.map(|check| check.description.as_str()),
            detected: result.row.detected.as_deref().map(raw).transpose()?,
            evidence: raw(&result.evidence)?,
            failing: result
                .entities
                .iter()
                .take(ENTITIES_SHOWN)
                .map(|entity| Failing {
                    kind: &entity.kind,
                    id: &entity.id,
                    name: Foreign(&entity.name),
                })
                .collect(),
            would_pass_if: result.would_pass.as_ref().map(|would| Foreign(&would.condition)),
            excluded: result.would_pass.as_ref().map(|would| would.excluded.as_slice()),
            remediation: check.map_or(&[], |check| check.remediation.as_slice()),
            references: check.map_or(&[], |check| check.references.as_slice()),
            settings: answer.settings.iter().map(SettingOut::from).collect(),
            result_before: answer.before.as_ref().map(|row| Word(row.result)),
        })
    }
}
