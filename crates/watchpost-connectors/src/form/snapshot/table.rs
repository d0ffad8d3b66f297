//! The ordered resource types, and the fields that they name differently from the cmdlets.

/// A resource type.
pub(crate) struct ResourceType {
    /// The path of the setting that the resources of this type form.
    pub(crate) path: &'static str,
    /// The type's name, in lower case.
    pub(crate) name: &'static str,
    /// The fields that differ, in the order in which they are set.
    pub(super) fields: &'static [Field],
    /// The fields without which a check skips the setting. If a source lacks one of them, the next source is asked.
    pub(crate) needs: &'static [&'static str],
}

/// A field of the internal form and its origin.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) from: Made,
}

/// The property that a field is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made {
    /// The same value under another name, which is dropped.
    Renamed(&'static str),
    /// The same value; the property is kept as well.
    Copied(&'static str),
    /// `Enabled` or `Disabled`, from a bool.
    State(&'static str),
    /// A word whose capitals the schema leaves open.
    Word(&'static [&'static str]),
    /// Whether the policy is the default one: a bool or, without it, the name that Microsoft gives to default policies.
    IsDefault(&'static str),
    /// The preset to which a policy belongs, from the name that Microsoft gives to the policies of presets.
    Preset,
    /// The name of a policy of Teams. The cmdlets put `Tag:` in front of every name but `Global`.
    Tagged,
    /// The information types of a rule of data loss prevention: the cmdlet's list, from an object.
    InformationTypes,
    /// Whether a rule of data loss prevention is written in the advanced form: whether it has that form's text.
    Advanced,
    /// Nothing: the property's value is not the cmdlet's.
    Dropped,
}

const fn field(name: &'static str, from: Made) -> Field {
    Field { name, from }
}

const NAME: Field = field("Name", Made::Copied("Identity"));
const IDENTITY: Field = field("Identity", Made::Copied("Name"));
const STATE: Field = field("State", Made::State("Enabled"));
const IS_DEFAULT: Field = field("IsDefault", Made::IsDefault("MakeDefault"));
const PRESET: Field = field("RecommendedPolicyType", Made::Preset);
const TAGGED: Field = field("Identity", Made::Tagged);

/// The actions of spam and phishing policies.
const ACTIONS: &[&str] = &[
    "MoveToJmf",
    "AddXHeader",
    "ModifySubject",
    "Redirect",
    "Delete",
    "Quarantine",
    "NoAction",
    "BccMessage",
];

const fn of(
    path: &'static str,
    name: &'static str,
    fields: &'static [Field],
    needs: &'static [&'static str],
) -> ResourceType {
    ResourceType {
        path,
        name,
        fields,
        needs,
    }
}

/// The ordered types.
///
/// A check also reads `exchange/ATPProtectionPolicyRule`, `exchange/ATPBuiltInProtectionRule`, `exchange/AdminAuditLogConfig`,
/// `exchange/TeamsProtectionPolicy` and `purview/UnifiedAuditLogRetentionPolicy`, for which there is no type.
pub(crate) const TYPES: &[ResourceType] = &[
    of(
        "exchange/OrganizationConfig",
        "microsoft.exchange.organizationconfig",
        &[field(
            "CustomerLockBoxEnabled",
            Made::Renamed("CustomerLockboxEnabled"),
        )],
        &[
            "AuditDisabled",
            "OAuth2ClientProfileEnabled",
            "RejectDirectSend",
            "CustomerLockBoxEnabled",
            "MailTipsAllTipsEnabled",
            "MailTipsExternalRecipientsTipsEnabled",
            "MailTipsGroupMetricsEnabled",
            "MailTipsLargeAudienceThreshold",
        ],
    ),
    of(
        "exchange/AcceptedDomain",
        "microsoft.exchange.accepteddomain",
        &[
            NAME,
            field("DomainName", Made::Copied("Identity")),
            field("DomainType", Made::Word(&["Authoritative", "InternalRelay"])),
        ],
        &["DomainName", "IsCoexistenceDomain"],
    ),
    of(
        "exchange/SharedMailbox",
        "microsoft.exchange.sharedmailbox",
        &[field("PrimarySmtpAddress", Made::Renamed("PrimarySMTPAddress"))],
        &["PrimarySmtpAddress"],
    ),
    of(
        "exchange/RemoteDomain",
        "microsoft.exchange.remotedomain",
        &[NAME],
        &["DomainName", "AutoForwardEnabled"],
    ),
    of(
        "exchange/DkimSigningConfig",
        "microsoft.exchange.dkimsigningconfig",
        &[
            NAME,
            field("Domain", Made::Copied("Identity")),
            field("Selector1KeySize", Made::Renamed("KeySize")),
        ],
        &["Domain", "Enabled"],
    ),
    of(
        "exchange/TransportConfig",
        "microsoft.exchange.transportconfig",
        &[],
        &["SmtpClientAuthenticationDisabled"],
    ),
    of(
        "exchange/SharingPolicy",
        "microsoft.exchange.sharingpolicy",
        &[IDENTITY],
        &["Domains", "Enabled"],
    ),
    of(
        "exchange/TransportRule",
        "microsoft.exchange.transportrule",
        &[
            IDENTITY,
            STATE,
            field("Mode", Made::Word(&["Audit", "AuditAndNotify", "Enforce"])),
            field("FromScope", Made::Word(&["InOrganization", "NotInOrganization"])),
            field(
                "ExceptIfFromScope",
                Made::Word(&["InOrganization", "NotInOrganization"]),
            ),
        ],
        &["State", "Mode"],
    ),
    of(
        "exchange/ExternalInOutlook",
        "microsoft.exchange.externalinoutlook",
        &[],
        &["Enabled"],
    ),
    of(
        "exchange/RoleAssignmentPolicy",
        "microsoft.exchange.roleassignmentpolicy",
        &[IDENTITY, field("AssignedRoles", Made::Renamed("Roles"))],
        &["AssignedRoles", "IsDefault"],
    ),
    of(
        "exchange/OwaMailboxPolicy",
        "microsoft.exchange.owamailboxpolicy",
        &[IDENTITY],
        &["AdditionalStorageProvidersAvailable"],
    ),
    of(
        "exchange/HostedConnectionFilterPolicy",
        "microsoft.exchange.hostedconnectionfilterpolicy",
        // The exporter always gives `false` as `MakeDefault` of this type.
        &[NAME, field("MakeDefault", Made::Dropped)],
        &["IPAllowList", "EnableSafeList"],
    ),
    of(
        "exchange/HostedContentFilterPolicy",
        "microsoft.exchange.hostedcontentfilterpolicy",
        &[
            NAME,
            IS_DEFAULT,
            PRESET,
            field("SpamAction", Made::Word(ACTIONS)),
            field("HighConfidenceSpamAction", Made::Word(ACTIONS)),
            field("PhishSpamAction", Made::Word(ACTIONS)),
            field("HighConfidencePhishAction", Made::Word(ACTIONS)),
        ],
        &[
            "AllowedSenderDomains",
            "SpamAction",
            "HighConfidenceSpamAction",
            "PhishSpamAction",
            "HighConfidencePhishAction",
        ],
    ),
    of(
        "exchange/HostedContentFilterRule",
        "microsoft.exchange.hostedcontentfilterrule",
        &[NAME, STATE],
        &["State", "HostedContentFilterPolicy"],
    ),
    of(
        "exchange/HostedOutboundSpamFilterPolicy",
        "microsoft.exchange.hostedoutboundspamfilterpolicy",
        &[NAME],
        &[
            "AutoForwardingMode",
            "RecipientLimitExternalPerHour",
            "RecipientLimitInternalPerHour",
            "RecipientLimitPerDay",
            "ActionWhenThresholdReached",
        ],
    ),
    of(
        "exchange/MalwareFilterPolicy",
        "microsoft.exchange.malwarefilterpolicy",
        &[NAME, IS_DEFAULT, PRESET],
        &["EnableFileFilter", "FileTypes", "ZapEnabled"],
    ),
    of(
        "exchange/MalwareFilterRule",
        "microsoft.exchange.malwarefilterrule",
        &[NAME, STATE],
        &["State", "MalwareFilterPolicy"],
    ),
    of(
        "exchange/AntiPhishPolicy",
        "microsoft.exchange.antiphishpolicy",
        &[
            NAME,
            IS_DEFAULT,
            PRESET,
            field("TargetedUserProtectionAction", Made::Word(ACTIONS)),
            field("TargetedDomainProtectionAction", Made::Word(ACTIONS)),
        ],
        &[
            "Enabled",
            "EnableOrganizationDomainsProtection",
            "EnableTargetedDomainsProtection",
            "EnableTargetedUserProtection",
            "EnableFirstContactSafetyTips",
            "EnableSimilarUsersSafetyTips",
            "EnableSimilarDomainsSafetyTips",
            "EnableUnusualCharactersSafetyTips",
            "IsDefault",
        ],
    ),
    of(
        "exchange/AntiPhishRule",
        "microsoft.exchange.antiphishrule",
        &[NAME, STATE],
        &["State", "AntiPhishPolicy"],
    ),
    of(
        "exchange/SafeLinksPolicy",
        "microsoft.exchange.safelinkspolicy",
        &[NAME, PRESET],
        &[
            "EnableSafeLinksForEmail",
            "EnableSafeLinksForTeams",
            "EnableSafeLinksForOffice",
            "EnableForInternalSenders",
            "ScanUrls",
            "DeliverMessageAfterScan",
            "TrackClicks",
        ],
    ),
    of(
        "exchange/SafeLinksRule",
        "microsoft.exchange.safelinksrule",
        &[NAME, STATE],
        &["State", "SafeLinksPolicy"],
    ),
    of(
        "exchange/SafeAttachmentPolicy",
        "microsoft.exchange.safeattachmentpolicy",
        &[
            NAME,
            PRESET,
            field(
                "Action",
                Made::Word(&["Block", "Replace", "Allow", "DynamicDelivery"]),
            ),
        ],
        &["Action"],
    ),
    of(
        "exchange/SafeAttachmentRule",
        "microsoft.exchange.safeattachmentrule",
        &[NAME, STATE],
        &["State", "SafeAttachmentPolicy"],
    ),
    of(
        "exchange/AtpPolicyForO365",
        "microsoft.exchange.atppolicyforo365",
        &[],
        &["EnableATPForSPOTeamsODB"],
    ),
    of(
        "exchange/EOPProtectionPolicyRule",
        "microsoft.exchange.eopprotectionpolicyrule",
        &[],
        // The reading of CISA's baselines finds a preset's policy by this name.
        &["State", "HostedContentFilterPolicy"],
    ),
    of(
        "exchange/InboundConnector",
        "microsoft.exchange.inboundconnector",
        &[NAME],
        &[],
    ),
    of(
        "exchange/OutboundConnector",
        "microsoft.exchange.outboundconnector",
        &[NAME],
        &[],
    ),
    of(
        "purview/DlpCompliancePolicy",
        "microsoft.securityandcompliance.dlpcompliancepolicy",
        &[
            IDENTITY,
            field(
                "Mode",
                Made::Word(&[
                    "Enable",
                    "TestWithNotifications",
                    "TestWithoutNotifications",
                    "Disable",
                    "PendingDeletion",
                ]),
            ),
        ],
        &["Mode"],
    ),
    of(
        "purview/DlpComplianceRule",
        "microsoft.securityandcompliance.dlpcompliancerule",
        &[
            IDENTITY,
            field("ParentPolicyName", Made::Renamed("Policy")),
            field("IsAdvancedRule", Made::Advanced),
            field("ContentContainsSensitiveInformation", Made::InformationTypes),
            field(
                "ExceptIfContentContainsSensitiveInformation",
                Made::InformationTypes,
            ),
            field("BlockAccessScope", Made::Word(&["All", "PerUser", "None"])),
        ],
        // The order of rules, which decides whether an earlier rule ends the processing.
        &["ParentPolicyName", "Disabled", "Priority"],
    ),
    of(
        "purview/ProtectionAlert",
        "microsoft.securityandcompliance.protectionalert",
        &[IDENTITY],
        &["Disabled"],
    ),
    of(
        "teams/MeetingPolicy",
        "microsoft.teams.meetingpolicy",
        &[
            TAGGED,
            field(
                "AutoAdmittedUsers",
                Made::Word(&[
                    "EveryoneInCompany",
                    "Everyone",
                    "EveryoneInSameAndFederatedCompany",
                    "OrganizerOnly",
                    "InvitedUsers",
                    "EveryoneInCompanyExcludingGuests",
                ]),
            ),
            field(
                "MeetingChatEnabledType",
                Made::Word(&["Disabled", "Enabled", "EnabledExceptAnonymous"]),
            ),
        ],
        &[],
    ),
    of(
        "teams/FederationConfiguration",
        "microsoft.teams.federationconfiguration",
        &[field(
            "ExternalAccessWithTrialTenants",
            Made::Word(&["Allowed", "Blocked"]),
        )],
        &[],
    ),
    of(
        "teams/ClientConfiguration",
        "microsoft.teams.clientconfiguration",
        &[],
        &[],
    ),
    of(
        "teams/AppPermissionPolicy",
        "microsoft.teams.apppermissionpolicy",
        &[TAGGED],
        &[],
    ),
    of(
        "teams/MeetingBroadcastPolicy",
        "microsoft.teams.meetingbroadcastpolicy",
        &[
            TAGGED,
            field(
                "BroadcastRecordingMode",
                Made::Word(&["AlwaysEnabled", "AlwaysDisabled", "UserOverride"]),
            ),
        ],
        &[],
    ),
];
