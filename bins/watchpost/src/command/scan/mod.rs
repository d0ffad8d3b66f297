//! `watchpost scan`: starts scans, and shows and compares their results.

mod compare;
mod list;
mod results;
mod start;
mod status;
mod trend;

use crate::{
    failure::{code, fail, from_core},
    output::Output,
    session::Session,
    text,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use watchpost_core::{
    check::{Framework, ScanType, Service},
    error::Error,
    scan::{ResultFilter, ResultRow, Scan, ScanCounts},
    service::{Replay, Unrecorded},
    value::{
        id::{IntegrationId, ScanId},
        word::RunState,
    },
};

#[derive(Debug, Subcommand)]
pub(crate) enum ScanCommand {
    /// Starts a scan; with --wait, shows the result and reports it by exit code
    Start(start::Start),
    /// Shows the state of a scan and what is new in it
    Status(ScanChoice),
    /// Lists scans, newest first
    List(list::List),
    /// Lists the results of a scan, or shows one in detail
    Results(results::Results),
    /// Shows what changed between two scans
    Compare(compare::Compare),
    /// Shows the scores of past scans, oldest first
    Trend(trend::Trend),
    /// Evaluates a check again on the settings that a scan stored
    Replay {
        /// The check's id, or an id in a framework for all checks that carry it
        check: String,
        #[command(flatten)]
        choice: ScanChoice,
    },
    /// Cancels a queued or running scan
    Cancel {
        /// The scan's id
        scan: ScanId,
    },
}

/// Selects a scan: by its id, or the latest completed one of a type.
#[derive(Debug, Args)]
pub(crate) struct ScanChoice {
    /// The scan's id [default: the latest completed scan]
    #[arg(long)]
    pub(crate) scan: Option<ScanId>,
    /// Without --scan: the type of the scan
    #[arg(long = "type", default_value = "compliance")]
    pub(crate) scan_type: ScanType,
    /// Without --scan: the integration, if more than one can be scanned
    #[arg(long)]
    pub(crate) integration: Option<IntegrationId>,
}

impl ScanChoice {
    /// Finds the selected scan.
    pub(crate) async fn find(&self, session: &Session) -> Unrecorded<Result<Scan, Error>> {
        session
            .watchpost
            .find_scan(&session.scope, self.scan, self.integration, self.scan_type)
            .await
    }
}

/// Selects checks by framework and service.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only checks with an id in these frameworks (scuba, cis, nist_800_53, nist_csf)
    #[arg(long, value_delimiter = ',')]
    pub(crate) framework: Vec<Framework>,
    /// Only checks of these services (a short name such as `exchange`, or a product name such as `Exchange Online`)
    #[arg(long, value_delimiter = ',', value_parser = service)]
    pub(crate) service: Vec<Service>,
}

impl Selection {
    pub(crate) fn filter(&self) -> ResultFilter {
        ResultFilter {
            frameworks: self.framework.clone(),
            services: self.service.clone(),
            ..ResultFilter::default()
        }
    }
}

/// Parses a service by its short name or by a product name.
fn service(text: &str) -> Result<Service, String> {
    Service::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = Service::ALL.iter().map(|service| service.as_str()).collect();
        text::scan::unknown_service(&known)
    })
}

pub(crate) async fn run(command: ScanCommand, session: &Session, output: Output) -> Result<()> {
    match command {
        ScanCommand::Start(args) => start::run(args, session, output).await,
        ScanCommand::Status(choice) => status::run(&choice, session, output).await,
        ScanCommand::List(args) => list::run(args, session, output).await,
        ScanCommand::Results(args) => results::run(args, session, output).await,
        ScanCommand::Compare(args) => compare::run(args, session, output).await,
        ScanCommand::Trend(args) => trend::run(args, session, output).await,
        ScanCommand::Replay { check, choice } => replay(&check, &choice, session, output).await,
        ScanCommand::Cancel { scan } => cancel(scan, session, output).await,
    }
}

async fn cancel(scan: ScanId, session: &Session, output: Output) -> Result<()> {
    let call = session.call("scan cancel", &json!({"scan_id": scan}));
    session
        .watchpost
        .cancel_scan(&session.scope, scan, call)
        .await
        .map_err(from_core)?;
    Ok(output.answer(
        &json!({"scan_id": scan, "status": RunState::Cancelled}),
        text::scan::CANCELLED,
    )?)
}

async fn replay(check: &str, choice: &ScanChoice, session: &Session, output: Output) -> Result<()> {
    let scan = choice.find(session).await;
    let answer = session
        .read(
            "scan.read",
            "scan replay",
            scan.then(async |scan| session.watchpost.replay(&session.scope, scan, check).await)
                .await,
        )
        .await?;
    let agrees = answer.iter().all(Replay::agrees);
    let replays: Vec<Value> = answer.iter().map(replay_json).collect();
    let json = match &replays[..] {
        [one] => one.clone(),
        _ => json!({"same_verdict": agrees, "checks": replays}),
    };
    output.answer(&json, &text::scan::replays(&answer))?;
    if agrees {
        Ok(())
    } else {
        Err(fail(code::PROBLEM_FOUND, text::scan::VERDICT_DIFFERS))
    }
}

fn replay_json(replay: &Replay) -> Value {
    json!({
        "same_verdict": replay.agrees(),
        "then": row_json(&replay.then.row),
        "now": row_json(&replay.now.row),
    })
}

pub(crate) fn scan_json(scan: &Scan) -> Value {
    let score = scan.score();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    put("scan_id", json!(scan.id));
    put("scan_type", json!(scan.scan_type));
    put("status", json!(scan.state));
    put("integration_id", json!(scan.integration));
    put("platform", json!(scan.platform));
    put("name", json!(scan.integration_name));
    put("trigger", json!(scan.trigger.as_str()));
    put("queued_at", json!(scan.queued_at));
    put("completed_at", json!(scan.completed_at));
    put("reason", json!(scan.reason));
    put("score", json!(score));
    put("band", json!(score.map(|score| score.band().as_str())));
    put("exposure", json!(scan.exposure().map(|label| label.as_str())));
    put("passed", json!(scan.counts.passed));
    put("failed", json!(scan.counts.failed));
    put("skipped", json!(scan.counts.skipped_total()));
    put("errors", json!(scan.counts.errors));
    Value::Object(object)
}

pub(crate) fn counts_json(counts: &ScanCounts) -> Value {
    let mut json = json!({
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped_total(),
        "errors": counts.errors,
    });
    if let (Some(score), Value::Object(object)) = (counts.score(), &mut json) {
        object.insert("score".into(), json!(score));
    }
    json
}

pub(crate) fn row_json(row: &ResultRow) -> Value {
    let mut json = json!({
        "check_id": row.check_id,
        "title": row.title,
        "result": row.result,
        "severity": row.severity,
        "service": row.service,
        "framework_ids": row.frameworks.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "reason": row.reason,
        "failing": row.entities,
    });
    if let (Some(skip), Value::Object(object)) = (row.skip, &mut json) {
        object.insert("skip_reason".into(), json!(skip));
    }
    json
}
