//! People and machines.

use super::{AsOf, Foreign, Time, finding::FindingOut, len};
use crate::fields::{Id, Word};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    identity::{Account, Grant, Role},
    integration::fact::LastActive,
    service::IdentityAnswer,
    value::{
        id::{AppId, IdentityId},
        time::Timestamp,
        word::{AccountKind, AccountStatus, AppPolicy, GrantKind, GrantRisk, Mfa, Platform, RoleHold},
    },
};

/// The maximum number of accounts that an answer shows.
const ACCOUNTS_SHOWN: usize = 50;
/// The maximum number of email addresses that an answer shows.
const EMAILS_SHOWN: usize = 50;

/// A person or machine over all platforms.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
pub(crate) struct PersonOut<'a> {
    id: Id<IdentityId>,
    name: Foreign<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    emails: Vec<&'a str>,
    kind: Word<AccountKind>,
    /// `active` if any account is.
    status: Word<AccountStatus>,
    break_glass: bool,
    /// According to `mfa_sources`.
    mfa: Word<Mfa>,
    mfa_sources: Vec<Word<Platform>>,
    last_login: LastLogin,
    platforms: Vec<Word<Platform>>,
    accounts: Vec<AccountOut<'a>>,
    accounts_total: u64,
    /// The worst findings that are open or in progress.
    open_findings: Vec<FindingOut<'a>>,
    open_findings_total: u64,
    #[serde(flatten)]
    as_of: AsOf,
}

/// The last use of something.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LastLogin {
    /// `known`, `never` or `unknown`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Word<Platform>>,
}

impl LastLogin {
    pub(crate) fn new(active: LastActive, platform: Option<Platform>) -> Self {
        let (state, at, platform) = match active {
            LastActive::At(at) => ("known", Some(Time(at)), platform),
            LastActive::Never => ("never", None, platform),
            LastActive::Unknown => ("unknown", None, None),
        };
        Self {
            state,
            at,
            platform: platform.map(Word),
        }
    }
}

/// One login on one integration.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountOut<'a> {
    platform: Word<Platform>,
    integration: Foreign<'a>,
    login: Foreign<'a>,
    status: Word<AccountStatus>,
    kind: Word<AccountKind>,
    mfa: Word<Mfa>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mfa_methods: Vec<Foreign<'a>>,
    last_login: LastLogin,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<&'a str>,
    roles: Vec<RoleOut<'a>>,
    roles_total: u64,
    grants: Vec<GrantOut<'a>>,
    grants_total: u64,
}

/// An assigned role.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Role")]
struct RoleOut<'a> {
    name: Foreign<'a>,
    privileged: bool,
    hold: Word<RoleHold>,
}

/// A permission granted to an app, or a token.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Grant")]
struct GrantOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<Id<AppId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Word<AppPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Foreign<'a>>,
    kind: Word<GrantKind>,
    risk: Word<GrantRisk>,
    scopes: Vec<Foreign<'a>>,
    last_used: LastLogin,
}

impl<'a> From<&'a Role> for RoleOut<'a> {
    fn from(role: &'a Role) -> Self {
        Self {
            name: Foreign(&role.name),
            privileged: role.privileged,
            hold: Word(role.hold),
        }
    }
}

impl<'a> From<&'a Grant> for GrantOut<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self {
            app: grant.app.as_ref().map(|app| Foreign(&app.name)),
            app_id: grant.app.as_ref().map(|app| Id(app.id)),
            policy: grant.app.as_ref().map(|app| Word(app.policy)),
            token: grant.name.as_ref().map(Foreign),
            kind: Word(grant.kind),
            risk: Word(grant.risk),
            scopes: grant.scopes.iter().map(Foreign).collect(),
            last_used: LastLogin::new(grant.last_used, None),
        }
    }
}

impl<'a> From<&'a Account> for AccountOut<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            platform: Word(account.platform),
            integration: Foreign(&account.integration_name),
            login: Foreign(&account.login),
            status: Word(account.status),
            kind: Word(account.kind),
            mfa: Word(account.mfa),
            mfa_methods: account.mfa_methods.iter().map(Foreign).collect(),
            last_login: LastLogin::new(account.last_active, None),
            created_at: account.created_at.map(Time),
            department: account.department.as_ref().map(Foreign),
            title: account.title.as_ref().map(Foreign),
            manager: account.manager_email.as_deref(),
            roles: account.roles.iter().map(RoleOut::from).collect(),
            roles_total: len(&account.roles),
            grants: account.grants.iter().map(GrantOut::from).collect(),
            grants_total: account.grants_total,
        }
    }
}

impl<'a> PersonOut<'a> {
    pub(crate) fn new(answer: &'a IdentityAnswer, now: Timestamp) -> Self {
        let identity = &answer.identity;
        let mfa = identity.mfa();
        let (last_active, last_platform) = identity.last_login();
        Self {
            id: Id(identity.id),
            name: Foreign(&identity.display_name),
            email: identity.email.as_deref(),
            emails: identity
                .emails
                .iter()
                .take(EMAILS_SHOWN)
                .map(String::as_str)
                .collect(),
            kind: Word(identity.kind),
            status: Word(identity.status()),
            break_glass: identity.break_glass,
            mfa: Word(mfa.value()),
            mfa_sources: mfa.sources().iter().copied().map(Word).collect(),
            last_login: LastLogin::new(last_active, last_platform),
            platforms: identity.platforms().into_iter().map(Word).collect(),
            accounts: identity
                .accounts
                .iter()
                .take(ACCOUNTS_SHOWN)
                .map(AccountOut::from)
                .collect(),
            accounts_total: len(&identity.accounts),
            open_findings: answer.findings.iter().map(FindingOut::from).collect(),
            open_findings_total: answer.total.value,
            as_of: AsOf::new(&answer.freshness, now),
        }
    }
}
