//! Tests of vendors that hide rows without an error.

use crate::{sign_in::service_app, support::Rig};
use watchpost_core::{
    integration::{
        Baseline, DatasetEnd, Doubt, IfEmpty,
        connector::Verification,
        fact::{Collection, Dataset},
    },
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{FaultKind, OktaRole, Vendor};

/// The list of each dataset that is never empty.
const LISTS: &[(Platform, Vendor, &str, Dataset)] = &[
    (
        Platform::M365,
        Vendor::Graph,
        "/v1.0/organization",
        Dataset::Organization,
    ),
    (Platform::M365, Vendor::Graph, "/v1.0/domains", Dataset::Domains),
    (Platform::M365, Vendor::Graph, "/v1.0/users", Dataset::Users),
    (
        Platform::M365,
        Vendor::Graph,
        "/userRegistrationDetails",
        Dataset::Mfa,
    ),
    (
        Platform::M365,
        Vendor::Graph,
        "/directory/roleAssignments",
        Dataset::Roles,
    ),
    (
        Platform::M365,
        Vendor::Graph,
        "/v1.0/servicePrincipals",
        Dataset::Apps,
    ),
    (Platform::Okta, Vendor::Okta, "/api/v1/users", Dataset::Users),
    (
        Platform::Okta,
        Vendor::Okta,
        "/iam/assignees/users",
        Dataset::Roles,
    ),
    (Platform::Okta, Vendor::Okta, "/api/v1/apps", Dataset::Apps),
    (
        Platform::Okta,
        Vendor::Okta,
        "/api/v1/policies",
        Dataset::SignInPolicies,
    ),
    (
        Platform::Okta,
        Vendor::Okta,
        "/authenticators",
        Dataset::AuthenticationMethods,
    ),
];

/// Returns the state of a dataset whose list is empty.
fn expected(platform: Platform, dataset: Dataset) -> CollectionState {
    match (platform, dataset) {
        (Platform::M365, Dataset::Mfa) | (Platform::Okta, Dataset::Apps) => CollectionState::Partial,
        _ => CollectionState::Denied,
    }
}

/// Returns what core makes of the first read of a dataset.
fn judged(rig: &Rig, platform: Platform, read: Collection) -> (CollectionState, Option<Doubt>) {
    let connector = rig.connector(platform);
    let spec = connector
        .datasets()
        .iter()
        .find(|spec| spec.dataset == read.dataset)
        .unwrap();
    let end = DatasetEnd {
        if_empty: spec.if_empty,
        ..DatasetEnd::from(read)
    };
    let judged = end.judge(Baseline::default());
    (judged.collection.state, judged.doubt)
}

#[tokio::test]
async fn an_empty_list_that_is_never_empty_is_not_complete() {
    for (platform, vendor, path, dataset) in LISTS {
        let rig = Rig::start().await;
        let before = rig.sync(*platform).await;
        let read = before.collections[dataset].clone();
        assert!(read.rows > 0, "{platform} {dataset}");
        assert_eq!(
            judged(&rig, *platform, read),
            (CollectionState::Complete, None),
            "{platform} {dataset}"
        );
        rig.fault(*vendor, path, u32::MAX, FaultKind::HiddenRows(0));
        let outcome = rig.sync(*platform).await;
        assert_eq!(outcome.error, None, "{platform} {dataset}");
        let read = outcome.collections[dataset].clone();
        assert_eq!(read.rows, 0, "{platform} {dataset}");
        let (state, doubt) = judged(&rig, *platform, read);
        let expected = expected(*platform, *dataset);
        assert_eq!(
            (state, doubt),
            (expected, Some(Doubt::Empty)),
            "{platform} {dataset}"
        );
    }
}

#[tokio::test]
async fn the_tested_lists_are_those_that_connectors_declare() {
    let rig = Rig::small().await;
    for platform in [Platform::M365, Platform::Okta] {
        let connector = rig.connector(platform);
        let specs = connector.datasets();
        let declared = specs.iter().filter(|spec| spec.if_empty != IfEmpty::Empty);
        let tested = LISTS.iter().filter(|(of, ..)| *of == platform);
        assert_eq!(
            declared.map(|spec| spec.dataset).collect::<Vec<_>>(),
            tested.map(|(.., dataset)| *dataset).collect::<Vec<_>>()
        );
        for (at, spec) in specs.iter().enumerate() {
            let is_earlier = |dataset| specs[..at].iter().any(|earlier| earlier.dataset == dataset);
            assert!(
                spec.follows.is_none_or(is_earlier),
                "{platform}: {} is read after what it follows",
                spec.dataset
            );
        }
    }
}

#[tokio::test]
async fn without_role_definitions_roles_are_denied() {
    let rig = Rig::small().await;
    rig.fault(
        Vendor::Graph,
        "/roleDefinitions",
        u32::MAX,
        FaultKind::HiddenRows(0),
    );
    let outcome = rig.sync(Platform::M365).await;
    assert_eq!(outcome.state(Dataset::Roles), CollectionState::Denied);
    assert_eq!(outcome.detail(Dataset::Roles), "RoleManagement.Read.Directory");
}

#[tokio::test]
async fn the_own_client_alone_is_no_list_of_apps() {
    let rig = Rig::small().await;
    rig.simulator.set_okta_role(OktaRole::ReadOnly);
    let outcome = rig.sync_with(Platform::Okta, &service_app(&rig)).await;
    assert_eq!(outcome.state(Dataset::Apps), CollectionState::Partial);
    assert_eq!(outcome.state(Dataset::AppAssignments), CollectionState::Partial);
}

#[tokio::test]
async fn the_verification_reports_a_list_that_is_never_empty() {
    for (platform, vendor, path, dataset) in LISTS {
        let rig = Rig::start().await;
        let config = match platform {
            Platform::Okta => service_app(&rig),
            _ => rig.m365(),
        };
        let verify = async || rig.connector(*platform).verify(&config).await;
        let state = |verification: &Verification| {
            let mut checks = verification.datasets.iter();
            checks.find(|check| check.dataset == *dataset).unwrap().state
        };
        assert_eq!(
            state(&verify().await.unwrap()),
            CollectionState::Complete,
            "{dataset}"
        );
        rig.fault(*vendor, path, u32::MAX, FaultKind::HiddenRows(0));
        match verify().await {
            Ok(verification) if *dataset != Dataset::Mfa => {
                let expected = expected(*platform, *dataset);
                assert_eq!(state(&verification), expected, "{platform} {dataset}");
                let missing = verification.permissions.iter().find(|check| !check.granted);
                assert_eq!(missing.is_some(), expected == CollectionState::Denied);
                if let Some(missing) = missing {
                    assert!(missing.datasets.contains(dataset), "{missing:?}");
                    assert!(missing.hint.is_some(), "{missing:?}");
                }
            }
            // Only a sync reads enough to say that the report isn't computed yet.
            Ok(_) => {}
            Err(error) => {
                assert_eq!(*dataset, Dataset::Organization, "{error}");
                assert!(error.to_string().contains("does not respond like"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn the_verification_says_that_an_administrator_role_is_missing() {
    let rig = Rig::small().await;
    rig.simulator.set_okta_role(OktaRole::None);
    let verification = rig
        .connector(Platform::Okta)
        .verify(&service_app(&rig))
        .await
        .unwrap();
    let role = verification
        .permissions
        .iter()
        .find(|check| check.permission == "Read-only Administrator")
        .unwrap();
    assert!(!role.granted);
    for dataset in [Dataset::Users, Dataset::SignIn, Dataset::Mfa] {
        assert!(role.datasets.contains(&dataset), "{role:?}");
    }
    let hint = role.hint.as_deref().unwrap();
    assert!(hint.contains("Admin roles"), "{hint}");
}

#[tokio::test]
async fn a_scan_does_not_judge_a_list_that_is_never_empty() {
    for (vendor, platform, path, setting) in [
        (
            Vendor::Graph,
            Platform::M365,
            "/v1.0/organization",
            "organization",
        ),
        (Vendor::Graph, Platform::M365, "/v1.0/domains", "domains"),
        (Vendor::Graph, Platform::M365, "/v1.0/users", "users/summary"),
        (
            Vendor::Graph,
            Platform::M365,
            "/v1.0/users",
            "reports/mfaCapability",
        ),
        (
            Vendor::Graph,
            Platform::M365,
            "/v1.0/servicePrincipals",
            "servicePrincipals/open",
        ),
        (
            Vendor::Graph,
            Platform::M365,
            "/roleAssignmentScheduleInstances",
            "directory/privilegedRoles",
        ),
        (
            Vendor::Graph,
            Platform::M365,
            "/roleAssignmentScheduleInstances",
            "directory/privilegedUsers",
        ),
        (
            Vendor::Okta,
            Platform::Okta,
            "/api/v1/policies",
            "policies/PASSWORD",
        ),
        (
            Vendor::Okta,
            Platform::Okta,
            "/api/v1/authenticators",
            "authenticators",
        ),
    ] {
        let rig = Rig::start().await;
        let before = rig.collect_paths(platform, &[setting]).await;
        assert_eq!(before.incomplete(), [], "{setting}");
        rig.fault(vendor, path, u32::MAX, FaultKind::HiddenRows(0));
        let after = rig.collect_paths(platform, &[setting]).await;
        assert_eq!(after.incomplete(), [(setting, CollectionState::Denied)]);
    }
    // A tenant without policies has none.
    let rig = Rig::start().await;
    rig.fault(
        Vendor::Graph,
        "/conditionalAccess/policies",
        u32::MAX,
        FaultKind::HiddenRows(0),
    );
    let setting = "identity/conditionalAccess/policies";
    let settings = rig.collect_paths(Platform::M365, &[setting]).await;
    assert_eq!(settings.incomplete(), []);
    assert!(settings.rows(setting).is_empty());
}
