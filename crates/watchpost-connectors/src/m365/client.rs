//! Talking to Microsoft Graph: tokens, pages, and what its refusals mean.

use super::wire;
use crate::{
    config::{base_url, below, plain, required, secret, trimmed, wrong},
    jwt::{Algorithm, SigningKey, certificate_thumbprint, client_claims},
    paging::Trail,
    run::Trouble,
    session::Session,
    token::{self, TokenCache},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, value::RawValue};
use std::time::Duration;
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::{Origin, Request, RequestError, Response};

/// Where applications get tokens.
pub(super) const LOGIN_URL: &str = "https://login.microsoftonline.com";
/// Microsoft Graph.
pub(super) const GRAPH_URL: &str = "https://graph.microsoft.com";
/// From this share of its throttling limit on Graph is asked more slowly.
const BUSY_SHARE: f64 = 0.8;
/// The pause then.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// How the application proves who it is.
enum Proof {
    Secret(SecretString),
    Certificate { key: SigningKey, thumbprint: String },
}

/// One of the tenant's APIs, with an address and tokens of its own.
pub(super) struct Service {
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

/// One tenant, for the length of a sync or a verification.
pub(super) struct Client {
    pub(super) session: Session,
    proof: Proof,
    token_url: Url,
    graph: Service,
    pub(super) tenant: String,
    client_id: String,
}

/// A request that Graph refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A permission is missing.
    Denied,
    /// The tenant's licence lacks the feature.
    Unlicensed,
    /// There is no such thing (any more).
    NotFound,
    /// The request itself isn't understood (400). With the vendor's words, to be searched and never to be shown.
    Malformed(String),
    /// Another status.
    Status(u16),
    /// It never came to an answer.
    Trouble(Trouble),
}

impl Refusal {
    /// What it means for a dataset that needs `permission`.
    pub(super) fn of(self, permission: &'static str) -> Trouble {
        match self {
            Self::Denied => Trouble::Denied(permission),
            Self::Unlicensed => {
                Trouble::Unlicensed("the tenant has no Microsoft Entra ID licence for this (P1 or P2)")
            }
            Self::NotFound => {
                Trouble::Failed("Microsoft Graph knows no such resource (status 404)".to_owned())
            }
            Self::Malformed(_) => {
                Trouble::Failed("Microsoft Graph refused the request (status 400)".to_owned())
            }
            Self::Status(status) => {
                Trouble::Failed(format!("Microsoft Graph refused the request (status {status})"))
            }
            Self::Trouble(trouble) => trouble,
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Self {
        Self::Trouble(error.into())
    }
}

impl Client {
    /// Reads the configuration; speaks to nobody yet.
    pub(super) fn new(session: Session, config: &ConnectorConfig) -> Result<Self, ConnectorError> {
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
        let proof = match (
            secret(config, "client_certificate"),
            secret(config, "client_secret"),
        ) {
            (Some(pem), _) => {
                let pem = pem.expose_secret();
                let unfit = |error: crate::jwt::KeyError| wrong("client_certificate", &error.to_string());
                Proof::Certificate {
                    key: SigningKey::read(pem).map_err(unfit)?,
                    thumbprint: certificate_thumbprint(pem).map_err(unfit)?,
                }
            }
            (None, Some(secret)) => Proof::Secret(trimmed(secret)),
            (None, None) => {
                return Err(wrong(
                    "client_secret",
                    "is missing; give it or `client_certificate`",
                ));
            }
        };
        let login = base_url(
            session.outbound(),
            "login_url",
            plain(config, "login_url").unwrap_or(LOGIN_URL),
        )?;
        let graph = base_url(
            session.outbound(),
            "graph_url",
            plain(config, "graph_url").unwrap_or(GRAPH_URL),
        )?;
        Ok(Self {
            token_url: below(&login, &format!("/{tenant}/oauth2/v2.0/token"), None),
            session,
            proof,
            graph: Service::new(graph, None),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
        })
    }

    /// An address of Graph.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.graph.url(path, query)
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

    /// Gets a token if there is none yet: shows whether the credentials are good.
    pub(super) async fn sign_in(&self) -> Result<(), ConnectorError> {
        self.graph
            .tokens
            .bearer(&self.session, None, self.issue(&self.graph.scope))
            .await
            .map(drop)
    }

    async fn issue(&self, scope: &str) -> Result<(SecretString, u64), ConnectorError> {
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
                    self.session.now(),
                    self.session.random(),
                );
                assertion = key
                    .sign(Algorithm::Ps256, header, &claims)
                    .map_err(|error| wrong("client_certificate", &error.to_string()))?;
                fields.push((
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
                fields.push(("client_assertion", assertion.as_str()));
            }
        }
        match token::ask(&self.session, &self.token_url, &fields).await? {
            Ok(granted) => Ok(granted),
            Err((status, refused)) => Err(ConnectorError::Auth {
                reason: explain(status, &refused),
            }),
        }
    }

    /// Sends a request, with a new token and one more try if the token is refused. Gives any answer, good or bad.
    pub(super) async fn ask(&self, service: &Service, mut request: Request) -> Result<Response, Refusal> {
        let issue = || self.issue(&service.scope);
        let bearer = service.tokens.bearer(&self.session, None, issue()).await?;
        request.authorize(bearer.header);
        let mut answer = self.session.send(&request).await?;
        if answer.status == 401 {
            let refused = Some(bearer.serial);
            let bearer = service.tokens.bearer(&self.session, refused, issue()).await?;
            request.authorize(bearer.header);
            answer = self.session.send(&request).await?;
        }
        Ok(answer)
    }

    /// A GET from Graph.
    pub(super) async fn get(&self, url: Url) -> Result<Response, Refusal> {
        self.judged(Request::get(url)).await
    }

    /// A request to Graph, of whose answers only the good ones are given.
    pub(super) async fn judged(&self, request: Request) -> Result<Response, Refusal> {
        let answer = self.ask(&self.graph, request).await?;
        let busy = answer
            .header("x-ms-throttle-limit-percentage")
            .and_then(|share| share.parse::<f64>().ok())
            .is_some_and(|share| share >= BUSY_SHARE);
        if busy {
            self.session.pause(BUSY_PAUSE).await;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        let error = serde_json::from_slice::<wire::ErrorBody>(&answer.body)
            .ok()
            .and_then(|body| body.error);
        let (code, message) = error.map_or_else(Default::default, |error| {
            (error.code.unwrap_or_default(), error.message.unwrap_or_default())
        });
        Err(match (answer.status, code.as_str()) {
            (_, "Authentication_RequestFromNonPremiumTenantOrB2CTenant" | "AadPremiumLicenseRequired") => {
                Refusal::Unlicensed
            }
            (401, _) => Refusal::Trouble(Trouble::Fatal(ConnectorError::Auth {
                reason: "Microsoft Graph refuses the token, a fresh one too; check that `login_url` and `graph_url` \
                         belong to the same cloud and that the application is enabled"
                    .to_owned(),
            })),
            (403, _) => Refusal::Denied,
            (404, _) => Refusal::NotFound,
            (400, code) => Refusal::Malformed(format!("{code} {message}")),
            (status, _) => Refusal::Status(status),
        })
    }

    /// A list, page by page.
    pub(super) fn list(&self, path: &str, query: Option<&str>) -> List<'_> {
        let first = self.url(path, query);
        let trail = self.session.trail(&first);
        List {
            client: self,
            next: Some(first),
            trail,
        }
    }
}

/// A list being read.
pub(super) struct List<'c> {
    client: &'c Client,
    next: Option<Url>,
    trail: Trail,
}

impl List<'_> {
    /// The rows of the next page, perhaps none; `None` after the last page.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Refusal> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        let answer = self.client.get(url).await?;
        let page: wire::ListPage = serde_json::from_slice(&answer.body).map_err(|_| not_understood())?;
        if let Some(link) = page.next.filter(|link| !link.is_empty()) {
            self.next = Some(
                self.trail
                    .follow(&link, page.value.len())
                    .map_err(Refusal::Trouble)?,
            );
        }
        Ok(Some(page.value))
    }
}

/// An answer with a good status that isn't what Graph sends.
pub(super) fn not_understood() -> Refusal {
    Refusal::Trouble(Trouble::Failed(
        "Microsoft Graph's answer could not be understood".to_owned(),
    ))
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
