//! The Markdown format: flat lists and small tables without indentation. All foreign text is escaped.

mod check;
mod difference;
mod lines;

use crate::{
    escape::{code, markdown},
    text::{self, words},
    view::View,
};
use check::{failure, proof};
use difference::difference;
use lines::{Document, ROWS_SHOWN};
use watchpost_core::{
    report::ReportKind,
    scan::{ScanCounts, SettingRow, exposure_label},
};

/// The maximum number of remediation steps in a summary.
const STEPS_SHOWN: usize = 3;
/// The maximum number of points of the trend.
const POINTS_SHOWN: usize = 12;

/// Renders the report.
pub(crate) fn document(view: &View<'_>) -> String {
    let mut out = Document(String::new());
    opening(&mut out, view);
    posture(&mut out, view);
    match (&view.changes, view.data.difference) {
        (Some(changes), true) => difference(&mut out, view, changes),
        _ => match view.data.kind {
            ReportKind::Executive => executive(&mut out, view),
            ReportKind::Framework => framework(&mut out, view),
            ReportKind::Evidence => evidence(&mut out, view),
        },
    }
    unread(&mut out, view);
    if view.is_evidence() {
        provenance(&mut out, view);
    }
    exemptions(&mut out, view);
    out.heading(2, "Scoring method");
    out.line(view.method());
    out.0
}

fn opening(out: &mut Document, view: &View<'_>) {
    out.heading(1, &format!("{}: {}", view.title(), view.subtitle()));
    let headline = view.headline();
    out.line(&match view.band() {
        "" => format!("**{headline}**"),
        band if view.score().is_some() => text::markdown::score(&headline, band),
        band => format!("**{band}**"),
    });
    out.paragraph(&view.movement());
    out.paragraph(&view.summary().join(" "));
    if let Some(changes) = &view.changes {
        out.paragraph(&changes.summary());
    }
    out.blank();
    for (name, value) in view.facts() {
        out.line(&format!("- {name}: {}", markdown(&value)));
    }
}

fn posture(out: &mut Document, view: &View<'_>) {
    let sentences = view.posture();
    if sentences.is_empty() {
        return;
    }
    out.heading(2, text::posture::TITLE);
    for sentence in &sentences {
        out.line(&format!("- {sentence}"));
    }
}

fn counts_row(name: &str, counts: &ScanCounts) -> [String; 6] {
    [
        name.to_owned(),
        words::score(counts.score()),
        counts.passed.to_string(),
        counts.failed.to_string(),
        counts.skipped_total().to_string(),
        counts.errors.to_string(),
    ]
}

fn breakdown(out: &mut Document, view: &View<'_>) {
    let head = |first| [first, "Score", "Passed", "Failed", "Skipped", "Errors"];
    out.heading(2, "Results by service");
    out.table(
        head("Service"),
        view.data
            .by_service
            .iter()
            .map(|(service, counts)| counts_row(service.title(), counts)),
    );
    if !view.data.by_framework.is_empty() {
        out.heading(2, "Results by framework");
        out.table(
            head("Framework"),
            view.data
                .by_framework
                .iter()
                .map(|(framework, counts)| counts_row(framework.title(), counts)),
        );
    }
}

fn trend(out: &mut Document, view: &View<'_>) {
    if view.trend.len() < 2 {
        return;
    }
    out.heading(2, "Trend");
    let skip = view.trend.len().saturating_sub(POINTS_SHOWN);
    let shown = view.trend.iter().skip(skip);
    out.table(
        [
            "Scan of",
            if view.is_exposure() { "Label" } else { "Score" },
            "Passed",
            "Failed",
            "Skipped",
            "Errors",
        ],
        shown.map(|point| {
            let mut row = counts_row(&words::day(point.at), &point.counts);
            if view.is_exposure()
                && let Some(cell) = row.get_mut(1)
            {
                *cell = exposure_label(&point.counts).to_string();
            }
            row
        }),
    );
}

fn executive(out: &mut Document, view: &View<'_>) {
    trend(out, view);
    let worst = view.worst();
    out.heading(2, "Worst failures");
    if worst.is_empty() {
        out.line(text::NO_FAILURE);
    }
    for entry in &worst {
        failure(out, entry, 3, STEPS_SHOWN);
    }
    let more = view.further_failed();
    if !more.is_empty() {
        out.heading(3, &text::markdown::further_failures(more.len() as u64));
        for entry in &more {
            out.line(&format!(
                "- {}: {} ({})",
                entry.severity(),
                markdown(entry.title()),
                code(entry.id(), false)
            ));
        }
    }
    breakdown(out, view);
}

fn framework(out: &mut Document, view: &View<'_>) {
    breakdown(out, view);
    let (frameworks, rest) = view.frameworks();
    for framework in &frameworks {
        out.heading(2, framework.framework.title());
        out.line(&text::controls(framework));
        for section in &framework.sections {
            out.heading(3, &markdown(&section.name));
            out.table(
                ["Control", "Result", "Check", "Reason"],
                section.controls.iter().flat_map(|control| {
                    control.results.iter().enumerate().map(move |(at, detail)| {
                        let row = &detail.row;
                        [
                            if at == 0 {
                                markdown(control.id)
                            } else {
                                String::new()
                            },
                            words::result(row.result, row.skip).to_owned(),
                            markdown(&row.title),
                            markdown(row.reason.untrusted()),
                        ]
                    })
                }),
            );
        }
    }
    if !rest.is_empty() {
        out.heading(2, text::markdown::WITHOUT_CONTROL);
        out.table(
            ["Check", "Result", "Severity", "Reason"],
            rest.iter().map(|entry| {
                [
                    markdown(entry.title()),
                    entry.result().to_owned(),
                    entry.severity().to_owned(),
                    markdown(entry.reason()),
                ]
            }),
        );
    }
    let failed = view.failed();
    if !failed.is_empty() {
        out.heading(2, "Failed checks");
        for entry in &failed {
            failure(out, entry, 3, usize::MAX);
        }
    }
}

fn evidence(out: &mut Document, view: &View<'_>) {
    breakdown(out, view);
    trend(out, view);
    for (service, entries) in view.by_service() {
        out.heading(2, service.title());
        for entry in &entries {
            proof(out, entry);
        }
    }
}

fn unread(out: &mut Document, view: &View<'_>) {
    let rows = view.unread();
    let entries = view.not_judged();
    if rows.is_empty() && entries.is_empty() {
        return;
    }
    let limit = if view.is_executive() {
        ROWS_SHOWN
    } else {
        usize::MAX
    };
    out.heading(2, text::markdown::UNREAD);
    if !rows.is_empty() {
        out.table(
            ["Setting", "State", "Detail"],
            rows.iter().take(limit).map(|row| {
                [
                    code(&row.path, true),
                    words::state(row.state).to_owned(),
                    markdown(row.detail.as_deref().unwrap_or_default()),
                ]
            }),
        );
        rest(out, rows.len(), limit);
    }
    if !entries.is_empty() {
        out.blank();
        for entry in entries.iter().take(limit) {
            out.line(&format!(
                "- {}: {} {}",
                entry.result(),
                markdown(entry.title()),
                bracketed(entry.reason())
            ));
        }
        rest(out, entries.len(), limit);
    }
}

fn bracketed(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("({})", markdown(text))
    }
}

fn rest(out: &mut Document, all: usize, limit: usize) {
    let more = all.saturating_sub(limit);
    if more > 0 {
        out.paragraph(&text::markdown::more(more));
    }
}

fn provenance(out: &mut Document, view: &View<'_>) {
    out.heading(2, text::markdown::SETTINGS);
    let hash = |row: &SettingRow| {
        row.hash
            .map_or_else(|| "–".to_owned(), |hash| code(&words::hex(&hash), true))
    };
    out.table(
        ["Setting", "State", "Source", "Read at", "Bytes", "SHA-256"],
        view.data.settings.iter().map(|row| {
            [
                code(&row.path, true),
                words::state(row.state).to_owned(),
                code(&row.source, true),
                row.read_at.to_string(),
                row.bytes.to_string(),
                hash(row),
            ]
        }),
    );
    if let Some(changes) = &view.changes {
        out.paragraph(&text::markdown::compared_with(
            changes.before.id,
            words::completed(changes.before),
        ));
    }
}

fn exemptions(out: &mut Document, view: &View<'_>) {
    if view.data.exemptions.is_empty() {
        return;
    }
    if view.is_executive() {
        out.paragraph(&text::exemptions(view.data.exemptions.len() as u64));
        return;
    }
    out.heading(2, "Active exemptions");
    out.table(
        ["Check", "Scope", "Reason", "Owner", "Since", "Until"],
        view.data.exemptions.iter().map(|one| {
            [
                code(&one.what.check, true),
                if one.what.kind == "*" {
                    text::markdown::ALL_OF_CHECK.to_owned()
                } else {
                    format!("{} {}", markdown(&one.what.kind), code(&one.what.id, true))
                },
                markdown(one.reason.untrusted()),
                markdown(one.owner.untrusted()),
                words::day(one.created_at),
                one.until.map_or_else(|| "removed".to_owned(), words::day),
            ]
        }),
    );
}
