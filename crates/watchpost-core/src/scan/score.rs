//! Compliance score and exposure label: design's formulas.

use super::ScanCounts;
use crate::value::word::words;
use serde::{Serialize, Serializer};

words! {
    /// A compliance score in words.
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
    /// What an exposure scan comes to: the worst failed check decides.
    ExposureLabel {
        /// A critical or high one failed.
        High = "High risk",
        /// A medium one failed.
        Medium = "Medium risk",
        /// Neither.
        Low = "Low risk",
    }
}

/// `passed / (passed + failed) × 100`, one decimal, higher is better; skipped checks and errors are in neither term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComplianceScore {
    tenths: u16,
}

impl ComplianceScore {
    /// `None` if nothing passed or failed. Halves of a tenth round up.
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
    /// Tenths of a percent, 0 to 1000.
    pub const fn tenths(self) -> u16 {
        self.tenths
    }
    /// From tenths, as stores keep it.
    pub fn from_tenths(tenths: u16) -> Self {
        Self {
            tenths: tenths.min(1_000),
        }
    }
    /// Percent with one decimal.
    pub fn percent(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }
    /// Its band.
    pub const fn band(self) -> Band {
        match self.tenths {
            900.. => Band::Excellent,
            700..900 => Band::Good,
            500..700 => Band::NeedsAttention,
            _ => Band::CriticalRisk,
        }
    }
    /// This minus an earlier one, in tenths of a percent.
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

/// The label of an exposure scan's counts.
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
    fn the_compliance_score_leaves_out_what_was_not_judged() {
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
