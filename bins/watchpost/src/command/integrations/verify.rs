//! `watchpost integrations verify`, and the effects of missing permissions.

use super::find;
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress, foreign},
    session::Session,
    text,
};
use anyhow::Result;
use serde_json::{Value, json};
use watchpost_core::{
    integration::{Integration, connector::Verification},
    value::{
        id::IntegrationId,
        word::{CollectionState, Platform},
    },
};

pub(super) async fn run(which: Option<&str>, session: &Session, output: Output) -> Result<()> {
    let id = match which {
        Some(which) => Some(find(which, session).await?),
        None => None,
    };
    let mut ok = true;
    let mut answers = Vec::new();
    for row in chosen(id, session).await? {
        let progress = Progress::start(&text::integrations::asking(row.platform));
        let verified = session
            .watchpost
            .verify_integration(
                &session.scope,
                row.id,
                session.call("integrations verify", &json!({})),
            )
            .await;
        progress.finish();
        match verified {
            Ok(verification) => {
                let missing = missing_json(session, row.platform, &verification);
                // Scans are optional: a permission that only they need is no problem of the connection.
                ok &= !missing.iter().any(needed_for_syncs);
                ok &= verification
                    .datasets
                    .iter()
                    .all(|check| !matches!(check.state, CollectionState::Failed | CollectionState::Partial));
                if !output.json {
                    show(&row, &verification, &missing, output)?;
                }
                answers.push(verification_json(&row, &verification, &missing));
            }
            Err(error) => {
                ok = false;
                let error = from_core(error);
                if !output.json {
                    output.line(&text::integrations::verification_failed(
                        row.platform,
                        &foreign(&row.name),
                        &error,
                    ))?;
                }
                answers.push(json!({"id": row.id, "platform": row.platform, "ok": false, "problem": error.to_string()}));
            }
        }
    }
    if output.json {
        output.line(&json!({"integrations": answers}).to_string())?;
    }
    if ok {
        Ok(())
    } else {
        Err(fail(
            code::PROBLEM_FOUND,
            text::integrations::NOT_EVERYTHING_READABLE,
        ))
    }
}

/// The integration with this id, or all integrations that are synced with a vendor; never empty.
async fn chosen(id: Option<IntegrationId>, session: &Session) -> Result<Vec<Integration>> {
    let read = session.watchpost.integrations(&session.scope).await;
    let (mut rows, ..) = session
        .read("integration.read", "integrations verify", read)
        .await?;
    rows.retain(|row| id.map_or(row.platform != Platform::Import, |id| id == row.id));
    if rows.is_empty() {
        return Err(fail(code::NOT_FOUND, text::integrations::NOT_FOUND));
    }
    Ok(rows)
}

fn show(row: &Integration, verification: &Verification, missing: &[Value], output: Output) -> Result<()> {
    output.line(&text::integrations::verified(
        row.platform,
        &foreign(&row.name),
        verification.permissions.iter().filter(|p| p.granted).count(),
        verification.permissions.len(),
    ))?;
    for line in dataset_lines(verification) {
        output.line(&line)?;
    }
    for line in missing_lines(missing) {
        output.line(&line)?;
    }
    Ok(())
}

/// A line for each dataset.
fn dataset_lines(verification: &Verification) -> Vec<String> {
    let checks = verification.datasets.iter();
    checks
        .map(|check| text::integrations::dataset(check.dataset, check.state, check.detail.as_deref()))
        .collect()
}

/// A line for each dataset that isn't readable, except those that a missing permission explains.
pub(super) fn doubtful_lines(verification: &Verification) -> Vec<String> {
    let checks = verification.datasets.iter();
    checks
        .filter(|check| !matches!(check.state, CollectionState::Complete | CollectionState::Denied))
        .map(|check| text::integrations::dataset(check.dataset, check.state, check.detail.as_deref()))
        .collect()
}

pub(super) fn datasets_json(verification: &Verification) -> Vec<Value> {
    let checks = verification.datasets.iter();
    checks
        .map(|check| json!({"dataset": check.dataset, "state": check.state, "detail": check.detail}))
        .collect()
}

fn verification_json(row: &Integration, verification: &Verification, missing: &[Value]) -> Value {
    json!({
        "id": row.id, "platform": row.platform, "ok": true,
        "permissions": verification.permissions.iter().map(|p| json!({"permission": p.permission, "granted": p.granted, "datasets": p.datasets, "settings": p.settings, "hint": p.hint})).collect::<Vec<_>>(),
        "datasets": datasets_json(verification),
        "unlicensed": verification.unlicensed,
        "missing_permissions": missing,
    })
}

/// Each missing permission with the datasets and settings that can't be read and the rules that can't judge.
pub(super) fn missing_json(session: &Session, platform: Platform, verification: &Verification) -> Vec<Value> {
    let rules_by_dataset = session.watchpost.rules_by_dataset(platform);
    verification
        .permissions
        .iter()
        .filter(|permission| !permission.granted)
        .map(|permission| {
            let mut rules: Vec<&str> =
                permission.datasets.iter().filter_map(|dataset| rules_by_dataset.get(dataset)).flatten().map(|rule| rule.id.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            json!({"permission": permission.permission, "datasets": permission.datasets, "settings": permission.settings, "rules": rules, "hint": permission.hint})
        })
        .collect()
}

/// Whether syncs need a missing permission.
fn needed_for_syncs(missing: &Value) -> bool {
    missing["datasets"]
        .as_array()
        .is_some_and(|datasets| !datasets.is_empty())
}

/// A line for each missing permission.
pub(super) fn missing_lines(missing: &[Value]) -> Vec<String> {
    let joined = |value: &Value| {
        value
            .as_array()
            .map(|list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            })
            .unwrap_or_default()
    };
    missing
        .iter()
        .map(|row| {
            let permission = row["permission"].as_str().unwrap_or_default();
            let hint = row["hint"].as_str();
            if needed_for_syncs(row) {
                let (datasets, rules) = (joined(&row["datasets"]), joined(&row["rules"]));
                text::integrations::missing_for_syncs(permission, &datasets, &rules, hint)
            } else {
                let settings = row["settings"].as_array().map_or(0, Vec::len);
                text::integrations::missing_for_scans(permission, settings, hint)
            }
        })
        .collect()
}
