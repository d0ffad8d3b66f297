//! The controls of a framework in its own order, with the results of their checks.

use std::{cmp::Ordering, collections::BTreeMap};
use watchpost_core::{
    check::{CheckResult, Framework, SkipReason},
    scan::{ResultDetail, ScanCounts},
};

/// The state of a control, from the results of its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ControlState {
    /// A check failed.
    Failed,
    /// No check failed, but one is in error.
    Error,
    /// Some checks passed, and others couldn't be judged.
    Incomplete,
    /// Every applicable check passed.
    Passed,
    /// No check was judged.
    NotJudged,
}

impl ControlState {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Incomplete => "Incomplete",
            Self::Passed => "Passed",
            Self::NotJudged => "Not judged",
        }
    }
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Incomplete => "incomplete",
            Self::Passed => "passed",
            Self::NotJudged => "not_judged",
        }
    }

    fn of(results: &[&ResultDetail]) -> Self {
        let any = |result| results.iter().any(|detail| detail.row.result == result);
        let unjudged = results.iter().any(|detail| {
            detail.row.result == CheckResult::Skipped && detail.row.skip != Some(SkipReason::NotApplicable)
        });
        if any(CheckResult::Failed) {
            Self::Failed
        } else if any(CheckResult::Error) {
            Self::Error
        } else if any(CheckResult::Passed) {
            if unjudged { Self::Incomplete } else { Self::Passed }
        } else {
            Self::NotJudged
        }
    }
}

/// One control.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    /// The control's id in the framework.
    pub id: &'a str,
    /// The control's state.
    pub state: ControlState,
    /// The results of the control's checks, worst first.
    pub results: Vec<&'a ResultDetail>,
}

/// The controls of one section of a framework.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    /// The section's name, e.g. `MS.AAD`, `CIS.M365.5.2`, `NIST.800-53.AC`.
    pub name: String,
    /// The counts of the section's checks.
    pub counts: ScanCounts,
    /// The section's controls.
    pub controls: Vec<Control<'a>>,
}

/// A framework with all controls for which a check was run.
#[derive(Debug)]
pub(crate) struct FrameworkControls<'a> {
    /// The framework.
    pub framework: Framework,
    /// The framework's sections.
    pub sections: Vec<Section<'a>>,
}

impl<'a> FrameworkControls<'a> {
    pub(crate) fn of(framework: Framework, results: &'a [ResultDetail]) -> Self {
        let mut by_id: BTreeMap<Key<'a>, Vec<&'a ResultDetail>> = BTreeMap::new();
        for detail in results {
            let mut ids: Vec<&'a str> = detail
                .row
                .frameworks
                .iter()
                .filter(|id| id.framework() == framework)
                .map(|id| id.as_str())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                by_id.entry(Key(id)).or_default().push(detail);
            }
        }
        let mut sections: Vec<Section<'a>> = Vec::new();
        for (Key(id), results) in by_id {
            let name = section_of(framework, id);
            let control = Control {
                id,
                state: ControlState::of(&results),
                results,
            };
            match sections.last_mut().filter(|section| section.name == name) {
                Some(section) => section.controls.push(control),
                None => sections.push(Section {
                    name: name.to_owned(),
                    counts: ScanCounts::default(),
                    controls: vec![control],
                }),
            }
        }
        for section in &mut sections {
            // A check with several controls in the section counts once.
            let rows: BTreeMap<&str, _> = section
                .controls
                .iter()
                .flat_map(|control| &control.results)
                .map(|detail| (detail.row.check_id.as_str(), &detail.row))
                .collect();
            section.counts = ScanCounts::of(rows.into_values());
        }
        Self { framework, sections }
    }

    /// The number of controls in a state; `None` counts all controls.
    pub(crate) fn count(&self, state: Option<ControlState>) -> u64 {
        self.sections
            .iter()
            .flat_map(|section| &section.controls)
            .filter(|control| state.is_none_or(|state| control.state == state))
            .count() as u64
    }
}

/// The section of a framework to which an id belongs.
fn section_of(framework: Framework, id: &str) -> &str {
    let cut = |text: &'_ str, dots: usize| text.match_indices('.').nth(dots).map_or(text.len(), |(at, _)| at);
    match framework {
        Framework::Scuba => id.get(..cut(id, 1)).unwrap_or(id),
        Framework::Cis => id.get(..cut(id, 3)).unwrap_or(id),
        Framework::Nist80053 => {
            let end = id.rfind('-').filter(|at| *at > "NIST.800-53".len());
            id.get(..end.unwrap_or(id.len())).unwrap_or(id)
        }
        Framework::NistCsf => id.get(..cut(id, 2)).unwrap_or(id),
        Framework::Eidsca => id.get(..cut(id, 0)).unwrap_or(id),
        Framework::Other => id.get(..cut(id, 0)).unwrap_or(id),
    }
}

/// An id in natural sort order: `5.2` before `5.10`.
#[derive(Debug, PartialEq, Eq)]
struct Key<'a>(&'a str);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(self.0, other.0).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn natural(mut one: &str, mut two: &str) -> Ordering {
    loop {
        let (a, rest_a) = piece(one);
        let (b, rest_b) = piece(two);
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
        (one, two) = (rest_a, rest_b);
    }
}

/// Splits off the leading digits, or the leading characters other than digits.
fn piece(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text
        .find(|c: char| c.is_ascii_digit() != digit)
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_naturally() {
        let mut ids = [
            "CIS.M365.5.10.1",
            "CIS.M365.5.2.1",
            "CIS.M365.1.3",
            "CIS.M365.5.2.10",
            "CIS.M365.5.2",
        ];
        ids.sort_by(|a, b| natural(a, b));
        assert_eq!(
            ids,
            [
                "CIS.M365.1.3",
                "CIS.M365.5.2",
                "CIS.M365.5.2.1",
                "CIS.M365.5.2.10",
                "CIS.M365.5.10.1"
            ]
        );
    }

    #[test]
    fn an_id_begins_with_its_section() {
        let check =
            |framework, id: &str, expected: &str| assert_eq!(section_of(framework, id), expected, "{id}");
        check(Framework::Scuba, "MS.AAD.1.1v1", "MS.AAD");
        check(Framework::Cis, "CIS.M365.5.2.2.3", "CIS.M365.5.2");
        check(Framework::Nist80053, "NIST.800-53.AC-6", "NIST.800-53.AC");
        check(Framework::NistCsf, "NIST.CSF.PR.AA", "NIST.CSF.PR");
        check(Framework::Other, "ACME", "ACME");
        check(Framework::Nist80053, "NIST.800-53.AC", "NIST.800-53.AC");
    }
}
