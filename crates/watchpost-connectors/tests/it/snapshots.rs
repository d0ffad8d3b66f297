//! Tests of orders for configuration snapshots: rejected types, taken names, and fields that no snapshot tells.

use crate::support::{Rig, Settings};
use watchpost_core::value::word::{CollectionState, Platform};
use watchpost_simulator::Vendor;

const SNAPSHOT: &str = "configuration-snapshot";
const CREATE: &str = "POST /graph/v1.0/admin/configurationManagement/configurationSnapshots/createSnapshot";
const ORGANIZATION: &str = "exchange/OrganizationConfig";
const DOMAINS: &str = "exchange/AcceptedDomain";

/// The settings without a type in the schema, and the one with a row for each mailbox.
const WITHOUT_TYPE: [&str; 6] = [
    "exchange/ATPBuiltInProtectionRule",
    "exchange/ATPProtectionPolicyRule",
    "exchange/AdminAuditLogConfig",
    "exchange/MailboxAuditBypassAssociation",
    "exchange/TeamsProtectionPolicy",
    "purview/UnifiedAuditLogRetentionPolicy",
];

/// Returns the paths of the settings of Exchange, Purview and Teams that snapshots contain.
pub(crate) fn in_snapshots(rig: &Rig) -> Vec<&'static str> {
    let paths = rig.connector(Platform::M365).setting_paths();
    let workloads = ["exchange/", "purview/", "teams/"];
    paths
        .iter()
        .copied()
        .filter(|path| workloads.iter().any(|start| path.starts_with(start)))
        .filter(|path| !WITHOUT_TYPE.contains(path))
        .collect()
}

/// Collects settings from snapshots alone.
pub(crate) async fn from_snapshots(rig: &Rig, paths: &[&str]) -> Settings {
    rig.simulator
        .deny_permission(Vendor::Exchange, "Exchange.ManageAsAppV2");
    let read = rig.collect_paths(Platform::M365, paths).await;
    rig.simulator
        .grant_permission(Vendor::Exchange, "Exchange.ManageAsAppV2");
    read
}

fn deleted(rig: &Rig) -> u64 {
    let requests = rig.simulator.requests();
    requests
        .iter()
        .filter(|(request, _)| request.starts_with("DELETE "))
        .map(|(_, times)| times)
        .sum()
}

#[tokio::test(start_paused = true)]
async fn every_setting_with_a_type_is_read_and_no_other_type_is_ordered() {
    let rig = Rig::start().await;
    let read = from_snapshots(&rig, &in_snapshots(&rig)).await;
    assert_eq!(read.incomplete(), []);
    assert!(read.read.values().all(|end| end.source == SNAPSHOT));
    // The simulator rejects types that aren't in the schema, so one order is enough only without any.
    assert_eq!(rig.simulator.requests()[CREATE], 1);
    let read = from_snapshots(&rig, &WITHOUT_TYPE).await;
    assert_eq!(rig.simulator.requests()[CREATE], 1);
    for path in WITHOUT_TYPE {
        assert_eq!(read.read[path].state, CollectionState::Failed, "{path}");
        assert!(read.detail(path).contains("snapshots"), "{}", read.detail(path));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_names_no_type_costs_only_the_rejected_types() {
    let bad = [
        "exchange/ExternalInOutlook",
        "exchange/HostedConnectionFilterPolicy",
        "exchange/HostedContentFilterPolicy",
        "exchange/HostedContentFilterRule",
        "exchange/HostedOutboundSpamFilterPolicy",
        "exchange/TransportRule",
        "purview/DlpComplianceRule",
        "teams/FederationConfiguration",
        "teams/MeetingBroadcastPolicy",
    ];
    for count in [1, 5, bad.len()] {
        let rig = Rig::start().await;
        rig.simulator.name_unknown_snapshot_types(false);
        for path in bad.iter().take(count) {
            let (workload, noun) = path.split_once('/').unwrap();
            let workload = workload.replace("purview", "securityandcompliance");
            let name = format!("microsoft.{workload}.{}", noun.to_lowercase());
            rig.simulator.forget_snapshot_type(&name);
        }
        let paths = in_snapshots(&rig);
        let read = from_snapshots(&rig, &paths).await;
        let mut lost: Vec<&str> = read.incomplete().into_iter().map(|(path, _)| path).collect();
        let mut expected = bad[..count].to_vec();
        lost.sort_unstable();
        expected.sort_unstable();
        assert_eq!(lost, expected);
        // Each rejected type is alone after at most six halvings, and each halving is two orders.
        let orders = rig.simulator.requests()[CREATE];
        assert!(orders <= 1 + 12 * count as u64 && orders < 80, "{orders} orders");
        let accepted = deleted(&rig);
        assert!(accepted < orders, "a rejected order creates no job");
    }
}

#[tokio::test(start_paused = true)]
async fn when_every_type_is_rejected_the_number_of_orders_is_bounded() {
    let rig = Rig::start().await;
    rig.simulator.name_unknown_snapshot_types(false);
    let paths = in_snapshots(&rig);
    for path in &paths {
        let (workload, noun) = path.split_once('/').unwrap();
        let workload = workload.replace("purview", "securityandcompliance");
        rig.simulator
            .forget_snapshot_type(&format!("microsoft.{workload}.{}", noun.to_lowercase()));
    }
    let read = from_snapshots(&rig, &paths).await;
    assert_eq!(read.incomplete().len(), paths.len());
    assert_eq!(rig.simulator.requests()[CREATE], 2 * paths.len() as u64 - 1);
    assert_eq!(deleted(&rig), 0);
}

#[tokio::test(start_paused = true)]
async fn a_taken_name_is_replaced_once() {
    let rig = Rig::start().await;
    let paths = ["exchange/TransportConfig"];
    for _ in 0..2 {
        // The names of two collections on one day differ.
        assert_eq!(from_snapshots(&rig, &paths).await.incomplete(), []);
    }
    rig.simulator.take_snapshot_names(1);
    assert_eq!(from_snapshots(&rig, &paths).await.incomplete(), []);
    assert_eq!(rig.simulator.requests()[CREATE], 4);
    rig.simulator.take_snapshot_names(2);
    let read = from_snapshots(&rig, &paths).await;
    assert_eq!(read.incomplete(), [(paths[0], CollectionState::Failed)]);
    assert_eq!(rig.simulator.requests()[CREATE], 6);
}

#[tokio::test(start_paused = true)]
async fn what_a_snapshot_does_not_tell_is_absent_until_another_source_tells_it() {
    let rig = Rig::start().await;
    let paths = [ORGANIZATION, DOMAINS];
    let read = from_snapshots(&rig, &paths).await;
    assert_eq!(read.incomplete(), []);
    let row = &read.rows(ORGANIZATION)[0];
    assert_eq!(row.get("RejectDirectSend"), None);
    assert_eq!(row["CustomerLockBoxEnabled"], false);
    assert_eq!(read.rows(DOMAINS)[0].get("IsCoexistenceDomain"), None);

    // The documented endpoints complete the list of domains, but not the organization.
    let read = rig.collect_paths(Platform::M365, &paths).await;
    assert_eq!(read.read[DOMAINS].source, "configuration-snapshot+exchange-admin");
    assert!(
        read.rows(DOMAINS)
            .iter()
            .all(|row| row["IsCoexistenceDomain"] == false)
    );
    assert_eq!(read.rows(ORGANIZATION)[0].get("RejectDirectSend"), None);

    // The proxy tells everything.
    let config = rig.m365_with_proxy();
    let read = rig
        .collect_with(Platform::M365, &config, &paths, true)
        .await
        .unwrap();
    assert_eq!(read.read[ORGANIZATION].source, "exchange-admin-beta");
    assert_eq!(read.rows(ORGANIZATION)[0]["RejectDirectSend"], false);
}
