//! The YAML METADATA comment at the head of a check.

use crate::{
    metadata::{Common, bad, parse, sorted},
    text,
};
use serde::Deserialize;
use watchpost_core::{
    check::{Check, CheckOver, Framework, FrameworkId, ScanType, Service},
    value::word::{Category, Platform, Severity},
};

/// Maximum length of a setting's path, in bytes.
const PATH_BYTES_MAX: usize = 128;

/// The METADATA of a check.
#[derive(Debug, Clone)]
pub(crate) struct CheckMetadata {
    pub(crate) check: Check,
    pub(crate) params: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    condition: Option<String>,
    title: String,
    description: String,
    scan: Option<ScanType>,
    severity: Severity,
    category: Option<Category>,
    service: Service,
    #[serde(default)]
    platforms: Vec<Platform>,
    over: Option<CheckOver>,
    #[serde(default)]
    inputs: Vec<String>,
    #[serde(default)]
    optional_inputs: Vec<String>,
    #[serde(default)]
    manual: bool,
    variant_of: Option<String>,
    #[serde(default)]
    remediation: Vec<String>,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    frameworks: Vec<String>,
    #[serde(default)]
    params: serde_json::Map<String, serde_json::Value>,
}

/// Reads the METADATA of the check in `file`. `variant` marks a check of a former baseline. The error names the file and
/// line.
pub(crate) fn read(file: &str, source: &str, variant: bool) -> Result<CheckMetadata, String> {
    let raw: Raw = parse(file, source)?;
    check_raw(file, source, variant, &raw)?;
    let ids: Vec<FrameworkId> = raw.frameworks.iter().map(|id| FrameworkId::new(id)).collect();
    let optional_inputs = raw
        .optional_inputs
        .into_iter()
        .filter(|path| !raw.inputs.contains(path))
        .collect();
    let scan = if variant { None } else { raw.scan };
    Ok(CheckMetadata {
        check: Check {
            frameworks: with_csf(ids, scan, raw.service),
            condition: raw.condition.unwrap_or_else(|| raw.id.clone()),
            id: raw.id,
            title: raw.title,
            description: raw.description,
            scan,
            severity: raw.severity,
            category: raw.category.unwrap_or_else(|| raw.service.default_category()),
            service: raw.service,
            platforms: sorted(raw.platforms),
            over: raw.over.unwrap_or(CheckOver::Settings),
            inputs: raw.inputs,
            optional_inputs,
            manual: raw.manual,
            variant_of: raw.variant_of,
            remediation: raw.remediation,
            references: raw.references,
        },
        params: raw.params,
    })
}

/// Checks the form of the METADATA.
fn check_raw(file: &str, source: &str, variant: bool, raw: &Raw) -> Result<(), String> {
    Common {
        file,
        source,
        id: &raw.id,
        condition: raw.condition.as_deref(),
        title: &raw.title,
        description: &raw.description,
        remediation: &raw.remediation,
        requires_steps: !variant,
        params: raw.params.len(),
        texts: &[
            ("references", &raw.references, 500),
            ("frameworks", &raw.frameworks, 64),
            ("inputs", &raw.inputs, PATH_BYTES_MAX),
            ("optional_inputs", &raw.optional_inputs, PATH_BYTES_MAX),
        ],
    }
    .check()?;
    let bad = |key: &str, what: &str| Err(bad(file, source, key, what));
    if raw.scan.is_none() && !variant {
        return bad("id", text::NO_SCAN);
    }
    if raw.variant_of.is_some() && !variant {
        return bad("variant_of", text::VARIANT_OF_OUTSIDE_BASELINE);
    }
    if raw.condition.is_some() && variant {
        return bad("condition", text::CONDITION_OF_VARIANT);
    }
    Ok(())
}

/// Adds the service's default CSF categories unless the check names its own. Adds none to a check that no scan runs.
fn with_csf(mut ids: Vec<FrameworkId>, scan: Option<ScanType>, service: Service) -> Vec<FrameworkId> {
    if ids.iter().any(|id| id.framework() == Framework::NistCsf) {
        return ids;
    }
    let defaults: &[&str] = match (scan, service) {
        (None, _) => &[],
        (Some(ScanType::Exposure), _) => &["NIST.CSF.ID.RA"],
        (Some(ScanType::Compliance), service) => csf_of(service),
    };
    ids.extend(defaults.iter().map(|id| FrameworkId::new(id)));
    ids
}

/// Returns the CSF 2.0 categories of a service's compliance checks.
const fn csf_of(service: Service) -> &'static [&'static str] {
    match service {
        Service::Entra
        | Service::Teams
        | Service::Okta
        | Service::Google
        | Service::Github
        | Service::Slack => &["NIST.CSF.PR.AA"],
        Service::Exchange | Service::Dns => &["NIST.CSF.PR.DS", "NIST.CSF.PR.AA"],
        Service::Defender => &["NIST.CSF.DE.CM", "NIST.CSF.PR.PS"],
        Service::Sharepoint => &["NIST.CSF.PR.AA", "NIST.CSF.PR.DS"],
        Service::Powerplatform => &["NIST.CSF.PR.PS"],
        Service::Powerbi => &["NIST.CSF.PR.DS"],
        Service::Other => &[],
    }
}

/// Returns the package of a check: `watchpost.checks.spo_default_link_view` for `spo.default_link_view`.
pub(crate) fn package_of(id: &str) -> String {
    format!("watchpost.checks.{}", id.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# METADATA\n# id: spo.example\n# title: An example\n# description: Says why.\n\
        # scan: compliance\n# severity: low\n# service: sharepoint\n# platforms: [m365]\n\
        # inputs: [sharepoint/Tenant]\n# optional_inputs: [sharepoint/Tenant, settings]\n# remediation:\n\
        #   - Do this.\n# frameworks: [MS.SHAREPOINT.1.1v1, NIST.800-53.AC-3]\n# params: {days: 30}\npackage x\n";

    #[test]
    fn metadata_is_read_and_completed() {
        let metadata = read("x.rego", GOOD, false).unwrap();
        let check = &metadata.check;
        assert_eq!(check.id, "spo.example");
        assert_eq!(check.category, Category::DriftSignal);
        assert_eq!(check.over, CheckOver::Settings);
        assert_eq!(check.optional_inputs, ["settings"]);
        assert_eq!(metadata.params["days"], 30);
        let csf: Vec<&str> = check.ids_in(Framework::NistCsf).collect();
        assert_eq!(csf, ["NIST.CSF.PR.AA", "NIST.CSF.PR.DS"]);
        assert_eq!(package_of("spo.example"), "watchpost.checks.spo_example");
    }

    #[test]
    fn a_check_may_name_its_own_csf_categories() {
        let text = GOOD.replace("NIST.800-53.AC-3", "NIST.CSF.DE.CM");
        let check = read("x.rego", &text, false).unwrap().check;
        assert_eq!(
            check.ids_in(Framework::NistCsf).collect::<Vec<_>>(),
            ["NIST.CSF.DE.CM"]
        );
        let text = GOOD.replace("scan: compliance", "scan: exposure");
        let check = read("x.rego", &text, false).unwrap().check;
        assert_eq!(
            check.ids_in(Framework::NistCsf).collect::<Vec<_>>(),
            ["NIST.CSF.ID.RA"]
        );
    }

    #[test]
    fn no_scan_runs_a_variant() {
        let text = GOOD.replace("# severity", "# variant_of: spo.sharing_limited\n# severity");
        let check = read("x.rego", &text, true).unwrap().check;
        assert_eq!(
            (check.scan, check.variant_of.as_deref()),
            (None, Some("spo.sharing_limited"))
        );
        assert_eq!(check.ids_in(Framework::NistCsf).count(), 0);
        assert!(read("x.rego", &text, false).unwrap_err().contains("x.rego:6:"));
    }

    #[test]
    fn errors_name_file_and_line() {
        let check = |from: &str, to: &str, expected: &str| {
            let error = read("x.rego", &GOOD.replace(from, to), false).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("# METADATA", "# Metadata", "x.rego:1:");
        check("severity: low", "severity: dreadful", "x.rego:6:");
        check("service: sharepoint", "service: fax", "x.rego:7:");
        check("# title: An example", "# titel: An example", "x.rego:3:");
        check(
            "# scan: compliance\n",
            "",
            "x.rego:2: METADATA: `scan` is missing",
        );
        check(
            "id: spo.example",
            "id: Example",
            "x.rego:2: METADATA: `id` must have",
        );
        check(
            "#   - Do this.\n",
            "#   []\n",
            "x.rego:11: METADATA: `remediation`",
        );
        check(
            "[sharepoint/Tenant]",
            "['']",
            "x.rego:9: METADATA: entries of `inputs`",
        );
        check("An example", &"x".repeat(61), "x.rego:3: METADATA: `title`");
    }
}
