//! `set_app_policy`: the workspace's decision on one third-party app.

use super::check_app_policy::find;
use crate::{
    arguments::{IdempotencyKey, Line, Word, arguments},
    confirm::{Affected, Preview, Risk, quoted},
    error::{self, Failure},
    text,
    tool::{ActionTool, Answer, Context, Declaration, Hints, Tool, WriteTool},
    wire::{AppNamed, AsOf, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    app::{AppLookup, AppPolicyOutcome, AppRef},
    audit::AuditTarget,
    value::word::{AppPolicy, Platform},
};

pub(super) struct SetAppPolicy;

arguments! {
    pub(super) struct Input {
        /// Name, client id or id.
        app: Line<200>,
        /// none clears the policy.
        policy: Word<AppPolicy>,
        /// Makes retries safe.
        idempotency_key: Option<IdempotencyKey>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    app: AppNamed<'a>,
    platform: Text<Platform>,
    policy: Text<AppPolicy>,
    before: Text<AppPolicy>,
    changed: bool,
    analysis_queued: bool,
    #[serde(flatten)]
    as_of: AsOf,
}

impl Tool for SetAppPolicy {
    const DECLARATION: Declaration = Declaration {
        name: "set_app_policy",
        title: "Set app policy",
        description: "Sets the policy of one third-party app: sanctioned, unauthorized, blocked, or none (withdraws the decision). Queues an analysis, which opens or resolves findings accordingly; nothing changes on any platform.",
        permission: Permission::SetAppPolicy,
        hints: Hints {
            read_only: false,
            destructive: true,
            idempotent: true,
            open_world: false,
        },
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl WriteTool for SetAppPolicy {
    const RISK: Risk = Risk::SettingPolicy(AppPolicy::Blocked);

    async fn preview(context: &Context<'_>, input: &Input) -> Result<Preview, Failure> {
        let policy = input.policy.0;
        let app = find(context, input.app.as_str()).await?.found.one("app")?;
        Ok(Preview {
            affected: Affected::App(policy),
            question: Some(text::apps::confirm_policy(&app, &quoted(&app.name), policy)),
            target: AuditTarget::new("app", &app.id),
        })
    }
}

impl ActionTool for SetAppPolicy {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let Word(policy) = input.policy;
        let found = find(context, input.app.as_str()).await?.found.one("app")?;
        let target = AuditTarget::new("app", &found.id);
        let (app, outcome, receipt) = context
            .watchpost
            .set_app_policy(context.scope, &AppLookup::Id(found.id), policy, context.record())
            .await
            .map_err(|error| Failure::from(error).about(target.clone()))?;
        let (changed, before) = match outcome {
            AppPolicyOutcome::Changed { before } => (true, before),
            AppPolicyOutcome::Unchanged => (false, policy),
            AppPolicyOutcome::NotFound => return Err(error::app_removed(receipt)),
        };
        let repeat = context.repeat(receipt);
        let queued = changed;
        let changed = changed && repeat.is_none();
        let as_of = context.as_of().await;
        let sentence = if let Some(repeat) = repeat {
            text::apps::policy_set_before(&repeat, policy, before)
        } else if changed {
            text::apps::policy_set(policy, before)
        } else {
            text::apps::policy_unchanged(policy)
        };
        let sentence = as_of.dated(&sentence);
        let named = AppRef {
            id: app.id,
            name: app.name.clone(),
            policy,
        };
        let output = Output {
            app: AppNamed::from(&named),
            platform: Text(app.platform),
            policy: Text(policy),
            before: Text(before),
            changed,
            analysis_queued: queued,
            as_of,
        };
        Ok(Answer::new(sentence, &output)?.about(target).of_change(receipt))
    }
}
