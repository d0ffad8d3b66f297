//! The API of Okta: permission probes, rate limits, errors, and pages linked by `Link` headers.

use super::{
    client::{OKTA_API, OktaOrg},
    role, scope, settings, sync, wire,
};
use crate::{
    config::below,
    rate::Bucket,
    run::ReadError,
    session::Session,
    text::okta as text,
    token::Bearer,
    vendor::{Api, ApiError, Expected, ListPage, Probe, Vendor},
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
    Probe::new(scope::ORGS, "/api/v1/org", None, &[Dataset::Organization]).with_role(role::ANY),
    Probe::new(
        scope::USERS,
        "/api/v1/users",
        Some("limit=2"),
        &[Dataset::Users, Dataset::SignIn, Dataset::Mfa],
    )
    .with_role(role::ANY)
    .expecting(Expected::Accounts),
    Probe::new(
        scope::USERS,
        "/api/v1/users/{first}/factors",
        None,
        &[Dataset::Mfa],
    )
    .with_role(role::ANY)
    .for_first_of("/api/v1/users"),
    Probe::new(
        scope::ROLES,
        "/api/v1/iam/assignees/users",
        Some("limit=1"),
        &[Dataset::Roles],
    )
    .with_role(role::VIEW_ROLES)
    .expecting(Expected::Some),
    Probe::new(
        scope::ROLES,
        "/api/v1/users/{first}/roles",
        None,
        &[Dataset::Roles],
    )
    .with_role(role::VIEW_ROLES)
    .for_first_of("/api/v1/users"),
    Probe::new(
        scope::APPS,
        "/api/v1/apps",
        Some("limit=2"),
        &[Dataset::Apps, Dataset::AppAssignments],
    )
    .with_role(role::ANY)
    .expecting(Expected::Apps),
    Probe::new(
        scope::APPS,
        "/api/v1/apps/{first}/users",
        Some("limit=1"),
        &[Dataset::AppAssignments],
    )
    .with_role(role::ANY)
    .for_first_of("/api/v1/apps"),
    Probe::new(scope::API_TOKENS, "/api/v1/api-tokens", None, &[Dataset::Tokens]).with_role(role::ANY),
    Probe::new(
        scope::POLICIES,
        "/api/v1/policies",
        Some("type=OKTA_SIGN_ON"),
        &[Dataset::SignInPolicies],
    )
    .with_role(role::ANY)
    .expecting(Expected::Some),
    Probe::new(
        scope::AUTHENTICATORS,
        "/api/v1/authenticators",
        None,
        &[Dataset::AuthenticationMethods],
    )
    .with_role(role::ANY)
    .expecting(Expected::Some),
    Probe::new(
        scope::NETWORK_ZONES,
        "/api/v1/zones",
        Some("limit=1"),
        &[Dataset::Locations],
    )
    .with_role(role::ANY),
    Probe::new(
        scope::THREAT_INSIGHTS,
        "/api/v1/threats/configuration",
        None,
        &[Dataset::ThreatDetection],
    )
    .with_role(role::ANY),
    Probe::new(
        scope::ORGS,
        "/api/v1/org/privacy/oktaSupport",
        None,
        &[Dataset::SupportAccess],
    )
    .with_role(role::SUPER),
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
            // Okta names a missing scope in a header.
            (403, _) if self.uses_api_token() || lacks_scope(response) => ApiError::Denied,
            (403, _) => ApiError::RoleDenied(role::ANY),
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
        if permission == role::VIEW_ROLES {
            text::GRANT_VIEW_ROLES.to_owned()
        } else if permission == role::SUPER {
            text::GRANT_SUPER.to_owned()
        } else if permission == role::ANY {
            text::GRANT_ANY_ROLE.to_owned()
        } else if self.uses_api_token() {
            text::grant_to_token_owner(permission)
        } else {
            text::grant_scope(permission)
        }
    }

    fn own_client(&self) -> Option<&str> {
        self.client_id()
    }

    /// Without a role, a service app gets an empty list of users. The owner of an API token always has a role.
    fn role_for_lists(&self) -> Option<&'static str> {
        (!self.uses_api_token()).then_some(role::ANY)
    }

    /// An API token has no scopes: if it is denied a request, its owner lacks a role.
    fn role_error(&self, error: ApiError, role: &'static str) -> ApiError {
        match error {
            ApiError::Denied if self.uses_api_token() && role != role::ANY => ApiError::RoleDenied(role),
            ApiError::RoleDenied(_) => ApiError::RoleDenied(role),
            error => error,
        }
    }
}

/// Whether a response with status 403 says that the access token lacks a scope.
fn lacks_scope(response: &Response) -> bool {
    response
        .header("www-authenticate")
        .is_some_and(|value| value.contains("insufficient_scope"))
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
