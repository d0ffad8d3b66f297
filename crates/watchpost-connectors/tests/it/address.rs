//! Configured addresses are checked by the HTTP client, and the error names the field. The tests of the check itself are in
//! `watchpost-outbound`.

use crate::support::{TestClock, TestRandom, config};
use async_trait::async_trait;
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use watchpost_connectors::{ReadLimits, connectors};
use watchpost_core::{
    integration::connector::{Connector, ConnectorError},
    value::word::Platform,
};
use watchpost_outbound::{Lookup, Outbound, OutboundSettings};

/// A lookup that resolves every name to this machine, and counts the lookups.
#[derive(Default)]
struct ThisMachine {
    lookups: AtomicUsize,
}

#[async_trait]
impl Lookup for ThisMachine {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

fn okta(lookup: Arc<ThisMachine>) -> Arc<dyn Connector> {
    let outbound = Outbound::with_lookup(
        OutboundSettings::default(),
        Arc::new(TestClock::new()),
        Arc::new(TestRandom::new()),
        lookup,
    )
    .unwrap();
    let all = connectors(&outbound, ReadLimits::default());
    all.into_iter()
        .find(|connector| connector.platform() == Platform::Okta)
        .unwrap()
}

#[tokio::test]
async fn configured_addresses_are_checked() {
    let lookup = Arc::new(ThisMachine::default());
    let connector = okta(Arc::clone(&lookup));
    for url in [
        // Rejected by the client.
        "https://127.0.0.1:8443",
        "https://0x7f000001",
        "https://[::ffff:169.254.169.254]",
        "https:127.0.0.1",
        "http://birchworks.okta.com",
        "file:///etc/passwd",
        "https://birchworks.okta.com@127.0.0.1",
        "https://user:word@birchworks.okta.com",
        // Completed to a URL, then rejected by the client.
        "127.0.0.1:8443",
        "127.1",
        "2130706433",
        "0x7f000001",
        // Not an address.
        "::1",
        "[::1]",
        "//127.0.0.1",
        "https://",
        "https://[::1",
        "https://256.256.256.256",
        "https://1.2.3.4.5",
        "https://127.0.0.0x1ff",
        "https://host name",
        "https://a:99999",
        // More than an address.
        "https://birchworks.okta.com/#x",
        "https://birchworks.okta.com/?x",
    ] {
        let config = config(&[("org_url", url)], &[("api_token", "x")]);
        match connector.verify(&config).await {
            Err(ConnectorError::Config { field: "org_url", .. }) => {}
            other => panic!("{url}: {other:?}"),
        }
    }
    assert_eq!(lookup.lookups.load(Ordering::SeqCst), 0, "no name was looked up");
}

#[tokio::test(start_paused = true)]
async fn a_configured_name_that_resolves_to_this_machine_is_rejected() {
    let lookup = Arc::new(ThisMachine::default());
    let config = config(
        &[("org_url", "https://birchworks.okta.com")],
        &[("api_token", "x")],
    );
    let error = okta(Arc::clone(&lookup)).verify(&config).await.unwrap_err();
    assert!(
        error.to_string().contains("no address on the public internet"),
        "{error}"
    );
    assert_eq!(lookup.lookups.load(Ordering::SeqCst), 1);
}
