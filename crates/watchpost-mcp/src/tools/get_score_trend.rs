//! `get_score_trend`: the scores of completed scans over time.

use crate::{
    arguments::{IdLine, Whole, Word, arguments, integration_id},
    error::Failure,
    scan_wire::{Difference, OpenList, tenths},
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{Tenths, Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    check::ScanType,
    scan::{ScanPoint, exposure_label},
    value::{
        id::{IntegrationId, ScanId},
        time::Timestamp,
    },
};

/// The maximum number of points that the answer shows: the newest ones.
const POINTS_SHOWN: usize = 60;

pub(super) struct GetScoreTrend;

arguments! {
    pub(super) struct Input {
        /// Type of the scans.
        #[schemars(extend("default" = "compliance"))]
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<IdLine>,
        /// Days up to today.
        #[schemars(extend("default" = 90))]
        days: Option<Whole<1, 730>>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    integration_id: Text<IntegrationId>,
    platform: &'static str,
    scan_type: &'static str,
    direction: &'static str,
    /// Oldest first: scan_id, at, score, failed, scores by framework.
    points: OpenList<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Difference>,
}

#[derive(Debug, Serialize)]
struct Point {
    scan_id: ScanId,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<&'static str>,
    passed: u64,
    failed: u64,
    frameworks: BTreeMap<&'static str, Tenths>,
}

fn point(point: &ScanPoint, scan_type: ScanType) -> Point {
    Point {
        scan_id: point.scan,
        at: point.at,
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

impl Tool for GetScoreTrend {
    const DECLARATION: Declaration = Declaration {
        name: "get_score_trend",
        title: "Score trend",
        description: "Shows how the compliance score (higher is better) or the exposure changed over completed scans, overall and by framework.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output;
}

impl QueryTool for GetScoreTrend {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let scan_type = input.scan_type.map_or(ScanType::Compliance, |word| word.0);
        let integration = integration_id(input.integration_id.as_ref())?;
        let days = input.days.map_or(90, |days| days.0);
        let answer = context.open(
            context
                .watchpost
                .score_trend(context.scope, integration, scan_type, days)
                .await,
        )?;
        let skipped = answer.points.len().saturating_sub(POINTS_SHOWN);
        let shown: Vec<&ScanPoint> = answer.points.iter().skip(skipped).collect();
        let ends = shown
            .first()
            .and_then(|point| point.counts.score())
            .zip(shown.last().and_then(|point| point.counts.score()));
        let output = Output {
            integration_id: Text(answer.integration.id),
            platform: answer.integration.platform.as_str(),
            scan_type: scan_type.as_str(),
            direction: "higher_is_better",
            points: OpenList(shown.iter().map(|row| point(row, scan_type)).collect()),
            change: ends.map(|(first, last)| Difference(last.difference(first))),
        };
        let sentence = match ends {
            Some((first, last)) => {
                text::scans::trend(len(&answer.points), u64::try_from(days).unwrap_or(0), first, last)
            }
            None => text::scans::no_trend(scan_type),
        };
        let mut answer = Answer::new(sentence, &output)?;
        // The period moves on with the day.
        answer.good_until = Some(context.now.end_of_day().plus_millis(1));
        Ok(answer)
    }
}
