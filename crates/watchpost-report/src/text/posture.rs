//! The risk score and the numbers about people in the executive summary.

use super::words::{counted, moment};
use watchpost_core::{
    posture::Coverage,
    report::ReportPosture,
    value::word::{Platform, Severity},
};

pub(crate) const TITLE: &str = "Risk and people";

pub(crate) const NO_SCORE: &str = "There is no risk score and there are no numbers about people, because no platform with people has been read and analyzed.";

/// Returns one sentence or a few for each subject: the score, the findings, the people.
pub(crate) fn sentences(posture: &ReportPosture) -> Vec<String> {
    let latest = &posture.latest;
    let live: Vec<String> = Severity::ALL
        .iter()
        .zip(posture.live_by_severity)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let mut out = vec![
        format!(
            "As of {}, the risk score of the company is {} of 100 (higher is worse): {}.",
            moment(latest.at),
            posture.risk.score,
            posture.risk.rating,
        ),
        format!(
            "{}: {}.",
            counted(
                posture.live_by_severity.iter().sum(),
                "open finding",
                "open findings"
            ),
            live.join(", ")
        ),
        format!(
            "{}, {}. {} {} {} without a sign-in for 30 days.",
            counted(posture.identities, "identity", "identities"),
            counted(latest.admins, "admin", "admins"),
            coverage("MFA coverage", &latest.mfa),
            coverage("MFA coverage of admins", &latest.admin_mfa),
            counted(latest.stale_accounts, "person is", "people are"),
        ),
    ];
    if !posture.without_people.is_empty() {
        let titles: Vec<&str> = posture
            .without_people
            .iter()
            .copied()
            .map(Platform::title)
            .collect();
        out.push(format!(
            "These numbers say nothing about the people of {}, who could not be read.",
            titles.join(" and ")
        ));
    }
    out
}

fn coverage(name: &str, coverage: &Coverage) -> String {
    if coverage.unknown > 0 && coverage.tenths_of_percent().is_some() {
        format!("{name}: {coverage} ({} more unknown).", coverage.unknown)
    } else {
        format!("{name}: {coverage}.")
    }
}
