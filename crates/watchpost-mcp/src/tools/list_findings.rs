//! `list_findings`: findings by filters, page by page.

use crate::{
    arguments::{AddressLine, Line, Many, SinceArg, Whole, arguments},
    error::{self, Failure},
    text::{self, next_step},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, FindingOut, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    check::{Framework, Service},
    finding::{EntityFilter, FindingQuery},
    value::word::{Category, FindingStatus, Platform, Severity},
};

const LIMIT_DEFAULT: i64 = 25;

pub(super) struct ListFindings;

arguments! {
    pub(super) struct Input {
        /// Default: all.
        #[serde(default)]
        severity: Many<Severity>,
        /// Default: all.
        #[serde(default)]
        category: Many<Category>,
        /// Default: open and in_progress.
        #[serde(default)]
        status: Many<FindingStatus>,
        /// Platforms the evidence comes from.
        #[serde(default)]
        platform: Many<Platform>,
        /// Framework of the failed check.
        #[serde(default)]
        framework: Many<Framework>,
        /// Service of the failed check.
        #[serde(default)]
        service: Many<Service>,
        /// Subject of the findings: an email address, an app's name, or an id from another answer.
        entity: Option<AddressLine>,
        /// Rule or check id, such as id.admin_no_mfa; list_rules has all rules.
        rule: Option<Line<64>>,
        /// Words in the title, subject or rule id.
        text: Option<Line<200>>,
        /// First seen since: a date (2026-11-20), a time or a number of days (7).
        since: Option<SinceArg>,
        /// Rows of a page.
        #[schemars(extend("default" = 25))]
        limit: Option<Whole<1, 100>>,
        /// next_cursor of the previous page, with the same filters.
        cursor: Option<Line<200>>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    findings: Vec<FindingOut<'a>>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_minimum: Option<bool>,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// Resolves the `entity` argument. An entity of another workspace is reported as not found.
async fn entity(context: &Context<'_>, text: &str) -> Result<EntityFilter, Failure> {
    let found = context.watchpost.find_entity(context.scope, text).await;
    context.open(found)?.ok_or_else(error::entity_not_found)
}

impl Tool for ListFindings {
    const DECLARATION: Declaration = Declaration {
        name: "list_findings",
        title: "List findings",
        description: "Lists findings: what is wrong with the company's identities, apps and platforms, worst first. Filter by severity, category, status, platform (each one value or a list), framework or service of a failed check, entity (a person's email, an app, any id), rule, text and since when. Use for \"who are the admins without MFA\" (rule id.admin_no_mfa), \"guests with admin roles\" (id.guest_admin), \"who left but has access\" (id.offboarded_active), \"apps that can read mail\" (text Mail), \"what is new this week\" (since 7). total counts all matches; page with next_cursor.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for ListFindings {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let statuses = match input.status.as_slice() {
            [] => vec![FindingStatus::Open, FindingStatus::InProgress],
            given => given.to_vec(),
        };
        let limit = input.limit.map_or(LIMIT_DEFAULT, |limit| limit.0);
        let mut query = FindingQuery {
            severities: input.severity.as_slice().to_vec(),
            categories: input.category.as_slice().to_vec(),
            statuses,
            platforms: input.platform.as_slice().to_vec(),
            services: input.service.as_slice().to_vec(),
            frameworks: input.framework.as_slice().to_vec(),
            entity: match &input.entity {
                Some(text) => Some(entity(context, text.as_str()).await?),
                None => None,
            },
            text: input.text.map(|text| text.as_str().to_owned()),
            rule_id: input.rule.map(|rule| rule.as_str().to_lowercase()),
            since: input.since.map(|since| since.0.start(context.now)),
            limit: usize::try_from(limit).unwrap_or(1),
            after: None,
        };
        if let Some(cursor) = &input.cursor {
            let place = context.cursors.open(context.scope, &query, cursor.as_str());
            query.after = Some(place.ok_or_else(error::wrong_cursor)?);
        }
        let (page, freshness) = context.open(context.watchpost.findings(context.scope, &query).await)?;
        let as_of = AsOf::new(&freshness, context.now);
        let not_ready = freshness.not_ready();
        let output = Output {
            total: page.total.value,
            total_is_minimum: page.total.is_minimum.then_some(true),
            returned: len(&page.findings),
            findings: page.findings.iter().map(FindingOut::from).collect(),
            next_cursor: page
                .next
                .as_ref()
                .map(|place| context.cursors.seal(context.scope, &query, place)),
            state: not_ready.map(|why| why.state.as_str()),
            next_step: not_ready.map(|why| next_step::step(why.next_step)),
            as_of,
        };
        let sentence = match (not_ready, &output.next_step) {
            (Some(why), Some(step)) if page.total.value == 0 => text::findings::none_yet(why, step),
            _ => text::findings::listed(page.total, output.returned, output.next_cursor.is_some()),
        };
        let sentence = output.as_of.dated(&sentence);
        Ok(Answer::new(sentence, &output)?.until(&freshness, context.now))
    }
}
