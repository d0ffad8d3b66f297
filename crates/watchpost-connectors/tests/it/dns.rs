//! Tests of the reader of mail domains against the simulator's name server, over UDP.

use crate::support::ORIGIN_MS;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use watchpost_connectors::dns::{DnsError, DnsSettings, DomainsReader, MailDomain, MtaStsSource};
use watchpost_outbound::dns::HickoryResolver;
use watchpost_simulator::{Change, Company, DnsRecord, Simulator, SimulatorConfig, SimulatorHandle};

/// A source with one policy.
struct Policy(Option<&'static str>);

#[async_trait]
impl MtaStsSource for Policy {
    async fn policy(&self, domain: &str, _: Instant) -> Option<String> {
        assert_eq!(domain, "birchworks.example");
        self.0.map(str::to_owned)
    }
}

async fn simulator() -> SimulatorHandle {
    let company = Company::load_embedded().unwrap();
    Simulator::start(SimulatorConfig::new(company, ORIGIN_MS))
        .await
        .unwrap()
}

fn resolver(server: SocketAddr) -> Arc<HickoryResolver> {
    Arc::new(HickoryResolver::new(Some(server)).unwrap())
}

fn reader(simulator: &SimulatorHandle, policy: Option<&'static str>, settings: DnsSettings) -> DomainsReader {
    DomainsReader::new(
        resolver(simulator.dns_address()),
        Arc::new(Policy(policy)),
        settings,
    )
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn domains(names: &[&str]) -> Vec<MailDomain> {
    names.iter().map(|name| MailDomain::new(name).unwrap()).collect()
}

async fn rows(reader: &DomainsReader, names: &[&str]) -> Vec<Value> {
    let document = reader.read(&domains(names), deadline()).await.unwrap();
    assert_eq!(document.note, None);
    document.json["value"].as_array().unwrap().clone()
}

fn dkim<'v>(row: &'v Value, selector: &str) -> &'v Value {
    let all = row["lookups"]["dkim"].as_array().unwrap();
    all.iter().find(|found| found["selector"] == selector).unwrap()
}

#[tokio::test]
async fn all_records_of_a_domain_are_read() {
    let simulator = simulator().await;
    let row = &rows(
        &reader(&simulator, None, DnsSettings::default()),
        &["birchworks.example"],
    )
    .await[0];
    let lookups = &row["lookups"];
    assert_eq!(
        (&row["domain"], &row["has_mx"]),
        (&json!("birchworks.example"), &json!(true))
    );
    assert_eq!(lookups["spf"]["status"], "found");
    assert_eq!(lookups["spf"]["rdata"].as_array().unwrap().len(), 2);
    assert_eq!(
        lookups["spf_tree"],
        json!({"status": "found", "lookups": 3, "voids": 0, "all": "~", "open": null, "broken": null})
    );
    assert_eq!(
        lookups["mx"]["rdata"],
        json!(["0 birchworks-example.mail.protection.outlook.example."])
    );
    assert!(lookups["dmarc"]["rdata"][0].as_str().unwrap().contains("p=none"));
    assert_eq!(lookups["dmarc"]["organizational"], Value::Null);
    assert_eq!(
        lookups["dmarc_external"],
        json!([{"status": "nxdomain", "address_domain": "mailpost.example"}])
    );
    let key = dkim(row, "selector1");
    assert_eq!(
        (&key["status"], &key["key_bits"]),
        (&json!("found"), &json!(2048))
    );
    assert_eq!(dkim(row, "selector2")["status"], "nxdomain");
    assert_eq!(dkim(row, "google")["status"], "nxdomain");
    assert_eq!(lookups["mta_sts"]["status"], "nxdomain");
    assert_eq!(lookups.get("mta_sts_policy"), None);
    assert_eq!(lookups["caa"]["rdata"], json!(["0 issue \"ca.example\""]));
    assert_eq!(lookups["ds"]["status"], "empty");
    assert_eq!(lookups["bimi"]["status"], "nxdomain");
    assert_eq!(lookups["tls_rpt"]["status"], "nxdomain");
}

#[tokio::test]
async fn domains_with_different_records_are_distinguished() {
    let simulator = simulator().await;
    let names = [
        "birchworks-events.example",
        "birchworks-shop.example",
        "birchworks-news.example",
        "oldbirch.example",
    ];
    let rows = rows(&reader(&simulator, None, DnsSettings::default()), &names).await;
    let [strict, parked, news, old] = rows.as_slice() else {
        panic!("four rows")
    };
    assert_eq!(strict["has_mx"], false);
    assert_eq!(strict["lookups"]["ds"]["status"], "found");
    assert!(
        strict["lookups"]["ds"]["rdata"][0]
            .as_str()
            .unwrap()
            .starts_with("20326 13 2 ")
    );
    assert_eq!(strict["lookups"]["caa"]["status"], "found");
    assert_eq!(
        strict["lookups"]["dmarc_external"],
        json!([{"status": "found", "address_domain": "birchworks.example"}])
    );
    assert_eq!(parked["has_mx"], false);
    assert_eq!(parked["lookups"]["mx"]["status"], "empty");
    assert_eq!(parked["lookups"].get("spf_tree"), None);
    assert_eq!(
        news["lookups"]["spf_tree"],
        json!({"status": "found", "lookups": 11, "voids": 2, "all": "?", "open": null, "broken": "p10.mailpost.example"})
    );
    assert_eq!(dkim(news, "google")["key_bits"], 768);
    // With two SPF records, neither is evaluated.
    assert_eq!(old["lookups"].get("spf_tree"), None);
}

#[tokio::test]
async fn a_subdomain_uses_the_records_of_its_parent() {
    let simulator = simulator().await;
    let row = &rows(
        &reader(&simulator, None, DnsSettings::default()),
        &["www.birchworks.example"],
    )
    .await[0];
    let lookups = &row["lookups"];
    assert_eq!(lookups["dmarc"]["organizational"], true);
    assert_eq!(lookups["dmarc"]["name"], "_dmarc.birchworks.example");
    assert_eq!(lookups["caa"]["name"], "birchworks.example");
    assert_eq!(lookups["ds"]["name"], "birchworks.example");
}

#[tokio::test]
async fn the_organizational_domain_has_the_fewest_labels_of_those_with_a_dmarc_record() {
    let apex = "_dmarc.birchworks.example";
    let middle = "_dmarc.b.birchworks.example";
    for (apex_record, middle_record, expected) in [
        ("v=DMARC1; p=none", "v=DMARC1; p=reject", apex),
        ("v=DMARC1; p=none", "v=DMARC1; p=reject; psd=n", middle),
        ("v=DMARC1; p=none; psd=y", "v=DMARC1; p=reject", middle),
        (
            "v=DMARC1; p=none; psd=y",
            "a note",
            "_dmarc.a.b.birchworks.example",
        ),
    ] {
        let simulator = simulator().await;
        for (name, value) in [(apex, apex_record), (middle, middle_record)] {
            let (name, values) = (name.to_owned(), vec![value.to_owned()]);
            let record = DnsRecord::Txt;
            simulator.apply(&Change::SetDns { name, record, values }).unwrap();
        }
        let row = &rows(
            &reader(&simulator, None, DnsSettings::default()),
            &["a.b.birchworks.example"],
        )
        .await[0];
        let dmarc = &row["lookups"]["dmarc"];
        assert_eq!(dmarc["name"], expected, "{apex_record}, {middle_record}");
    }
}

#[tokio::test]
async fn the_next_reader_sees_changes_in_dns() {
    let simulator = simulator().await;
    let set = |name: &str, record: DnsRecord, values: &[&str]| {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let name = name.to_owned();
        simulator.apply(&Change::SetDns { name, record, values }).unwrap();
    };
    set(
        "_dmarc.birchworks.example",
        DnsRecord::Txt,
        &["v=DMARC1; p=reject"],
    );
    set(
        "_mta-sts.birchworks.example",
        DnsRecord::Txt,
        &["v=STSv1; id=20260302"],
    );
    set("birchworks.example", DnsRecord::Mx, &[]);
    let policy =
        "version: STSv1\r\nmode: enforce\r\nmx: *.mail.protection.outlook.example\r\n\r\nmax_age: 604800\r\n";
    let fetched = reader(&simulator, Some(policy), DnsSettings::default());
    let row = &rows(&fetched, &["birchworks.example"]).await[0];
    assert_eq!(row["lookups"]["dmarc"]["rdata"], json!(["v=DMARC1; p=reject"]));
    assert_eq!(row["lookups"]["mx"]["status"], "empty");
    assert_eq!(
        row["lookups"]["mta_sts_policy"],
        json!({"status": "found", "rdata": ["version: STSv1", "mode: enforce", "mx: *.mail.protection.outlook.example", "max_age: 604800"]})
    );
    let unfetched = reader(&simulator, None, DnsSettings::default());
    let row = &rows(&unfetched, &["birchworks.example"]).await[0];
    assert_eq!(row["lookups"]["mta_sts_policy"]["status"], "failed");
}

#[tokio::test]
async fn configured_selectors_and_hosts_are_looked_up() {
    let simulator = simulator().await;
    let settings = DnsSettings {
        server: None,
        selectors: vec!["Pulse1".to_owned(), "not a selector".to_owned()],
        hosts: vec![
            "shop.birchworks.example".to_owned(),
            "www.birchworks.example".to_owned(),
            "nonsense".to_owned(),
        ],
    };
    let reader = reader(&simulator, None, settings);
    let document = reader
        .read(&domains(&["birchworks.example"]), deadline())
        .await
        .unwrap();
    assert_eq!(dkim(&document.json["value"][0], "pulse1")["status"], "nxdomain");
    let hosts = document.json["hosts"].as_array().unwrap();
    assert_eq!(hosts.len(), 2);
    assert_eq!(
        hosts[0]["target"],
        json!({"status": "nxdomain", "name": "birchworks.shops.example"})
    );
    assert_eq!(hosts[1]["cname"]["status"], "empty");
}

#[tokio::test]
async fn a_failed_lookup_is_reported_as_failed() {
    let simulator = simulator().await;
    for name in ["_dmarc.birchworks.example", "birchworks.example"] {
        simulator.fail_dns(name, true);
    }
    simulator.clear_requests();
    let reader = reader(&simulator, None, DnsSettings::default());
    let row = &rows(&reader, &["birchworks.example"]).await[0];
    assert_eq!(row["lookups"]["dmarc"]["status"], "failed");
    assert_eq!(row["lookups"]["spf"]["status"], "failed");
    assert_eq!(row["has_mx"], Value::Null);
    assert_eq!(dkim(row, "google")["status"], "nxdomain");
    simulator.fail_dns("_dmarc.birchworks.example", false);
    let row = &rows(&reader, &["birchworks.example"]).await[0];
    assert_eq!(row["lookups"]["dmarc"]["status"], "found");
}

#[tokio::test]
async fn reading_fails_if_no_name_server_answers() {
    // A port on which nothing listens.
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let reader = DomainsReader::new(resolver(closed), Arc::new(Policy(None)), DnsSettings::default());
    let soon = Instant::now() + Duration::from_millis(300);
    assert_eq!(
        reader.read(&domains(&["birchworks.example"]), soon).await,
        Err(DnsError)
    );
}

#[tokio::test]
async fn too_many_domains_are_truncated_with_a_note() {
    let simulator = simulator().await;
    let names: Vec<String> = (0..201).map(|n| format!("d{n}.birchworks.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let reader = reader(&simulator, None, DnsSettings::default());
    let document = reader.read(&domains(&names), deadline()).await.unwrap();
    assert_eq!(document.json["value"].as_array().unwrap().len(), 200);
    assert_eq!(
        document.note.as_deref(),
        Some("only 200 of 201 domains were looked up")
    );
}
