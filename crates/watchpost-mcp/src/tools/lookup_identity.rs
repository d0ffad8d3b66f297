//! `lookup_identity`: one person or machine account over all platforms.

use crate::{
    arguments::{AddressLine, arguments},
    error::Failure,
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, FindingOut, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    identity::{Grant, Identity, Role},
    integration::fact::LastActive,
    value::{
        id::{AppId, IdentityId},
        text::ForeignText,
        time::Timestamp,
        word::{AppPolicy, Platform},
    },
};

/// The maximum number of accounts that the answer shows.
const ACCOUNTS_SHOWN: usize = 20;
/// The maximum number of roles that the answer shows, over all accounts.
const ROLES_SHOWN: usize = 40;
/// The maximum number of grants that the answer shows, over all accounts.
const GRANTS_SHOWN: usize = 40;
/// The maximum number of permissions of one grant that the answer shows.
const SCOPES_SHOWN: usize = 8;
/// The maximum number of email addresses that the answer shows.
const EMAILS_SHOWN: usize = 20;

pub(super) struct LookupIdentity;

arguments! {
    pub(super) struct Input {
        /// Any email address of the person, or the name, such as mara holt; in any case.
        email: AddressLine,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    id: Text<IdentityId>,
    name: Text<&'a ForeignText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    emails: Vec<&'a str>,
    kind: &'static str,
    /// active if any account is.
    status: &'static str,
    break_glass: bool,
    /// on, off or unknown, according to mfa_sources.
    mfa: &'static str,
    mfa_sources: Vec<&'static str>,
    last_login: LastLogin,
    platforms: Vec<&'static str>,
    accounts: Vec<AccountOut<'a>>,
    accounts_total: u64,
    #[schemars(schema_with = "crate::wire::finding_rows")]
    open_findings: Vec<FindingOut<'a>>,
    open_findings_total: u64,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LastLogin {
    /// known, never or unknown.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'static str>,
}

impl LastLogin {
    fn new(active: LastActive, platform: Option<Platform>) -> Self {
        let platform = platform.map(Platform::as_str);
        match active {
            LastActive::At(at) => Self {
                state: "known",
                at: Some(Text(at)),
                platform,
            },
            LastActive::Never => Self {
                state: "never",
                at: None,
                platform,
            },
            LastActive::Unknown => Self {
                state: "unknown",
                at: None,
                platform: None,
            },
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct AccountOut<'a> {
    platform: &'static str,
    integration: Text<&'a ForeignText>,
    login: Text<&'a ForeignText>,
    status: &'static str,
    kind: &'static str,
    mfa: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mfa_methods: Vec<Text<&'a ForeignText>>,
    #[schemars(schema_with = "crate::wire::plain_object")]
    last_login: LastLogin,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<Text<&'a ForeignText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Text<&'a ForeignText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<&'a str>,
    roles: Vec<RoleOut<'a>>,
    roles_total: u64,
    #[schemars(schema_with = "crate::wire::grant_rows")]
    grants: Vec<GrantOut<'a>>,
    grants_total: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoleOut<'a> {
    name: Text<&'a ForeignText>,
    privileged: bool,
    hold: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GrantOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Text<&'a ForeignText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<Text<AppId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Text<AppPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Text<&'a ForeignText>>,
    kind: &'static str,
    risk: &'static str,
    scopes: Vec<Text<&'a ForeignText>>,
    scopes_total: u64,
    last_used: LastLogin,
}

impl<'a> From<&'a Role> for RoleOut<'a> {
    fn from(role: &'a Role) -> Self {
        Self {
            name: Text(&role.name),
            privileged: role.privileged,
            hold: role.hold.as_str(),
        }
    }
}

impl<'a> From<&'a Grant> for GrantOut<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self {
            app: grant.app.as_ref().map(|app| Text(&app.name)),
            app_id: grant.app.as_ref().map(|app| Text(app.id)),
            policy: grant.app.as_ref().map(|app| Text(app.policy)),
            token: grant.name.as_ref().map(Text),
            kind: grant.kind.as_str(),
            risk: grant.risk.as_str(),
            scopes: grant.scopes.iter().take(SCOPES_SHOWN).map(Text).collect(),
            scopes_total: len(&grant.scopes),
            last_used: LastLogin::new(grant.last_used, None),
        }
    }
}

/// The first accounts in their order. Roles and grants are cut off at the limits over all accounts.
fn accounts(identity: &Identity) -> Vec<AccountOut<'_>> {
    let mut roles_left = ROLES_SHOWN;
    let mut grants_left = GRANTS_SHOWN;
    identity
        .accounts
        .iter()
        .take(ACCOUNTS_SHOWN)
        .map(|account| {
            let roles: Vec<_> = account.roles.iter().take(roles_left).map(RoleOut::from).collect();
            let grants: Vec<_> = account
                .grants
                .iter()
                .take(grants_left)
                .map(GrantOut::from)
                .collect();
            roles_left = roles_left.saturating_sub(roles.len());
            grants_left = grants_left.saturating_sub(grants.len());
            AccountOut {
                platform: account.platform.as_str(),
                integration: Text(&account.integration_name),
                login: Text(&account.login),
                status: account.status.as_str(),
                kind: account.kind.as_str(),
                mfa: account.mfa.as_str(),
                mfa_methods: account.mfa_methods.iter().map(Text).collect(),
                last_login: LastLogin::new(account.last_active, None),
                created_at: account.created_at.map(Text),
                department: account.department.as_ref().map(Text),
                title: account.title.as_ref().map(Text),
                manager: account.manager_email.as_deref(),
                roles,
                roles_total: len(&account.roles),
                grants,
                grants_total: account.grants_total,
            }
        })
        .collect()
}

impl Tool for LookupIdentity {
    const DECLARATION: Declaration = Declaration {
        name: "lookup_identity",
        title: "Look up a person",
        description: "Looks up one person or machine account by email or name, over all connected platforms: accounts with status, MFA (on, off or unknown, and according to which platform), last login, roles, apps and permissions with their risk, and open findings. Use for \"tell me about jane@company\", \"does he have MFA\", \"what can she access\".",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for LookupIdentity {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let answer = context
            .watchpost
            .identity(context.scope, input.email.as_str())
            .await;
        let answer = context.open(answer)?;
        let identity = &answer.identity;
        let mfa = identity.mfa();
        let platforms = identity.platforms();
        let (last_active, last_platform) = identity.last_login();
        let output = Output {
            id: Text(identity.id),
            name: Text(&identity.display_name),
            email: identity.email.as_deref(),
            emails: identity
                .emails
                .iter()
                .take(EMAILS_SHOWN)
                .map(String::as_str)
                .collect(),
            kind: identity.kind.as_str(),
            status: identity.status().as_str(),
            break_glass: identity.break_glass,
            mfa: mfa.value().as_str(),
            mfa_sources: mfa.sources().iter().map(|platform| platform.as_str()).collect(),
            last_login: LastLogin::new(last_active, last_platform),
            platforms: platforms.iter().map(|platform| platform.as_str()).collect(),
            accounts: accounts(identity),
            accounts_total: len(&identity.accounts),
            open_findings: answer.findings.iter().map(FindingOut::from).collect(),
            open_findings_total: answer.total.value,
            as_of: AsOf::new(&answer.freshness, context.now),
        };
        let sentence = output.as_of.dated(&text::posture::identity_found(
            output.accounts_total,
            &platforms,
            &mfa,
            output.open_findings_total,
        ));
        Ok(Answer::new(sentence, &output)?
            .about(AuditTarget::new("identity", &identity.id))
            .until(&answer.freshness, context.now))
    }
}
