//! The client connects only to public addresses over HTTPS, whatever a caller or a name server returns.

use crate::support::{client, deadline};
use async_trait::async_trait;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::net::TcpListener;
use url::Url;
use watchpost_outbound::{Lookup, Outbound, OutboundSettings, Request, RequestError};

/// A lookup that resolves every name to the same addresses, and counts the lookups.
struct Names {
    answer: Vec<IpAddr>,
    lookups: AtomicUsize,
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        Ok(self.answer.clone())
    }
}

fn names(answer: &[&str]) -> Arc<Names> {
    let answer = answer.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(Names {
        answer,
        lookups: AtomicUsize::new(0),
    })
}

/// Starts a listener on loopback that counts connections. `PORT` stands for its port in the tables below.
async fn listener() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (port, connections)
}

async fn get(outbound: &Outbound, url: &str) -> RequestError {
    let request = Request::get(url.parse().unwrap());
    outbound.send(&request, deadline()).await.unwrap_err()
}

/// URLs that must be rejected, in every notation of an address.
const REJECTED: &[&str] = &[
    // Loopback, in plain and in obscure notations.
    "https://127.0.0.1:PORT",
    "https://127.1:PORT",
    "https://127.0.1:PORT",
    "https://127.255.255.254:PORT",
    "https://2130706433:PORT",
    "https://0x7f000001:PORT",
    "https://0x7f.0.0.1:PORT",
    "https://0x7f.1:PORT",
    "https://0177.0.0.1:PORT",
    "https://017700000001:PORT",
    "https://0177.0x0.0.1:PORT",
    "https://127.0.0.01:PORT",
    "https://127.0.0.1.:PORT",
    "https://①②⑦.0.0.1:PORT",
    "https://127。0。0。1:PORT",
    "https://127%2e0%2e0%2e1:PORT",
    "https://%31%32%37.0.0.1:PORT",
    "https://0:PORT",
    "https://0.0.0.0:PORT",
    "https://0x0:PORT",
    "https://00:PORT",
    "https://0.1.2.3:PORT",
    "https://[::1]:PORT",
    "https://[0:0:0:0:0:0:0:1]:PORT",
    "https://[::]:PORT",
    "https://[::ffff:127.0.0.1]:PORT",
    "https://[::ffff:7f00:1]:PORT",
    "https://[0:0:0:0:0:ffff:127.0.0.1]:PORT",
    "https://[::127.0.0.1]:PORT",
    "https://[64:ff9b::127.0.0.1]:PORT",
    "https://[64:ff9b:1::7f00:1]:PORT",
    "https://[2002:7f00:1::]:PORT",
    "https://[2001:0:7f00:1::]:PORT",
    // Private, link-local, shared and special-purpose.
    "https://10.0.0.1",
    "https://10.255.255.255",
    "https://167772161",
    "https://0xa000001",
    "https://012.0.0.1",
    "https://172.16.0.1",
    "https://172.31.255.255",
    "https://192.168.0.1",
    "https://3232235521",
    "https://192.168.1",
    "https://100.64.0.1",
    "https://100.100.100.200",
    "https://169.254.169.254",
    "https://169.254.169.254.",
    "https://2852039166",
    "https://0xa9fea9fe",
    "https://0251.0376.0251.0376",
    "https://169.16689662",
    "https://168.63.129.16",
    "https://192.0.0.192",
    "https://192.0.2.1",
    "https://198.18.0.1",
    "https://198.51.100.1",
    "https://203.0.113.1",
    "https://192.88.99.1",
    "https://224.0.0.1",
    "https://239.1.1.1",
    "https://240.0.0.1",
    "https://255.255.255.255",
    "https://4294967295",
    "https://[fe80::1]",
    "https://[fc00::1]",
    "https://[fd00:ec2::254]",
    "https://[ff02::1]",
    "https://[fec0::1]",
    "https://[2001:db8::1]",
    "https://[100::1]",
    "https://[3fff::1]",
    "https://[5f00::1]",
    "https://[::ffff:169.254.169.254]",
    "https://[::ffff:a9fe:a9fe]",
    "https://[::ffff:0:127.0.0.1]",
    "https://[64:ff9b::a9fe:a9fe]",
    // Not HTTPS.
    "http://127.0.0.1:PORT",
    "http://8.8.8.8",
    "http://birchworks.okta.com",
    "ftp://birchworks.okta.com",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_",
    "data://text/plain,x",
    "javascript://x",
    "unix://run/x.sock",
    "HTTP://birchworks.okta.com",
    "ws://birchworks.okta.com",
    // User names that look like hosts.
    "https://birchworks.okta.com@127.0.0.1:PORT",
    "https://birchworks.okta.com:443@127.0.0.1:PORT",
    "https://user:word@birchworks.okta.com",
    "https://user@birchworks.okta.com",
    "https://127.0.0.1:PORT\\@birchworks.okta.com",
    // URLs that the parser normalizes leniently, as browsers do.
    "https://127.0.0.1:PORT/?x",
    "https:\\\\127.0.0.1:PORT",
    "https:127.0.0.1:PORT",
    "https:///127.0.0.1:PORT",
    "https://\t127.0.0.1:PORT",
    "https://127.0.0\n.1:PORT",
];

/// Texts that aren't valid URLs, although some programs accept them.
const INVALID: &[&str] = &[
    "//127.0.0.1:PORT",
    "https://",
    "https://[::1",
    "https://256.256.256.256",
    "https://1.2.3.4.5",
    "https://127.0.0.0x1ff",
    "https://host name",
    "https://a:99999",
    "::1",
    "[::1]",
    "127.0.0.1:PORT",
    "127.1",
    "2130706433",
    "0x7f000001",
];

#[tokio::test]
async fn private_addresses_are_rejected_in_every_notation() {
    let (port, connections) = listener().await;
    let lookup = names(&[]);
    let outbound = client(OutboundSettings::default(), lookup.clone());
    for form in REJECTED {
        let text = form.replace("PORT", &port.to_string());
        let url: Url = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let checked = outbound.check(&url);
        assert!(
            matches!(checked, Err(RequestError::Refused { .. })),
            "{text}: {checked:?}"
        );
        for request in [
            Request::get(url.clone()),
            Request::form(url.clone(), "a=b".into()),
            Request::query(url.clone(), "{}".to_owned()),
            Request::create(url.clone(), "{}".to_owned()),
            Request::delete(url),
        ] {
            let sent = outbound.send(&request, deadline()).await;
            assert!(
                matches!(sent, Err(RequestError::Refused { .. })),
                "{text}: {sent:?}"
            );
        }
    }
    for form in INVALID {
        let text = form.replace("PORT", &port.to_string());
        assert!(text.parse::<Url>().is_err(), "{text}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(lookup.lookups.load(Ordering::SeqCst), 0, "no name was looked up");
}

#[tokio::test(start_paused = true)]
async fn names_that_resolve_to_private_addresses_are_rejected() {
    let (port, connections) = listener().await;
    for answer in [
        &["127.0.0.1"][..],
        &["::1"],
        &["10.1.2.3"],
        &["169.254.169.254"],
        &["100.64.1.1"],
        &["fd00:ec2::254"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["0.0.0.0"],
        &["127.0.0.1", "::1", "192.168.1.1"],
    ] {
        for host in [
            "localhost",
            "metadata.google.internal",
            "birchworks.okta.com",
            "localhost.",
        ] {
            let lookup = names(answer);
            let outbound = client(OutboundSettings::default(), lookup.clone());
            let url = format!("https://{host}:{port}");
            let error = get(&outbound, &url).await;
            assert!(
                error.to_string().contains("no address on the public internet"),
                "{url} {answer:?}: {error}"
            );
            assert_eq!(
                lookup.lookups.load(Ordering::SeqCst),
                1,
                "the rejection isn't retried"
            );
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn only_the_listed_origin_is_exempt() {
    let (port, connections) = listener().await;
    let settings = OutboundSettings {
        allow: vec![format!("http://127.0.0.1:{port}").parse().unwrap()],
        ..OutboundSettings::default()
    };
    let outbound = client(settings, names(&["127.0.0.1"]));
    for url in [
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("http://127.0.0.2:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
    ] {
        let error = get(&outbound, &url).await;
        assert!(matches!(error, RequestError::Refused { .. }), "{url}: {error}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    // The listener closes the connection, but the client did connect.
    let error = get(&outbound, &format!("http://127.0.0.1:{port}")).await;
    assert!(matches!(error, RequestError::Transport { .. }), "{error}");
    assert!(connections.load(Ordering::SeqCst) > 0);
}
