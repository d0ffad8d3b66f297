//! Tests with third-party files. They aren't part of the repository: they are in `SHARED_DIR`, by default `../shared`.

use crate::import::recorder::import;
use serde_json::Value;
use std::{io::Read, path::PathBuf};
use watchpost_connectors::import::scubagear::check_document;
use watchpost_core::import::ImportTool;

/// Returns a file of the shared data. If it doesn't exist, prints a line and returns `None`, or fails in continuous
/// integration.
pub(crate) fn shared_file(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("SHARED_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = shared.join("data").join(name);
    if file.is_file() {
        return Some(file);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no shared data: {}",
        file.display()
    );
    eprintln!("skipped: no shared data: {}", file.display());
    None
}

#[test]
fn an_older_provider_settings_export_is_read_completely() {
    let Some(file) = shared_file("scubagear/ProviderSettingsExport.older.json") else {
        return;
    };
    let export: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let document = check_document(&export);
    let unknown: Vec<&str> = document
        .settings
        .keys()
        .filter_map(|path| path.strip_prefix("export/"))
        .collect();
    assert_eq!(
        unknown,
        [
            "OneDrive_PnP_Flag",
            "SPO_site",
            "license_information",
            "secure_score",
            "total_user_count"
        ]
    );
    assert!(document.unreadable.is_empty());
    assert!(document.tenant.len() == 36 && !document.tenant_name.is_empty());
    for path in [
        "identity/conditionalAccess/policies",
        "policies/authenticationMethodsPolicy",
        "directory/privilegedRoles",
        "exchange/AcceptedDomain",
        "purview/DlpComplianceRule",
        "teams/MeetingPolicy",
        "powerplatform/DlpPolicies",
        "sharepoint/Tenant",
        "dns/domains",
    ] {
        let setting = &document.settings[path];
        assert!(
            setting["value"].as_array().is_none_or(|rows| !rows.is_empty()),
            "{path}"
        );
    }
    let rules = &document.settings["directory/privilegedRoles"]["value"][0]["rules"];
    assert!(
        rules
            .as_array()
            .unwrap()
            .iter()
            .any(|rule| rule["setting"]["isApprovalRequired"].is_boolean()),
        "additional properties are moved back"
    );
}

#[test]
fn third_party_files_are_read_with_their_counts() {
    let check = |name: &str, tool: ImportTool, rows: usize, settings: usize| {
        let Some(file) = shared_file(name) else { return };
        let (report, got) = import(&std::fs::read(file).unwrap());
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.batches[0].header.tool, tool, "{name}");
        assert_eq!((got.rows.len(), got.settings.len()), (rows, settings), "{name}");
        for batch in &report.batches {
            assert_eq!(batch.counts.rows_skipped, 0, "{name}: {:?}", batch.counts.errors);
            assert!(!batch.counts.partial, "{name}");
        }
    };
    check("prowler/example_output_aws.ocsf.json", ImportTool::Prowler, 5, 0);
    check(
        "scubagear/ProviderSettingsExport.older.json",
        ImportTool::Scubagear,
        0,
        1,
    );
}

#[test]
fn third_party_cases_are_converted_to_documents() {
    for product in [
        "aad",
        "defender",
        "exo",
        "powerbi",
        "powerplatform",
        "securitysuite",
        "sharepoint",
        "teams",
    ] {
        let Some(file) = shared_file(&format!("scuba-cases/{product}.jsonl.gz")) else {
            return;
        };
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let document = check_document(&case["input"]);
            let keys = case["input"].as_object().map_or(0, serde_json::Map::len);
            assert_eq!(
                document.settings.is_empty(),
                !has_settings(&case["input"]),
                "{} {keys}",
                case["id"]
            );
            let unknown = document
                .settings
                .keys()
                .find(|path| path.starts_with("export/") && path.as_str() != "export/environment");
            assert_eq!(unknown, None, "{}", case["id"]);
        }
    }
}

/// Whether a case has more than a configuration and the tenant's id.
fn has_settings(input: &Value) -> bool {
    input.as_object().is_some_and(|input| {
        input
            .keys()
            .any(|key| !matches!(key.as_str(), "scuba_config" | "tenant_id"))
            || input
                .get("scuba_config")
                .is_some_and(|config| config.get("M365Environment").is_some())
    })
}
