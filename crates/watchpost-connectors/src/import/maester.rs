//! Maester's results, for one tenant or merged for several.

use super::{
    batches::Batches,
    document::{Document, elements},
    lenient::{self, OneOrMany, OrDefault, Scalar},
    sanitize,
};
use crate::text::{import as reasons, sentences::MAESTER_UNREADABLE};
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

/// The version of the CIS benchmark whose control numbers our checks use. In other versions, the numbers differ.
const CIS_VERSION: &str = "7.0.0";

/// Whether a document is the results of one tenant.
pub(super) fn is_tenant(document: &Document<'_>) -> bool {
    document.has("Tests") && document.has("TenantId")
}

/// Whether a document is the merged results of several tenants.
pub(super) fn is_merged(document: &Document<'_>) -> bool {
    document
        .get("Tenants")
        .and_then(elements)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|tenant| Document::new(tenant.get()).ok())
        .any(|tenant| is_tenant(&tenant))
}

/// Reads merged results.
pub(super) fn read_merged(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let tenants = document.get("Tenants").and_then(elements).unwrap_or_default();
    for (index, tenant) in tenants.into_iter().enumerate() {
        match Document::new(tenant.get()) {
            Ok(tenant) => read_tests(&tenant, batches)?,
            Err(error) => batches.bad_row(None, index as u64, error.to_string())?,
        }
    }
    Ok(())
}

/// Reads the results of one tenant. Ignores scripts, error records, and the names of hosts and users.
pub(super) fn read(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    if !document.has("EndOfJson") {
        batches.partial();
    }
    read_tests(document, batches)
}

fn read_tests(document: &Document<'_>, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let string = |key: &str| document.read::<Scalar>(key).unwrap_or_default();
    let batch = batches.batch(ImportBatchHeader {
        format: ImportFormat::Maester,
        tool: ImportTool::Maester,
        tool_version: sanitize::name(string("CurrentVersion").text()),
        tenant_key: sanitize::id(known(string("TenantId").text()), 200),
        tenant_name: sanitize::name(known(string("TenantName").text())),
        ran_at: sanitize::time(string("ExecutedAt").text()),
    })?;
    let tests = document.get("Tests").and_then(elements).unwrap_or_default();
    for (index, test) in tests.into_iter().enumerate() {
        read_test(test, index as u64, batch, batches)?;
    }
    Ok(())
}

/// Returns an empty text for the sentence that Maester writes instead of the tenant if it wasn't connected to Microsoft Graph.
fn known(tenant: &str) -> &str {
    if tenant.to_ascii_lowercase().contains("(not connected") {
        return "";
    }
    tenant
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Test {
    id: Scalar,
    title: Scalar,
    name: Scalar,
    severity: Scalar,
    tag: OneOrMany<Scalar>,
    result: Scalar,
    result_detail: OrDefault<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Detail {
    test_title: Scalar,
    test_result: Scalar,
    test_skipped: Scalar,
    skipped_reason: Scalar,
    severity: Scalar,
    service: Scalar,
}

fn read_test(raw: &RawValue, index: u64, batch: usize, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let test = match lenient::row::<Test>(raw.get().as_bytes()) {
        Ok(test) => test,
        Err(reason) => return batches.bad_row(Some(batch), index, reason),
    };
    // In older versions, the id is only at the beginning of the name.
    let id_in_name = test.name.text().split_once(':').map(|(id, _)| id.trim());
    let Some(control) = test.id.some().or(id_in_name).filter(|id| !id.is_empty()) else {
        return batches.bad_row(Some(batch), index, reasons::NO_TEST_ID.to_owned());
    };
    let detail = &test.result_detail.0;
    let code = detail.test_skipped.text();
    let skipped = format!("{} {code}", detail.skipped_reason.text());
    let (result, skip) = match outcome(test.result.text(), code, &skipped) {
        Some(Outcome::Result(result, skip)) => (result, skip),
        Some(Outcome::NotRun) => return batches.not_run(batch),
        None => {
            return batches.bad_row(Some(batch), index, reasons::UNKNOWN_MAESTER_RESULT.to_owned());
        }
    };
    let is_cis = control.starts_with("CIS.");
    let has_our_number = !is_cis || test.tag.0.iter().any(|tag| tag.text().contains(CIS_VERSION));
    let check = has_our_number
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
        .find_map(Scalar::some)
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
        control: sanitize::id(control, 200),
        check: check.map(str::to_owned),
        title: sanitize::title(title),
        result,
        skip,
        severity,
        service: own.map_or_else(|| service(control, &detail.service), |own| own.service),
        details: sanitize::plain(details),
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

/// Returns the entity that a test evaluated: the one that it names, else the tenant, if it is known.
fn subject(entity: Option<&str>, tenant_key: String, tenant_name: ForeignText) -> Option<ImportedEntity> {
    if let Some(name) = entity {
        return Some(ImportedEntity {
            kind: "other".to_owned(),
            id: sanitize::id(name, 500),
            name: sanitize::name(name),
        });
    }
    (!tenant_key.is_empty()).then(|| ImportedEntity {
        kind: "tenant".to_owned(),
        id: tenant_key,
        name: tenant_name,
    })
}

/// The outcome of a test.
enum Outcome {
    Result(CheckResult, Option<SkipReason>),
    NotRun,
}

/// Converts a test's result. `code` is the word for the reason of a skipped test, `skipped` the reason with the word. Returns
/// `None` for an unknown result.
fn outcome(result: &str, code: &str, skipped: &str) -> Option<Outcome> {
    let (result, skip) = match result.to_ascii_lowercase().as_str() {
        "passed" => (CheckResult::Passed, None),
        "failed" => (CheckResult::Failed, None),
        "error" => (CheckResult::Error, None),
        // Older versions count a test with an error as skipped.
        "skipped" if code.eq_ignore_ascii_case("error") => (CheckResult::Error, None),
        "investigate" => (CheckResult::Skipped, Some(SkipReason::Manual)),
        "skipped" => (CheckResult::Skipped, Some(skip_reason(code, skipped))),
        "inconclusive" => (CheckResult::Skipped, Some(SkipReason::Unreadable)),
        "notrun" => return Some(Outcome::NotRun),
        _ => return None,
    };
    Some(Outcome::Result(result, skip))
}

/// Returns the reason of a skipped test: by Maester's word for it, else by the sentence.
fn skip_reason(code: &str, reason: &str) -> SkipReason {
    let code = code.to_ascii_lowercase();
    let reason = reason.to_ascii_lowercase();
    if code.starts_with("notconnected")
        || matches!(
            code.as_str(),
            "notsupported" | "notsupportedapppermission" | "limitedpermissions" | "notauthorized"
        )
    {
        SkipReason::Unreadable
    } else if reason.contains("licen") || code == "notdotgovdomain" {
        SkipReason::NotApplicable
    } else if MAESTER_UNREADABLE.iter().any(|part| reason.contains(part)) {
        SkipReason::Unreadable
    } else {
        SkipReason::NotApplicable
    }
}

fn severity(value: &Scalar) -> Option<Severity> {
    value.text().to_ascii_lowercase().parse().ok()
}

/// Returns the name of the entity that a test evaluated. A test that runs once per entity has an additional number at the
/// end of its id, and the entity's name in parentheses at the end of its title.
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
    known.then(|| FrameworkId::new(&sanitize::id(id, 64)))
}

fn service(control: &str, name: &Scalar) -> Service {
    let by_id = control
        .strip_prefix("CISA.MS.")
        .and_then(|rest| rest.split('.').next())
        .and_then(Service::from_name);
    by_id
        .or_else(|| name.some().and_then(Service::from_name))
        .or_else(|| control.starts_with("EIDSCA.").then_some(Service::Entra))
        .or_else(|| control.starts_with("ORCA.").then_some(Service::Defender))
        .unwrap_or(Service::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_reasons_of_skipped_tests_are_converted() {
        use SkipReason::{Manual, NotApplicable, Unreadable};
        let check = |result: &str, code: &str, reason: &str, expected: Result<CheckResult, SkipReason>| {
            let expected = match expected {
                Ok(result) => (result, None),
                Err(reason) => (CheckResult::Skipped, Some(reason)),
            };
            match outcome(result, code, &format!("{reason} {code}")) {
                Some(Outcome::Result(result, skip)) => {
                    assert_eq!((result, skip), expected, "{code}: {reason}");
                }
                _ => panic!("{result}"),
            }
        };
        check("Passed", "", "", Ok(CheckResult::Passed));
        check("Failed", "", "", Ok(CheckResult::Failed));
        check("Error", "", "", Ok(CheckResult::Error));
        check(
            "Skipped",
            "Error",
            "An error occurred while running the test.",
            Ok(CheckResult::Error),
        );
        check("Investigate", "", "", Err(Manual));
        check("Inconclusive", "", "", Err(Unreadable));
        for code in [
            "NotConnectedGraph",
            "NotConnectedExchange",
            "NotConnectedActiveDirectory",
            "NotSupported",
            "NotSupportedAppPermission",
            "LimitedPermissions",
            "NotAuthorized",
        ] {
            check("Skipped", code, "", Err(Unreadable));
        }
        for code in [
            "NotLicensedEntraIDP2",
            "NotLicensedMdo",
            "LicensedEntraIDPremium",
            "NotDotGovDomain",
        ] {
            check("Skipped", code, "", Err(NotApplicable));
        }
        for reason in [
            "Not connected to Active Directory.",
            "Missing Scope OrgSettings-Forms.Read.All",
            "Insufficient permissions to read the settings.",
            "Unable to validate other solutions.",
            "Failed to get the vaults.",
            "The value is not available.",
            "The answer did not include the field.",
        ] {
            check("Skipped", "Custom", reason, Err(Unreadable));
        }
        for reason in [
            "This test is for tenants that are licensed for Entra ID P1.",
            "There are no shared mailboxes in your tenant.",
            "This test has been deprecated.",
            "External sharing is disabled.",
        ] {
            check("Skipped", "Custom", reason, Err(NotApplicable));
        }
        assert!(matches!(outcome("NotRun", "", ""), Some(Outcome::NotRun)));
        for unknown in ["", "Bestanden", "true"] {
            assert!(outcome(unknown, "", "").is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_sentence_instead_of_the_tenant_is_no_tenant() {
        assert_eq!(known("TenantId (not connected to Graph)"), "");
        assert_eq!(known("Tenant ID (Not connected to Graph)"), "");
        assert_eq!(known("c0ffee00"), "c0ffee00");
    }
}
