//! Who we are to Microsoft Graph and its sister APIs: addresses, credentials, tokens.

use crate::{
    config::{base_url, below, plain, required, secret, trimmed, wrong},
    jwt::{Algorithm, KeyError, SigningKey, certificate_thumbprint, client_claims},
    session::Session,
    token::{self, Bearer, TokenCache},
    vendor::{self, Api},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Map;
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::Origin;

/// Where applications get tokens.
pub(super) const LOGIN_URL: &str = "https://login.microsoftonline.com";
/// Microsoft Graph.
pub(super) const GRAPH_URL: &str = "https://graph.microsoft.com";
/// A client of one tenant.
pub(super) type Client = vendor::Client<M365Tenant>;

/// What sentences say of Graph.
pub(super) const GRAPH_API: Api = Api {
    name: "Microsoft Graph",
    unlicensed: "the tenant has no Microsoft Entra ID licence for this (P1 or P2)",
    url_field: "graph_url",
};

/// How the application proves who it is.
enum Proof {
    Secret(SecretString),
    Certificate { key: SigningKey, thumbprint: String },
}

/// One of the tenant's APIs, with an address and tokens of its own.
pub(crate) struct Service {
    base: Url,
    scope: String,
    tokens: TokenCache,
}

impl Service {
    /// Tokens are asked for `scope`; without one, for the address itself.
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

    /// An address of it.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        below(&self.base, path, query)
    }
}

/// One tenant, as its application sees it.
pub(crate) struct M365Tenant {
    proof: Proof,
    token_url: Url,
    graph: Service,
    tenant: String,
    client_id: String,
}

impl M365Tenant {
    /// Reads the configuration.
    ///
    /// # Errors
    /// If a value is missing or can't be what it should be.
    pub(super) fn new(session: &Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let tenant = required(config, "tenant_id")?;
        let host_like = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        };
        if !host_like(tenant) || tenant.len() > 253 {
            return Err(wrong(
                "tenant_id",
                "must be the directory (tenant) id or a domain of the tenant",
            ));
        }
        let client_id = required(config, "client_id")?;
        if !host_like(client_id) || client_id.len() > 100 {
            return Err(wrong("client_id", "must be the application (client) id"));
        }
        let proof = proof(config)?;
        let url = |field: &'static str, usual: &str| {
            base_url(session.outbound(), field, plain(config, field).unwrap_or(usual))
        };
        let login = url("login_url", LOGIN_URL)?;
        Ok(Self {
            token_url: below(&login, &format!("/{tenant}/oauth2/v2.0/token"), None),
            proof,
            graph: Service::new(url("graph_url", GRAPH_URL)?, None),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    /// The tenant as the configuration names it: its id, or one of its domains.
    pub(super) fn configured_tenant(&self) -> &str {
        &self.tenant
    }

    /// The host of Graph, which tells the cloud.
    pub(super) fn graph_host(&self) -> &str {
        self.graph.base.host_str().unwrap_or_default()
    }

    /// Whether an address is one of Graph.
    pub(super) fn is_graph(&self, url: &Url) -> bool {
        Origin::of(url) == Origin::of(&self.graph.base)
            && url.username().is_empty()
            && url.password().is_none()
    }

    /// Whether the application has a certificate; some services take nothing else.
    pub(super) const fn has_certificate(&self) -> bool {
        matches!(self.proof, Proof::Certificate { .. })
    }

    /// Whether the tenant lives in a cloud for the United States' government.
    pub(super) fn is_government_cloud(&self) -> bool {
        self.graph_host().ends_with(".us")
    }

    /// Graph.
    pub(super) const fn graph(&self) -> &Service {
        &self.graph
    }

    /// A token for a service; a new one if that with the serial `refused` was refused.
    pub(super) async fn token(
        &self,
        session: &Session,
        service: &Service,
        refused: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        let issue = self.issue(session, &service.scope);
        service.tokens.bearer(session, refused, issue).await
    }

    async fn issue(&self, session: &Session, scope: &str) -> Result<(SecretString, u64), ConnectorError> {
        let mut fields = vec![
            ("client_id", self.client_id.as_str()),
            ("scope", scope),
            ("grant_type", "client_credentials"),
        ];
        let assertion;
        match &self.proof {
            Proof::Secret(secret) => fields.push(("client_secret", secret.expose_secret())),
            Proof::Certificate { key, thumbprint } => {
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
                    .map_err(|error| wrong("client_certificate", &error.to_string()))?;
                fields.push(("client_assertion_type", token::ASSERTION_TYPE));
                fields.push(("client_assertion", assertion.as_str()));
            }
        }
        match token::ask(session, &self.token_url, &fields).await? {
            Ok(granted) => Ok(granted),
            Err((status, refused)) => Err(ConnectorError::Auth {
                reason: explain(status, &refused),
            }),
        }
    }
}

fn proof(config: &ConnectorConfig) -> Result<Proof, ConnectorError> {
    match (
        secret(config, "client_certificate"),
        secret(config, "client_secret"),
    ) {
        (Some(pem), _) => {
            let pem = pem.expose_secret();
            let unfit = |error: KeyError| wrong("client_certificate", &error.to_string());
            Ok(Proof::Certificate {
                key: SigningKey::read(pem).map_err(unfit)?,
                thumbprint: certificate_thumbprint(pem).map_err(unfit)?,
            })
        }
        (None, Some(secret)) => Ok(Proof::Secret(trimmed(secret))),
        (None, None) => Err(wrong(
            "client_secret",
            "is missing; give it or `client_certificate`",
        )),
    }
}

/// What to do about a token endpoint's refusal.
fn explain(status: u16, refused: &token::Refused) -> String {
    let codes = refused.error_codes.as_deref().unwrap_or_default();
    let has = |code: u64| codes.contains(&code);
    let text = if has(7_000_215) {
        "the client secret is wrong; copy the secret's value, not its id, from Certificates & secrets"
    } else if has(7_000_222) {
        "the client secret has expired; make a new one under Certificates & secrets"
    } else if has(700_016) {
        "the tenant has no application with this client id; check `client_id` and `tenant_id`"
    } else if has(90_002) {
        "there is no such tenant; check `tenant_id`"
    } else if has(700_027) {
        "the certificate isn't the one that was uploaded to the application, or it has expired"
    } else if has(65_001) || has(7_000_112) {
        "the application is disabled or lacks an administrator's consent; grant it under API permissions"
    } else if has(500_011) {
        "the tenant doesn't know the service that is asked for; it may have no licence for it, or an address is of \
         another cloud"
    } else if has(7_000_218) {
        "Entra asks for a client secret or certificate"
    } else {
        return format!(
            "Entra refused to issue a token (status {status}); check `tenant_id`, `client_id` and the secret"
        );
    };
    text.to_owned()
}
