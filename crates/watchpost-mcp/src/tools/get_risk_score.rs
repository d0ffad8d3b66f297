//! `get_risk_score`: the risk score and how it is computed.

use crate::{
    arguments::NoArguments,
    error::Failure,
    text::{self, next_step},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, FindingOut, SeverityCounts, Tenths, Text},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    service::{self, Scored, TopFinding},
    value::{id::FindingId, time::Timestamp},
};

pub(super) struct GetRiskScore;

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::plain_object")]
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
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: Option<AsOf>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Explanation {
    raw: u64,
    ceiling: u64,
    score_exact: Tenths,
    formula: &'static str,
    points_by_category: BTreeMap<&'static str, u64>,
    #[schemars(schema_with = "saving_rows")]
    top: Vec<Saving>,
}

/// The schema of a list of [`Saving`]s, whose fields need no more than their names.
fn saving_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "id, points, score_without, points_saved.",
    })
}

/// The effect of fixing one of the top findings.
#[derive(Debug, Serialize)]
struct Saving {
    id: Text<FindingId>,
    points: u64,
    score_without: Tenths,
    points_saved: Tenths,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_analysis: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::plain_object")]
    seven_days: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::wire::plain_object")]
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

fn saving(top: &TopFinding) -> Saving {
    Saving {
        id: Text(top.finding.id),
        points: top.saving.points,
        score_without: Tenths(top.saving.score_without_tenths),
        points_saved: Tenths(top.saving.saved_tenths),
    }
}

fn scored(scored: &Scored) -> Output<'_> {
    let risk = &scored.risk;
    Output {
        score: Some(risk.score),
        label: Some(risk.rating.label.as_str()),
        grade: Some(risk.rating.grade.as_str()),
        decided_by: Some(risk.rating.decided_by.as_str()),
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
            score_exact: Tenths(risk.tenths()),
            formula: text::posture::RISK_FORMULA,
            points_by_category: risk
                .points_by_category
                .iter()
                .map(|(category, points)| (category.as_str(), *points))
                .collect(),
            top: scored.top.iter().map(saving).collect(),
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
        description: "Returns the company's risk score, 0-100 (higher is worse), with label, grade (A-F) and what decided them, open findings by severity, the 5 whose fix lowers it most, how it is computed, and its change since the last analysis and over 7 and 30 days. Use for \"how risky are we\", \"what should we fix first\". Without data: state and next_step, no score.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = NoArguments;
    type Output = Output<'static>;
}

impl QueryTool for GetRiskScore {
    async fn run(context: &Context<'_>, _: NoArguments) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.risk(context.scope).await)?;
        let as_of = AsOf::new(&answer.freshness, context.now);
        let (sentence, mut output) = match &answer.score {
            Ok(risk) => (
                text::posture::risk_score(risk) + &text::posture::without_people(&answer.freshness),
                scored(risk),
            ),
            Err(why) => {
                let step = next_step::step(why.next_step);
                (
                    text::posture::no_risk_score(*why, &step),
                    Output {
                        state: Some(why.state.as_str()),
                        next_step: Some(step),
                        ..Output::default()
                    },
                )
            }
        };
        let sentence = as_of.dated(&sentence);
        output.as_of = Some(as_of);
        Ok(Answer::new(sentence, &output)?.until(&answer.freshness, context.now))
    }
}
