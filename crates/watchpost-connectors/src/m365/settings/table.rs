//! The table of a tenant's settings, with the way in which each is read.

use crate::{form::snapshot, m365::permission};

/// A document or a list of documents of Graph that is stored unchanged.
pub(super) struct GraphSetting {
    /// The setting's path.
    pub(super) path: &'static str,
    /// The path at Graph, including the version.
    pub(super) at: &'static str,
    pub(super) query: Option<&'static str>,
    /// Whether the document is a list. If it isn't, a list of one is accepted as well.
    pub(super) list: bool,
    pub(super) permission: &'static str,
}

impl GraphSetting {
    /// Returns the name of the setting's source.
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

/// The settings that are stored unchanged. They are read one after the other, because conditional access allows about one
/// request per second.
pub(super) const GRAPH_SETTINGS: &[GraphSetting] = &[
    list("organization", "/v1.0/organization", permission::ORGANIZATION),
    list("subscribedSkus", "/v1.0/subscribedSkus", permission::ORGANIZATION),
    list("domains", "/v1.0/domains", permission::DOMAIN),
    // Only the beta version includes the conditions on authentication flows and on agents' risk.
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

/// The settings that are derived from other data of Graph, in the order in which they are read.
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

/// The derived settings, with the permissions that they require. The permission for role policies isn't among them, since
/// `directory/privilegedRoles` can be read in part without it.
pub(super) const DERIVED_PERMISSIONS: &[(&str, &[&str])] = &[
    (derived::B2B, &[permission::POLICY]),
    (derived::CLASSIFICATIONS, &[permission::APPLICATION]),
    (derived::LICENSES, &[permission::ORGANIZATION]),
    (derived::MFA, &[permission::AUDIT_LOG, permission::USER]),
    (derived::USERS, &[permission::USER]),
    (derived::GROUPS, &[permission::GROUP_MEMBER]),
    (derived::APPLICATIONS, &[permission::APPLICATION]),
    (derived::SERVICE_PRINCIPALS, &[permission::APPLICATION]),
    (
        privileged::USERS,
        &[
            permission::ROLES_ACTIVE,
            permission::ROLES_ELIGIBLE,
            permission::GROUP_MEMBER,
            permission::USER,
        ],
    ),
    (privileged::ROLES, &[permission::ROLES_ACTIVE]),
    (
        privileged::SERVICE_PRINCIPALS,
        &[
            permission::ROLES_ACTIVE,
            permission::ROLES_ELIGIBLE,
            permission::GROUP_MEMBER,
        ],
    ),
];

/// The settings that are derived from role assignments.
pub(super) mod privileged {
    pub(in crate::m365) const USERS: &str = "directory/privilegedUsers";
    pub(in crate::m365) const ROLES: &str = "directory/privilegedRoles";
    pub(in crate::m365) const SERVICE_PRINCIPALS: &str = "directory/privilegedServicePrincipals";
}

const PRIVILEGED_PATHS: &[&str] = &[
    privileged::USERS,
    privileged::ROLES,
    privileged::SERVICE_PRINCIPALS,
];

/// The settings from the admin APIs of SharePoint, Power Platform and Fabric.
pub(super) mod admin {
    pub(in crate::m365) const SHAREPOINT: &str = "sharepoint/Tenant";
    pub(in crate::m365) const POWER_SETTINGS: &str = "powerplatform/TenantSettings";
    pub(in crate::m365) const POWER_POLICIES: &str = "powerplatform/DlpPolicies";
    pub(in crate::m365) const POWER_ENVIRONMENTS: &str = "powerplatform/Environments";
    pub(in crate::m365) const POWER_ISOLATION: &str = "powerplatform/TenantIsolationPolicy";
    pub(in crate::m365) const POWER_PLATFORM: [&str; 4] = [
        POWER_SETTINGS,
        POWER_POLICIES,
        POWER_ENVIRONMENTS,
        POWER_ISOLATION,
    ];
    pub(in crate::m365) const FABRIC: &str = "powerbi/TenantSettings";
}

/// The public DNS records of the tenant's domains.
pub(super) const DNS: &str = "dns/domains";

const ADMIN_PATHS: &[&str] = &[
    admin::SHAREPOINT,
    admin::POWER_SETTINGS,
    admin::POWER_POLICIES,
    admin::POWER_ENVIRONMENTS,
    admin::POWER_ISOLATION,
    admin::FABRIC,
];

/// A workload whose settings are read by cmdlets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workload {
    Exchange,
    Purview,
    Teams,
}

/// A setting of Exchange, Purview or Teams: the output of the cmdlet `Get-` plus the last part of the path.
pub(super) struct WorkloadSetting {
    pub(super) path: &'static str,
    pub(super) workload: Workload,
    /// The setting's endpoint in Exchange's documented admin API.
    pub(super) documented: Option<&'static str>,
    /// Whether the setting requires Defender for Office 365.
    pub(super) defender: bool,
}

impl WorkloadSetting {
    /// Returns the last part of the path.
    pub(super) fn noun(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the setting's type in configuration snapshots. Some settings have none, and those with a row for each mailbox
    /// aren't read from snapshots, because rows count against a monthly quota.
    pub(super) fn resource_type(&self) -> Option<&'static snapshot::ResourceType> {
        snapshot::type_of(self.path)
    }

    /// Returns the cmdlet that reads the setting, which is always a `Get-` cmdlet.
    pub(super) fn cmdlet(&self) -> String {
        match self.path {
            SHARED_MAILBOX => "Get-Mailbox".to_owned(),
            _ => format!("Get-{}", self.noun()),
        }
    }
}

pub(super) const SHARED_MAILBOX: &str = "exchange/SharedMailbox";
pub(super) const AUDIT_BYPASS: &str = "exchange/MailboxAuditBypassAssociation";

const fn workload(path: &'static str, workload: Workload) -> WorkloadSetting {
    WorkloadSetting {
        path,
        workload,
        documented: None,
        defender: false,
    }
}

const fn exchange(path: &'static str) -> WorkloadSetting {
    workload(path, Workload::Exchange)
}

const fn defender(path: &'static str) -> WorkloadSetting {
    WorkloadSetting {
        defender: true,
        ..exchange(path)
    }
}

const fn documented(path: &'static str, endpoint: &'static str) -> WorkloadSetting {
    WorkloadSetting {
        documented: Some(endpoint),
        ..exchange(path)
    }
}

pub(super) const WORKLOAD_SETTINGS: &[WorkloadSetting] = &[
    documented("exchange/OrganizationConfig", "OrganizationConfig"),
    documented("exchange/AcceptedDomain", "AcceptedDomain"),
    documented(SHARED_MAILBOX, "Mailbox"),
    exchange("exchange/RemoteDomain"),
    exchange("exchange/DkimSigningConfig"),
    exchange("exchange/TransportConfig"),
    exchange("exchange/SharingPolicy"),
    exchange("exchange/TransportRule"),
    exchange("exchange/ExternalInOutlook"),
    exchange(AUDIT_BYPASS),
    exchange("exchange/RoleAssignmentPolicy"),
    exchange("exchange/OwaMailboxPolicy"),
    exchange("exchange/HostedConnectionFilterPolicy"),
    exchange("exchange/HostedContentFilterPolicy"),
    exchange("exchange/HostedContentFilterRule"),
    exchange("exchange/HostedOutboundSpamFilterPolicy"),
    exchange("exchange/MalwareFilterPolicy"),
    exchange("exchange/MalwareFilterRule"),
    exchange("exchange/AntiPhishPolicy"),
    exchange("exchange/AntiPhishRule"),
    defender("exchange/SafeLinksPolicy"),
    defender("exchange/SafeLinksRule"),
    defender("exchange/SafeAttachmentPolicy"),
    defender("exchange/SafeAttachmentRule"),
    defender("exchange/AtpPolicyForO365"),
    exchange("exchange/EOPProtectionPolicyRule"),
    defender("exchange/ATPProtectionPolicyRule"),
    defender("exchange/ATPBuiltInProtectionRule"),
    exchange("exchange/AdminAuditLogConfig"),
    exchange("exchange/InboundConnector"),
    exchange("exchange/OutboundConnector"),
    defender("exchange/TeamsProtectionPolicy"),
    workload("purview/DlpCompliancePolicy", Workload::Purview),
    workload("purview/DlpComplianceRule", Workload::Purview),
    workload("purview/ProtectionAlert", Workload::Purview),
    workload("purview/UnifiedAuditLogRetentionPolicy", Workload::Purview),
    workload("teams/MeetingPolicy", Workload::Teams),
    workload("teams/FederationConfiguration", Workload::Teams),
    workload("teams/ClientConfiguration", Workload::Teams),
    workload("teams/AppPermissionPolicy", Workload::Teams),
    workload("teams/MeetingBroadcastPolicy", Workload::Teams),
];

const COUNT: usize = GRAPH_SETTINGS.len()
    + DERIVED_PATHS.len()
    + PRIVILEGED_PATHS.len()
    + WORKLOAD_SETTINGS.len()
    + ADMIN_PATHS.len()
    + 1;

/// All paths.
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
    while i < WORKLOAD_SETTINGS.len() {
        paths[n] = WORKLOAD_SETTINGS[i].path;
        i += 1;
        n += 1;
    }
    paths[n] = DNS;
    n += 1;
    let more = [DERIVED_PATHS, PRIVILEGED_PATHS, ADMIN_PATHS];
    let mut list = 0;
    while list < more.len() {
        let mut i = 0;
        while i < more[list].len() {
            paths[n] = more[list][i];
            i += 1;
            n += 1;
        }
        list += 1;
    }
    paths
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn paths_are_unique() {
        let distinct: BTreeSet<&str> = PATHS.into_iter().collect();
        assert_eq!(distinct.len(), PATHS.len());
        assert!(!distinct.contains(""));
    }

    #[test]
    fn every_type_of_snapshots_belongs_to_a_setting_and_five_settings_have_none() {
        for kind in snapshot::TYPES {
            let has = WORKLOAD_SETTINGS.iter().any(|setting| setting.path == kind.path);
            assert!(has, "{}", kind.path);
        }
        let without: BTreeSet<&str> = WORKLOAD_SETTINGS
            .iter()
            .filter(|setting| setting.resource_type().is_none())
            .map(|setting| setting.path)
            .collect();
        let expected = [
            "exchange/ATPBuiltInProtectionRule",
            "exchange/ATPProtectionPolicyRule",
            "exchange/AdminAuditLogConfig",
            AUDIT_BYPASS,
            "exchange/TeamsProtectionPolicy",
            "purview/UnifiedAuditLogRetentionPolicy",
        ];
        assert_eq!(without, expected.into());
    }

    #[test]
    fn every_cmdlet_is_read_only() {
        for setting in WORKLOAD_SETTINGS {
            let cmdlet = setting.cmdlet();
            let noun = cmdlet.strip_prefix("Get-").unwrap();
            assert!(noun.bytes().all(|b| b.is_ascii_alphanumeric()), "{cmdlet}");
        }
    }
}
