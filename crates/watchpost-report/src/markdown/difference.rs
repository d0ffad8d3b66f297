//! The changes since an earlier scan.

use super::lines::{Document, ROWS_SHOWN};
use crate::{
    escape::{clipped, code, markdown},
    text::{markdown as text, words},
    view::{ChangeGroup, Changes, View},
};
use watchpost_core::{
    check::CheckResult,
    scan::{ResultRow, SettingChange},
};

/// The maximum number of characters of a value in a table.
const VALUE_CHARS: usize = 160;

pub(super) fn difference(out: &mut Document, view: &View<'_>, changes: &Changes<'_>) {
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
        out.paragraph(text::NO_DIFFERENCE);
    }
    if !changes.settings.is_empty() {
        out.heading(2, "Changed settings");
        for setting in &changes.settings {
            changed_setting(out, setting, view.is_executive());
        }
    }
}

/// Writes a changed setting. A summary leaves out the values.
fn changed_setting(out: &mut Document, setting: &SettingChange, is_summary: bool) {
    out.heading(3, &code(&setting.path, false));
    if setting.state_before != setting.state_after {
        out.line(&text::state_change(
            &words::state_of(setting.state_before).to_lowercase(),
            &words::state_of(setting.state_after).to_lowercase(),
        ));
    }
    if setting.values.is_empty() {
        return;
    }
    if is_summary {
        out.line(&text::changed_values(setting.values.len() as u64));
        return;
    }
    let shown = |value: &Option<serde_json::Value>| {
        value.as_ref().map_or_else(
            || "absent".to_owned(),
            |value| code(&clipped(&value.to_string(), VALUE_CHARS), true),
        )
    };
    out.table(
        ["Field", "Before", "After"],
        setting.values.iter().map(|value| {
            [
                code(&value.pointer, true),
                shown(&value.before),
                shown(&value.after),
            ]
        }),
    );
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
            let detected = row.detected.as_deref().filter(|_| !view.is_executive());
            let value = detected.map_or_else(String::new, |value| {
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
            let steps = check.remediation.iter().map(String::as_str);
            let steps: Vec<&str> = steps
                .filter(|step| !(view.is_executive() && step.contains("{\"")))
                .collect();
            out.steps(&steps);
        }
    }
    let more = group.changes.len().saturating_sub(limit);
    if more > 0 {
        out.paragraph(&text::more(more));
    }
}
