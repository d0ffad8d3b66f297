//! Reports: what they are made of, and the port to what draws them. `watchpost-report` implements it.

use crate::{
    check::{Check, Framework, ScanType, Service},
    error::Source,
    scan::{Comparison, Exemption, ResultDetail, Scan, ScanCounts, ScanPoint, SettingChange, SettingRow},
    value::{id::ScanId, time::Timestamp, word::words},
};
use std::collections::BTreeMap;

words! {
    /// Whom a report is for.
    ReportKind {
        /// One or two pages for a board: score, trend, what to do first.
        Executive = "executive",
        /// Every check of a framework or of all, with results, for who has to answer for them.
        Framework = "framework",
        /// Everything with evidence and provenance, for an auditor.
        Evidence = "evidence",
    }
    /// What a report is written as.
    ReportFormat {
        /// One self-contained page that prints well.
        Html = "html",
        /// Text.
        Markdown = "markdown",
        /// One object.
        Json = "json",
        /// One line for each result.
        Csv = "csv",
        /// OCSF events, one JSON object on each line.
        Ocsf = "ocsf",
    }
}

impl ReportFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ocsf => "application/x-ndjson",
        }
    }
    /// The usual ending of a file's name, without the dot.
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

/// What a report is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRequest {
    /// Whom it is for.
    pub kind: ReportKind,
    /// The scan; `None`: the latest completed one of the type.
    pub scan: Option<ScanId>,
    /// The type where no scan is named.
    pub scan_type: ScanType,
    /// The scan to compare with; `None` with `difference`: the one before.
    pub compare_with: Option<ScanId>,
    /// Whether it is about the difference of two scans.
    pub difference: bool,
    /// Only checks with an id in these; empty: all.
    pub frameworks: Vec<Framework>,
    /// Only checks of these; empty: all.
    pub services: Vec<Service>,
}

/// The address of a report as a resource. It says all that the report depends on, so nothing is stored:
/// `watchpost://reports/SCAN-KIND.ENDING?framework=…&service=…&compare_with=…`.
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

/// What [`report_uri`] had written; `None` for anything else.
pub fn report_of_uri(uri: &str) -> Option<(ReportRequest, ReportFormat)> {
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

/// Everything that a report says, in the order in which lists show it.
#[derive(Debug, Clone)]
pub struct ReportData {
    /// Whom it is for.
    pub kind: ReportKind,
    /// When it was made.
    pub generated_at: Timestamp,
    /// This version of Watchpost.
    pub version: &'static str,
    /// The scan.
    pub scan: Scan,
    /// The workspace's stable name for exports (`metadata.tenant_uid` of OCSF): the vendor's tenant id, or empty.
    pub tenant: String,
    /// Frameworks that it is confined to; empty: all.
    pub frameworks: Vec<Framework>,
    /// Services that it is confined to; empty: all.
    pub services: Vec<Service>,
    /// Counts of what it shows.
    pub counts: ScanCounts,
    /// Counts by framework.
    pub by_framework: BTreeMap<Framework, ScanCounts>,
    /// Counts by service.
    pub by_service: BTreeMap<Service, ScanCounts>,
    /// Results: failed first, then errors, passed, skipped; worst first.
    pub results: Vec<ResultDetail>,
    /// The checks behind them, by id, as far as this version has them: description, remediation, references.
    pub checks: BTreeMap<String, Check>,
    /// The earlier scan and what differs, if asked for or if there is one.
    pub comparison: Option<(Scan, Comparison)>,
    /// Settings behind changed checks that moved since the earlier scan, by path, with old and new values.
    pub setting_changes: BTreeMap<String, SettingChange>,
    /// Whether it is about the difference alone.
    pub difference: bool,
    /// Completed scans of the same type up to this one, oldest first, at most 60.
    pub trend: Vec<ScanPoint>,
    /// What was read, with provenance.
    pub settings: Vec<SettingRow>,
    /// Exemptions that hold.
    pub exemptions: Vec<Exemption>,
}

/// A report that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What it is written as.
    pub format: ReportFormat,
    /// The bytes; text is UTF-8.
    pub bytes: Vec<u8>,
}

/// A report can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The format doesn't fit the kind; says which do.
    #[error("{0}")]
    Unfit(&'static str),
    /// A template or serialiser failed: a bug.
    #[error("the report can't be written")]
    Failed(#[source] Source),
}

/// What draws reports. Pure: the same data gives the same bytes.
pub trait ReportRenderer: Send + Sync {
    /// Writes a report.
    ///
    /// # Errors
    /// [`ReportError`].
    fn render(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, ReportError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_all_that_a_report_depends_on() {
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
                    assert_eq!(report_of_uri(&uri), Some((request, *format)), "{uri}");
                }
            }
        }
    }

    #[test]
    fn other_addresses_are_none_of_a_report() {
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
            assert_eq!(report_of_uri(&uri), None, "{uri}");
        }
    }
}
