//! The result of one check, with everything that reports show of it.

use crate::text::words;
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
    pub(crate) fn references(&self) -> &'a [String] {
        self.check.map_or(&[], |check| &check.references)
    }
    pub(crate) fn detected(&self) -> Option<&'a str> {
        self.row().detected.as_deref()
    }
    pub(crate) fn entities(&self) -> &'a [CheckEntity] {
        &self.detail.entities
    }
    /// The condition under which the check would pass, and the ids that prevent it.
    pub(crate) fn would_pass(&self) -> Option<(&'a str, String)> {
        self.detail
            .would_pass
            .as_ref()
            .map(|one| (one.condition.untrusted(), one.excluded.join(", ")))
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

/// Converts stored text to a JSON value: JSON is passed through, other text becomes a string.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    match serde_json::value::RawValue::from_string(text.to_owned()) {
        Ok(raw) => Ok(raw),
        Err(_) => serde_json::value::to_raw_value(text),
    }
}
