//! `watchpost score`.

use crate::{
    command::findings::summary_json,
    failure::{code, fail},
    output::Output,
    session::Session,
    text,
};
use anyhow::Result;
use serde_json::{Value, json};
use watchpost_core::{
    posture::Freshness,
    service::{Change, Scored},
    value::word::Severity,
};

pub(crate) async fn run(session: &Session, output: Output) -> Result<()> {
    let answer = session
        .read(
            "posture.read",
            "score",
            session.watchpost.risk(&session.scope).await,
        )
        .await?;
    let warnings: Vec<String> = answer
        .freshness
        .warnings(session.watchpost.clock().now())
        .into_iter()
        .map(text::next::warning)
        .collect();
    match answer.score {
        Err(not_ready) => {
            let step = text::next::step(not_ready.next_step);
            let json = json!({"state": not_ready.state, "next_step": step, "warnings": warnings});
            output.answer(&json, &text::score::not_ready(&not_ready.state.spoken(), &step))?;
            if !output.json {
                warn(&warnings, output);
            }
            Err(fail(code::PROBLEM_FOUND, text::score::NO_SCORE))
        }
        Ok(scored) => {
            output.answer(
                &score_json(&scored, &answer.freshness, &warnings),
                &text::score::details(&scored, &answer.freshness),
            )?;
            if !output.json {
                warn(&warnings, output);
            }
            Ok(())
        }
    }
}

fn warn(warnings: &[String], output: Output) {
    for warning in warnings {
        output.note(&text::score::warning(warning));
    }
}

fn score_json(scored: &Scored, freshness: &Freshness, warnings: &[String]) -> Value {
    let counts: serde_json::Map<String, Value> = Severity::ALL
        .iter()
        .zip(scored.severity_counts)
        .map(|(severity, count)| (severity.to_string(), json!(count)))
        .collect();
    let change = |change: Option<Change>| {
        change.map(|change| json!({"at": change.at, "score": change.score, "difference": change.difference}))
    };
    json!({
        "score": scored.risk.score,
        "label": scored.risk.rating.label,
        "grade": scored.risk.rating.grade,
        "decided_by": scored.risk.rating.decided_by,
        "direction": "higher_is_worse",
        "severity_counts": counts,
        "not_scored": scored.not_scored,
        "identities": scored.identities,
        "points": scored.risk.raw,
        "ceiling": scored.risk.ceiling,
        "score_exact": tenths(scored.risk.tenths()),
        "points_by_category": scored.risk.points_by_category.iter().map(|(category, points)| (category.to_string(), json!(points))).collect::<serde_json::Map<_, _>>(),
        "top_findings": scored.top.iter().map(|top| {
            let mut row = summary_json(&top.finding);
            row["score_without"] = tenths(top.saving.score_without_tenths);
            row["points_saved"] = tenths(top.saving.saved_tenths);
            row
        }).collect::<Vec<_>>(),
        "change": {"last_analysis": change(scored.since_last), "seven_days": change(scored.since_week), "thirty_days": change(scored.since_month)},
        "without_people_of": freshness.without_people().map(|source| source.platform).collect::<Vec<_>>(),
        "as_of": freshness.as_of,
        "warnings": warnings,
    })
}

/// A number of tenths as a JSON number with one decimal.
fn tenths(tenths: u64) -> Value {
    json!(f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0)
}
