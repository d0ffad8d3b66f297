//! The posture and the risk score.

use crate::{
    answer::Answer,
    context::Context,
    failure::Failure,
    fields::{Id, NoFields, Word},
    operation::{Declaration, Endpoint, Form, Method},
    text::{self, next_step},
    wire::{
        AsOf, Foreign, NotReady, Tenths, Time,
        finding::{FindingOut, SeverityCounts},
        len,
        scan::tenths,
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    integration::fact::Dataset,
    posture::{Coverage, Freshness, Snapshot},
    scan::Scan,
    service::{self, BlindRule, PostureAnswer, ScanSummary, Scored, TopFinding},
    value::{
        id::{FindingId, ScanId},
        word::{Category, IntegrationStatus, Platform},
    },
};

/// The maximum number of risk areas that an answer shows.
const AREAS_SHOWN: usize = 5;
/// The maximum number of rules without data that an answer shows.
const BLIND_SHOWN: usize = 50;

/// The direction of a risk score.
const HIGHER_IS_WORSE: &str = "higher_is_worse";

pub(crate) struct GetRiskScore;

/// The risk score with its explanation, or the reason why there is none.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "RiskScore")]
pub(crate) struct RiskOut<'a> {
    /// 0 to 100; higher is worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<&'static str>,
    /// `band` or `worst_finding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_counts: Option<SeverityCounts>,
    /// Open findings that don't count.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_scored: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identities: Option<u64>,
    /// The findings whose fix lowers the score most.
    #[serde(skip_serializing_if = "Option::is_none")]
    top_findings: Option<Vec<FindingOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Changes>,
    #[serde(flatten)]
    not_ready: NotReady,
    #[serde(flatten)]
    as_of: Option<AsOf>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RiskExplanation")]
struct Explanation {
    raw: u64,
    ceiling: u64,
    score_exact: Tenths,
    formula: &'static str,
    points_by_category: BTreeMap<&'static str, u64>,
    top: Vec<Saving>,
}

/// The effect of fixing one of the top findings.
#[derive(Debug, Serialize, JsonSchema)]
struct Saving {
    id: Id<FindingId>,
    points: u64,
    score_without: Tenths,
    points_saved: Tenths,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RiskChanges")]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_analysis: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seven_days: Option<Change>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thirty_days: Option<Change>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RiskChange")]
struct Change {
    /// The earlier score.
    score: u8,
    /// The current score minus the earlier one.
    difference: i16,
    at: Time,
}

impl From<service::Change> for Change {
    fn from(from: service::Change) -> Self {
        Self {
            score: from.score,
            difference: from.difference,
            at: Time(from.at),
        }
    }
}

fn saving(top: &TopFinding) -> Saving {
    Saving {
        id: Id(top.finding.id),
        points: top.saving.points,
        score_without: Tenths(top.saving.score_without_tenths),
        points_saved: Tenths(top.saving.saved_tenths),
    }
}

fn scored(scored: &Scored) -> RiskOut<'_> {
    let risk = &scored.risk;
    RiskOut {
        score: Some(risk.score),
        label: Some(risk.rating.label.as_str()),
        grade: Some(risk.rating.grade.as_str()),
        decided_by: Some(risk.rating.decided_by.as_str()),
        direction: Some(HIGHER_IS_WORSE),
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
        ..RiskOut::default()
    }
}

impl Endpoint for GetRiskScore {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/posture/risk-score",
        name: "get_risk_score",
        group: "posture",
        summary: "Returns the risk score with what decided it, how it is computed, what to fix first, and its changes",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = NoFields;
    type Output = RiskOut<'static>;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.risk(context.scope).await)?;
        let mut output = match &answer.score {
            Ok(risk) => scored(risk),
            Err(why) => RiskOut {
                not_ready: NotReady::from(Some(*why)),
                ..RiskOut::default()
            },
        };
        output.as_of = Some(AsOf::new(&answer.freshness, context.now));
        Answer::json(&output)
    }
}

pub(crate) struct GetPostureSummary;

/// The posture in a short text and its numbers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Posture")]
pub(crate) struct PostureOut<'a> {
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    top_risk_areas: Vec<Area>,
    /// The latest scans of each integration.
    compliance: Vec<Scanned<'a>>,
    /// Rules that lack data, by platform.
    blind_rules: Vec<Blind<'a>>,
    /// The number of rules that lack data.
    blind_rules_total: u64,
    #[serde(flatten)]
    not_ready: NotReady,
    #[serde(flatten)]
    as_of: AsOf,
}

/// The latest scans of an integration.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LatestScans")]
struct Scanned<'a> {
    platform: Word<Platform>,
    name: Foreign<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_id: Option<Id<ScanId>>,
    /// The compliance score; higher is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scanned_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure_scanned_at: Option<Time>,
}

impl<'a> From<&'a ScanSummary> for Scanned<'a> {
    fn from(summary: &'a ScanSummary) -> Self {
        let compliance = summary.compliance.as_ref();
        let exposure = summary.exposure.as_ref();
        let score = compliance.and_then(Scan::score);
        Self {
            platform: Word(summary.platform),
            name: Foreign(&summary.name),
            tenant: summary.tenant.as_deref(),
            scan_id: compliance.map(|scan| Id(scan.id)),
            score: tenths(score),
            band: score.map(|score| score.band().as_str()),
            failed: compliance.map(|scan| scan.counts.failed),
            scanned_at: compliance.and_then(|scan| scan.completed_at).map(Time),
            exposure: exposure.and_then(Scan::exposure).map(|label| label.as_str()),
            exposure_scanned_at: exposure.and_then(|scan| scan.completed_at).map(Time),
        }
    }
}

/// The numbers. Unknown ones are omitted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PostureMetrics")]
pub(crate) struct Metrics {
    pub(crate) risk_score: u8,
    pub(crate) risk_label: &'static str,
    grade: &'static str,
    decided_by: &'static str,
    direction: &'static str,
    pub(crate) total_findings: u64,
    pub(crate) severity_counts: SeverityCounts,
    pub(crate) identity_count: u64,
    pub(crate) connected_integrations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mfa_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_unknown: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admins: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_mfa_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admins_without_mfa: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sso_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_accounts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unreviewed_apps: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RiskArea")]
struct Area {
    category: Word<Category>,
    points: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BlindRule")]
struct Blind<'a> {
    rule_id: &'a str,
    platform: Word<Platform>,
    missing: Vec<&'static str>,
}

fn percent(coverage: &Coverage) -> Option<Tenths> {
    coverage.tenths_of_percent().map(Tenths)
}

pub(crate) fn metrics(scored: &Scored, latest: Option<&Snapshot>, freshness: &Freshness) -> Metrics {
    let counts = SeverityCounts::new(scored.severity_counts);
    let is_connected =
        |source: &&watchpost_core::posture::SourceState| source.status == IntegrationStatus::Connected;
    let connected = freshness.sources.iter().filter(is_connected).count();
    Metrics {
        risk_score: scored.risk.score,
        risk_label: scored.risk.rating.label.as_str(),
        grade: scored.risk.rating.grade.as_str(),
        decided_by: scored.risk.rating.decided_by.as_str(),
        direction: HIGHER_IS_WORSE,
        total_findings: counts.total(),
        severity_counts: counts,
        identity_count: scored.identities,
        connected_integrations: u64::try_from(connected).unwrap_or(u64::MAX),
        mfa_coverage_pct: latest.and_then(|snapshot| percent(&snapshot.mfa)),
        mfa_unknown: latest.map(|snapshot| snapshot.mfa.unknown),
        admins: latest.map(|snapshot| snapshot.admins),
        admin_mfa_coverage_pct: latest.and_then(|snapshot| percent(&snapshot.admin_mfa)),
        admins_without_mfa: latest
            .filter(|snapshot| snapshot.admin_mfa.tenths_of_percent().is_some())
            .map(|snapshot| snapshot.admin_mfa.off),
        sso_coverage_pct: latest.and_then(|snapshot| percent(&snapshot.sso)),
        stale_accounts: latest.map(|snapshot| snapshot.stale_accounts),
        unreviewed_apps: latest.map(|snapshot| snapshot.unreviewed_apps),
    }
}

/// The categories with the most points, in descending order; those with equal points are sorted by name.
fn areas(scored: &Scored) -> Vec<(Category, u64)> {
    let mut areas: Vec<(Category, u64)> = scored
        .risk
        .points_by_category
        .iter()
        .map(|(category, points)| (*category, *points))
        .collect();
    areas.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.as_str().cmp(b.0.as_str())));
    areas.truncate(AREAS_SHOWN);
    areas
}

fn blind(rules: &[BlindRule]) -> Vec<Blind<'_>> {
    rules
        .iter()
        .take(BLIND_SHOWN)
        .map(|rule| Blind {
            rule_id: &rule.rule_id,
            platform: Word(rule.platform),
            missing: missing(rule),
        })
        .collect()
}

/// The datasets that a rule lacks.
pub(crate) fn missing(rule: &BlindRule) -> Vec<&'static str> {
    let name = |(dataset, ..): &(Dataset, _, _)| dataset.as_str();
    rule.datasets.iter().map(name).collect()
}

/// The number of rules that lack data.
fn blind_total(rules: &[BlindRule]) -> u64 {
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule.rule_id.as_str()).collect();
    ids.dedup();
    len(&ids)
}

/// The posture as a short text, and the areas with the most risk.
pub(crate) fn summary(answer: &PostureAnswer) -> (String, Vec<(Category, u64)>) {
    match &answer.risk.score {
        Ok(scored) => {
            let areas = areas(scored);
            let blind = blind_total(&answer.blind);
            (
                text::posture::summary(scored, answer.latest.as_ref(), &areas, blind),
                areas,
            )
        }
        Err(why) => (
            text::posture::no_summary(*why, &next_step::step(why.next_step)),
            Vec::new(),
        ),
    }
}

impl Endpoint for GetPostureSummary {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/posture",
        name: "get_posture_summary",
        group: "posture",
        summary: "Returns the posture in a short text and numbers: risk, coverage of MFA and single sign-on, latest scans, and rules without data",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = NoFields;
    type Output = PostureOut<'static>;

    async fn run(context: &Context<'_>, _: NoFields) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.posture(context.scope).await)?;
        let scans = context.open(context.watchpost.scan_summaries(context.scope).await)?;
        let freshness = &answer.risk.freshness;
        let (summary, areas) = summary(&answer);
        let score = answer.risk.score.as_ref();
        Answer::json(&PostureOut {
            summary,
            metrics: score
                .ok()
                .map(|scored| metrics(scored, answer.latest.as_ref(), freshness)),
            top_risk_areas: areas
                .into_iter()
                .map(|(category, points)| Area {
                    category: Word(category),
                    points,
                })
                .collect(),
            compliance: scans.iter().map(Scanned::from).collect(),
            blind_rules: blind(&answer.blind),
            blind_rules_total: blind_total(&answer.blind),
            not_ready: NotReady::from(score.err().copied()),
            as_of: AsOf::new(freshness, context.now),
        })
    }
}
