//! The accepted differences, each with its reason.

use crate::log::Exception;

pub(crate) const OKTA: &[Exception] = &[
    (
        "okta POST /oauth2/v1/token: request: no such address",
        "the token endpoint belongs to another API, which this description doesn't include",
    ),
    (
        "okta GET /api/v1/apps/{appId}/users: answer[].externalId: null, but not nullable",
        "the examples in the description have null here",
    ),
    (
        "okta GET /api/v1/apps: answer[].accessibility.errorRedirectUrl: null, but not nullable",
        "the examples in the description have null here",
    ),
    (
        "okta GET /api/v1/apps: answer[].accessibility.loginRedirectUrl: null, but not nullable",
        "the examples in the description have null here",
    ),
    (
        "okta GET /api/v1/users/{userId}/factors: answer[]: no such factorType: \"signed_nonce\"",
        "a member of UserFactorType that the list of kinds lacks; the description's text says that it is returned",
    ),
];

pub(crate) const GRAPH: &[Exception] = &[
    (
        "graph GET /beta/identity/conditionalAccess/policies: answer[].conditions.insiderRiskLevels: \
         graph.conditionalAccessConditionSet has no such property",
        "described in v1.0; the metadata of the beta version are those of a cloud without this feature",
    ),
    (
        "graph GET /beta/policies/authorizationPolicy: answer[].allowUserConsentForRiskyApps: \
         microsoft.graph.authorizationPolicy has no such property (the type is open)",
        "described in v1.0; the metadata of the beta version are those of a cloud without this feature",
    ),
    (
        "graph GET /beta/legacy/policies: request: nothing is called legacy",
        "in no description, but the only place of the domains that guests may be invited from",
    ),
    (
        "graph GET /v1.0/admin/configurationManagement/configurationSnapshotJobs/{id}: answer.completedDateTime: \
         null, but not nullable",
        "a running job",
    ),
    (
        "graph POST /v1.0/admin/configurationManagement/configurationSnapshots/createSnapshot: answer.completedDateTime: \
         null, but not nullable",
        "a running job",
    ),
    (
        "graph GET /v1.0/admin/configurationManagement/configurationSnapshotJobs/{id}: answer.resourceLocation: \
         null, but not nullable",
        "a running job",
    ),
    (
        "graph GET /v1.0/groups/{id}/transitiveMembers: query $select: microsoft.graph.directoryObject has no displayName",
        "Graph accepts the properties of the derived types here, as its own examples for members of groups show",
    ),
    (
        "graph GET /v1.0/no/such/thing: request: nothing is called no",
        "sent for the form of the error",
    ),
    (
        "graph GET /v1.0/servicePrincipals: answer[].createdDateTime: \
         microsoft.graph.servicePrincipal has no such property (the type is open)",
        "an undescribed property of an open type; without it the date of creation is unknown",
    ),
    (
        "graph GET /v1.0/servicePrincipals: query $select: microsoft.graph.servicePrincipal has no createdDateTime",
        "an undescribed property of an open type; without it the date of creation is unknown",
    ),
];

/// Fields of the documents in the cases of checks.
pub(crate) const CASES: &[Exception] = &[(
    "entra.user_consent_restricted policies/authorizationPolicy: .permissionGrantPolicyIdsAssignedToDefaultUserRole: \
     no such property",
    "the beta version's name, which imported exports have",
)];

/// Fields that checks read.
pub(crate) const READS: &[Exception] = &[
    (
        "entra.ga_activation_alert: Notification_*",
        "the id of a rule, from an export",
    ),
    (
        "entra.ga_activation_approval: Approval_*",
        "the id of a rule, from an export",
    ),
    (
        "entra.other_activation_alert: Notification_*",
        "the id of a rule, from an export",
    ),
    (
        "entra.privileged_assignment_alert: Notification_*",
        "the id of a rule, from an export",
    ),
    (
        "entra.guest_domains: *",
        "within a text that holds JSON, in a setting that is in no description",
    ),
    (
        "exo.external_warning: ExternalInOutlook: *",
        "a word of the verdict",
    ),
    (
        "lib_dlp: ConditionName: *",
        "within a text that holds JSON: the condition of an advanced rule",
    ),
    ("lib_dlp: SubConditions: *", "the same"),
    (
        "exo.shared_mailbox_signin: ExternalDirectoryObjectId: *",
        "the output of Get-Mailbox, which has no description here",
    ),
];

/// The hosts that have no description. Their requests are only counted.
pub(crate) const HOSTS: &[Exception] = &[
    (
        "/login *",
        "Entra's token endpoint: OAuth's standards describe it",
    ),
    (
        "/exchange *",
        "Exchange's cmdlets over HTTP: their parameters and output are documented in prose",
    ),
    (
        "/compliance *",
        "Purview's cmdlets over HTTP: the host that the modules of PowerShell use, without a description",
    ),
    (
        "/sharepoint-admin *",
        "SharePoint's tenant object: its classes are documented in prose",
    ),
    (
        "/power-platform *",
        "the administration of Power Platform: documented in prose",
    ),
    ("/fabric *", "Fabric's API: documented in prose"),
];

/// Fields that the connectors read.
pub(crate) const WIRE: &[Exception] = &[
    (
        "m365 ServicePrincipal: createdDateTime: *",
        "an undescribed property of an open type; without it the date of creation is unknown",
    ),
    (
        "okta EnrollmentPolicy: rules: *",
        "added to a policy when its rules are read",
    ),
];
