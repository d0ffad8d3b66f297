//! Files by others. They are not part of the repository: `SHARED_DIR`, or `../shared` beside it.

use serde_json::Value;
use std::path::PathBuf;
use watchpost_connectors::import::scubagear::check_document;

/// A file of the shared data, or `None` with a printed line where there is none; continuous integration must have it.
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
fn a_provider_export_of_a_former_shape_gives_all_its_settings() {
    let Some(file) = shared_file("scubagear/ProviderSettingsExport.older.json") else {
        return;
    };
    let export: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let document = check_document(&export);
    let aside: Vec<&str> = document
        .settings
        .keys()
        .filter_map(|path| path.strip_prefix("export/"))
        .collect();
    assert_eq!(
        aside,
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
        "what the module put aside is back in its place"
    );
}
