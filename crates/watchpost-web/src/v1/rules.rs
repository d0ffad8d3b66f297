//! The detection rules.

use super::posture::missing;
use crate::{
    answer::Answer,
    context::{Context, wrong_position},
    failure::{Code, Failure},
    fields::{After, Limit, Line, Many, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    text,
    wire::{AsOf, NotReady, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::{AuditOutcome, AuditTarget},
    service::RuleAnswer,
    value::word::{Category, EntityType, Platform, Severity},
};

pub(crate) struct ListRules;

fields! {
    pub(crate) struct RuleFields {
        /// Default: all.
        severity: Many<Severity>,
        /// Default: all.
        category: Many<Category>,
        /// Default: all.
        platform: Many<Platform>,
        /// Rows of a page.
        limit: Limit<200>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

/// A page of rules, by id.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RuleList")]
pub(crate) struct Output<'a> {
    rules: Vec<RuleOut<'a>>,
    total: u64,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
    #[serde(flatten)]
    not_ready: NotReady,
    #[serde(flatten)]
    as_of: AsOf,
}

/// A rule in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rule")]
pub(crate) struct RuleOut<'a> {
    id: &'a str,
    title: &'a str,
    severity: Word<Severity>,
    category: Word<Category>,
    entity_type: Word<EntityType>,
    /// Empty: any.
    platforms: Vec<Word<Platform>>,
    /// The remediation that can be requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    /// Whether a connected platform provides its data.
    has_source: bool,
    /// The platforms whose data is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blind: Vec<BlindOut>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BlindPlatform")]
struct BlindOut {
    platform: Word<Platform>,
    missing: Vec<&'static str>,
}

impl<'a> From<&RuleAnswer<'a>> for RuleOut<'a> {
    fn from(answer: &RuleAnswer<'a>) -> Self {
        let rule = answer.rule;
        Self {
            id: &rule.id,
            title: &rule.title,
            severity: Word(rule.severity),
            category: Word(rule.category),
            entity_type: Word(rule.entity_type()),
            platforms: rule.platforms.iter().copied().map(Word).collect(),
            action: rule.action.as_deref(),
            has_source: answer.has_source,
            blind: answer
                .blind
                .iter()
                .map(|blind| BlindOut {
                    platform: Word(blind.platform),
                    missing: missing(blind),
                })
                .collect(),
        }
    }
}

impl RuleFields {
    /// Whether a rule passes the filters.
    pub(crate) fn fits(&self, answer: &RuleAnswer<'_>) -> bool {
        let platforms = &answer.rule.platforms;
        self.severity.admits(answer.rule.severity)
            && self.category.admits(answer.rule.category)
            && (platforms.is_empty() || platforms.iter().any(|platform| self.platform.admits(*platform)))
    }
}

impl Endpoint for ListRules {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/rules",
        name: "list_rules",
        group: "rules",
        summary: "Lists the active detection rules, and where they lack data",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = RuleFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: RuleFields) -> Result<Answer, Failure> {
        let (rules, freshness) = context.open(context.watchpost.rules(context.scope).await)?;
        let all: Vec<&RuleAnswer<'_>> = rules.iter().filter(|answer| input.fits(answer)).collect();
        let from = match context.begin(input.after.as_ref())? {
            Some(id) => all
                .iter()
                .position(|answer| answer.rule.id == id)
                .map(|at| at.saturating_add(1))
                .ok_or_else(wrong_position)?,
            None => 0,
        };
        let page: Vec<&RuleAnswer<'_>> = all.iter().copied().skip(from).take(input.limit.rows()).collect();
        let is_last = from.saturating_add(page.len()) >= all.len();
        Answer::json(&Output {
            total: len(&all),
            returned: len(&page),
            next_after: page
                .last()
                .filter(|_| !is_last)
                .map(|answer| context.position(&answer.rule.id)),
            rules: page.into_iter().map(RuleOut::from).collect(),
            not_ready: NotReady::from(freshness.not_ready()),
            as_of: AsOf::new(&freshness, context.now),
        })
    }
}

pub(crate) struct GetRule;

fields! {
    pub(crate) struct RuleById {
        /// The rule's id, such as id.admin_no_mfa.
        id: Line<64>,
    }
}

/// A rule with everything about it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RuleDetail")]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    rule: RuleOut<'a>,
    description: &'a str,
    /// The datasets that it requires.
    datasets: Vec<&'static str>,
    framework_ids: &'a [String],
    remediation: &'a [String],
    references: &'a [String],
}

impl Endpoint for GetRule {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/rules/{id}",
        name: "get_rule",
        group: "rules",
        summary: "Returns one active detection rule",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = RuleById;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: RuleById) -> Result<Answer, Failure> {
        let (rules, _) = context.open(context.watchpost.rules(context.scope).await)?;
        let found = rules.iter().find(|answer| answer.rule.id == input.id.as_str());
        let Some(answer) = found else {
            return Err(Failure::new(
                Code::NotFound,
                AuditOutcome::NotFound,
                text::RULE_NOT_FOUND.to_owned(),
            ));
        };
        let rule = answer.rule;
        let output = Detail {
            rule: RuleOut::from(answer),
            description: &rule.description,
            datasets: rule.datasets.iter().map(|dataset| dataset.as_str()).collect(),
            framework_ids: &rule.frameworks,
            remediation: &rule.remediation,
            references: &rule.references,
        };
        Ok(Answer::json(&output)?.about(AuditTarget::new("rule", &rule.id)))
    }
}
