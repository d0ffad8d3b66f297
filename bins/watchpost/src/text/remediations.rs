//! Texts of `watchpost remediations`.

use crate::output::foreign;
use watchpost_core::remediation::Remediation;

pub(crate) const NO_REMEDIATIONS: &str = "No remediations match.";
pub(crate) const REJECTED: &str = "The remediation is rejected.";
pub(crate) const ALREADY_REJECTED: &str = "Nothing changed: the remediation is already rejected.";

pub(crate) fn details(row: &Remediation) -> String {
    format!(
        "{} on {}\n{}\nfinding {}: {}\nrequested at {}{}",
        row.action,
        foreign(&row.target),
        row.state.spoken(),
        row.finding,
        foreign(&row.finding_title),
        row.requested_at,
        row.note
            .as_ref()
            .map(|note| format!("\nnote: {}", foreign(note)))
            .unwrap_or_default(),
    )
}
