//! `get_risk_score`.

use crate::{
    arguments::NoArguments,
    error::Failure,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, FindingOut, SeverityCounts, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    rule::Rule,
    service::{self, Scored, TopFinding},
    value::{id::FindingId, time::Timestamp, word::Category},
};

pub(super) struct GetRiskScore;

const FORMULA: &str = "round(100 * raw / ceiling), at most 100; raw = 10*critical + 5*high + 2*medium + 1*low over open and in_progress findings that count; ceiling = max(300, 5 * identities)";

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::alike")]
    severity_counts: Option<SeverityCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_scored: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identities: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::finding_rows")]
    top_findings: Option<Vec<FindingOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Changes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'a str>,
    #[serde(flatten)]
    as_of: Option<AsOf>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Explanation {
    raw: u64,
    ceiling: u64,
    formula: &'static str,
    points_by_category: BTreeMap<&'static str, u64>,
    top: Vec<Saving>,
}

/// What fixing one of the top findings saves.
#[derive(Debug, Serialize, JsonSchema)]
struct Saving {
    id: Text<FindingId>,
    points: u64,
    score_without: u8,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_analysis: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::alike")]
    seven_days: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::alike")]
    thirty_days: Option<Change>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Change {
    score: u8,
    difference: i16,
    at: Text<Timestamp>,
}

impl From<service::Change> for Change {
    fn from(from: service::Change) -> Self {
        Self {
            score: from.score,
            difference: from.difference,
            at: Text(from.at),
        }
    }
}

/// A finding that doesn't count in the score saves nothing.
fn saving(context: &Context<'_>, top: &TopFinding, score: u8) -> Saving {
    let finding = &top.finding;
    let counts = finding.category != Category::LicenseWaste
        && context
            .watchpost
            .rule(&finding.rule_id)
            .is_none_or(Rule::is_scored);
    Saving {
        id: Text(finding.id),
        points: if counts { finding.severity.points() } else { 0 },
        score_without: if counts { top.score_without } else { score },
    }
}

fn scored<'a>(context: &Context<'_>, scored: &'a Scored) -> Output<'a> {
    let risk = &scored.risk;
    Output {
        score: Some(risk.score),
        label: Some(risk.label.as_str()),
        grade: Some(risk.grade.as_str()),
        direction: Some("higher_is_worse"),
        severity_counts: Some(SeverityCounts::new(scored.severity_counts)),
        not_scored: Some(scored.not_scored),
        identities: Some(scored.identities),
        top_findings: Some(
            scored
                .top
                .iter()
                .map(|top| FindingOut::from(&top.finding))
                .collect(),
        ),
        explanation: Some(Explanation {
            raw: risk.raw,
            ceiling: risk.ceiling,
            formula: FORMULA,
            points_by_category: risk
                .points_by_category
                .iter()
                .map(|(category, points)| (category.as_str(), *points))
                .collect(),
            top: scored
                .top
                .iter()
                .map(|top| saving(context, top, risk.score))
                .collect(),
        }),
        change: Some(Changes {
            last_analysis: scored.since_last.map(Change::from),
            seven_days: scored.since_week.map(Change::from),
            thirty_days: scored.since_month.map(Change::from),
        }),
        ..Output::default()
    }
}

impl Tool for GetRiskScore {
    const DECLARATION: Declaration = Declaration {
        name: "get_risk_score",
        title: "Risk score",
        description: "The company's security risk score, 0-100 where higher is worse, with label, grade (A-F), open findings by severity, the 5 worst findings, why the score is what it is, what fixing each would save, and the change since the last analysis, 7 and 30 days ago. Use for \"how risky are we\", \"what should we fix first\". Without data it gives state and next_step instead of a score.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = NoArguments;
    type Output = Output<'static>;
}

impl QueryTool for GetRiskScore {
    async fn run(context: &Context<'_>, _: NoArguments) -> Result<Answer, Failure> {
        let answer = context.watchpost.risk(context.scope).await?;
        let as_of = AsOf::new(&answer.freshness, context.now);
        let since = as_of.sentence();
        let (sentence, mut output) = match &answer.score {
            Ok(risk) => (
                format!(
                    "The risk score is {} of 100 (higher is worse): {}, grade {}; open findings: {}.{since}",
                    risk.risk.score,
                    risk.risk.label,
                    risk.risk.grade,
                    SeverityCounts::new(risk.severity_counts),
                ),
                scored(context, risk),
            ),
            Err(why) => (
                format!(
                    "There is no risk score ({}). {}.{since}",
                    why.state, why.next_step
                ),
                Output {
                    state: Some(why.state.as_str()),
                    next_step: Some(&why.next_step),
                    ..Output::default()
                },
            ),
        };
        output.as_of = Some(as_of);
        Ok(Answer::new(sentence, &output)?.until(&answer.freshness, context.now))
    }
}
