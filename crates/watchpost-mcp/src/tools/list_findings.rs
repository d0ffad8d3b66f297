//! `list_findings`.

use crate::{
    arguments::{AddressLine, Line, Many, Whole, arguments},
    error::{self, Failure},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, FindingOut, count, len},
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
        #[serde(default)]
        severity: Many<Severity>,
        #[serde(default)]
        category: Many<Category>,
        /// Default: open and in_progress.
        #[serde(default)]
        status: Many<FindingStatus>,
        /// Platforms the evidence comes from.
        #[serde(default)]
        platform: Many<Platform>,
        /// Of failed checks: their framework or service.
        #[serde(default)]
        framework: Many<Framework>,
        #[serde(default)]
        service: Many<Service>,
        /// Whom or what findings are about: an email address, an app's name, or an id from another answer.
        entity: Option<AddressLine>,
        /// Words that title, subject or rule id must contain.
        text: Option<Line<200>>,
        /// Default 25.
        limit: Option<Whole<1, 100>>,
        /// next_cursor of the page before, with the same filters.
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
    #[serde(flatten)]
    as_of: AsOf,
}

/// What a caller means by an entity. What another workspace has is as unknown as what nobody has.
async fn entity(context: &Context<'_>, text: &str) -> Result<EntityFilter, Failure> {
    let found = context.watchpost.find_entity(context.scope, text).await;
    context.open(found)?.ok_or_else(error::entity_not_found)
}

impl Tool for ListFindings {
    const DECLARATION: Declaration = Declaration {
        name: "list_findings",
        title: "List findings",
        description: "Findings: what is wrong with the company's identities, apps and platforms, worst first. Filter by severity, category, status, platform (each one value or a list), by framework or service of a failed check, by entity (a person's email, an app, any id) and by text. Use for \"who are the admins without MFA\", \"critical findings in Okta\", \"what is wrong with this app\". total counts all that fit; page with next_cursor.",
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
            rule_id: None,
            limit: usize::try_from(limit).unwrap_or(1),
            after: None,
        };
        if let Some(cursor) = &input.cursor {
            let place = context.cursors.open(context.scope, &query, cursor.as_str());
            query.after = Some(place.ok_or_else(error::foreign_cursor)?);
        }
        let (page, freshness) = context.open(context.watchpost.findings(context.scope, &query).await)?;
        let as_of = AsOf::new(&freshness, context.now);
        let output = Output {
            total: page.total.value,
            total_is_minimum: page.total.is_minimum.then_some(true),
            returned: len(&page.findings),
            findings: page.findings.iter().map(FindingOut::from).collect(),
            next_cursor: page
                .next
                .as_ref()
                .map(|place| context.cursors.seal(context.scope, &query, place)),
            as_of,
        };
        let sentence = format!(
            "{}{} these conditions; {} below{}.{}",
            if page.total.is_minimum { "At least " } else { "" },
            match page.total.value {
                1 => "1 finding fits".to_owned(),
                n => format!("{} fit", count(n, "finding")),
            },
            if output.returned == page.total.value {
                "all".to_owned()
            } else {
                output.returned.to_string()
            },
            if output.next_cursor.is_some() {
                ", the next page with next_cursor"
            } else {
                ""
            },
            output.as_of.sentence(),
        );
        Ok(Answer::new(sentence, &output)?.until(&freshness, context.now))
    }
}
