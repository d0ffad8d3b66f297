//! Which findings come first, and one finding that several rules and checks of its condition see. Pure: stores call
//! these inside their transaction.

use crate::value::word::Severity;
use std::cmp::Reverse;

/// Where a live finding stands among those to repair first: what repairing it saves, then severity. Of equal ones the
/// oldest comes first.
pub fn repair_rank(severity: Severity, scored: bool) -> impl Ord {
    let points = if scored { severity.points() } else { 0 };
    (Reverse(points), severity)
}

/// What one rule or check says of a finding, as far as it decides what the finding shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The rule or check.
    pub rule_id: String,
    /// The severity that it gives.
    pub severity: Severity,
    /// Whether it counts in the risk score.
    pub scored: bool,
    /// Whether it still sees the finding.
    pub holds: bool,
}

/// What a finding shows of its sightings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Position of the sighting whose severity, category and sentence the finding has.
    pub from: usize,
    /// Ids of those that see it besides the finding's first, sorted.
    pub also: Vec<String>,
}

/// What a finding shows of its sightings, `first` being the rule or check that saw it first: the worst that holds, of
/// equal ones the first. `None` if none holds: then the finding ends.
pub fn shown(first: &str, sightings: &[Sighting]) -> Option<Shown> {
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
    Some(Shown { from, also })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_holds_is_shown_and_the_others_are_named() {
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
                let found = shown(first, &sightings);
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
        // Equal ones: the first. A worse one is shown.
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
        // What counts in the score comes before what doesn't.
        check(
            "a",
            &[("a", Critical, false, true), ("b", High, true, true)],
            Some(("b", &["b"])),
        );
        // The first may be silent: it stays the first, and the others are named.
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
