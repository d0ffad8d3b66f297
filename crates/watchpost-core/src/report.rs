//! Reports: their data, and the port for rendering, which `watchpost-report` implements.

use crate::{
    check::{Check, Framework, ScanType, Service},
    error::Source,
    posture::{Snapshot, score::RiskScore},
    scan::{
        ComparedWith, Comparison, Exemption, ResultDetail, Scan, ScanCounts, ScanPoint, SettingChange,
        SettingRow,
    },
    value::{
        id::ScanId,
        time::Timestamp,
        word::{Platform, words},
    },
};
use std::collections::BTreeMap;

words! {
    /// The audience of a report.
    ReportKind {
        /// One or two pages for a board: score, trend and priorities.
        Executive = "executive",
        /// Every check of one framework or of all, with its results, for the people responsible for them.
        Framework = "framework",
        /// Everything with evidence and provenance, for an auditor.
        Evidence = "evidence",
    }
    /// The file format of a report.
    ReportFormat {
        /// One self-contained page that is suitable for printing.
        Html = "html",
        /// A Markdown text.
        Markdown = "markdown",
        /// One JSON object.
        Json = "json",
        /// One row per result.
        Csv = "csv",
        /// OCSF events, one JSON object per line.
        Ocsf = "ocsf",
    }
}

impl ReportFormat {
    /// Returns the media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ocsf => "application/x-ndjson",
        }
    }
    /// Returns the usual file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ocsf => "ocsf.jsonl",
        }
    }
}

/// A request for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    /// The audience.
    pub kind: ReportKind,
    /// The scan; `None` for the latest completed scan of the type.
    pub scan: Option<ScanId>,
    /// The type of scan, used if no scan is given.
    pub scan_type: ScanType,
    /// The scan to compare with; `None` for the last scan of another day, or the previous one if there is none.
    pub compare_with: Option<ScanId>,
    /// Whether the report covers only the difference between two scans.
    pub difference: bool,
    /// Only checks that are mapped to one of these frameworks; empty for all.
    pub frameworks: Vec<Framework>,
    /// Only checks of these services; empty for all.
    pub services: Vec<Service>,
}

/// Returns the resource URI of a report. It contains everything that the report depends on, so that no report is
/// stored: `watchpost://reports/SCAN-KIND.EXTENSION?framework=…&service=…&compare_with=…`.
pub fn report_uri(scan: &ScanId, request: &ReportRequest, format: ReportFormat) -> String {
    let mut uri = format!(
        "watchpost://reports/{scan}-{}.{}",
        request.kind,
        format.extension()
    );
    let mut parts: Vec<String> = Vec::new();
    parts.extend(request.frameworks.iter().map(|word| format!("framework={word}")));
    parts.extend(request.services.iter().map(|word| format!("service={word}")));
    parts.extend(request.compare_with.iter().map(|id| format!("compare_with={id}")));
    if !parts.is_empty() {
        uri.push('?');
        uri.push_str(&parts.join("&"));
    }
    uri
}

/// Parses a URI written by [`report_uri`]. Returns `None` for any other text.
pub fn parse_report_uri(uri: &str) -> Option<(ReportRequest, ReportFormat)> {
    let rest = uri.strip_prefix("watchpost://reports/")?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scan, rest) = (path.get(..36)?, path.get(36..)?);
    let (kind, ending) = rest.strip_prefix('-')?.split_once('.')?;
    let format = ReportFormat::ALL
        .iter()
        .copied()
        .find(|format| format.extension() == ending)?;
    let mut request = ReportRequest {
        kind: kind.parse().ok()?,
        scan: Some(scan.parse().ok()?),
        scan_type: ScanType::Compliance,
        compare_with: None,
        difference: false,
        frameworks: Vec::new(),
        services: Vec::new(),
    };
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        match name {
            "framework" => request.frameworks.push(value.parse().ok()?),
            "service" => request.services.push(value.parse().ok()?),
            "compare_with" => {
                request.compare_with = Some(value.parse().ok()?);
                request.difference = true;
            }
            _ => return None,
        }
    }
    Some((request, format))
}

/// The risk score and the numbers about people at the last analysis, for the report for a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPosture {
    /// The risk score.
    pub risk: RiskScore,
    /// Live findings by severity, worst first.
    pub live_by_severity: [u64; 5],
    /// The number of identities with an account that isn't retired.
    pub identities: u64,
    /// The numbers of the last analysis, with its time.
    pub latest: Snapshot,
    /// The platforms whose people have never been read, so that the numbers say nothing about them.
    pub without_people: Vec<Platform>,
}

/// The comparison in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportComparison {
    /// The earlier scan.
    pub before: Scan,
    /// The reason for which the report compares with it.
    pub with: ComparedWith,
    /// The differences, over the report's selection.
    pub differences: Comparison,
}

/// The content of a report, in the order in which it is shown.
#[derive(Debug, Clone)]
pub struct ReportData {
    /// The audience.
    pub kind: ReportKind,
    /// The time of generation.
    pub generated_at: Timestamp,
    /// The version of Watchpost.
    pub version: &'static str,
    /// The scan.
    pub scan: Scan,
    /// The stable name of the workspace in exports (`metadata.tenant_uid` in OCSF): the vendor's tenant id, or
    /// empty.
    pub tenant: String,
    /// The frameworks that the report is limited to; empty for all.
    pub frameworks: Vec<Framework>,
    /// The services that the report is limited to; empty for all.
    pub services: Vec<Service>,
    /// Counts over the results.
    pub counts: ScanCounts,
    /// Counts per framework.
    pub by_framework: BTreeMap<Framework, ScanCounts>,
    /// Counts per service.
    pub by_service: BTreeMap<Service, ScanCounts>,
    /// Results: failed first, then errors, passed and skipped; the highest severity first in each group.
    pub results: Vec<ResultDetail>,
    /// The checks of the results by id, with description, remediation and references. Checks that this version
    /// doesn't contain are missing.
    pub checks: BTreeMap<String, Check>,
    /// The earlier scan and the differences from it, over the report's selection, if there is one.
    pub comparison: Option<ReportComparison>,
    /// Settings of changed checks that differ from the earlier scan, by path, with old and new values.
    pub setting_changes: BTreeMap<String, SettingChange>,
    /// Whether the report covers only the difference between two scans.
    pub difference: bool,
    /// Completed scans of the same type up to this one, oldest first; at most 60.
    pub trend: Vec<ScanPoint>,
    /// The settings that were read, with provenance.
    pub settings: Vec<SettingRow>,
    /// The exemptions in effect.
    pub exemptions: Vec<Exemption>,
    /// The risk score and the numbers about people; `None` in other reports than the executive summary, or if there
    /// is no score.
    pub posture: Option<ReportPosture>,
}

/// A rendered report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The file format.
    pub format: ReportFormat,
    /// The content; text is in UTF-8.
    pub bytes: Vec<u8>,
}

/// The error of a report that can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The format isn't available for the kind of report. The text lists the available ones.
    #[error("{0}")]
    UnsupportedFormat(&'static str),
    /// A template or serializer failed, which is a bug.
    #[error("the report can't be written")]
    Failed(#[source] Source),
}

/// Renders reports. Pure: the same data yields the same bytes.
pub trait ReportRenderer: Send + Sync {
    /// Renders a report.
    ///
    /// # Errors
    /// Returns [`ReportError`] if the format isn't available for the kind of report, or if rendering fails.
    fn render(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, ReportError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_contains_everything_that_a_report_depends_on() {
        let scan: ScanId = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f".parse().unwrap();
        let earlier: ScanId = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e00".parse().unwrap();
        for kind in ReportKind::ALL {
            for format in ReportFormat::ALL {
                for compare_with in [None, Some(earlier)] {
                    let request = ReportRequest {
                        kind: *kind,
                        scan: Some(scan),
                        scan_type: ScanType::Compliance,
                        compare_with,
                        difference: compare_with.is_some(),
                        frameworks: vec![Framework::Cis, Framework::Scuba],
                        services: vec![Service::Exchange],
                    };
                    let uri = report_uri(&scan, &request, *format);
                    assert_eq!(parse_report_uri(&uri), Some((request, *format)), "{uri}");
                }
            }
        }
    }

    #[test]
    fn other_uris_are_rejected() {
        let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        for uri in [
            String::new(),
            "watchpost://reports/".into(),
            format!("watchpost://reports/{id}"),
            format!("watchpost://reports/{id}-executive"),
            format!("watchpost://reports/{id}-executive.exe"),
            format!("watchpost://reports/{id}-secret.html"),
            format!("watchpost://reports/{id}-executive.html?page=2"),
            format!("watchpost://reports/{id}-executive.html?framework=iso"),
            format!("https://reports/{id}-executive.html"),
            "watchpost://reports/ééééééééééééééééééééé-executive.html".into(),
        ] {
            assert_eq!(parse_report_uri(&uri), None, "{uri}");
        }
    }
}
