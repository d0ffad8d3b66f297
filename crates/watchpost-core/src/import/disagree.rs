//! Disagreements between the verdicts of another tool and those of Watchpost's scans.

use super::ImportedVerdict;
use crate::{
    check::CheckResult,
    scan::ResultRow,
    value::{id::ScanId, time::Timestamp, word::words},
};
use std::collections::BTreeMap;

words! {
    /// The kind of difference between two verdicts. Declared most serious first.
    Difference {
        /// The check passed in one and failed in the other.
        Opposite = "opposite",
        /// The tool evaluated the check, and Watchpost didn't.
        JudgedByThem = "judged_by_them",
        /// Watchpost evaluated the check, and the tool didn't.
        JudgedByUs = "judged_by_us",
    }
}

/// A result of Watchpost's latest completed scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchpostVerdict {
    /// The scan.
    pub scan: ScanId,
    /// The time at which the scan completed.
    pub at: Timestamp,
    /// The result.
    pub row: ResultRow,
}

/// A check with different verdicts of another tool and Watchpost. Neither is assumed to be correct: the mapping
/// between them means that they are about the same control, not that they have the same condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The kind of difference.
    pub difference: Difference,
    /// Watchpost's verdict.
    pub ours: WatchpostVerdict,
    /// The tool's verdict.
    pub theirs: ImportedVerdict,
}

/// Returns the checks with different verdicts, most serious difference first, then by severity and check. A check
/// that neither evaluated isn't a difference; an error counts as not evaluated.
pub fn disagreements(ours: Vec<WatchpostVerdict>, theirs: Vec<ImportedVerdict>) -> Vec<Disagreement> {
    let ours: BTreeMap<String, WatchpostVerdict> = ours
        .into_iter()
        .map(|verdict| (verdict.row.check_id.clone(), verdict))
        .collect();
    let mut out: Vec<Disagreement> = theirs
        .into_iter()
        .filter_map(|theirs| {
            let ours = ours.get(&theirs.verdict.check)?;
            let evaluated = |result| matches!(result, CheckResult::Passed | CheckResult::Failed);
            let difference = match (evaluated(ours.row.result), evaluated(theirs.verdict.result)) {
                (true, true) if ours.row.result != theirs.verdict.result => Difference::Opposite,
                (false, true) => Difference::JudgedByThem,
                (true, false) => Difference::JudgedByUs,
                _ => return None,
            };
            Some(Disagreement {
                difference,
                ours: ours.clone(),
                theirs,
            })
        })
        .collect();
    out.sort_by(|a, b| {
        let key = |one: &Disagreement| (one.difference, one.ours.row.severity);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.theirs.verdict.check.cmp(&b.theirs.verdict.check))
            .then_with(|| a.theirs.tool.cmp(&b.theirs.tool))
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{Service, SkipReason},
        import::{CheckVerdict, ImportTool, ResultCounts},
        value::{id::BatchId, text::ForeignText, word::Severity},
    };

    fn ours(check: &str, result: CheckResult, severity: Severity) -> WatchpostVerdict {
        WatchpostVerdict {
            scan: ScanId::from_bytes([1; 16]),
            at: Timestamp::from_millis(0),
            row: ResultRow {
                check_id: check.into(),
                title: "A title".into(),
                severity,
                service: Service::Entra,
                frameworks: Vec::new(),
                result,
                skip: (result == CheckResult::Skipped).then_some(SkipReason::Unreadable),
                reason: ForeignText::name("ours"),
                detected: None,
                entities: 0,
                content: 0,
            },
        }
    }

    fn theirs(check: &str, result: CheckResult) -> ImportedVerdict {
        ImportedVerdict {
            batch: BatchId::from_bytes([2; 16]),
            tool: ImportTool::Scubagear,
            ran_at: None,
            imported_at: Timestamp::from_millis(0),
            verdict: CheckVerdict {
                check: check.into(),
                control: "MS.AAD.1.1v1".into(),
                result,
                skip: (result == CheckResult::Skipped).then_some(SkipReason::Manual),
                exception: None,
                reason: ForeignText::name("theirs"),
                rows: ResultCounts::default(),
            },
        }
    }

    #[test]
    fn only_differences_are_listed_with_opposites_first() {
        use CheckResult::{Error, Failed, Passed, Skipped};
        let found = disagreements(
            vec![
                ours("a", Passed, Severity::High),
                ours("b", Skipped, Severity::Critical),
                ours("c", Failed, Severity::Low),
                ours("d", Passed, Severity::High),
                ours("e", Skipped, Severity::High),
                ours("f", Passed, Severity::Critical),
            ],
            vec![
                theirs("a", Passed),
                theirs("b", Passed),
                theirs("c", Passed),
                theirs("d", Failed),
                theirs("e", Error),
                theirs("f", Error),
                theirs("unknown", Failed),
            ],
        );
        let lines: Vec<(&str, Difference)> = found
            .iter()
            .map(|one| (one.ours.row.check_id.as_str(), one.difference))
            .collect();
        assert_eq!(
            lines,
            [
                ("d", Difference::Opposite),
                ("c", Difference::Opposite),
                ("b", Difference::JudgedByThem),
                ("f", Difference::JudgedByUs),
            ]
        );
    }
}
