//! The order of findings by priority, and findings that several rules and checks for the same condition see. Pure
//! functions: stores call them inside their transaction.

use crate::value::word::Severity;
use std::cmp::Reverse;

/// Returns the sort key of a live finding in the list of those to fix first: the points that fixing it saves,
/// then the severity. Among equal ones the oldest comes first.
pub fn repair_rank(severity: Severity, scored: bool) -> impl Ord {
    let points = if scored { severity.points() } else { 0 };
    (Reverse(points), severity)
}

/// The part of a rule's or check's report that decides what the finding shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The id of the rule or check.
    pub rule_id: String,
    /// The severity that the rule or check assigns.
    pub severity: Severity,
    /// Whether the report counts in the risk score.
    pub scored: bool,
    /// Whether the rule or check still sees the finding.
    pub holds: bool,
}

/// The values that a finding takes from its sightings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownSighting {
    /// The index of the sighting that provides the finding's severity, category and title.
    pub from: usize,
    /// The ids of the rules and checks that see the finding besides the first one, sorted.
    pub also: Vec<String>,
}

/// Selects the sighting that a finding shows: the worst one that still holds and, among equal ones, that of
/// `first`, the rule or check that saw the finding first. Returns `None` if no sighting holds; then the finding
/// is resolved.
pub fn shown_sighting(first: &str, sightings: &[Sighting]) -> Option<ShownSighting> {
    let rank = |sighting: &Sighting| {
        (
            repair_rank(sighting.severity, sighting.scored),
            sighting.rule_id != first,
        )
    };
    let holding = || {
        sightings
            .iter()
            .enumerate()
            .filter(|(_, sighting)| sighting.holds)
    };
    let (from, _) = holding().min_by(|(_, a), (_, b)| (rank(a), &a.rule_id).cmp(&(rank(b), &b.rule_id)))?;
    let mut also: Vec<String> = holding()
        .filter(|(_, sighting)| sighting.rule_id != first)
        .map(|(_, sighting)| sighting.rule_id.clone())
        .collect();
    also.sort_unstable();
    Some(ShownSighting { from, also })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_sighting_that_holds_is_shown_and_the_others_are_listed() {
        use Severity::{Critical, High, Info};
        let check =
            |first: &str, sightings: &[(&str, Severity, bool, bool)], expected: Option<(&str, &[&str])>| {
                let sightings: Vec<Sighting> = sightings
                    .iter()
                    .map(|(rule, severity, scored, holds)| Sighting {
                        rule_id: (*rule).into(),
                        severity: *severity,
                        scored: *scored,
                        holds: *holds,
                    })
                    .collect();
                let found = shown_sighting(first, &sightings);
                let found = found
                    .as_ref()
                    .map(|shown| (sightings[shown.from].rule_id.as_str(), shown.also.clone()));
                let expected =
                    expected.map(|(rule, also)| (rule, also.iter().map(|id| (*id).to_owned()).collect()));
                assert_eq!(found, expected, "{first} {sightings:?}");
            };
        check("a", &[], None);
        check("a", &[("a", High, true, false), ("b", High, true, false)], None);
        check("a", &[("a", High, true, true)], Some(("a", &[])));
        // Among equal ones, the first is shown. A worse one takes precedence.
        check(
            "b",
            &[("a", High, true, true), ("b", High, true, true)],
            Some(("b", &["a"])),
        );
        check(
            "a",
            &[("a", High, true, true), ("b", Critical, true, true)],
            Some(("b", &["b"])),
        );
        // A sighting that counts in the score comes before one that doesn't.
        check(
            "a",
            &[("a", Critical, false, true), ("b", High, true, true)],
            Some(("b", &["b"])),
        );
        // If the first no longer sees the finding, it stays the first, and the others are listed.
        check(
            "a",
            &[
                ("a", Critical, true, false),
                ("c", High, true, true),
                ("b", Info, true, true),
            ],
            Some(("c", &["b", "c"])),
        );
    }
}
