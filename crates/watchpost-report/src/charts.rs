//! Charts as inline SVG. They contain no foreign text, take their colors from the page's style sheet (so that they follow
//! light, dark and print), and have a text alternative.

use crate::{
    text::{charts as text, words},
    view::{Point, View},
};
use std::fmt::Write as _;
use watchpost_core::{
    scan::{ComplianceScore, ExposureLabel, ScanCounts, exposure_label},
    value::word::Severity,
};

/// The bands of the score: CSS class, start and length, in percent.
const BANDS: [(&str, u16, u16); 4] = [
    ("critical", 0, 50),
    ("attention", 50, 20),
    ("good", 70, 20),
    ("excellent", 90, 10),
];

/// The width, the height, the left edge and the top edge of the trend's plot, in units of its view box.
const PLOT: (i64, i64, i64, i64) = (456, 140, 34, 14);

/// The gauge of a compliance score, or the three labels of an exposure scan.
pub(crate) fn headline(view: &View<'_>) -> String {
    if view.is_exposure() {
        labels(exposure_label(&view.data.counts))
    } else {
        gauge(view.score())
    }
}

fn gauge(score: Option<ComplianceScore>) -> String {
    let (alternative, value, tone) = match score {
        Some(score) => (
            text::gauge(score),
            score.to_string(),
            words::band_class(score.band()),
        ),
        None => (text::NO_SCORE.to_owned(), "–".to_owned(), "none"),
    };
    let scale = text::SCALE;
    let mut bands = String::new();
    for (name, from, length) in BANDS {
        // Each band is drawn a little shorter, so that there are gaps between them.
        put(
            &mut bands,
            format_args!(
                r#"<path class="stroke {name}" d="M16 120A104 104 0 0 1 224 120" pathLength="100" stroke-width="4" stroke-dasharray="{} 200" stroke-dashoffset="-{from}"/>"#,
                f64::from(length) - 0.8
            ),
        );
    }
    let arc = score.filter(|score| score.tenths() > 0).map_or_else(String::new, |score| {
        format!(
            r#"<path class="stroke {tone}" d="M32 120A88 88 0 0 1 208 120" pathLength="100" stroke-width="18" stroke-dasharray="{score} 200"/>"#
        )
    });
    format!(
        r#"<svg class="gauge" role="img" aria-label="{alternative}" viewBox="0 0 240 140"><title>{alternative}</title>{bands}<path class="stroke track" d="M32 120A88 88 0 0 1 208 120" stroke-width="18"/>{arc}<text class="big" x="120" y="108" text-anchor="middle">{value}</text><text class="small" x="120" y="130" text-anchor="middle">{scale}</text></svg>"#
    )
}

fn labels(label: ExposureLabel) -> String {
    let alternative = text::exposure(label);
    let mut out = format!(
        r#"<svg class="gauge" role="img" aria-label="{alternative}" viewBox="0 0 240 140"><title>{alternative}</title><text class="label" x="120" y="62" text-anchor="middle">{label}</text>"#
    );
    let steps = [
        (ExposureLabel::Low, "Low"),
        (ExposureLabel::Medium, "Medium"),
        (ExposureLabel::High, "High"),
    ];
    for ((step, name), x) in steps.into_iter().zip([10, 86, 162]) {
        let tone = if step == label {
            words::exposure_class(step)
        } else {
            "track"
        };
        put(
            &mut out,
            format_args!(
                r#"<rect class="{tone}" x="{x}" y="86" width="68" height="14" rx="4"/><text class="small" x="{}" y="120" text-anchor="middle">{name}</text>"#,
                x + 34
            ),
        );
    }
    out.push_str("</svg>");
    out
}

/// The trend of the score, or of the failures of exposure scans; empty with fewer than two points.
pub(crate) fn trend(view: &View<'_>) -> String {
    let points = view.trend.as_slice();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return String::new();
    };
    if points.len() < 2 {
        return String::new();
    }
    if view.is_exposure() {
        failures(points, first, last)
    } else {
        scores(points, first, last)
    }
}

fn open(alternative: &str) -> String {
    format!(
        r#"<svg class="trend" role="img" aria-label="{alternative}" viewBox="0 0 540 190"><title>{alternative}</title>"#
    )
}

/// The horizontal position of a point, by its time.
fn across(point: &Point, first: &Point, last: &Point) -> i64 {
    let (width, _, left, _) = PLOT;
    let span = last.at.millis_since(first.at).max(1);
    let along = point.at.millis_since(first.at).clamp(0, span);
    // The product of milliseconds and the width may not fit in an `i64`.
    let along = i128::from(along).saturating_mul(i128::from(width)) / i128::from(span);
    left.saturating_add(i64::try_from(along).unwrap_or(0))
}

fn dates(out: &mut String, first: &Point, last: &Point) {
    let (width, height, left, top) = PLOT;
    let y = top + height + 24;
    let right = left + width;
    put(
        out,
        format_args!(
            r#"<text class="small" x="{left}" y="{y}">{}</text><text class="small" x="{right}" y="{y}" text-anchor="end">{}</text></svg>"#,
            words::day(first.at),
            words::day(last.at)
        ),
    );
}

fn line(out: &mut String, y: i64, label: i64) {
    let (width, _, left, _) = PLOT;
    put(
        out,
        format_args!(
            r#"<line class="grid" x1="{left}" x2="{}" y1="{y}" y2="{y}"/><text class="small" x="{}" y="{}" text-anchor="end">{label}</text>"#,
            left + width,
            left - 8,
            y + 4
        ),
    );
}

/// The score over time. The scale is always 0 to 100, since a shorter one would exaggerate small changes.
fn scores(points: &[Point], first: &Point, last: &Point) -> String {
    let (_, height, _, top) = PLOT;
    let mut out = open(&text::score_trend(
        points.len(),
        (first.at, &first.counts),
        (last.at, &last.counts),
    ));
    let up = |tenths: i64| top + height - tenths * height / 1_000;
    for label in [0, 50, 70, 90, 100] {
        line(&mut out, up(label * 10), label);
    }
    let mut path = String::new();
    let mut dots = String::new();
    let mut broken = true;
    for (at, point) in points.iter().enumerate() {
        let Some(score) = point.counts.score() else {
            broken = true;
            continue;
        };
        let (x, y) = (across(point, first, last), up(i64::from(score.tenths())));
        put(
            &mut path,
            format_args!("{}{x} {y}", if broken { 'M' } else { 'L' }),
        );
        broken = false;
        let latest = at.saturating_add(1) == points.len();
        put(
            &mut dots,
            format_args!(
                r#"<circle class="dot" cx="{x}" cy="{y}" r="{}"/>"#,
                if latest { "4.5" } else { "2.5" }
            ),
        );
        if latest {
            put(
                &mut dots,
                format_args!(
                    r#"<text class="value" x="{}" y="{}">{score}</text>"#,
                    x + 8,
                    y + 4
                ),
            );
        }
    }
    put(&mut out, format_args!(r#"<path class="line" d="{path}"/>{dots}"#));
    dates(&mut out, first, last);
    out
}

/// Failed checks by severity over time.
fn failures(points: &[Point], first: &Point, last: &Point) -> String {
    let (width, height, left, top) = PLOT;
    let mut out = open(&text::failure_trend(
        points.len(),
        (first.at, &first.counts),
        (last.at, &last.counts),
    ));
    let number = |count: u64| i64::try_from(count).unwrap_or(0);
    let most = points
        .iter()
        .map(|point| number(point.counts.failed))
        .max()
        .unwrap_or(0)
        .max(1);
    for label in [0, most] {
        line(&mut out, top + height - label * height / most, label);
    }
    let slots = i64::try_from(points.len()).unwrap_or(1).max(1);
    let slot = width / slots;
    let bar = (slot * 7 / 10).clamp(2, 40);
    for (at, point) in (0_i64..).zip(points) {
        let x = left + at * width / slots + (slot - bar) / 2;
        let mut y = top + height;
        for (severity, count) in Severity::ALL
            .iter()
            .rev()
            .zip(point.counts.failed_by_severity.iter().rev())
        {
            let tall = number(*count) * height / most;
            if tall > 0 {
                y -= tall;
                put(
                    &mut out,
                    format_args!(
                        r#"<rect class="sev-{severity}" x="{x}" y="{y}" width="{bar}" height="{tall}"/>"#
                    ),
                );
            }
        }
    }
    dates(&mut out, first, last);
    out
}

/// The shares of passed, failed and skipped checks and errors, as parts of one bar.
pub(crate) fn shares(counts: &ScanCounts) -> String {
    let parts = [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("error", counts.errors),
        ("skipped", counts.skipped_total()),
    ];
    let all = parts
        .iter()
        .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    let alternative = text::shares(counts);
    let mut out = format!(
        r#"<svg class="shares" role="img" aria-label="{alternative}" viewBox="0 0 1000 10" preserveAspectRatio="none"><title>{alternative}</title>"#
    );
    let mut before = 0_u64;
    for (name, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        let position = |count: u64| count.saturating_mul(1_000).checked_div(all).unwrap_or(0);
        let x = position(before);
        before = before.saturating_add(count);
        put(
            &mut out,
            format_args!(
                r#"<rect class="{name}" x="{x}" y="0" width="{}" height="10"/>"#,
                position(before) - x
            ),
        );
    }
    out.push_str("</svg>");
    out
}

/// The numbers of failed checks by severity, one bar each.
pub(crate) fn severities(counts: &ScanCounts) -> String {
    let alternative = text::severities(counts);
    let most = counts
        .failed_by_severity
        .iter()
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let mut out = format!(
        r#"<svg class="severities" role="img" aria-label="{alternative}" viewBox="0 0 260 190"><title>{alternative}</title>"#
    );
    for ((severity, count), y) in Severity::ALL
        .iter()
        .zip(counts.failed_by_severity)
        .zip([14_u64, 44, 74, 104, 134])
    {
        let long = count.saturating_mul(140).checked_div(most).unwrap_or(0);
        put(
            &mut out,
            format_args!(
                r#"<text class="name" x="0" y="{}">{}</text><rect class="track" x="70" y="{y}" width="140" height="18" rx="3"/>"#,
                y + 13,
                words::severity(*severity)
            ),
        );
        if count > 0 {
            put(
                &mut out,
                format_args!(
                    r#"<rect class="sev-{severity}" x="70" y="{y}" width="{}" height="18" rx="3"/>"#,
                    long.max(4)
                ),
            );
        }
        put(
            &mut out,
            format_args!(r#"<text class="value" x="220" y="{}">{count}</text>"#, y + 13),
        );
    }
    out.push_str("</svg>");
    out
}

/// Appends formatted text; writing to a string can't fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
