//! `list_rules`: the active detection rules.

use crate::{
    arguments::{Many, arguments},
    error::Failure,
    text::{self, next_step},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, len},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    service::RuleAnswer,
    value::word::{Category, Platform, Severity},
};

/// The maximum number of rules that the answer shows.
const SHOWN: usize = 200;

pub(super) struct ListRules;

arguments! {
    pub(super) struct Input {
        /// Default: all.
        #[serde(default)]
        severity: Many<Severity>,
        /// Default: all.
        #[serde(default)]
        category: Many<Category>,
        /// Default: all.
        #[serde(default)]
        platform: Many<Platform>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    rules: Vec<RuleOut<'a>>,
    total: u64,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// A rule in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RuleOut<'a> {
    id: &'a str,
    title: &'a str,
    severity: &'static str,
    category: &'static str,
    entity_type: &'static str,
    /// Empty: any.
    platforms: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    /// false: no connected platform has its data.
    has_source: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "blind_rows")]
    blind: Vec<Blind>,
}

/// The schema of a list of [`Blind`]s, whose fields need no more than their names.
fn blind_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "platform, missing.",
    })
}

#[derive(Debug, Serialize)]
struct Blind {
    platform: &'static str,
    missing: Vec<&'static str>,
}

impl<'a> From<&RuleAnswer<'a>> for RuleOut<'a> {
    fn from(answer: &RuleAnswer<'a>) -> Self {
        let rule = answer.rule;
        Self {
            id: &rule.id,
            title: &rule.title,
            severity: rule.severity.as_str(),
            category: rule.category.as_str(),
            entity_type: rule.entity_type().as_str(),
            platforms: rule.platforms.iter().map(|platform| platform.as_str()).collect(),
            action: rule.action.as_deref(),
            has_source: answer.has_source,
            blind: answer
                .blind
                .iter()
                .map(|blind| Blind {
                    platform: blind.platform.as_str(),
                    missing: blind
                        .datasets
                        .iter()
                        .map(|(dataset, ..)| dataset.as_str())
                        .collect(),
                })
                .collect(),
        }
    }
}

impl Tool for ListRules {
    const DECLARATION: Declaration = Declaration {
        name: "list_rules",
        title: "List rules",
        description: "Lists the active detection rules (what Watchpost looks for): severity, category, type of entity, platforms, the remediation that can be requested, and where a rule is blind because data is missing. Use for \"what do you check\"; for what was found use list_findings.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for ListRules {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let (rules, freshness) = context.open(context.watchpost.rules(context.scope).await)?;
        let fits = |answer: &&RuleAnswer<'_>| {
            let platforms = &answer.rule.platforms;
            input.severity.admits(answer.rule.severity)
                && input.category.admits(answer.rule.category)
                && (platforms.is_empty()
                    || input.platform.as_slice().is_empty()
                    || platforms.iter().any(|platform| input.platform.admits(*platform)))
        };
        let all: Vec<&RuleAnswer<'_>> = rules.iter().filter(fits).collect();
        let blind = all.iter().filter(|answer| !answer.blind.is_empty()).count();
        let not_ready = freshness.not_ready();
        let output = Output {
            rules: all
                .iter()
                .take(SHOWN)
                .map(|answer| RuleOut::from(*answer))
                .collect(),
            total: len(&all),
            returned: len(&all).min(u64::try_from(SHOWN).unwrap_or(u64::MAX)),
            state: not_ready.map(|why| why.state.as_str()),
            next_step: not_ready.map(|why| next_step::step(why.next_step)),
            as_of: AsOf::new(&freshness, context.now),
        };
        let mut sentence = text::posture::rules(output.total, blind);
        if let (Some(why), Some(step)) = (not_ready, &output.next_step) {
            sentence.push_str(&text::posture::nothing_judged(why, step));
        }
        let sentence = output.as_of.dated(&sentence);
        Ok(Answer::new(sentence, &output)?.until(&freshness, context.now))
    }
}
