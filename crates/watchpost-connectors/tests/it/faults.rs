//! Tests of syncs with failing vendors.

use crate::{
    sign_in::service_app,
    support::{FOREVER, Rig},
};
use std::time::Duration;
use watchpost_core::{
    integration::{
        connector::{ConnectorError, Page},
        fact::Dataset,
        reading::Readings,
    },
    value::word::{CollectionState, Mfa, Platform},
};
use watchpost_simulator::{Company, FaultKind, RetryAfter, Vendor};

/// The path of each vendor's list of accounts.
const USERS: [(Platform, Vendor, &str); 2] = [
    (Platform::M365, Vendor::Graph, "/v1.0/users"),
    (Platform::Okta, Vendor::Okta, "/api/v1/users"),
];

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_retried() {
    for (platform, vendor, path) in USERS {
        for (times, kind) in [
            (1, FaultKind::Unauthorized),
            (1, FaultKind::TooManyRequests(RetryAfter::Seconds(30))),
            (1, FaultKind::TooManyRequests(RetryAfter::Date(30))),
            (4, FaultKind::TooManyRequests(RetryAfter::Absent)),
            (4, FaultKind::InternalError),
            (4, FaultKind::BadGateway),
            (4, FaultKind::Unavailable),
            (2, FaultKind::Reset),
            (1, FaultKind::Slow(3_600_000)),
            (1, FaultKind::NullOptionals),
            (1, FaultKind::UnknownEnum),
        ] {
            let rig = Rig::small().await;
            let undisturbed = rig.sync(platform).await;
            rig.fault(vendor, path, times, kind.clone());
            let outcome = rig.sync(platform).await;
            assert_eq!(outcome.error, None, "{platform} {kind:?}");
            assert_eq!(outcome.incomplete(), [], "{platform} {kind:?}");
            assert_eq!(
                outcome.accounts().len(),
                undisturbed.accounts().len(),
                "{platform} {kind:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requested_waits_are_respected() {
    for (platform, vendor, path) in USERS {
        for (retry, least, most) in [
            (RetryAfter::Seconds(40), 40, 60),
            (RetryAfter::Date(40), 39, 60),
            (RetryAfter::Absent, 0, 20),
        ] {
            let rig = Rig::small().await;
            rig.fault(vendor, path, 1, FaultKind::TooManyRequests(retry));
            let began = tokio::time::Instant::now();
            assert_eq!(rig.sync(platform).await.incomplete(), []);
            let took = began.elapsed().as_secs();
            assert!((least..=most).contains(&took), "{platform} {retry:?}: {took} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_affects_only_its_dataset() {
    use CollectionState::{Denied, Failed, Partial};
    for (platform, vendor, path, dataset) in [
        (
            Platform::M365,
            Vendor::Graph,
            "/oauth2PermissionGrants",
            Dataset::Grants,
        ),
        (Platform::Okta, Vendor::Okta, "/api-tokens", Dataset::Tokens),
    ] {
        for (kind, state, detail) in [
            (FaultKind::TooManyRequests(RetryAfter::Seconds(5)), Failed, "429"),
            (
                FaultKind::TooManyRequests(RetryAfter::Seconds(100_000)),
                Partial,
                "100000 s",
            ),
            (FaultKind::InternalError, Failed, "status 500"),
            (FaultKind::BadGateway, Failed, "status 502"),
            (FaultKind::Forbidden, Denied, "read"),
            (FaultKind::Reset, Failed, "connection was lost"),
            (FaultKind::Slow(3_600_000), Failed, "took too long"),
            (FaultKind::MalformedJson, Failed, "could not be understood"),
            (FaultKind::WrongTypeInOneRow, Partial, "1 of "),
            (
                FaultKind::LoopingNext,
                Failed,
                "paging: the vendor's link to the next page leads back to an earlier page",
            ),
            (FaultKind::EndlessPages, Failed, "paging: the list did not end"),
        ] {
            let rig = Rig::with(Company::load_embedded().unwrap(), |limits| {
                limits.pages_max = 20;
            })
            .await;
            rig.fault(vendor, path, u32::MAX, kind.clone());
            let outcome = rig.sync(platform).await;
            assert_eq!(outcome.error, None, "{platform} {kind:?}");
            assert_eq!(outcome.incomplete(), [(dataset, state)], "{platform} {kind:?}");
            assert!(
                outcome
                    .detail(dataset)
                    .to_lowercase()
                    .contains(&detail.to_lowercase()),
                "{platform} {kind:?}: {}",
                outcome.detail(dataset)
            );
            assert!(!outcome.detail(dataset).contains("foreign.example"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_next_links_name_another_host_is_read_from_the_own_one() {
    for (platform, vendor) in [(Platform::M365, Vendor::Graph), (Platform::Okta, Vendor::Okta)] {
        let rig = Rig::start().await;
        let expected = rig.sync(platform).await;
        rig.fault(vendor, "/users", u32::MAX, FaultKind::ForeignNext);
        let outcome = rig.sync(platform).await;
        assert_eq!(outcome.incomplete(), [], "{platform}");
        assert_eq!(outcome.facts, expected.facts, "{platform}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rows_that_came_with_a_bad_next_link_are_kept() {
    for (platform, vendor) in [(Platform::M365, Vendor::Graph), (Platform::Okta, Vendor::Okta)] {
        let rig = Rig::start().await;
        rig.fault(vendor, "/users", u32::MAX, FaultKind::LoopingNext);
        let outcome = rig.sync(platform).await;
        let users = &outcome.collections[&Dataset::Users];
        assert_eq!(users.state, CollectionState::Failed, "{platform}");
        assert!(users.rows > 0, "{platform}");
        assert_eq!(outcome.accounts().len() as u64, users.rows, "{platform}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named_and_affects_only_its_datasets() {
    use Dataset as D;
    let policy = [
        D::ConditionalAccess,
        D::AuthorizationPolicy,
        D::AuthenticationMethods,
        D::SecurityDefaults,
        D::AdminConsent,
        D::Locations,
    ];
    let check = async |vendor: Vendor, permission: &str, datasets: &[Dataset]| {
        let rig = Rig::start().await;
        rig.simulator.deny_permission(vendor, permission);
        let platform = if vendor == Vendor::Okta {
            Platform::Okta
        } else {
            Platform::M365
        };
        let outcome = if platform == Platform::Okta {
            rig.sync_with(platform, &service_app(&rig)).await
        } else {
            rig.sync(platform).await
        };
        assert_eq!(outcome.error, None, "{permission}");
        let mut expected: Vec<_> = datasets
            .iter()
            .map(|dataset| (*dataset, CollectionState::Denied))
            .collect();
        expected.sort_unstable();
        assert_eq!(outcome.incomplete(), expected, "{permission}");
        for dataset in datasets {
            assert_eq!(outcome.detail(*dataset), permission);
        }
    };
    check(Vendor::Graph, "User.Read.All", &[D::Users, D::SignIn]).await;
    check(Vendor::Graph, "AuditLog.Read.All", &[D::SignIn, D::Mfa]).await;
    check(Vendor::Graph, "RoleManagement.Read.Directory", &[D::Roles]).await;
    check(
        Vendor::Graph,
        "GroupMember.Read.All",
        &[D::Roles, D::AppAssignments],
    )
    .await;
    check(
        Vendor::Graph,
        "RoleAssignmentSchedule.Read.Directory",
        &[D::RoleSchedules],
    )
    .await;
    check(
        Vendor::Graph,
        "RoleEligibilitySchedule.Read.Directory",
        &[D::RoleSchedules],
    )
    .await;
    check(
        Vendor::Graph,
        "Application.Read.All",
        &[D::Apps, D::AppOwners, D::AppGrants, D::AppAssignments],
    )
    .await;
    check(Vendor::Graph, "Directory.Read.All", &[D::Grants]).await;
    check(Vendor::Graph, "Domain.Read.All", &[D::Domains]).await;
    check(
        Vendor::Graph,
        "Organization.Read.All",
        &[D::Organization, D::Licenses],
    )
    .await;
    check(Vendor::Graph, "Policy.Read.All", &policy).await;
    check(Vendor::Okta, "okta.users.read", &[D::Users, D::SignIn, D::Mfa]).await;
    check(Vendor::Okta, "okta.roles.read", &[D::Roles]).await;
    check(Vendor::Okta, "okta.apps.read", &[D::Apps, D::AppAssignments]).await;
    check(Vendor::Okta, "okta.apiTokens.read", &[D::Tokens]).await;
    check(Vendor::Okta, "okta.policies.read", &[D::SignInPolicies]).await;
    check(
        Vendor::Okta,
        "okta.authenticators.read",
        &[D::AuthenticationMethods],
    )
    .await;
    check(Vendor::Okta, "okta.networkZones.read", &[D::Locations]).await;
    check(Vendor::Okta, "okta.threatInsights.read", &[D::ThreatDetection]).await;
    check(
        Vendor::Okta,
        "okta.orgs.read",
        &[D::Organization, D::SupportAccess],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn mfa_is_unknown_for_an_account_with_unreadable_factors() {
    let rig = Rig::small().await;
    rig.fault(Vendor::Okta, "/factors", 1, FaultKind::MalformedJson);
    let outcome = rig.sync(Platform::Okta).await;
    assert_eq!(outcome.incomplete(), [(Dataset::Mfa, CollectionState::Partial)]);
    assert_eq!(outcome.collections[&Dataset::Mfa].row_errors, 1);
    assert_eq!(
        outcome.mfa().iter().filter(|mfa| mfa.mfa == Mfa::Unknown).count(),
        1
    );
    assert!(outcome.mfa().len() > 10);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_vendor_ends_the_sync_with_a_reason() {
    for (platform, vendor, _) in USERS {
        let rig = Rig::small().await;
        rig.fault(vendor, "/", u32::MAX, FaultKind::Reset);
        let outcome = rig.sync(platform).await;
        let reason = outcome.error.unwrap().to_string();
        assert!(reason.contains("connection was lost"), "{reason}");

        // The vendor becomes unreachable during the sync: earlier datasets are kept, and the sync ends early.
        let rig = Rig::small().await;
        let connector = rig.connector(platform);
        let config = if platform == Platform::Okta {
            rig.okta()
        } else {
            rig.m365()
        };
        let mut run = connector.sync(&config, Readings::default()).await.unwrap();
        while !matches!(run.next_page().await, Ok(Some(Page::Collected(end))) if end.dataset == Dataset::Users)
        {
        }
        rig.simulator.stop();
        tokio::task::yield_now().await;
        let error = loop {
            match run.next_page().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{platform}: the sync succeeded without a vendor"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ConnectorError::Api { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn datasets_are_partial_when_the_time_limit_is_reached() {
    let budget = Duration::from_secs(60);
    let rig = Rig::with(Company::load_embedded().unwrap(), |limits| {
        limits.sync_budget = budget;
    })
    .await;
    rig.fault(
        Vendor::Graph,
        "/userRegistrationDetails",
        u32::MAX,
        FaultKind::Slow(59_000),
    );
    let began = tokio::time::Instant::now();
    let outcome = rig.sync(Platform::M365).await;
    assert_eq!(outcome.error, None);
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    assert_eq!(outcome.state(Dataset::Users), CollectionState::Complete);
    assert_eq!(outcome.state(Dataset::Locations), CollectionState::Partial);
}

#[tokio::test(start_paused = true)]
async fn expired_tokens_are_renewed_during_a_sync() {
    let rig = Rig::small().await;
    let connector = rig.connector(Platform::M365);
    let mut run = connector.sync(&rig.m365(), Readings::default()).await.unwrap();
    let mut pages = 0;
    while let Some(page) = tokio::time::timeout(FOREVER, run.next_page())
        .await
        .unwrap()
        .unwrap()
    {
        rig.simulator.expire_tokens();
        if let Page::Collected(end) = page {
            assert_eq!(end.state, CollectionState::Complete, "{end:?}");
        }
        pages += 1;
    }
    assert!(pages > 20, "{pages}");
}
