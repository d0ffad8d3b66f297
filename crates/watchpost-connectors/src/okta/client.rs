//! Okta's API: how the org lets us in, tokens, pages by `Link` headers, and what its refusals mean.

use super::{DEFAULT_SCOPES, scope, settings, sync, wire};
use crate::{
    config::{base_url, below, plain, required, secret, trimmed, wrong},
    jwt::{Algorithm, SigningKey, client_claims},
    run::Trouble,
    session::Session,
    token::{self, Bearer, TokenCache},
    vendor::{self, Api, ListPage, Probe, Refusal, Vendor},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, value::RawValue};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use url::Url;
use watchpost_core::{
    integration::{
        connector::{ConnectorConfig, ConnectorError},
        fact::Dataset,
    },
    value::text::ForeignText,
};
use watchpost_outbound::{HeaderValue, RateLimitHeaders, Response};

/// A client of one org.
pub(super) type Client = vendor::Client<OktaOrg>;

/// What sentences say of Okta.
pub(super) const OKTA_API: Api = Api {
    name: "Okta",
    unlicensed: "the org does not have this feature",
    url_field: "org_url",
};

/// Okta tells its limits with each response.
static RATE_LIMIT: RateLimitHeaders = RateLimitHeaders {
    limit: "x-rate-limit-limit",
    remaining: "x-rate-limit-remaining",
    reset: "x-rate-limit-reset",
};

/// The first one's response names the org.
const PROBES: &[Probe] = &[
    Probe {
        permission: scope::ORGS,
        path: "/api/v1/org",
        query: None,
        datasets: &[Dataset::Organization, Dataset::SupportAccess],
    },
    Probe {
        permission: scope::USERS,
        path: "/api/v1/users",
        query: Some("limit=1"),
        datasets: &[Dataset::Users, Dataset::SignIn, Dataset::Mfa],
    },
    Probe {
        permission: scope::ROLES,
        path: "/api/v1/iam/assignees/users",
        query: Some("limit=1"),
        datasets: &[Dataset::Roles],
    },
    Probe {
        permission: scope::APPS,
        path: "/api/v1/apps",
        query: Some("limit=1"),
        datasets: &[Dataset::Apps, Dataset::AppAssignments],
    },
    Probe {
        permission: scope::API_TOKENS,
        path: "/api/v1/api-tokens",
        query: Some("limit=1"),
        datasets: &[Dataset::Tokens],
    },
    Probe {
        permission: scope::POLICIES,
        path: "/api/v1/policies",
        query: Some("type=OKTA_SIGN_ON"),
        datasets: &[Dataset::SignInPolicies],
    },
    Probe {
        permission: scope::AUTHENTICATORS,
        path: "/api/v1/authenticators",
        query: None,
        datasets: &[Dataset::AuthenticationMethods],
    },
    Probe {
        permission: scope::NETWORK_ZONES,
        path: "/api/v1/zones",
        query: Some("limit=1"),
        datasets: &[Dataset::Locations],
    },
    Probe {
        permission: scope::THREAT_INSIGHTS,
        path: "/api/v1/threats/configuration",
        query: None,
        datasets: &[Dataset::ThreatDetection],
    },
];

/// How the org lets us in.
enum Entry {
    /// An administrator's token: one header for ever.
    ApiToken(HeaderValue),
    /// A service app with a key of its own.
    ServiceApp(ServiceApp),
}

struct ServiceApp {
    client_id: String,
    key: Box<SigningKey>,
    kid: Option<String>,
    token_url: Url,
    tokens: TokenCache,
    /// Scopes to ask for; those that the app wasn't granted are dropped at the first refusal.
    scopes: Mutex<Vec<String>>,
}

/// One org, as whoever reads it sees it.
pub(super) struct OktaOrg {
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

    /// Whether an administrator's token is used: then what may be read depends on a role, not on scopes.
    const fn uses_api_token(&self) -> bool {
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
            let scopes = plain(config, "scopes").unwrap_or(DEFAULT_SCOPES);
            Ok(Entry::ServiceApp(ServiceApp {
                client_id: client_id.to_owned(),
                kid: plain(config, "key_id")
                    .map(str::to_owned)
                    .or_else(|| key.kid.clone()),
                key: Box::new(key),
                token_url: below(org, "/oauth2/v1/token", None),
                tokens: TokenCache::default(),
                scopes: Mutex::new(scopes.split_whitespace().map(str::to_owned).collect()),
            }))
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

impl Vendor for OktaOrg {
    const API: Api = OKTA_API;
    const RATE_LIMIT: Option<&'static RateLimitHeaders> = Some(&RATE_LIMIT);
    const PROBES: &'static [Probe] = PROBES;

    type Service = ();

    fn service(&self) -> &() {
        &()
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        below(&self.org, path, query)
    }

    async fn bearer(
        &self,
        session: &Session,
        (): &(),
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

    fn refuses_token(response: &Response) -> bool {
        response.status == 401 && error_code(response) != NO_FEATURE
    }

    fn pause(session: &Session, response: &Response, callers: u32) -> Option<Duration> {
        RATE_LIMIT.pace(&response.headers, session.now(), callers)
    }

    fn refusal(&self, response: &Response) -> Refusal {
        match (response.status, error_code(response).as_str()) {
            (401 | 403, NO_FEATURE) => Refusal::Unlicensed,
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
        }
    }

    fn page(response: &Response) -> Result<ListPage, Trouble> {
        let next = response
            .headers
            .get_all("link")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(next_link)
            .map(str::to_owned);
        if let Ok(rows) = serde_json::from_slice::<Vec<Box<RawValue>>>(&response.body) {
            return Ok(ListPage { rows, next });
        }
        let page: wire::WrappedPage =
            serde_json::from_slice(&response.body).map_err(|_| OKTA_API.not_understood())?;
        Ok(ListPage {
            rows: page.value,
            next: next.or_else(|| page.links?.next?.href),
        })
    }

    fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
        sync::tenant(body)
    }

    fn tenant_label(&self) -> &str {
        self.org.host_str().unwrap_or_default()
    }

    fn settings_of(permission: &str) -> Vec<&'static str> {
        settings::settings_of(permission)
    }

    fn hint(&self, permission: &str) -> String {
        if self.uses_api_token() {
            format!(
                "the API token's owner may not read this ({permission}): give the owner the Read-only Administrator \
                 role (for administrators' roles: a custom role that may view roles), or use a service app"
            )
        } else {
            format!(
                "Okta admin console > Applications > your service app > Okta API Scopes > grant {permission}; and under \
                 Admin roles the app needs a role that may read this, such as Read-only Administrator"
            )
        }
    }
}

/// Okta's code for a feature that the org doesn't have.
const NO_FEATURE: &str = "E0000015";

fn error_code(response: &Response) -> String {
    serde_json::from_slice::<wire::ErrorBody>(&response.body)
        .ok()
        .and_then(|body| body.error_code)
        .unwrap_or_default()
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
