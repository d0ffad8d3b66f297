//! Access tokens by client credentials (RFC 6749, section 4.4). A token is shared by all requests of a session and renewed
//! before it expires.

use crate::{run::reason, session::Session, text};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};
use watchpost_core::integration::connector::ConnectorError;
use watchpost_outbound::{HeaderValue, Request, RequestError};

/// The type of a client assertion that is signed with a private key (RFC 7523, section 2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The time before its expiry at which a token is renewed.
const RENEW_BEFORE_MS: u64 = 5 * 60 * 1_000;
/// The lifetime of a token whose response doesn't state one.
const LIFETIME_SECS: u64 = 3_600;
/// The longest lifetime that is accepted.
const LIFETIME_SECS_MAX: u64 = 24 * 3_600;

/// A token endpoint's successful response (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

/// A token endpoint's error response (RFC 6749, section 5.2), with the fields by which errors are distinguished.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenError {
    /// The OAuth error code.
    pub(crate) error: Option<String>,
    /// The error codes of Entra.
    pub(crate) error_codes: Option<Vec<u64>>,
}

#[derive(Default)]
struct Held {
    token: Option<(SecretString, u64)>,
    serial: u64,
}

/// The token that the requests of a session share.
#[derive(Default)]
pub(crate) struct TokenCache {
    held: Mutex<Held>,
}

/// A token with its serial number. If several requests are rejected with the same token, only one of them renews it.
pub(crate) struct Bearer {
    pub(crate) header: HeaderValue,
    pub(crate) serial: u64,
}

impl TokenCache {
    /// Returns the current token, or a new one from `issue` if there is none, it is about to expire, or its serial number is
    /// `rejected`.
    pub(crate) async fn bearer(
        &self,
        session: &Session,
        rejected: Option<u64>,
        issue: impl Future<Output = Result<(SecretString, u64), ConnectorError>> + Send,
    ) -> Result<Bearer, ConnectorError> {
        // The lock is held while a token is fetched, so that concurrent requests wait for it instead of fetching their own.
        let mut held = self.held.lock().await;
        let now_ms = session.monotonic_ms();
        let serial = held.serial;
        if let Some((token, until_ms)) = &held.token
            && rejected != Some(serial)
            && now_ms < *until_ms
        {
            return Ok(Bearer {
                header: header("Bearer", token)?,
                serial,
            });
        }
        held.token = None;
        let (token, lifetime_secs) = issue.await?;
        session.secrets().issued(&token);
        let lifetime_ms = lifetime_secs.min(LIFETIME_SECS_MAX).saturating_mul(1_000);
        // A token with a short lifetime is used for at least half of it.
        let until_ms =
            now_ms.saturating_add(lifetime_ms.saturating_sub(RENEW_BEFORE_MS).max(lifetime_ms / 2));
        let header = header("Bearer", &token)?;
        held.serial = serial.saturating_add(1);
        held.token = Some((token, until_ms));
        Ok(Bearer {
            header,
            serial: held.serial,
        })
    }
}

/// Returns the value of an `Authorization` header, marked as sensitive so that it isn't logged.
pub(crate) fn header(scheme: &str, secret: &SecretString) -> Result<HeaderValue, ConnectorError> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret())).map_err(|_| {
        ConnectorError::Auth {
            reason: text::INVALID_CREDENTIAL.to_owned(),
        }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Requests a token. Returns the token and its lifetime in seconds; the inner error is the endpoint's error response with
/// its status.
pub(crate) async fn request_token(
    session: &Session,
    url: &Url,
    fields: &[(&str, &str)],
) -> Result<Result<(SecretString, u64), (u16, TokenError)>, ConnectorError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::form(url.clone(), SecretString::from(form));
    let response = session
        .send_for_token(&request)
        .await
        .map_err(|error| unreachable(&error))?;
    if !response.is_success() {
        return Ok(Err((
            response.status,
            serde_json::from_slice(&response.body).unwrap_or_default(),
        )));
    }
    let granted: Granted = serde_json::from_slice(&response.body).map_err(|_| ConnectorError::Api {
        reason: text::NOT_A_TOKEN_RESPONSE.to_owned(),
    })?;
    Ok(Ok((
        SecretString::from(granted.access_token),
        granted.expires_in.unwrap_or(LIFETIME_SECS),
    )))
}

/// Converts the error of a request to a token endpoint.
fn unreachable(error: &RequestError) -> ConnectorError {
    let reason = reason(error);
    match error {
        RequestError::Throttled | RequestError::OutOfTime { .. } => ConnectorError::RateLimited { reason },
        _ => ConnectorError::Api { reason },
    }
}
