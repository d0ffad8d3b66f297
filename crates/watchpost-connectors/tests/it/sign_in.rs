//! Tests of authentication and of the errors for invalid credentials and configurations.

use crate::support::{Rig, config};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use watchpost_core::{
    integration::{
        connector::{ConnectorConfig, ConnectorError},
        fact::Dataset,
    },
    value::word::{CollectionState, Platform},
};
use watchpost_simulator::{FaultKind, Vendor};

fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// Generates an RSA key.
fn pkcs8() -> Vec<u8> {
    KeyPair::generate(KeySize::Rsa2048)
        .unwrap()
        .as_der()
        .unwrap()
        .as_ref()
        .to_vec()
}

/// Returns the integers of a PKCS#8 RSA key, in order.
fn integers(der: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = der;
    while let [tag, length, tail @ ..] = rest {
        let (length, tail) = match usize::from(*length) {
            short @ 0..=127 => (short, tail),
            long => {
                let (size, tail) = tail.split_at(long - 128);
                (
                    size.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                    tail,
                )
            }
        };
        let (value, after) = tail.split_at(length);
        rest = match tag {
            // Sequences, and the octet string that contains the inner key.
            0x30 | 0x04 => {
                found.extend(integers(value));
                after
            }
            0x02 => {
                found.push(value.iter().copied().skip_while(|byte| *byte == 0).collect());
                after
            }
            _ => after,
        };
    }
    found
}

fn jwk(der: &[u8]) -> String {
    let numbers = integers(der);
    // The versions of the outer and the inner structure are zero and therefore empty here.
    let numbers: Vec<&Vec<u8>> = numbers.iter().filter(|number| !number.is_empty()).collect();
    let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let mut fields = serde_json::Map::new();
    for (name, number) in names.iter().zip(numbers) {
        fields.insert((*name).to_owned(), URL_SAFE_NO_PAD.encode(number).into());
    }
    fields.insert("kty".to_owned(), "RSA".into());
    fields.insert("kid".to_owned(), "key-1".into());
    serde_json::Value::Object(fields).to_string()
}

fn okta_app(rig: &Rig, key: &str) -> ConnectorConfig {
    let access = rig.simulator.okta();
    config(
        &[("org_url", &access.org_url), ("client_id", &access.client_id)],
        &[("private_key", key)],
    )
}

/// Returns the configuration of a service app at Okta.
pub(crate) fn service_app(rig: &Rig) -> ConnectorConfig {
    okta_app(rig, &pem("PRIVATE KEY", &pkcs8()))
}

#[tokio::test]
async fn okta_accepts_a_service_apps_key_as_pem_or_jwk() {
    let rig = Rig::small().await;
    let der = pkcs8();
    for key in [pem("PRIVATE KEY", &der), jwk(&der)] {
        let outcome = rig.sync_with(Platform::Okta, &okta_app(&rig, &key)).await;
        assert_eq!(outcome.error, None);
        assert_eq!(outcome.incomplete(), []);
    }
}

#[tokio::test]
async fn a_service_app_without_one_scope_reads_the_other_datasets() {
    let rig = Rig::small().await;
    rig.simulator.deny_permission(Vendor::Okta, "okta.apiTokens.read");
    let outcome = rig
        .sync_with(Platform::Okta, &okta_app(&rig, &pem("PRIVATE KEY", &pkcs8())))
        .await;
    assert_eq!(outcome.incomplete(), [(Dataset::Tokens, CollectionState::Denied)]);
}

#[tokio::test]
async fn an_unknown_scope_does_not_affect_the_others() {
    let rig = Rig::small().await;
    let mut config = okta_app(&rig, &pem("PRIVATE KEY", &pkcs8()));
    config.values.insert(
        "scopes".to_owned(),
        "okta.users.read okta.unknown.read okta.orgs.read".to_owned(),
    );
    let outcome = rig.sync_with(Platform::Okta, &config).await;
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.state(Dataset::Users), CollectionState::Complete);
    assert_eq!(outcome.state(Dataset::Organization), CollectionState::Complete);
    assert_eq!(outcome.state(Dataset::Apps), CollectionState::Denied);
}

#[tokio::test]
async fn entra_accepts_a_certificate() {
    let rig = Rig::small().await;
    let both = format!(
        "{}{}",
        pem("CERTIFICATE", b"any certificate"),
        pem("PRIVATE KEY", &pkcs8())
    );
    let mut config = rig.m365();
    config.secrets.clear();
    config
        .secrets
        .insert("client_certificate".to_owned(), both.into());
    let outcome = rig.sync_with(Platform::M365, &config).await;
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.incomplete(), []);
}

#[tokio::test]
async fn errors_for_wrong_credentials_say_what_to_do() {
    let rig = Rig::small().await;
    let check = async |platform: Platform, config: ConnectorConfig, expected: &str| {
        let error = rig.sync_with(platform, &config).await.error.expect(expected);
        assert!(matches!(error, ConnectorError::Auth { .. }), "{error:?}");
        assert!(
            error.to_string().contains(expected),
            "{error} doesn't contain {expected}"
        );
        assert_eq!(rig.connector(platform).verify(&config).await.unwrap_err(), error);
    };
    let m365 = |field: &str, value: &str| {
        let mut config = rig.m365();
        config.values.insert(field.to_owned(), value.to_owned());
        config
    };
    let mut wrong_secret = rig.m365();
    wrong_secret
        .secrets
        .insert("client_secret".to_owned(), "not-it".into());
    check(Platform::M365, wrong_secret, "client secret is wrong").await;
    check(
        Platform::M365,
        m365("client_id", "00000000-0000-4000-8000-000000000000"),
        "no application",
    )
    .await;
    check(
        Platform::M365,
        m365("tenant_id", "00000000-0000-4000-8000-000000000000"),
        "no such tenant",
    )
    .await;

    let mut wrong_token = rig.okta();
    wrong_token
        .secrets
        .insert("api_token".to_owned(), "not-it".into());
    check(Platform::Okta, wrong_token, "rejects the API token").await;
    let mut wrong_client = okta_app(&rig, &pem("PRIVATE KEY", &pkcs8()));
    wrong_client
        .values
        .insert("client_id".to_owned(), "0oanobody".to_owned());
    check(Platform::Okta, wrong_client, "rejects the client").await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_rejected_again_ends_the_sync() {
    let rig = Rig::small().await;
    for (platform, vendor) in [(Platform::M365, Vendor::Graph), (Platform::Okta, Vendor::Okta)] {
        rig.fault(vendor, "/apps", 2, FaultKind::Unauthorized);
        rig.fault(vendor, "/servicePrincipals", 2, FaultKind::Unauthorized);
        let outcome = rig.sync(platform).await;
        assert!(
            matches!(outcome.error, Some(ConnectorError::Auth { .. })),
            "{platform} {:?}",
            outcome.error
        );
        assert!(!outcome.accounts().is_empty(), "earlier datasets are kept");
    }
}

#[tokio::test]
async fn an_invalid_configuration_is_rejected_with_its_field() {
    let rig = Rig::small().await;
    let check = async |platform: Platform, config: ConnectorConfig, field: &str, expected: &str| match rig
        .sync_with(platform, &config)
        .await
        .error
    {
        Some(ConnectorError::Config { field: named, reason }) => {
            assert_eq!(named, field);
            assert!(reason.contains(expected), "{reason} doesn't contain {expected}");
        }
        other => panic!("{field}: {other:?}"),
    };
    let okta = |url: &str| config(&[("org_url", url)], &[("api_token", "x")]);
    check(Platform::Okta, config(&[], &[]), "org_url", "missing").await;
    check(
        Platform::Okta,
        okta("https://birchworks-admin.okta.com"),
        "org_url",
        "-admin",
    )
    .await;
    check(
        Platform::Okta,
        okta("http://birchworks.okta.com"),
        "org_url",
        "https",
    )
    .await;
    check(
        Platform::Okta,
        okta("https://birchworks.okta.com/?x=1"),
        "org_url",
        "leave out",
    )
    .await;
    check(Platform::Okta, okta("https://["), "org_url", "not an address").await;
    let no_credential = config(&[("org_url", "birchworks.okta.com")], &[]);
    check(Platform::Okta, no_credential, "api_token", "missing").await;
    check(
        Platform::Okta,
        okta_app(&rig, "gibberish"),
        "private_key",
        "no private key found",
    )
    .await;
    check(
        Platform::Okta,
        okta_app(&rig, "{\"kty\":\"RSA\",\"n\":\"AQAB\"}"),
        "private_key",
        "JWK",
    )
    .await;
    check(
        Platform::Okta,
        okta_app(&rig, &pem("ENCRYPTED PRIVATE KEY", b"x")),
        "private_key",
        "encrypted",
    )
    .await;
    let mut no_secret = rig.m365();
    no_secret.secrets.clear();
    check(Platform::M365, no_secret, "client_secret", "missing").await;
    let mut traversal = rig.m365();
    traversal
        .values
        .insert("tenant_id".to_owned(), "../common".to_owned());
    check(Platform::M365, traversal, "tenant_id", "tenant").await;
    let mut only_key = rig.m365();
    only_key.secrets.insert(
        "client_certificate".to_owned(),
        pem("PRIVATE KEY", &pkcs8()).into(),
    );
    check(Platform::M365, only_key, "client_certificate", "no certificate").await;
}
