//! Documents: what the rules judge. Their JSON form is the contract with rule authors, ours and the customer's, and
//! is described in `docs/rules.md`; fields are added, never renamed.
//!
//! Times are milliseconds since 1970 (`…_ms`), so that a rule compares numbers. What is unknown is left out, except
//! `mfa`, which says `unknown`.

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
            IntegrationStatus, Mfa, Platform, RoleHold, words,
        },
    },
};
use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, sync::Arc};

/// Roles that a document shows of one principal.
pub const ROLES_MAX: usize = 100;
/// Grants, tokens and assignments that a document shows of one account.
pub const GRANTS_MAX: u64 = 200;
/// Accounts that a document shows of one identity.
pub const ACCOUNTS_MAX: u64 = 50;
/// People, and owners, that a document shows of one app.
pub const PRINCIPALS_MAX: u64 = 100;
/// Distinct permissions that a document shows of an app's grants of one kind.
pub const SCOPES_MAX: usize = 256;

words! {
    /// The three shapes in which facts go to rules.
    DocumentType {
        /// A person or machine with accounts, roles and grants.
        Identity = "identity",
        /// An app with policy, owners, grants.
        App = "app",
        /// An integration with settings, collections and aggregates.
        Integration = "integration",
    }
}

/// An integration as documents mention it.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationRef {
    /// Its id.
    pub id: IntegrationId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// Whether the platform is an identity provider.
    pub identity_provider: bool,
    /// Datasets that can't be relied on now (denied, unlicensed, failed, partial or never collected). A rule must not
    /// judge an account by such a dataset.
    pub unreadable: Vec<Dataset>,
}

impl IntegrationRef {
    /// An integration as documents mention it.
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

/// Datasets of an integration that aren't complete now.
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

/// A role in a document.
#[derive(Debug, Clone, Serialize)]
pub struct RoleDocument {
    /// The vendor's stable name.
    pub key: String,
    /// Displayed name.
    pub name: ForeignText,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it is the platform's highest.
    pub super_admin: bool,
    /// How it is held.
    pub hold: RoleHold,
    /// Group through which it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_group: Option<ForeignText>,
    /// End.
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
    /// How it was given.
    pub kind: GrantKind,
    /// Permissions.
    pub scopes: Vec<ForeignText>,
    /// Worst risk.
    pub risk: GrantRisk,
    /// Given at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_ms: Option<i64>,
    /// Last used at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<i64>,
    /// Whether it is known to have no end.
    pub never_expires: bool,
}

/// An account in an identity document.
#[derive(Debug, Clone, Serialize)]
pub struct AccountDocument {
    /// Its id.
    pub id: AccountId,
    /// Where it is.
    pub integration: IntegrationRef,
    /// Login.
    pub login: ForeignText,
    /// Address, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// State.
    pub status: AccountStatus,
    /// Since when, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_changed_at_ms: Option<i64>,
    /// Kind.
    pub kind: AccountKind,
    /// Second factor: `on`, `off`, `unknown`.
    pub mfa: Mfa,
    /// Methods.
    pub mfa_methods: Vec<ForeignText>,
    /// Whether a phishing-resistant method is registered.
    pub phishing_resistant: bool,
    /// Whether only weak methods are registered.
    pub weak_mfa_only: bool,
    /// Last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active_ms: Option<i64>,
    /// Whether last use is known: with `true` and no `last_active_ms` the account was never used.
    pub last_active_known: bool,
    /// Made at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_ms: Option<i64>,
    /// Password never expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_never_expires: Option<bool>,
    /// Password changed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_changed_at_ms: Option<i64>,
    /// Tied to an on-premises object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_premises_id: Option<bool>,
    /// Invitation pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_pending: Option<bool>,
    /// Has a mailbox licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<bool>,
    /// Roles, at most [`ROLES_MAX`].
    pub roles: Vec<RoleDocument>,
    /// Grants, tokens and assignments, at most [`GRANTS_MAX`].
    pub grants: Vec<GrantDocument>,
}

/// One person or machine.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityDocument {
    /// Its id.
    pub id: IdentityId,
    /// Main address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Displayed name.
    pub display_name: ForeignText,
    /// Kind.
    pub kind: AccountKind,
    /// Tagged as an emergency account.
    pub break_glass: bool,
    /// Accounts that aren't retired, at most [`ACCOUNTS_MAX`].
    pub accounts: Vec<AccountDocument>,
    /// Platforms connected in this workspace, so that a rule can tell "has no Okta account" from "there is no Okta":
    /// each with its unreadable datasets.
    #[serde(serialize_with = "shared")]
    pub integrations: Arc<Vec<IntegrationRef>>,
    /// Mail domains that belong to the company, lower case.
    #[serde(serialize_with = "shared")]
    pub company_domains: Arc<Vec<String>>,
}

/// Somebody who gave an app a permission, may sign in to it, or owns it.
#[derive(Debug, Clone, Serialize)]
pub struct PrincipalDocument {
    /// The identity.
    pub identity_id: IdentityId,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Displayed name.
    pub display_name: ForeignText,
    /// The account's state.
    pub status: AccountStatus,
}

/// One app.
#[derive(Debug, Clone, Serialize)]
pub struct AppDocument {
    /// Its id.
    pub id: AppId,
    /// Where it is.
    pub integration: IntegrationRef,
    /// Name.
    pub name: ForeignText,
    /// Publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<ForeignText>,
    /// Publisher verified by the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_verified: Option<bool>,
    /// Made by the platform's vendor.
    pub first_party: bool,
    /// Registered by the company itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_registration: Option<bool>,
    /// Whether it can be used.
    pub enabled: bool,
    /// What people decided.
    pub policy: AppPolicy,
    /// First seen (the vendor's date if earlier than ours).
    pub first_seen_ms: i64,
    /// Sign-on mode in the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_on_mode: Option<String>,
    /// Whether leavers are removed from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprovisioning: Option<bool>,
    /// Secrets and certificates.
    pub credentials: Vec<AppCredential>,
    /// Roles that the app itself holds.
    pub roles: Vec<RoleDocument>,
    /// Distinct permissions by kind of grant, at most 256 each.
    pub scopes: BTreeMap<GrantKind, Vec<ForeignText>>,
    /// Worst risk by kind of grant.
    pub risks: BTreeMap<GrantKind, GrantRisk>,
    /// Number of grants by kind.
    pub grant_counts: BTreeMap<GrantKind, u64>,
    /// Whether somebody consented for everybody, and the worst risk of such a consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_wide_risk: Option<GrantRisk>,
    /// Number of distinct accounts with a grant or assignment.
    pub accounts: u64,
    /// Those accounts' people, active ones first, at most [`PRINCIPALS_MAX`].
    pub principals: Vec<PrincipalDocument>,
    /// Owners, at most [`PRINCIPALS_MAX`].
    pub owners: Vec<PrincipalDocument>,
}

/// One integration.
#[derive(Debug, Clone, Serialize)]
pub struct IntegrationDocument {
    /// Its id.
    pub id: IntegrationId,
    /// Platform.
    pub platform: Platform,
    /// Name.
    pub name: ForeignText,
    /// State.
    pub status: IntegrationStatus,
    /// Datasets that can't be relied on now.
    pub unreadable: Vec<Dataset>,
    /// Datasets that a permission was lost for: complete before, denied now.
    pub lost: Vec<Dataset>,
    /// When the last completed sync ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_completed_ms: Option<i64>,
    /// Settings by path, the vendor's JSON.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Distinct active accounts that hold the platform's highest role.
    pub super_admins: u64,
    /// Active emergency accounts on it (tagged identities that hold the highest role).
    pub break_glass_accounts: u64,
    /// Active accounts of members.
    pub active_members: u64,
}

/// One document of any type.
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
    /// Its type.
    pub const fn document_type(&self) -> DocumentType {
        match self {
            Self::Identity(_) => DocumentType::Identity,
            Self::App(_) => DocumentType::App,
            Self::Integration(_) => DocumentType::Integration,
        }
    }
    /// The entity that findings from it are about.
    pub const fn entity(&self) -> EntityRef {
        match self {
            Self::Identity(doc) => EntityRef::Identity(doc.id),
            Self::App(doc) => EntityRef::App(doc.id),
            Self::Integration(doc) => EntityRef::Integration(doc.id),
        }
    }
}

/// What a finding is about.
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
    /// Its type.
    pub const fn entity_type(self) -> EntityType {
        match self {
            Self::Identity(_) => EntityType::Identity,
            Self::App(_) => EntityType::App,
            Self::Integration(_) => EntityType::Integration,
        }
    }
    /// Its id's 16 bytes.
    pub const fn id_bytes(&self) -> &[u8; 16] {
        match self {
            Self::Identity(id) => id.as_bytes(),
            Self::App(id) => id.as_bytes(),
            Self::Integration(id) => id.as_bytes(),
        }
    }
    /// From a type and 16 bytes, as stores keep it.
    pub const fn from_parts(entity_type: EntityType, id: [u8; 16]) -> Self {
        match entity_type {
            EntityType::Identity => Self::Identity(IdentityId::from_bytes(id)),
            EntityType::App => Self::App(AppId::from_bytes(id)),
            EntityType::Integration => Self::Integration(IntegrationId::from_bytes(id)),
        }
    }
}

/// Serialises what many documents share.
fn shared<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(serializer)
}
