//! Third-party apps and their policies.

use crate::{
    answer::Answer,
    context::{Context, wrong_position},
    failure::{Code, Failure},
    fields::{After, Id, IdempotencyKey, Limit, Line, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text,
    wire::{AsOf, Foreign, Time, app::AppOut, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::{ChangeReceipt, Permission},
    app::{App, AppLookup, AppMatch, AppPolicyOutcome, AppQuery},
    audit::{AuditOutcome, AuditTarget},
    error::{Error, NextStep},
    service::AppAnswer,
    value::{
        id::AppId,
        word::{AppPolicy, Platform},
    },
};

pub(crate) struct ListApps;

fields! {
    pub(crate) struct AppFields {
        /// Default: all.
        policy: Option<Word<AppPolicy>>,
        /// Default: all.
        platform: Option<Word<Platform>>,
        /// Text in the name.
        text: Option<Line<200>>,
        /// Rows of a page.
        limit: Limit<50>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

/// A page of apps, by name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppList")]
pub(crate) struct Output<'a> {
    apps: Vec<AppOut<'a>>,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

impl AppFields {
    /// Returns the query, without the position of the page.
    pub(crate) fn query(&self) -> AppQuery {
        AppQuery {
            policy: self.policy.map(|word| word.0),
            platform: self.platform.map(|word| word.0),
            text: self.text.as_ref().map(|text| text.as_str().to_owned()),
            after: None,
            limit: self.limit.rows(),
        }
    }
}

/// Returns the position of an app in the list.
pub(crate) fn place(app: &App) -> (String, AppId) {
    (app.name.untrusted().to_owned(), app.id)
}

impl Endpoint for ListApps {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/apps",
        name: "list_apps",
        group: "apps",
        summary: "Lists third-party apps by name, with their policies and permissions",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = AppFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: AppFields) -> Result<Answer, Failure> {
        let mut query = input.query();
        if let Some(position) = context.begin(input.after.as_ref())? {
            let (id, name) = position.split_once(' ').ok_or_else(wrong_position)?;
            let id = id.parse().map_err(|_| wrong_position())?;
            query.after = Some((name.to_owned(), id));
        }
        let apps = context.open(context.watchpost.apps(context.scope, &query).await)?;
        let freshness = context.open(context.watchpost.freshness(context.scope).await)?;
        let last = apps.last().filter(|_| apps.len() == query.limit);
        Answer::json(&Output {
            next_after: last.map(|app| {
                let (name, id) = place(app);
                context.position(&format!("{id} {name}"))
            }),
            returned: len(&apps),
            apps: apps.iter().map(AppOut::from).collect(),
            as_of: AsOf::new(&freshness, context.now),
        })
    }
}

pub(crate) struct GetApp;

fields! {
    pub(crate) struct AppById {
        /// The app's id.
        id: Id<AppId>,
    }
}

impl Endpoint for GetApp {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/apps/{id}",
        name: "get_app",
        group: "apps",
        summary: "Returns one third-party app with its policy and permissions",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = AppById;
    type Output = AppOut<'static>;

    async fn run(context: &Context<'_>, input: AppById) -> Result<Answer, Failure> {
        let Id(id) = input.id;
        let lookup = AppLookup::Id(id);
        let answer = context.open(context.watchpost.app(context.scope, &lookup).await)?;
        let app = answer.found.one("id")?;
        Ok(Answer::json(&AppOut::from(app.as_ref()))?.about(AuditTarget::new("app", &id)))
    }
}

pub(crate) struct CheckAppPolicy;

fields! {
    pub(crate) struct PolicyFields {
        /// Name, client id or id.
        app: Line<200>,
    }
}

/// The policy of one app, or the candidates if a name means several.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppPolicyAnswer")]
pub(crate) struct PolicyOut<'a> {
    /// `none` if it is undecided, or if the app was never seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Word<AppPolicy>>,
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

/// An app that a name may mean.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppCandidate")]
struct Candidate<'a> {
    id: Id<AppId>,
    name: Foreign<'a>,
    platform: Word<Platform>,
    policy: Word<AppPolicy>,
}

/// Looks up an app by id, then by name.
pub(crate) async fn find(context: &Context<'_>, text: &str) -> Result<AppAnswer, Failure> {
    let mut last = None;
    for lookup in AppLookup::all(text) {
        let answer = context.open(context.watchpost.app(context.scope, &lookup).await)?;
        let is_found = !matches!(answer.found, AppMatch::None);
        last = Some(answer);
        if is_found {
            break;
        }
    }
    last.ok_or_else(|| Error::not_found("app", NextStep::FindApp).into())
}

impl Endpoint for CheckAppPolicy {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/app-policy",
        name: "check_app_policy",
        group: "apps",
        summary: "Returns the policy and the use of one third-party app by its name or an id",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = PolicyFields;
    type Output = PolicyOut<'static>;

    async fn run(context: &Context<'_>, input: PolicyFields) -> Result<Answer, Failure> {
        let answer = find(context, input.app.as_str()).await?;
        let mut output = PolicyOut {
            policy: Some(Word(AppPolicy::None)),
            seen: false,
            app: None,
            candidates: Vec::new(),
            candidates_total: None,
            as_of: AsOf::new(&answer.freshness, context.now),
        };
        let mut target = AuditTarget::default();
        match &answer.found {
            AppMatch::None => {}
            AppMatch::One(app) => {
                target = AuditTarget::new("app", &app.id);
                output.policy = Some(Word(app.policy));
                output.seen = true;
                output.app = Some(AppOut::from(app.as_ref()));
            }
            AppMatch::Several(apps, total) => {
                output.policy = None;
                output.seen = true;
                output.candidates_total = Some(*total);
                output.candidates = apps
                    .iter()
                    .map(|app| Candidate {
                        id: Id(app.id),
                        name: Foreign(&app.name),
                        platform: Word(app.platform),
                        policy: Word(app.policy),
                    })
                    .collect();
            }
        }
        Ok(Answer::json(&output)?.about(target))
    }
}

pub(crate) struct SetAppPolicy;

fields! {
    pub(crate) struct SetFields {
        /// The app's id.
        id: Id<AppId>,
        /// `none` withdraws the decision.
        policy: Word<AppPolicy>,
        /// Makes a repeat of the request safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

/// The policy of an app after a change.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppPolicyChange")]
pub(crate) struct SetOut<'a> {
    app_id: Id<AppId>,
    name: Foreign<'a>,
    platform: Word<Platform>,
    policy: Word<AppPolicy>,
    before: Word<AppPolicy>,
    /// Whether this request changed it.
    changed: bool,
    /// The time of the first request with this idempotency key, if this one repeats it.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_requested_at: Option<Time>,
    /// Whether an analysis will open or resolve findings accordingly.
    analysis_queued: bool,
    #[serde(flatten)]
    as_of: AsOf,
}

/// A policy that was set.
pub(crate) struct PolicySet {
    pub(crate) app: Box<App>,
    pub(crate) before: AppPolicy,
    pub(crate) is_new: bool,
    pub(crate) receipt: ChangeReceipt,
}

/// Sets the policy of an app.
pub(crate) async fn set(context: &Context<'_>, id: AppId, policy: AppPolicy) -> Result<PolicySet, Failure> {
    let target = AuditTarget::new("app", &id);
    let (app, outcome, receipt) = context
        .watchpost
        .set_app_policy(context.scope, &AppLookup::Id(id), policy, context.record())
        .await
        .map_err(|error| Failure::from(error).about(target))?;
    let (is_new, before) = match outcome {
        AppPolicyOutcome::Changed { before } => (true, before),
        AppPolicyOutcome::Unchanged => (false, policy),
        AppPolicyOutcome::NotFound => {
            return Err(Failure::of_change(
                Code::NotFound,
                AuditOutcome::NotFound,
                text::APP_REMOVED.to_owned(),
                receipt,
            ));
        }
    };
    Ok(PolicySet {
        app,
        before,
        is_new,
        receipt,
    })
}

impl Endpoint for SetAppPolicy {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/apps/{id}/policy",
        name: "set_app_policy",
        group: "apps",
        summary: "Sets the policy of one third-party app; nothing changes on any platform",
        permission: Some(Permission::SetAppPolicy),
        form: Form::Own,
    };
    type Input = SetFields;
    type Output = SetOut<'static>;

    async fn run(context: &Context<'_>, input: SetFields) -> Result<Answer, Failure> {
        let (Id(id), Word(policy)) = (input.id, input.policy);
        let set = set(context, id, policy).await?;
        let output = SetOut {
            app_id: Id(id),
            name: Foreign(&set.app.name),
            platform: Word(set.app.platform),
            policy: Word(policy),
            before: Word(set.before),
            changed: set.is_new && set.receipt.earlier.is_none(),
            first_requested_at: context.repeat_of(set.receipt).map(Time),
            analysis_queued: set.is_new,
            as_of: context.as_of().await,
        };
        Ok(Answer::json(&output)?
            .about(AuditTarget::new("app", &id))
            .of_change(set.receipt))
    }
}
