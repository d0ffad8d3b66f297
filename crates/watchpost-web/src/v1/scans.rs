//! Scans.

use crate::{
    answer::Answer,
    context::{Context, wrong_position},
    failure::Failure,
    fields::{After, Flag, Id, Limit, Many, Whole, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    wire::{
        Difference, Tenths, Time, len,
        scan::{CountsOut, ResultOut, ScanOut, SettingOut, counts_by_word, difference, tenths},
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{Framework, ScanType, Service},
    scan::{ResultFilter, Scan, ScanPoint, ScanQuery, exposure_label},
    service::{NewFailures, ScanAnswer, ScanOrder, ScanRequest, ScanTarget, Watchpost},
    value::{
        id::{IntegrationId, ScanId},
        word::{Platform, RunState, Severity},
    },
};

pub(crate) struct ListScans;

fields! {
    pub(crate) struct ScanFields {
        /// Default: both.
        scan_type: Option<Word<ScanType>>,
        /// Default: all.
        status: Option<Word<RunState>>,
        /// Default: all.
        integration_id: Option<Id<IntegrationId>>,
        /// Rows of a page.
        limit: Limit<25>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

/// A page of scans, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScanList")]
pub(crate) struct Output<'a> {
    scans: Vec<ScanOut<'a>>,
    total: u64,
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
}

impl ScanFields {
    /// Returns the query, without the position of the page.
    pub(crate) fn query(&self) -> ScanQuery {
        ScanQuery {
            integration: self.integration_id.map(|id| id.0),
            scan_type: self.scan_type.map(|word| word.0),
            state: self.status.map(|word| word.0),
            before: None,
            limit: self.limit.rows(),
        }
    }
}

impl Endpoint for ListScans {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/scans",
        name: "list_scans",
        group: "scans",
        summary: "Lists past and running scans, newest first",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = ScanFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: ScanFields) -> Result<Answer, Failure> {
        let mut query = input.query();
        if let Some(position) = context.begin(input.after.as_ref())? {
            query.before = Some(position.parse().map_err(|_| wrong_position())?);
        }
        let page = context.open(context.watchpost.scans(context.scope, &query).await)?;
        Answer::json(&Output {
            total: page.total,
            returned: len(&page.scans),
            next_after: page
                .scans
                .last()
                .filter(|_| page.more)
                .map(|scan| context.position(&scan.id.to_string())),
            scans: page.scans.iter().map(ScanOut::from).collect(),
        })
    }
}

/// A scan, its counts, and what is new since the previous one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScanDetail")]
pub(crate) struct Detail<'a> {
    scan: ScanOut<'a>,
    /// The direction of the score.
    direction: &'static str,
    /// The counts of the selected results, with a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<CountsOut>,
    failed_by_severity: BTreeMap<&'static str, u64>,
    by_framework: BTreeMap<&'static str, CountsOut>,
    by_service: BTreeMap<&'static str, CountsOut>,
    /// Failed checks that did not fail in the previous scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures: Option<Vec<ResultOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures_total: Option<u64>,
    /// The reason why new failures are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures_note: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_scan_id: Option<Id<ScanId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_change: Option<Difference>,
    /// Settings that could not be read.
    unread: Vec<SettingOut<'a>>,
}

fn detail(answer: &ScanAnswer) -> Detail<'_> {
    let scan = &answer.scan;
    let failed = Severity::ALL.iter().zip(scan.counts.failed_by_severity);
    let mut output = Detail {
        scan: ScanOut::from(scan),
        direction: "higher_is_better",
        selected: answer.selected.as_ref().map(CountsOut::from),
        failed_by_severity: failed
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| (severity.as_str(), count))
            .collect(),
        by_framework: counts_by_word(&answer.by_framework, Framework::as_str),
        by_service: counts_by_word(&answer.by_service, Service::as_str),
        new_failures: None,
        new_failures_total: None,
        new_failures_note: None,
        fixed: None,
        previous_scan_id: None,
        score_change: None,
        unread: answer.unread.iter().map(SettingOut::from).collect(),
    };
    match &answer.new_failures {
        None => {}
        Some(NewFailures::Unknown(why)) => output.new_failures_note = Some(why),
        Some(NewFailures::Since {
            previous,
            rows,
            fixed,
            previous_score,
            ..
        }) => {
            let shown = rows.iter().take(Watchpost::new_failures_shown());
            output.new_failures_total = Some(len(rows));
            output.new_failures = Some(shown.map(ResultOut::from).collect());
            output.fixed = Some(*fixed);
            output.previous_scan_id = Some(Id(*previous));
            output.score_change = difference(*previous_score, scan.score());
        }
    }
    output
}

async fn explained(context: &Context<'_>, scan: Scan, filter: &ResultFilter) -> Result<Answer, Failure> {
    let explained = context.watchpost.explain_scan(context.scope, scan, filter).await;
    let answer = context.open(explained)?;
    Ok(Answer::json(&detail(&answer))?.about(AuditTarget::new("scan", &answer.scan.id)))
}

/// The filter of results by framework and service.
fn filter(framework: &Many<Framework>, service: &Many<Service>) -> ResultFilter {
    ResultFilter {
        frameworks: framework.as_slice().to_vec(),
        services: service.as_slice().to_vec(),
        ..ResultFilter::default()
    }
}

pub(crate) struct GetScan;

fields! {
    pub(crate) struct ScanById {
        /// The scan's id.
        id: Id<ScanId>,
        /// Limits new failures to these. Default: all.
        framework: Many<Framework>,
        /// Limits new failures to these. Default: all.
        service: Many<Service>,
    }
}

impl Endpoint for GetScan {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/scans/{id}",
        name: "get_scan",
        group: "scans",
        summary: "Returns one scan with its counts and what is new since the previous one",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = ScanById;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: ScanById) -> Result<Answer, Failure> {
        let found = context
            .watchpost
            .find_scan(context.scope, Some(input.id.0), None, ScanType::Compliance)
            .await;
        let scan = context.open(found)?;
        explained(context, scan, &filter(&input.framework, &input.service)).await
    }
}

pub(crate) struct GetLatestScan;

fields! {
    pub(crate) struct LatestFields {
        /// Default: compliance.
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<Id<IntegrationId>>,
        /// Limits new failures to these. Default: all.
        framework: Many<Framework>,
        /// Limits new failures to these. Default: all.
        service: Many<Service>,
    }
}

impl Endpoint for GetLatestScan {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/scans/latest",
        name: "get_latest_scan",
        group: "scans",
        summary: "Returns the latest completed scan of a type with its counts and what is new since the previous one",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = LatestFields;
    type Output = Detail<'static>;

    async fn run(context: &Context<'_>, input: LatestFields) -> Result<Answer, Failure> {
        let scan_type = input.scan_type.map_or(ScanType::Compliance, |word| word.0);
        let integration = input.integration_id.map(|id| id.0);
        let found = context
            .watchpost
            .find_scan(context.scope, None, integration, scan_type)
            .await;
        let scan = context.open(found)?;
        explained(context, scan, &filter(&input.framework, &input.service)).await
    }
}

pub(crate) struct GetScoreTrend;

fields! {
    pub(crate) struct TrendFields {
        /// Default: compliance.
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<Id<IntegrationId>>,
        /// Days up to today. Default: 90.
        days: Option<Whole<1, 730>>,
    }
}

/// The numbers of completed scans over time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreTrend")]
pub(crate) struct TrendOut {
    integration_id: Id<IntegrationId>,
    platform: Word<Platform>,
    scan_type: Word<ScanType>,
    direction: &'static str,
    /// Oldest first.
    points: Vec<PointOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Difference>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScorePoint")]
struct PointOut {
    scan_id: Id<ScanId>,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'static str>,
    passed: u64,
    failed: u64,
    frameworks: BTreeMap<&'static str, Tenths>,
}

fn point(point: &ScanPoint, scan_type: ScanType) -> PointOut {
    PointOut {
        scan_id: Id(point.scan),
        at: Time(point.at),
        score: tenths(point.counts.score()),
        exposure: (scan_type == ScanType::Exposure).then(|| exposure_label(&point.counts).as_str()),
        passed: point.counts.passed,
        failed: point.counts.failed,
        frameworks: point
            .frameworks
            .iter()
            .filter_map(|(framework, counts)| Some((framework.as_str(), tenths(counts.score())?)))
            .collect(),
    }
}

impl Endpoint for GetScoreTrend {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/scans/trend",
        name: "get_score_trend",
        group: "scans",
        summary: "Returns the scores of completed scans over time",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = TrendFields;
    type Output = TrendOut;

    async fn run(context: &Context<'_>, input: TrendFields) -> Result<Answer, Failure> {
        let scan_type = input.scan_type.map_or(ScanType::Compliance, |word| word.0);
        let integration = input.integration_id.map(|id| id.0);
        let days = input.days.map_or(90, |days| days.0);
        let found = context
            .watchpost
            .score_trend(context.scope, integration, scan_type, days)
            .await;
        let answer = context.open(found)?;
        let score = |point: Option<&ScanPoint>| point.and_then(|point| point.counts.score());
        Answer::json(&TrendOut {
            integration_id: Id(answer.integration.id),
            platform: Word(answer.integration.platform),
            scan_type: Word(answer.scan_type),
            direction: "higher_is_better",
            points: answer
                .points
                .iter()
                .map(|at| point(at, answer.scan_type))
                .collect(),
            change: difference(score(answer.points.first()), score(answer.points.last())),
        })
    }
}

pub(crate) struct StartScan;

fields! {
    pub(crate) struct StartFields {
        /// compliance: do settings meet the frameworks; exposure: can outsiders get in or data leak out.
        scan_type: Word<ScanType>,
        /// Needed only if several match.
        integration_id: Option<Id<IntegrationId>>,
        /// Needed only if several match.
        platform: Option<Word<Platform>>,
        /// false reuses the settings of the previous scan. Default: true.
        read_settings: Option<Flag>,
    }
}

/// A scan that was requested.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScanRequest")]
pub(crate) struct StartOut<'a> {
    /// `started`, `already_running` or `just_completed`.
    outcome: &'static str,
    scan: ScanOut<'a>,
}

impl Endpoint for StartScan {
    const DECLARATION: Declaration = Declaration {
        method: Method::Post,
        path: "/api/v1/scans",
        name: "start_scan",
        group: "scans",
        summary: "Starts a read-only scan, or returns the one that is running or has just ended",
        permission: Some(Permission::StartScan),
        form: Form::Own,
    };
    const STATUS: u16 = 202;
    type Input = StartFields;
    type Output = StartOut<'static>;

    async fn run(context: &Context<'_>, input: StartFields) -> Result<Answer, Failure> {
        let order = ScanOrder {
            target: ScanTarget {
                integration: input.integration_id.map(|id| id.0),
                platform: input.platform.map(|word| word.0),
            },
            scan_type: input.scan_type.0,
            fresh: input.read_settings.is_none_or(|flag| flag.0),
            again: false,
        };
        let (started, receipt) = context
            .watchpost
            .start_scan(context.scope, order, context.record())
            .await?;
        let outcome: ScanRequest = started.request;
        let output = StartOut {
            outcome: outcome.as_str(),
            scan: ScanOut::from(&started.scan),
        };
        Ok(Answer::json(&output)?
            .about(AuditTarget::new("scan", &started.scan.id))
            .of_change(receipt))
    }
}
