//! Tests of verifications.

use crate::{sign_in::service_app, support::Rig};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_core::{
    integration::{
        connector::{ConnectorError, Verification},
        fact::Dataset,
    },
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{FaultKind, OktaRole, Vendor};

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
        let read: Vec<_> = verification
            .datasets
            .iter()
            .map(|check| (check.dataset, check.state, check.detail.as_deref()))
            .collect();
        let all: Vec<_> = connector
            .datasets()
            .iter()
            .map(|spec| (spec.dataset, CollectionState::Complete, None))
            .collect();
        assert_eq!(read, all, "every dataset is checked");
        assert!(verification.tenant_name.untrusted().starts_with("Birchworks"));
        assert!(!verification.tenant_key.is_empty());
        let covered: BTreeSet<Dataset> = verification
            .permissions
            .iter()
            .flat_map(|check| check.datasets.iter().copied())
            .collect();
        let all: BTreeSet<Dataset> = connector.datasets().iter().map(|spec| spec.dataset).collect();
        assert_eq!(covered, all, "every dataset belongs to a permission");
    }
}

#[tokio::test]
async fn each_missing_permission_is_named_with_its_effects_and_a_hint() {
    let rig = Rig::start().await;
    for platform in [Platform::M365, Platform::Okta] {
        let config = if platform == Platform::Okta {
            service_app(&rig)
        } else {
            rig.m365_with_proxy()
        };
        let connector = rig.connector(platform);
        let all = connector.verify(&config).await.unwrap().permissions;
        for check in all {
            if !check.permission.contains('.') && platform == Platform::Okta {
                // A role. Another test covers roles.
                continue;
            }
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

/// Returns the datasets that can't be read, with the state and the reason.
fn unreadable(verification: &Verification) -> BTreeMap<Dataset, (CollectionState, &str)> {
    let checks = verification.datasets.iter();
    checks
        .filter(|check| check.state != CollectionState::Complete)
        .map(|check| {
            (
                check.dataset,
                (check.state, check.detail.as_deref().unwrap_or_default()),
            )
        })
        .collect()
}

#[tokio::test]
async fn each_role_at_okta_is_named_with_the_datasets_that_need_it() {
    use CollectionState::{Denied, Partial};
    use Dataset as D;
    const ANY: &str = "Read-only Administrator";
    const VIEW_ROLES: &str = "View roles, resources, and admin assignments";
    const SUPER: &str = "Super Administrator";
    const OWN: &str = "only the own client was seen";
    let rig = Rig::start().await;
    let connector = rig.connector(Platform::Okta);
    let config = service_app(&rig);
    let everything: Vec<(Dataset, (CollectionState, &str))> = connector
        .datasets()
        .iter()
        .map(|spec| match spec.dataset {
            D::Roles => (D::Roles, (Denied, VIEW_ROLES)),
            D::SupportAccess => (D::SupportAccess, (Denied, SUPER)),
            other => (other, (Denied, ANY)),
        })
        .collect();
    let apps = [(D::Apps, (Partial, OWN)), (D::AppAssignments, (Partial, OWN))];
    for (role, expected, missing_roles) in [
        (OktaRole::None, everything, vec![ANY, VIEW_ROLES, SUPER]),
        (
            OktaRole::ReadOnly,
            [
                &apps[..],
                &[
                    (D::Roles, (Denied, VIEW_ROLES)),
                    (D::SupportAccess, (Denied, SUPER)),
                ],
            ]
            .concat(),
            vec![VIEW_ROLES, SUPER],
        ),
        (
            OktaRole::ReadOnlyWithRoles,
            [&apps[..], &[(D::SupportAccess, (Denied, SUPER))]].concat(),
            vec![SUPER],
        ),
        (OktaRole::SuperAdministrator, vec![], vec![]),
    ] {
        rig.simulator.set_okta_role(role);
        let verification = connector.verify(&config).await.unwrap();
        let expected: BTreeMap<_, _> = expected.into_iter().collect();
        assert_eq!(unreadable(&verification), expected, "{role:?}");
        assert_eq!(missing(&verification), missing_roles, "{role:?}");
        for check in verification.permissions.iter().filter(|check| !check.granted) {
            assert!(!check.datasets.is_empty(), "{role:?}: {}", check.permission);
            assert!(check.hint.is_some(), "{role:?}: {}", check.permission);
        }
    }
}

#[tokio::test]
async fn the_owner_of_an_api_token_lacks_a_role_and_no_scope() {
    let rig = Rig::start().await;
    rig.simulator.set_okta_role(OktaRole::ReadOnlyWithRoles);
    let verification = rig.connector(Platform::Okta).verify(&rig.okta()).await.unwrap();
    assert_eq!(missing(&verification), ["Super Administrator"]);
    assert_eq!(
        unreadable(&verification)[&Dataset::Apps],
        (CollectionState::Partial, "no app was seen")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dataset_whose_request_fails_is_failed_and_no_permission_is_missing() {
    let rig = Rig::start().await;
    rig.fault(
        Vendor::Graph,
        "/policies/adminConsentRequestPolicy",
        5,
        FaultKind::InternalError,
    );
    let verification = rig.connector(Platform::M365).verify(&rig.m365()).await.unwrap();
    assert_eq!(missing(&verification), [""; 0]);
    let failed: Vec<Dataset> = unreadable(&verification).into_keys().collect();
    assert_eq!(failed, [Dataset::AdminConsent]);
}

#[tokio::test]
async fn a_sync_without_a_role_for_apps_reads_no_complete_list_of_apps() {
    let rig = Rig::start().await;
    rig.simulator.set_okta_role(OktaRole::ReadOnlyWithRoles);
    let outcome = rig.sync_with(Platform::Okta, &service_app(&rig)).await;
    assert_eq!(outcome.error, None);
    let expected = [
        (Dataset::Apps, CollectionState::Partial),
        (Dataset::AppAssignments, CollectionState::Partial),
        (Dataset::SupportAccess, CollectionState::Denied),
    ];
    let mut incomplete = outcome.incomplete();
    incomplete.sort_unstable();
    assert_eq!(incomplete, expected);
    assert_eq!(outcome.detail(Dataset::Apps), "only the own client was seen");
    assert_eq!(outcome.detail(Dataset::SupportAccess), "Super Administrator");
}
