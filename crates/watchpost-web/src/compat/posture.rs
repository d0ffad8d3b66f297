//! The score and the summary.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Code, Failure},
    fields::{NoFields, Word},
    operation::{Declaration, Endpoint, Form, Method},
    text::next_step,
    v1::posture::{metrics, summary},
    wire::{Foreign, Tenths},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditOutcome,
    service::NotReady,
    value::word::{Category, Severity},
};

pub(crate) struct RiskScore;

/// The score in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatRiskScore")]
pub(crate) struct RiskOut<'a> {
    score: u8,
    label: &'static str,
    severity_counts: Counts,
    total_findings: u64,
    top_risks: Vec<TopRisk<'a>>,
}

/// Numbers of findings by severity.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatCounts")]
struct Counts {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
}

impl Counts {
    const fn new([critical, high, medium, low, _]: [u64; 5]) -> Self {
        Self {
            critical,
            high,
            medium,
            low,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatTopRisk")]
struct TopRisk<'a> {
    title: Foreign<'a>,
    severity: Word<Severity>,
    category: Word<Category>,
    /// Each finding is about one entity.
    affected_count: u64,
}

/// The error while there is no score.
fn no_score(why: NotReady) -> Failure {
    Failure::new(
        Code::Conflict,
        AuditOutcome::Conflict,
        next_step::step(why.next_step),
    )
}

impl Endpoint for RiskScore {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/risk-score",
        name: "get_risk_score",
        group: "compatible",
        summary: "Returns the risk score in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = NoFields;
    type Output = RiskOut<'static>;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.risk(context.scope).await)?;
        let scored = answer.score.as_ref().map_err(|why| no_score(*why))?;
        Answer::json(&RiskOut {
            score: scored.risk.score,
            label: scored.risk.rating.label.as_str(),
            severity_counts: Counts::new(scored.severity_counts),
            total_findings: scored.severity_counts.iter().sum(),
            top_risks: scored
                .top
                .iter()
                .map(|top| TopRisk {
                    title: Foreign(&top.finding.title),
                    severity: Word(top.finding.severity),
                    category: Word(top.finding.category),
                    affected_count: 1,
                })
                .collect(),
        })
    }
}

pub(crate) struct PostureSummary;

/// The summary in the compatible form.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatSummary")]
pub(crate) struct SummaryOut {
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<MetricsOut>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CompatMetrics")]
struct MetricsOut {
    risk_score: u8,
    risk_label: &'static str,
    total_findings: u64,
    severity_counts: Counts,
    /// Omitted if it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_coverage_pct: Option<Tenths>,
    /// Admins among the identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_pct: Option<Tenths>,
    /// Omitted if it isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    sso_coverage_pct: Option<Tenths>,
    /// Apps with a grant and without a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow_it_count: Option<u64>,
    connected_integrations: u64,
    identity_count: u64,
}

/// A share in tenths of a percent; `None` of nothing.
fn share(part: u64, whole: u64) -> Option<Tenths> {
    let rounded = part.saturating_mul(1_000).saturating_add(whole / 2);
    rounded.checked_div(whole).map(Tenths)
}

impl Endpoint for PostureSummary {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/mcp/posture-summary",
        name: "get_posture_summary",
        group: "compatible",
        summary: "Returns the posture in a text and numbers in the compatible form",
        permission: Some(Permission::ReadPosture),
        form: Form::Compatible,
    };
    type Input = NoFields;
    type Output = SummaryOut;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.posture(context.scope).await)?;
        let (summary, _) = summary(&answer);
        let out = answer.risk.score.as_ref().ok().map(|scored| {
            let known = metrics(scored, answer.latest.as_ref(), &answer.risk.freshness);
            MetricsOut {
                risk_score: known.risk_score,
                risk_label: known.risk_label,
                total_findings: known.total_findings,
                severity_counts: Counts::new(scored.severity_counts),
                mfa_coverage_pct: known.mfa_coverage_pct,
                admin_pct: known
                    .admins
                    .and_then(|admins| share(admins, known.identity_count)),
                sso_coverage_pct: known.sso_coverage_pct,
                shadow_it_count: known.unreviewed_apps,
                connected_integrations: known.connected_integrations,
                identity_count: known.identity_count,
            }
        });
        Answer::json(&SummaryOut {
            summary,
            metrics: out,
        })
    }
}
