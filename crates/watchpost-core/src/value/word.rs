//! The closed lists of words that the domain uses, with their one text form on the wire, in SQL and in logs.

/// The text is none of the words of a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {allowed}")]
pub struct UnknownWord {
    /// The allowed words, separated by commas.
    pub allowed: String,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word's text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// Position in [`Self::ALL`]: what a store may keep, since words are only added at the end.
            pub const fn code(self) -> u8 { self as u8 }
            /// The word at a position; `None` for a position that this version doesn't know.
            pub fn from_code(code: u8) -> Option<Self> { Self::ALL.get(usize::from(code)).copied() }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.pad(self.as_str()) }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::value::word::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::value::word::UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::value::word::UnknownWord { allowed: [$($text),+].join(", ") }),
                }
            }
        }
    )+};
}
pub(crate) use words;

words! {
    /// How bad a finding is. Declared worst first, so that sorting puts the worst first.
    Severity {
        /// Act today.
        Critical = "critical",
        /// Act this week.
        High = "high",
        /// Plan it.
        Medium = "medium",
        /// When there's time.
        Low = "low",
        /// Good to know; never scored.
        Info = "info",
    }
    /// The ten areas that findings belong to.
    Category {
        /// Missing MFA, weak credentials, guests, resilience.
        IdentitySecurity = "identity_security",
        /// Unused access, offboarding gaps.
        AccessHygiene = "access_hygiene",
        /// Apps that nobody vetted.
        ShadowIt = "shadow_it",
        /// Devices.
        DevicePosture = "device_posture",
        /// Paid and unused; never scored.
        LicenseWaste = "license_waste",
        /// Risks that need several platforms.
        CompoundRisk = "compound_risk",
        /// Something got worse over time.
        DriftSignal = "drift_signal",
        /// Unusual behaviour.
        BehavioralAnomaly = "behavioral_anomaly",
        /// Privileges.
        AccessRisk = "access_risk",
        /// Dangerous combinations of findings.
        FindingCorrelation = "finding_correlation",
    }
    /// Where a finding is in its life.
    FindingStatus {
        /// Nobody has acted on it.
        Open = "open",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// The condition is gone.
        Resolved = "resolved",
        /// A person accepted it or called it wrong.
        Dismissed = "dismissed",
        /// Hidden until a time.
        Snoozed = "snoozed",
    }
    /// Why a finding was dismissed.
    DismissReason {
        /// The risk is known and accepted.
        AcceptedRisk = "accepted_risk",
        /// The finding is wrong.
        FalsePositive = "false_positive",
        /// Something else lowers the risk enough.
        Mitigated = "mitigated",
        /// It doesn't apply here.
        NotApplicable = "not_applicable",
    }
    /// The kinds of platform that can be connected.
    Platform {
        /// Microsoft 365 with Entra ID.
        M365 = "m365",
        /// Okta.
        Okta = "okta",
        /// Google Workspace.
        GoogleWorkspace = "google_workspace",
        /// GitHub.
        Github = "github",
        /// Slack.
        Slack = "slack",
        /// Result files of other scanners.
        Import = "import",
    }
    /// State of a connection.
    IntegrationStatus {
        /// Added, not yet verified or synced.
        Pending = "pending",
        /// Credentials work.
        Connected = "connected",
        /// The last sync failed.
        Error = "error",
        /// A person paused it; data is kept.
        Paused = "paused",
        /// Credentials were wiped; data is kept.
        Disconnected = "disconnected",
    }
    /// States of jobs, syncs and scans.
    RunState {
        /// Waiting for a worker.
        Queued = "queued",
        /// A worker has it.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
        /// Ended with a reason.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
    /// What one sync could read of one dataset.
    CollectionState {
        /// Everything was read.
        Complete = "complete",
        /// Some was read.
        Partial = "partial",
        /// A permission is missing.
        Denied = "denied",
        /// The tenant's licence lacks it.
        Unlicensed = "unlicensed",
        /// Reading failed.
        Failed = "failed",
    }
    /// The state of an account at its vendor.
    AccountStatus {
        /// May sign in.
        Active = "active",
        /// Blocked, can come back.
        Suspended = "suspended",
        /// Ended.
        Deprovisioned = "deprovisioned",
        /// Not yet activated (staged, invited).
        Pending = "pending",
    }
    /// What kind of principal an account is.
    AccountKind {
        /// A person of the company.
        Member = "member",
        /// Somebody from outside.
        Guest = "guest",
        /// A machine.
        Service = "service",
        /// A mailbox that several people use.
        SharedMailbox = "shared_mailbox",
    }
    /// Multi-factor authentication, where "we can't know" is an answer of its own.
    Mfa {
        /// A second factor is registered.
        On = "on",
        /// No second factor is registered.
        Off = "off",
        /// Nobody could say.
        Unknown = "unknown",
    }
    /// What people decided about an app.
    AppPolicy {
        /// No decision.
        None = "none",
        /// Approved.
        Sanctioned = "sanctioned",
        /// Not approved: its use is a finding.
        Unauthorized = "unauthorized",
        /// Must not have access at all.
        Blocked = "blocked",
    }
    /// What a finding is about.
    EntityType {
        /// A person or machine.
        Identity = "identity",
        /// A third-party app.
        App = "app",
        /// A connected platform.
        Integration = "integration",
    }
    /// How dangerous a permission of an app is.
    GrantRisk {
        /// On the vendor's high-risk list.
        High = "high",
        /// More than signing in needs: reads content or the directory.
        Medium = "medium",
        /// Basic sign-in permissions.
        Low = "low",
    }
    /// How a permission was given to an app.
    GrantKind {
        /// By one user or, for everybody, by an administrator.
        Delegated = "delegated",
        /// To the app itself.
        Application = "application",
        /// The user may sign in to the app through single sign-on.
        SsoAssignment = "sso_assignment",
        /// A long-lived token that acts for its owner.
        Token = "token",
    }
    /// How a role is held.
    RoleHold {
        /// Always on.
        Permanent = "permanent",
        /// On until a time.
        TimeBound = "time_bound",
        /// Can be switched on.
        Eligible = "eligible",
        /// The vendor doesn't say.
        Unknown = "unknown",
    }
    /// States of a remediation.
    RemediationState {
        /// Asked for; a person must approve it.
        PendingApproval = "pending_approval",
        /// Approved, not yet carried out.
        Approved = "approved",
        /// A person refused it.
        Rejected = "rejected",
        /// Carried out.
        Executed = "executed",
        /// Carrying it out failed.
        Failed = "failed",
        /// No longer wanted (finding resolved, source removed).
        Cancelled = "cancelled",
    }
}

impl Severity {
    /// Points in the risk score (design: critical 10, high 5, medium 2, low 1, info 0).
    pub const fn points(self) -> u64 {
        match self {
            Self::Critical => 10,
            Self::High => 5,
            Self::Medium => 2,
            Self::Low => 1,
            Self::Info => 0,
        }
    }
}

impl FindingStatus {
    /// Whether the finding counts as live: open or in progress.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::InProgress)
    }
    /// Whether it can still end by itself, because its condition is gone: live ones and snoozed ones.
    pub const fn can_end(self) -> bool {
        matches!(self, Self::Open | Self::InProgress | Self::Snoozed)
    }
    /// Whether the finding is closed: what waits for approval on it is no longer wanted.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Resolved | Self::Dismissed)
    }
}

impl Platform {
    /// The product's own name, for sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Self::M365 => "Microsoft 365",
            Self::Okta => "Okta",
            Self::GoogleWorkspace => "Google Workspace",
            Self::Github => "GitHub",
            Self::Slack => "Slack",
            Self::Import => "import",
        }
    }
    /// Whether it is an identity provider: its word on MFA and on offboarding counts.
    pub const fn is_identity_provider(self) -> bool {
        matches!(self, Self::M365 | Self::Okta | Self::GoogleWorkspace)
    }
    /// Whether having an account there means signing in through it elsewhere: identity providers but Microsoft 365,
    /// whose directory every user of Microsoft 365 has.
    pub const fn signs_in_elsewhere(self) -> bool {
        matches!(self, Self::Okta | Self::GoogleWorkspace)
    }
    /// Whether syncs read it. Imports bring results, and nothing is ever read from what they speak of.
    pub const fn is_synced(self) -> bool {
        !matches!(self, Self::Import)
    }
}
