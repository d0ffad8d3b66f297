//! Tests of the settings of workloads: configuration snapshots, and the admin APIs of Exchange, SharePoint, Power Platform and
//! Fabric.

use crate::support::{Rig, Settings};
use std::collections::BTreeSet;
use watchpost_core::{
    integration::connector::ConnectorError,
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{FaultKind, RetryAfter, Vendor};

const SNAPSHOT: &str = "configuration-snapshot";
const DOCUMENTED: &str = "exchange-admin";
const PROXY: &str = "exchange-admin-beta";
const BYPASS: &str = "exchange/MailboxAuditBypassAssociation";
const MAILBOXES: &str = "exchange/SharedMailbox";
const MEETINGS: &str = "teams/MeetingPolicy";
const ORGANIZATION: &str = "exchange/OrganizationConfig";
const RULES: &str = "exchange/TransportRule";
const DLP: &str = "purview/DlpCompliancePolicy";
const SAFE_LINKS: &str = "exchange/SafeLinksPolicy";
const SHAREPOINT: &str = "sharepoint/Tenant";
const FABRIC: &str = "powerbi/TenantSettings";

/// One path of each kind.
const SOME: &[&str] = &[ORGANIZATION, MAILBOXES, RULES, SAFE_LINKS, DLP, MEETINGS];

const CREATE: &str = "POST /graph/v1.0/admin/configurationManagement/configurationSnapshots/createSnapshot";

fn sources(read: &Settings) -> BTreeSet<&'static str> {
    read.read.values().map(|end| end.source).collect()
}

async fn with_proxy(rig: &Rig, paths: &[&str], metered: bool) -> Settings {
    let config = rig.m365_with_proxy();
    rig.collect_with(Platform::M365, &config, paths, metered)
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn with_all_permissions_every_path_is_read() {
    let rig = Rig::start().await;
    let paths = rig.connector(Platform::M365).setting_paths();
    let read = with_proxy(&rig, paths, true).await;
    assert_eq!(read.incomplete(), []);
    for (path, end) in &read.read {
        let document = read.document(path);
        assert!(document.is_object(), "{path}");
        assert!(!document.as_object().unwrap().is_empty(), "{path}: {document}");
        if path.starts_with("teams/") {
            assert_eq!(end.source, SNAPSHOT);
        }
    }
    assert_eq!(read.read[BYPASS].source, PROXY);
    assert_eq!(read.rows(MEETINGS)[0]["Identity"], "Global");
    assert!(read.document(SHAREPOINT)["SharingCapability"].is_u64());
    assert!(read.document(SHAREPOINT).get("__metadata").is_none());
    assert!(read.rows(FABRIC)[0]["settingName"].is_string());
    for mailbox in read.rows(MAILBOXES) {
        assert!(mailbox["accountEnabled"].is_boolean(), "{mailbox}");
    }
    let applications = read.rows("applications");
    assert!(!applications.is_empty());
    let credentials = applications
        .iter()
        .flat_map(|application| application["federatedIdentityCredentials"].as_array())
        .flatten();
    let expressions =
        credentials.filter(|credential| credential["claimsMatchingExpression"]["value"].is_string());
    assert_eq!(expressions.count(), 1);
    for application in applications {
        assert!(application["federatedIdentityCredentials"].is_array());
        assert!(!application.to_string().contains("\"hint\""), "{application}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_collection_only_reads_and_deletes_its_snapshots() {
    let rig = Rig::start().await;
    let paths = rig.connector(Platform::M365).setting_paths();
    with_proxy(&rig, paths, true).await;
    let requests = rig.simulator.requests();
    let allowed = [
        "/oauth2/v2.0/token",
        "/configurationSnapshots/createSnapshot",
        "/InvokeCommand",
        "/listTenantSettings",
        "/OrganizationConfig",
        "/AcceptedDomain",
        "/Mailbox",
    ];
    for request in requests.keys() {
        let is_allowed = request.starts_with("GET ")
            || request == "DNS"
            || (request.starts_with("POST ") && allowed.iter().any(|end| request.ends_with(end)))
            || (request.starts_with("DELETE ") && request.contains("/configurationSnapshotJobs/"));
        assert!(is_allowed, "{request}");
    }
    assert_eq!(requests[CREATE], 1);
    let deleted: u64 = requests
        .iter()
        .filter(|(request, _)| request.starts_with("DELETE "))
        .map(|(_, times)| times)
        .sum();
    assert_eq!(deleted, 1);
}

#[tokio::test(start_paused = true)]
async fn without_snapshots_exchanges_endpoints_are_used_and_its_proxy_only_if_enabled() {
    let rig = Rig::start().await;
    let read = rig
        .collect_with(Platform::M365, &rig.m365(), SOME, false)
        .await
        .unwrap();
    let failed = CollectionState::Failed;
    assert_eq!(
        read.incomplete(),
        [
            (SAFE_LINKS, failed),
            (RULES, failed),
            (DLP, failed),
            (MEETINGS, failed)
        ]
    );
    assert!(read.detail(RULES).contains("snapshots are off"));
    assert_eq!(read.read[ORGANIZATION].source, DOCUMENTED);
    let requests = rig.simulator.requests();
    assert!(!requests.keys().any(|request| request.contains("InvokeCommand")));
    assert!(!requests.contains_key(CREATE));

    let read = with_proxy(&rig, SOME, false).await;
    assert_eq!(read.incomplete(), [(MEETINGS, failed)]);
    assert_eq!(read.read[MAILBOXES].source, DOCUMENTED);
    assert_eq!(
        read.read[ORGANIZATION].source, PROXY,
        "the endpoint returns little more than MailTips"
    );
    assert_eq!(read.read[RULES].source, PROXY);
    assert_eq!(read.read[DLP].source, PROXY);
}

#[tokio::test(start_paused = true)]
async fn a_type_unknown_to_snapshots_does_not_affect_the_others() {
    let rig = Rig::start().await;
    rig.simulator
        .forget_snapshot_type("microsoft.exchange.transportrule");
    let read = rig.collect_paths(Platform::M365, SOME).await;
    assert_eq!(read.incomplete(), [(RULES, CollectionState::Failed)]);
    assert!(read.detail(RULES).contains("don't support this setting type"));
    assert_eq!(rig.simulator.requests()[CREATE], 2);
    let read = with_proxy(&rig, SOME, true).await;
    assert_eq!(read.incomplete(), []);
    assert_eq!(read.read[RULES].source, PROXY);
}

#[tokio::test(start_paused = true)]
async fn a_setting_missing_from_a_snapshot_is_reported_or_read_in_another_way() {
    let rig = Rig::start().await;
    for denied in ["microsoft.exchange.transportrule", "microsoft.teams"] {
        rig.simulator.deny_permission(Vendor::Graph, denied);
    }
    let read = rig.collect_paths(Platform::M365, SOME).await;
    let failed = CollectionState::Failed;
    assert_eq!(read.incomplete(), [(RULES, failed), (MEETINGS, failed)]);
    assert!(read.detail(MEETINGS).contains("doesn't contain it"));
    let read = with_proxy(&rig, SOME, true).await;
    assert_eq!(read.incomplete(), [(MEETINGS, failed)]);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_and_an_endless_job_fall_back_to_other_ways() {
    let rig = Rig::start().await;
    rig.simulator.set_snapshot_budget(0);
    let read = with_proxy(&rig, SOME, true).await;
    assert_eq!(read.incomplete(), [(MEETINGS, CollectionState::Failed)]);
    assert!(read.detail(MEETINGS).contains("limit on configuration snapshots"));
    assert_eq!(sources(&read), [SNAPSHOT, DOCUMENTED, PROXY].into());
    assert_eq!(rig.simulator.requests()[CREATE], 1);

    let rig = Rig::start().await;
    rig.simulator.set_snapshot_polls(u32::MAX);
    let began = tokio::time::Instant::now();
    let read = with_proxy(&rig, SOME, true).await;
    assert_eq!(read.incomplete(), [(MEETINGS, CollectionState::Failed)]);
    assert!(read.detail(MEETINGS).contains("took too long"));
    assert!(began.elapsed().as_secs() < 20 * 60);
    let requests = rig.simulator.requests();
    assert!(requests.keys().any(|request| request.starts_with("DELETE ")));
}

#[tokio::test(start_paused = true)]
async fn each_missing_permission_is_named_and_affects_only_its_paths() {
    let rig = Rig::start().await;
    let all = [SHAREPOINT, FABRIC, ORGANIZATION, RULES, DLP, MEETINGS].as_slice();
    let power = [
        "powerplatform/TenantSettings",
        "powerplatform/DlpPolicies",
        "powerplatform/Environments",
        "powerplatform/TenantIsolationPolicy",
    ];
    let paths: Vec<&str> = all.iter().copied().chain(power).collect();
    for (vendor, permission, lost, named) in [
        (
            Vendor::SharePoint,
            "Sites.FullControl.All",
            &[SHAREPOINT][..],
            "Sites.FullControl.All",
        ),
        (Vendor::Fabric, "Tenant.Read.All", &[FABRIC], "Tenant.Read.All"),
        (
            Vendor::PowerPlatform,
            "management_app",
            &power,
            "management application",
        ),
    ] {
        rig.simulator.deny_permission(vendor, permission);
        let read = rig.collect_paths(Platform::M365, &paths).await;
        let incomplete: BTreeSet<_> = read.incomplete().into_iter().collect();
        let denied: BTreeSet<_> = lost.iter().map(|path| (*path, CollectionState::Denied)).collect();
        assert_eq!(incomplete, denied, "{permission}");
        for path in lost {
            assert!(read.detail(path).contains(named), "{}", read.detail(path));
        }
        rig.simulator.grant_permission(vendor, permission);
    }
    rig.simulator
        .deny_permission(Vendor::Graph, "ConfigurationMonitoring.ReadWrite.All");
    rig.simulator
        .deny_permission(Vendor::Exchange, "Exchange.ManageAsAppV2");
    let read = rig.collect_paths(Platform::M365, &paths).await;
    let denied = CollectionState::Denied;
    assert_eq!(
        read.incomplete(),
        [
            (ORGANIZATION, denied),
            (RULES, denied),
            (DLP, denied),
            (MEETINGS, denied)
        ]
    );
    assert_eq!(
        read.detail(ORGANIZATION),
        "ConfigurationMonitoring.ReadWrite.All or Exchange.ManageAsAppV2"
    );
    assert_eq!(read.detail(MEETINGS), "ConfigurationMonitoring.ReadWrite.All");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_requested_if_a_secret_is_rejected() {
    let rig = Rig::start().await;
    rig.simulator.certificates_only(true);
    let read = rig.collect_paths(Platform::M365, &[SHAREPOINT, FABRIC]).await;
    assert_eq!(read.incomplete(), [(SHAREPOINT, CollectionState::Denied)]);
    assert!(read.detail(SHAREPOINT).contains("certificate"));
}

#[tokio::test(start_paused = true)]
async fn without_a_license_settings_are_unlicensed_and_roles_are_read_without_schedules() {
    let rig = Rig::start().await;
    let paths = [
        "directory/privilegedUsers",
        "directory/privilegedRoles",
        "directory/privilegedServicePrincipals",
    ];
    let with = rig.collect_paths(Platform::M365, &paths).await;
    assert_eq!(with.incomplete(), []);
    let users = with.rows(paths[0]);
    assert!(!users.is_empty());
    assert!(
        users
            .iter()
            .all(|user| !user["roles"].as_array().unwrap().is_empty())
    );
    let roles = with.rows(paths[1]);
    assert_eq!(roles.len(), 8);
    assert!(
        roles
            .iter()
            .all(|role| !role["rules"].as_array().unwrap().is_empty())
    );
    assert_eq!(roles[0]["rules"][0]["ruleSource"], "Global Administrator");

    rig.simulator.unlicensed(Vendor::Graph, true);
    rig.simulator.unlicensed(Vendor::Exchange, true);
    let without = rig.collect_paths(Platform::M365, &paths).await;
    assert_eq!(without.incomplete(), []);
    let roles = without.rows(paths[1]);
    assert!(
        roles
            .iter()
            .all(|role| role["rules"].as_array().unwrap().is_empty())
    );
    assert!(
        roles
            .iter()
            .any(|role| !role["assignments"].as_array().unwrap().is_empty())
    );
    let read = with_proxy(&rig, &[SAFE_LINKS, RULES], false).await;
    assert_eq!(read.incomplete(), [(SAFE_LINKS, CollectionState::Unlicensed)]);
}

#[tokio::test(start_paused = true)]
async fn role_assignments_are_read_without_the_permission_for_role_policies() {
    let rig = Rig::start().await;
    let roles = "directory/privilegedRoles";
    rig.simulator
        .deny_permission(Vendor::Graph, "RoleManagementPolicy.Read.Directory");
    let read = rig.collect_paths(Platform::M365, &[roles]).await;
    assert_eq!(read.incomplete(), [(roles, CollectionState::Partial)]);
    assert!(read.detail(roles).contains("RoleManagementPolicy.Read.Directory"));
    assert!(read.rows(roles).iter().all(|role| role.get("rules").is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_failing_host_affects_only_its_own_paths() {
    for (kind, detail) in [
        (FaultKind::TooManyRequests(RetryAfter::Seconds(5)), "429"),
        (FaultKind::InternalError, "status 500"),
        (FaultKind::MalformedJson, "could not be understood"),
        (FaultKind::Reset, "can't be reached"),
        (FaultKind::Slow(10 * 60_000), "can't be reached"),
        (FaultKind::LoopingNext, "back to an earlier page"),
    ] {
        let rig = Rig::start().await;
        rig.fault(Vendor::Fabric, "/", u32::MAX, kind.clone());
        rig.fault(Vendor::Exchange, "/", u32::MAX, kind.clone());
        let read = with_proxy(&rig, &[FABRIC, RULES, SHAREPOINT, DLP], false).await;
        let failed = CollectionState::Failed;
        assert_eq!(read.incomplete(), [(RULES, failed), (FABRIC, failed)], "{kind:?}");
        for path in [RULES, FABRIC] {
            assert!(
                read.detail(path).contains(detail),
                "{kind:?}: {}",
                read.detail(path)
            );
        }
    }
    for kind in [
        FaultKind::TooManyRequests(RetryAfter::Seconds(5)),
        FaultKind::Unavailable,
        FaultKind::Unauthorized,
        FaultKind::Slow(50_000),
    ] {
        let rig = Rig::start().await;
        for vendor in [Vendor::Fabric, Vendor::Exchange, Vendor::Graph] {
            rig.fault(vendor, "/", 1, kind.clone());
        }
        let read = with_proxy(&rig, &[FABRIC, RULES, SHAREPOINT, DLP], true).await;
        assert_eq!(read.incomplete(), [], "{kind:?}");
    }
}

// Uses the real clock: a paused one advances while a large response is in transit, so that the request times out.
#[tokio::test]
async fn a_document_that_is_too_large_is_reported_and_dropped() {
    let rig = Rig::start().await;
    rig.fault(Vendor::Fabric, "/v1/admin", 1, FaultKind::HugeList(60_000));
    rig.fault(Vendor::Graph, "/v1.0/domains", 1, FaultKind::HugeList(60_000));
    let read = rig
        .collect_paths(Platform::M365, &[FABRIC, "domains", SHAREPOINT])
        .await;
    let failed = CollectionState::Failed;
    assert_eq!(read.incomplete(), [("domains", failed), (FABRIC, failed)]);
    for path in ["domains", FABRIC] {
        assert!(read.detail(path).contains("larger than 4 MiB"));
    }
}

#[tokio::test]
async fn an_unknown_address_is_reported_and_an_invalid_bool_rejected() {
    let rig = Rig::small().await;
    let mut config = rig.m365();
    config.values.remove("fabric_url");
    let read = rig
        .collect_with(Platform::M365, &config, &[FABRIC], true)
        .await
        .unwrap();
    assert!(read.detail(FABRIC).contains("`fabric_url` isn't set"));
    config
        .values
        .insert("exchange_admin_beta".to_owned(), "perhaps".to_owned());
    let error = rig
        .collect_with(Platform::M365, &config, &[FABRIC], true)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ConnectorError::Config {
                field: "exchange_admin_beta",
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn okta_settings_equal_those_of_a_sync() {
    let rig = Rig::start().await;
    let paths = rig.connector(Platform::Okta).setting_paths();
    let read = rig.collect_paths(Platform::Okta, paths).await;
    let sync = rig.sync(Platform::Okta).await;
    let synced = sync.settings();
    for (path, end) in &read.read {
        match end.state {
            CollectionState::Complete => {
                assert_eq!(Some(&read.document(path)), synced.get(path.as_str()), "{path}");
            }
            state => {
                assert_eq!(state, CollectionState::Unlicensed, "{end:?}");
                assert!(!synced.contains_key(path.as_str()));
            }
        }
    }
    rig.simulator.deny_permission(Vendor::Okta, "okta.policies.read");
    let read = rig
        .collect_paths(Platform::Okta, &["policies/OKTA_SIGN_ON", "zones"])
        .await;
    assert_eq!(
        read.incomplete(),
        [("policies/OKTA_SIGN_ON", CollectionState::Denied)]
    );
    assert_eq!(read.detail("policies/OKTA_SIGN_ON"), "okta.policies.read");
}
