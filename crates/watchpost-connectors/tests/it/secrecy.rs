//! Credentials, tokens and bodies of responses don't appear in logs or errors.

use crate::support::Rig;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use watchpost_core::{
    integration::{connector::ConnectorConfig, fact::Dataset},
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{Company, FaultKind, RetryAfter, Vendor};

/// A writer that keeps the whole log.
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
async fn credentials_tokens_and_bodies_do_not_appear_in_logs_errors_or_debug_texts() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber, `tracing` decides whether a log line is enabled on the thread that reaches it first, which may
    // be that of another test and have no subscriber. With a second one, it asks all subscribers.
    let _second = tracing::Dispatch::new(
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(io::sink)
            .finish(),
    );
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();

    let rig = Rig::small().await;
    let mut texts = String::new();
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
        texts.push_str(&format!("{config:?} {:?}", rig.outbound));
        let outcome = rig.sync_with(platform, &config).await;
        texts.push_str(&format!("{:?} {:?}", outcome.collections, outcome.error));
        let mut wrong = config;
        for secret in wrong.secrets.values_mut() {
            *secret = "wrong-credential-text".into();
        }
        let error = rig.connector(platform).verify(&wrong).await.unwrap_err();
        texts.push_str(&format!("{error} {error:?}"));
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("response received") && logged.contains("/graph/v1.0/users"),
        "the log was kept"
    );
    for text in [&texts, &logged] {
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

/// A vendor that returns the credential as its own name, as the names of people and apps, in its settings.
#[tokio::test(start_paused = true)]
async fn a_credential_that_a_vendor_returns_is_neither_stored_nor_shown() {
    let plain = Rig::small().await;
    let (m365, okta) = (plain.simulator.m365(), plain.simulator.okta());
    for (platform, secret) in [
        (Platform::M365, m365.client_secret),
        (Platform::Okta, okta.api_token),
    ] {
        let mut written = 0_u32;
        let company = Company::load_embedded().unwrap().with_texts(&mut |text| {
            written += 1;
            match written % 3 {
                0 => format!("{text} {secret}"),
                1 => secret.to_uppercase(),
                _ => text.to_owned(),
            }
        });
        let rig = Rig::with(company, |_| {}).await;
        let outcome = rig.sync(platform).await;
        let error = match platform {
            Platform::Okta => rig.connector(platform).verify(&rig.okta()).await,
            _ => rig.connector(platform).verify(&rig.m365()).await,
        };
        let texts = format!("{outcome:?} {error:?}").to_lowercase();
        assert!(!texts.contains(&secret), "{platform}");
        let users = &outcome.collections[&Dataset::Users];
        assert_eq!(users.state, CollectionState::Failed, "{platform}");
        let detail = users.detail.as_deref().unwrap_or_default();
        assert!(
            detail.contains("contained the credential"),
            "{platform}: {detail}"
        );
        // What doesn't contain it is read.
        let others = outcome.collections.values();
        assert!(
            others.clone().any(|end| end.state == CollectionState::Complete),
            "{platform}"
        );
    }
}
