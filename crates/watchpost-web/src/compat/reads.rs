//! Findings, people, integrations, rules and policies.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Failure, of_lookup},
    fields::{Id, Line, Many, NoFields, Person, Whole, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    v1::{apps::find, integrations::connected},
    wire::{Foreign, Time, finding::EntityId, identity::LastLogin, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    finding::{FindingQuery, FindingSummary},
    integration::fact::LastActive,
    rule::Rule,
    value::{
        id::{FindingId, IdentityId},
        word::{
            AccountKind, AccountStatus, AppPolicy, Category, EntityType, FindingStatus, IntegrationStatus,
            Mfa, Platform, Severity,
        },
    },
};

pub(crate) struct Findings;

fields! {
    pub(crate) struct FindingFields {
        /// Default: all.
        severity: Many<Severity>,
        /// Default: all.
        category: Option<Word<Category>>,
        /// Rows. Default: 25.
        limit: Option<Whole<1, 100>>,
    }
}

/// Open findings in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatFindings")]
pub(crate) struct FindingsOut<'a> {
    findings: Vec<FindingOut<'a>>,
    total: u64,
    returned: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatFinding")]
struct FindingOut<'a> {
    id: Id<FindingId>,
    title: Foreign<'a>,
    severity: Word<Severity>,
    category: Word<Category>,
    status: Word<FindingStatus>,
    rule_id: &'a str,
    affected_entities: Affected<'a>,
    /// The remediation that can be requested, or the first step to do by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended_action: Option<&'a str>,
    created_at: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatAffected")]
struct Affected<'a> {
    r#type: Word<EntityType>,
    id: Id<EntityId>,
    name: Foreign<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

fn finding<'a>(context: &'a Context<'_>, row: &'a FindingSummary) -> FindingOut<'a> {
    let rule = context.watchpost.rule(&row.rule_id);
    let by_rule = |rule: &'a Rule| {
        let first_step = rule.remediation.first().map(String::as_str);
        rule.action.as_deref().or(first_step)
    };
    let by_check = || {
        let check = context.watchpost.check(&row.rule_id)?;
        check.remediation.first().map(String::as_str)
    };
    FindingOut {
        id: Id(row.id),
        title: Foreign(&row.title),
        severity: Word(row.severity),
        category: Word(row.category),
        status: Word(row.status),
        rule_id: &row.rule_id,
        affected_entities: Affected {
            r#type: Word(row.subject.entity.entity_type()),
            id: Id(EntityId(row.subject.entity)),
            name: Foreign(&row.subject.name),
            email: row.subject.email.as_deref(),
        },
        recommended_action: rule.and_then(by_rule).or_else(by_check),
        created_at: Time(row.first_seen_at),
    }
}

impl Endpoint for Findings {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/findings",
        name: "list_findings",
        group: "compatible",
        summary: "Lists open findings in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = FindingFields;
    type Output = FindingsOut<'static>;

    async fn run(context: &Context<'_>, input: FindingFields) -> Result<Answer, Failure> {
        let query = FindingQuery {
            severities: input.severity.as_slice().to_vec(),
            categories: input.category.map(|word| word.0).into_iter().collect(),
            statuses: vec![FindingStatus::Open, FindingStatus::InProgress],
            limit: input
                .limit
                .and_then(|limit| usize::try_from(limit.0).ok())
                .unwrap_or(25),
            ..FindingQuery::default()
        };
        let (page, _) = context.open(context.watchpost.findings(context.scope, &query).await)?;
        Answer::json(&FindingsOut {
            total: page.total.value,
            returned: len(&page.findings),
            findings: page.findings.iter().map(|row| finding(context, row)).collect(),
        })
    }
}

pub(crate) struct Identity;

fields! {
    pub(crate) struct IdentityFields {
        /// The email address, in any case.
        email: Person,
    }
}

/// A person in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatIdentity")]
pub(crate) struct IdentityOut<'a> {
    id: Id<IdentityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    display_name: Foreign<'a>,
    status: Word<AccountStatus>,
    identity_type: Word<AccountKind>,
    /// Omitted if it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_enabled: Option<bool>,
    /// Omitted if it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_login_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<Foreign<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager_email: Option<&'a str>,
    platforms: Vec<Word<Platform>>,
    findings: Vec<FindingOut<'a>>,
    app_access: Vec<AppAccess<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatAppAccess")]
struct AppAccess<'a> {
    app_name: Foreign<'a>,
    /// The kind of grant.
    role: &'static str,
    last_used_at: LastLogin,
}

impl Endpoint for Identity {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/identity",
        name: "lookup_identity",
        group: "compatible",
        summary: "Looks up one person by email address in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = IdentityFields;
    type Output = IdentityOut<'static>;

    async fn run(context: &Context<'_>, input: IdentityFields) -> Result<Answer, Failure> {
        let found = context
            .watchpost
            .identity(context.scope, input.email.as_str())
            .await;
        let answer = context.open(found).map_err(of_lookup)?;
        let identity = &answer.identity;
        let grants = identity.accounts.iter().flat_map(|account| &account.grants);
        let output = IdentityOut {
            id: Id(identity.id),
            email: identity.email.as_deref(),
            display_name: Foreign(&identity.display_name),
            status: Word(identity.status()),
            identity_type: Word(identity.kind),
            mfa_enabled: match identity.mfa().value() {
                Mfa::On => Some(true),
                Mfa::Off => Some(false),
                Mfa::Unknown => None,
            },
            last_login_at: match identity.last_login() {
                (LastActive::At(at), _) => Some(Time(at)),
                _ => None,
            },
            department: identity
                .accounts
                .iter()
                .find_map(|account| account.department.as_ref())
                .map(Foreign),
            manager_email: identity
                .accounts
                .iter()
                .find_map(|account| account.manager_email.as_deref()),
            platforms: identity.platforms().into_iter().map(Word).collect(),
            findings: answer.findings.iter().map(|row| finding(context, row)).collect(),
            app_access: grants
                .filter_map(|grant| {
                    let app = grant.app.as_ref()?;
                    Some(AppAccess {
                        app_name: Foreign(&app.name),
                        role: grant.kind.as_str(),
                        last_used_at: LastLogin::new(grant.last_used, None),
                    })
                })
                .collect(),
        };
        Ok(Answer::json(&output)?.about(AuditTarget::new("identity", &identity.id)))
    }
}

pub(crate) struct Integrations;

/// The connected platforms in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatIntegrations")]
pub(crate) struct IntegrationsOut {
    integrations: Vec<IntegrationOut>,
    connected_count: u64,
    total_count: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatIntegration")]
struct IntegrationOut {
    platform: Word<Platform>,
    category: &'static str,
    status: Word<IntegrationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_at: Option<Time>,
    /// Only for identity providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    idp_role: Option<&'static str>,
}

/// The category of a platform.
const fn category(platform: Platform) -> &'static str {
    match platform {
        Platform::M365 | Platform::Okta | Platform::GoogleWorkspace => "idp",
        Platform::Github => "developer_tools",
        Platform::Slack => "communication",
        Platform::Import => "import",
    }
}

impl Endpoint for Integrations {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/integrations",
        name: "get_integrations",
        group: "compatible",
        summary: "Lists the connected platforms in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = NoFields;
    type Output = IntegrationsOut;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let (rows, ..) = context.open(context.watchpost.integrations(context.scope).await)?;
        Answer::json(&IntegrationsOut {
            connected_count: connected(&rows),
            total_count: len(&rows),
            integrations: rows
                .iter()
                .map(|row| IntegrationOut {
                    platform: Word(row.platform),
                    category: category(row.platform),
                    status: Word(row.status),
                    last_sync_at: row.last_completed_at.map(Time),
                    idp_role: row.platform.is_identity_provider().then_some(
                        if row.platform.signs_in_elsewhere() {
                            "primary_idp"
                        } else {
                            "directory"
                        },
                    ),
                })
                .collect(),
        })
    }
}

pub(crate) struct Rules;

/// The active rules in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatRules")]
pub(crate) struct RulesOut<'a> {
    rules: Vec<RuleOut<'a>>,
    total: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatRule")]
struct RuleOut<'a> {
    id: &'a str,
    title: &'a str,
    severity: Word<Severity>,
    category: Word<Category>,
    affected_entity_types: [Word<EntityType>; 1],
}

impl Endpoint for Rules {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/rules",
        name: "list_rules",
        group: "compatible",
        summary: "Lists the active rules in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = NoFields;
    type Output = RulesOut<'static>;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        Answer::json(&RulesOut {
            total: len(&rules),
            rules: rules
                .iter()
                .map(|answer| RuleOut {
                    id: &answer.rule.id,
                    title: &answer.rule.title,
                    severity: Word(answer.rule.severity),
                    category: Word(answer.rule.category),
                    affected_entity_types: [Word(answer.rule.entity_type())],
                })
                .collect(),
        })
    }
}

pub(crate) struct AppPolicyOf;

fields! {
    pub(crate) struct PolicyFields {
        /// The app's name.
        app_name: Line<200>,
    }
}

/// The policy of an app in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatAppPolicy")]
pub(crate) struct PolicyOut<'a> {
    app_name: Foreign<'a>,
    status: Word<AppPolicy>,
}

impl Endpoint for AppPolicyOf {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/app-policy",
        name: "check_app_policy",
        group: "compatible",
        summary: "Returns the policy of one app by name in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = PolicyFields;
    type Output = PolicyOut<'static>;

    async fn run(context: &Context<'_>, input: PolicyFields) -> Result<Answer, Failure> {
        let answer = find(context, input.app_name.as_str()).await?;
        let app = answer.found.one("app_name").map_err(of_lookup)?;
        let output = PolicyOut {
            app_name: Foreign(&app.name),
            status: Word(app.policy),
        };
        Ok(Answer::json(&output)?.about(AuditTarget::new("app", &app.id)))
    }
}
