//! Tests of the collection of settings: each path is read separately.

use crate::support::Rig;
use watchpost_core::value::word::{AccountStatus, CollectionState, Platform};
use watchpost_simulator::{Company, FaultKind, RetryAfter, Vendor};

const AUTHORIZATION: &str = "policies/authorizationPolicy";
const CONDITIONAL_ACCESS: &str = "identity/conditionalAccess/policies";
const DOMAINS: &str = "domains";
const GROUPS: &str = "groups/public";
const LICENSES: &str = "licenses/features";
const MFA: &str = "reports/mfaCapability";
const OPEN_APPS: &str = "servicePrincipals/open";
const USERS: &str = "users/summary";

/// Paths of each kind: an object, lists, and settings that are derived from lists.
const SOME: &[&str] = &[
    AUTHORIZATION,
    CONDITIONAL_ACCESS,
    DOMAINS,
    GROUPS,
    LICENSES,
    MFA,
    OPEN_APPS,
    USERS,
];

#[tokio::test]
async fn objects_and_lists_are_stored_without_annotations() {
    let rig = Rig::start().await;
    let read = rig.collect_paths(Platform::M365, SOME).await;
    assert_eq!(read.incomplete(), []);
    assert!(read.document(AUTHORIZATION)["guestUserRoleId"].is_string());
    assert_eq!(read.document(AUTHORIZATION).get("@odata.context"), None);
    assert_eq!(read.read[AUTHORIZATION].source, "graph");
    assert!(read.rows(CONDITIONAL_ACCESS)[0]["state"].is_string());
    assert_eq!(read.read[CONDITIONAL_ACCESS].source, "graph-beta");
    assert!(read.rows(DOMAINS)[0]["id"].is_string());
}

#[tokio::test]
async fn members_of_enumerations_that_were_added_later_are_read() {
    let rig = Rig::start().await;
    let read = rig.collect_paths(Platform::M365, &[CONDITIONAL_ACCESS]).await;
    let platforms = |row: &serde_json::Value| row["conditions"]["platforms"]["includePlatforms"].clone();
    let rows = read.rows(CONDITIONAL_ACCESS);
    let limited = rows.iter().map(platforms).find(serde_json::Value::is_array);
    assert_eq!(limited, Some(serde_json::json!(["windows", "linux"])));
}

#[tokio::test]
async fn settings_are_derived_from_accounts_groups_apps_and_licenses() {
    let rig = Rig::start().await;
    let read = rig.collect_paths(Platform::M365, SOME).await;
    let sync = rig.sync(Platform::M365).await;
    let users = read.document(USERS);
    let enabled = sync
        .accounts()
        .iter()
        // An account with a pending invitation is enabled as well.
        .filter(|account| matches!(account.status, AccountStatus::Active | AccountStatus::Pending))
        .count();
    assert_eq!(users["enabled"], enabled);
    assert!(users["enabledGuests"].as_u64().unwrap() > 0);
    let mfa = read.document(MFA);
    assert_eq!(
        mfa["enabledMembers"].as_u64().unwrap(),
        users["enabled"].as_u64().unwrap() - users["enabledGuests"].as_u64().unwrap()
    );
    let not_capable = mfa["notCapable"].as_u64().unwrap();
    assert!(not_capable > 0);
    assert_eq!(mfa["accounts"].as_array().unwrap().len() as u64, not_capable);
    assert_eq!(read.document(LICENSES)["entra_p2"], true);
    assert_eq!(read.document(LICENSES)["government"], false);
    for row in read.rows(OPEN_APPS) {
        assert_eq!(row.as_object().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_and_affects_only_its_paths() {
    let rig = Rig::start().await;
    for (permission, lost) in [
        ("Policy.Read.All", &[CONDITIONAL_ACCESS, AUTHORIZATION][..]),
        ("Domain.Read.All", &[DOMAINS]),
        ("GroupMember.Read.All", &[GROUPS]),
        ("Organization.Read.All", &[LICENSES]),
        ("AuditLog.Read.All", &[MFA]),
        ("User.Read.All", &[MFA, USERS]),
        ("Application.Read.All", &[OPEN_APPS]),
    ] {
        rig.simulator.deny_permission(Vendor::Graph, permission);
        let read = rig.collect_paths(Platform::M365, SOME).await;
        let denied: Vec<_> = lost.iter().map(|path| (*path, CollectionState::Denied)).collect();
        assert_eq!(read.incomplete(), denied, "{permission}");
        for path in lost {
            assert_eq!(read.detail(path), permission);
        }
        rig.simulator.grant_permission(Vendor::Graph, permission);
    }
}

#[tokio::test]
async fn a_missing_license_is_distinguished_from_a_missing_permission() {
    let rig = Rig::start().await;
    rig.simulator.unlicensed(Vendor::Graph, true);
    let read = rig.collect_paths(Platform::M365, SOME).await;
    assert_eq!(read.incomplete(), [(MFA, CollectionState::Unlicensed)]);
    assert_eq!(read.document(LICENSES)["entra_p2"], false);
}

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_retried_and_permanent_ones_affect_only_their_path() {
    let faults = [
        (2, FaultKind::TooManyRequests(RetryAfter::Seconds(20)), None),
        (2, FaultKind::Unavailable, None),
        (1, FaultKind::Unauthorized, None),
        (
            u32::MAX,
            FaultKind::TooManyRequests(RetryAfter::Seconds(20)),
            Some((CollectionState::Failed, "429")),
        ),
        (
            u32::MAX,
            FaultKind::TooManyRequests(RetryAfter::Seconds(3_600)),
            Some((CollectionState::Failed, "3600 s")),
        ),
        (
            u32::MAX,
            FaultKind::InternalError,
            Some((CollectionState::Failed, "status 500")),
        ),
        (
            u32::MAX,
            FaultKind::Unauthorized,
            Some((CollectionState::Failed, "rejects even a new token")),
        ),
        (
            u32::MAX,
            FaultKind::MalformedJson,
            Some((CollectionState::Failed, "could not be understood")),
        ),
        (
            u32::MAX,
            FaultKind::LoopingNext,
            Some((CollectionState::Failed, "back to an earlier page")),
        ),
        (u32::MAX, FaultKind::ForeignNext, None),
        (
            u32::MAX,
            FaultKind::EndlessPages,
            Some((CollectionState::Failed, "did not end")),
        ),
        (
            u32::MAX,
            FaultKind::Reset,
            Some((CollectionState::Failed, "connection was lost")),
        ),
    ];
    for (times, kind, expected) in faults {
        let rig = Rig::with(Company::load_embedded().unwrap(), |limits| {
            limits.pages_max = 20;
        })
        .await;
        rig.fault(Vendor::Graph, "/v1.0/domains", times, kind.clone());
        let read = rig.collect_paths(Platform::M365, SOME).await;
        match expected {
            None => assert_eq!(read.incomplete(), [], "{kind:?}"),
            Some((state, reason)) => {
                assert_eq!(read.incomplete(), [(DOMAINS, state)], "{kind:?}");
                assert!(
                    read.detail(DOMAINS).contains(reason),
                    "{kind:?}: {}",
                    read.detail(DOMAINS)
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_vendor_ends_the_collection() {
    let rig = Rig::small().await;
    rig.fault(Vendor::Graph, "/", u32::MAX, FaultKind::Reset);
    let error = rig
        .collect_with(Platform::M365, &rig.m365(), SOME, true)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("connection was lost"), "{error}");
}

#[tokio::test]
async fn only_requested_paths_are_read_and_unknown_ones_fail_separately() {
    let rig = Rig::small().await;
    let unknown = "something/else";
    let read = rig.collect_paths(Platform::M365, &[AUTHORIZATION, unknown]).await;
    assert_eq!(read.incomplete(), [(unknown, CollectionState::Failed)]);
    let requests = rig.simulator.requests();
    let sent: Vec<_> = requests.keys().filter(|key| key.contains("/v1.0/")).collect();
    assert_eq!(sent.len(), 1, "{requests:?}");
}
