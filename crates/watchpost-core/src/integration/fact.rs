//! Facts: the data that a connector has read, converted to the domain's types. Pure data, created by a
//! connector's `normalize` module.

use crate::value::{
    text::ForeignText,
    time::Timestamp,
    word::{
        AccountKind, AccountStatus, CollectionState, GrantKind, GrantRisk, Mfa, RoleHold, TokenNetwork, words,
    },
};
use serde::Serialize;

words! {
    /// A part of a platform that is read separately: it can be complete, denied or unlicensed independently of
    /// the others.
    Dataset {
        /// Accounts.
        Users = "users",
        /// The last activity of accounts.
        SignIn = "sign_in",
        /// Registered authentication methods.
        Mfa = "mfa",
        /// Assigned administrator roles.
        Roles = "roles",
        /// The kinds of role assignments: permanent, time-bound or eligible.
        RoleSchedules = "role_schedules",
        /// Groups.
        Groups = "groups",
        /// Apps.
        Apps = "apps",
        /// Owners of apps.
        AppOwners = "app_owners",
        /// Permissions that users or administrators delegated to apps.
        Grants = "grants",
        /// Permissions granted to apps themselves.
        AppGrants = "app_grants",
        /// Assignments of accounts to apps for sign-in.
        AppAssignments = "app_assignments",
        /// API tokens.
        Tokens = "tokens",
        /// The organization's own record.
        Organization = "organization",
        /// Licenses.
        Licenses = "licenses",
        /// Domains.
        Domains = "domains",
        /// Conditional-access policies.
        ConditionalAccess = "conditional_access",
        /// The authorization policy.
        AuthorizationPolicy = "authorization_policy",
        /// The allowed authentication methods.
        AuthenticationMethods = "authentication_methods",
        /// Security defaults.
        SecurityDefaults = "security_defaults",
        /// Admin-consent workflow.
        AdminConsent = "admin_consent",
        /// Named locations and network zones.
        Locations = "locations",
        /// Sign-on, password and enrollment policies.
        SignInPolicies = "sign_in_policies",
        /// Threat detection settings.
        ThreatDetection = "threat_detection",
        /// The vendor support's access to the tenant.
        SupportAccess = "support_access",
    }
}

impl Dataset {
    /// Returns whether the dataset contains accounts. A complete collection of it retires the accounts that it
    /// doesn't contain.
    pub const fn holds_accounts(self) -> bool {
        matches!(self, Self::Users)
    }
    /// Returns whether the dataset contains apps. A complete collection of it retires the apps that it doesn't
    /// contain.
    pub const fn holds_apps(self) -> bool {
        matches!(self, Self::Apps)
    }
    /// Returns whether the dataset determines the use of apps, which is measured again at the end of the dataset.
    pub const fn determines_app_usage(self) -> bool {
        matches!(
            self,
            Self::Users | Self::Apps | Self::Grants | Self::AppGrants | Self::AppAssignments | Self::Tokens
        )
    }
}

/// The time of the last use of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastActive {
    /// Used at this time.
    At(Timestamp),
    /// Never used, according to a vendor that records use.
    Never,
    /// The time of the last use isn't known.
    #[default]
    Unknown,
}

/// One account, from the dataset `users`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The vendor's id.
    pub vendor_id: String,
    /// The name used to sign in.
    pub login: ForeignText,
    /// The main email address, in lower case; `None` if there is none. Only an address that the vendor
    /// confirms.
    pub email: Option<String>,
    /// Other email addresses of the account, in lower case.
    pub aliases: Vec<String>,
    /// The display name.
    pub display_name: ForeignText,
    /// The status.
    pub status: AccountStatus,
    /// The time of the last change of status, if the vendor provides it.
    pub status_changed_at: Option<Timestamp>,
    /// The kind of principal.
    pub kind: AccountKind,
    /// The last successful sign-in. Attempts don't count, except where the vendor knows nothing else.
    pub last_active: LastActive,
    /// The time of creation.
    pub created_at: Option<Timestamp>,
    /// The department.
    pub department: Option<ForeignText>,
    /// The job title.
    pub title: Option<ForeignText>,
    /// The manager's email address.
    pub manager_email: Option<String>,
    /// Whether the password never expires, by the account's own policy or by that of its domain; `None` if unknown.
    pub password_never_expires: Option<bool>,
    /// Whether the account's own policy keeps the password from expiring although its domain's policy doesn't; `None`
    /// if unknown.
    pub password_expiry_exempt: Option<bool>,
    /// The time of the last password change.
    pub password_changed_at: Option<Timestamp>,
    /// Whether the account is synced from an on-premises directory; `None` if unknown.
    pub synced: Option<bool>,
    /// Whether the account has the id of an on-premises object (an immutable id); `None` if unknown. An account keeps
    /// it when its synchronization ends, so it doesn't tell whether the account is synced.
    pub on_premises_id: Option<bool>,
    /// Whether a guest's invitation is pending; `None` if unknown or not a guest.
    pub invitation_pending: Option<bool>,
    /// Whether the account has a license with a mailbox; `None` if unknown.
    pub mailbox: Option<bool>,
}

/// The authentication methods of one account, from the dataset `mfa`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaFacts {
    /// The account's vendor id.
    pub account_vendor_id: String,
    /// Whether a second factor is registered; `Unknown` if the account's methods couldn't be read, or if the account
    /// authenticates elsewhere and has registered none here.
    pub mfa: Mfa,
    /// The methods as the vendor names them; at most 32.
    pub methods: Vec<ForeignText>,
    /// Whether a phishing-resistant method is registered; `None` if a method is of an unknown kind or state.
    pub phishing_resistant: Option<bool>,
    /// Whether every registered method is weak (SMS, voice, email, question); `None` if a method is of an unknown kind
    /// or state.
    pub weak_only: Option<bool>,
}

/// A role assigned to a principal, from the datasets `roles` and `role_schedules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// The vendor's id of the assignment, or a stable id composed of its parts.
    pub vendor_id: String,
    /// The vendor id of the account or app with the role.
    pub principal_vendor_id: String,
    /// The vendor's stable name or template id for the role.
    pub role_key: String,
    /// The role's display name.
    pub role_name: ForeignText,
    /// Whether the role is on the platform's list of privileged roles.
    pub privileged: bool,
    /// Whether the role is the platform's highest (Global Administrator, super admin).
    pub super_admin: bool,
    /// The kind of assignment.
    pub hold: RoleHold,
    /// The group through which the role is assigned.
    pub via_group: Option<ForeignText>,
    /// The end of the assignment.
    pub ends_at: Option<Timestamp>,
}

/// A secret or certificate of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct AppCredential {
    /// `password` or `certificate`.
    pub kind: String,
    /// The start of validity, in milliseconds since 1970-01-01T00:00:00Z.
    pub starts_at_ms: Option<i64>,
    /// The end of validity, in milliseconds since 1970-01-01T00:00:00Z.
    pub ends_at_ms: Option<i64>,
}

/// One app, from the dataset `apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFacts {
    /// The vendor's id (in Entra, the id of the service principal).
    pub vendor_id: String,
    /// The client id, a second id by which people know the app.
    pub client_id: Option<String>,
    /// The name.
    pub name: ForeignText,
    /// The publisher.
    pub publisher: Option<ForeignText>,
    /// Whether the vendor verified the publisher; `None` if the vendor doesn't verify publishers.
    pub publisher_verified: Option<bool>,
    /// Whether the platform's vendor made the app.
    pub first_party: bool,
    /// Whether the organization itself registered the app; `None` if unknown.
    pub own_registration: Option<bool>,
    /// Whether the app can be used.
    pub enabled: bool,
    /// The time of creation at the vendor.
    pub created_at: Option<Timestamp>,
    /// The vendor's sign-on mode, if it has one.
    pub sign_on_mode: Option<String>,
    /// Whether the identity provider removes users who leave from the app; `None` if the vendor has no such
    /// feature.
    pub deprovisioning: Option<bool>,
    /// Secrets and certificates; at most 64.
    pub credentials: Vec<AppCredential>,
}

/// An owner of an app, from the dataset `app_owners`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppOwnerFacts {
    /// The app's vendor id.
    pub app_vendor_id: String,
    /// The owner's account, as a vendor id.
    pub account_vendor_id: String,
}

/// A permission granted to an app, or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// The vendor's id of the grant, or a stable id composed of its parts.
    pub vendor_id: String,
    /// The app's vendor id; `None` for a token that belongs to no app.
    pub app_vendor_id: Option<String>,
    /// The account's vendor id; `None` for everybody, or for the app itself with application permissions.
    pub account_vendor_id: Option<String>,
    /// The way in which the permission was granted.
    pub kind: GrantKind,
    /// The name of a token.
    pub name: Option<ForeignText>,
    /// The permissions as the vendor names them; at most 256.
    pub scopes: Vec<ForeignText>,
    /// The highest risk among the permissions, by the platform's list.
    pub risk: GrantRisk,
    /// The time at which the permission was granted.
    pub created_at: Option<Timestamp>,
    /// The last use.
    pub last_used: LastActive,
    /// The time of expiry; `None` if there is none or it is unknown (see `never_expires`).
    pub expires_at: Option<Timestamp>,
    /// Whether the token is known to have no expiry.
    pub never_expires: bool,
    /// The networks from which a token works; `None` if unknown or not a token.
    pub network: Option<TokenNetwork>,
}

/// One configuration document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFacts {
    /// The stable path under which it is stored, e.g. `policies/authorizationPolicy`.
    pub path: String,
    /// The vendor's JSON as text, at most 4 MiB.
    pub document: String,
}

/// An account or app for which a dataset is read with a request of its own. Its rows of the dataset come before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityReading {
    /// The vendor id of the account or app.
    pub entity_vendor_id: String,
    /// The number of its rows.
    pub rows: u64,
    /// Whether this sync hasn't read it, so that the rows from its last reading stay.
    pub kept: bool,
}

/// One fact on a page of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An account.
    Account(Box<AccountFacts>),
    /// The authentication methods of an account.
    Mfa(MfaFacts),
    /// A role assignment.
    Role(RoleFacts),
    /// An app.
    App(Box<AppFacts>),
    /// An app's owner.
    AppOwner(AppOwnerFacts),
    /// A grant or a token.
    Grant(Box<GrantFacts>),
    /// An account or app that was read with a request of its own.
    Reading(EntityReading),
    /// A setting.
    Setting(SettingFacts),
}

/// Facts of one dataset that are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactPage {
    /// The dataset.
    pub dataset: Dataset,
    /// The facts; at most 1,000.
    pub facts: Vec<Fact>,
}

/// The result of reading one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// The dataset.
    pub dataset: Dataset,
    /// The state of the collection.
    pub state: CollectionState,
    /// The number of rows read.
    pub rows: u64,
    /// The number of unusable rows.
    pub row_errors: u64,
    /// For `denied`, the missing permission as the vendor names it; otherwise a reason that a person can act on.
    /// For `complete`, how old the parts are that were read earlier. Written by Watchpost; never quotes a response body.
    pub detail: Option<String>,
}
