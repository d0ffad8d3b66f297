//! Texts of `watchpost score`.

use crate::{output::foreign, text::counted};
use std::fmt::Display;
use watchpost_core::{posture::Freshness, service::Scored, value::word::Severity};

pub(crate) const NO_SCORE: &str = "no score";

/// `step` is what to do to get a score.
pub(crate) fn not_ready(state: &dyn Display, step: &str) -> String {
    format!("There is no score yet ({state}).\n{step}")
}

pub(crate) fn warning(warning: &str) -> String {
    format!("note: {warning}")
}

/// The end of a sentence about the score, if the people of some platforms have never been read.
pub(crate) fn without_people(platforms: &[&str]) -> String {
    if platforms.is_empty() {
        return String::new();
    }
    format!(
        "; without the people of {}, who could not be read",
        platforms.join(" and ")
    )
}

/// The score, its explanation, the changes since earlier analyses, and what to fix first.
pub(crate) fn details(scored: &Scored, freshness: &Freshness) -> String {
    let risk = &scored.risk;
    let mut text = format!(
        "Risk score {} of 100 ({}; higher is worse)\n{} of {} points, for {}",
        risk.score,
        risk.rating,
        risk.raw,
        risk.ceiling,
        counted(scored.identities, "identity", "identities")
    );
    if let Some(at) = freshness.as_of {
        text.push_str(&format!("; as of {at}"));
    }
    let unread: Vec<_> = freshness
        .without_people()
        .map(|source| source.platform.title())
        .collect();
    text.push_str(&without_people(&unread));
    let counts: Vec<String> = Severity::ALL
        .iter()
        .zip(scored.severity_counts)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    text.push_str(&format!("\n\nOpen findings: {}", counts.join(", ")));
    if scored.not_scored > 0 {
        text.push_str(&format!(" ({} not counted in the score)", scored.not_scored));
    }
    for (name, change) in [
        ("the previous analysis", scored.since_last),
        ("7 days ago", scored.since_week),
        ("30 days ago", scored.since_month),
    ] {
        if let Some(change) = change {
            text.push_str(&format!(
                "\nCompared with {name}: {:+} (it was {})",
                change.difference, change.score
            ));
        }
    }
    if !scored.top.is_empty() {
        text.push_str("\n\nFix first");
        for top in &scored.top {
            let without = top.saving.score_without_tenths;
            text.push_str(&format!(
                "\n  {:<8} {}\n           {}, score without it: {}.{}",
                top.finding.severity.as_str(),
                foreign(&top.finding.title),
                top.finding.id,
                without / 10,
                without % 10
            ));
        }
    }
    text
}
