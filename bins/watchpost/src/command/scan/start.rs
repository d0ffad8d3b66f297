//! `watchpost scan start`, with the exit codes that pipelines look at.

use super::{
    ScanChoice, scan_json, score_words,
    status::{answer_json, answer_text},
};
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress},
    session::Session,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::time::Duration;
use watchpost_core::{
    check::ScanType,
    scan::Scan,
    service::ScanTarget,
    value::{
        id::{IntegrationId, ScanId},
        word::{Platform, RunState, Severity},
    },
};

/// How long `--wait` waits at the most: a scan's own limit, and a little for its queue.
const WAIT_MAX: Duration = Duration::from_secs(35 * 60);

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// compliance or exposure
    #[arg(long = "type", default_value = "compliance")]
    scan_type: ScanType,
    /// The integration, where several can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// The platform, where only one integration of it is connected
    #[arg(long)]
    platform: Option<Platform>,
    /// Judge the settings that the previous scan read instead of reading them again
    #[arg(long)]
    stored_settings: bool,
    /// Do the work in this process and wait for the end
    #[arg(long)]
    wait: bool,
    /// With --wait: exit code 6 if the score is lower (0 to 100; compliance scans)
    #[arg(long, requires = "wait", value_parser = percent)]
    fail_under: Option<f64>,
    /// With --wait: exit code 6 if a check of this severity or a worse one fails
    #[arg(long, requires = "wait")]
    fail_on: Option<Severity>,
}

fn percent(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|value| (0.0..=100.0).contains(value))
        .ok_or_else(|| "use a number from 0 to 100".to_owned())
}

pub(crate) async fn run(args: Start, session: &Session, output: Output) -> Result<()> {
    let (watchpost, scope) = (&session.watchpost, session.scope.as_ref());
    let target = ScanTarget {
        integration: args.integration,
        platform: args.platform,
    };
    let call = session.call(
        "scan start",
        &json!({"scan_type": args.scan_type, "fresh": !args.stored_settings}),
    );
    let (started, _) = watchpost
        .start_scan(scope, target, args.scan_type, !args.stored_settings, call)
        .await
        .map_err(from_core)?;
    let id = started.scan.id;
    if !started.is_new && !args.wait {
        return Err(fail(
            code::CONFLICT,
            format!(
                "a {} scan of this integration is {} already: `watchpost scan status --scan {id}`",
                started.scan.scan_type, started.scan.state
            ),
        ));
    }
    if !args.wait {
        let text = format!(
            "Queued: a running server does it, or `--wait` does it here. `watchpost scan status --scan {id}` shows how it stands."
        );
        return Ok(output.answer(&scan_json(&started.scan), &text)?);
    }
    if started.scan.scan_type != args.scan_type {
        return Err(fail(
            code::CONFLICT,
            format!(
                "a {} scan of this integration is {}: start this one when it has ended",
                started.scan.scan_type, started.scan.state
            ),
        ));
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
        .then(async |scan| watchpost.explain_scan(scope, scan).await)
        .await;
    let answer = session.read("scan.read", "scan start", read).await?;
    output.answer(&answer_json(&answer), &answer_text(&answer))?;
    let scan = &answer.scan;
    if scan.state != RunState::Completed {
        return Err(fail(
            code::FAILED,
            scan.reason
                .clone()
                .unwrap_or_else(|| format!("the scan is {}", scan.state)),
        ));
    }
    check_thresholds(&args, &answer.scan)
}

/// Works on the queue in this process until it is empty.
async fn wait(id: ScanId, session: &Session) -> Result<()> {
    let progress = Progress::start("scanning");
    let ended = tokio::time::timeout(WAIT_MAX, session.work_until_idle(&|text| progress.show(text))).await;
    progress.finish();
    ended.map_err(|_| {
        fail(
            code::UNAVAILABLE,
            format!(
                "still at work after 35 minutes: `watchpost scan status --scan {id}` shows how it stands"
            ),
        )
    })?
}

/// What a pipeline asked to be told by exit code.
fn check_thresholds(args: &Start, scan: &Scan) -> Result<()> {
    let mut wrong = Vec::new();
    if let Some(least) = args.fail_under {
        match scan.score() {
            Some(score) if score.percent() < least => {
                wrong.push(format!("the score is {}, under {least}", score_words(scan)));
            }
            Some(_) => {}
            // Nothing was judged: not a score of zero, and no reason to go on either.
            None => wrong.push("there is no score, since no check passed or failed".to_owned()),
        }
    }
    if let Some(worst) = args.fail_on {
        // Severities are ordered worst first.
        let failed: u64 = Severity::ALL
            .iter()
            .zip(scan.counts.failed_by_severity)
            .filter(|(severity, _)| **severity <= worst)
            .map(|(_, failed)| failed)
            .sum();
        if failed > 0 {
            wrong.push(format!("{failed} checks of severity {worst} or worse fail"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, wrong.join("; ")))
    }
}
