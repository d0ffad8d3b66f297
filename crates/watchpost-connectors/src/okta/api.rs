//! The API of Okta: permission probes, rate limits, errors, and pages linked by `Link` headers.

use super::{
    client::{OKTA_API, OktaOrg},
    scope, settings, sync, wire,
};
use crate::{
    config::below,
    rate::Bucket,
    run::ReadError,
    session::Session,
    text::okta as text,
    token::Bearer,
    vendor::{Api, ApiError, ListPage, Probe, Vendor},
};
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::text::ForeignText,
};
use watchpost_outbound::{RateLimitHeaders, Response};

/// The number of concurrent requests. Okta rejects more than 75 concurrent requests per org.
pub(super) const AT_ONCE: u32 = 8;

/// The headers in which Okta reports its rate limits with each response.
static RATE_LIMIT: RateLimitHeaders = RateLimitHeaders {
    limit: "x-rate-limit-limit",
    remaining: "x-rate-limit-remaining",
    reset: "x-rate-limit-reset",
};

/// Returns a bucket of Okta. The smallest plans allow 100 requests per minute. Each response tells the org's actual limit.
const fn bucket(name: &'static str) -> Bucket {
    Bucket {
        name,
        requests: 100,
        period: Duration::from_secs(60),
        at_once: AT_ONCE as usize,
    }
}

static USERS: Bucket = bucket("/api/v1/users");
static USER: Bucket = bucket("/api/v1/users/*");
static APPS: Bucket = bucket("/api/v1/apps");
static APP: Bucket = bucket("/api/v1/apps/*");
static IAM: Bucket = bucket("/api/v1/iam/*");
static POLICIES: Bucket = bucket("/api/v1/policies/*");
static OTHER: Bucket = bucket("/api/v1/*");

/// The permission probes. The response to the first one names the org.
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

impl Vendor for OktaOrg {
    const API: Api = OKTA_API;
    const RATE_LIMIT: Option<&'static RateLimitHeaders> = Some(&RATE_LIMIT);
    const AT_ONCE: usize = AT_ONCE as usize;
    const PROBES: &'static [Probe] = PROBES;

    type Service = ();

    fn service(&self) -> &() {
        &()
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        below(self.address(), path, query)
    }

    fn bucket(path: &str) -> &'static Bucket {
        let path = path.split_once("/api/v1/").map_or("", |(_, path)| path);
        let (family, rest) = path.split_once('/').unwrap_or((path, ""));
        match (family, rest.is_empty()) {
            ("users", true) => &USERS,
            ("users", false) => &USER,
            ("apps", true) => &APPS,
            ("apps", false) => &APP,
            ("iam", _) => &IAM,
            ("policies", _) => &POLICIES,
            _ => &OTHER,
        }
    }

    async fn bearer(
        &self,
        session: &Session,
        (): &(),
        rejected: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        self.token(session, rejected).await
    }

    fn rejects_token(response: &Response) -> bool {
        response.status == 401 && error_code(response) != NO_FEATURE
    }

    fn pause(session: &Session, response: &Response, concurrency: u32) -> Option<Duration> {
        RATE_LIMIT.pace(&response.headers, session.now(), concurrency)
    }

    fn error(&self, response: &Response) -> ApiError {
        match (response.status, error_code(response).as_str()) {
            (401 | 403, NO_FEATURE) => ApiError::Unlicensed,
            (401, _) => {
                let reason = if self.uses_api_token() {
                    text::API_TOKEN_REJECTED
                } else {
                    text::NEW_TOKEN_REJECTED
                };
                ApiError::Read(ReadError::Fatal(ConnectorError::Auth {
                    reason: reason.to_owned(),
                }))
            }
            (403, _) => ApiError::Denied,
            (404, _) => ApiError::NotFound,
            (status, _) => ApiError::Status(status),
        }
    }

    fn page(response: &Response) -> Result<ListPage, ReadError> {
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
            serde_json::from_slice(&response.body).map_err(|_| OKTA_API.unexpected_response())?;
        Ok(ListPage {
            rows: page.value,
            next: next.or_else(|| page.links?.next?.href),
        })
    }

    fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
        sync::tenant(body)
    }

    fn tenant_label(&self) -> &str {
        self.address().host_str().unwrap_or_default()
    }

    fn settings_of(permission: &str) -> Vec<&'static str> {
        settings::settings_of(permission)
    }

    fn hint(&self, permission: &str) -> String {
        if self.uses_api_token() {
            text::grant_to_token_owner(permission)
        } else {
            text::grant_scope(permission)
        }
    }
}

/// Okta's error code for a feature that the org doesn't have.
const NO_FEATURE: &str = "E0000015";

fn error_code(response: &Response) -> String {
    serde_json::from_slice::<wire::ErrorBody>(&response.body)
        .ok()
        .and_then(|body| body.error_code)
        .unwrap_or_default()
}

/// Returns the target of the link with the relation `next` in a `Link` header (RFC 8288). A target is enclosed in `<` and
/// `>` and may contain commas, which also separate links.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_bucket_of_its_family() {
        let check = |path: &str, expected: &str| assert_eq!(OktaOrg::bucket(path).name, expected, "{path}");
        check("/api/v1/users", "/api/v1/users");
        check("/api/v1/users/00u1/factors", "/api/v1/users/*");
        check("/okta/api/v1/users/00u1/roles", "/api/v1/users/*");
        check("/api/v1/apps", "/api/v1/apps");
        check("/api/v1/apps/0oa1/users", "/api/v1/apps/*");
        check("/api/v1/iam/assignees/users", "/api/v1/iam/*");
        check("/api/v1/policies/00p1/rules", "/api/v1/policies/*");
        check("/api/v1/org/privacy/oktaSupport", "/api/v1/*");
        check("/oauth2/v1/token", "/api/v1/*");
    }

    #[test]
    fn the_next_link_is_found_in_every_notation() {
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
        for header in [
            "",
            "<https://o.example/a>; rel=\"self\"",
            "<https://o.example/a; rel=next",
            "rel=next",
            "<<>>",
        ] {
            check(header, None);
        }
    }
}
