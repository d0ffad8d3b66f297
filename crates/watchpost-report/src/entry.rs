//! The result of one check, with everything that reports show of it.

use crate::text::{self, words};
use serde_json::{Value, value::RawValue};
use watchpost_core::{
    check::{Check, CheckEntity, FrameworkId},
    scan::{ResultDetail, ResultRow, SettingRow},
};

/// A result, with its check and the check's settings.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub detail: &'a ResultDetail,
    /// The check; `None` if this version no longer has it.
    pub check: Option<&'a Check>,
    /// The settings that the check reads and that the scan tried to read.
    pub settings: Vec<&'a SettingRow>,
    /// Whether the report is for a board: names take the place of ids, and sentences that of detected values.
    pub is_summary: bool,
}

impl<'a> Entry<'a> {
    pub(crate) const fn row(&self) -> &'a ResultRow {
        &self.detail.row
    }
    pub(crate) fn id(&self) -> &'a str {
        &self.row().check_id
    }
    pub(crate) fn title(&self) -> &'a str {
        &self.row().title
    }
    pub(crate) fn severity(&self) -> &'static str {
        words::severity(self.row().severity)
    }
    pub(crate) fn result(&self) -> &'static str {
        words::result(self.row().result, self.row().skip)
    }
    /// The CSS class of the result: `passed`, `failed`, `skipped` or `error`.
    pub(crate) fn result_class(&self) -> &'static str {
        self.row().result.as_str()
    }
    pub(crate) fn reason(&self) -> &'a str {
        self.row().reason.untrusted()
    }
    pub(crate) fn service(&self) -> &'static str {
        self.row().service.title()
    }
    pub(crate) fn framework_ids(&self) -> Vec<&'a str> {
        self.row().frameworks.iter().map(FrameworkId::as_str).collect()
    }
    pub(crate) fn description(&self) -> &'a str {
        self.check.map_or("", |check| check.description.trim())
    }
    pub(crate) fn remediation(&self) -> &'a [String] {
        self.check.map_or(&[], |check| &check.remediation)
    }
    /// The remediation steps as documents show them. A summary leaves out those that contain a request's JSON.
    pub(crate) fn shown_steps(&self, shown: usize) -> Vec<&'a str> {
        self.remediation()
            .iter()
            .map(String::as_str)
            .filter(|step| !(self.is_summary && step.contains("{\"")))
            .take(shown)
            .collect()
    }
    pub(crate) fn references(&self) -> &'a [String] {
        self.check.map_or(&[], |check| &check.references)
    }
    pub(crate) fn detected(&self) -> Option<&'a str> {
        self.row().detected.as_deref()
    }
    /// The detected value as documents show it.
    pub(crate) fn shown_value(&self) -> Option<&'a str> {
        self.detected().filter(|_| !self.is_summary)
    }
    pub(crate) fn entities(&self) -> &'a [CheckEntity] {
        &self.detail.entities
    }
    /// The failing entities for a list of at most `shown` names: the names, and the number of entities that it leaves
    /// out. A summary leaves out entities that have only an id.
    pub(crate) fn names(&self, shown: usize) -> (Vec<&'a str>, usize) {
        let entities = self.entities();
        let names: Vec<&str> = entities
            .iter()
            .map(|entity| entity.name.untrusted())
            .filter(|name| !(self.is_summary && has_guid(name)))
            .take(shown)
            .collect();
        let more = entities.len().saturating_sub(names.len());
        (names, more)
    }
    /// The condition under which the check would pass, and the names of what prevents it; an id where no name is known.
    pub(crate) fn would_pass(&self) -> Option<(&'a str, String)> {
        let one = self.detail.would_pass.as_ref()?;
        let name_of = |id: &'a String| {
            let named = self.entities().iter().find(|entity| entity.id == *id);
            named.map_or(id.as_str(), |entity| entity.name.untrusted())
        };
        let names: Vec<&str> = one
            .excluded
            .iter()
            .map(name_of)
            .filter(|name| !(self.is_summary && has_guid(name)))
            .collect();
        let unnamed = one.excluded.len().saturating_sub(names.len());
        Some((one.condition.untrusted(), text::names_and_more(&names, unnamed)))
    }
    /// The evidence, with one value on each line; empty if there is none.
    pub(crate) fn evidence(&self) -> String {
        match self.detail.evidence.trim() {
            "" | "[]" | "null" => String::new(),
            text => serde_json::from_str::<Value>(text)
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| text.to_owned()),
        }
    }
    /// The hash of result, reason, value, evidence and entities.
    pub(crate) fn content(&self) -> String {
        format!("{:016x}", self.row().content)
    }
}

/// Whether a text contains an id such as `018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f`.
fn has_guid(text: &str) -> bool {
    text.split(|edge: char| !edge.is_ascii_hexdigit() && edge != '-')
        .any(|word| {
            let parts = word.split('-').map(str::len);
            parts.eq([8, 4, 4, 4, 12])
        })
}

/// Converts stored text to a JSON value: JSON is passed through, other text becomes a string.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    match serde_json::value::RawValue::from_string(text.to_owned()) {
        Ok(raw) => Ok(raw),
        Err(_) => serde_json::value::to_raw_value(text),
    }
}
