//! `watchpost scan`: starting scans, and reading and comparing what they found.

mod compare;
mod results;
mod start;

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
    scan::{ResultRow, Scan, ScanCounts, ScanQuery},
    service::{NewFailures, ScanAnswer},
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
    Status(Choice),
    /// Scans, newest first
    List(List),
    /// Results of a scan's checks, or everything about one
    Results(results::Results),
    /// What changed between two scans
    Compare(compare::Compare),
    /// How the score moved, oldest scan first
    Trend(Trend),
    /// Judges a check again on the settings that a scan had kept
    Replay {
        /// A check's id, or its id in a framework
        check: String,
        #[command(flatten)]
        choice: Choice,
    },
    /// Cancels a scan that waits or runs
    Cancel {
        /// The scan's id
        scan: ScanId,
    },
}

/// Which scan: one by its id, or the latest completed one.
#[derive(Debug, Args)]
pub(crate) struct Choice {
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

impl Choice {
    /// The scan that is meant.
    pub(crate) async fn find(&self, session: &Session) -> Result<Scan> {
        session
            .watchpost
            .find_scan(&session.scope, self.scan, self.integration, self.scan_type)
            .await
            .map_err(from_core)
    }
}

/// What answers are confined to.
#[derive(Debug, Args)]
pub(crate) struct Confined {
    /// Only checks with an id in these frameworks (scuba, cis, nist_800_53, nist_csf)
    #[arg(long, value_delimiter = ',')]
    pub(crate) framework: Vec<Framework>,
    /// Only checks of these services (a word such as `exchange`, or a product's name such as `Exchange Online`)
    #[arg(long, value_delimiter = ',', value_parser = service)]
    pub(crate) service: Vec<Service>,
}

impl Confined {
    pub(crate) fn admits(&self, row: &ResultRow) -> bool {
        (self.service.is_empty() || self.service.contains(&row.service))
            && (self.framework.is_empty()
                || row
                    .frameworks
                    .iter()
                    .any(|id| self.framework.contains(&id.framework())))
    }
}

/// A service by its word or a product's name.
fn service(text: &str) -> Result<Service, String> {
    Service::from_name(text).ok_or_else(|| {
        let words: Vec<&str> = Service::ALL.iter().map(|service| service.as_str()).collect();
        format!("use one of {}", words.join(", "))
    })
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only scans of this type
    #[arg(long = "type")]
    scan_type: Option<ScanType>,
    /// Only scans of this integration
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// Only scans in this state
    #[arg(long)]
    status: Option<RunState>,
    /// How many at the most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
}

#[derive(Debug, Args)]
pub(crate) struct Trend {
    /// The type of scans
    #[arg(long = "type", default_value = "compliance")]
    scan_type: ScanType,
    /// The integration, where several can be scanned
    #[arg(long)]
    integration: Option<IntegrationId>,
    /// How many days back
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=3_650))]
    days: i64,
}

pub(crate) async fn run(command: ScanCommand, session: &Session, output: Output) -> Result<()> {
    match command {
        ScanCommand::Start(args) => start::run(args, session, output).await,
        ScanCommand::Status(choice) => {
            let scan = choice.find(session).await?;
            status(scan, session, output).await
        }
        ScanCommand::List(list) => list_scans(list, session, output).await,
        ScanCommand::Results(args) => results::run(args, session, output).await,
        ScanCommand::Compare(args) => compare::run(args, session, output).await,
        ScanCommand::Trend(args) => trend(args, session, output).await,
        ScanCommand::Replay { check, choice } => {
            let scan = choice.find(session).await?;
            replay(&check, scan, session, output).await
        }
        ScanCommand::Cancel { scan } => {
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

async fn status(scan: Scan, session: &Session, output: Output) -> Result<()> {
    let answer = session
        .watchpost
        .explain_scan(&session.scope, scan)
        .await
        .map_err(from_core)?;
    session.record("scan.read", "scan status").await?;
    let (json, text) = explained(&answer);
    Ok(output.answer(&json, &text)?)
}

/// An explained scan for programs and for people.
pub(crate) fn explained(answer: &ScanAnswer) -> (Value, String) {
    let scan = &answer.scan;
    let mut json = scan_json(scan);
    let mut text = format!(
        "{} scan of {} ({}): {}",
        scan.scan_type,
        scan.platform.title(),
        foreign(&scan.integration_name),
        scan.state
    );
    if let Some(reason) = &scan.reason {
        text.push_str(&format!("\n{reason}"));
    }
    let Value::Object(object) = &mut json else {
        return (json, text);
    };
    if scan.state != RunState::Completed {
        return (json, text);
    }
    text.push_str(&format!(
        "\n{}; {} passed, {} failed, {} skipped, {} errors",
        score_words(scan),
        scan.counts.passed,
        scan.counts.failed,
        scan.counts.skipped_total(),
        scan.counts.errors
    ));
    let groups = answer
        .by_framework
        .iter()
        .map(|(word, counts)| (word.as_str(), counts_json(counts)))
        .collect::<std::collections::BTreeMap<_, _>>();
    object.insert("by_framework".into(), json!(groups));
    let groups = answer
        .by_service
        .iter()
        .map(|(word, counts)| (word.as_str(), counts_json(counts)))
        .collect::<std::collections::BTreeMap<_, _>>();
    object.insert("by_service".into(), json!(groups));
    match &answer.new_failures {
        None => {}
        Some(NewFailures::Unknown(why)) => {
            object.insert("new_failures_note".into(), json!(why));
            text.push_str(&format!("\nNothing to compare with: {why}."));
        }
        Some(NewFailures::Since {
            previous,
            rows,
            fixed,
            ..
        }) => {
            object.insert("previous_scan_id".into(), json!(previous));
            object.insert(
                "new_failures".into(),
                rows.iter().map(row_json).collect::<Vec<_>>().into(),
            );
            object.insert("fixed".into(), json!(fixed));
            text.push_str(&format!(
                "\n{} new failures since the scan before, {fixed} fixed",
                rows.len()
            ));
            for row in rows {
                text.push_str(&format!("\n  {} {} ({})", row.severity, row.title, row.check_id));
            }
        }
    }
    if !answer.unread.is_empty() {
        let rows: Vec<Value> = answer
            .unread
            .iter()
            .map(|row| json!({"path": row.path, "state": row.state, "detail": row.detail}))
            .collect();
        object.insert("unread".into(), rows.into());
        text.push_str(&format!(
            "\n{} settings could not be read wholly:",
            answer.unread.len()
        ));
        for row in &answer.unread {
            let detail = row.detail.as_deref().unwrap_or("no reason is known");
            text.push_str(&format!("\n  {}: {}: {detail}", row.path, row.state));
        }
    }
    (json, text)
}

async fn list_scans(list: List, session: &Session, output: Output) -> Result<()> {
    let query = ScanQuery {
        integration: list.integration,
        scan_type: list.scan_type,
        state: list.status,
        before: None,
        limit: list.limit.into(),
    };
    let page = session
        .watchpost
        .scans(&session.scope, &query)
        .await
        .map_err(from_core)?;
    session.record("scan.read", "scan list").await?;
    let json = json!({
        "scans": page.scans.iter().map(scan_json).collect::<Vec<_>>(),
        "total": page.total,
    });
    let rows = page
        .scans
        .iter()
        .map(|scan| {
            vec![
                scan.completed_at.unwrap_or(scan.queued_at).to_string(),
                scan.scan_type.to_string(),
                format!("{} {}", scan.platform, foreign(&scan.integration_name)),
                scan.state.to_string(),
                score_words(scan),
                scan.counts.failed.to_string(),
                scan.id.to_string(),
            ]
        })
        .collect();
    Ok(output.table(
        &json,
        &["when", "type", "of", "status", "score", "failed", "id"],
        rows,
        "No scans yet: `watchpost scan start` makes the first.",
    )?)
}

async fn trend(args: Trend, session: &Session, output: Output) -> Result<()> {
    let since = session.watchpost.clock().now().plus_millis(
        args.days
            .saturating_mul(watchpost_core::value::time::DAY_MS)
            .saturating_neg(),
    );
    let answer = session
        .watchpost
        .score_trend(&session.scope, args.integration, args.scan_type, since)
        .await
        .map_err(from_core)?;
    session.record("scan.read", "scan trend").await?;
    let points: Vec<Value> = answer
        .points
        .iter()
        .map(|point| {
            let mut json = counts_json(&point.counts);
            if let Value::Object(object) = &mut json {
                object.insert("scan_id".into(), json!(point.scan));
                object.insert("at".into(), json!(point.at));
            }
            json
        })
        .collect();
    let rows = answer
        .points
        .iter()
        .map(|point| {
            vec![
                point.at.to_string(),
                point
                    .counts
                    .score()
                    .map_or_else(|| "no score".to_owned(), |score| score.to_string()),
                point.counts.failed.to_string(),
                point.scan.to_string(),
            ]
        })
        .collect();
    Ok(output.table(
        &json!({"scan_type": answer.scan_type, "direction": "higher_is_better", "points": points}),
        &["when", "score", "failed", "scan"],
        rows,
        "No completed scans in that time.",
    )?)
}

async fn replay(check: &str, scan: Scan, session: &Session, output: Output) -> Result<()> {
    let answer = session
        .watchpost
        .replay(&session.scope, scan, check)
        .await
        .map_err(from_core)?;
    session.record("scan.read", "scan replay").await?;
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
