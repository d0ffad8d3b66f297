//! Access tokens by client credentials (RFC 6749, 4.4): asked for once, shared, renewed before they end.

use crate::{run::reason, session::Session};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::{HeaderValue, Request, RequestError};

/// What an assertion is called that a private key signed (RFC 7523).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long before its end a token is renewed.
const RENEW_BEFORE_MS: u64 = 5 * 60 * 1_000;
/// A token's life where the answer doesn't say.
const LIFE_SECS: u64 = 3_600;
/// The longest life that is believed.
const LIFE_SECS_MAX: u64 = 24 * 3_600;

/// A token endpoint's good answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

/// A token endpoint's refusal, as far as we tell refusals apart.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refused {
    /// OAuth's error word.
    pub(crate) error: Option<String>,
    /// Entra's numbers.
    pub(crate) error_codes: Option<Vec<u64>>,
}

#[derive(Default)]
struct Held {
    token: Option<(SecretString, u64)>,
    serial: u64,
}

/// The token that requests share.
#[derive(Default)]
pub(crate) struct TokenCache {
    held: Mutex<Held>,
}

/// A token, and which one: so that of many requests refused with the same token only one renews it.
pub(crate) struct Bearer {
    pub(crate) header: HeaderValue,
    pub(crate) serial: u64,
}

impl TokenCache {
    /// The token in use, or a new one from `issue` where there is none, it is about to end, or it is `refused`.
    pub(crate) async fn bearer(
        &self,
        session: &Session,
        refused: Option<u64>,
        issue: impl Future<Output = Result<(SecretString, u64), ConnectorError>> + Send,
    ) -> Result<Bearer, ConnectorError> {
        // Held while a new one is fetched: whoever else needs it waits instead of fetching too.
        let mut held = self.held.lock().await;
        let now_ms = session.monotonic_ms();
        let serial = held.serial;
        if let Some((token, until_ms)) = &held.token
            && refused != Some(serial)
            && now_ms < *until_ms
        {
            return Ok(Bearer {
                header: header("Bearer", token)?,
                serial,
            });
        }
        held.token = None;
        let (token, life_secs) = issue.await?;
        let life_ms = life_secs.min(LIFE_SECS_MAX).saturating_mul(1_000);
        // A short life is used up to its half.
        let until_ms = now_ms.saturating_add(life_ms.saturating_sub(RENEW_BEFORE_MS).max(life_ms / 2));
        let header = header("Bearer", &token)?;
        held.serial = serial.saturating_add(1);
        held.token = Some((token, until_ms));
        Ok(Bearer {
            header,
            serial: held.serial,
        })
    }
}

/// `Authorization` with a secret, marked so that no log shows it.
pub(crate) fn header(scheme: &str, secret: &SecretString) -> Result<HeaderValue, ConnectorError> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret())).map_err(|_| {
        ConnectorError::Auth {
            reason: "the credential holds characters that no credential has".to_owned(),
        }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Asks a token endpoint. The inner error is the endpoint's refusal with its status.
pub(crate) async fn ask(
    session: &Session,
    url: &Url,
    fields: &[(&str, &str)],
) -> Result<Result<(SecretString, u64), (u16, Refused)>, ConnectorError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::form(url.clone(), SecretString::from(form));
    let response = session
        .send(&request)
        .await
        .map_err(|error| unreachable(&error))?;
    if !response.is_success() {
        return Ok(Err((
            response.status,
            serde_json::from_slice(&response.body).unwrap_or_default(),
        )));
    }
    let granted: Granted = serde_json::from_slice(&response.body).map_err(|_| ConnectorError::Api {
        reason: "the token endpoint's answer is not what such endpoints send; check the address".to_owned(),
    })?;
    Ok(Ok((
        SecretString::from(granted.access_token),
        granted.expires_in.unwrap_or(LIFE_SECS),
    )))
}

/// A call that failed before anything could be read.
fn unreachable(error: &RequestError) -> ConnectorError {
    let reason = reason(error);
    match error {
        RequestError::Throttled | RequestError::OutOfTime { .. } => ConnectorError::RateLimited { reason },
        _ => ConnectorError::Api { reason },
    }
}
