//! `watchpost integrations verify`, and what missing permissions cost.

use super::find;
use crate::{
    failure::{code, fail, from_core},
    output::{Output, Progress, foreign},
    session::Session,
};
use anyhow::Result;
use serde_json::{Value, json};
use watchpost_core::{
    integration::{Integration, connector::Verification},
    value::{id::IntegrationId, word::Platform},
};

pub(super) async fn run(which: Option<&str>, session: &Session, output: Output) -> Result<()> {
    let id = match which {
        Some(which) => Some(find(which, session).await?),
        None => None,
    };
    let mut in_order = true;
    let mut answers = Vec::new();
    for row in chosen(id, session).await? {
        let progress = Progress::start(&format!("asking {}", row.platform.title()));
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
                // Scans are an extra: what only they need doesn't make a connection bad.
                in_order &= !missing.iter().any(serves_syncs);
                if !output.json {
                    show(&row, &verification, &missing, output)?;
                }
                answers.push(verification_json(&row, &verification, &missing));
            }
            Err(error) => {
                in_order = false;
                let error = from_core(error);
                if !output.json {
                    output.line(&format!(
                        "{} ({}): {error}",
                        row.platform.title(),
                        foreign(&row.name)
                    ))?;
                }
                answers.push(json!({"id": row.id, "platform": row.platform, "ok": false, "problem": error.to_string()}));
            }
        }
    }
    if output.json {
        output.line(&json!({"integrations": answers}).to_string())?;
    }
    if in_order {
        Ok(())
    } else {
        Err(fail(code::NOT_IN_ORDER, "not everything can be read: see above"))
    }
}

/// The integration with this id, or all that are read from a vendor; never empty.
async fn chosen(id: Option<IntegrationId>, session: &Session) -> Result<Vec<Integration>> {
    let read = session.watchpost.integrations(&session.scope).await;
    let (mut rows, ..) = session
        .read("integration.read", "integrations verify", read)
        .await?;
    rows.retain(|row| id.map_or(row.platform != Platform::Import, |id| id == row.id));
    if rows.is_empty() {
        return Err(fail(
            code::NOT_FOUND,
            "integration not found: `watchpost integrations list` shows the ids",
        ));
    }
    Ok(rows)
}

fn show(row: &Integration, verification: &Verification, missing: &[Value], output: Output) -> Result<()> {
    output.line(&format!(
        "{} ({}): the credentials are good, {} of {} permissions granted",
        row.platform.title(),
        foreign(&row.name),
        verification.permissions.iter().filter(|p| p.granted).count(),
        verification.permissions.len()
    ))?;
    for line in missing_lines(missing) {
        output.line(&line)?;
    }
    Ok(())
}

fn verification_json(row: &Integration, verification: &Verification, missing: &[Value]) -> Value {
    json!({
        "id": row.id, "platform": row.platform, "ok": true,
        "permissions": verification.permissions.iter().map(|p| json!({"permission": p.permission, "granted": p.granted, "datasets": p.datasets, "settings": p.settings, "hint": p.hint})).collect::<Vec<_>>(),
        "unlicensed": verification.unlicensed,
        "missing_permissions": missing,
    })
}

/// Each missing permission with what it costs.
pub(super) fn missing_json(session: &Session, platform: Platform, verification: &Verification) -> Vec<Value> {
    let costs = session.watchpost.rules_by_dataset(platform);
    verification
        .permissions
        .iter()
        .filter(|permission| !permission.granted)
        .map(|permission| {
            let mut rules: Vec<&str> =
                permission.datasets.iter().filter_map(|dataset| costs.get(dataset)).flatten().map(|rule| rule.id.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            json!({"permission": permission.permission, "datasets": permission.datasets, "settings": permission.settings, "rules": rules, "hint": permission.hint})
        })
        .collect()
}

/// Whether a missing permission is one that syncs need.
fn serves_syncs(missing: &Value) -> bool {
    missing["datasets"]
        .as_array()
        .is_some_and(|datasets| !datasets.is_empty())
}

pub(super) fn missing_lines(missing: &[Value]) -> Vec<String> {
    let words = |value: &Value| {
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
            let rules = words(&row["rules"]);
            let served = if serves_syncs(row) {
                words(&row["datasets"])
            } else {
                "scans".to_owned()
            };
            let cost = if !serves_syncs(row) {
                let settings = row["settings"].as_array().map_or(0, Vec::len);
                format!("without it scans can't read {settings} settings")
            } else if rules.is_empty() {
                "no rule needs it".to_owned()
            } else {
                format!("without it these rules are blind: {rules}")
            };
            let hint = row["hint"]
                .as_str()
                .map(|hint| format!(" {hint}"))
                .unwrap_or_default();
            format!(
                "  missing {} ({}): {cost}.{hint}",
                row["permission"].as_str().unwrap_or_default(),
                served
            )
        })
        .collect()
}
