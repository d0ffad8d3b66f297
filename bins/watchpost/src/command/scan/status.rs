//! `watchpost scan status`, and what `scan start --wait` shows at its end.

use super::{ScanChoice, counts_json, row_json, scan_json, score_words};
use crate::{
    output::{Output, foreign},
    session::Session,
};
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Display};
use watchpost_core::{
    scan::ScanCounts,
    service::{NewFailures, ScanAnswer},
    value::word::RunState,
};

pub(super) async fn run(choice: &ScanChoice, session: &Session, output: Output) -> Result<()> {
    let scan = choice.find(session).await;
    let answer = session
        .read(
            "scan.read",
            "scan status",
            scan.then(async |scan| session.watchpost.explain_scan(&session.scope, scan).await)
                .await,
        )
        .await?;
    Ok(output.answer(&answer_json(&answer), &answer_text(&answer))?)
}

/// A scan with its groups, new failures and unread settings; the latter only once it is completed.
pub(super) fn answer_json(answer: &ScanAnswer) -> Value {
    let mut json = scan_json(&answer.scan);
    if answer.scan.state != RunState::Completed {
        return json;
    }
    json["by_framework"] = groups_json(&answer.by_framework);
    json["by_service"] = groups_json(&answer.by_service);
    match &answer.new_failures {
        None => {}
        Some(NewFailures::Unknown(why)) => json["new_failures_note"] = json!(why),
        Some(NewFailures::Since {
            previous,
            rows,
            fixed,
            ..
        }) => {
            json["previous_scan_id"] = json!(previous);
            json["new_failures"] = rows.iter().map(row_json).collect();
            json["fixed"] = json!(fixed);
        }
    }
    if !answer.unread.is_empty() {
        json["unread"] = answer
            .unread
            .iter()
            .map(|row| json!({"path": row.path, "state": row.state, "detail": row.detail}))
            .collect();
    }
    json
}

fn groups_json<W: Display>(groups: &BTreeMap<W, ScanCounts>) -> Value {
    groups
        .iter()
        .map(|(word, counts)| (word.to_string(), counts_json(counts)))
        .collect::<Map<_, _>>()
        .into()
}

/// The same for people.
pub(super) fn answer_text(answer: &ScanAnswer) -> String {
    let scan = &answer.scan;
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
    if scan.state != RunState::Completed {
        return text;
    }
    text.push_str(&format!(
        "\n{}; {} passed, {} failed, {} skipped, {} errors",
        score_words(scan),
        scan.counts.passed,
        scan.counts.failed,
        scan.counts.skipped_total(),
        scan.counts.errors
    ));
    match &answer.new_failures {
        None => {}
        Some(NewFailures::Unknown(why)) => text.push_str(&format!("\nNothing to compare with: {why}.")),
        Some(NewFailures::Since { rows, fixed, .. }) => {
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
        text.push_str(&format!(
            "\n{} settings could not be read wholly:",
            answer.unread.len()
        ));
        for row in &answer.unread {
            let detail = row.detail.as_deref().unwrap_or("no reason is known");
            text.push_str(&format!("\n  {}: {}: {detail}", row.path, row.state));
        }
    }
    text
}
