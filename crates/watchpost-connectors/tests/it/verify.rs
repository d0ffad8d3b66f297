//! Tests of verifications.

use crate::support::Rig;
use std::collections::BTreeSet;
use watchpost_core::{
    integration::{
        connector::{ConnectorError, Verification},
        fact::Dataset,
    },
    value::word::Platform,
};
use watchpost_simulator::{FaultKind, Vendor};

fn missing(verification: &Verification) -> Vec<&str> {
    let checks = verification.permissions.iter().filter(|check| !check.granted);
    checks.map(|check| check.permission.as_str()).collect()
}

#[tokio::test]
async fn a_valid_connection_names_the_tenant_and_has_all_permissions() {
    let rig = Rig::start().await;
    for platform in [Platform::M365, Platform::Okta] {
        let config = if platform == Platform::Okta {
            rig.okta()
        } else {
            rig.m365()
        };
        let connector = rig.connector(platform);
        let verification = connector.verify(&config).await.unwrap();
        assert_eq!(missing(&verification), [""; 0]);
        assert_eq!(verification.unlicensed, []);
        assert!(verification.tenant_name.untrusted().starts_with("Birchworks"));
        assert!(!verification.tenant_key.is_empty());
        let covered: BTreeSet<Dataset> = verification
            .permissions
            .iter()
            .flat_map(|check| check.datasets.iter().copied())
            .collect();
        let all: BTreeSet<Dataset> = connector.datasets().iter().copied().collect();
        assert_eq!(covered, all, "every dataset belongs to a permission");
    }
}

#[tokio::test]
async fn each_missing_permission_is_named_with_its_effects_and_a_hint() {
    let rig = Rig::start().await;
    for platform in [Platform::M365, Platform::Okta] {
        let config = if platform == Platform::Okta {
            rig.okta()
        } else {
            rig.m365_with_proxy()
        };
        let connector = rig.connector(platform);
        let all = connector.verify(&config).await.unwrap().permissions;
        for check in all {
            let (vendor, permission) = match check.permission.as_str() {
                name if platform == Platform::Okta => (Vendor::Okta, name),
                name @ ("Exchange.ManageAsApp" | "Exchange.ManageAsAppV2") => (Vendor::Exchange, name),
                name @ "Sites.FullControl.All" => (Vendor::SharePoint, name),
                name @ "Tenant.Read.All" => (Vendor::Fabric, name),
                name if name.contains("Power Platform") => (Vendor::PowerPlatform, "management_app"),
                name => (Vendor::Graph, name),
            };
            rig.simulator.deny_permission(vendor, permission);
            let verification = connector.verify(&config).await.unwrap();
            assert_eq!(missing(&verification), [check.permission.as_str()]);
            let found = verification
                .permissions
                .iter()
                .find(|found| !found.granted)
                .unwrap();
            assert_eq!(found.datasets, check.datasets);
            assert_eq!(found.settings, check.settings);
            assert!(!found.datasets.is_empty() || !found.settings.is_empty());
            assert!(
                found
                    .settings
                    .iter()
                    .all(|path| connector.setting_paths().contains(path))
            );
            let hint = found.hint.as_deref().unwrap();
            assert!(
                hint.contains(&check.permission) || hint.contains("New-PowerAppManagementApp"),
                "{hint}"
            );
            rig.simulator.grant_permission(vendor, permission);
        }
    }
}

#[tokio::test]
async fn a_missing_license_is_not_a_missing_permission() {
    let rig = Rig::start().await;
    rig.simulator.unlicensed(Vendor::Graph, true);
    let verification = rig.connector(Platform::M365).verify(&rig.m365()).await.unwrap();
    assert_eq!(missing(&verification), [""; 0]);
    assert_eq!(
        verification.unlicensed,
        [Dataset::SignIn, Dataset::Mfa, Dataset::RoleSchedules]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_vendor_is_an_error_and_not_a_missing_permission() {
    let rig = Rig::small().await;
    rig.fault(Vendor::Okta, "/", u32::MAX, FaultKind::BadGateway);
    let error = rig
        .connector(Platform::Okta)
        .verify(&rig.okta())
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectorError::Api { .. }), "{error:?}");
    rig.fault(Vendor::Entra, "/", u32::MAX, FaultKind::Unavailable);
    let error = rig
        .connector(Platform::M365)
        .verify(&rig.m365())
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectorError::Api { .. }), "{error:?}");
}

#[tokio::test]
async fn the_address_of_another_server_is_an_error() {
    let rig = Rig::small().await;
    let elsewhere = format!("{}/elsewhere", rig.simulator.origin());
    let mut okta = rig.okta();
    okta.values.insert("org_url".to_owned(), elsewhere.clone());
    let mut m365 = rig.m365();
    m365.values.insert("graph_url".to_owned(), elsewhere);
    for (platform, config) in [(Platform::Okta, okta), (Platform::M365, m365)] {
        let error = rig
            .connector(platform)
            .verify(&config)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not respond like"), "{error}");
    }
}
