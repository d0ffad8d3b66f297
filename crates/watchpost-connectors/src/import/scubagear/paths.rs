//! The keys of an export, the settings that they correspond to, and the commands that read them.

/// The spelling of keys in a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// The spelling of Microsoft Graph.
    Graph,
    /// The spelling of the command's output. Only dates are converted.
    Command,
}

/// A key whose value is a plain list of rows.
pub(super) struct ListKey {
    /// The key in the export.
    pub(super) key: &'static str,
    /// The setting's path.
    pub(super) path: &'static str,
    /// The spelling of the keys in its rows.
    pub(super) spelling: Spelling,
}

const fn graph(key: &'static str, path: &'static str) -> ListKey {
    ListKey {
        key,
        path,
        spelling: Spelling::Graph,
    }
}

const fn command(key: &'static str, path: &'static str) -> ListKey {
    ListKey {
        key,
        path,
        spelling: Spelling::Command,
    }
}

/// The keys with lists. If a setting's key has changed, the current key precedes the older one.
pub(super) const LISTS: &[ListKey] = &[
    graph(
        "conditional_access_policies",
        "identity/conditionalAccess/policies",
    ),
    graph("authorization_policies", "policies/authorizationPolicy"),
    graph("admin_consent_policies", "policies/adminConsentRequestPolicy"),
    graph("directory_settings", "settings"),
    graph(
        "default_app_management_policy",
        "policies/defaultAppManagementPolicy",
    ),
    graph("app_management_policies", "policies/appManagementPolicies"),
    graph("domain_settings", "domains"),
    command("tenant_details", "organization"),
    command("remote_domains", "exchange/RemoteDomain"),
    command("accepted_domains", "exchange/AcceptedDomain"),
    command("all_domains", "exchange/AcceptedDomain"),
    command("dkim_config", "exchange/DkimSigningConfig"),
    command("transport_config", "exchange/TransportConfig"),
    command("sharing_policy", "exchange/SharingPolicy"),
    command("transport_rule", "exchange/TransportRule"),
    command("org_config", "exchange/OrganizationConfig"),
    command("org_relationships", "exchange/OrganizationRelationship"),
    command("inbound_connectors", "exchange/InboundConnector"),
    command("outbound_connectors", "exchange/OutboundConnector"),
    command("conn_filter", "exchange/HostedConnectionFilterPolicy"),
    command(
        "hosted_content_filter_policies",
        "exchange/HostedContentFilterPolicy",
    ),
    command("hosted_content_filter_rules", "exchange/HostedContentFilterRule"),
    command("anti_malware_policies", "exchange/MalwareFilterPolicy"),
    command("malware_filter_policies", "exchange/MalwareFilterPolicy"),
    command("anti_malware_rules", "exchange/MalwareFilterRule"),
    command("malware_filter_rules", "exchange/MalwareFilterRule"),
    command("anti_phish_policies", "exchange/AntiPhishPolicy"),
    command("anti_phish_rules", "exchange/AntiPhishRule"),
    command("safe_links_policies", "exchange/SafeLinksPolicy"),
    command("safe_links_rules", "exchange/SafeLinksRule"),
    command("safe_attachment_policies", "exchange/SafeAttachmentPolicy"),
    command("safe_attachment_rules", "exchange/SafeAttachmentRule"),
    command("atp_policy_for_o365", "exchange/AtpPolicyForO365"),
    command("protection_policy_rules", "exchange/EOPProtectionPolicyRule"),
    command("atp_policy_rules", "exchange/ATPProtectionPolicyRule"),
    command("built_in_protection_rules", "exchange/ATPBuiltInProtectionRule"),
    command("admin_audit_log_config", "exchange/AdminAuditLogConfig"),
    command("dlp_compliance_policies", "purview/DlpCompliancePolicy"),
    command("dlp_compliance_rules", "purview/DlpComplianceRule"),
    command("protection_alerts", "purview/ProtectionAlert"),
    command(
        "unified_audit_log_retention_policies",
        "purview/UnifiedAuditLogRetentionPolicy",
    ),
    command("SPO_tenant", "sharepoint/Tenant"),
    command("meeting_policies", "teams/MeetingPolicy"),
    command("federation_configuration", "teams/FederationConfiguration"),
    command("client_configuration", "teams/ClientConfiguration"),
    command("app_policies", "teams/AppPermissionPolicy"),
    command("broadcast_policies", "teams/MeetingBroadcastPolicy"),
    command("tenant_app_settings", "teams/TenantAppSettings"),
    command("teams_tenant_info", "teams/TenantInfo"),
    command("tenant_isolation", "powerplatform/TenantIsolationPolicy"),
];

/// The keys that describe the run or repeat another key for display. They aren't settings.
pub(super) const NOT_SETTINGS: &[&str] = &[
    "baseline_version",
    "module_version",
    "date",
    "timestamp_zulu",
    "report_uuid",
    "tenant_id",
    "scuba_config",
    "cap_table_data",
    "defender_license",
    "defender_dlp_license",
    "powerbi_license_found",
];

/// The settings that a command reads, by the lower-case suffix of its name: `Get-MgBetaSubscribedSku` and
/// `Get-MgSubscribedSku` both end with `subscribedsku`.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "identityconditionalaccesspolicy",
        &["identity/conditionalAccess/policies"],
    ),
    ("subscribedsku", &["subscribedSkus", "licenses/features"]),
    ("get-privilegeduser", &["directory/privilegedUsers"]),
    ("get-privilegedrole", &["directory/privilegedRoles"]),
    (
        "get-privilegedserviceprincipal",
        &["directory/privilegedServicePrincipals"],
    ),
    ("policyauthorizationpolicy", &["policies/authorizationPolicy"]),
    (
        "policyadminconsentrequestpolicy",
        &["policies/adminConsentRequestPolicy"],
    ),
    ("directorysetting", &["settings"]),
    (
        "policyauthenticationmethodpolicy",
        &["policies/authenticationMethodsPolicy"],
    ),
    (
        "policydefaultappmanagementpolicy",
        &["policies/defaultAppManagementPolicy"],
    ),
    ("policyappmanagementpolicy", &["policies/appManagementPolicies"]),
    (
        "get-riskydelegatedpermissionclassifications",
        &["delegatedPermissionClassifications"],
    ),
    ("get-mgbetadomain", &["domains"]),
    ("get-mgdomain", &["domains"]),
    ("get-remotedomain", &["exchange/RemoteDomain"]),
    ("get-accepteddomain", &["exchange/AcceptedDomain"]),
    ("get-dkimsigningconfig", &["exchange/DkimSigningConfig"]),
    ("get-transportconfig", &["exchange/TransportConfig"]),
    ("get-sharingpolicy", &["exchange/SharingPolicy"]),
    ("get-transportrule", &["exchange/TransportRule"]),
    ("get-organizationconfig", &["exchange/OrganizationConfig"]),
    (
        "get-organizationrelationship",
        &["exchange/OrganizationRelationship"],
    ),
    ("get-inboundconnector", &["exchange/InboundConnector"]),
    ("get-outboundconnector", &["exchange/OutboundConnector"]),
    (
        "get-hostedconnectionfilterpolicy",
        &["exchange/HostedConnectionFilterPolicy"],
    ),
    (
        "get-hostedcontentfilterpolicy",
        &["exchange/HostedContentFilterPolicy"],
    ),
    (
        "get-hostedcontentfilterrule",
        &["exchange/HostedContentFilterRule"],
    ),
    ("get-malwarefilterpolicy", &["exchange/MalwareFilterPolicy"]),
    ("get-malwarefilterrule", &["exchange/MalwareFilterRule"]),
    ("get-antiphishpolicy", &["exchange/AntiPhishPolicy"]),
    ("get-antiphishrule", &["exchange/AntiPhishRule"]),
    ("get-safelinkspolicy", &["exchange/SafeLinksPolicy"]),
    ("get-safelinksrule", &["exchange/SafeLinksRule"]),
    ("get-safeattachmentpolicy", &["exchange/SafeAttachmentPolicy"]),
    ("get-safeattachmentrule", &["exchange/SafeAttachmentRule"]),
    ("get-atppolicyforo365", &["exchange/AtpPolicyForO365"]),
    (
        "get-eopprotectionpolicyrule",
        &["exchange/EOPProtectionPolicyRule"],
    ),
    (
        "get-atpprotectionpolicyrule",
        &["exchange/ATPProtectionPolicyRule"],
    ),
    (
        "get-atpbuiltinprotectionrule",
        &["exchange/ATPBuiltInProtectionRule"],
    ),
    ("get-adminauditlogconfig", &["exchange/AdminAuditLogConfig"]),
    ("get-dlpcompliancepolicy", &["purview/DlpCompliancePolicy"]),
    ("get-dlpcompliancerule", &["purview/DlpComplianceRule"]),
    ("get-protectionalert", &["purview/ProtectionAlert"]),
    (
        "get-unifiedauditlogretentionpolicy",
        &["purview/UnifiedAuditLogRetentionPolicy"],
    ),
    ("get-spotenant", &["sharepoint/Tenant"]),
    ("get-pnptenant", &["sharepoint/Tenant"]),
    ("sharepoint rest api", &["sharepoint/Tenant"]),
    ("get-csteamsmeetingpolicy", &["teams/MeetingPolicy"]),
    (
        "get-cstenantfederationconfiguration",
        &["teams/FederationConfiguration"],
    ),
    ("get-csteamsclientconfiguration", &["teams/ClientConfiguration"]),
    ("get-csteamsapppermissionpolicy", &["teams/AppPermissionPolicy"]),
    (
        "get-csteamsmeetingbroadcastpolicy",
        &["teams/MeetingBroadcastPolicy"],
    ),
    ("get-m365unifiedtenantsettings", &["teams/TenantAppSettings"]),
    ("get-cstenant", &["teams/TenantInfo"]),
    ("get-tenantsettings", &["powerplatform/TenantSettings"]),
    ("get-adminpowerappenvironment", &["powerplatform/Environments"]),
    ("get-dlppolicy", &["powerplatform/DlpPolicies"]),
    (
        "get-powerapptenantisolationpolicy",
        &["powerplatform/TenantIsolationPolicy"],
    ),
    ("get-powerbitenantsettings", &["powerbi/TenantSettings"]),
];

/// Returns the paths of the settings that a command reads; none for an unknown command.
pub(super) fn paths_of(command: &str) -> &'static [&'static str] {
    let command = command.trim().to_ascii_lowercase();
    COMMANDS
        .iter()
        .find(|(suffix, _)| command.ends_with(suffix))
        .map_or(&[], |(_, paths)| paths)
}

/// Returns the lookup of `dns/domains` that a command makes.
pub(super) fn lookup_of(command: &str) -> Option<&'static str> {
    match command.trim().to_ascii_lowercase().as_str() {
        "get-scubaspfrecords" | "get-scubaspfrecord" => Some("spf"),
        "get-scubadkimrecords" | "get-scubadkimrecord" => Some("dkim"),
        "get-scubadmarcrecords" | "get-scubadmarcrecord" => Some("dmarc"),
        _ => None,
    }
}
