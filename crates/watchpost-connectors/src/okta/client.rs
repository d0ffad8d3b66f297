//! Talking to Okta: tokens, pages by `Link` headers, and what its refusals mean.

use super::{DEFAULT_SCOPES, wire};
use crate::{
    config::{base_url, below, plain, required, secret, trimmed, wrong},
    jwt::{Algorithm, SigningKey, client_claims},
    paging::Trail,
    run::Trouble,
    session::Session,
    token::{self, Bearer, TokenCache},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, value::RawValue};
use std::sync::Mutex;
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::{HeaderValue, RateLimitHeaders, Request, RequestError, Response};

/// Okta tells its limits with each response.
const RATE_LIMIT: RateLimitHeaders = RateLimitHeaders {
    limit: "x-rate-limit-limit",
    remaining: "x-rate-limit-remaining",
    reset: "x-rate-limit-reset",
};

/// How the org lets us in.
enum Entry {
    /// An administrator's token: one header for ever.
    ApiToken(HeaderValue),
    /// A service app with a key of its own.
    ServiceApp {
        client_id: String,
        key: Box<SigningKey>,
        kid: Option<String>,
        /// Scopes to ask for; those that the app wasn't granted are dropped at the first refusal.
        scopes: Mutex<Vec<String>>,
    },
}

/// One org, for the length of a sync or a verification.
pub(super) struct Client {
    pub(super) session: Session,
    entry: Entry,
    tokens: TokenCache,
    org: Url,
    token_url: Url,
}

/// A request that Okta refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A scope or role is missing.
    Denied,
    /// The org doesn't have the feature.
    Unlicensed,
    /// There is no such thing (any more).
    NotFound,
    /// Another status.
    Status(u16),
    /// It never came to an answer.
    Trouble(Trouble),
}

impl Refusal {
    /// What it means for a dataset that needs `scope`.
    pub(super) fn of(self, scope: &'static str) -> Trouble {
        match self {
            Self::Denied => Trouble::Denied(scope),
            Self::Unlicensed => Trouble::Unlicensed("the org does not have this feature"),
            Self::NotFound => Trouble::Failed("Okta knows no such resource (status 404)".to_owned()),
            Self::Status(status) => Trouble::Failed(format!("Okta refused the request (status {status})")),
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
        let entry = match (
            plain(config, "client_id"),
            secret(config, "private_key"),
            secret(config, "api_token"),
        ) {
            (Some(client_id), Some(key), _) => {
                let key = SigningKey::read(key.expose_secret())
                    .map_err(|error| wrong("private_key", &error.to_string()))?;
                let scopes = plain(config, "scopes").unwrap_or(DEFAULT_SCOPES);
                Entry::ServiceApp {
                    client_id: client_id.to_owned(),
                    kid: plain(config, "key_id")
                        .map(str::to_owned)
                        .or_else(|| key.kid.clone()),
                    key: Box::new(key),
                    scopes: Mutex::new(scopes.split_whitespace().map(str::to_owned).collect()),
                }
            }
            (_, _, Some(token)) => Entry::ApiToken(token::header("SSWS", &trimmed(token))?),
            (Some(_), None, None) => {
                return Err(wrong("private_key", "is missing; it goes with `client_id`"));
            }
            (None, Some(_), None) => {
                return Err(wrong("client_id", "is missing; it goes with `private_key`"));
            }
            (None, None, None) => {
                return Err(wrong(
                    "api_token",
                    "is missing; give it, or `client_id` and `private_key`",
                ));
            }
        };
        Ok(Self {
            token_url: below(&org, "/oauth2/v1/token", None),
            session,
            entry,
            tokens: TokenCache::default(),
            org,
        })
    }

    /// Whether an administrator's token is used: then what may be read depends on a role, not on scopes.
    pub(super) fn uses_api_token(&self) -> bool {
        matches!(self.entry, Entry::ApiToken(_))
    }

    /// The org's host, a name for it where nothing better could be read.
    pub(super) fn host(&self) -> &str {
        self.org.host_str().unwrap_or_default()
    }

    /// An address of the org.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        below(&self.org, path, query)
    }

    /// Gets a token if that is how we get in.
    pub(super) async fn sign_in(&self) -> Result<(), ConnectorError> {
        self.bearer(None).await.map(drop)
    }

    async fn bearer(&self, refused: Option<u64>) -> Result<Bearer, ConnectorError> {
        match &self.entry {
            Entry::ApiToken(header) => Ok(Bearer {
                header: header.clone(),
                serial: 0,
            }),
            Entry::ServiceApp { .. } => self.tokens.bearer(&self.session, refused, self.issue()).await,
        }
    }

    async fn issue(&self) -> Result<(SecretString, u64), ConnectorError> {
        let Entry::ServiceApp { scopes, .. } = &self.entry else {
            return Err(ConnectorError::Auth {
                reason: "no service app is configured".to_owned(),
            });
        };
        let asked = scopes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        match self.ask(&asked.join(" ")).await? {
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
            if self.ask(&scope).await?.is_ok() {
                fit.push(scope);
            }
        }
        let end = if fit.is_empty() {
            None
        } else {
            Some(self.ask(&fit.join(" ")).await?)
        };
        scopes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
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
        scope: &str,
    ) -> Result<Result<(SecretString, u64), (u16, token::Refused)>, ConnectorError> {
        let Entry::ServiceApp {
            client_id, key, kid, ..
        } = &self.entry
        else {
            return Err(ConnectorError::Auth {
                reason: "no service app is configured".to_owned(),
            });
        };
        let mut header = Map::new();
        if let Some(kid) = kid {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        let claims = client_claims(
            client_id,
            self.token_url.as_str(),
            self.session.now(),
            self.session.random(),
        );
        let assertion = key
            .sign(Algorithm::Rs256, header, &claims)
            .map_err(|error| wrong("private_key", &error.to_string()))?;
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
        ];
        token::ask(&self.session, &self.token_url, &fields).await
    }

    /// A GET, with a new token and one more try if the token is refused. `at_once`: how many ask at the same time.
    pub(super) async fn get(&self, url: Url, at_once: u32) -> Result<Response, Refusal> {
        let bearer = self.bearer(None).await?;
        let mut request = Request::get(url).limited_by(&RATE_LIMIT);
        request.authorize(bearer.header);
        let mut answer = self.session.send(&request).await?;
        if answer.status == 401 && error_code(&answer) != "E0000015" {
            let bearer = self.bearer(Some(bearer.serial)).await?;
            request.authorize(bearer.header);
            answer = self.session.send(&request).await?;
        }
        if let Some(pause) = RATE_LIMIT.pace(&answer.headers, self.session.now(), at_once) {
            tracing::debug!(
                pause_ms = pause.as_millis(),
                "little of the vendor's limit is left"
            );
            self.session.pause(pause).await;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        Err(match (answer.status, error_code(&answer).as_str()) {
            (401 | 403, "E0000015") => Refusal::Unlicensed,
            (401, _) => {
                let reason = if self.uses_api_token() {
                    "Okta refuses the API token; it may be revoked, unused for 30 days, or its owner may be gone"
                } else {
                    "Okta refuses the token, a fresh one too; check that the service app is active"
                };
                Refusal::Trouble(Trouble::Fatal(ConnectorError::Auth {
                    reason: reason.to_owned(),
                }))
            }
            (403, _) => Refusal::Denied,
            (404, _) => Refusal::NotFound,
            (status, _) => Refusal::Status(status),
        })
    }

    /// A list, page by page. `at_once` as in [`Client::get`].
    pub(super) fn list(&self, path: &str, query: Option<&str>, at_once: u32) -> List<'_> {
        let first = self.url(path, query);
        let trail = self.session.trail(&first);
        List {
            client: self,
            next: Some(first),
            trail,
            at_once,
        }
    }
}

fn error_code(answer: &Response) -> String {
    serde_json::from_slice::<wire::ErrorBody>(&answer.body)
        .ok()
        .and_then(|body| body.error_code)
        .unwrap_or_default()
}

/// A list being read.
pub(super) struct List<'c> {
    client: &'c Client,
    next: Option<Url>,
    trail: Trail,
    at_once: u32,
}

impl List<'_> {
    /// The rows of the next page, perhaps none; `None` after the last page.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Refusal> {
        let Some(url) = self.next.take() else {
            return Ok(None);
        };
        let answer = self.client.get(url, self.at_once).await?;
        let mut next = answer
            .headers
            .get_all("link")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(next_link)
            .map(str::to_owned);
        let rows = match serde_json::from_slice::<Vec<Box<RawValue>>>(&answer.body) {
            Ok(rows) => rows,
            Err(_) => {
                let page: wire::WrappedPage =
                    serde_json::from_slice(&answer.body).map_err(|_| not_understood())?;
                next = next.or_else(|| page.links?.next?.href);
                page.value
            }
        };
        if let Some(link) = next {
            self.next = Some(self.trail.follow(&link, rows.len()).map_err(Refusal::Trouble)?);
        }
        Ok(Some(rows))
    }
}

/// The address of relation `next` in a `Link` header (RFC 8288). An address stands between `<` and `>` and may hold
/// commas; several links may be joined by commas.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (address, parameters) = after.split_once('>')?;
        let own = parameters.split_once('<').map_or(parameters, |(own, _)| own);
        let is_next = own.split([';', ',']).any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
            })
        });
        if is_next {
            return Some(address);
        }
        rest = parameters;
    }
    None
}

/// An answer with a good status that isn't what Okta sends.
pub(super) fn not_understood() -> Refusal {
    Refusal::Trouble(Trouble::Failed(
        "Okta's answer could not be understood".to_owned(),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_in_any_notation() {
        let check =
            |header: &str, expected: Option<&str>| assert_eq!(next_link(header), expected, "{header}");
        check(
            "<https://o.example/api?after=a,b&limit=2>; rel=\"next\"",
            Some("https://o.example/api?after=a,b&limit=2"),
        );
        check(
            "<https://o.example/a>; rel=\"self\", <https://o.example/b>; rel=\"next\"",
            Some("https://o.example/b"),
        );
        check(
            "<https://o.example/b>;title=\"x\";REL=next,<https://o.example/a>;rel=self",
            Some("https://o.example/b"),
        );
        for none in [
            "",
            "<https://o.example/a>; rel=\"self\"",
            "<https://o.example/a; rel=next",
            "rel=next",
            "<<>>",
        ] {
            check(none, None);
        }
    }
}
