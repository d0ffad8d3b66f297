//! Facts: what a connector read, already in the domain's words. Pure data; made by a connector's `normalise`.

use crate::value::{
    text::ForeignText,
    time::Timestamp,
    word::{AccountKind, AccountStatus, CollectionState, GrantKind, GrantRisk, Mfa, RoleHold, words},
};
use serde::Serialize;

words! {
    /// A part of a platform that is read by itself: it can be complete, denied or unlicensed without the others.
    Dataset {
        /// Accounts.
        Users = "users",
        /// When accounts were last used.
        SignIn = "sign_in",
        /// Registered second factors.
        Mfa = "mfa",
        /// Administrator roles held.
        Roles = "roles",
        /// Whether roles are permanent, time-bound or eligible.
        RoleSchedules = "role_schedules",
        /// Groups.
        Groups = "groups",
        /// Apps.
        Apps = "apps",
        /// Who owns apps.
        AppOwners = "app_owners",
        /// Permissions that users or administrators delegated to apps.
        Grants = "grants",
        /// Permissions that apps hold themselves.
        AppGrants = "app_grants",
        /// Who may sign in to which app.
        AppAssignments = "app_assignments",
        /// API tokens.
        Tokens = "tokens",
        /// The organisation's own record.
        Organization = "organization",
        /// Licences.
        Licenses = "licenses",
        /// Domains.
        Domains = "domains",
        /// Conditional-access policies.
        ConditionalAccess = "conditional_access",
        /// Authorisation policy.
        AuthorizationPolicy = "authorization_policy",
        /// Which authentication methods are allowed.
        AuthenticationMethods = "authentication_methods",
        /// Security defaults.
        SecurityDefaults = "security_defaults",
        /// Admin-consent workflow.
        AdminConsent = "admin_consent",
        /// Named locations and network zones.
        Locations = "locations",
        /// Sign-on, password and enrolment policies.
        SignInPolicies = "sign_in_policies",
        /// Threat detection settings.
        ThreatDetection = "threat_detection",
        /// Whether the vendor's support may look in.
        SupportAccess = "support_access",
    }
}

impl Dataset {
    /// Whether it holds the accounts: a complete one retires those that it hasn't seen.
    pub const fn holds_accounts(self) -> bool {
        matches!(self, Self::Users)
    }
    /// Whether it holds the apps: a complete one retires those that it hasn't seen.
    pub const fn holds_apps(self) -> bool {
        matches!(self, Self::Apps)
    }
    /// Whether it says how apps are used: the use is measured anew when it ends.
    pub const fn tells_of_usage(self) -> bool {
        matches!(
            self,
            Self::Users | Self::Apps | Self::Grants | Self::AppGrants | Self::AppAssignments | Self::Tokens
        )
    }
}

/// When something was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastActive {
    /// At a time.
    At(Timestamp),
    /// Never, and the vendor would know.
    Never,
    /// Nobody could say.
    #[default]
    Unknown,
}

/// One account, from the dataset `users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The vendor's id.
    pub vendor_id: String,
    /// What the person types to sign in.
    pub login: ForeignText,
    /// The main address, lower case; `None` if there is none. Only addresses that the vendor vouches for.
    pub email: Option<String>,
    /// Further addresses of the same account, lower case.
    pub aliases: Vec<String>,
    /// The displayed name.
    pub display_name: ForeignText,
    /// Its state.
    pub status: AccountStatus,
    /// When the state last changed, if the vendor says.
    pub status_changed_at: Option<Timestamp>,
    /// What kind of principal.
    pub kind: AccountKind,
    /// Last use.
    pub last_active: LastActive,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Department.
    pub department: Option<ForeignText>,
    /// Job title.
    pub title: Option<ForeignText>,
    /// The manager's address.
    pub manager_email: Option<String>,
    /// Whether its password never expires; `None` unknown.
    pub password_never_expires: Option<bool>,
    /// Last password change.
    pub password_changed_at: Option<Timestamp>,
    /// Whether it is synced from an on-premises directory; `None` unknown.
    pub synced: Option<bool>,
    /// Whether it is tied to an on-premises object (an immutable id is set); `None` unknown.
    pub on_premises_id: Option<bool>,
    /// Whether a guest's invitation is still pending; `None` unknown or no guest.
    pub invitation_pending: Option<bool>,
    /// Whether it has a licence with a mailbox; `None` unknown.
    pub mailbox: Option<bool>,
}

/// One account's second factors, from the dataset `mfa`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaFacts {
    /// The account's vendor id.
    pub account_vendor_id: String,
    /// Whether a second factor is registered. `Unknown` is allowed (one account's factors couldn't be read).
    pub mfa: Mfa,
    /// The methods in the vendor's words, at most 32.
    pub methods: Vec<ForeignText>,
    /// Whether a phishing-resistant method is registered.
    pub phishing_resistant: bool,
    /// Whether every registered method is weak (SMS, voice, email, question).
    pub weak_only: bool,
}

/// A role that a principal holds, from the datasets `roles` and `role_schedules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// The vendor's id of the assignment, or one made of its parts: stable.
    pub vendor_id: String,
    /// Vendor id of the account or app that holds it.
    pub principal_vendor_id: String,
    /// The vendor's stable name or template id of the role.
    pub role_key: String,
    /// Its displayed name.
    pub role_name: ForeignText,
    /// Whether it is on the platform's list of privileged roles.
    pub privileged: bool,
    /// Whether it is the platform's highest role (Global Administrator, super admin).
    pub super_admin: bool,
    /// How it is held.
    pub hold: RoleHold,
    /// The group through which it is held.
    pub via_group: Option<ForeignText>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
}

/// A secret or certificate of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct AppCredential {
    /// `password` or `certificate`.
    pub kind: String,
    /// From when, in milliseconds since 1970.
    pub starts_at_ms: Option<i64>,
    /// Until when, in milliseconds since 1970.
    pub ends_at_ms: Option<i64>,
}

/// One app, from the dataset `apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFacts {
    /// The vendor's id (for Entra: of the service principal).
    pub vendor_id: String,
    /// A second id by which people know it (client id).
    pub client_id: Option<String>,
    /// Its name.
    pub name: ForeignText,
    /// Who publishes it.
    pub publisher: Option<ForeignText>,
    /// Whether the vendor verified the publisher; `None` where there is no such notion.
    pub publisher_verified: Option<bool>,
    /// Made by the platform's vendor itself.
    pub first_party: bool,
    /// Registered by the company itself; `None` unknown.
    pub own_registration: Option<bool>,
    /// Whether it can be used at all.
    pub enabled: bool,
    /// When it appeared at the vendor.
    pub created_at: Option<Timestamp>,
    /// The vendor's sign-on mode, where there is one.
    pub sign_on_mode: Option<String>,
    /// Whether leavers are removed from it by the identity provider; `None` where there is no such notion.
    pub deprovisioning: Option<bool>,
    /// Its secrets and certificates, at most 64.
    pub credentials: Vec<AppCredential>,
}

/// Who owns an app, from the dataset `app_owners`: one per owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOwnerFacts {
    /// The app's vendor id.
    pub app_vendor_id: String,
    /// The owning account's vendor id.
    pub account_vendor_id: String,
}

/// A permission that an app holds, or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// The vendor's id of the grant, or one made of its parts: stable.
    pub vendor_id: String,
    /// The app's vendor id; `None` for a token of no app.
    pub app_vendor_id: Option<String>,
    /// The account's vendor id; `None`: everybody (or the app itself for application permissions).
    pub account_vendor_id: Option<String>,
    /// How it was given.
    pub kind: GrantKind,
    /// What the grant is called, for tokens.
    pub name: Option<ForeignText>,
    /// The permissions in the vendor's words, at most 256.
    pub scopes: Vec<ForeignText>,
    /// The worst risk among them, by the platform's list.
    pub risk: GrantRisk,
    /// When it was given.
    pub created_at: Option<Timestamp>,
    /// Last use.
    pub last_used: LastActive,
    /// When it ends; `None` never or unknown (see `never_expires`).
    pub expires_at: Option<Timestamp>,
    /// Whether it is known to have no end (tokens).
    pub never_expires: bool,
}

/// One configuration document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFacts {
    /// The stable path under which it is stored, e.g. `policies/authorizationPolicy`.
    pub path: String,
    /// The vendor's JSON as text, at most 4 MiB.
    pub document: String,
}

/// One thing that a page of a sync holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An account.
    Account(Box<AccountFacts>),
    /// An account's second factors.
    Mfa(MfaFacts),
    /// A role.
    Role(RoleFacts),
    /// An app.
    App(Box<AppFacts>),
    /// An app's owner.
    AppOwner(AppOwnerFacts),
    /// A grant or token.
    Grant(Box<GrantFacts>),
    /// A setting.
    Setting(SettingFacts),
}

/// Facts of one dataset that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactPage {
    /// Which dataset.
    pub dataset: Dataset,
    /// At most 1,000 facts.
    pub facts: Vec<Fact>,
}

/// How reading one dataset ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Which dataset.
    pub dataset: Dataset,
    /// How it ended.
    pub state: CollectionState,
    /// How many rows were read.
    pub rows: u64,
    /// How many rows were unusable.
    pub row_errors: u64,
    /// For `denied`: the missing permission in the vendor's words; else a reason a person can act on. Our own words,
    /// never an answer's body.
    pub detail: Option<String>,
}
