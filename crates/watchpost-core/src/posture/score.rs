//! The risk score and its explanation: design's formulas, nothing else.
//!
//! `round(100 × raw / max(300, 5 × identities))`, at most 100, halves up;
//! `raw = 10·critical + 5·high + 2·medium + 1·low` over live findings that count.

use crate::{
    finding::FindingCount,
    value::word::{Category, Severity, words},
};
use std::collections::BTreeMap;

words! {
    /// The score in a word.
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
    /// The score in a letter.
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
}

/// A risk score with how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskScore {
    /// 0 to 100, higher is worse.
    pub score: u8,
    /// Its label.
    pub label: RiskLabel,
    /// Its grade.
    pub grade: Grade,
    /// Points in all.
    pub raw: u64,
    /// Points that make 100.
    pub ceiling: u64,
    /// Points by category, those without any left out.
    pub points_by_category: BTreeMap<Category, u64>,
}

/// What `raw` points make with so many identities.
pub fn score_of(raw: u64, identities: u64) -> u8 {
    let ceiling = ceiling_of(identities);
    let rounded = (raw.saturating_mul(200).saturating_add(ceiling)) / ceiling.saturating_mul(2);
    u8::try_from(rounded.min(100)).unwrap_or(100)
}

/// Points that make a score of 100.
pub fn ceiling_of(identities: u64) -> u64 {
    identities.saturating_mul(5).max(300)
}

/// A score's label.
pub const fn label_of(score: u8) -> RiskLabel {
    match score {
        0..=24 => RiskLabel::Low,
        25..=49 => RiskLabel::Medium,
        50..=74 => RiskLabel::High,
        _ => RiskLabel::Critical,
    }
}

/// A score's grade.
pub const fn grade_of(score: u8) -> Grade {
    match score {
        0..=9 => Grade::A,
        10..=24 => Grade::B,
        25..=49 => Grade::C,
        50..=74 => Grade::D,
        _ => Grade::F,
    }
}

/// The score over kept counts; only live findings that count are looked at.
pub fn risk_score(counts: &[FindingCount], identities: u64) -> RiskScore {
    let mut raw = 0_u64;
    let mut points_by_category = BTreeMap::new();
    for row in counts.iter().filter(|row| row.scored && row.status.is_live()) {
        let points = row.severity.points().saturating_mul(row.count);
        if points > 0 {
            raw = raw.saturating_add(points);
            let sum: &mut u64 = points_by_category.entry(row.category).or_default();
            *sum = sum.saturating_add(points);
        }
    }
    let score = score_of(raw, identities);
    RiskScore {
        score,
        label: label_of(score),
        grade: grade_of(score),
        raw,
        ceiling: ceiling_of(identities),
        points_by_category,
    }
}

impl RiskScore {
    /// The score once a finding of this severity is gone.
    pub fn without(&self, severity: Severity) -> u8 {
        let rounded = (self
            .raw
            .saturating_sub(severity.points())
            .saturating_mul(200)
            .saturating_add(self.ceiling))
            / self.ceiling.saturating_mul(2);
        u8::try_from(rounded.min(100)).unwrap_or(100)
    }
}

/// Live findings by severity, worst first; scored or not.
pub fn live_by_severity(counts: &[FindingCount]) -> [u64; 5] {
    let mut out = [0; 5];
    for row in counts.iter().filter(|row| row.status.is_live()) {
        if let Some(sum) = out.get_mut(usize::from(row.severity.code())) {
            *sum += row.count;
        }
    }
    out
}

/// Live findings that don't count in the score.
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
    fn bands_are_the_published_ones() {
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
    fn only_live_findings_that_count_make_points() {
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
        assert_eq!(score.without(Severity::Critical), 10);
        assert_eq!(live_by_severity(&counts), [3, 11, 0, 0, 9]);
        assert_eq!(live_not_scored(&counts), 18);
    }
}
