//! Maester's results, of one tenant or of several merged ones.

use super::{
    batches::Batches,
    document::{Document, elements},
    loose::{self, Loose, Many, Maybe},
    text,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use watchpost_core::{
    check::{CheckResult, FrameworkId, Service, SkipReason},
    import::{
        ImportBatchHeader, ImportError, ImportFormat, ImportTool, ImportedEntity, ImportedRow, check_of,
        fingerprint,
    },
    value::{text::ForeignText, word::Severity},
};

/// The version of the CIS benchmark whose numbers our checks carry; those of others mean other controls.
const CIS_VERSION: &str = "7.0.0";

/// Whether a document is one tenant's results.
pub(super) fn is_tenant(document: &Document<'_>) -> bool {
    document.has("Tests") && document.has("TenantId")
}

/// Whether a document is merged results of several tenants.
pub(super) fn is_merged(document: &Document<'_>) -> bool {
    document
        .get("Tenants")
        .and_then(elements)
        .and_then(|tenants| tenants.first().and_then(|first| Document::new(first.get()).ok()))
        .is_some_and(|first| is_tenant(&first))
}

/// Reads merged results.
pub(super) fn read_merged(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    for tenant in document.get("Tenants").and_then(elements).unwrap_or_default() {
        read(&Document::new(tenant.get())?, batches)?;
    }
    Ok(())
}

/// Reads one tenant's results. Scripts, error records, host and user names are never looked at.
pub(super) fn read(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let string = |key: &str| document.read::<Loose>(key).unwrap_or_default();
    let batch = batches.batch(ImportBatchHeader {
        format: ImportFormat::Maester,
        tool: ImportTool::Maester,
        tool_version: text::name(string("CurrentVersion").text()),
        tenant_key: text::id(string("TenantId").text(), 200),
        tenant_name: text::name(string("TenantName").text()),
        ran_at: text::time(string("ExecutedAt").text()),
    })?;
    let tests = document.get("Tests").and_then(elements).unwrap_or_default();
    for (index, test) in tests.into_iter().enumerate() {
        read_test(test, index as u64, batch, batches)?;
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Test {
    id: Loose,
    title: Loose,
    name: Loose,
    severity: Loose,
    tag: Many<Loose>,
    result: Loose,
    result_detail: Maybe<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Detail {
    test_title: Loose,
    test_result: Loose,
    test_skipped: Loose,
    skipped_reason: Loose,
    severity: Loose,
    service: Loose,
}

fn read_test(raw: &RawValue, index: u64, batch: usize, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let test = match loose::row::<Test>(raw.get().as_bytes()) {
        Ok(test) => test,
        Err(reason) => return batches.bad_row(Some(batch), index, reason),
    };
    // Former versions have the id only at the beginning of the name.
    let named = test.name.text().split_once(':').map(|(id, _)| id.trim());
    let Some(control) = test.id.some().or(named).filter(|id| !id.is_empty()) else {
        return batches.bad_row(Some(batch), index, "it has no id of a test".to_owned());
    };
    let detail = &test.result_detail.0;
    let skipped = format!("{} {}", detail.skipped_reason.text(), detail.test_skipped.text());
    let (result, skip) = match verdict(test.result.text(), &skipped) {
        Some(Verdict::Result(result, skip)) => (result, skip),
        Some(Verdict::NotRun) => return batches.not_run(batch),
        None => {
            let reason = "its result is none of Passed, Failed, Skipped, Error, Investigate, NotRun";
            return batches.bad_row(Some(batch), index, reason.to_owned());
        }
    };
    let is_cis = control.starts_with("CIS.");
    let is_known = !is_cis || test.tag.0.iter().any(|tag| tag.text().contains(CIS_VERSION));
    let check = is_known
        .then(|| check_of(ImportTool::Maester, control, batches.checks))
        .flatten();
    let own = batches.checks.iter().find(|one| Some(one.id.as_str()) == check);
    let severity = [&test.severity, &detail.severity]
        .into_iter()
        .find_map(severity)
        .or(own.map(|own| own.severity))
        .unwrap_or(Severity::Medium);
    let title = [&detail.test_title, &test.title, &test.name]
        .into_iter()
        .find_map(Loose::some)
        .unwrap_or_default();
    let entity = entity_name(control, test.title.text());
    let header = batches.header(batch);
    let tenant = header.map(|header| (header.tenant_key.clone(), header.tenant_name.clone()));
    let details = if result == CheckResult::Skipped && !skipped.trim().is_empty() {
        skipped.as_str()
    } else {
        detail.test_result.text()
    };
    let (tenant_key, tenant_name) = tenant.unwrap_or_default();
    let row = ImportedRow {
        control: text::id(control, 200),
        check: check.map(str::to_owned),
        title: text::title(title),
        result,
        skip,
        severity,
        service: own.map_or_else(|| service(control, &detail.service), |own| own.service),
        details: text::plain(details),
        frameworks: framework(control).into_iter().collect(),
        exception: None,
        fingerprint: fingerprint(
            ImportTool::Maester,
            &[&tenant_key, control, entity.unwrap_or_default()],
        ),
        entity: subject(entity, tenant_key, tenant_name),
    };
    batches.row(batch, row)
}

/// The thing that a test was about: the one that it names, else the tenant, if that is known.
fn subject(entity: Option<&str>, tenant_key: String, tenant_name: ForeignText) -> Option<ImportedEntity> {
    if let Some(name) = entity {
        return Some(ImportedEntity {
            kind: "other".to_owned(),
            id: text::id(name, 500),
            name: text::name(name),
        });
    }
    (!tenant_key.is_empty()).then(|| ImportedEntity {
        kind: "tenant".to_owned(),
        id: tenant_key,
        name: tenant_name,
    })
}

/// What a test came to.
enum Verdict {
    Result(CheckResult, Option<SkipReason>),
    NotRun,
}

/// The verdict behind a word of a test's result; `None` if it is none of the tool's words.
fn verdict(word: &str, skipped: &str) -> Option<Verdict> {
    let (result, skip) = match word.to_ascii_lowercase().as_str() {
        "passed" => (CheckResult::Passed, None),
        "failed" => (CheckResult::Failed, None),
        "error" => (CheckResult::Error, None),
        "investigate" => (CheckResult::Skipped, Some(SkipReason::Manual)),
        "skipped" => (CheckResult::Skipped, Some(skip_reason(skipped))),
        "notrun" => return Some(Verdict::NotRun),
        _ => return None,
    };
    Some(Verdict::Result(result, skip))
}

fn skip_reason(reason: &str) -> SkipReason {
    let reason = reason.to_ascii_lowercase();
    if reason.contains("licen") {
        SkipReason::NotApplicable
    } else if reason.contains("not connected")
        || reason.contains("notconnected")
        || reason.contains("permission")
    {
        SkipReason::Unreadable
    } else {
        SkipReason::NotApplicable
    }
}

fn severity(word: &Loose) -> Option<Severity> {
    word.text().to_ascii_lowercase().parse().ok()
}

/// A test that runs once per thing has a further number at the end of its id, and the thing's name in parentheses at
/// the end of its title.
fn entity_name<'t>(control: &str, title: &'t str) -> Option<&'t str> {
    let mut parts = control.strip_prefix("MT.")?.split('.');
    let (_, index) = (parts.next()?, parts.next()?);
    index.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let inner = title.strip_suffix(')')?;
    let (_, name) = inner.rsplit_once('(')?;
    Some(name.trim()).filter(|name| !name.is_empty())
}

fn framework(control: &str) -> Option<FrameworkId> {
    let id = control.strip_prefix("CISA.").unwrap_or(control);
    let known = ["MS.", "CIS.", "EIDSCA."]
        .iter()
        .any(|start| id.starts_with(start));
    known.then(|| FrameworkId::new(&text::id(id, 64)))
}

fn service(control: &str, named: &Loose) -> Service {
    let by_id = control
        .strip_prefix("CISA.MS.")
        .and_then(|rest| rest.split('.').next())
        .and_then(Service::from_name);
    by_id
        .or_else(|| named.some().and_then(Service::from_name))
        .or_else(|| control.starts_with("EIDSCA.").then_some(Service::Entra))
        .or_else(|| control.starts_with("ORCA.").then_some(Service::Defender))
        .unwrap_or(Service::Other)
}
