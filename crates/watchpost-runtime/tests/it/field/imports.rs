//! Folders whose files are imported: one function each, which returns what differs from the folder's `right` answer.

use super::Handler;
use crate::imports::{Fixture, run};
use serde_json::Value;
use std::{fs, path::Path};
use watchpost_core::{
    check::{CheckResult, ScanType, SkipReason},
    import::{Batch, ImportedQuery, ImportedRow},
    report::{ReportFormat, ReportKind, ReportRequest},
    value::text::{is_formula, visible},
};

/// The folders with files to import, and their functions.
pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("12-prowler-glued-lists", glued_lists),
    ("13-na-in-government", policies_that_do_not_apply),
    ("14-names-in-reports", names_in_reports),
];

/// Imports a file into a store of its own. Returns each batch with its results.
fn imported(file: &Path) -> Result<Vec<(Batch, Vec<ImportedRow>)>, String> {
    let bytes = fs::read(file).expect("a file");
    run(async {
        let fixture = Fixture::new().await;
        let answer = fixture.import(&bytes).await.map_err(|error| error.to_string())?;
        let query = ImportedQuery {
            check: None,
            control: None,
            result: None,
            after: None,
            limit: 500,
        };
        let mut out = Vec::new();
        for batch in answer.batches {
            let read = fixture
                .watchpost
                .imported_results(&fixture.scope, batch.id, &query)
                .await;
            let (_, page) = fixture.open(read).await.map_err(|error| error.to_string())?;
            out.push((batch, page.results.into_iter().map(|result| result.row).collect()));
        }
        Ok(out)
    })
}

/// The rows in front of the place where lists are glued together, and those behind it, are kept. The batch is partial, and the
/// reason names the glue.
fn glued_lists(folder: &Path) -> Vec<String> {
    let mut differences = Vec::new();
    for name in ["prowler.ocsf.json", "prowler-broken-comma.ocsf.json"] {
        let batches = match imported(&folder.join(name)) {
            Ok(batches) => batches,
            Err(error) => {
                differences.push(format!("{name} is rejected: {error}"));
                continue;
            }
        };
        let rows: Vec<(&str, CheckResult)> = batches
            .iter()
            .flat_map(|(_, rows)| rows)
            .map(|row| (row.control.as_str(), row.result))
            .collect();
        let right = [
            ("entra_users_mfa_enabled", CheckResult::Failed),
            ("exchange_mailbox_audit", CheckResult::Passed),
            ("entra_legacy", CheckResult::Failed),
        ];
        if rows != right {
            differences.push(format!("{name}: {rows:?}"));
        }
        let names_the_glue = |batch: &Batch| {
            batch.counts.partial
                && batch
                    .counts
                    .errors
                    .iter()
                    .any(|error| error.reason.contains("glued"))
        };
        if batches.len() != 1 || !batches.iter().all(|(batch, _)| names_the_glue(batch)) {
            differences.push(format!("{name}: {batches:?}"));
        }
    }
    differences
}

/// A policy that doesn't apply to a government tenant is skipped as not applicable, one that a person has to check as manual.
fn policies_that_do_not_apply(folder: &Path) -> Vec<String> {
    let batches = imported(&folder.join("ScubaResults.json")).expect("the import succeeds");
    let rows: Vec<(&str, CheckResult, Option<SkipReason>)> = batches
        .iter()
        .flat_map(|(_, rows)| rows)
        .map(|row| (row.control.as_str(), row.result, row.skip))
        .collect();
    let right = [
        (
            "MS.TEAMS.4.1v1",
            CheckResult::Skipped,
            Some(SkipReason::NotApplicable),
        ),
        ("MS.TEAMS.2.2v1", CheckResult::Skipped, Some(SkipReason::Manual)),
        (
            "MS.AAD.9.1v1",
            CheckResult::Skipped,
            Some(SkipReason::NotApplicable),
        ),
    ];
    if rows == right {
        Vec::new()
    } else {
        vec![format!("{rows:?}")]
    }
}

/// Names are escaped in every report, none of them starts a formula, and invisible characters are dropped.
fn names_in_reports(folder: &Path) -> Vec<String> {
    let bytes = fs::read(folder.join("ProviderSettingsExport.json")).expect("a file");
    let mut differences = Vec::new();
    let mut seen = 0;
    run(async {
        let fixture = Fixture::new().await;
        fixture.import(&bytes).await.expect("the import succeeds");
        for (scan_type, kind, format) in every_report() {
            let request = ReportRequest {
                kind,
                scan: None,
                scan_type,
                compare_with: None,
                difference: false,
                frameworks: Vec::new(),
                services: Vec::new(),
            };
            let data = fixture
                .watchpost
                .report_data(&fixture.scope, &request, None)
                .await;
            let data = fixture.open(data).await.expect("a scan");
            let report = fixture.watchpost.render_report(&data, format).expect("a report");
            let text = String::from_utf8(report.bytes).expect("UTF-8");
            seen += text.matches("gnp.exe").count();
            differences.extend(
                faults(&text, format)
                    .into_iter()
                    .map(|fault| format!("{scan_type} {kind} {format}: {fault}")),
            );
        }
    });
    if seen == 0 {
        differences.push("no report has the name with the override".to_owned());
    }
    differences
}

fn every_report() -> Vec<(ScanType, ReportKind, ReportFormat)> {
    let mut out = Vec::new();
    for scan_type in ScanType::ALL {
        for kind in ReportKind::ALL {
            out.extend(
                ReportFormat::ALL
                    .iter()
                    .map(|format| (*scan_type, *kind, *format)),
            );
        }
    }
    out
}

/// Returns the faults of a report.
fn faults(text: &str, format: ReportFormat) -> Vec<String> {
    let mut out = Vec::new();
    if visible(text).len() != text.len() {
        out.push("has an invisible character".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    if ["\\u202", "\\u206", "&#8238", "&#x202"]
        .iter()
        .any(|escaped| lower.contains(escaped))
    {
        out.push("has an escaped invisible character".to_owned());
    }
    match format {
        ReportFormat::Html => {
            for raw in ["<script", "<img", "onerror=alert(1)>", "href=\"javascript:"] {
                if lower.contains(raw) {
                    out.push(format!("has {raw}"));
                }
            }
        }
        ReportFormat::Markdown => {
            for raw in ["<img", "<script", "](javascript:"] {
                let escaped = format!("\\{raw}");
                let outside = outside_code(text).matches(raw).count();
                if outside > outside_code(text).matches(&escaped).count() {
                    out.push(format!("has {raw} outside of code"));
                }
            }
        }
        ReportFormat::Json => {
            if serde_json::from_str::<Value>(text).is_err() {
                out.push("isn't JSON".to_owned());
            }
        }
        ReportFormat::Ocsf => {
            if text
                .lines()
                .any(|line| serde_json::from_str::<Value>(line).is_err())
            {
                out.push("has a line that isn't JSON".to_owned());
            }
        }
        ReportFormat::Csv => {
            let formulas = cells(text).into_iter().filter(|cell| is_formula(cell));
            out.extend(formulas.take(3).map(|cell| format!("has the formula {cell}")));
        }
    }
    out
}

/// A Markdown document without its code, in blocks and in lines.
fn outside_code(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                outside_spans(line, &mut out);
                out.push('\n');
            }
        }
    }
    out
}

/// Appends a line without its code spans: each ends with as many backticks as it begins with.
fn outside_spans(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, span) = rest.split_at(at);
        out.push_str(before);
        let ticks: String = span.chars().take_while(|c| *c == '`').collect();
        let inner = &span[ticks.len()..];
        let closes = |at: usize| {
            let (before, after) = inner.split_at(at);
            !before.ends_with('`') && !after[ticks.len()..].starts_with('`')
        };
        let end = inner
            .match_indices(&ticks)
            .map(|(at, _)| at)
            .find(|at| closes(*at));
        rest = match end {
            Some(end) if !before.ends_with('\\') => &inner[end + ticks.len()..],
            _ => inner,
        };
    }
    out.push_str(rest);
}

/// The cells of a table, as in RFC 4180.
fn cells(table: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut cell, mut quoted, mut opened) = (String::new(), false, false);
    for c in table.chars() {
        match c {
            '"' => {
                // Two quotes in a row are one.
                if opened && !quoted {
                    cell.push('"');
                }
                quoted = !quoted;
                opened = true;
            }
            ',' | '\n' if !quoted => {
                out.push(std::mem::take(&mut cell));
                opened = false;
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    out
}
