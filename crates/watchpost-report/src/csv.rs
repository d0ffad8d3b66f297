//! The CSV format: one line for each check, or for each change between two scans.

use crate::{text::words, view::View};
use watchpost_core::{check::FrameworkId, scan::ResultRow, value::text::csv_cell};

/// The maximum number of failing entities that a cell names.
const ENTITIES_SHOWN: usize = 100;

const RESULT_COLUMNS: &[&str] = &[
    "check",
    "title",
    "service",
    "severity",
    "result",
    "skip_reason",
    "reason",
    "detected",
    "frameworks",
    "entities",
    "entity_names",
    "remediation",
    "scan",
    "completed_at",
];
const CHANGE_COLUMNS: &[&str] = &[
    "change",
    "check",
    "title",
    "service",
    "severity",
    "result_before",
    "result_after",
    "reason_before",
    "reason_after",
    "detected_before",
    "detected_after",
    "frameworks",
    "scan_before",
    "scan_after",
];

/// Renders a table with a header line. Lines end with CRLF, as in RFC 4180.
pub(crate) fn table(view: &View<'_>) -> String {
    let mut out = String::new();
    match &view.changes {
        Some(changes) if view.data.difference => {
            line(&mut out, CHANGE_COLUMNS);
            for group in &changes.groups {
                for change in &group.changes {
                    let Some(row) = change.row() else { continue };
                    let (before, after) = (change.before.as_ref(), change.after.as_ref());
                    line(
                        &mut out,
                        &[
                            group.key,
                            &row.check_id,
                            &row.title,
                            row.service.as_str(),
                            row.severity.as_str(),
                            before.map_or("", verdict),
                            after.map_or("", verdict),
                            before.map_or("", |row| row.reason.untrusted()),
                            after.map_or("", |row| row.reason.untrusted()),
                            before.and_then(|row| row.detected.as_deref()).unwrap_or_default(),
                            after.and_then(|row| row.detected.as_deref()).unwrap_or_default(),
                            &ids(&row.frameworks),
                            &changes.before.id.to_string(),
                            &view.data.scan.id.to_string(),
                        ],
                    );
                }
            }
        }
        _ => {
            line(&mut out, RESULT_COLUMNS);
            let scan = view.data.scan.id.to_string();
            let completed = words::completed(&view.data.scan).to_string();
            for detail in &view.data.results {
                let entry = view.entry(detail);
                let row = entry.row();
                let names: Vec<&str> = entry
                    .entities()
                    .iter()
                    .take(ENTITIES_SHOWN)
                    .map(|entity| entity.name.untrusted())
                    .collect();
                line(
                    &mut out,
                    &[
                        &row.check_id,
                        &row.title,
                        row.service.as_str(),
                        row.severity.as_str(),
                        row.result.as_str(),
                        row.skip.map_or("", |skip| skip.as_str()),
                        row.reason.untrusted(),
                        row.detected.as_deref().unwrap_or_default(),
                        &ids(&row.frameworks),
                        &row.entities.to_string(),
                        &names.join("; "),
                        &entry.remediation().join(" "),
                        &scan,
                        &completed,
                    ],
                );
            }
        }
    }
    out
}

fn verdict(row: &ResultRow) -> &'static str {
    words::result(row.result, row.skip)
}

fn ids(frameworks: &[FrameworkId]) -> String {
    let all: Vec<&str> = frameworks.iter().map(FrameworkId::as_str).collect();
    all.join("; ")
}

fn line(out: &mut String, cells: &[&str]) {
    for (at, text) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&csv_cell(text));
    }
    out.push_str("\r\n");
}
