//! How an org lets us in: address, credentials, tokens.

use super::scope;
use crate::{
    config::{base_url, below, plain, required, secret, trimmed, wrong},
    jwt::{Algorithm, SigningKey, client_claims},
    session::Session,
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

/// What sentences say of Okta.
pub(super) const OKTA_API: Api = Api {
    name: "Okta",
    unlicensed: "the org does not have this feature",
    url_field: "org_url",
};

/// How the org lets us in.
enum Entry {
    /// An administrator's token: one header for ever.
    ApiToken(HeaderValue),
    /// A service app with a key of its own.
    ServiceApp(Box<ServiceApp>),
}

struct ServiceApp {
    client_id: String,
    key: SigningKey,
    kid: Option<String>,
    token_url: Url,
    tokens: TokenCache,
    /// Scopes to ask for; those that the app wasn't granted are dropped at the first refusal.
    scopes: Mutex<Vec<String>>,
}

/// One org, as whoever reads it sees it.
pub(crate) struct OktaOrg {
    entry: Entry,
    org: Url,
}

impl OktaOrg {
    /// Reads the configuration.
    ///
    /// # Errors
    /// If a value is missing or can't be what it should be.
    pub(super) fn new(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let org = base_url(session.outbound(), "org_url", required(config, "org_url")?)?;
        if org.host_str().is_some_and(|host| {
            host.split('.')
                .next()
                .is_some_and(|name| name.ends_with("-admin"))
        }) {
            return Err(wrong(
                "org_url",
                "is the administrators' address; leave `-admin` out",
            ));
        }
        Ok(Self {
            entry: entry(config, &org)?,
            org,
        })
    }

    /// The org's address.
    pub(super) const fn address(&self) -> &Url {
        &self.org
    }

    /// A token; a new one if that with the serial `refused` was refused and we can get another.
    pub(super) async fn token(
        &self,
        session: &Session,
        refused: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        match &self.entry {
            Entry::ApiToken(header) => Ok(Bearer {
                header: header.clone(),
                serial: 0,
            }),
            Entry::ServiceApp(app) => app.tokens.bearer(session, refused, app.issue(session)).await,
        }
    }

    /// Whether an administrator's token is used: then what may be read depends on a role, not on scopes.
    pub(super) const fn uses_api_token(&self) -> bool {
        matches!(self.entry, Entry::ApiToken(_))
    }
}

fn entry(config: &ConnectorConfig, org: &Url) -> Result<Entry, ConnectorError> {
    match (
        plain(config, "client_id"),
        secret(config, "private_key"),
        secret(config, "api_token"),
    ) {
        (Some(client_id), Some(key), _) => {
            let key = SigningKey::read(key.expose_secret())
                .map_err(|error| wrong("private_key", &error.to_string()))?;
            let scopes = plain(config, "scopes").unwrap_or(scope::DEFAULT);
            Ok(Entry::ServiceApp(Box::new(ServiceApp {
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
        (_, _, Some(token)) => Ok(Entry::ApiToken(token::header("SSWS", &trimmed(token))?)),
        (Some(_), None, None) => Err(wrong("private_key", "is missing; it goes with `client_id`")),
        (None, Some(_), None) => Err(wrong("client_id", "is missing; it goes with `private_key`")),
        (None, None, None) => Err(wrong(
            "api_token",
            "is missing; give it, or `client_id` and `private_key`",
        )),
    }
}

impl ServiceApp {
    async fn issue(&self, session: &Session) -> Result<(SecretString, u64), ConnectorError> {
        let asked = self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self.ask(session, &asked.join(" ")).await? {
            Ok(granted) => return Ok(granted),
            // One scope that the app wasn't granted spoils the whole request.
            Err((_, refused)) if is(&refused, "invalid_scope") && asked.len() > 1 => {}
            Err((status, refused)) => {
                return Err(ConnectorError::Auth {
                    reason: explain(status, &refused),
                });
            }
        }
        let mut fit = Vec::new();
        for scope in asked {
            if self.ask(session, &scope).await?.is_ok() {
                fit.push(scope);
            }
        }
        let end = if fit.is_empty() {
            None
        } else {
            Some(self.ask(session, &fit.join(" ")).await?)
        };
        self.scopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&fit);
        match end {
            Some(Ok(granted)) => Ok(granted),
            Some(Err((status, refused))) => Err(ConnectorError::Auth {
                reason: explain(status, &refused),
            }),
            None => Err(ConnectorError::Auth {
                reason: "the service app was granted none of the scopes; grant them under Okta API Scopes"
                    .to_owned(),
            }),
        }
    }

    async fn ask(
        &self,
        session: &Session,
        scope: &str,
    ) -> Result<Result<(SecretString, u64), (u16, token::Refused)>, ConnectorError> {
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
            .map_err(|error| wrong("private_key", &error.to_string()))?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", token::ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        token::ask(session, &self.token_url, &fields).await
    }
}

fn is(refused: &token::Refused, error: &str) -> bool {
    refused.error.as_deref() == Some(error)
}

/// What to do about a token endpoint's refusal.
fn explain(status: u16, refused: &token::Refused) -> String {
    let text = match refused.error.as_deref() {
        Some("invalid_client") => {
            "Okta refuses the client; check `client_id`, that the public half of `private_key` is registered with the \
             service app (and active), and that this machine's clock is right"
        }
        Some("invalid_dpop_proof" | "use_dpop_nonce") => {
            "the service app demands DPoP; switch off \"Require Demonstrating Proof of Possession\" in its settings"
        }
        Some("invalid_scope" | "consent_required" | "access_denied") => {
            "the service app was granted none of the scopes, or has no administrator role; see Okta API Scopes and \
             Admin roles"
        }
        _ => {
            return format!(
                "Okta refused to issue a token (status {status}); check `org_url` and `client_id`"
            );
        }
    };
    text.to_owned()
}
