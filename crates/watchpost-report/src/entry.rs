//! One check's result with everything that a report says of it.

use crate::words;
use serde_json::{Value, value::RawValue};
use watchpost_core::{
    check::{Check, CheckEntity, FrameworkId},
    scan::{ResultDetail, ResultRow, SettingRow},
};

/// A result, the check behind it as far as this version has it, and the settings that it looked at.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    pub detail: &'a ResultDetail,
    pub check: Option<&'a Check>,
    /// Settings that the check looks at and that the scan tried to read.
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
    /// A style's name for the result: `passed`, `failed`, `skipped`, `error`.
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
    /// What would make it pass, with the ids in the way.
    pub(crate) fn would_pass(&self) -> Option<(&'a str, String)> {
        self.detail
            .would_pass
            .as_ref()
            .map(|one| (one.condition.untrusted(), one.excluded.join(", ")))
    }
    /// Evidence with one value on each line; empty if there is none.
    pub(crate) fn evidence(&self) -> String {
        match self.detail.evidence.trim() {
            "" | "[]" | "null" => String::new(),
            text => serde_json::from_str::<Value>(text)
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| text.to_owned()),
        }
    }
    /// The hash over result, reason, value, evidence and things.
    pub(crate) fn content(&self) -> String {
        format!("{:016x}", self.row().content)
    }
}

/// Stored JSON text on its way into JSON: as it is, or, if it isn't JSON, as a string.
pub(crate) fn raw(text: &str) -> Result<Box<RawValue>, serde_json::Error> {
    match serde_json::value::RawValue::from_string(text.to_owned()) {
        Ok(raw) => Ok(raw),
        Err(_) => serde_json::value::to_raw_value(text),
    }
}
