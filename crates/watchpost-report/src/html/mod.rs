//! The HTML format: a self-contained page, with the style sheet and the charts inline, without scripts, for screen and print.

use crate::{
    charts,
    entry::Entry,
    text::{self, words},
    view::{Changes, View},
};
use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use watchpost_core::{
    check::Check,
    report::ReportKind,
    scan::{ResultChange, ResultRow, ScanCounts, SettingChange, SettingRow},
};

const STYLE: &str = include_str!("../../templates/report.css");

/// The maximum number of remediation steps in a summary.
const STEPS_SHOWN: usize = 2;
/// The maximum number of rows of a list in a summary.
const ROWS_SHOWN: usize = 8;
/// The maximum number of failing entities that are named outside the evidence export.
const NAMES_SHOWN: usize = 12;

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    view: &'a View<'a>,
    style: &'static str,
    style_hash: String,
}

/// Renders the page.
pub(crate) fn page(view: &View<'_>) -> askama::Result<Vec<u8>> {
    let page = Page {
        view,
        style: STYLE,
        style_hash: STANDARD.encode(Sha256::digest(STYLE.as_bytes())),
    };
    Ok(page.render()?.into_bytes())
}

/// A row in a table of counts.
struct CountsRow {
    name: &'static str,
    score: String,
    bar: String,
    counts: ScanCounts,
}

impl<'a> Page<'a> {
    fn difference(&self) -> Option<&'a Changes<'a>> {
        self.view.changes.as_ref().filter(|_| self.view.data.difference)
    }
    fn is_framework(&self) -> bool {
        self.view.data.kind == ReportKind::Framework
    }
    fn gauge(&self) -> String {
        charts::headline(self.view)
    }
    fn trend(&self) -> String {
        charts::trend(self.view)
    }
    fn severities(&self) -> String {
        charts::severities(&self.view.data.counts)
    }
    fn services(&self) -> Vec<CountsRow> {
        let rows = self.view.data.by_service.iter();
        rows.map(|(service, counts)| CountsRow::of(service.title(), counts))
            .collect()
    }
    fn frameworks(&self) -> Vec<CountsRow> {
        let rows = self.view.data.by_framework.iter();
        rows.map(|(framework, counts)| CountsRow::of(framework.title(), counts))
            .collect()
    }
    fn worst(&self) -> Vec<Card<'a>> {
        let entries = self.view.worst().into_iter();
        entries.map(|entry| Card::of(entry, false)).collect()
    }
    fn failed(&self) -> Vec<Card<'a>> {
        let entries = self.view.failed().into_iter();
        entries.map(|entry| Card::of(entry, true)).collect()
    }
    fn number(&self, entries: &[Entry<'_>], one: &str, many: &str) -> String {
        words::counted(entries.len() as u64, one, many)
    }
    /// The results of a check in the earlier and in the later scan.
    fn sides<'b>(&self, change: &'b ResultChange) -> [Option<&'b ResultRow>; 2] {
        [change.before.as_ref(), change.after.as_ref()]
    }
    fn further(&self) -> String {
        text::html::further_failures(self.view.further_failed().len() as u64)
    }
    fn steps<'b>(&self, check: &'b Check) -> Vec<&'b str> {
        let is_summary = self.view.is_executive();
        let steps = check.remediation.iter().map(String::as_str);
        steps
            .filter(|step| !(is_summary && step.contains("{\"")))
            .collect()
    }
    fn changed(&self, setting: &SettingChange) -> String {
        text::markdown::changed_values(setting.values.len() as u64)
    }
    fn exemptions(&self) -> String {
        text::exemptions(self.view.data.exemptions.len() as u64)
    }
    /// The maximum number of rows of a list.
    fn limit(&self) -> usize {
        if self.view.is_executive() {
            ROWS_SHOWN
        } else {
            usize::MAX
        }
    }
}

/// The card of a failed check.
struct Card<'a> {
    entry: Entry<'a>,
    steps: Vec<&'a str>,
    names: Vec<&'a str>,
    unnamed: usize,
    /// Whether the card shows the detected value and the entities.
    in_full: bool,
}

impl<'a> Card<'a> {
    fn of(entry: Entry<'a>, in_full: bool) -> Self {
        let shown = if in_full { usize::MAX } else { STEPS_SHOWN };
        let (names, unnamed) = entry.names(NAMES_SHOWN);
        Self {
            steps: entry.shown_steps(shown),
            names,
            unnamed,
            entry,
            in_full,
        }
    }
}

impl CountsRow {
    fn of(name: &'static str, counts: &ScanCounts) -> Self {
        Self {
            name,
            score: words::score(counts.score()),
            bar: charts::shares(counts),
            counts: *counts,
        }
    }
}

fn hash(row: &SettingRow) -> String {
    row.hash.map_or_else(|| "–".to_owned(), |hash| words::hex(&hash))
}

/// Whether a reference becomes a link: only HTTPS addresses do.
fn is_link(reference: &str) -> bool {
    reference.starts_with("https://")
}

fn value(value: Option<&serde_json::Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}

fn verdict(row: &ResultRow) -> &'static str {
    words::result(row.result, row.skip)
}
