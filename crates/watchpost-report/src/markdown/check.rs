//! One check: a failure with its remediation, or a result with all its evidence.

use super::lines::Document;
use crate::{
    entry::Entry,
    escape::{clipped, code, code_block, markdown},
    text::{self, words},
};
use watchpost_core::check::CheckResult;

/// The maximum number of failing entities in the list of names.
const NAMES_SHOWN: usize = 10;

/// Writes a failed check with at most `steps` remediation steps.
pub(super) fn failure(out: &mut Document, entry: &Entry<'_>, level: usize, steps: usize) {
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
    let steps = entry.shown_steps(steps);
    if !steps.is_empty() {
        out.steps(&steps);
    }
}

fn ids_line(out: &mut Document, entry: &Entry<'_>) {
    let ids = entry.framework_ids();
    if !ids.is_empty() {
        out.line(&format!("- Controls: {}", markdown(&ids.join(", "))));
    }
}

fn detected_line(out: &mut Document, entry: &Entry<'_>) {
    if let Some(value) = entry.shown_value() {
        out.line(&format!("- Detected: {}", code(&clipped(value, 1_000), false)));
    }
}

fn names_line(out: &mut Document, entry: &Entry<'_>) {
    let entities = entry.entities();
    if entities.is_empty() {
        return;
    }
    let (names, more) = entry.names(NAMES_SHOWN);
    let names: Vec<String> = names.into_iter().map(markdown).collect();
    let more = match more {
        0 => String::new(),
        more if names.is_empty() => text::names_and_more(&[], more),
        more => format!(", and {more} more"),
    };
    out.line(&format!(
        "- Affected ({}): {}{more}",
        entities.len(),
        names.join(", ")
    ));
}

fn would_pass_line(out: &mut Document, entry: &Entry<'_>) {
    if let Some((condition, excluded)) = entry.would_pass() {
        out.line(&format!(
            "- {}: {}",
            text::markdown::CONDITION,
            markdown(condition)
        ));
        if !excluded.is_empty() {
            out.line(&format!("- Blocked by: {}", markdown(&excluded)));
        }
    }
}

/// Writes a check with all its evidence.
pub(super) fn proof(out: &mut Document, entry: &Entry<'_>) {
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
    out.line(&format!("- Result hash: {}", code(&entry.content(), false)));
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
                    markdown(&words::kind_of_entity(&entity.kind)),
                    code(&entity.id, true),
                ]
            }),
        );
    }
    if entry.row().result == CheckResult::Failed && !entry.remediation().is_empty() {
        out.steps(&entry.shown_steps(usize::MAX));
    }
    for reference in entry.references() {
        out.paragraph(&format!("See {}", code(reference, false)));
    }
}
