//! The resolver against the simulator's name server, over UDP.

use crate::support::ORIGIN_MS;
use watchpost_outbound::dns::{DnsAnswer, DomainResolver, HickoryResolver, RecordKind};
use watchpost_simulator::{Company, Simulator, SimulatorConfig, SimulatorHandle};

async fn simulator() -> SimulatorHandle {
    let company = Company::load_embedded().unwrap();
    Simulator::start(SimulatorConfig::new(company, ORIGIN_MS))
        .await
        .unwrap()
}

fn resolver(simulator: &SimulatorHandle) -> HickoryResolver {
    HickoryResolver::new(Some(simulator.dns_address())).unwrap()
}

#[tokio::test]
async fn answers_are_distinguished_from_failures() {
    let simulator = simulator().await;
    let resolver = resolver(&simulator);
    for (name, kind, expected) in [
        (
            "birchworks.example",
            RecordKind::Mx,
            DnsAnswer::Found(vec![
                "0 birchworks-example.mail.protection.outlook.example.".to_owned(),
            ]),
        ),
        (
            "birchworks.example",
            RecordKind::Caa,
            DnsAnswer::Found(vec!["0 issue \"ca.example\"".to_owned()]),
        ),
        ("birchworks.example", RecordKind::Ds, DnsAnswer::Empty),
        (
            "_mta-sts.birchworks.example",
            RecordKind::Txt,
            DnsAnswer::NoSuchName,
        ),
        ("not a name", RecordKind::Txt, DnsAnswer::NoSuchName),
    ] {
        assert_eq!(resolver.lookup(name, kind).await, expected, "{name} {kind:?}");
    }
    simulator.fail_dns("birchworks.example", true);
    assert_eq!(
        resolver.lookup("birchworks.example", RecordKind::Txt).await,
        DnsAnswer::Failed
    );
}

#[tokio::test]
async fn a_failing_lookup_is_attempted_three_times() {
    let simulator = simulator().await;
    simulator.fail_dns("birchworks.example", true);
    let resolver = resolver(&simulator);
    assert_eq!(
        resolver.lookup("birchworks.example", RecordKind::Mx).await,
        DnsAnswer::Failed
    );
    assert_eq!(simulator.requests().get("DNS"), Some(&3));
}
