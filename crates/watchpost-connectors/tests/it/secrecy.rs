//! Credentials, tokens and answers stay where they are; broken answers stay small.

use crate::support::{Rig, config, outbound};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use watchpost_connectors::{OutboundSettings, connectors};
use watchpost_core::{
    integration::connector::{Connector, ConnectorConfig},
    value::word::Platform,
};
use watchpost_simulator::{FaultKind, RetryAfter, Vendor};

/// Keeps the whole log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn no_credential_token_or_body_gets_into_logs_errors_or_debug_text() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber `tracing` asks the thread that first meets a log line, which may be another test's and has none. A
    // second one makes it ask all.
    let _second = tracing::Dispatch::new(
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(io::sink)
            .finish(),
    );
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();

    let rig = Rig::small().await;
    let mut said = String::new();
    for (vendor, path, kind) in [
        (Vendor::Graph, "/users", FaultKind::Unauthorized),
        (Vendor::Okta, "/users", FaultKind::Unauthorized),
        (Vendor::Graph, "/domains", FaultKind::BadGateway),
        (Vendor::Graph, "/oauth2PermissionGrants", FaultKind::MalformedJson),
        (Vendor::Okta, "/apps", FaultKind::ForeignNext),
        (
            Vendor::Okta,
            "/zones",
            FaultKind::TooManyRequests(RetryAfter::Seconds(3)),
        ),
        (Vendor::Graph, "/organization", FaultKind::Reset),
    ] {
        rig.fault(vendor, path, 1, kind);
    }
    for platform in [Platform::M365, Platform::Okta] {
        let config: ConnectorConfig = if platform == Platform::Okta {
            rig.okta()
        } else {
            rig.m365()
        };
        said.push_str(&format!("{config:?} {:?}", rig.outbound));
        let outcome = rig.sync_with(platform, &config).await;
        said.push_str(&format!("{:?} {:?}", outcome.ends, outcome.error));
        let mut wrong = config;
        for secret in wrong.secrets.values_mut() {
            *secret = "wrong-credential-text".into();
        }
        let error = rig.connector(platform).verify(&wrong).await.unwrap_err();
        said.push_str(&format!("{error} {error:?}"));
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("vendor answered") && logged.contains("/graph/v1.0/users"),
        "the log was kept"
    );
    for text in [&said, &logged] {
        for secret in [
            rig.simulator.m365().client_secret.as_str(),
            rig.simulator.okta().api_token.as_str(),
            "wrong-credential-text",
            "simulated-graph-token",
            "simulated-okta-token",
            "AADSTS",
            "Trace ID",
            "E0000011",
            "502 Bad Gateway",
            "foreign.example",
            "skiptoken",
        ] {
            let at = text.find(secret).map(|at| {
                text[at.saturating_sub(200)..]
                    .chars()
                    .take(400)
                    .collect::<String>()
            });
            assert_eq!(at, None, "{secret}");
        }
    }
}

/// Answers each connection with `head` and then `body` again and again.
async fn stubborn(head: &'static str, body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0_u8; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while !body.is_empty() && stream.write_all(body).await.is_ok() {}
            });
        }
    });
    origin
}

fn okta(origin: &str, answer_bytes_max: usize) -> Arc<dyn Connector> {
    let settings = OutboundSettings {
        allow: vec![origin.parse().unwrap()],
        answer_bytes_max,
        ..OutboundSettings::default()
    };
    let all = connectors(&outbound(settings));
    all.into_iter()
        .find(|connector| connector.platform() == Platform::Okta)
        .unwrap()
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let origin = stubborn(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
        &[b' '; 64 * 1024],
    )
    .await;
    let connector = okta(&origin, 3 << 20);
    let error = connector
        .verify(&config(&[("org_url", &origin)], &[("api_token", "x")]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("larger than 3 MiB"), "{error}");
}

#[tokio::test]
async fn the_limit_counts_what_was_unpacked() {
    // Eight MiB of zeroes in eight KiB: `head -c 8388608 /dev/zero | gzip -9n`.
    let origin = stubborn(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n",
        include_bytes!("zeroes.gz"),
    )
    .await;
    let connector = okta(&origin, 3 << 20);
    let error = connector
        .verify(&config(&[("org_url", &origin)], &[("api_token", "x")]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("larger than 3 MiB"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (target, hits) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        Arc::new(Mutex::new(0)),
    );
    let address = target.local_addr().unwrap();
    let counted = Arc::clone(&hits);
    tokio::spawn(async move {
        while target.accept().await.is_ok() {
            *counted.lock().unwrap() += 1;
        }
    });
    let head: &'static str = Box::leak(
        format!("HTTP/1.1 302 Found\r\nlocation: http://{address}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into_boxed_str(),
    );
    let origin = stubborn(head, b"").await;
    let settings_allow_both = OutboundSettings {
        allow: vec![
            origin.parse().unwrap(),
            format!("http://{address}").parse().unwrap(),
        ],
        ..OutboundSettings::default()
    };
    let all = connectors(&outbound(settings_allow_both));
    let connector = all
        .into_iter()
        .find(|connector| connector.platform() == Platform::Okta)
        .unwrap();
    let verification = connector
        .verify(&config(&[("org_url", &origin)], &[("api_token", "x")]))
        .await;
    assert_eq!(*hits.lock().unwrap(), 0);
    let error = verification.unwrap_err().to_string();
    assert!(error.contains("does not answer like Okta"), "{error}");
}
