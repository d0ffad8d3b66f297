//! `check_app_policy`: the policy and the use of one third-party app.

use crate::{
    arguments::{Line, arguments},
    error::Failure,
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    app::{App, AppLookup, AppMatch},
    audit::AuditTarget,
    service::AppAnswer,
    value::{
        id::AppId,
        text::ForeignText,
        time::Timestamp,
        word::{AppPolicy, GrantRisk, Platform},
    },
};

/// The maximum number of permissions that the answer shows.
const SCOPES_SHOWN: usize = 20;

pub(super) struct CheckAppPolicy;

arguments! {
    pub(super) struct Input {
        /// Name, client id or id.
        app: Line<200>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
    seen: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<AppOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_total: Option<u64>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AppOut<'a> {
    id: Text<AppId>,
    name: Text<&'a ForeignText>,
    platform: Text<Platform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Text<&'a ForeignText>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher_verified: Option<bool>,
    first_party: bool,
    enabled: bool,
    accounts: u64,
    tenant_wide: bool,
    grants: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Text<GrantRisk>>,
    scopes: Vec<Text<&'a ForeignText>>,
    scopes_total: u64,
    first_seen_at: Text<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_set_at: Option<Text<Timestamp>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Candidate<'a> {
    id: Text<AppId>,
    name: Text<&'a ForeignText>,
    platform: Text<Platform>,
    policy: Text<AppPolicy>,
}

impl<'a> From<&'a App> for AppOut<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            id: Text(app.id),
            name: Text(&app.name),
            platform: Text(app.platform),
            publisher: app.publisher.as_ref().map(Text),
            publisher_verified: app.publisher_verified,
            first_party: app.first_party,
            enabled: app.enabled,
            accounts: app.accounts,
            tenant_wide: app.tenant_wide,
            grants: app.grants,
            risk: app.risk.map(Text),
            scopes: app.scopes.iter().take(SCOPES_SHOWN).map(Text).collect(),
            scopes_total: len(&app.scopes),
            first_seen_at: Text(app.first_seen_at),
            policy_set_at: app.policy_set_at.map(Text),
        }
    }
}

/// Looks up an app by id, then by name.
pub(super) async fn find(context: &Context<'_>, text: &str) -> Result<AppAnswer, Failure> {
    let lookups = AppLookup::all(text);
    let mut last = None;
    for lookup in &lookups {
        let answer = context.open(context.watchpost.app(context.scope, lookup).await)?;
        let is_found = !matches!(answer.found, AppMatch::None);
        last = Some(answer);
        if is_found {
            break;
        }
    }
    last.ok_or_else(|| Failure::invalid(text::apps::NO_NAME.to_owned()))
}

impl Tool for CheckAppPolicy {
    const DECLARATION: Declaration = Declaration {
        name: "check_app_policy",
        title: "Check app policy",
        description: "Returns the policy of one third-party app (sanctioned, unauthorized, blocked, or none if undecided) and its use: accounts, permissions and their risk. For an unknown app: policy none, seen false; for a name shared by several apps: candidates to choose from by id.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for CheckAppPolicy {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let answer = find(context, input.app.as_str()).await?;
        let as_of = AsOf::new(&answer.freshness, context.now);
        let (sentence, output, target) = match &answer.found {
            AppMatch::None => (
                as_of.dated(text::apps::NOT_SEEN),
                Output {
                    policy: Some(AppPolicy::None.as_str()),
                    seen: false,
                    app: None,
                    candidates: Vec::new(),
                    candidates_total: None,
                    as_of,
                },
                AuditTarget::default(),
            ),
            AppMatch::One(app) => (
                as_of.dated(&text::apps::found(app)),
                Output {
                    policy: Some(app.policy.as_str()),
                    seen: true,
                    app: Some(AppOut::from(app.as_ref())),
                    candidates: Vec::new(),
                    candidates_total: None,
                    as_of,
                },
                AuditTarget::new("app", &app.id),
            ),
            AppMatch::Several(apps, total) => (
                as_of.dated(&text::apps::several_match(*total)),
                Output {
                    policy: None,
                    seen: true,
                    app: None,
                    candidates: apps
                        .iter()
                        .map(|app| Candidate {
                            id: Text(app.id),
                            name: Text(&app.name),
                            platform: Text(app.platform),
                            policy: Text(app.policy),
                        })
                        .collect(),
                    candidates_total: Some(*total),
                    as_of,
                },
                AuditTarget::default(),
            ),
        };
        Ok(Answer::new(sentence, &output)?
            .about(target)
            .until(&answer.freshness, context.now))
    }
}
