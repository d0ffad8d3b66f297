//! The compliance score and the exposure label, by the formulas of `docs/scores.md`.

use super::ScanCounts;
use crate::value::word::words;
use serde::{Serialize, Serializer};

words! {
    /// The band of a compliance score.
    Band {
        /// 90 and above.
        Excellent = "Excellent",
        /// 70 and above.
        Good = "Good",
        /// 50 and above.
        NeedsAttention = "Needs attention",
        /// Below 50.
        CriticalRisk = "Critical risk",
    }
    /// The label of an exposure scan, decided by the worst failed check.
    ExposureLabel {
        /// A critical or high check failed.
        High = "High risk",
        /// A medium check failed, and none above.
        Medium = "Medium risk",
        /// No check of medium severity or above failed.
        Low = "Low risk",
    }
}

/// A compliance score: `passed / (passed + failed) × 100` with one decimal; higher is better. Skipped checks and
/// errors are in neither term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComplianceScore {
    tenths: u16,
}

impl ComplianceScore {
    /// Computes the score, rounding half up; `None` if no check passed or failed.
    pub fn of(passed: u64, failed: u64) -> Option<Self> {
        let judged = passed.saturating_add(failed);
        let tenths = passed
            .saturating_mul(2_000)
            .saturating_add(judged)
            .checked_div(judged.saturating_mul(2))?;
        Some(Self {
            tenths: u16::try_from(tenths).unwrap_or(1_000),
        })
    }
    /// Returns the score in tenths of a percent, 0 to 1000.
    pub const fn tenths(self) -> u16 {
        self.tenths
    }
    /// Creates a score from tenths of a percent, as stores keep it.
    pub fn from_tenths(tenths: u16) -> Self {
        Self {
            tenths: tenths.min(1_000),
        }
    }
    /// Returns the score in percent, with one decimal.
    pub fn percent(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }
    /// Returns the score's band.
    pub const fn band(self) -> Band {
        match self.tenths {
            900.. => Band::Excellent,
            700..900 => Band::Good,
            500..700 => Band::NeedsAttention,
            _ => Band::CriticalRisk,
        }
    }
    /// Returns the difference from an earlier score, in tenths of a percent.
    pub fn difference(self, earlier: Self) -> i16 {
        let signed = |tenths: u16| i16::try_from(tenths).unwrap_or(i16::MAX);
        signed(self.tenths).saturating_sub(signed(earlier.tenths))
    }
}

impl Serialize for ComplianceScore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.percent())
    }
}

impl std::fmt::Display for ComplianceScore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

/// Returns the label for the counts of an exposure scan.
pub const fn exposure_label(counts: &ScanCounts) -> ExposureLabel {
    let [critical, high, medium, ..] = counts.failed_by_severity;
    if critical.saturating_add(high) > 0 {
        ExposureLabel::High
    } else if medium > 0 {
        ExposureLabel::Medium
    } else {
        ExposureLabel::Low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compliance_score_is_computed_from_passed_and_failed_checks() {
        let check = |passed, failed, expected: &str, band| {
            let score = ComplianceScore::of(passed, failed).unwrap();
            assert_eq!(
                (score.to_string().as_str(), score.band()),
                (expected, band),
                "{passed} {failed}"
            );
        };
        check(87, 12, "87.9", Band::Good);
        check(9, 1, "90.0", Band::Excellent);
        check(1, 1, "50.0", Band::NeedsAttention);
        check(0, 3, "0.0", Band::CriticalRisk);
        check(5, 0, "100.0", Band::Excellent);
        assert_eq!(ComplianceScore::of(0, 0), None);
    }

    #[test]
    fn the_worst_failed_check_decides_the_exposure_label() {
        let check = |failed_by_severity, expected| {
            let counts = ScanCounts {
                failed_by_severity,
                ..ScanCounts::default()
            };
            assert_eq!(exposure_label(&counts), expected, "{failed_by_severity:?}");
        };
        check([1, 0, 0, 0, 0], ExposureLabel::High);
        check([0, 1, 5, 0, 0], ExposureLabel::High);
        check([0, 0, 1, 9, 9], ExposureLabel::Medium);
        check([0, 0, 0, 9, 9], ExposureLabel::Low);
    }
}
