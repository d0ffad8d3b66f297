//! The controls of a published SCuBA baseline that each check covers.

use super::{control_id::stem, set::CheckSet};
use std::collections::BTreeSet;
use watchpost_core::{
    check::{Check, CheckOver, Framework},
    value::word::Platform,
};

/// A generation of CISA's baselines for Microsoft 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The current one, with the security suite.
    Current,
    /// A former one, whose Defender, Exchange and Teams baselines had the controls that are now in the security suite.
    Former {
        /// Whether it is from the time before any control had a second version.
        first_versions: bool,
    },
}

/// A check and the controls of a baseline that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineLine {
    /// Position in [`CheckSet::checks`].
    pub check: usize,
    /// Ids of the controls. Empty for a check that is in no SCuBA baseline.
    pub controls: Vec<String>,
}

impl CheckSet {
    /// Returns the checks that judge an export of a tenant made for a baseline, each with the controls that it covers, in
    /// the order of checks. Checks over apps are left out, because an export lacks the data that they need.
    pub fn lines(&self, baseline: Baseline) -> Vec<BaselineLine> {
        let variants = || self.checks().iter().filter(|check| check.scan.is_none());
        let exact: BTreeSet<&str> = variants().flat_map(scuba_ids).collect();
        let stems: BTreeSet<String> = exact.iter().map(|id| stem(id)).collect();
        let mut lines = Vec::new();
        for (position, check) in self.checks().iter().enumerate() {
            let of_platform = check.platforms.is_empty() || check.platforms.contains(&Platform::M365);
            if !of_platform || check.over == CheckOver::Apps {
                continue;
            }
            let controls: Vec<String> = match (baseline, check.scan) {
                (Baseline::Current, None) => continue,
                (Baseline::Current, Some(_)) => scuba_ids(check)
                    .filter(|id| !is_former(&stem(id)))
                    .map(str::to_owned)
                    .collect(),
                (Baseline::Former { .. }, None) => scuba_ids(check).map(str::to_owned).collect(),
                (Baseline::Former { first_versions }, Some(_)) => scuba_ids(check)
                    .filter(|id| !id.starts_with("MS.SECURITYSUITE."))
                    .filter(|id| !(first_versions && stems.contains(&stem(id))))
                    .flat_map(versions)
                    .filter(|id| !exact.contains(id.as_str()))
                    .collect(),
            };
            lines.push(BaselineLine {
                check: position,
                controls,
            });
        }
        lines
    }
}

/// Returns a check's ids in the baselines for Microsoft 365.
fn scuba_ids(check: &Check) -> impl Iterator<Item = &str> {
    check.ids_in(Framework::Scuba).filter(|id| id.starts_with("MS."))
}

/// Whether the current baselines no longer have a control, by its id without version.
fn is_former(stem: &str) -> bool {
    let mut parts = stem.split('.').skip(1);
    let product = parts.next().unwrap_or_default();
    let group: u32 = parts.next().and_then(|group| group.parse().ok()).unwrap_or(0);
    match product {
        "DEFENDER" => true,
        "EXO" => group >= 8 && group != 13,
        "TEAMS" => group == 3 || group >= 6,
        _ => false,
    }
}

/// Returns an id with its own version and all earlier ones.
fn versions(id: &str) -> Vec<String> {
    let last = id
        .rsplit_once('v')
        .and_then(|(before, version)| Some((before, version.parse::<u32>().ok()?)));
    match last {
        Some((before, last)) => (1..=last.min(9))
            .map(|version| format!("{before}v{version}"))
            .collect(),
        None => vec![id.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pack;

    fn controls(baseline: Baseline) -> BTreeSet<String> {
        let pack = Pack::builtin();
        let lines = pack.checks().lines(baseline);
        lines.into_iter().flat_map(|line| line.controls).collect()
    }

    #[test]
    fn the_current_baseline_has_the_security_suite_and_no_defender() {
        let ids = controls(Baseline::Current);
        assert!(ids.contains("MS.SECURITYSUITE.7.1v1"));
        assert!(ids.contains("MS.EXO.13.1v1"));
        assert!(ids.contains("MS.AAD.3.2v2"));
        for gone in [
            "MS.DEFENDER.1.1v1",
            "MS.EXO.9.1v2",
            "MS.TEAMS.6.1v1",
            "MS.AAD.3.2v1",
        ] {
            assert!(!ids.contains(gone), "{gone}");
        }
    }

    #[test]
    fn a_former_baseline_has_defender_and_all_earlier_versions() {
        let ids = controls(Baseline::Former {
            first_versions: false,
        });
        for present in [
            "MS.DEFENDER.1.1v1",
            "MS.EXO.9.1v1",
            "MS.AAD.3.2v1",
            "MS.TEAMS.2.2v1",
            "MS.TEAMS.2.2v2",
        ] {
            assert!(ids.contains(present), "{present}");
        }
        assert!(!ids.iter().any(|id| id.starts_with("MS.SECURITYSUITE.")));
        let first = controls(Baseline::Former { first_versions: true });
        assert!(first.contains("MS.TEAMS.2.2v1"));
        assert!(!first.contains("MS.TEAMS.2.2v2"));
    }

    #[test]
    fn no_control_is_covered_twice() {
        let pack = Pack::builtin();
        for baseline in [
            Baseline::Current,
            Baseline::Former {
                first_versions: false,
            },
            Baseline::Former { first_versions: true },
        ] {
            let all: Vec<String> = pack
                .checks()
                .lines(baseline)
                .into_iter()
                .flat_map(|line| line.controls)
                .collect();
            let distinct: BTreeSet<&String> = all.iter().collect();
            let twice: Vec<&&String> = distinct
                .iter()
                .filter(|id| all.iter().filter(|other| other == *id).count() > 1)
                .collect();
            assert!(twice.is_empty(), "{baseline:?}: {twice:?}");
        }
    }
}
