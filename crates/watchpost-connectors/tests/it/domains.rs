//! Tests of the setting `dns/domains`: the domains that are looked up, and failures of lookups, name servers and Graph.

use crate::support::{Rig, Settings};
use serde_json::json;
use std::net::UdpSocket;
use watchpost_core::{
    integration::connector::ConnectorError,
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{FaultKind, Vendor};

const DNS: &str = "dns/domains";

async fn read(rig: &Rig) -> Settings {
    rig.collect_paths(Platform::M365, &[DNS]).await
}

fn names(read: &Settings) -> Vec<String> {
    let rows = read.rows(DNS);
    let names = rows.iter().map(|row| row["domain"].as_str().unwrap().to_owned());
    names.collect()
}

#[tokio::test]
async fn every_verified_domain_and_configured_host_is_looked_up() {
    let rig = Rig::start().await;
    let read = read(&rig).await;
    assert_eq!(read.incomplete(), []);
    assert_eq!(read.read[DNS].source, "dns");
    let all = rig.collect_paths(Platform::M365, &["domains"]).await;
    let mut expected = Vec::new();
    for domain in all.rows("domains") {
        if domain["isVerified"] == true {
            expected.push(domain["id"].as_str().unwrap().to_owned());
        }
    }
    assert!(!expected.is_empty());
    assert_eq!(names(&read), expected);
    let rows = read.rows(DNS);
    let defaults = rows.iter().filter(|row| row["is_default"] == true);
    assert_eq!(defaults.count(), 1);
    let hosts = read.document(DNS)["hosts"].clone();
    assert_eq!(hosts[1]["name"], "shop.birchworks.example");
    assert_eq!(hosts[1]["target"]["status"], "nxdomain");
}

#[tokio::test]
async fn the_domains_are_taken_from_the_organization_if_their_list_is_denied() {
    let rig = Rig::start().await;
    let before = read(&rig).await;
    rig.simulator.deny_permission(Vendor::Graph, "Domain.Read.All");
    let after = read(&rig).await;
    assert_eq!(after.incomplete(), []);
    let sorted = |read: &Settings| {
        let mut names = names(read);
        names.sort();
        names
    };
    assert_eq!(sorted(&after), sorted(&before));
    rig.simulator
        .deny_permission(Vendor::Graph, "Organization.Read.All");
    let neither = read(&rig).await;
    assert_eq!(neither.incomplete(), [(DNS, CollectionState::Denied)]);
    assert_eq!(neither.detail(DNS), "Domain.Read.All");
}

#[tokio::test]
async fn a_failed_lookup_does_not_affect_other_lookups() {
    let rig = Rig::start().await;
    rig.simulator.fail_dns("_dmarc.birchworks.example", true);
    let read = read(&rig).await;
    assert_eq!(read.incomplete(), []);
    let rows = read.rows(DNS);
    let row = rows
        .iter()
        .find(|row| row["domain"] == "birchworks.example")
        .unwrap();
    assert_eq!(row["lookups"]["dmarc"]["status"], "failed");
    assert_eq!(row["lookups"]["spf"]["status"], "found");
}

#[tokio::test(start_paused = true)]
async fn a_name_server_that_never_answers_fails_only_this_setting() {
    let rig = Rig::start().await;
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut config = rig.m365();
    let address = silent.local_addr().unwrap().to_string();
    config.values.insert("dns_server".to_owned(), address);
    let paths = [DNS, "organization"];
    let read = rig
        .collect_with(Platform::M365, &config, &paths, true)
        .await
        .unwrap();
    assert_eq!(read.incomplete(), [(DNS, CollectionState::Failed)]);
    assert_eq!(read.detail(DNS), "no name server answered");
}

#[tokio::test]
async fn the_domains_are_taken_from_the_organization_if_their_list_is_malformed() {
    let rig = Rig::start().await;
    rig.fault(Vendor::Graph, "/v1.0/domains", u32::MAX, FaultKind::MalformedJson);
    assert_eq!(read(&rig).await.incomplete(), []);
}

#[tokio::test]
async fn configured_selectors_are_looked_up_and_invalid_ones_rejected_before_any_request() {
    let rig = Rig::start().await;
    let mut config = rig.m365();
    config.values.insert("dkim_selectors".to_owned(), "pm".to_owned());
    let read = rig
        .collect_with(Platform::M365, &config, &[DNS], true)
        .await
        .unwrap();
    let rows = read.rows(DNS);
    let row = rows
        .iter()
        .find(|row| row["domain"] == "birchworks.example")
        .unwrap();
    let dkim = row["lookups"]["dkim"].as_array().unwrap();
    assert!(dkim.iter().any(|found| found["selector"] == json!("pm")));

    let rig = Rig::start().await;
    let mut config = rig.m365();
    config
        .values
        .insert("dkim_selectors".to_owned(), "p/m".to_owned());
    for error in [
        rig.connector(Platform::M365).verify(&config).await.err(),
        rig.collect_with(Platform::M365, &config, &[DNS], true)
            .await
            .err(),
    ] {
        let field = "dkim_selectors";
        assert!(matches!(error, Some(ConnectorError::Config { field: named, .. }) if named == field));
    }
    assert!(rig.simulator.requests().is_empty());
}
