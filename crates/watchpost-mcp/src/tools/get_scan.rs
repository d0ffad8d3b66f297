//! `get_scan`: one scan, its counts, and what is new since the previous one.

use crate::{
    arguments::{Whole, scan_arguments},
    error::Failure,
    scan_wire::{CountsOut, Difference, OpenList, OpenObject, ResultOut, ScanOut, counts_by_word},
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{Framework, Service},
    scan::{ResultFilter, ResultRow, Scan},
    service::{NewFailures, ScanAnswer, Watchpost},
    value::{id::ScanId, word::Severity},
};

/// The time between two reads of a scan that a caller waits for.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The maximum number of unreadable settings that the answer shows.
const UNREAD_SHOWN: usize = 20;

pub(super) struct GetScan;

scan_arguments! {
    pub(super) struct Input {
        /// Limits new failures to these.
        framework, service;
        /// Time to wait for its end.
        #[schemars(extend("default" = 0))]
        wait_seconds: Option<Whole<0, 50>>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    scan: ScanOut<'a>,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<OpenObject<CountsOut>>,
    failed_by_severity: OpenObject<BTreeMap<&'static str, u64>>,
    by_framework: OpenObject<BTreeMap<&'static str, CountsOut>>,
    by_service: OpenObject<BTreeMap<&'static str, CountsOut>>,
    /// Failed checks that did not fail in the previous scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures: Option<OpenList<ResultOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_failures_note: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_scan_id: Option<Text<ScanId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_change: Option<Difference>,
    /// Settings that could not be read.
    #[serde(skip_serializing_if = "OpenList::is_empty")]
    unread: OpenList<UnreadSetting<'a>>,
}

#[derive(Debug, Serialize)]
struct UnreadSetting<'a> {
    setting: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// Reads the scan repeatedly until it has ended or `seconds` have passed.
async fn wait(context: &Context<'_>, mut scan: Scan, seconds: i64) -> Result<Scan, Failure> {
    let watchpost: &Watchpost = context.watchpost;
    let started = watchpost.clock().monotonic_ms();
    let until = started.saturating_add(u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000));
    while scan.is_unfinished() && watchpost.clock().monotonic_ms() < until {
        if let Some(notify) = context.notify {
            // The duration of a scan isn't known in advance, so progress is the time waited, in seconds.
            let waited = watchpost.clock().monotonic_ms().saturating_sub(started);
            let waited = f64::from(u32::try_from(waited).unwrap_or(u32::MAX)) / 1_000.0;
            let message = scan.progress.as_deref().unwrap_or(scan.state.as_str());
            notify.progress(waited, None, Some(message));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        match context.open(watchpost.scan(context.scope, scan.id).await)? {
            Some(now) => scan = now,
            None => break,
        }
    }
    Ok(scan)
}

/// The scan to wait for, if the call names none: one that is queued or in progress, of the type and integration in the
/// call if it names them.
async fn unfinished(context: &Context<'_>, input: &Input) -> Result<Option<Scan>, Failure> {
    let choice = input.choice();
    if choice.scan_id.is_some() {
        return Ok(None);
    }
    let integration = choice.integration_id()?;
    let scan_type = choice.scan_type.map(|word| word.0);
    let found = context
        .watchpost
        .unfinished_scan(context.scope, integration, scan_type);
    Ok(context.open(found.await)?)
}

/// The changes since the previous completed scan.
enum Since<'a> {
    /// The scan has no results.
    NoResults,
    /// The changes are unknown for this reason.
    Unknown(&'static str),
    Known {
        previous: ScanId,
        /// The new failures that match the call's filter.
        new_failures: Vec<&'a ResultRow>,
        fixed: u64,
        score_change: Option<Difference>,
    },
}

fn since_previous(answer: &ScanAnswer) -> Since<'_> {
    match &answer.new_failures {
        None => Since::NoResults,
        Some(NewFailures::Unknown(why)) => Since::Unknown(why),
        Some(NewFailures::Since {
            previous,
            rows,
            fixed,
            previous_score,
            ..
        }) => Since::Known {
            previous: *previous,
            new_failures: rows.iter().collect(),
            fixed: *fixed,
            score_change: answer
                .scan
                .score()
                .zip(*previous_score)
                .map(|(now, then)| Difference(now.difference(then))),
        },
    }
}

fn output<'a>(answer: &'a ScanAnswer, since: Since<'a>) -> Output<'a> {
    let scan = &answer.scan;
    let unread = answer.unread.iter().take(UNREAD_SHOWN).map(|row| UnreadSetting {
        setting: &row.path,
        state: row.state.as_str(),
        detail: row.detail.as_deref(),
    });
    let mut output = Output {
        scan: ScanOut::from(scan),
        direction: "higher_is_better",
        selected: answer
            .selected
            .as_ref()
            .map(|counts| OpenObject(CountsOut::from(counts))),
        failed_by_severity: OpenObject(
            Severity::ALL
                .iter()
                .zip(scan.counts.failed_by_severity)
                .filter(|(_, n)| *n > 0)
                .map(|(severity, n)| (severity.as_str(), n))
                .collect(),
        ),
        by_framework: counts_by_word(&answer.by_framework, Framework::as_str),
        by_service: counts_by_word(&answer.by_service, Service::as_str),
        new_failures: None,
        new_failures_total: None,
        new_failures_note: None,
        fixed: None,
        previous_scan_id: None,
        score_change: None,
        unread: OpenList(unread.collect()),
    };
    match since {
        Since::NoResults => {}
        Since::Unknown(why) => output.new_failures_note = Some(why),
        Since::Known {
            previous,
            new_failures,
            fixed,
            score_change,
        } => {
            let shown = new_failures.iter().take(Watchpost::new_failures_shown());
            output.new_failures_total = Some(len(&new_failures));
            output.new_failures = Some(OpenList(shown.map(|row| ResultOut::from(*row)).collect()));
            output.fixed = Some(fixed);
            output.previous_scan_id = Some(Text(previous));
            output.score_change = score_change;
        }
    }
    output
}

fn sentence(answer: &ScanAnswer, since: &Since<'_>, results: &ResultFilter) -> String {
    let scan = &answer.scan;
    if scan.is_unfinished() {
        return text::scans::unfinished(scan);
    }
    let since = match since {
        Since::NoResults => return text::scans::without_results(scan),
        Since::Unknown(why) => text::scans::new_failures_unknown(why),
        Since::Known {
            new_failures, fixed, ..
        } => text::scans::new_failures(len(new_failures), *fixed),
    };
    text::scans::completed(scan, answer.selected.as_ref(), results, &since)
}

impl Tool for GetScan {
    const DECLARATION: Declaration = Declaration {
        name: "get_scan",
        title: "Scan",
        description: "Returns one scan, by default the latest completed one: status, compliance score (higher is better) or exposure label, counts by framework and service, and new failures since the previous scan. wait_seconds waits for the one that is queued or running.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for GetScan {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let seconds = input.wait_seconds.map_or(0, |wait| wait.0);
        let unfinished = match seconds {
            1.. => unfinished(context, &input).await?,
            _ => None,
        };
        let scan = match unfinished {
            Some(scan) => scan,
            None => context.open(input.choice().find(context.watchpost, context.scope).await?)?,
        };
        let scan = wait(context, scan, seconds).await?;
        let results = input.results();
        let answer = context.open(
            context
                .watchpost
                .explain_scan(context.scope, scan, &results)
                .await,
        )?;
        let scan = &answer.scan;
        let since = since_previous(&answer);
        let sentence = sentence(&answer, &since, &results);
        let mut done =
            Answer::new(sentence, &output(&answer, since))?.about(AuditTarget::new("scan", &scan.id));
        if scan.is_unfinished() {
            // Progress advances without a new generation of the data, so this answer must not be cached.
            done.good_until = Some(context.now);
        }
        Ok(done)
    }
}
