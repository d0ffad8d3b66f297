//! Texts of `watchpost import`.

use crate::{output::foreign, text::counted};
use std::{fmt::Display, path::Path};
use watchpost_core::{import::Batch, service::ImportAnswer};

/// Unreadable rows that are listed one by one. JSON has all that are stored.
const ERRORS_SHOWN: usize = 5;

pub(crate) const READING: &str = "reading the file";

pub(crate) fn rows_read(rows: u64) -> String {
    format!("{} read", counted(rows, "row", "rows"))
}

pub(crate) fn unreadable(file: &Path, error: &dyn Display) -> String {
    format!("can't read `{}`: {error}", file.display())
}

pub(crate) fn empty_folder(file: &Path) -> String {
    format!("`{}` is a folder without JSON files", file.display())
}

/// The whole answer: a summary of each batch with notes below it, and the files of an archive that were ignored.
pub(crate) fn answer(answer: &ImportAnswer) -> String {
    let mut lines = Vec::new();
    if answer.already_imported {
        lines.push("Nothing changed: this file is already imported.".to_owned());
    }
    for batch in &answer.batches {
        lines.push(batch_summary(batch));
        let is_new = answer.created.contains(&batch.integration);
        lines.extend(
            batch_notes(batch, is_new)
                .into_iter()
                .map(|note| format!("  {note}")),
        );
    }
    for (name, reason) in &answer.report.ignored {
        lines.push(format!("ignored: {}: {reason}", foreign(name)));
    }
    lines.join("\n")
}

/// `integration_is_new`: the import created the integration.
fn batch_notes(batch: &Batch, integration_is_new: bool) -> Vec<String> {
    let counts = &batch.counts;
    let mut notes = Vec::new();
    if counts.partial {
        notes.push(
            "rows may be missing, because the file is damaged or its tool was still writing: in the latter case, import it again when the tool has finished"
                .to_owned(),
        );
    }
    for error in counts.errors.iter().take(ERRORS_SHOWN) {
        notes.push(format!("row {}: {}", error.index, error.reason));
    }
    let more = counts
        .rows_skipped
        .max(counts.errors.len() as u64)
        .saturating_sub(counts.errors.len().min(ERRORS_SHOWN) as u64);
    if more > 0 {
        notes.push(format!("{} with errors", counted(more, "more row", "more rows")));
    }
    if batch.checks > 0 {
        notes.push(format!(
            "{} the same controls: compare the verdicts with `watchpost imports disagreements`",
            counted(batch.checks, "Watchpost check covers", "Watchpost checks cover")
        ));
    }
    for scan in &batch.scans {
        notes.push(format!("Watchpost's checks judged its settings: scan {scan}"));
    }
    let new = if integration_is_new { ", new" } else { "" };
    notes.push(format!(
        "integration {} ({}{new})",
        batch.integration,
        foreign(&batch.integration_name)
    ));
    notes
}

/// `ScubaGear 1.8.0, Birchworks: 5 rows, 5 imported (3 passed, 2 failed)`.
fn batch_summary(batch: &Batch) -> String {
    let (counts, results) = (&batch.counts, &batch.results);
    let mut head = batch.header.tool.title().to_owned();
    for part in [
        foreign(&batch.header.tool_version),
        if batch.header.tenant_name.is_empty() {
            batch.header.tenant_key.clone()
        } else {
            foreign(&batch.header.tenant_name)
        },
    ] {
        if !part.is_empty() {
            head.push_str(if head.contains(' ') { ", " } else { " " });
            head.push_str(&part);
        }
    }
    let mut parts = Vec::new();
    if counts.rows > 0 || batch.settings == 0 {
        let judged: Vec<String> = [
            (results.passed, "passed"),
            (results.failed, "failed"),
            (results.skipped, "skipped"),
            (results.errors, "in error"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        let judged = if judged.is_empty() {
            String::new()
        } else {
            format!(" ({})", judged.join(", "))
        };
        parts.push(format!(
            "{}, {} imported{judged}",
            counted(counts.rows, "row", "rows"),
            counts.rows_ok
        ));
    }
    if counts.rows_skipped > 0 {
        parts.push(format!("{} unreadable", counts.rows_skipped));
    }
    if counts.rows_not_run > 0 {
        parts.push(format!("{} not run by the tool", counts.rows_not_run));
    }
    if batch.settings > 0 {
        parts.push(counted(batch.settings, "setting", "settings"));
    }
    format!("{head}: {}", parts.join(", "))
}
