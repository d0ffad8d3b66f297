//! Texts of `watchpost imports`.

use crate::{output::foreign, text::counted};
use watchpost_core::service::DisagreementAnswer;

pub(crate) const NO_IMPORTS: &str = "Nothing has been imported yet.";
pub(crate) const NO_RESULTS: &str = "No results match.";
pub(crate) const MORE_RESULTS: &str = "There are more results: raise --limit, or continue with --after.";

/// Precedes the disagreements of one integration.
pub(crate) fn disagreements_of(answer: &DisagreementAnswer) -> String {
    let (name, id) = (foreign(&answer.integration.name), answer.integration.id);
    if answer.compared == 0 {
        return format!(
            "{name} ({id}): nothing to compare: no import and completed scan cover the same checks"
        );
    }
    format!(
        "{name} ({id}): {} compared, {} different",
        counted(answer.compared, "verdict", "verdicts"),
        answer.rows.len()
    )
}
