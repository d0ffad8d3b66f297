//! Findings.

use crate::{
    answer::Answer,
    context::{Context, wrong_position},
    failure::{Code, Failure, of_lookup},
    fields::{After, Begin, Id, Limit, Line, Many, Offset, Person, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    schema::any_list,
    text,
    wire::{AsOf, Foreign, NotReady, Tenths, Time, finding::FindingOut, len, raw},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use watchpost_core::{
    access::Permission,
    audit::{AuditOutcome, AuditTarget},
    check::{Framework, Service},
    finding::{EntityFilter, FindingPage, FindingPosition, FindingQuery},
    service::FindingAnswer,
    value::{
        id::FindingId,
        time::Timestamp,
        word::{Category, CollectionState, DismissReason, FindingStatus, Platform, Severity},
    },
};

pub(crate) struct ListFindings;

fields! {
    pub(crate) struct FindingFields {
        /// Default: all.
        severity: Many<Severity>,
        /// Default: all.
        category: Many<Category>,
        /// Default: open and in_progress.
        status: Many<FindingStatus>,
        /// Platforms the evidence comes from.
        platform: Many<Platform>,
        /// Framework of the failed check.
        framework: Many<Framework>,
        /// Service of the failed check.
        service: Many<Service>,
        /// Subject of the findings: an email address, an app's name, or an id.
        entity: Option<Person>,
        /// Rule or check id, such as id.admin_no_mfa.
        rule: Option<Line<64>>,
        /// Words in the title, subject or rule id.
        text: Option<Line<200>>,
        /// First seen since: a date, a time or a number of days.
        since: Option<Begin>,
        /// Rows of a page.
        limit: Limit<25>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
        /// Rows to skip instead of `after`, which is faster.
        offset: Option<Offset>,
    }
}

/// A page of findings, worst first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FindingList")]
pub(crate) struct Output<'a> {
    findings: Vec<FindingOut<'a>>,
    /// All matches.
    total: u64,
    /// Whether there are more matches than `total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_minimum: Option<bool>,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
    #[serde(flatten)]
    not_ready: NotReady,
    #[serde(flatten)]
    as_of: AsOf,
}

/// Returns the text of a position in the list.
fn position_text(at: &FindingPosition) -> String {
    format!("{} {} {}", at.severity, at.first_seen_at.as_millis(), at.id)
}

fn position_of(text: &str) -> Option<FindingPosition> {
    let mut parts = text.split(' ');
    Some(FindingPosition {
        severity: parts.next()?.parse().ok()?,
        first_seen_at: Timestamp::from_millis(parts.next()?.parse().ok()?),
        id: parts.next()?.parse().ok()?,
    })
}

impl FindingFields {
    /// Returns the query, without the position of the page.
    pub(crate) async fn query(&self, context: &Context<'_>) -> Result<FindingQuery, Failure> {
        let statuses = match self.status.as_slice() {
            [] => vec![FindingStatus::Open, FindingStatus::InProgress],
            given => given.to_vec(),
        };
        Ok(FindingQuery {
            severities: self.severity.as_slice().to_vec(),
            categories: self.category.as_slice().to_vec(),
            statuses,
            platforms: self.platform.as_slice().to_vec(),
            services: self.service.as_slice().to_vec(),
            frameworks: self.framework.as_slice().to_vec(),
            entity: match &self.entity {
                Some(text) => Some(entity(context, text.as_str()).await?),
                None => None,
            },
            text: self.text.as_ref().map(|text| text.as_str().to_owned()),
            rule_id: self.rule.as_ref().map(|rule| rule.as_str().to_lowercase()),
            since: self.since.map(|since| since.0.start(context.now)),
            limit: self.limit.rows(),
            after: None,
        })
    }
}

/// Resolves `entity`. An entity of another workspace is not found.
async fn entity(context: &Context<'_>, text: &str) -> Result<EntityFilter, Failure> {
    let found = context.watchpost.find_entity(context.scope, text).await;
    context.open(found).map_err(of_lookup)?.ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            AuditOutcome::NotFound,
            text::ENTITY_NOT_FOUND.to_owned(),
        )
        .with_parameter("entity")
    })
}

/// Skips the rows before the offset. Returns `None` if there are no rows after it.
async fn skip(
    context: &Context<'_>,
    query: &FindingQuery,
    offset: i64,
) -> Result<Option<FindingQuery>, Failure> {
    let mut left = usize::try_from(offset).unwrap_or(0);
    let mut skipping = query.clone();
    while left > 0 {
        skipping.limit = left.min(200);
        let (page, _) = context.open(context.watchpost.findings(context.scope, &skipping).await)?;
        left = left.saturating_sub(page.findings.len());
        skipping.after = page.next;
        if skipping.after.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(FindingQuery {
        limit: query.limit,
        ..skipping
    }))
}

impl Endpoint for ListFindings {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/findings",
        name: "list_findings",
        group: "findings",
        summary: "Lists findings, worst first",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = FindingFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: FindingFields) -> Result<Answer, Failure> {
        let mut query = input.query(context).await?;
        if let Some(position) = context.begin(input.after.as_ref())? {
            if input.offset.is_some() {
                let both = text::OFFSET_OR_POSITION.to_owned();
                return Err(Failure::invalid(Code::InvalidParameter, both).with_parameter("offset"));
            }
            query.after = Some(position_of(&position).ok_or_else(wrong_position)?);
        }
        let skipped = match input.offset {
            Some(Offset(offset)) => skip(context, &query, offset).await?,
            None => Some(query.clone()),
        };
        let begin = skipped.as_ref().unwrap_or(&query);
        let (mut page, freshness) = context.open(context.watchpost.findings(context.scope, begin).await)?;
        if skipped.is_none() {
            page = FindingPage {
                findings: Vec::new(),
                next: None,
                ..page
            };
        }
        Answer::json(&Output {
            total: page.total.value,
            total_is_minimum: page.total.is_minimum.then_some(true),
            returned: len(&page.findings),
            findings: page.findings.iter().map(FindingOut::from).collect(),
            next_after: page.next.as_ref().map(|at| context.position(&position_text(at))),
            not_ready: NotReady::from(freshness.not_ready()),
            as_of: AsOf::new(&freshness, context.now),
        })
    }
}

pub(crate) struct GetFinding;

fields! {
    pub(crate) struct FindingById {
        /// The finding's id.
        id: Id<FindingId>,
    }
}

/// A finding with all that explains it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FindingDetail")]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    finding: FindingOut<'a>,
    last_seen_at: Time,
    status_changed_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dismiss_reason: Option<Word<DismissReason>>,
    /// The note that a person wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Foreign<'a>>,
    /// Whether an analysis or a scan resolved it.
    auto_resolved: bool,
    reopen_count: u32,
    /// The effect of fixing it on the risk score.
    #[serde(skip_serializing_if = "Option::is_none")]
    saving: Option<SavingOut>,
    /// The observed facts.
    #[schemars(schema_with = "any_list")]
    evidence: Box<RawValue>,
    /// The datasets that the rule evaluates, and when each was last read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence_from: Vec<SourceOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<DetectorOut<'a>>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FindingSaving")]
struct SavingOut {
    points: u64,
    score_without: Tenths,
    points_saved: Tenths,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EvidenceSource")]
struct SourceOut {
    platform: Word<Platform>,
    dataset: &'static str,
    state: Word<CollectionState>,
    read_at: Time,
}

/// The rule or check that reports a finding.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Detector")]
struct DetectorOut<'a> {
    title: &'a str,
    description: &'a str,
    /// The remediation that can be requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    /// The steps to do by hand.
    remediation: &'a [String],
    references: &'a [String],
    /// The ids in frameworks.
    frameworks: &'a [&'a str],
}

impl<'a> Detail<'a> {
    fn new(answer: &'a FindingAnswer<'_>, now: Timestamp) -> Result<Self, Failure> {
        let finding = &answer.finding;
        Ok(Self {
            finding: FindingOut::from(&finding.summary),
            last_seen_at: Time(finding.last_seen_at),
            status_changed_at: Time(finding.status_changed_at),
            snoozed_until: finding.snoozed_until.map(Time),
            dismiss_reason: finding.dismiss_reason.map(Word),
            note: finding.note.as_ref().map(Foreign),
            auto_resolved: finding.auto_resolved,
            reopen_count: finding.reopen_count,
            saving: answer.saving.map(|saving| SavingOut {
                points: saving.points,
                score_without: Tenths(saving.score_without_tenths),
                points_saved: Tenths(saving.saved_tenths),
            }),
            evidence: raw(&finding.evidence).map_err(Failure::unwritable)?,
            evidence_from: answer
                .sources
                .iter()
                .map(|source| SourceOut {
                    platform: Word(source.platform),
                    dataset: source.dataset.as_str(),
                    state: Word(source.state),
                    read_at: Time(source.read_at),
                })
                .collect(),
            rule: answer.detector.as_ref().map(|detector| DetectorOut {
                title: detector.title,
                description: detector.description,
                action: detector.action,
                remediation: detector.remediation,
                references: detector.references,
                frameworks: &detector.frameworks,
            }),
            as_of: AsOf::new(&answer.freshness, now),
        })
    }
}

impl Endpoint for GetFinding {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/findings/{id}",
        name: "get_finding",
        group: "findings",
        summary: "Returns one finding in full: evidence, dates, the steps that fix it, and what fixing it saves",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = FindingById;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: FindingById) -> Result<Answer, Failure> {
        let Id(id) = input.id;
        let target = AuditTarget::new("finding", &id);
        let found = context.open(context.watchpost.explain_finding(context.scope, id).await);
        let answer = found.map_err(|error| Failure::from(error).about(target.clone()))?;
        Ok(Answer::json(&Detail::new(&answer, context.now)?)?.about(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_one_text_and_is_read_from_it() {
        let at = FindingPosition {
            severity: Severity::High,
            first_seen_at: Timestamp::from_millis(-7),
            id: FindingId::from_bytes([9; 16]),
        };
        assert_eq!(position_of(&position_text(&at)), Some(at));
        for wrong in [
            "",
            "high",
            "high 1",
            "high 1 x",
            "worst 1 00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(position_of(wrong), None, "{wrong}");
        }
    }
}
