//! The addresses, credentials and tokens for Microsoft Graph and the tenant's other APIs.

use crate::{
    config::{base_url, below, config_error, plain, required, secret, trimmed},
    jwt::{Algorithm, KeyError, SigningKey, certificate_thumbprint, client_claims},
    paging,
    session::Session,
    text::m365 as text,
    token::{self, Bearer, TokenCache},
    vendor::{self, Api},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};

/// The default address for sign-ins and tokens.
pub(super) const LOGIN_URL: &str = "https://login.microsoftonline.com";
/// The default address of Microsoft Graph.
pub(super) const GRAPH_URL: &str = "https://graph.microsoft.com";
/// A client of one tenant.
pub(super) type Client = vendor::Client<M365Tenant>;

/// The description of Graph for messages.
pub(super) const GRAPH_API: Api = Api {
    name: "Microsoft Graph",
    unlicensed: text::UNLICENSED,
    url_field: "graph_url",
};

/// The credential with which the application authenticates.
enum Credential {
    Secret(SecretString),
    Certificate { key: SigningKey, thumbprint: String },
}

/// One of the tenant's APIs, with its own address and tokens.
pub(crate) struct Service {
    base: Url,
    scope: String,
    tokens: TokenCache,
}

impl Service {
    /// Creates a service. Tokens are requested for `scope`, which by default is derived from the address.
    pub(super) fn new(base: Url, scope: Option<&str>) -> Self {
        let scope = scope.map_or_else(
            || format!("{}/.default", base.as_str().trim_end_matches('/')),
            str::to_owned,
        );
        Self {
            base,
            scope,
            tokens: TokenCache::default(),
        }
    }

    /// Returns an address of the service.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        below(&self.base, path, query)
    }
}

/// A tenant, with the application through which it is read.
pub(crate) struct M365Tenant {
    credential: Credential,
    token_url: Url,
    graph: Service,
    tenant: String,
    client_id: String,
}

impl M365Tenant {
    /// Parses the configuration.
    ///
    /// # Errors
    /// Returns an error if a value is missing or invalid.
    pub(super) fn new(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let tenant = required(config, "tenant_id")?;
        let is_host_like = |value: &str| {
            value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        };
        if !is_host_like(tenant) || tenant.len() > 253 {
            return Err(config_error("tenant_id", text::INVALID_TENANT_ID));
        }
        let client_id = required(config, "client_id")?;
        if !is_host_like(client_id) || client_id.len() > 100 {
            return Err(config_error("client_id", text::INVALID_CLIENT_ID));
        }
        let credential = credential(config)?;
        let url = |field: &'static str, default: &str| {
            base_url(session.outbound(), field, plain(config, field).unwrap_or(default))
        };
        let login = url("login_url", LOGIN_URL)?;
        Ok(Self {
            token_url: below(&login, &format!("/{tenant}/oauth2/v2.0/token"), None),
            credential,
            graph: Service::new(url("graph_url", GRAPH_URL)?, None),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    /// Returns the tenant as named in the configuration: its id or one of its domains.
    pub(super) fn configured_tenant(&self) -> &str {
        &self.tenant
    }

    /// Returns the application's client id.
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the host of Graph, which identifies the cloud.
    pub(super) fn graph_host(&self) -> &str {
        self.graph.base.host_str().unwrap_or_default()
    }

    /// Returns the address of a link on Graph's own host, whatever host the link names; `None` if it isn't an address.
    pub(super) fn on_graph(&self, link: &str) -> Option<Url> {
        paging::on_own_origin(&self.graph.base, link)
    }

    /// Whether the application authenticates with a certificate. Some services accept nothing else.
    pub(super) const fn has_certificate(&self) -> bool {
        matches!(self.credential, Credential::Certificate { .. })
    }

    /// Whether the tenant is in one of the US government clouds.
    pub(super) fn is_government_cloud(&self) -> bool {
        self.graph_host().ends_with(".us")
    }

    /// Returns the service for Graph.
    pub(super) const fn graph(&self) -> &Service {
        &self.graph
    }

    /// Returns a token for a service. It is a new one if the current token's serial number is `rejected`.
    pub(super) async fn token(
        &self,
        session: &Session,
        service: &Service,
        rejected: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        let issue = self.issue(session, &service.scope);
        service.tokens.bearer(session, rejected, issue).await
    }

    async fn issue(&self, session: &Session, scope: &str) -> Result<(SecretString, u64), ConnectorError> {
        let mut fields = vec![
            ("client_id", self.client_id.as_str()),
            ("scope", scope),
            ("grant_type", "client_credentials"),
        ];
        let assertion;
        match &self.credential {
            Credential::Secret(secret) => fields.push(("client_secret", secret.expose_secret())),
            Credential::Certificate { key, thumbprint } => {
                let mut header = Map::new();
                header.insert("x5t#S256".to_owned(), thumbprint.as_str().into());
                let claims = client_claims(
                    &self.client_id,
                    self.token_url.as_str(),
                    session.now(),
                    session.random(),
                );
                assertion = key
                    .sign(Algorithm::Ps256, header, &claims)
                    .map_err(|error| config_error("client_certificate", &error.to_string()))?;
                fields.push(("client_assertion_type", token::ASSERTION_TYPE));
                fields.push(("client_assertion", assertion.as_str()));
            }
        }
        match token::request_token(session, &self.token_url, &fields).await? {
            Ok(granted) => Ok(granted),
            Err((status, error)) => Err(ConnectorError::Auth {
                reason: explain(status, &error),
            }),
        }
    }
}

fn credential(config: &ConnectorConfig) -> Result<Credential, ConnectorError> {
    match (
        secret(config, "client_certificate"),
        secret(config, "client_secret"),
    ) {
        (Some(pem), _) => {
            let pem = pem.expose_secret();
            let invalid = |error: KeyError| config_error("client_certificate", &error.to_string());
            Ok(Credential::Certificate {
                key: SigningKey::read(pem).map_err(invalid)?,
                thumbprint: certificate_thumbprint(pem).map_err(invalid)?,
            })
        }
        (None, Some(secret)) => Ok(Credential::Secret(trimmed(secret))),
        (None, None) => Err(config_error("client_secret", text::NO_CREDENTIAL)),
    }
}

/// Explains an error response of the token endpoint.
fn explain(status: u16, error: &token::TokenError) -> String {
    let codes = error.error_codes.as_deref().unwrap_or_default();
    let has = |code: u64| codes.contains(&code);
    let reason = if has(7_000_215) {
        text::WRONG_SECRET
    } else if has(7_000_222) {
        text::EXPIRED_SECRET
    } else if has(700_016) {
        text::NO_SUCH_APPLICATION
    } else if has(90_002) {
        text::NO_SUCH_TENANT
    } else if has(700_027) {
        text::WRONG_CERTIFICATE
    } else if has(65_001) || has(7_000_112) {
        text::NO_CONSENT
    } else if has(500_011) {
        text::NO_SUCH_SERVICE
    } else if has(7_000_218) {
        text::CREDENTIAL_REQUIRED
    } else {
        return text::token_denied(status);
    };
    reason.to_owned()
}
