//! `watchpost scan start`, with exit codes for pipelines.

use super::{ScanChoice, scan_json, status::answer_json};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
    text,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::time::Duration;
use watchpost_core::{
    check::ScanType,
    scan::{ResultFilter, Scan},
    service::{ScanOrder, ScanRequest, ScanTarget},
    value::{
        id::{IntegrationId, ScanId},
        word::{Platform, RunState, Severity},
    },
};

/// Maximum time that `--wait` waits: the time limit of a scan, and some time in the queue.
const WAIT_MAX: Duration = Duration::from_secs(35 * 60);

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The type of the scan: compliance or exposure
    #[arg(long = "type", default_value = "compliance")]
    scan_type: ScanType,
    /// The integration, if more than one can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// The platform, if it is connected only once
    #[arg(long)]
    platform: Option<Platform>,
    /// Evaluate the settings that the previous scan read, without reading them again
    #[arg(long)]
    stored_settings: bool,
    /// Start a new scan even if the same one has just been completed [default: use that one]
    #[arg(long)]
    again: bool,
    /// Run the scan in this process and wait for its end
    #[arg(long)]
    wait: bool,
    /// With --wait: exit with code 6 if the score is below this (0 to 100; compliance scans)
    #[arg(long, requires = "wait", value_parser = percent)]
    fail_under: Option<f64>,
    /// With --wait: exit with code 6 if a check of this severity or worse fails
    #[arg(long, requires = "wait")]
    fail_on: Option<Severity>,
}

fn percent(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|value| (0.0..=100.0).contains(value))
        .ok_or_else(|| text::scan::NOT_A_PERCENTAGE.to_owned())
}

pub(crate) async fn run(args: Start, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let order = ScanOrder {
        target: ScanTarget {
            integration: args.integration,
            platform: args.platform,
        },
        scan_type: args.scan_type,
        fresh: !args.stored_settings,
        again: args.again,
    };
    let call = session.call(
        "scan start",
        &json!({"scan_type": args.scan_type, "fresh": !args.stored_settings}),
    );
    let (started, _) = watchpost
        .start_scan(scope, order, call)
        .await
        .map_err(from_core)?;
    let id = started.scan.id;
    if started.scan.scan_type != args.scan_type {
        return Err(fail(
            code::CONFLICT,
            text::scan::other_scan_unfinished(&started.scan),
        ));
    }
    let said = match started.request {
        ScanRequest::Started => text::scan::queued(id),
        ScanRequest::AlreadyRunning => text::scan::already_started(&started.scan),
        ScanRequest::JustCompleted => text::scan::just_completed(&started.scan),
    };
    if !args.wait {
        let mut json = scan_json(&started.scan);
        json["outcome"] = json!(started.request);
        return Ok(output.answer(&json, &said)?);
    }
    if started.request != ScanRequest::Started {
        output.note(&said);
    }
    wait(id, session).await?;
    let choice = ScanChoice {
        scan: Some(id),
        scan_type: args.scan_type,
        integration: None,
    };
    let read = choice
        .find(session)
        .await
        .then(async |scan| {
            watchpost
                .explain_scan(scope, scan, &ResultFilter::default())
                .await
        })
        .await;
    let answer = session.read("scan.read", "scan start", read).await?;
    let mut json = answer_json(&answer);
    json["outcome"] = json!(started.request);
    output.answer(&json, &text::scan::status(&answer))?;
    let scan = &answer.scan;
    if scan.state != RunState::Completed {
        return Err(fail(
            code::FAILED,
            scan.reason
                .clone()
                .unwrap_or_else(|| text::scan::not_completed(scan.state)),
        ));
    }
    check_thresholds(&args, &answer.scan)
}

/// Runs the queued jobs in this process until none is left.
async fn wait(id: ScanId, session: &Session) -> Result<()> {
    let progress = Progress::start(text::scan::SCANNING);
    let ended = tokio::time::timeout(WAIT_MAX, session.work_until_idle(&|text| progress.show(text))).await;
    progress.finish();
    ended.map_err(|_| {
        fail(
            code::UNAVAILABLE,
            text::scan::still_running(id, WAIT_MAX.as_secs() / 60),
        )
    })?
}

/// Fails if the scan is worse than `--fail-under` or `--fail-on` allow.
fn check_thresholds(args: &Start, scan: &Scan) -> Result<()> {
    let mut problems = Vec::new();
    if let Some(minimum) = args.fail_under {
        match scan.score() {
            Some(score) if score.percent() < minimum => {
                problems.push(text::scan::score_too_low(scan, minimum));
            }
            Some(_) => {}
            // No score is not a score of zero, but a pipeline must not continue without one.
            None => problems.push(text::scan::NO_SCORE_TO_COMPARE.to_owned()),
        }
    }
    if let Some(worst) = args.fail_on {
        // Severities are ordered from worst to least.
        let failed: u64 = Severity::ALL
            .iter()
            .zip(scan.counts.failed_by_severity)
            .filter(|(severity, _)| **severity <= worst)
            .map(|(_, failed)| failed)
            .sum();
        if failed > 0 {
            problems.push(text::scan::failed_checks(failed, worst));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, problems.join("; ")))
    }
}
