//! `watchpost scan`: starting scans, and reading and comparing what they found.

mod compare;
mod list;
mod results;
mod start;
mod status;
mod trend;

use crate::{
    failure::{code, fail, from_core},
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use watchpost_core::{
    check::{Framework, ScanType, Service},
    error::Error,
    scan::{ResultRow, Scan, ScanCounts},
    service::Unrecorded,
    value::{
        id::{IntegrationId, ScanId},
        word::RunState,
    },
};

#[derive(Debug, Subcommand)]
pub(crate) enum ScanCommand {
    /// Starts a scan; with --wait says what came of it, for pipelines by exit code
    Start(start::Start),
    /// How a scan stands and what is new in it (default: the latest completed one)
    Status(ScanChoice),
    /// Scans, newest first
    List(list::List),
    /// Results of a scan's checks, or everything about one
    Results(results::Results),
    /// What changed between two scans
    Compare(compare::Compare),
    /// How the score moved, oldest scan first
    Trend(trend::Trend),
    /// Judges a check again on the settings that a scan had kept
    Replay {
        /// A check's id, or its id in a framework
        check: String,
        #[command(flatten)]
        choice: ScanChoice,
    },
    /// Cancels a scan that waits or runs
    Cancel {
        /// The scan's id
        scan: ScanId,
    },
}

/// Which scan: one by its id, or the latest completed one.
#[derive(Debug, Args)]
pub(crate) struct ScanChoice {
    /// The scan's id [default: the latest completed one]
    #[arg(long)]
    pub(crate) scan: Option<ScanId>,
    /// The type of the latest scan
    #[arg(long = "type", default_value = "compliance")]
    pub(crate) scan_type: ScanType,
    /// The integration, where several can be scanned
    #[arg(long)]
    pub(crate) integration: Option<IntegrationId>,
}

impl ScanChoice {
    /// The scan that is meant.
    pub(crate) async fn find(&self, session: &Session) -> Unrecorded<Result<Scan, Error>> {
        session
            .watchpost
            .find_scan(&session.scope, self.scan, self.integration, self.scan_type)
            .await
    }
}

/// Which checks an answer is about.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only checks with an id in these frameworks (scuba, cis, nist_800_53, nist_csf)
    #[arg(long, value_delimiter = ',')]
    pub(crate) framework: Vec<Framework>,
    /// Only checks of these services (a word such as `exchange`, or a product's name such as `Exchange Online`)
    #[arg(long, value_delimiter = ',', value_parser = service)]
    pub(crate) service: Vec<Service>,
}

impl Selection {
    pub(crate) fn contains(&self, row: &ResultRow) -> bool {
        row.is_within(&self.framework, &self.service)
    }
}

/// A service by its word or a product's name.
fn service(text: &str) -> Result<Service, String> {
    Service::from_name(text).ok_or_else(|| {
        let words: Vec<&str> = Service::ALL.iter().map(|service| service.as_str()).collect();
        format!("use one of {}", words.join(", "))
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
        "The scan is cancelled.",
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
    let json = json!({
        "same_verdict": answer.agrees(),
        "then": row_json(&answer.then.row),
        "now": row_json(&answer.now.row),
    });
    let text = format!(
        "then: {}: {}\nnow:  {}: {}",
        answer.then.row.result,
        foreign(&answer.then.row.reason),
        answer.now.row.result,
        foreign(&answer.now.row.reason)
    );
    output.answer(&json, &text)?;
    if answer.agrees() {
        Ok(())
    } else {
        Err(fail(
            code::NOT_IN_ORDER,
            "the verdict differs: this version's check reads those settings otherwise",
        ))
    }
}

/// Score with its band, or the exposure's label.
pub(crate) fn score_words(scan: &Scan) -> String {
    match (scan.exposure(), scan.score()) {
        (Some(label), _) => label.to_string(),
        (None, Some(score)) => format!("{score} ({})", score.band()),
        (None, None) => "no score".to_owned(),
    }
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
