//! Markdown: flat lists, small tables, everything foreign escaped. No line depends on being indented.

use crate::{
    controls::ControlState,
    entry::Entry,
    text::{clipped, code, code_block, markdown},
    view::{ChangeGroup, Changes, View, completed},
    words,
};
use watchpost_core::{
    check::CheckResult,
    report::ReportKind,
    scan::{ResultRow, ScanCounts, SettingRow},
};

/// Steps of remediation that a summary tells.
const STEPS_SHOWN: usize = 3;
/// Rows of a list in a summary.
const ROWS_SHOWN: usize = 15;
/// Failing things named outside the evidence export.
const NAMES_SHOWN: usize = 10;
/// Points of the trend.
const POINTS_SHOWN: usize = 12;
/// Characters of a value in a table.
const VALUE_CHARS: usize = 160;

/// Lines of Markdown.
struct Document(String);

impl Document {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }
    fn blank(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }
    fn heading(&mut self, level: usize, text: &str) {
        self.blank();
        self.line(&format!("{} {text}", "#".repeat(level)));
        self.blank();
    }
    fn paragraph(&mut self, text: &str) {
        self.blank();
        self.line(text);
    }
    /// A table; `cells` are Markdown already.
    fn table<const N: usize>(&mut self, head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        self.blank();
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(N)));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
    }
}

/// The report.
pub(crate) fn document(view: &View<'_>) -> String {
    let mut out = Document(String::new());
    opening(&mut out, view);
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
    out.heading(2, "How to read this");
    out.line(view.method());
    out.0
}

fn opening(out: &mut Document, view: &View<'_>) {
    out.heading(1, &format!("{}: {}", view.title(), view.subtitle()));
    let headline = view.headline();
    out.line(&match view.band() {
        "" => format!("**{headline}**"),
        band if view.score().is_some() => format!("**{headline} of 100, {band}** (higher is better)"),
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

fn counts_row(name: &str, counts: &ScanCounts) -> [String; 6] {
    [
        name.to_owned(),
        words::score(counts.score()),
        counts.passed.to_string(),
        counts.failed.to_string(),
        counts.skipped_in_all().to_string(),
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
                *cell = watchpost_core::scan::exposure_label(&point.counts).to_string();
            }
            row
        }),
    );
}

fn executive(out: &mut Document, view: &View<'_>) {
    trend(out, view);
    let worst = view.worst();
    out.heading(2, "Worst failures, and what to do");
    if worst.is_empty() {
        out.line("No check failed.");
    }
    for entry in &worst {
        failure(out, entry, 3, STEPS_SHOWN);
    }
    let more = view.further_failed();
    if !more.is_empty() {
        out.heading(
            3,
            &format!(
                "{} besides",
                words::counted(more.len() as u64, "failed check", "failed checks")
            ),
        );
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
        let count = |state| framework.count(Some(state));
        out.line(&format!(
            "{}: {} passed, {} failed, {} incomplete, {} in error, {} not judged.",
            words::counted(framework.count(None), "control", "controls"),
            count(ControlState::Passed),
            count(ControlState::Failed),
            count(ControlState::Incomplete),
            count(ControlState::Error),
            count(ControlState::NotJudged),
        ));
        for section in &framework.sections {
            out.heading(3, &markdown(&section.name));
            out.table(
                ["Control", "Result", "Check", "What it came to"],
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
        out.heading(2, "Checks on no control");
        out.table(
            ["Check", "Result", "Severity", "What it came to"],
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
        out.heading(2, "Failed checks, and what to do");
        for entry in &failed {
            failure(out, entry, 3, usize::MAX);
        }
    }
}

/// A failed check with what to do.
fn failure(out: &mut Document, entry: &Entry<'_>, level: usize, steps: usize) {
    out.heading(
        level,
        &format!("{}: {}", entry.severity(), markdown(entry.title())),
    );
    out.line(&markdown(entry.reason()));
    out.blank();
    out.line(&format!(
        "- Check: {} ({})",
        code(entry.id(), false),
        entry.service()
    ));
    ids_line(out, entry);
    detected_line(out, entry);
    names_line(out, entry);
    would_pass_line(out, entry);
    let all = entry.remediation();
    if !all.is_empty() {
        out.paragraph("What to do:");
        out.blank();
        for (at, step) in all.iter().take(steps).enumerate() {
            out.line(&format!("{}. {}", at.saturating_add(1), markdown(step)));
        }
    }
}

fn ids_line(out: &mut Document, entry: &Entry<'_>) {
    let ids = entry.framework_ids();
    if !ids.is_empty() {
        out.line(&format!("- Controls: {}", markdown(&ids.join(", "))));
    }
}

fn detected_line(out: &mut Document, entry: &Entry<'_>) {
    if let Some(value) = entry.detected() {
        out.line(&format!("- Detected: {}", code(&clipped(value, 1_000), false)));
    }
}

fn names_line(out: &mut Document, entry: &Entry<'_>) {
    let entities = entry.entities();
    if entities.is_empty() {
        return;
    }
    let names: Vec<String> = entities
        .iter()
        .take(NAMES_SHOWN)
        .map(|entity| markdown(entity.name.untrusted()))
        .collect();
    let more = entities.len().saturating_sub(NAMES_SHOWN);
    let more = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    out.line(&format!(
        "- Affected ({}): {}{more}",
        entities.len(),
        names.join(", ")
    ));
}

fn would_pass_line(out: &mut Document, entry: &Entry<'_>) {
    if let Some((condition, excluded)) = entry.would_pass() {
        out.line(&format!("- Would pass if: {}", markdown(condition)));
        if !excluded.is_empty() {
            out.line(&format!("- In the way: {}", markdown(&excluded)));
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

/// A check with everything.
fn proof(out: &mut Document, entry: &Entry<'_>) {
    out.heading(3, &format!("{}: {}", entry.result(), markdown(entry.title())));
    out.line(&markdown(entry.reason()));
    out.blank();
    out.line(&format!(
        "- Check: {}, severity {}",
        code(entry.id(), false),
        entry.severity().to_lowercase()
    ));
    ids_line(out, entry);
    detected_line(out, entry);
    would_pass_line(out, entry);
    for row in &entry.settings {
        out.line(&format!(
            "- Setting: {}, {}",
            code(&row.path, false),
            words::state(row.state).to_lowercase()
        ));
    }
    out.line(&format!(
        "- Hash of the result: {}",
        code(&entry.content(), false)
    ));
    if !entry.description().is_empty() {
        out.paragraph(&markdown(entry.description()));
    }
    let seen = entry.evidence();
    if !seen.is_empty() {
        out.paragraph("Evidence:");
        out.blank();
        out.line(&code_block(&seen, "json"));
    }
    if !entry.entities().is_empty() {
        out.table(
            ["Affected", "Kind", "Id"],
            entry.entities().iter().map(|entity| {
                [
                    markdown(entity.name.untrusted()),
                    markdown(&entity.kind),
                    code(&entity.id, true),
                ]
            }),
        );
    }
    if entry.row().result == CheckResult::Failed && !entry.remediation().is_empty() {
        out.paragraph("What to do:");
        out.blank();
        for (at, step) in entry.remediation().iter().enumerate() {
            out.line(&format!("{}. {}", at.saturating_add(1), markdown(step)));
        }
    }
    for reference in entry.references() {
        out.paragraph(&format!("See {}", code(reference, false)));
    }
}

fn difference(out: &mut Document, view: &View<'_>, changes: &Changes<'_>) {
    if !changes.frameworks.is_empty() && !view.is_exposure() {
        out.heading(2, "Scores");
        out.table(
            ["Framework", "Before", "After", "Difference"],
            changes.frameworks.iter().map(|delta| {
                [
                    delta.framework.title().to_owned(),
                    words::score(delta.before),
                    words::score(delta.after),
                    match (delta.before, delta.after) {
                        (Some(old), Some(new)) => words::signed(new.difference(old)),
                        _ => "–".to_owned(),
                    },
                ]
            }),
        );
    }
    for group in changes.groups.iter().filter(|group| !group.changes.is_empty()) {
        changed(out, view, group);
    }
    if changes.groups.iter().all(|group| group.changes.is_empty()) {
        out.paragraph("No check came to another result.");
    }
    if !changes.settings.is_empty() {
        out.heading(2, "Settings that moved");
        for setting in &changes.settings {
            out.heading(3, &code(&setting.path, false));
            if setting.state_before != setting.state_after {
                out.line(&format!(
                    "Reading it: {}, now {}.",
                    words::state_of(setting.state_before).to_lowercase(),
                    words::state_of(setting.state_after).to_lowercase()
                ));
            }
            if setting.values.is_empty() {
                continue;
            }
            let shown = |value: &Option<serde_json::Value>| {
                value.as_ref().map_or_else(
                    || "absent".to_owned(),
                    |value| code(&clipped(&value.to_string(), VALUE_CHARS), true),
                )
            };
            out.table(
                ["Where", "Before", "After"],
                setting.values.iter().map(|value| {
                    [
                        code(&value.pointer, true),
                        shown(&value.before),
                        shown(&value.after),
                    ]
                }),
            );
        }
    }
}

fn changed(out: &mut Document, view: &View<'_>, group: &ChangeGroup<'_>) {
    out.heading(2, &format!("{} ({})", group.title, group.changes.len()));
    out.line(group.meaning);
    let limit = if view.is_executive() {
        ROWS_SHOWN
    } else {
        usize::MAX
    };
    let side = |row: Option<&ResultRow>| match row {
        None => "not run".to_owned(),
        Some(row) => {
            let value = row.detected.as_deref().map_or_else(String::new, |value| {
                format!(", detected {}", code(&clipped(value, VALUE_CHARS), false))
            });
            format!(
                "{}: {}{value}",
                words::result(row.result, row.skip),
                markdown(row.reason.untrusted())
            )
        }
    };
    for change in group.changes.iter().take(limit) {
        let Some(row) = change.row() else { continue };
        out.heading(
            3,
            &format!("{}: {}", words::severity(row.severity), markdown(&row.title)),
        );
        out.line(&format!(
            "- Check: {} ({})",
            code(&row.check_id, false),
            row.service.title()
        ));
        out.line(&format!("- Before: {}", side(change.before.as_ref())));
        out.line(&format!("- After: {}", side(change.after.as_ref())));
        if let Some(check) = view
            .data
            .checks
            .get(&row.check_id)
            .filter(|_| row.result == CheckResult::Failed)
        {
            out.paragraph("What to do:");
            out.blank();
            for (at, step) in check.remediation.iter().enumerate() {
                out.line(&format!("{}. {}", at.saturating_add(1), markdown(step)));
            }
        }
    }
    let more = group.changes.len().saturating_sub(limit);
    if more > 0 {
        out.paragraph(&format!("And {more} more."));
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
    out.heading(2, "What couldn't be read or judged");
    if !rows.is_empty() {
        out.table(
            ["Setting", "What happened", "Detail"],
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
        out.paragraph(&format!("And {more} more."));
    }
}

fn provenance(out: &mut Document, view: &View<'_>) {
    out.heading(2, "What was read");
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
        out.paragraph(&format!(
            "Compared with scan {} of {}.",
            changes.before.id,
            completed(changes.before)
        ));
    }
}

fn exemptions(out: &mut Document, view: &View<'_>) {
    if view.data.exemptions.is_empty() {
        return;
    }
    out.heading(2, "Exemptions that hold");
    out.table(
        ["Check", "What", "Reason", "Owner", "Since", "Until"],
        view.data.exemptions.iter().map(|one| {
            [
                code(&one.what.check, true),
                if one.what.kind == "*" {
                    "the whole check".to_owned()
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
