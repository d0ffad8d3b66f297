//! Counts the rows of a batch and combines them into one verdict per check.

use super::{ExceptionKind, ImportedRow};
use crate::{
    check::{CheckResult, SkipReason},
    value::text::ForeignText,
};
use std::collections::BTreeMap;

/// Maximum length of a verdict's reason, in characters.
const REASON_CHARS_MAX: usize = 300;

/// The number of rows by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResultCounts {
    /// Passed.
    pub passed: u64,
    /// Failed, including exceptions.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
    /// In error.
    pub errors: u64,
    /// Rows with an exception by the tool's operator, whatever their result.
    pub excepted: u64,
}

impl ResultCounts {
    fn add(&mut self, row: &ImportedRow) {
        let count = match row.result {
            CheckResult::Passed => &mut self.passed,
            CheckResult::Failed => &mut self.failed,
            CheckResult::Skipped => &mut self.skipped,
            CheckResult::Error => &mut self.errors,
        };
        *count = count.saturating_add(1);
        self.excepted = self.excepted.saturating_add(u64::from(row.exception.is_some()));
    }
}

/// The verdict of a tool on one of Watchpost's checks, combined from its rows about that check.
///
/// If a row failed, the verdict is failed; otherwise, if a row is an error, it is an error; otherwise, if a row
/// passed, it is passed. A failure with an exception counts as a failure, and the verdict contains the exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckVerdict {
    /// Watchpost's check.
    pub check: String,
    /// The tool's id of the control in the deciding row.
    pub control: String,
    /// The verdict.
    pub result: CheckResult,
    /// The reason for which the check wasn't evaluated. `Some` exactly for [`CheckResult::Skipped`].
    pub skip: Option<SkipReason>,
    /// The kind of exception, if every failed row has one.
    pub exception: Option<ExceptionKind>,
    /// The text of the deciding row; at most 300 characters.
    pub reason: ForeignText,
    /// The rows that were combined.
    pub rows: ResultCounts,
}

impl CheckVerdict {
    fn rank(result: CheckResult, excepted: bool) -> u8 {
        match (result, excepted) {
            (CheckResult::Failed, false) => 4,
            (CheckResult::Failed, true) => 3,
            (CheckResult::Error, _) => 2,
            (CheckResult::Passed, _) => 1,
            (CheckResult::Skipped, _) => 0,
        }
    }

    fn take(&mut self, row: &ImportedRow) {
        self.control.clone_from(&row.control);
        self.result = row.result;
        self.skip = row.skip;
        self.exception = row.exception.as_ref().map(|exception| exception.kind);
        let text = if row.details.is_empty() {
            &row.title
        } else {
            &row.details
        };
        self.reason = ForeignText::clean(text.untrusted(), REASON_CHARS_MAX);
    }
}

/// Counts the rows of a batch as they are read. Its size is bounded by the number of checks.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    counts: ResultCounts,
    verdicts: BTreeMap<String, CheckVerdict>,
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, row: &ImportedRow) {
        self.counts.add(row);
        let Some(check) = &row.check else { return };
        let rank = CheckVerdict::rank(row.result, row.exception.is_some());
        if let Some(verdict) = self.verdicts.get_mut(check) {
            if rank > CheckVerdict::rank(verdict.result, verdict.exception.is_some()) {
                verdict.take(row);
            }
            verdict.rows.add(row);
            return;
        }
        let mut verdict = CheckVerdict {
            check: check.clone(),
            control: String::new(),
            result: row.result,
            skip: None,
            exception: None,
            reason: ForeignText::default(),
            rows: ResultCounts::default(),
        };
        verdict.take(row);
        verdict.rows.add(row);
        self.verdicts.insert(check.clone(), verdict);
    }

    /// Returns the counts of all rows.
    pub const fn counts(&self) -> ResultCounts {
        self.counts
    }

    /// Returns one verdict per check with rows, ordered by check.
    pub fn into_verdicts(self) -> Vec<CheckVerdict> {
        self.verdicts.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::Service, import::ImportedException, value::word::Severity};

    fn row(result: CheckResult, details: &str) -> ImportedRow {
        ImportedRow {
            control: format!("control of {details}"),
            check: Some("entra.mfa_all".into()),
            title: ForeignText::name("A title"),
            result,
            skip: (result == CheckResult::Skipped).then_some(SkipReason::Manual),
            severity: Severity::High,
            service: Service::Entra,
            details: ForeignText::name(details),
            entity: None,
            frameworks: Vec::new(),
            exception: None,
            fingerprint: "0".repeat(32),
        }
    }

    fn verdict(rows: &[ImportedRow]) -> CheckVerdict {
        let mut tally = Tally::default();
        for row in rows {
            tally.add(row);
        }
        let mut verdicts = tally.into_verdicts();
        assert_eq!(verdicts.len(), 1);
        verdicts.remove(0)
    }

    #[test]
    fn one_failed_row_makes_the_verdict_failed() {
        let found = verdict(&[
            row(CheckResult::Passed, "first"),
            row(CheckResult::Failed, "second"),
            row(CheckResult::Failed, "third"),
            row(CheckResult::Skipped, "fourth"),
        ]);
        assert_eq!(found.result, CheckResult::Failed);
        assert_eq!(found.reason.untrusted(), "second");
        assert_eq!(found.control, "control of second");
        assert_eq!(
            (found.rows.passed, found.rows.failed, found.rows.skipped),
            (1, 2, 1)
        );
    }

    #[test]
    fn a_failure_without_an_exception_takes_precedence() {
        let mut excepted = row(CheckResult::Failed, "muted");
        excepted.exception = Some(ImportedException {
            kind: ExceptionKind::Suppressed,
            reason: ForeignText::default(),
            until: None,
        });
        let found = verdict(&[row(CheckResult::Passed, "fine"), excepted.clone()]);
        assert_eq!(found.result, CheckResult::Failed);
        assert_eq!(found.exception, Some(ExceptionKind::Suppressed));
        let found = verdict(&[excepted, row(CheckResult::Failed, "real")]);
        assert_eq!((found.exception, found.reason.untrusted()), (None, "real"));
    }

    #[test]
    fn an_error_outranks_a_pass_and_a_pass_outranks_a_skip() {
        let (passed, error) = (row(CheckResult::Passed, "p"), row(CheckResult::Error, "e"));
        assert_eq!(verdict(&[passed.clone(), error]).result, CheckResult::Error);
        let found = verdict(&[row(CheckResult::Skipped, "s"), passed]);
        assert_eq!((found.result, found.skip), (CheckResult::Passed, None));
    }

    #[test]
    fn rows_without_a_check_are_only_counted() {
        let mut other = row(CheckResult::Failed, "other");
        other.check = None;
        let mut tally = Tally::default();
        tally.add(&other);
        assert_eq!(tally.counts().failed, 1);
        assert!(tally.into_verdicts().is_empty());
    }
}
