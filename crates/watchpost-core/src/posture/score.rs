//! The risk score and its explanation, by the formulas of `docs/scores.md`.
//!
//! The score is `round(100 × raw / max(300, 5 × identities))`, at most 100, with halves rounded up, where `raw =
//! 10·critical + 5·high + 2·medium + 1·low` over the live findings that count in the score. Label and grade are
//! the worse of the score's band and the minimum for the worst of these findings.

use crate::{
    finding::FindingCount,
    text,
    value::word::{Category, Severity, words},
};
use std::{collections::BTreeMap, fmt};

words! {
    /// The risk score as a label.
    RiskLabel {
        /// 0 to 24.
        Low = "Low",
        /// 25 to 49.
        Medium = "Medium",
        /// 50 to 74.
        High = "High",
        /// 75 to 100.
        Critical = "Critical",
    }
    /// The risk score as a letter.
    Grade {
        /// 0 to 9.
        A = "A",
        /// 10 to 24.
        B = "B",
        /// 25 to 49.
        C = "C",
        /// 50 to 74.
        D = "D",
        /// 75 to 100.
        F = "F",
    }
    /// The reason for a label and grade.
    DecidedBy {
        /// The band of the score.
        Band = "band",
        /// The worst live finding that counts in the score. The band alone would be better.
        WorstFinding = "worst_finding",
    }
}

/// A label and a grade, with the reason for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// The label.
    pub label: RiskLabel,
    /// The grade.
    pub grade: Grade,
    /// The reason for both.
    pub decided_by: DecidedBy,
    /// The severity of the worst live finding that counts in the score; `None` if there is none.
    pub worst: Option<Severity>,
}

/// Rates a score together with the worst live finding that counts in it: a critical one makes the rating at least
/// High and D, a high one at least Medium and C.
pub fn rating(score: u8, worst: Option<Severity>) -> Rating {
    let minimum = match worst {
        Some(Severity::Critical) => 50,
        Some(Severity::High) => 25,
        _ => 0,
    };
    let rated = score.max(minimum);
    let band = (label_of(score), grade_of(score));
    let (label, grade) = (label_of(rated), grade_of(rated));
    Rating {
        label,
        grade,
        decided_by: if (label, grade) == band {
            DecidedBy::Band
        } else {
            DecidedBy::WorstFinding
        },
        worst,
    }
}

/// Formats the rating for use in a sentence: `Low, grade B`, or `High, grade D because of an open critical
/// finding`.
impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, grade {}", self.label, self.grade)?;
        match (self.decided_by, self.worst) {
            (DecidedBy::WorstFinding, Some(worst)) => text::posture::because_of_worst_finding(f, worst),
            _ => Ok(()),
        }
    }
}

/// A risk score with its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskScore {
    /// The score, 0 to 100; higher is worse.
    pub score: u8,
    /// The label and grade.
    pub rating: Rating,
    /// The sum of points.
    pub raw: u64,
    /// The number of points that yields a score of 100.
    pub ceiling: u64,
    /// Points by category, without the categories that have none.
    pub points_by_category: BTreeMap<Category, u64>,
}

/// Returns the score for `raw` points and a number of identities.
pub fn score_of(raw: u64, identities: u64) -> u8 {
    u8::try_from(scaled(raw, ceiling_of(identities), 100)).unwrap_or(100)
}

/// Returns the score with one decimal, in tenths: 0 to 1,000.
fn tenths_of(raw: u64, ceiling: u64) -> u64 {
    scaled(raw, ceiling, 1_000)
}

/// Computes `full × raw / ceiling`, rounded half up, at most `full`.
fn scaled(raw: u64, ceiling: u64, full: u64) -> u64 {
    let doubled = raw.saturating_mul(full.saturating_mul(2));
    (doubled.saturating_add(ceiling) / ceiling.saturating_mul(2)).min(full)
}

/// Returns the number of points that yields a score of 100.
pub fn ceiling_of(identities: u64) -> u64 {
    identities.saturating_mul(5).max(300)
}

/// Returns the label of a score's band.
pub const fn label_of(score: u8) -> RiskLabel {
    match score {
        0..=24 => RiskLabel::Low,
        25..=49 => RiskLabel::Medium,
        50..=74 => RiskLabel::High,
        _ => RiskLabel::Critical,
    }
}

/// Returns the grade of a score's band.
pub const fn grade_of(score: u8) -> Grade {
    match score {
        0..=9 => Grade::A,
        10..=24 => Grade::B,
        25..=49 => Grade::C,
        50..=74 => Grade::D,
        _ => Grade::F,
    }
}

/// Computes the score from stored counts. Only live findings that count in the score are included.
pub fn risk_score(counts: &[FindingCount], identities: u64) -> RiskScore {
    let mut raw = 0_u64;
    let mut worst = None;
    let mut points_by_category = BTreeMap::new();
    let counted = |row: &&FindingCount| row.scored && row.status.is_live() && row.count > 0;
    for row in counts.iter().filter(counted) {
        let points = row.severity.points().saturating_mul(row.count);
        if points > 0 {
            worst = Some(worst.map_or(row.severity, |worst: Severity| worst.min(row.severity)));
            raw = raw.saturating_add(points);
            let sum: &mut u64 = points_by_category.entry(row.category).or_default();
            *sum = sum.saturating_add(points);
        }
    }
    let score = score_of(raw, identities);
    RiskScore {
        score,
        rating: rating(score, worst),
        raw,
        ceiling: ceiling_of(identities),
        points_by_category,
    }
}

/// The effect of fixing one finding on the score, with one decimal: with hundreds of identities, a single finding
/// makes less than one point of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// The finding's points in `raw`; 0 if it doesn't count in the score.
    pub points: u64,
    /// The score without the finding, in tenths: 0 to 1,000.
    pub score_without_tenths: u64,
    /// The difference between the score with one decimal and the score without the finding, in tenths.
    pub saved_tenths: u64,
}

impl RiskScore {
    /// Returns the score with one decimal, in tenths.
    pub fn tenths(&self) -> u64 {
        tenths_of(self.raw, self.ceiling)
    }

    /// Returns what fixing one finding saves; nothing if the finding isn't `scored`.
    pub fn saving(&self, severity: Severity, scored: bool) -> Saving {
        let points = if scored { severity.points() } else { 0 };
        let without = tenths_of(self.raw.saturating_sub(points), self.ceiling);
        Saving {
            points,
            score_without_tenths: without,
            saved_tenths: self.tenths().saturating_sub(without),
        }
    }
}

/// Returns the number of live findings by severity, worst first, whether scored or not.
pub fn live_by_severity(counts: &[FindingCount]) -> [u64; 5] {
    let mut out = [0; 5];
    for row in counts.iter().filter(|row| row.status.is_live()) {
        if let Some(sum) = out.get_mut(usize::from(row.severity.code())) {
            *sum += row.count;
        }
    }
    out
}

/// Returns the number of live findings that don't count in the score.
pub fn live_not_scored(counts: &[FindingCount]) -> u64 {
    counts
        .iter()
        .filter(|row| row.status.is_live() && !row.scored)
        .map(|row| row.count)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::word::FindingStatus;

    #[test]
    fn the_score_follows_the_published_formula() {
        let check =
            |raw, identities, expected| assert_eq!(score_of(raw, identities), expected, "{raw} {identities}");
        check(0, 0, 0);
        check(0, 1_000, 0);
        check(3, 10, 1);
        check(4, 10, 1);
        check(150, 10, 50);
        check(300, 60, 100);
        check(10_000, 60, 100);
        check(1_500, 600, 50);
        check(15, 600, 1); // 0.5 rounds up
        check(14, 600, 0);
        check(u64::MAX, u64::MAX, 1);
    }

    #[test]
    fn the_bands_are_the_published_ones() {
        let check =
            |score, label, grade| assert_eq!((label_of(score), grade_of(score)), (label, grade), "{score}");
        check(0, RiskLabel::Low, Grade::A);
        check(9, RiskLabel::Low, Grade::A);
        check(10, RiskLabel::Low, Grade::B);
        check(24, RiskLabel::Low, Grade::B);
        check(25, RiskLabel::Medium, Grade::C);
        check(49, RiskLabel::Medium, Grade::C);
        check(50, RiskLabel::High, Grade::D);
        check(74, RiskLabel::High, Grade::D);
        check(75, RiskLabel::Critical, Grade::F);
        check(100, RiskLabel::Critical, Grade::F);
    }

    #[test]
    fn label_and_grade_are_the_worse_of_the_band_and_the_worst_finding() {
        use Severity::{Critical, High, Info, Low, Medium};
        let check = |score, worst: Option<Severity>, label, grade, decided_by| {
            let expected = Rating {
                label,
                grade,
                decided_by,
                worst,
            };
            assert_eq!(rating(score, worst), expected, "{score} {worst:?}");
        };
        let (band, finding) = (DecidedBy::Band, DecidedBy::WorstFinding);
        check(0, None, RiskLabel::Low, Grade::A, band);
        for mild in [Medium, Low, Info] {
            check(9, Some(mild), RiskLabel::Low, Grade::A, band);
            check(24, Some(mild), RiskLabel::Low, Grade::B, band);
        }
        check(1, Some(High), RiskLabel::Medium, Grade::C, finding);
        check(24, Some(High), RiskLabel::Medium, Grade::C, finding);
        check(25, Some(High), RiskLabel::Medium, Grade::C, band);
        check(50, Some(High), RiskLabel::High, Grade::D, band);
        check(1, Some(Critical), RiskLabel::High, Grade::D, finding);
        check(49, Some(Critical), RiskLabel::High, Grade::D, finding);
        check(50, Some(Critical), RiskLabel::High, Grade::D, band);
        check(75, Some(Critical), RiskLabel::Critical, Grade::F, band);
        check(100, None, RiskLabel::Critical, Grade::F, band);
    }

    #[test]
    fn the_text_names_the_worst_finding_if_it_decided() {
        assert_eq!(rating(23, None).to_string(), "Low, grade B");
        assert_eq!(
            rating(23, Some(Severity::Critical)).to_string(),
            "High, grade D because of an open critical finding"
        );
        assert_eq!(rating(60, Some(Severity::Critical)).to_string(), "High, grade D");
    }

    #[test]
    fn findings_that_do_not_count_in_the_score_do_not_affect_the_label() {
        let row = |status, severity, scored, count| FindingCount {
            status,
            severity,
            category: Category::LicenseWaste,
            scored,
            count,
        };
        let counts = [
            row(FindingStatus::Open, Severity::Critical, false, 4),
            row(FindingStatus::Snoozed, Severity::Critical, true, 1),
            row(FindingStatus::Dismissed, Severity::High, true, 1),
            row(FindingStatus::Resolved, Severity::Critical, true, 1),
            row(FindingStatus::Open, Severity::Critical, true, 0),
            row(FindingStatus::Open, Severity::Medium, true, 1),
            row(FindingStatus::Open, Severity::Info, true, 1),
        ];
        let risk = risk_score(&counts, 10);
        assert_eq!(risk.rating, rating(1, Some(Severity::Medium)));
        assert_eq!((risk.rating.label, risk.rating.grade), (RiskLabel::Low, Grade::A));
        let in_progress = [row(FindingStatus::InProgress, Severity::High, true, 1)];
        assert_eq!(
            risk_score(&in_progress, 10).rating.decided_by,
            DecidedBy::WorstFinding
        );
    }

    #[test]
    fn the_saving_of_a_fix_has_one_decimal() {
        let risk = |raw, identities| RiskScore {
            score: score_of(raw, identities),
            rating: rating(0, None),
            raw,
            ceiling: ceiling_of(identities),
            points_by_category: BTreeMap::new(),
        };
        let check = |raw, identities, severity, scored, expected: (u64, u64, u64)| {
            let saving = risk(raw, identities).saving(severity, scored);
            let found = (saving.points, saving.score_without_tenths, saving.saved_tenths);
            assert_eq!(found, expected, "{raw} {identities} {severity}");
        };
        // 680 of 2,960 points yield 23.0 (22.97), and 22.6 without one critical finding.
        assert_eq!(risk(680, 592).tenths(), 230);
        check(680, 592, Severity::Critical, true, (10, 226, 4));
        check(680, 592, Severity::High, true, (5, 228, 2));
        check(680, 592, Severity::Low, true, (1, 229, 1));
        check(680, 592, Severity::Critical, false, (0, 230, 0));
        check(680, 592, Severity::Info, true, (0, 230, 0));
        check(30, 1, Severity::High, true, (5, 83, 17));
        check(10, 1, Severity::Critical, true, (10, 0, 33));
        // Above the ceiling, fixing one finding doesn't lower the score yet.
        check(400, 1, Severity::Critical, true, (10, 1_000, 0));
    }

    #[test]
    fn only_live_findings_that_count_in_the_score_add_points() {
        let row = |status, severity, scored, count| FindingCount {
            status,
            severity,
            category: Category::AccessRisk,
            scored,
            count,
        };
        let counts = [
            row(FindingStatus::Open, Severity::Critical, true, 3),
            row(FindingStatus::InProgress, Severity::High, true, 2),
            row(FindingStatus::Snoozed, Severity::Critical, true, 9),
            row(FindingStatus::Dismissed, Severity::Critical, true, 9),
            row(FindingStatus::Open, Severity::High, false, 9),
            row(FindingStatus::Open, Severity::Info, false, 9),
        ];
        let score = risk_score(&counts, 10);
        assert_eq!((score.raw, score.ceiling, score.score), (40, 300, 13));
        assert_eq!(
            score.points_by_category,
            BTreeMap::from([(Category::AccessRisk, 40)])
        );
        assert_eq!(score.rating, rating(13, Some(Severity::Critical)));
        assert_eq!(live_by_severity(&counts), [3, 11, 0, 0, 9]);
        assert_eq!(live_not_scored(&counts), 18);
    }
}
