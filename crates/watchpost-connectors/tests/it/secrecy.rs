//! Credentials, tokens and responses stay where they are.

use crate::support::Rig;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use watchpost_core::{integration::connector::ConnectorConfig, value::word::Platform};
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
        logged.contains("response received") && logged.contains("/graph/v1.0/users"),
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
