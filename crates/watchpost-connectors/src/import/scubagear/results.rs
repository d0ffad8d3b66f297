//! Verdicts of ScubaGear and of ScubaGoggles, which has the same shape: its results, and its raw tests.

use super::check_document;
use crate::import::{
    batches::Batches,
    document::{Document, elements},
    loose::{self, Loose, Many},
    text,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use watchpost_core::{
    check::{CheckResult, FrameworkId, Service, SkipReason},
    import::{
        ExceptionKind, ImportBatchHeader, ImportError, ImportFormat, ImportTool, ImportedEntity,
        ImportedException, ImportedRow, check_of, fingerprint, scuba_key,
    },
    value::word::Severity,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct MetaData {
    tool: Loose,
    tool_version: Loose,
    tenant_id: Loose,
    display_name: Loose,
    domain_name: Loose,
    timestamp_zulu: Loose,
}

/// Which of the two tools a document's head names.
pub(in crate::import) fn tool(document: &Document<'_>) -> Option<ImportTool> {
    let meta: MetaData = document.read("MetaData")?;
    match meta.tool.text().to_ascii_lowercase().as_str() {
        "scubagear" => Some(ImportTool::Scubagear),
        "scubagoggles" => Some(ImportTool::Scubagoggles),
        _ => None,
    }
}

/// Whether a document without a tool's name is one product's report: results that are groups of controls.
pub(in crate::import) fn is_report(document: &Document<'_>) -> bool {
    let first = document.get("Results").and_then(elements).unwrap_or_default();
    first
        .first()
        .and_then(|group| Document::new(group.get()).ok())
        .is_some_and(|group| group.has("Controls"))
}

/// Reads `ScubaResults`, or one product's report of it.
pub(in crate::import) fn read(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let meta: MetaData = document.read("MetaData").unwrap_or_default();
    let results = document.get("Results");
    // Products, each with groups; a product's report has the groups alone.
    let groups = match results.map(|results| (results, results.get().starts_with('{'))) {
        Some((results, true)) => match Document::new(results.get()) {
            Ok(products) if !products.has("Controls") => {
                products.values().filter_map(elements).flatten().collect()
            }
            _ => vec![results],
        },
        Some((results, false)) => elements(results).unwrap_or_default(),
        None => Vec::new(),
    };
    let controls: Vec<&RawValue> = groups
        .into_iter()
        .filter_map(|group| Document::new(group.get()).ok())
        .filter_map(|group| group.get("Controls"))
        .filter_map(elements)
        .flatten()
        .collect();
    let goggles = || {
        controls
            .first()
            .is_some_and(|control| control.get().contains("\"GWS."))
    };
    let tool = tool(document).unwrap_or_else(|| {
        if goggles() {
            ImportTool::Scubagoggles
        } else {
            ImportTool::Scubagear
        }
    });
    let name = meta
        .display_name
        .some()
        .or(meta.domain_name.some())
        .unwrap_or_default();
    let batch = batches.batch(ImportBatchHeader {
        format: ImportFormat::ScubaResults,
        tool,
        tool_version: text::name(meta.tool_version.text()),
        tenant_key: text::id(meta.tenant_id.text(), 200),
        tenant_name: text::name(name),
        ran_at: text::time(meta.timestamp_zulu.text()),
    })?;
    for (index, control) in controls.into_iter().enumerate() {
        let index = index as u64;
        match loose::row::<Control>(control.get().as_bytes()) {
            Err(reason) => batches.bad_row(Some(batch), index, reason)?,
            Ok(control) if control.id.some().is_none() => {
                batches.bad_row(Some(batch), index, "it has no control id".to_owned())?;
            }
            Ok(control) => {
                let row = control.row(batch, tool, batches);
                batches.row(batch, row)?;
            }
        }
    }
    if let Some(raw) = document.read::<Value>("Raw") {
        let mut settings = check_document(&raw);
        if tool == ImportTool::Scubagear && !settings.settings.is_empty() {
            if settings.tenant.is_empty() {
                settings.tenant = text::id(meta.tenant_id.text(), 200);
            }
            batches.settings(batch, settings)?;
        }
    }
    Ok(())
}

/// Reads a provider settings export.
pub(in crate::import) fn read_export(export: &str, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let export: Value =
        serde_json::from_str(export).map_err(|error| crate::import::document::fault(export, &error))?;
    let settings = check_document(&export);
    let string = |key: &str| export.get(key).and_then(Value::as_str).unwrap_or_default();
    let batch = batches.batch(ImportBatchHeader {
        format: ImportFormat::ProviderSettings,
        tool: ImportTool::Scubagear,
        tool_version: text::name(string("module_version")),
        tenant_key: text::id(&settings.tenant, 200),
        tenant_name: text::name(&settings.tenant_name),
        ran_at: text::time(string("timestamp_zulu")),
    })?;
    batches.settings(batch, settings)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Control {
    #[serde(rename = "Control ID")]
    id: Loose,
    #[serde(rename = "Requirement")]
    requirement: Loose,
    #[serde(rename = "Result")]
    result: Loose,
    #[serde(rename = "Criticality")]
    criticality: Loose,
    #[serde(rename = "Details")]
    details: Loose,
    #[serde(rename = "OmittedEvaluationResult")]
    omitted_result: Loose,
    #[serde(rename = "OmittedEvaluationDetails")]
    omitted_details: Loose,
    #[serde(rename = "IncorrectResultDetails")]
    incorrect_result_details: Loose,
    #[serde(rename = "IncorrectDetails")]
    incorrect_details: Loose,
    #[serde(rename = "OriginalResult")]
    original_result: Loose,
    #[serde(rename = "OriginalDetails")]
    original_details: Loose,
    #[serde(rename = "Comments")]
    comments: Many<Loose>,
    #[serde(rename = "ResolutionDate")]
    resolution: Loose,
    #[serde(rename = "RemediationDate")]
    remediation: Loose,
}

impl Control {
    fn row(&self, batch: usize, tool: ImportTool, batches: &Batches<'_>) -> ImportedRow {
        let word = self.result.text().to_ascii_lowercase();
        let exception = match word.as_str() {
            "omitted" => Some(ExceptionKind::Omitted),
            "incorrect result" => Some(ExceptionKind::FalsePositive),
            _ => None,
        };
        let real = |text: &Loose| text.some().is_some_and(|text| !matches!(text, "N/A" | "-"));
        // What the machine had found before a person put it aside.
        let (machine, details) = match exception {
            None => (&self.result, &self.details),
            Some(ExceptionKind::Omitted) if real(&self.omitted_result) => {
                (&self.omitted_result, &self.omitted_details)
            }
            Some(_) => (&self.original_result, &self.original_details),
        };
        let details = [
            details,
            &self.original_details,
            &self.incorrect_result_details,
            &self.incorrect_details,
        ]
        .into_iter()
        .find(|text| real(text))
        .unwrap_or(&self.details);
        let (result, skip) = judged(machine.text(), details.text());
        let warning = machine.text().eq_ignore_ascii_case("warning");
        let reason: Vec<&str> = self
            .comments
            .0
            .iter()
            .filter_map(Loose::some)
            .filter(|text| *text != "System.Object[]")
            .collect();
        let requirement = self.requirement.text();
        let title = requirement.split('<').next().unwrap_or_default();
        Judged {
            tool,
            control: self.id.text(),
            criticality: self.criticality.text(),
            title,
            result,
            skip,
            details: details.text(),
            warning,
            exception: exception.map(|kind| ImportedException {
                kind,
                reason: text::plain(&reason.join(" ")),
                until: self
                    .resolution
                    .some()
                    .or(self.remediation.some())
                    .and_then(text::time),
            }),
        }
        .row(batch, batches)
    }
}

/// A result's word as our own. `N/A` stands for a person's work and for a policy that doesn't apply; the details tell
/// which.
fn judged(word: &str, details: &str) -> (CheckResult, Option<SkipReason>) {
    let word = word.to_ascii_lowercase();
    match word.as_str() {
        "pass" => (CheckResult::Passed, None),
        "fail" | "warning" => (CheckResult::Failed, None),
        "n/a" | "-" | "" => {
            let details = details.to_ascii_lowercase();
            let applies_not = details.contains("only applicable") || details.contains("not applicable");
            let skip = if applies_not {
                SkipReason::NotApplicable
            } else {
                SkipReason::Manual
            };
            (CheckResult::Skipped, Some(skip))
        }
        _ => (CheckResult::Error, None),
    }
}

/// One judged policy, of results or of raw tests.
struct Judged<'c> {
    tool: ImportTool,
    control: &'c str,
    criticality: &'c str,
    title: &'c str,
    result: CheckResult,
    skip: Option<SkipReason>,
    details: &'c str,
    warning: bool,
    exception: Option<ImportedException>,
}

impl Judged<'_> {
    fn row(self, batch: usize, batches: &Batches<'_>) -> ImportedRow {
        let check = check_of(self.tool, self.control, batches.checks);
        let own = batches.checks.iter().find(|one| Some(one.id.as_str()) == check);
        let should = self.criticality.to_ascii_lowercase().starts_with("should");
        let severity = own.map_or(if should { Severity::Medium } else { Severity::High }, |own| {
            own.severity
        });
        // Worst first: the later of the two is the milder.
        let severity = if self.warning {
            severity.max(Severity::Medium)
        } else {
            severity
        };
        let header = batches.header(batch);
        let tenant = header.map_or("", |header| header.tenant_key.as_str());
        ImportedRow {
            control: text::id(self.control, 200),
            check: check.map(str::to_owned),
            title: text::title(self.title),
            result: self.result,
            skip: self.skip,
            severity,
            service: own.map_or_else(|| service(self.control), |own| own.service),
            details: text::plain(self.details),
            entity: header
                .filter(|header| !header.tenant_key.is_empty())
                .map(|header| ImportedEntity {
                    kind: "tenant".to_owned(),
                    id: header.tenant_key.clone(),
                    name: header.tenant_name.clone(),
                }),
            frameworks: vec![FrameworkId::new(&text::id(self.control, 64))],
            exception: self.exception,
            fingerprint: fingerprint(self.tool, &[tenant, &scuba_key(self.control)]),
        }
    }
}

/// The service that a policy's id names.
fn service(control: &str) -> Service {
    let mut parts = control.split('.');
    if parts
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case("GWS"))
    {
        return Service::Google;
    }
    Service::from_name(parts.next().unwrap_or_default()).unwrap_or(Service::Other)
}

/// One raw test.
#[derive(Deserialize)]
pub(in crate::import) struct Test {
    #[serde(rename = "PolicyId", default)]
    id: Loose,
    #[serde(rename = "Criticality", default)]
    criticality: Loose,
    #[serde(rename = "ReportDetails", default)]
    details: Many<Loose>,
    #[serde(rename = "RequirementMet", default)]
    met: Loose,
}

/// Reads one raw test. They name no tenant.
pub(in crate::import) fn read_test(
    row: &[u8],
    index: u64,
    batches: &mut Batches<'_>,
) -> Result<(), ImportError> {
    let test = match loose::row::<Test>(row) {
        Ok(test) => test,
        Err(reason) => return batches.bad_row(None, index, reason),
    };
    let (Some(control), Some(met)) = (test.id.some(), test.met.boolean()) else {
        let reason = "it has no policy id, or does not say whether the requirement is met";
        return batches.bad_row(None, index, reason.to_owned());
    };
    let tool = if control.to_ascii_uppercase().starts_with("GWS.") {
        ImportTool::Scubagoggles
    } else {
        ImportTool::Scubagear
    };
    let batch = batches.batch(ImportBatchHeader {
        format: ImportFormat::ScubaTests,
        tool,
        tool_version: text::name(""),
        tenant_key: String::new(),
        tenant_name: text::name(""),
        ran_at: None,
    })?;
    let criticality = test.criticality.text();
    let details: Vec<&str> = test.details.0.iter().filter_map(Loose::some).collect();
    let details = details.join(" ");
    let lower = criticality.to_ascii_lowercase();
    let (result, skip) = if lower.ends_with("/not-implemented") || lower.ends_with("/3rd party") {
        judged("N/A", &details)
    } else if met {
        (CheckResult::Passed, None)
    } else {
        (CheckResult::Failed, None)
    };
    let row = Judged {
        tool,
        control,
        criticality,
        title: "",
        result,
        skip,
        details: &details,
        warning: result == CheckResult::Failed && lower.starts_with("should"),
        exception: None,
    }
    .row(batch, batches);
    batches.row(batch, row)
}
