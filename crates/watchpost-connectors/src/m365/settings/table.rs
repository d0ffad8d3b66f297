//! Every setting of a tenant, and how it is read.

use crate::m365::permission;

/// A document, or list of documents, that Graph gives as it is to be kept.
pub(super) struct GraphSetting {
    /// Its stable path.
    pub(super) path: &'static str,
    /// Below Graph's address, with the version.
    pub(super) at: &'static str,
    pub(super) query: Option<&'static str>,
    /// Whether it is a list. Where one object is expected, a list of one is accepted too.
    pub(super) list: bool,
    pub(super) permission: &'static str,
}

impl GraphSetting {
    /// Where it comes from in the port's words.
    pub(super) fn source(&self) -> &'static str {
        if self.at.starts_with("/beta/") {
            GRAPH_BETA
        } else {
            GRAPH
        }
    }
}

pub(super) const GRAPH: &str = "graph";
pub(super) const GRAPH_BETA: &str = "graph-beta";
pub(super) const DERIVED: &str = "derived";

const fn list(path: &'static str, at: &'static str, permission: &'static str) -> GraphSetting {
    GraphSetting {
        path,
        at,
        query: None,
        list: true,
        permission,
    }
}

const fn one(path: &'static str, at: &'static str, permission: &'static str) -> GraphSetting {
    GraphSetting {
        list: false,
        ..list(path, at, permission)
    }
}

/// What Graph gives as it is. One after the other: conditional access allows about one request a second.
pub(super) const GRAPH_SETTINGS: &[GraphSetting] = &[
    list("organization", "/v1.0/organization", permission::ORGANIZATION),
    list("subscribedSkus", "/v1.0/subscribedSkus", permission::ORGANIZATION),
    list("domains", "/v1.0/domains", permission::DOMAIN),
    // Only beta tells the conditions on authentication flows and on agents' risk.
    list(
        "identity/conditionalAccess/policies",
        "/beta/identity/conditionalAccess/policies",
        permission::POLICY,
    ),
    list(
        "identity/conditionalAccess/namedLocations",
        "/v1.0/identity/conditionalAccess/namedLocations",
        permission::POLICY,
    ),
    one(
        "policies/authorizationPolicy",
        "/v1.0/policies/authorizationPolicy",
        permission::POLICY,
    ),
    one(
        "policies/authenticationMethodsPolicy",
        "/beta/policies/authenticationMethodsPolicy",
        permission::POLICY,
    ),
    one(
        "policies/identitySecurityDefaultsEnforcementPolicy",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        permission::POLICY,
    ),
    one(
        "policies/adminConsentRequestPolicy",
        "/v1.0/policies/adminConsentRequestPolicy",
        permission::POLICY,
    ),
    list("settings", "/beta/settings", permission::DIRECTORY),
    one(
        "policies/defaultAppManagementPolicy",
        "/beta/policies/defaultAppManagementPolicy",
        permission::POLICY,
    ),
    GraphSetting {
        path: "policies/appManagementPolicies",
        at: "/beta/policies/appManagementPolicies",
        query: Some("$expand=appliesTo"),
        list: true,
        permission: permission::POLICY,
    },
    one(
        "admin/sharepoint/settings",
        "/v1.0/admin/sharepoint/settings",
        permission::SHAREPOINT_SETTINGS,
    ),
];

/// What is put together from several answers of Graph, in the order in which it is read.
pub(super) mod derived {
    pub(in crate::m365) const B2B: &str = "policies/b2bManagementPolicy";
    pub(in crate::m365) const CLASSIFICATIONS: &str = "delegatedPermissionClassifications";
    pub(in crate::m365) const LICENSES: &str = "licenses/features";
    pub(in crate::m365) const MFA: &str = "reports/mfaCapability";
    pub(in crate::m365) const USERS: &str = "users/summary";
    pub(in crate::m365) const GROUPS: &str = "groups/public";
    pub(in crate::m365) const APPLICATIONS: &str = "applications";
    pub(in crate::m365) const SERVICE_PRINCIPALS: &str = "servicePrincipals/open";
}

const DERIVED_PATHS: &[&str] = &[
    derived::B2B,
    derived::CLASSIFICATIONS,
    derived::LICENSES,
    derived::MFA,
    derived::USERS,
    derived::GROUPS,
    derived::APPLICATIONS,
    derived::SERVICE_PRINCIPALS,
];

const COUNT: usize = GRAPH_SETTINGS.len() + DERIVED_PATHS.len();

/// All paths, in the order in which they are read.
pub(in crate::m365) const PATHS: [&str; COUNT] = {
    let mut paths = [""; COUNT];
    let mut n = 0;
    let mut i = 0;
    while i < GRAPH_SETTINGS.len() {
        paths[n] = GRAPH_SETTINGS[i].path;
        i += 1;
        n += 1;
    }
    let mut i = 0;
    while i < DERIVED_PATHS.len() {
        paths[n] = DERIVED_PATHS[i];
        i += 1;
        n += 1;
    }
    paths
};
