//! `get_posture_summary`: the whole posture in a short text and its numbers.

use crate::{
    arguments::NoArguments,
    error::Failure,
    scan_wire::{OpenList, tenths},
    text::{self, next_step},
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{AsOf, SeverityCounts, Tenths, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    posture::{Coverage, Snapshot},
    scan::Scan,
    service::{BlindRule, ScanSummary, Scored},
    value::{
        id::ScanId,
        text::ForeignText,
        time::Timestamp,
        word::{Category, IntegrationStatus},
    },
};

/// The maximum number of blind rules that the answer shows.
const BLIND_SHOWN: usize = 20;
/// The maximum number of risk areas that the answer shows.
const AREAS_SHOWN: usize = 5;

pub(super) struct GetPostureSummary;

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top_risk_areas: Vec<Area>,
    /// Latest scans: compliance score (higher is better) and exposure.
    #[serde(skip_serializing_if = "OpenList::is_empty")]
    compliance: OpenList<Scanned<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    blind_rules: Vec<Blind<'a>>,
    blind_rules_total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// The latest scans of an integration.
#[derive(Debug, Serialize)]
struct Scanned<'a> {
    platform: &'static str,
    name: &'a ForeignText,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_id: Option<Text<ScanId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scanned_at: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure_scanned_at: Option<Text<Timestamp>>,
}

impl<'a> From<&'a ScanSummary> for Scanned<'a> {
    fn from(summary: &'a ScanSummary) -> Self {
        let compliance = summary.compliance.as_ref();
        let exposure = summary.exposure.as_ref();
        let score = compliance.and_then(Scan::score);
        Self {
            platform: summary.platform.as_str(),
            name: &summary.name,
            tenant: summary.tenant.as_deref(),
            scan_id: compliance.map(|scan| Text(scan.id)),
            score: tenths(score),
            band: score.map(|score| score.band().as_str()),
            failed: compliance.map(|scan| scan.counts.failed),
            scanned_at: compliance.and_then(|scan| scan.completed_at).map(Text),
            exposure: exposure.and_then(Scan::exposure).map(|label| label.as_str()),
            exposure_scanned_at: exposure.and_then(|scan| scan.completed_at).map(Text),
        }
    }
}

/// The numbers. Unknown ones are omitted.
#[derive(Debug, Serialize, JsonSchema)]
struct Metrics {
    risk_score: u8,
    risk_label: &'static str,
    grade: &'static str,
    decided_by: &'static str,
    direction: &'static str,
    total_findings: u64,
    #[schemars(schema_with = "crate::wire::plain_object")]
    severity_counts: SeverityCounts,
    identity_count: u64,
    connected_integrations: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_unknown: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admins: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_mfa_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admins_without_mfa: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sso_coverage_pct: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_accounts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreviewed_apps: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Area {
    category: &'static str,
    points: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Blind<'a> {
    rule_id: &'a str,
    platform: &'static str,
    missing: Vec<&'static str>,
}

fn percent(coverage: &Coverage) -> Option<Tenths> {
    coverage.tenths_of_percent().map(Tenths)
}

fn metrics(scored: &Scored, latest: Option<&Snapshot>, connected: u64) -> Metrics {
    let counts = SeverityCounts::new(scored.severity_counts);
    Metrics {
        risk_score: scored.risk.score,
        risk_label: scored.risk.rating.label.as_str(),
        grade: scored.risk.rating.grade.as_str(),
        decided_by: scored.risk.rating.decided_by.as_str(),
        direction: "higher_is_worse",
        total_findings: counts.total(),
        severity_counts: counts,
        identity_count: scored.identities,
        connected_integrations: connected,
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

/// One entry for each rule and each platform where it lacks data.
fn blind(rules: &[BlindRule]) -> Vec<Blind<'_>> {
    rules
        .iter()
        .take(BLIND_SHOWN)
        .map(|rule| Blind {
            rule_id: &rule.rule_id,
            platform: rule.platform.as_str(),
            missing: rule
                .datasets
                .iter()
                .map(|(dataset, ..)| dataset.as_str())
                .collect(),
        })
        .collect()
}

impl Tool for GetPostureSummary {
    const DECLARATION: Declaration = Declaration {
        name: "get_posture_summary",
        title: "Posture summary",
        description: "Summarizes the company's security posture in a short text and numbers: risk grade, MFA coverage, admins and admins without MFA, single sign-on coverage, stale accounts, unreviewed apps, top risk areas, the latest compliance and exposure scans, and rules that are blind because data is missing. Use for \"give me an overview\", \"how is our MFA coverage\". Unknown numbers are omitted.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = NoArguments;
    type Output = Output<'static>;
}

impl QueryTool for GetPostureSummary {
    async fn run(context: &Context<'_>, _: NoArguments) -> Result<Answer, Failure> {
        let answer = context.open(context.watchpost.posture(context.scope).await)?;
        let freshness = &answer.risk.freshness;
        let as_of = AsOf::new(freshness, context.now);
        let mut rule_ids: Vec<&str> = answer.blind.iter().map(|rule| rule.rule_id.as_str()).collect();
        rule_ids.dedup();
        let connected = freshness
            .sources
            .iter()
            .filter(|source| source.status == IntegrationStatus::Connected)
            .count();
        let (summary, metrics, top_risk_areas, not_ready) = match &answer.risk.score {
            Ok(scored) => {
                let areas = areas(scored);
                (
                    text::posture::summary(scored, answer.latest.as_ref(), &areas, len(&rule_ids))
                        + &text::posture::without_people(freshness),
                    Some(metrics(
                        scored,
                        answer.latest.as_ref(),
                        u64::try_from(connected).unwrap_or(u64::MAX),
                    )),
                    areas
                        .into_iter()
                        .map(|(category, points)| Area {
                            category: category.as_str(),
                            points,
                        })
                        .collect(),
                    None,
                )
            }
            Err(why) => (
                text::posture::no_summary(*why, &next_step::step(why.next_step)),
                None,
                Vec::new(),
                Some(why),
            ),
        };
        let scans = context.open(context.watchpost.scan_summaries(context.scope).await)?;
        let summary = summary + &text::scans::latest(&scans);
        let sentence = as_of.dated(&summary);
        let output = Output {
            summary: &summary,
            metrics,
            top_risk_areas,
            compliance: OpenList(scans.iter().map(Scanned::from).collect()),
            blind_rules: blind(&answer.blind),
            blind_rules_total: len(&rule_ids),
            state: not_ready.map(|why| why.state.as_str()),
            next_step: not_ready.map(|why| next_step::step(why.next_step)),
            as_of,
        };
        Ok(Answer::new(sentence, &output)?.until(freshness, context.now))
    }
}
