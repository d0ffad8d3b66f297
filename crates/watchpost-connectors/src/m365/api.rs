//! The API of Microsoft Graph: permission probes, pauses, errors, and pages.

use super::{
    client::{GRAPH_API, M365Tenant, Service},
    permission, settings, sync, wire,
};
use crate::{
    rate::Bucket,
    run::ReadError,
    session::Session,
    text::m365 as text,
    token::Bearer,
    vendor::{Api, ApiError, Expected, ListPage, Probe, Vendor},
};
use std::time::Duration;
use url::Url;
use watchpost_core::{
    integration::{connector::ConnectorError, fact::Dataset},
    value::text::ForeignText,
};
use watchpost_outbound::Response;

/// The share of Graph's throttling limit from which on requests are slowed down.
const BUSY_SHARE: f64 = 0.8;
/// The pause after each response once that share is reached.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// The number of concurrent requests.
const AT_ONCE: usize = 8;

/// Reports and audit logs: five requests in ten seconds per application and tenant.
static REPORTS: Bucket = Bucket {
    name: "reports",
    requests: 5,
    period: Duration::from_secs(10),
    at_once: 1,
};

/// Conditional Access and risk: one request per second for all applications of a tenant together.
static CONDITIONAL_ACCESS: Bucket = Bucket {
    name: "conditional access",
    requests: 1,
    period: Duration::from_secs(1),
    at_once: 1,
};

/// Everything else. A tenant with fewer than 50 users has 3,500 resource units in ten seconds per application, and no
/// request costs more than 5.
static DIRECTORY: Bucket = Bucket {
    name: "directory",
    requests: 700,
    period: Duration::from_secs(10),
    at_once: AT_ONCE,
};

/// The permission probes. The response to the first one names the tenant.
const PROBES: &[Probe] = &[
    Probe::new(
        permission::ORGANIZATION,
        "/v1.0/organization",
        Some("$select=id,displayName"),
        &[Dataset::Organization],
    ),
    Probe::new(
        permission::ORGANIZATION,
        "/v1.0/subscribedSkus",
        Some("$select=id"),
        &[Dataset::Licenses],
    ),
    Probe::new(
        permission::USER,
        "/v1.0/users",
        Some("$select=id&$top=2"),
        &[Dataset::Users, Dataset::SignIn, Dataset::Mfa],
    )
    .expecting(Expected::Accounts),
    Probe::new(
        permission::AUDIT_LOG,
        "/v1.0/users",
        Some("$select=id,signInActivity&$top=1"),
        &[Dataset::SignIn],
    ),
    Probe::new(
        permission::AUDIT_LOG,
        "/v1.0/reports/authenticationMethods/userRegistrationDetails",
        Some("$top=1"),
        &[Dataset::Mfa],
    ),
    Probe::new(permission::DOMAIN, "/v1.0/domains", None, &[Dataset::Domains]).expecting(Expected::Some),
    Probe::new(
        permission::ROLES,
        "/v1.0/roleManagement/directory/roleDefinitions",
        Some("$select=id&$top=1"),
        &[Dataset::Roles, Dataset::RoleSchedules],
    )
    .expecting(Expected::Some),
    Probe::new(
        permission::ROLES,
        "/v1.0/roleManagement/directory/roleAssignments",
        Some("$top=1"),
        &[Dataset::Roles],
    )
    .expecting(Expected::Some),
    Probe::new(
        permission::GROUP_MEMBER,
        "/v1.0/groups",
        Some("$select=id&$top=1"),
        &[Dataset::Roles, Dataset::AppAssignments],
    ),
    Probe::new(
        permission::ROLES_ACTIVE,
        "/v1.0/roleManagement/directory/roleAssignmentScheduleInstances",
        Some("$top=1"),
        &[Dataset::RoleSchedules],
    ),
    Probe::new(
        permission::ROLES_ELIGIBLE,
        "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
        Some("$top=1"),
        &[Dataset::RoleSchedules],
    ),
    Probe::new(
        permission::APPLICATION,
        "/v1.0/servicePrincipals",
        Some("$select=id,appId&$top=2"),
        &[
            Dataset::Apps,
            Dataset::AppOwners,
            Dataset::AppGrants,
            Dataset::AppAssignments,
        ],
    )
    .expecting(Expected::Apps),
    Probe::new(
        permission::APPLICATION,
        "/v1.0/applications",
        Some("$select=id,appId&$top=1"),
        &[Dataset::Apps, Dataset::AppOwners],
    ),
    Probe::new(
        permission::APPLICATION,
        "/v1.0/applications/{first}/owners",
        Some("$select=id&$top=1"),
        &[Dataset::AppOwners],
    )
    .for_first_of("/v1.0/applications"),
    Probe::new(
        permission::APPLICATION,
        "/v1.0/servicePrincipals/{first}/appRoleAssignedTo",
        Some("$top=1"),
        &[Dataset::AppGrants, Dataset::AppAssignments],
    )
    .for_first_of("/v1.0/servicePrincipals"),
    Probe::new(
        permission::DIRECTORY,
        "/v1.0/oauth2PermissionGrants",
        Some("$top=1"),
        &[Dataset::Grants],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/identity/conditionalAccess/policies",
        Some("$top=1"),
        &[Dataset::ConditionalAccess],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        None,
        &[Dataset::SecurityDefaults],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/policies/authorizationPolicy",
        None,
        &[Dataset::AuthorizationPolicy],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/policies/authenticationMethodsPolicy",
        None,
        &[Dataset::AuthenticationMethods],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/policies/adminConsentRequestPolicy",
        None,
        &[Dataset::AdminConsent],
    ),
    Probe::new(
        permission::POLICY,
        "/v1.0/identity/conditionalAccess/namedLocations",
        Some("$top=1"),
        &[Dataset::Locations],
    ),
];

impl Vendor for M365Tenant {
    const API: Api = GRAPH_API;
    const AT_ONCE: usize = AT_ONCE;
    /// Without this, members of enumerations that were added later are reported as `unknownFutureValue`, for example the
    /// platform `linux` of conditional access.
    const PREFER: Option<&'static str> = Some("include-unknown-enum-members");
    const PROBES: &'static [Probe] = PROBES;

    type Service = Service;

    fn service(&self) -> &Service {
        self.graph()
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.graph().url(path, query)
    }

    fn bucket(path: &str) -> &'static Bucket {
        let has = |part: &str| path.contains(part);
        if has("/reports/") || has("/auditLogs/") {
            &REPORTS
        } else if has("/identity/conditionalAccess/") || has("/identityProtection/") {
            &CONDITIONAL_ACCESS
        } else {
            &DIRECTORY
        }
    }

    async fn bearer(
        &self,
        session: &Session,
        service: &Service,
        rejected: Option<u64>,
    ) -> Result<Bearer, ConnectorError> {
        self.token(session, service, rejected).await
    }

    fn pause(_: &Session, response: &Response, _: u32) -> Option<Duration> {
        let share = response.header("x-ms-throttle-limit-percentage")?;
        let share: f64 = share.parse().ok()?;
        (share >= BUSY_SHARE).then_some(BUSY_PAUSE)
    }

    fn error(&self, response: &Response) -> ApiError {
        let error = serde_json::from_slice::<wire::ErrorBody>(&response.body)
            .ok()
            .and_then(|body| body.error);
        let (code, message) = error.map_or_else(Default::default, |error| {
            (error.code.unwrap_or_default(), error.message.unwrap_or_default())
        });
        match (response.status, code.as_str()) {
            (_, "Authentication_RequestFromNonPremiumTenantOrB2CTenant" | "AadPremiumLicenseRequired") => {
                ApiError::Unlicensed
            }
            (401, _) => ApiError::Read(ReadError::Fatal(ConnectorError::Auth {
                reason: text::NEW_TOKEN_REJECTED.to_owned(),
            })),
            (403, _) => ApiError::Denied,
            (404, _) => ApiError::NotFound,
            (400, code) => ApiError::Malformed(format!("{code} {message}")),
            (status, _) => ApiError::Status(status),
        }
    }

    fn page(response: &Response) -> Result<ListPage, ReadError> {
        let page: wire::ListPage =
            serde_json::from_slice(&response.body).map_err(|_| GRAPH_API.unexpected_response())?;
        Ok(ListPage {
            rows: page.value,
            next: page.next.filter(|link| !link.is_empty()),
        })
    }

    fn tenant(body: &[u8]) -> Option<(String, ForeignText)> {
        sync::tenant(body)
    }

    fn tenant_label(&self) -> &str {
        self.configured_tenant()
    }

    fn settings_of(permission: &str) -> Vec<&'static str> {
        settings::settings_of(permission)
    }

    fn hint(&self, permission: &str) -> String {
        text::grant_permission(permission)
    }

    fn own_client(&self) -> Option<&str> {
        Some(self.client_id())
    }

    fn role_for_lists(&self) -> Option<&'static str> {
        None
    }

    fn role_error(&self, error: ApiError, _: &'static str) -> ApiError {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_and_conditional_access_have_tight_buckets_of_their_own() {
        let check =
            |path: &str, expected: &str| assert_eq!(M365Tenant::bucket(path).name, expected, "{path}");
        check(
            "/v1.0/reports/authenticationMethods/userRegistrationDetails",
            "reports",
        );
        check("/beta/auditLogs/signIns", "reports");
        check("/v1.0/identity/conditionalAccess/policies", "conditional access");
        check(
            "/graph/v1.0/identity/conditionalAccess/namedLocations",
            "conditional access",
        );
        check("/v1.0/users", "directory");
        check("/v1.0/policies/authorizationPolicy", "directory");
        assert_eq!((REPORTS.at_once, CONDITIONAL_ACCESS.at_once), (1, 1));
    }
}
