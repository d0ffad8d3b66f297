//! `watchpost scan status`, and the JSON that `scan start --wait` ends with.

use super::{ScanChoice, counts_json, row_json, scan_json};
use crate::{output::Output, session::Session, text};
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Display};
use watchpost_core::{
    scan::{ResultFilter, ScanCounts},
    service::{NewFailures, ScanAnswer},
    value::word::RunState,
};

pub(super) async fn run(choice: &ScanChoice, session: &Session, output: Output) -> Result<()> {
    let scan = choice.find(session).await;
    let answer = session
        .read(
            "scan.read",
            "scan status",
            scan.then(async |scan| {
                session
                    .watchpost
                    .explain_scan(&session.scope, scan, &ResultFilter::default())
                    .await
            })
            .await,
        )
        .await?;
    Ok(output.answer(&answer_json(&answer), &text::scan::status(&answer))?)
}

/// A scan and, once it is completed, its groups, new failures and unread settings.
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

fn groups_json<N: Display>(groups: &BTreeMap<N, ScanCounts>) -> Value {
    groups
        .iter()
        .map(|(name, counts)| (name.to_string(), counts_json(counts)))
        .collect::<Map<_, _>>()
        .into()
}
