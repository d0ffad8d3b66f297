//! The results and raw tests of ScubaGear, and those of ScubaGoggles, which have the same format.

use super::{check_document, verdict};
use crate::{
    import::{
        batches::Batches,
        document::{Document, elements},
        lenient::{self, OneOrMany, Scalar},
        sanitize,
    },
    text::import as reasons,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use watchpost_core::{
    check::{CheckDocument, CheckResult, FrameworkId, Service, SkipReason},
    import::{
        ExceptionKind, ImportBatchHeader, ImportError, ImportFormat, ImportTool, ImportedEntity,
        ImportedException, ImportedRow, check_of, fingerprint, scuba_key,
    },
    value::word::Severity,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct MetaData {
    tool: Scalar,
    tool_version: Scalar,
    tenant_id: Scalar,
    display_name: Scalar,
    domain_name: Scalar,
    timestamp_zulu: Scalar,
    // The report on one product has its own names.
    #[serde(rename = "Tenant Display Name")]
    report_tenant: Scalar,
    #[serde(rename = "Report Date")]
    report_date: Scalar,
    #[serde(rename = "Module Version")]
    report_version: Scalar,
}

/// Returns the tool that a document's metadata names.
pub(in crate::import) fn tool(document: &Document<'_>) -> Option<ImportTool> {
    let meta: MetaData = document.read("MetaData")?;
    match meta.tool.text().to_ascii_lowercase().as_str() {
        "scubagear" => Some(ImportTool::Scubagear),
        "scubagoggles" => Some(ImportTool::Scubagoggles),
        _ => None,
    }
}

/// Whether a document that doesn't name a tool is a report on one product or several: its results are groups of controls, or
/// products with such groups.
pub(in crate::import) fn is_report(document: &Document<'_>) -> bool {
    document.get("Results").is_some_and(|results| {
        groups(results)
            .into_iter()
            .filter_map(|group| Document::new(group.get()).ok())
            .any(|group| group.has("Controls"))
    })
}

/// Returns the groups of controls. The results are products with groups; those of a report on one product are its groups.
fn groups(results: &RawValue) -> Vec<&RawValue> {
    let is_object = |value: &RawValue| value.get().starts_with('{');
    if is_object(results)
        && let Ok(products) = Document::new(results.get())
        && !products.has("Controls")
    {
        return products
            .values()
            .flat_map(|product| elements(product).unwrap_or_default())
            .collect();
    }
    elements(results).unwrap_or_default()
}

/// Returns the controls of all groups. A group without readable controls is an error, which states the reason.
fn controls(results: &RawValue) -> Vec<Result<&RawValue, String>> {
    let mut out = Vec::new();
    for group in groups(results) {
        match Document::new(group.get()) {
            Ok(group) if group.has("Controls") => {
                let controls = group.get("Controls").and_then(elements).unwrap_or_default();
                out.extend(controls.into_iter().map(Ok));
            }
            Ok(_) => out.push(Err(reasons::NO_CONTROLS.to_owned())),
            Err(_) => out.push(Err(reasons::GROUP_UNREADABLE.to_owned())),
        }
    }
    out
}

/// Reads `ScubaResults` or the report on one product.
pub(in crate::import) fn read(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let meta: MetaData = document.read("MetaData").unwrap_or_default();
    let controls = document.get("Results").map(controls).unwrap_or_default();
    let is_goggles = || {
        let first = controls.iter().find_map(|control| control.as_ref().ok());
        first.is_some_and(|control| control.get().contains("\"GWS."))
    };
    let tool = tool(document).unwrap_or_else(|| {
        if is_goggles() {
            ImportTool::Scubagoggles
        } else {
            ImportTool::Scubagear
        }
    });
    let header = batches.of_run(header(tool, &meta));
    let tenant = header.tenant_key.clone();
    let batch = batches.batch(header)?;
    let count = controls.len() as u64;
    for (index, control) in controls.into_iter().enumerate() {
        let index = index as u64;
        let control = control.and_then(|control| lenient::row::<Control>(control.get().as_bytes()));
        match control {
            Err(reason) => batches.bad_row(Some(batch), index, reason)?,
            Ok(control) if control.id.some().is_none() => {
                batches.bad_row(Some(batch), index, reasons::NO_CONTROL_ID.to_owned())?;
            }
            Ok(control) => {
                let row = control.row(batch, tool, batches);
                batches.row(batch, row)?;
            }
        }
    }
    let Some(raw) = document.get("Raw").filter(|_| tool == ImportTool::Scubagear) else {
        return Ok(());
    };
    let Ok(raw) = lenient::value(raw.get()) else {
        batches.damaged(count, reasons::RAW_UNREADABLE.to_owned());
        return Ok(());
    };
    let mut settings = check_document(&raw);
    if !settings.settings.is_empty() {
        if settings.tenant.is_empty() {
            settings.tenant = tenant;
        }
        batches.settings(batch, settings)?;
    }
    Ok(())
}

fn header(tool: ImportTool, meta: &MetaData) -> ImportBatchHeader {
    let first = |values: &[&Scalar]| {
        let first = values.iter().find_map(|value| value.some());
        first.unwrap_or_default().to_owned()
    };
    let ran_at = sanitize::time(meta.timestamp_zulu.text())
        .or_else(|| sanitize::time_with_zone_name(meta.report_date.text()));
    ImportBatchHeader {
        format: ImportFormat::ScubaResults,
        tool,
        tool_version: sanitize::name(&first(&[&meta.tool_version, &meta.report_version])),
        tenant_key: sanitize::id(meta.tenant_id.text(), 200),
        tenant_name: sanitize::name(&first(&[
            &meta.display_name,
            &meta.domain_name,
            &meta.report_tenant,
        ])),
        ran_at,
    }
}

/// Reads a provider settings export.
pub(in crate::import) fn read_export(export: &str, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let (header, settings) = export_of(export)?;
    let batch = batches.batch(header)?;
    batches.settings(batch, settings)
}

/// Converts a provider settings export to the header of its batch and the settings.
pub(in crate::import) fn export_of(export: &str) -> Result<(ImportBatchHeader, CheckDocument), ImportError> {
    let export: Value = lenient::value(export)?;
    let settings = check_document(&export);
    let string = |key: &str| export.get(key).and_then(Value::as_str).unwrap_or_default();
    let header = ImportBatchHeader {
        format: ImportFormat::ProviderSettings,
        tool: ImportTool::Scubagear,
        tool_version: sanitize::name(string("module_version")),
        tenant_key: sanitize::id(&settings.tenant, 200),
        tenant_name: sanitize::name(&settings.tenant_name),
        ran_at: sanitize::time(string("timestamp_zulu")),
    };
    Ok((header, settings))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Control {
    #[serde(rename = "Control ID")]
    id: Scalar,
    #[serde(rename = "Requirement")]
    requirement: Scalar,
    #[serde(rename = "Result")]
    result: Scalar,
    #[serde(rename = "Criticality")]
    criticality: Scalar,
    #[serde(rename = "Details")]
    details: Scalar,
    #[serde(rename = "OmittedEvaluationResult")]
    omitted_result: Scalar,
    #[serde(rename = "OmittedEvaluationDetails")]
    omitted_details: Scalar,
    #[serde(rename = "IncorrectResult")]
    incorrect_result: Scalar,
    #[serde(rename = "IncorrectResultDetails")]
    incorrect_result_details: Scalar,
    #[serde(rename = "IncorrectDetails")]
    incorrect_details: Scalar,
    #[serde(rename = "OriginalResult")]
    original_result: Scalar,
    #[serde(rename = "OriginalDetails")]
    original_details: Scalar,
    #[serde(rename = "Comments")]
    comments: OneOrMany<Scalar>,
    #[serde(rename = "ResolutionDate")]
    resolution: Scalar,
    #[serde(rename = "RemediationDate")]
    remediation: Scalar,
}

impl Control {
    fn row(&self, batch: usize, tool: ImportTool, batches: &Batches<'_>) -> ImportedRow {
        let exception = match self.result.text().to_ascii_lowercase().as_str() {
            "omitted" => Some(ExceptionKind::Omitted),
            "incorrect result" => Some(ExceptionKind::FalsePositive),
            _ => None,
        };
        let has_value = |value: &Scalar| value.some().is_some_and(|text| !matches!(text, "N/A" | "-"));
        // For an exception, the result of the evaluation before an operator excluded it.
        let (evaluated, details) = match exception {
            None => (&self.result, &self.details),
            Some(ExceptionKind::Omitted) if has_value(&self.omitted_result) => {
                (&self.omitted_result, &self.omitted_details)
            }
            Some(ExceptionKind::FalsePositive) if !has_value(&self.original_result) => {
                (&self.incorrect_result, &self.incorrect_details)
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
        .find(|value| has_value(value))
        .unwrap_or(&self.details);
        let (result, skip) = verdict::convert(evaluated.text(), details.text());
        let warning = result == CheckResult::Failed && evaluated.text().eq_ignore_ascii_case("warning");
        let reason: Vec<&str> = self
            .comments
            .0
            .iter()
            .filter_map(Scalar::some)
            .filter(|text| *text != "System.Object[]")
            .collect();
        let requirement = self.requirement.text();
        let title = requirement.split('<').next().unwrap_or_default();
        PolicyResult {
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
                reason: sanitize::plain(&reason.join(" ")),
                until: self
                    .resolution
                    .some()
                    .or(self.remediation.some())
                    .and_then(sanitize::time),
            }),
        }
        .row(batch, batches)
    }
}

/// The result of one policy, from results or raw tests.
struct PolicyResult<'c> {
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

impl PolicyResult<'_> {
    fn row(self, batch: usize, batches: &Batches<'_>) -> ImportedRow {
        let check = check_of(self.tool, self.control, batches.checks);
        let own = batches.checks.iter().find(|one| Some(one.id.as_str()) == check);
        let should = is_optional(self.criticality);
        let severity = own.map_or(if should { Severity::Medium } else { Severity::High }, |own| {
            own.severity
        });
        // The variants are declared from the highest severity to the lowest, so the maximum is the lower one.
        let severity = if self.warning {
            severity.max(Severity::Medium)
        } else {
            severity
        };
        let header = batches.header(batch);
        let tenant = header.map_or("", |header| header.tenant_key.as_str());
        ImportedRow {
            control: sanitize::id(self.control, 200),
            check: check.map(str::to_owned),
            title: sanitize::title(self.title),
            result: self.result,
            skip: self.skip,
            severity,
            service: own.map_or_else(|| service(self.control), |own| own.service),
            details: sanitize::plain(self.details),
            entity: header
                .filter(|header| !header.tenant_key.is_empty())
                .map(|header| ImportedEntity {
                    kind: "tenant".to_owned(),
                    id: header.tenant_key.clone(),
                    name: header.tenant_name.clone(),
                }),
            frameworks: vec![FrameworkId::new(&sanitize::id(self.control, 64))],
            exception: self.exception,
            fingerprint: fingerprint(self.tool, &[tenant, &scuba_key(self.control)]),
        }
    }
}

/// Whether a policy is a recommendation or an option, and not a requirement.
fn is_optional(criticality: &str) -> bool {
    let criticality = criticality.to_ascii_lowercase();
    criticality.starts_with("should") || criticality.starts_with("may")
}

/// Returns the service that a policy's id names.
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

/// A raw test.
#[derive(Deserialize)]
pub(in crate::import) struct Test {
    #[serde(rename = "PolicyId", default)]
    id: Scalar,
    #[serde(rename = "Criticality", default)]
    criticality: Scalar,
    #[serde(rename = "ReportDetails", default)]
    details: OneOrMany<Scalar>,
    #[serde(rename = "RequirementMet", default)]
    met: Scalar,
    #[serde(rename = "NoSuchEvent", default)]
    no_such_event: Scalar,
}

/// Reads one raw test. Raw tests don't name their tenant.
pub(in crate::import) fn read_test(
    row: &[u8],
    index: u64,
    batches: &mut Batches<'_>,
) -> Result<(), ImportError> {
    let test = match lenient::row::<Test>(row) {
        Ok(test) => test,
        Err(reason) => return batches.bad_row(None, index, reason),
    };
    let (Some(control), Some(met)) = (test.id.some(), test.met.boolean()) else {
        return batches.bad_row(None, index, reasons::NO_POLICY_RESULT.to_owned());
    };
    let tool = if control.to_ascii_uppercase().starts_with("GWS.") {
        ImportTool::Scubagoggles
    } else {
        ImportTool::Scubagear
    };
    let header = batches.of_run(ImportBatchHeader {
        format: ImportFormat::ScubaTests,
        tool,
        tool_version: sanitize::name(""),
        tenant_key: String::new(),
        tenant_name: sanitize::name(""),
        ran_at: None,
    });
    let batch = batches.batch(header)?;
    let criticality = test.criticality.text();
    let details: Vec<&str> = test.details.0.iter().filter_map(Scalar::some).collect();
    let details = details.join(" ");
    let lower = criticality.to_ascii_lowercase();
    let word = if lower.ends_with("/not-implemented") || lower.ends_with("/3rd party") {
        verdict::NOT_AVAILABLE
    } else if test.no_such_event.boolean() == Some(true) {
        verdict::NO_EVENTS
    } else if met {
        verdict::PASS
    } else {
        verdict::FAIL
    };
    let (result, skip) = verdict::convert(word, &details);
    let row = PolicyResult {
        tool,
        control,
        criticality,
        title: "",
        result,
        skip,
        details: &details,
        warning: result == CheckResult::Failed && is_optional(criticality),
        exception: None,
    }
    .row(batch, batches);
    batches.row(batch, row)
}
