//! The structs of the JSON report.

use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Framework, Service, SkipReason},
    report::ReportKind,
    scan::{ComparedWith, ComplianceScore, SettingChange},
    value::{time::Timestamp, word::Severity},
};

#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) report: Header<'a>,
    pub(super) scan: ScanFacts<'a>,
    #[serde(flatten)]
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) posture: Option<Posture>,
    pub(super) by_framework: BTreeMap<Framework, Part>,
    pub(super) by_service: BTreeMap<Service, Part>,
    pub(super) trend: Vec<TrendPoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Comparison<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) controls: Vec<Controls<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) results: Option<Vec<CheckReport<'a>>>,
    pub(super) unread_settings: Vec<Setting<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<Vec<Setting<'a>>>,
    pub(super) exemptions: Vec<ExemptionReport<'a>>,
}

#[derive(Serialize)]
pub(super) struct Header<'a> {
    pub(super) kind: ReportKind,
    pub(super) difference: bool,
    pub(super) generated_at: Timestamp,
    pub(super) watchpost_version: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) frameworks: &'a [Framework],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) services: &'a [Service],
    pub(super) method: &'static str,
}

#[derive(Serialize)]
pub(super) struct ScanFacts<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) integration_id: String,
    pub(super) integration: &'a str,
    pub(super) platform: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) tenant: &'a str,
    pub(super) trigger: &'static str,
    pub(super) settings_read_anew: bool,
    pub(super) queued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<Timestamp>,
}

/// The risk score and the numbers about people. Unknown ones are omitted.
#[derive(Serialize)]
pub(super) struct Posture {
    pub(super) risk_score: u8,
    pub(super) direction: &'static str,
    pub(super) label: &'static str,
    pub(super) grade: &'static str,
    pub(super) as_of: Timestamp,
    pub(super) open_findings: BTreeMap<Severity, u64>,
    pub(super) identities: u64,
    pub(super) admins: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mfa_coverage_pct: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) admin_mfa_coverage_pct: Option<f64>,
    pub(super) stale_accounts: u64,
}

#[derive(Serialize)]
pub(super) struct Verdict {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<ComplianceScore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exposure: Option<&'static str>,
    pub(super) counts: Counts,
}

#[derive(Serialize)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) failed_by_severity: BTreeMap<Severity, u64>,
    pub(super) skipped: u64,
    pub(super) skipped_by_reason: BTreeMap<SkipReason, u64>,
    pub(super) errors: u64,
}

#[derive(Serialize)]
pub(super) struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<ComplianceScore>,
    pub(super) counts: Counts,
}

#[derive(Serialize)]
pub(super) struct TrendPoint {
    pub(super) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<ComplianceScore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exposure: Option<&'static str>,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) errors: u64,
}

#[derive(Serialize)]
pub(super) struct Comparison<'a> {
    pub(super) scan_before: String,
    pub(super) completed_at: Timestamp,
    pub(super) compared_with: ComparedWith,
    pub(super) before: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score_difference: Option<f64>,
    pub(super) unchanged: u64,
    pub(super) still_failing: u64,
    pub(super) frameworks: BTreeMap<Framework, FrameworkScores>,
    pub(super) changes: Vec<Change<'a>>,
    pub(super) settings: Vec<&'a SettingChange>,
}

#[derive(Serialize)]
pub(super) struct FrameworkScores {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<ComplianceScore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<ComplianceScore>,
}

#[derive(Serialize)]
pub(super) struct Change<'a> {
    pub(super) change: &'static str,
    pub(super) check: &'a str,
    pub(super) title: &'a str,
    pub(super) service: Service,
    pub(super) severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Side<'a>>,
}

#[derive(Serialize)]
pub(super) struct Side<'a> {
    pub(super) result: CheckResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skip_reason: Option<SkipReason>,
    pub(super) reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detected: Option<Box<RawValue>>,
    pub(super) entities: u64,
}

#[derive(Serialize)]
pub(super) struct Controls<'a> {
    pub(super) framework: Framework,
    pub(super) title: &'static str,
    pub(super) controls: Vec<Control<'a>>,
}

#[derive(Serialize)]
pub(super) struct Control<'a> {
    pub(super) id: &'a str,
    pub(super) section: String,
    pub(super) state: &'static str,
    pub(super) checks: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct CheckReport<'a> {
    pub(super) check: &'a str,
    pub(super) title: &'a str,
    pub(super) service: Service,
    pub(super) severity: Severity,
    pub(super) frameworks: Vec<&'a str>,
    pub(super) result: CheckResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skip_reason: Option<SkipReason>,
    pub(super) reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detected: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) would_pass: Option<WouldPass<'a>>,
    pub(super) entities_total: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) remediation: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) references: &'a [String],
    #[serde(flatten)]
    pub(super) proof: Option<Proof<'a>>,
}

/// The part of a check's result that only the evidence export has.
#[derive(Serialize)]
pub(super) struct Proof<'a> {
    pub(super) evidence: Box<RawValue>,
    pub(super) entities: Vec<EntityReport<'a>>,
    pub(super) settings: Vec<&'a str>,
    pub(super) content_hash: String,
}

#[derive(Serialize)]
pub(super) struct EntityReport<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}

#[derive(Serialize)]
pub(super) struct WouldPass<'a> {
    #[serde(rename = "if")]
    pub(super) condition: &'a str,
    pub(super) excluded: &'a [String],
}

#[derive(Serialize)]
pub(super) struct Setting<'a> {
    pub(super) path: &'a str,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a str>,
    pub(super) source: &'a str,
    pub(super) read_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    pub(super) bytes: u64,
}

#[derive(Serialize)]
pub(super) struct ExemptionReport<'a> {
    pub(super) check: &'a str,
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) id: &'a str,
    pub(super) reason: &'a str,
    pub(super) owner: &'a str,
    pub(super) since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
}
