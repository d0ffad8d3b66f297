//! The domain's enums with one text form each, used on the wire, in SQL and in logs. Such a text form is called a
//! word.

/// The error of a text that isn't one of the words of an enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {allowed}")]
pub struct UnknownWord {
    /// The allowed words, separated by commas and spaces.
    pub allowed: String,
}

/// Returns the Levenshtein distance between two texts, for suggesting a name or a word that is similar to a wrong one.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            *cell = left;
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All values, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Returns the value's word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            /// Returns the word for use in a sentence, with spaces between its parts.
            pub fn spoken(self) -> String { $crate::value::word::spoken(self.as_str()) }
            /// Returns the position in [`Self::ALL`]. Stores may keep it, since new values are added only at the
            /// end.
            pub const fn code(self) -> u8 { self as u8 }
            /// Returns the value at a position; `None` for a position that this version doesn't define.
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

/// Writes a word as sentences do: with spaces, and abbreviations in capitals.
pub(crate) fn spoken(word: &str) -> String {
    match word {
        "shadow_it" => "shadow IT".to_owned(),
        "sso_assignment" => "single sign-on assignment".to_owned(),
        other => other.replace('_', " "),
    }
}

words! {
    /// The severity of a finding. Declared worst first, so that sorting puts the worst first.
    Severity {
        /// Needs action today.
        Critical = "critical",
        /// Needs action this week.
        High = "high",
        /// Needs planned action.
        Medium = "medium",
        /// Needs action when there is time.
        Low = "low",
        /// For information; never scored.
        Info = "info",
    }
    /// The ten areas that findings belong to.
    Category {
        /// Missing MFA, weak credentials, guests, resilience.
        IdentitySecurity = "identity_security",
        /// Unused access and offboarding gaps.
        AccessHygiene = "access_hygiene",
        /// Apps that were never reviewed.
        ShadowIt = "shadow_it",
        /// Devices.
        DevicePosture = "device_posture",
        /// Licenses that are paid for and unused; never scored.
        LicenseWaste = "license_waste",
        /// Risks that involve several platforms.
        CompoundRisk = "compound_risk",
        /// A condition that got worse over time.
        DriftSignal = "drift_signal",
        /// Unusual behavior.
        BehavioralAnomaly = "behavioral_anomaly",
        /// Privileges.
        AccessRisk = "access_risk",
        /// Dangerous combinations of findings.
        FindingCorrelation = "finding_correlation",
    }
    /// The status of a finding in its lifecycle.
    FindingStatus {
        /// Not handled yet.
        Open = "open",
        /// Being worked on.
        InProgress = "in_progress",
        /// The condition no longer exists.
        Resolved = "resolved",
        /// Accepted as a risk or marked as wrong by a person.
        Dismissed = "dismissed",
        /// Hidden until a point in time.
        Snoozed = "snoozed",
    }
    /// The reason for which a finding was dismissed.
    DismissReason {
        /// The risk is known and accepted.
        AcceptedRisk = "accepted_risk",
        /// The finding is wrong.
        FalsePositive = "false_positive",
        /// Another measure lowers the risk enough.
        Mitigated = "mitigated",
        /// The finding doesn't apply to this workspace.
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
    /// The status of an integration.
    IntegrationStatus {
        /// Added, but not yet verified or synced.
        Pending = "pending",
        /// The credentials work.
        Connected = "connected",
        /// The last sync failed.
        Error = "error",
        /// Paused by a person; its data is kept.
        Paused = "paused",
        /// The credentials were deleted; the data is kept.
        Disconnected = "disconnected",
    }
    /// The state of a job, a sync or a scan.
    RunState {
        /// Waiting for a worker.
        Queued = "queued",
        /// Being run by a worker.
        InProgress = "in_progress",
        /// Finished.
        Completed = "completed",
        /// Ended with an error.
        Failed = "failed",
        /// Stopped before its end.
        Cancelled = "cancelled",
    }
    /// The result of reading one dataset in a sync.
    CollectionState {
        /// Everything was read.
        Complete = "complete",
        /// Part of it was read.
        Partial = "partial",
        /// A permission is missing.
        Denied = "denied",
        /// The tenant's license doesn't include it.
        Unlicensed = "unlicensed",
        /// Reading failed.
        Failed = "failed",
    }
    /// The state of an account at its vendor.
    AccountStatus {
        /// Can sign in.
        Active = "active",
        /// Blocked, but can be reactivated.
        Suspended = "suspended",
        /// Deleted or permanently deactivated.
        Deprovisioned = "deprovisioned",
        /// Not yet activated (staged, invited).
        Pending = "pending",
    }
    /// The kind of principal that an account belongs to.
    AccountKind {
        /// A member of the organization.
        Member = "member",
        /// A person from outside the organization.
        Guest = "guest",
        /// A machine.
        Service = "service",
        /// A mailbox shared by several people.
        SharedMailbox = "shared_mailbox",
    }
    /// The state of multi-factor authentication. `Unknown` is a value of its own, never treated as `Off`.
    Mfa {
        /// A second factor is registered.
        On = "on",
        /// No second factor is registered.
        Off = "off",
        /// The state isn't known.
        Unknown = "unknown",
    }
    /// The policy that people set for an app.
    AppPolicy {
        /// No policy is set.
        None = "none",
        /// Approved.
        Sanctioned = "sanctioned",
        /// Not approved: using it is a finding.
        Unauthorized = "unauthorized",
        /// Must not have any access.
        Blocked = "blocked",
    }
    /// The type of the entity that a finding is about.
    EntityType {
        /// A person or machine.
        Identity = "identity",
        /// A third-party app.
        App = "app",
        /// A connected platform.
        Integration = "integration",
    }
    /// The risk of a permission granted to an app.
    GrantRisk {
        /// On the vendor's list of high-risk permissions.
        High = "high",
        /// Exceeds what sign-in needs: reads content or the directory.
        Medium = "medium",
        /// A basic sign-in permission.
        Low = "low",
    }
    /// The way in which a permission was granted to an app.
    GrantKind {
        /// By one user, or by an administrator for everybody.
        Delegated = "delegated",
        /// To the app itself.
        Application = "application",
        /// The user may sign in to the app through single sign-on.
        SsoAssignment = "sso_assignment",
        /// A long-lived token that acts on behalf of its owner.
        Token = "token",
    }
    /// The networks from which a token works.
    TokenNetwork {
        /// From any network.
        Anywhere = "anywhere",
        /// Only from certain networks, or not from certain networks.
        Restricted = "restricted",
    }
    /// The kind of a role assignment.
    RoleHold {
        /// Active permanently.
        Permanent = "permanent",
        /// Active until a point in time.
        TimeBound = "time_bound",
        /// Can be activated by its holder.
        Eligible = "eligible",
        /// Not provided by the vendor.
        Unknown = "unknown",
    }
    /// The state of a remediation.
    RemediationState {
        /// Requested; a person must approve it.
        PendingApproval = "pending_approval",
        /// Approved, but not yet executed.
        Approved = "approved",
        /// Rejected by a person.
        Rejected = "rejected",
        /// Executed.
        Executed = "executed",
        /// The execution failed.
        Failed = "failed",
        /// No longer needed (the finding was resolved, or the source removed).
        Cancelled = "cancelled",
    }
}

impl Severity {
    /// Returns the severity's points in the risk score.
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
    /// Returns whether the finding is live: open or in progress.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::InProgress)
    }
    /// Returns whether the finding can be resolved automatically when its condition no longer exists: live and
    /// snoozed ones can.
    pub const fn can_end(self) -> bool {
        matches!(self, Self::Open | Self::InProgress | Self::Snoozed)
    }
    /// Returns whether the finding is closed, so that remediations waiting for approval on it are no longer
    /// needed.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Resolved | Self::Dismissed)
    }
}

impl Platform {
    /// Returns the product's name, as used in sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Self::M365 => "Microsoft 365",
            Self::Okta => "Okta",
            Self::GoogleWorkspace => "Google Workspace",
            Self::Github => "GitHub",
            Self::Slack => "Slack",
            Self::Import => "imported tenant",
        }
    }
    /// Returns what a scan of the platform is about, as the object of a sentence.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Import => "an imported tenant",
            synced => synced.title(),
        }
    }
    /// Returns whether the platform is an identity provider, whose data on MFA and offboarding is authoritative.
    pub const fn is_identity_provider(self) -> bool {
        matches!(self, Self::M365 | Self::Okta | Self::GoogleWorkspace)
    }
    /// Returns whether an account on the platform is used to sign in to other services: every identity provider
    /// except Microsoft 365, whose directory contains every user of Microsoft 365.
    pub const fn signs_in_elsewhere(self) -> bool {
        matches!(self, Self::Okta | Self::GoogleWorkspace)
    }
    /// Returns whether syncs read the platform. Imports only bring results; nothing is read from the tenants that
    /// they are about.
    pub const fn is_synced(self) -> bool {
        !matches!(self, Self::Import)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_edits() {
        for (a, b, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("severity", "severity", 0),
            ("severty", "severity", 1),
            ("kitten", "sitting", 3),
            ("élan", "elan", 1),
        ] {
            assert_eq!(edit_distance(a, b), distance, "{a} {b}");
            assert_eq!(edit_distance(b, a), distance, "{b} {a}");
        }
    }
}
