//! The OCSF format: OCSF 1.8.0 events, one JSON object on each line, using only attributes older than 1.5.
//!
//! A result is a Compliance Finding (2003); a failed check of an exposure scan is a Detection Finding (2004). Every check has
//! an event, skipped ones included, so that the number of lines is the number of checks. Watchpost's own importer restores
//! the same results, for which `unmapped.skip_reason` has the reason.

use crate::{
    entry::{Entry, raw},
    text::words,
    view::View,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use watchpost_core::{
    check::{CheckResult, Framework, ScanType, SkipReason},
    scan::{ResultChange, ResultRow},
    value::word::Severity,
};

const OCSF_VERSION: &str = "1.8.0";

#[derive(Serialize)]
struct Event<'a> {
    activity_id: u8,
    activity_name: &'static str,
    category_uid: u8,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: String,
    time: i64,
    severity_id: u8,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<&'static str>,
    message: &'a str,
    metadata: Metadata<'a>,
    cloud: Cloud<'a>,
    finding_info: FindingInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance: Option<Compliance<'a>>,
    resources: Vec<Resource<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation<'a>>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    uid: String,
    event_code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tenant_uid: &'a str,
    product: Product<'a>,
    profiles: [&'static str; 1],
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'static str,
    vendor_name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Cloud<'a> {
    provider: &'static str,
    account: Account<'a>,
}

#[derive(Serialize)]
struct Account<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    type_id: u8,
}

#[derive(Serialize)]
struct FindingInfo<'a> {
    uid: String,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    desc: &'a str,
    created_time: i64,
    last_seen_time: i64,
    types: [&'static str; 1],
    analytic: Analytic<'a>,
}

#[derive(Serialize)]
struct Analytic<'a> {
    uid: &'a str,
    name: &'a str,
    type_id: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Compliance<'a> {
    standards: Vec<&'static str>,
    requirements: Vec<&'a str>,
    control: &'a str,
    status_id: u8,
    status: &'static str,
    status_detail: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    uid: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize)]
struct Remediation<'a> {
    desc: String,
    references: &'a [String],
}

#[derive(Serialize)]
struct Unmapped<'a> {
    scan_id: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<&'static str>,
    service: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    requirements: BTreeMap<&'static str, Vec<&'a str>>,
    coverage: &'static str,
    content_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_pass_if: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<Setting<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Change<'a>>,
}

#[derive(Serialize)]
struct Setting<'a> {
    path: &'a str,
    state: &'static str,
    source: &'a str,
    read_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// The additional fields of a change between two scans.
#[derive(Serialize)]
struct Change<'a> {
    kind: &'static str,
    scan_before: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_before: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected_before: Option<Box<RawValue>>,
}

/// Renders the events, one on each line.
pub(crate) fn lines(view: &View<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    let mut push = |event: &Event<'_>| {
        serde_json::to_writer(&mut out, event)?;
        out.push(b'\n');
        Ok(())
    };
    match &view.changes {
        Some(changes) if view.data.difference => {
            let by_id: BTreeMap<&str, _> = view
                .data
                .results
                .iter()
                .map(|detail| (detail.row.check_id.as_str(), detail))
                .collect();
            for group in &changes.groups {
                for change in &group.changes {
                    // A check that was not run in the later scan has no result.
                    let Some(after) = &change.after else { continue };
                    let Some(detail) = by_id.get(after.check_id.as_str()) else {
                        continue;
                    };
                    let entry = view.entry(detail);
                    let change = change_of(group.key, change, changes.before.id.to_string())?;
                    push(&event(view, &entry, Some(change))?)?;
                }
            }
        }
        _ => {
            for detail in &view.data.results {
                let entry = view.entry(detail);
                push(&event(view, &entry, None)?)?;
            }
        }
    }
    Ok(out)
}

fn change_of<'a>(
    kind: &'static str,
    change: &'a ResultChange,
    scan_before: String,
) -> Result<Change<'a>, serde_json::Error> {
    let before = change.before.as_ref();
    Ok(Change {
        kind,
        scan_before,
        result_before: before.map(|row| row.result.as_str()),
        reason_before: before.map(|row| row.reason.untrusted()),
        detected_before: before
            .and_then(|row| row.detected.as_deref())
            .map(raw)
            .transpose()?,
    })
}

fn event<'a>(
    view: &View<'a>,
    entry: &Entry<'a>,
    change: Option<Change<'a>>,
) -> Result<Event<'a>, serde_json::Error> {
    let row = entry.row();
    let scan = &view.data.scan;
    let (activity_id, activity_name) = activity(change.as_ref());
    let detection = scan.scan_type == ScanType::Exposure && row.result == CheckResult::Failed;
    let (class_uid, class_name) = if detection {
        (2004, "Detection Finding")
    } else {
        (2003, "Compliance Finding")
    };
    let (status_id, status) = match (row.result, activity_id) {
        (CheckResult::Failed, 2) => (Some(2), Some("In Progress")),
        (CheckResult::Failed, _) => (Some(1), Some("New")),
        (CheckResult::Passed, 3) => (Some(4), Some("Resolved")),
        _ => (None, None),
    };
    let (severity_id, severity) = severity(row.severity);
    Ok(Event {
        activity_id,
        activity_name,
        category_uid: 2,
        category_name: "Findings",
        class_uid,
        class_name,
        type_uid: class_uid
            .saturating_mul(100)
            .saturating_add(u32::from(activity_id)),
        type_name: format!("{class_name}: {activity_name}"),
        time: words::completed(scan).as_millis(),
        severity_id,
        severity,
        status_id,
        status,
        status_code: detection.then_some("FAIL"),
        message: entry.reason(),
        metadata: metadata(view, entry),
        cloud: cloud(view),
        finding_info: finding_info(view, entry),
        compliance: (!detection).then(|| compliance(row)),
        resources: resources(view, entry),
        remediation: (!entry.remediation().is_empty()).then(|| Remediation {
            desc: entry.remediation().join("\n"),
            references: entry.references(),
        }),
        unmapped: unmapped(view, entry, change)?,
    })
}

/// The activity id and name of a finding.
fn activity(change: Option<&Change<'_>>) -> (u8, &'static str) {
    match change.map(|change| change.kind) {
        Some("fixed" | "newly_readable") => (3, "Close"),
        Some("changed_failures" | "newly_skipped") => (2, "Update"),
        _ => (1, "Create"),
    }
}

fn metadata<'a>(view: &View<'a>, entry: &Entry<'a>) -> Metadata<'a> {
    let check = &entry.row().check_id;
    Metadata {
        version: OCSF_VERSION,
        uid: format!("{}:{check}", view.data.scan.id),
        event_code: check,
        tenant_uid: &view.data.tenant,
        product: Product {
            name: "Watchpost",
            vendor_name: "Watchpost",
            version: view.data.version,
        },
        profiles: ["cloud"],
    }
}

fn cloud<'a>(view: &View<'a>) -> Cloud<'a> {
    let scan = &view.data.scan;
    Cloud {
        provider: scan.platform.as_str(),
        account: Account {
            uid: &view.data.tenant,
            name: scan.integration_name.untrusted(),
            kind: "Other",
            type_id: 99,
        },
    }
}

fn finding_info<'a>(view: &View<'a>, entry: &Entry<'a>) -> FindingInfo<'a> {
    let row = entry.row();
    let scan = &view.data.scan;
    let time = words::completed(scan).as_millis();
    let tenant = if view.data.tenant.is_empty() {
        scan.integration.to_string()
    } else {
        view.data.tenant.clone()
    };
    FindingInfo {
        uid: format!("{tenant}:{}", row.check_id),
        title: &row.title,
        desc: entry.description(),
        created_time: time,
        last_seen_time: time,
        types: [match scan.scan_type {
            ScanType::Compliance => "Compliance",
            ScanType::Exposure => "Exposure",
        }],
        analytic: Analytic {
            uid: &row.check_id,
            name: &row.check_id,
            type_id: 1,
            kind: "Rule",
            version: view.data.version,
        },
    }
}

fn compliance(row: &ResultRow) -> Compliance<'_> {
    let (status_id, status) = match (row.result, row.skip) {
        (CheckResult::Passed, _) => (1, "Pass"),
        (CheckResult::Failed, _) => (3, "Fail"),
        (CheckResult::Error, _) => (2, "Error"),
        (CheckResult::Skipped, Some(SkipReason::NotApplicable)) => (99, "Not Applicable"),
        (CheckResult::Skipped, _) => (2, "Warning"),
    };
    let mut standards: Vec<&'static str> = row.frameworks.iter().map(|id| id.framework().title()).collect();
    standards.dedup();
    Compliance {
        standards,
        requirements: row.frameworks.iter().map(|id| id.as_str()).collect(),
        control: row
            .frameworks
            .iter()
            .find(|id| id.framework() == Framework::Scuba)
            .or(row.frameworks.first())
            .map_or(row.check_id.as_str(), |id| id.as_str()),
        status_id,
        status,
        status_detail: row.reason.untrusted(),
    }
}

/// The failing entities; the tenant if the check names none.
fn resources<'a>(view: &View<'a>, entry: &Entry<'a>) -> Vec<Resource<'a>> {
    let mut out: Vec<Resource<'a>> = entry
        .entities()
        .iter()
        .map(|entity| Resource {
            uid: &entity.id,
            name: entity.name.untrusted(),
            kind: capital(&entity.kind),
        })
        .collect();
    if out.is_empty() {
        let name = view.data.scan.integration_name.untrusted();
        out.push(Resource {
            uid: if view.data.tenant.is_empty() {
                name
            } else {
                &view.data.tenant
            },
            name,
            kind: "Tenant".to_owned(),
        });
    }
    out
}

fn unmapped<'a>(
    view: &View<'a>,
    entry: &Entry<'a>,
    change: Option<Change<'a>>,
) -> Result<Unmapped<'a>, serde_json::Error> {
    let row = entry.row();
    let mut requirements: BTreeMap<&'static str, Vec<&'a str>> = BTreeMap::new();
    for id in &row.frameworks {
        requirements
            .entry(id.framework().as_str())
            .or_default()
            .push(id.as_str());
    }
    let whole = view.unread().is_empty();
    Ok(Unmapped {
        scan_id: view.data.scan.id.to_string(),
        result: row.result.as_str(),
        skip_reason: row.skip.map(SkipReason::as_str),
        service: row.service.as_str(),
        requirements,
        coverage: if whole { "complete" } else { "incomplete" },
        content_hash: entry.content(),
        detected: entry.detected().map(raw).transpose()?,
        evidence: match entry.detail.evidence.trim() {
            "" | "[]" => None,
            text => Some(raw(text)?),
        },
        would_pass_if: entry
            .detail
            .would_pass
            .as_ref()
            .map(|one| one.condition.untrusted()),
        settings: entry
            .settings
            .iter()
            .map(|row| Setting {
                path: &row.path,
                state: row.state.as_str(),
                source: &row.source,
                read_at: row.read_at.to_string(),
                sha256: row.hash.map(|hash| words::hex(&hash)),
            })
            .collect(),
        change,
    })
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(
        || "Other".to_owned(),
        |first| first.to_uppercase().chain(chars).collect(),
    )
}

const fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}
