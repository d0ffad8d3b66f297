//! The address, credentials and tokens for an org.

use super::scope;
use crate::{
    config::{base_url, below, config_error, plain, required, secret, trimmed},
    jwt::{Algorithm, SigningKey, client_claims},
    session::Session,
    text::okta as text,
    token::{self, Bearer, TokenCache},
    vendor::{self, Api},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;
use std::sync::{Mutex, PoisonError};
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::HeaderValue;

/// A client of one org.
pub(super) type Client = vendor::Client<OktaOrg>;

/// The description of Okta for messages.
pub(super) const OKTA_API: Api = Api {
    name: "Okta",
    unlicensed: text::UNLICENSED,
    url_field: "org_url",
};

/// The credential with which the connector authenticates.
enum Credential {
    /// An administrator's API token: a header that never changes.
    ApiToken(HeaderValue),
    /// A service app with a private key.
    ServiceApp(Box<ServiceApp>),
}

struct ServiceApp {
    client_id: String,
    key: SigningKey,
    kid: Option<String>,
    token_url: Url,
    tokens: TokenCache,
    /// The scopes to request. Those that the app hasn't been granted are removed after the first rejected request.
    scopes: Mutex<Vec<String>>,
}

/// An org, with the credential through which it is read.
pub(crate) struct OktaOrg {
    credential: Credential,
    org: Url,
}

impl OktaOrg {
    /// Parses the configuration.
    ///
    /// # Errors
    /// Returns an error if a value is missing or invalid.
    pub(super) fn new(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let org = base_url(session.outbound(), "org_url", required(config, "org_url")?)?;
        if org.host_str().is_some_and(|host| {
            host.split('.')
                .next()
                .is_some_and(|name| name.ends_with("-admin"))
        }) {
            return Err(config_error("org_url", text::ADMIN_ADDRESS));
        }
        Ok(Self {
            credential: credential(config, &org)?,
            org,
        })
    }

    /// Returns the org's address.
    pub(super) const fn address(&self) -> &Url {
        &self.org
    }

    /// Returns a token. For a service app, it is a new one if the current token's serial number is `rejected`.
    pub(super) async fn token(
        &self,
        session: &Session,
        rejected: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        match &self.credential {
            Credential::ApiToken(header) => Ok(Bearer {
                header: header.clone(),
                serial: 0,
            }),
            Credential::ServiceApp(app) => app.tokens.bearer(session, rejected, app.issue(session)).await,
        }
    }

    /// Returns the client id of the service app; `None` with an API token.
    pub(super) fn client_id(&self) -> Option<&str> {
        match &self.credential {
            Credential::ApiToken(_) => None,
            Credential::ServiceApp(app) => Some(&app.client_id),
        }
    }

    /// Whether the credential is an API token, whose permissions depend on its owner's role instead of scopes.
    pub(super) const fn uses_api_token(&self) -> bool {
        matches!(self.credential, Credential::ApiToken(_))
    }
}

fn credential(config: &ConnectorConfig, org: &Url) -> Result<Credential, ConnectorError> {
    match (
        plain(config, "client_id"),
        secret(config, "private_key"),
        secret(config, "api_token"),
    ) {
        (Some(client_id), Some(key), _) => {
            let key = SigningKey::read(key.expose_secret())
                .map_err(|error| config_error("private_key", &error.to_string()))?;
            let scopes = plain(config, "scopes").unwrap_or(scope::DEFAULT);
            Ok(Credential::ServiceApp(Box::new(ServiceApp {
                client_id: client_id.to_owned(),
                kid: plain(config, "key_id")
                    .map(str::to_owned)
                    .or_else(|| key.kid.clone()),
                key,
                token_url: below(org, "/oauth2/v1/token", None),
                tokens: TokenCache::default(),
                scopes: Mutex::new(scopes.split_whitespace().map(str::to_owned).collect()),
            })))
        }
        (_, _, Some(token)) => Ok(Credential::ApiToken(token::header("SSWS", &trimmed(token))?)),
        (Some(_), None, None) => Err(config_error("private_key", text::NO_PRIVATE_KEY)),
        (None, Some(_), None) => Err(config_error("client_id", text::NO_CLIENT_ID)),
        (None, None, None) => Err(config_error("api_token", text::NO_CREDENTIAL)),
    }
}

impl ServiceApp {
    async fn issue(&self, session: &Session) -> Result<(SecretString, u64), ConnectorError> {
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.request_token(session, &scopes.join(" ")).await? {
            Ok(token) => return Ok(token),
            // A single scope that the app hasn't been granted fails the whole request.
            Err((_, error)) if has_code(&error, "invalid_scope") && scopes.len() > 1 => {}
            Err((status, error)) => {
                return Err(ConnectorError::Auth {
                    reason: explain(status, &error),
                });
            }
        }
        let mut granted = Vec::new();
        for scope in scopes {
            if self.request_token(session, &scope).await?.is_ok() {
                granted.push(scope);
            }
        }
        let result = if granted.is_empty() {
            None
        } else {
            Some(self.request_token(session, &granted.join(" ")).await?)
        };
        self.scopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&granted);
        match result {
            Some(Ok(token)) => Ok(token),
            Some(Err((status, error))) => Err(ConnectorError::Auth {
                reason: explain(status, &error),
            }),
            None => Err(ConnectorError::Auth {
                reason: text::NO_SCOPE.to_owned(),
            }),
        }
    }

    async fn request_token(
        &self,
        session: &Session,
        scope: &str,
    ) -> Result<Result<(SecretString, u64), (u16, token::TokenError)>, ConnectorError> {
        let mut header = Map::new();
        if let Some(kid) = &self.kid {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        let claims = client_claims(
            &self.client_id,
            self.token_url.as_str(),
            session.now(),
            session.random(),
        );
        let assertion = self
            .key
            .sign(Algorithm::Rs256, header, &claims)
            .map_err(|error| config_error("private_key", &error.to_string()))?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", token::ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        token::request_token(session, &self.token_url, &fields).await
    }
}

fn has_code(error: &token::TokenError, code: &str) -> bool {
    error.error.as_deref() == Some(code)
}

/// Explains an error response of the token endpoint.
fn explain(status: u16, error: &token::TokenError) -> String {
    let reason = match error.error.as_deref() {
        Some("invalid_client") => text::CLIENT_REJECTED,
        Some("invalid_dpop_proof" | "use_dpop_nonce") => text::DPOP_REQUIRED,
        Some("invalid_scope" | "consent_required" | "access_denied") => text::NO_SCOPE_OR_ROLE,
        _ => return text::token_denied(status),
    };
    reason.to_owned()
}
