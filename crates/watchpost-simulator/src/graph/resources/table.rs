//! The resource types that snapshots can contain, with those of their properties that the company's settings tell. Names and
//! kinds are those of the published schema, <https://json.schemastore.org/utcm-monitor.json>.

/// A resource type. Its properties are words by kind; `Enabled=State` is the property `Enabled`, made of the setting's field
/// `State`.
pub(super) struct Resource {
    /// The type's name, in lower case.
    pub(super) name: &'static str,
    /// The setting's path.
    pub(super) path: &'static str,
    /// Whether there is one resource of the type in a tenant, which has `IsSingleInstance`.
    pub(super) single: bool,
    /// Whether the type has `Ensure`.
    pub(super) ensure: bool,
    /// Bools.
    pub(super) flags: &'static str,
    /// Texts, also where the setting has a number.
    pub(super) texts: &'static str,
    /// Lists of texts.
    pub(super) lists: &'static str,
    /// Integers.
    pub(super) numbers: &'static str,
}

pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        name: "microsoft.exchange.accepteddomain",
        path: "exchange/AcceptedDomain",
        single: false,
        ensure: true,
        flags: "MatchSubDomains",
        texts: "Identity DomainType",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.antiphishpolicy",
        path: "exchange/AntiPhishPolicy",
        single: false,
        ensure: true,
        flags: "Enabled EnableTargetedUserProtection EnableOrganizationDomainsProtection \
            EnableTargetedDomainsProtection EnableMailboxIntelligence EnableMailboxIntelligenceProtection \
            EnableSpoofIntelligence HonorDmarcPolicy EnableFirstContactSafetyTips EnableSimilarUsersSafetyTips \
            EnableSimilarDomainsSafetyTips EnableUnusualCharactersSafetyTips EnableUnauthenticatedSender \
            EnableViaTag MakeDefault=IsDefault",
        texts: "Identity PhishThresholdLevel TargetedUserProtectionAction TargetedDomainProtectionAction \
            MailboxIntelligenceProtectionAction AuthenticationFailAction",
        lists: "TargetedUsersToProtect TargetedDomainsToProtect",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.antiphishrule",
        path: "exchange/AntiPhishRule",
        single: false,
        ensure: true,
        flags: "Enabled=State",
        texts: "Identity Comments AntiPhishPolicy",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.exchange.atppolicyforo365",
        path: "exchange/AtpPolicyForO365",
        single: true,
        ensure: true,
        flags: "EnableATPForSPOTeamsODB EnableSafeDocs AllowSafeDocsOpen",
        texts: "Identity",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.dkimsigningconfig",
        path: "exchange/DkimSigningConfig",
        single: false,
        ensure: true,
        flags: "Enabled",
        texts: "Identity KeySize=Selector1KeySize",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.eopprotectionpolicyrule",
        path: "exchange/EOPProtectionPolicyRule",
        single: false,
        ensure: true,
        flags: "",
        texts: "Identity Name State",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.exchange.externalinoutlook",
        path: "exchange/ExternalInOutlook",
        single: false,
        ensure: true,
        flags: "Enabled",
        texts: "Identity",
        lists: "AllowList",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.hostedconnectionfilterpolicy",
        path: "exchange/HostedConnectionFilterPolicy",
        single: false,
        ensure: true,
        flags: "EnableSafeList",
        texts: "Identity",
        lists: "IPAllowList IPBlockList",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.hostedcontentfilterpolicy",
        path: "exchange/HostedContentFilterPolicy",
        single: false,
        ensure: true,
        flags: "SpamZapEnabled PhishZapEnabled InlineSafetyTipsEnabled MakeDefault=IsDefault",
        texts: "Identity SpamAction HighConfidenceSpamAction PhishSpamAction HighConfidencePhishAction \
            BulkSpamAction",
        lists: "AllowedSenderDomains AllowedSenders BlockedSenderDomains BlockedSenders",
        numbers: "BulkThreshold QuarantineRetentionPeriod",
    },
    Resource {
        name: "microsoft.exchange.hostedcontentfilterrule",
        path: "exchange/HostedContentFilterRule",
        single: false,
        ensure: true,
        flags: "Enabled=State",
        texts: "Identity Comments HostedContentFilterPolicy",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.exchange.hostedoutboundspamfilterpolicy",
        path: "exchange/HostedOutboundSpamFilterPolicy",
        single: false,
        ensure: true,
        flags: "BccSuspiciousOutboundMail NotifyOutboundSpam",
        texts: "Identity AutoForwardingMode ActionWhenThresholdReached",
        lists: "BccSuspiciousOutboundAdditionalRecipients NotifyOutboundSpamRecipients",
        numbers: "RecipientLimitExternalPerHour RecipientLimitInternalPerHour RecipientLimitPerDay",
    },
    Resource {
        name: "microsoft.exchange.inboundconnector",
        path: "exchange/InboundConnector",
        single: false,
        ensure: true,
        flags: "Enabled RequireTls RestrictDomainsToCertificate RestrictDomainsToIPAddresses TreatMessagesAsInternal \
            CloudServicesMailEnabled",
        texts: "Identity ConnectorType TlsSenderCertificateName",
        lists: "SenderDomains SenderIPAddresses",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.malwarefilterpolicy",
        path: "exchange/MalwareFilterPolicy",
        single: false,
        ensure: true,
        flags: "EnableFileFilter ZapEnabled EnableInternalSenderAdminNotifications MakeDefault=IsDefault",
        texts: "Identity FileTypeAction QuarantineTag InternalSenderAdminAddress",
        lists: "FileTypes",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.malwarefilterrule",
        path: "exchange/MalwareFilterRule",
        single: false,
        ensure: true,
        flags: "Enabled=State",
        texts: "Identity Priority Comments MalwareFilterPolicy",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.organizationconfig",
        path: "exchange/OrganizationConfig",
        single: true,
        ensure: false,
        flags: "AuditDisabled OAuth2ClientProfileEnabled MailTipsAllTipsEnabled \
            MailTipsExternalRecipientsTipsEnabled MailTipsGroupMetricsEnabled MailTipsMailboxSourcedTipsEnabled \
            ActivityBasedAuthenticationTimeoutEnabled CustomerLockboxEnabled=CustomerLockBoxEnabled \
            AutoExpandingArchive=AutoExpandingArchiveEnabled",
        texts: "ActivityBasedAuthenticationTimeoutInterval",
        lists: "IPListBlocked",
        numbers: "MailTipsLargeAudienceThreshold",
    },
    Resource {
        name: "microsoft.exchange.outboundconnector",
        path: "exchange/OutboundConnector",
        single: false,
        ensure: true,
        flags: "Enabled UseMXRecord IsTransportRuleScoped RouteAllMessagesViaOnPremises CloudServicesMailEnabled",
        texts: "Identity ConnectorType TlsSettings TlsDomain",
        lists: "RecipientDomains SmartHosts",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.owamailboxpolicy",
        path: "exchange/OwaMailboxPolicy",
        single: false,
        ensure: true,
        flags: "IsDefault AdditionalStorageProvidersAvailable ExternalImageProxyEnabled WacExternalServicesEnabled \
            DirectFileAccessOnPublicComputersEnabled",
        texts: "Name ConditionalAccessPolicy",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.remotedomain",
        path: "exchange/RemoteDomain",
        single: false,
        ensure: true,
        flags: "AutoForwardEnabled AutoReplyEnabled DeliveryReportEnabled NDREnabled TrustedMailOutboundEnabled",
        texts: "Identity Name DomainName AllowedOOFType",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.roleassignmentpolicy",
        path: "exchange/RoleAssignmentPolicy",
        single: false,
        ensure: true,
        flags: "IsDefault",
        texts: "Name Description",
        lists: "Roles=AssignedRoles",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.safeattachmentpolicy",
        path: "exchange/SafeAttachmentPolicy",
        single: false,
        ensure: true,
        flags: "Enable Redirect",
        texts: "Identity Action QuarantineTag RedirectAddress",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.safeattachmentrule",
        path: "exchange/SafeAttachmentRule",
        single: false,
        ensure: true,
        flags: "Enabled=State",
        texts: "Identity SafeAttachmentPolicy Comments",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.exchange.safelinkspolicy",
        path: "exchange/SafeLinksPolicy",
        single: false,
        ensure: true,
        flags: "EnableSafeLinksForEmail EnableSafeLinksForTeams EnableSafeLinksForOffice EnableForInternalSenders \
            ScanUrls DeliverMessageAfterScan TrackClicks AllowClickThrough DisableUrlRewrite",
        texts: "Identity",
        lists: "DoNotRewriteUrls",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.safelinksrule",
        path: "exchange/SafeLinksRule",
        single: false,
        ensure: true,
        flags: "Enabled=State",
        texts: "Identity SafeLinksPolicy Comments",
        lists: "SentTo SentToMemberOf RecipientDomainIs ExceptIfSentTo ExceptIfSentToMemberOf \
            ExceptIfRecipientDomainIs",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.exchange.sharedmailbox",
        path: "exchange/SharedMailbox",
        single: false,
        ensure: true,
        flags: "",
        texts: "Identity DisplayName PrimarySMTPAddress=PrimarySmtpAddress Alias",
        lists: "EmailAddresses",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.sharingpolicy",
        path: "exchange/SharingPolicy",
        single: false,
        ensure: true,
        flags: "Default Enabled",
        texts: "Name",
        lists: "Domains",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.transportconfig",
        path: "exchange/TransportConfig",
        single: true,
        ensure: false,
        flags: "SmtpClientAuthenticationDisabled AllowLegacyTLSClients Rfc2231EncodingEnabled",
        texts: "ExternalDsnDefaultLanguage MaxRecipientEnvelopeLimit",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.exchange.transportrule",
        path: "exchange/TransportRule",
        single: false,
        ensure: true,
        flags: "Enabled=State AttachmentHasExecutableContent HasNoClassification DeleteMessage Quarantine \
            StopRuleProcessing",
        texts: "Name Mode SetSCL FromScope PrependSubject SentToScope ApplyHtmlDisclaimerText \
            ApplyHtmlDisclaimerLocation Comments HeaderContainsMessageHeader HeaderMatchesMessageHeader \
            SenderAddressLocation MessageTypeMatches SCLOver MessageSizeOver ExceptIfFromScope \
            ExceptIfSentToScope ExceptIfHeaderContainsMessageHeader ApplyHtmlDisclaimerFallbackAction \
            SetHeaderName SetHeaderValue RejectMessageReasonText ActivationDate ExpiryDate RuleErrorAction \
            DlpPolicy",
        lists: "SenderDomainIs From FromMemberOf FromAddressContainsWords FromAddressMatchesPatterns SentTo \
            SentToMemberOf RecipientDomainIs RecipientAddressContainsWords SubjectContainsWords \
            SubjectOrBodyContainsWords HeaderContainsWords HeaderMatchesPatterns SenderIpRanges \
            AttachmentExtensionMatchesWords ExceptIfFrom ExceptIfFromMemberOf ExceptIfFromAddressContainsWords \
            ExceptIfFromAddressMatchesPatterns ExceptIfSenderDomainIs ExceptIfSenderIpRanges ExceptIfSentTo \
            ExceptIfSentToMemberOf ExceptIfRecipientDomainIs ExceptIfSubjectContainsWords \
            ExceptIfSubjectOrBodyContainsWords ExceptIfHeaderContainsWords RedirectMessageTo BlindCopyTo",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.securityandcompliance.dlpcompliancepolicy",
        path: "purview/DlpCompliancePolicy",
        single: false,
        ensure: true,
        flags: "",
        texts: "Name Mode Comment",
        lists: "ExchangeLocation SharePointLocation OneDriveLocation TeamsLocation EndpointDlpLocation \
            ExchangeSenderMemberOf EndpointDlpLocationException OneDriveLocationException \
            SharePointLocationException TeamsLocationException ExchangeSenderMemberOfException",
        numbers: "Priority",
    },
    Resource {
        name: "microsoft.securityandcompliance.dlpcompliancerule",
        path: "purview/DlpComplianceRule",
        single: false,
        ensure: true,
        flags: "Disabled BlockAccess StopPolicyProcessing DocumentIsPasswordProtected DocumentIsUnsupported \
            HasSenderOverride",
        texts: "Name Policy=ParentPolicyName BlockAccessScope AdvancedRule AccessScope ReportSeverityLevel Comment",
        lists: "NotifyUser GenerateAlert FromScope ExceptIfFromScope RecipientDomainIs ExceptIfRecipientDomainIs \
            SentToMemberOf ExceptIfSentTo ExceptIfSenderDomainIs SubjectContainsWords SubjectOrBodyContainsWords \
            ContentPropertyContainsWords ContentExtensionMatchesWords NotifyAllowOverride GenerateIncidentReport",
        numbers: "",
    },
    Resource {
        name: "microsoft.securityandcompliance.protectionalert",
        path: "purview/ProtectionAlert",
        single: false,
        ensure: true,
        flags: "Disabled NotificationEnabled",
        texts: "Name Severity Category AggregationType",
        lists: "NotifyUser",
        numbers: "",
    },
    Resource {
        name: "microsoft.teams.apppermissionpolicy",
        path: "teams/AppPermissionPolicy",
        single: false,
        ensure: true,
        flags: "",
        texts: "Identity DefaultCatalogAppsType GlobalCatalogAppsType PrivateCatalogAppsType Description",
        lists: "DefaultCatalogApps GlobalCatalogApps PrivateCatalogApps",
        numbers: "",
    },
    Resource {
        name: "microsoft.teams.clientconfiguration",
        path: "teams/ClientConfiguration",
        single: false,
        ensure: false,
        flags: "AllowEmailIntoChannel AllowDropBox AllowBox AllowGoogleDrive AllowShareFile AllowEgnyte \
            AllowGuestUser AllowOrganizationTab AllowScopedPeopleSearchandAccess",
        texts: "Identity",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.teams.federationconfiguration",
        path: "teams/FederationConfiguration",
        single: false,
        ensure: false,
        flags: "AllowFederatedUsers AllowTeamsConsumer AllowTeamsConsumerInbound AllowPublicUsers \
            TreatDiscoveredPartnersAsUnverified RestrictTeamsConsumerToExternalUserProfiles",
        texts: "Identity ExternalAccessWithTrialTenants",
        lists: "AllowedDomains BlockedDomains",
        numbers: "",
    },
    Resource {
        name: "microsoft.teams.meetingbroadcastpolicy",
        path: "teams/MeetingBroadcastPolicy",
        single: false,
        ensure: true,
        flags: "AllowBroadcastScheduling AllowBroadcastTranscription",
        texts: "Identity BroadcastAttendeeVisibilityMode BroadcastRecordingMode",
        lists: "",
        numbers: "",
    },
    Resource {
        name: "microsoft.teams.meetingpolicy",
        path: "teams/MeetingPolicy",
        single: false,
        ensure: true,
        flags: "AllowExternalParticipantGiveRequestControl AllowAnonymousUsersToStartMeeting \
            AllowAnonymousUsersToJoinMeeting AllowPSTNUsersToBypassLobby AllowCloudRecording AllowTranscription \
            AllowOutlookAddIn",
        texts: "Identity AutoAdmittedUsers MeetingChatEnabledType DesignatedPresenterRoleMode Description",
        lists: "",
        numbers: "",
    },
];
