//! Documents, the input of rules. Their JSON form is a contract with the authors of Watchpost's and customers'
//! rules and is described in `docs/rules.md`. Fields are added, but never renamed.
//!
//! Times are milliseconds since 1970-01-01T00:00:00Z (`…_ms`), so that rules compare numbers. Unknown values are
//! omitted, except for `mfa`, which is then `unknown`.

use crate::{
    integration::{
        Integration,
        fact::{AppCredential, Dataset},
    },
    value::{
        id::{AccountId, AppId, IdentityId, IntegrationId},
        text::ForeignText,
        word::{
            AccountKind, AccountStatus, AppPolicy, CollectionState, EntityType, GrantKind, GrantRisk,
            IntegrationStatus, Mfa, Platform, RoleHold, TokenNetwork, words,
        },
    },
};
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, sync::Arc};

/// Maximum number of roles of one principal in a document.
pub const ROLES_MAX: usize = 100;
/// Maximum number of grants, tokens and assignments of one account in a document.
pub const GRANTS_MAX: u64 = 200;
/// Maximum number of accounts of one identity in a document.
pub const ACCOUNTS_MAX: u64 = 50;
/// Maximum number of principals, and of owners, of one app in a document.
pub const PRINCIPALS_MAX: u64 = 100;
/// Maximum number of distinct permissions in an app's grants of one kind.
pub const SCOPES_MAX: usize = 256;

words! {
    /// The three types of documents.
    DocumentType {
        /// A person or machine with accounts, roles and grants.
        Identity = "identity",
        /// An app with its policy, owners and grants.
        App = "app",
        /// An integration with settings, collections and aggregates.
        Integration = "integration",
    }
}

/// A reference to an integration in a document.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationRef {
    /// The integration's id.
    pub id: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub name: ForeignText,
    /// Whether the platform is an identity provider.
    pub identity_provider: bool,
    /// Datasets that are currently unreliable (denied, unlicensed, failed, partial or never collected). A rule
    /// must not draw conclusions about an account from them.
    pub unreadable: Vec<Dataset>,
}

impl IntegrationRef {
    /// Creates the reference to an integration.
    pub fn of(integration: &Integration) -> Self {
        Self {
            id: integration.id,
            platform: integration.platform,
            name: integration.name.clone(),
            identity_provider: integration.platform.is_identity_provider(),
            unreadable: unreadable(integration),
        }
    }
}

/// Returns the datasets of an integration that aren't currently complete.
pub fn unreadable(integration: &Integration) -> Vec<Dataset> {
    Dataset::ALL
        .iter()
        .copied()
        .filter(|dataset| {
            integration
                .collection(*dataset)
                .is_none_or(|collection| collection.state != CollectionState::Complete)
        })
        .collect()
}

/// A role assignment in a document.
#[derive(Debug, Clone, Serialize)]
pub struct RoleDocument {
    /// The vendor's stable name.
    pub key: String,
    /// The display name.
    pub name: ForeignText,
    /// Whether the role is privileged.
    pub privileged: bool,
    /// Whether the role is the platform's highest.
    pub super_admin: bool,
    /// The kind of assignment.
    pub hold: RoleHold,
    /// The group through which the role is assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_group: Option<ForeignText>,
    /// The end of the assignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<i64>,
}

/// A grant or token in an identity document.
#[derive(Debug, Clone, Serialize)]
pub struct GrantDocument {
    /// The app's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// The app's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<ForeignText>,
    /// The app's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_policy: Option<AppPolicy>,
    /// The token's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<ForeignText>,
    /// The way in which the permission was granted.
    pub kind: GrantKind,
    /// The permissions.
    pub scopes: Vec<ForeignText>,
    /// The highest risk among the permissions.
    pub risk: GrantRisk,
    /// The time at which the permission was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_ms: Option<i64>,
    /// The time of the last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
    /// The time at which the token expires if it isn't used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
    /// Whether the token is known to have no expiry.
    pub never_expires: bool,
    /// The networks from which a token works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<TokenNetwork>,
}

/// An account in an identity document.
#[derive(Debug, Clone, Serialize)]
pub struct AccountDocument {
    /// The account's id.
    pub id: AccountId,
    /// The integration that the account belongs to.
    pub integration: IntegrationRef,
    /// The name used to sign in.
    pub login: ForeignText,
    /// The email address, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The status.
    pub status: AccountStatus,
    /// The time of the last change of status, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_changed_at_ms: Option<i64>,
    /// The kind of principal.
    pub kind: AccountKind,
    /// The state of multi-factor authentication: `on`, `off` or `unknown`.
    pub mfa: Mfa,
    /// The registered methods of multi-factor authentication.
    pub mfa_methods: Vec<ForeignText>,
    /// Whether a phishing-resistant method is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phishing_resistant: Option<bool>,
    /// Whether only weak methods are registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak_mfa_only: Option<bool>,
    /// The time of the last successful sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active_ms: Option<i64>,
    /// Whether the last activity is known. If it is `true` and `last_active_ms` is absent, the account was never
    /// used.
    pub last_active_known: bool,
    /// The time of creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_ms: Option<i64>,
    /// Whether the password never expires, by the account's own policy or by that of its domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_never_expires: Option<bool>,
    /// Whether the account's own policy keeps the password from expiring although its domain's policy doesn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expiry_exempt: Option<bool>,
    /// The time of the last password change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_changed_at_ms: Option<i64>,
    /// Whether the account is synced from an on-premises directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced: Option<bool>,
    /// Whether the account has the id of an on-premises object, which it keeps when its synchronization ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_premises_id: Option<bool>,
    /// Whether a guest's invitation is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_pending: Option<bool>,
    /// Whether the account has a license with a mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<bool>,
    /// Role assignments; at most [`ROLES_MAX`].
    pub roles: Vec<RoleDocument>,
    /// Grants, tokens and assignments; at most [`GRANTS_MAX`].
    pub grants: Vec<GrantDocument>,
}

/// A person or machine.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityDocument {
    /// The identity's id.
    pub id: IdentityId,
    /// The main email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The display name.
    pub display_name: ForeignText,
    /// The kind of principal.
    pub kind: AccountKind,
    /// Whether the identity is tagged as a break-glass account.
    pub break_glass: bool,
    /// The accounts that aren't retired; at most [`ACCOUNTS_MAX`].
    pub accounts: Vec<AccountDocument>,
    /// The integrations of the workspace with their unreadable datasets, so that a rule can distinguish "has no
    /// Okta account" from "Okta isn't connected".
    #[serde(serialize_with = "shared")]
    pub integrations: Arc<Vec<IntegrationRef>>,
    /// The organization's mail domains, in lower case.
    #[serde(serialize_with = "shared")]
    pub company_domains: Arc<Vec<String>>,
}

/// A person who granted an app a permission, may sign in to it, or owns it.
#[derive(Debug, Clone, Serialize)]
pub struct PrincipalDocument {
    /// The identity.
    pub identity_id: IdentityId,
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The display name.
    pub display_name: ForeignText,
    /// The account's status.
    pub status: AccountStatus,
}

/// An app.
#[derive(Debug, Clone, Serialize)]
pub struct AppDocument {
    /// The app's id.
    pub id: AppId,
    /// The integration in which the app was seen.
    pub integration: IntegrationRef,
    /// The name.
    pub name: ForeignText,
    /// The publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<ForeignText>,
    /// Whether the vendor verified the publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_verified: Option<bool>,
    /// Whether the platform's vendor made the app.
    pub first_party: bool,
    /// Whether the organization itself registered the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_registration: Option<bool>,
    /// Whether the app can be used.
    pub enabled: bool,
    /// The policy.
    pub policy: AppPolicy,
    /// The time at which Watchpost first saw the app, or the vendor's date if that is earlier.
    pub first_seen_ms: i64,
    /// The vendor's sign-on mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_on_mode: Option<String>,
    /// Whether the identity provider removes users who leave from the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprovisioning: Option<bool>,
    /// Secrets and certificates.
    pub credentials: Vec<AppCredential>,
    /// Roles assigned to the app itself.
    pub roles: Vec<RoleDocument>,
    /// The distinct permissions by kind of grant; at most [`SCOPES_MAX`] each.
    pub scopes: BTreeMap<GrantKind, Vec<ForeignText>>,
    /// The highest risk by kind of grant.
    pub risks: BTreeMap<GrantKind, GrantRisk>,
    /// The number of grants by kind.
    pub grant_counts: BTreeMap<GrantKind, u64>,
    /// The highest risk of a consent on behalf of all users; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_wide_risk: Option<GrantRisk>,
    /// The number of distinct accounts that granted the app permissions, by the highest risk among an account's grants.
    /// Grants to the whole tenant aren't among them.
    pub consents: BTreeMap<GrantRisk, u64>,
    /// The number of distinct accounts with a grant or assignment. It is 0 if all grants are for the whole tenant.
    pub accounts: u64,
    /// The principals of these accounts, active ones first; at most [`PRINCIPALS_MAX`].
    pub principals: Vec<PrincipalDocument>,
    /// The owners; at most [`PRINCIPALS_MAX`].
    pub owners: Vec<PrincipalDocument>,
}

/// An integration.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationDocument {
    /// The integration's id.
    pub id: IntegrationId,
    /// The platform.
    pub platform: Platform,
    /// The name.
    pub name: ForeignText,
    /// The status.
    pub status: IntegrationStatus,
    /// Datasets that are currently unreliable.
    pub unreadable: Vec<Dataset>,
    /// Datasets for which a permission was lost: complete before and denied now.
    pub lost: Vec<Dataset>,
    /// The end of the last completed sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_completed_ms: Option<i64>,
    /// The settings by path, as the vendor's JSON.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The number of distinct active accounts with the platform's highest role.
    pub super_admins: u64,
    /// The number of active break-glass accounts (tagged identities with the highest role).
    pub break_glass_accounts: u64,
    /// The number of active accounts of members.
    pub active_members: u64,
}

/// A document of any type.
#[derive(Debug, Clone)]
pub enum Document {
    /// An identity.
    Identity(Box<IdentityDocument>),
    /// An app.
    App(Box<AppDocument>),
    /// An integration.
    Integration(Box<IntegrationDocument>),
}

impl Document {
    /// Returns the type of the document.
    pub const fn document_type(&self) -> DocumentType {
        match self {
            Self::Identity(_) => DocumentType::Identity,
            Self::App(_) => DocumentType::App,
            Self::Integration(_) => DocumentType::Integration,
        }
    }
    /// Returns the entity that findings from the document are about.
    pub const fn entity(&self) -> EntityRef {
        match self {
            Self::Identity(doc) => EntityRef::Identity(doc.id),
            Self::App(doc) => EntityRef::App(doc.id),
            Self::Integration(doc) => EntityRef::Integration(doc.id),
        }
    }
}

/// The entity that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityRef {
    /// A person or machine.
    Identity(IdentityId),
    /// An app.
    App(AppId),
    /// An integration.
    Integration(IntegrationId),
}

impl EntityRef {
    /// Returns the type of the entity.
    pub const fn entity_type(self) -> EntityType {
        match self {
            Self::Identity(_) => EntityType::Identity,
            Self::App(_) => EntityType::App,
            Self::Integration(_) => EntityType::Integration,
        }
    }
    /// Returns the 16 bytes of the entity's id.
    pub const fn id_bytes(&self) -> &[u8; 16] {
        match self {
            Self::Identity(id) => id.as_bytes(),
            Self::App(id) => id.as_bytes(),
            Self::Integration(id) => id.as_bytes(),
        }
    }
    /// Creates a reference from a type and 16 bytes, as stores keep it.
    pub const fn from_parts(entity_type: EntityType, id: [u8; 16]) -> Self {
        match entity_type {
            EntityType::Identity => Self::Identity(IdentityId::from_bytes(id)),
            EntityType::App => Self::App(AppId::from_bytes(id)),
            EntityType::Integration => Self::Integration(IntegrationId::from_bytes(id)),
        }
    }
}

/// Serializes a value that several documents share.
fn shared<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(serializer)
}
