//! Conversion of settings from text and TOML to typed values.

use crate::text;
use std::{fmt, str::FromStr, time::Duration};

/// A value before conversion.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValue {
    /// The text of a flag or of an environment variable.
    Text(String),
    /// A value of the file.
    Toml(toml::Value),
}

/// An invalid value. The message continues a sentence that begins with the setting's key: `must be …, not …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidValue(String);

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl InvalidValue {
    pub(super) fn expected(expected: &str, raw: &impl fmt::Display) -> Self {
        Self(text::setting::invalid(expected, raw))
    }
}

impl fmt::Display for RawValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Toml(toml::Value::String(text)) => f.write_str(text),
            Self::Toml(value) => fmt::Display::fmt(value, f),
        }
    }
}

impl RawValue {
    /// Converts to a whole number from 0.
    pub(super) fn count(&self) -> Result<u32, InvalidValue> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Toml(toml::Value::Integer(number)) => u32::try_from(*number).ok(),
            Self::Toml(_) => None,
        }
        .ok_or_else(|| InvalidValue::expected(text::setting::COUNT, self))
    }
    /// Converts to a whole number from 1.
    pub(super) fn count_from_one(&self) -> Result<u32, InvalidValue> {
        match self.count()? {
            0 => Err(InvalidValue::expected(text::setting::COUNT_FROM_ONE, self)),
            count => Ok(count),
        }
    }
    /// Converts to a boolean.
    pub(super) fn switch(&self) -> Result<bool, InvalidValue> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Toml(toml::Value::Boolean(value)) => Some(*value),
            Self::Toml(_) => None,
        }
        .ok_or_else(|| InvalidValue::expected("true or false", self))
    }
    /// Converts to text.
    pub(super) fn text(&self) -> Result<&str, InvalidValue> {
        match self {
            Self::Text(text) | Self::Toml(toml::Value::String(text)) => Ok(text),
            Self::Toml(_) => Err(InvalidValue::expected("text in quotes", self)),
        }
    }
    /// Converts to a type that is parsed from text. `expected` describes a valid text.
    pub(super) fn parsed<T: FromStr>(&self, expected: &str) -> Result<T, InvalidValue> {
        let text = self.text()?;
        text.parse().map_err(|_| InvalidValue::expected(expected, self))
    }
    /// Converts to a list: an array of strings in the file, or text with commas as separators. Empty text is an empty list.
    pub(super) fn list(&self) -> Result<Vec<String>, InvalidValue> {
        match self {
            Self::Text(text) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()),
            Self::Toml(toml::Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| InvalidValue::expected(text::setting::LIST, self)),
            Self::Toml(_) => Err(InvalidValue::expected(text::setting::LIST, self)),
        }
    }
    /// Converts to a duration: a number and `s`, `m`, `h` or `d`.
    pub(super) fn duration(&self) -> Result<Duration, InvalidValue> {
        let invalid = || InvalidValue::expected(text::setting::DURATION, self);
        let text = self.text().map_err(|_| invalid())?;
        let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
        let seconds: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(invalid()),
        };
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number
            .checked_mul(seconds)
            .map(Duration::from_secs)
            .ok_or_else(invalid)
    }
}

/// Formats a duration so that [`RawValue::duration`] can read it.
pub(super) fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    for (length, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] {
        if seconds != 0 && seconds.is_multiple_of(length) {
            return format!("\"{}{unit}\"", seconds / length);
        }
    }
    format!("\"{seconds}s\"")
}

/// Formats a text as TOML.
pub(super) fn show_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Formats a list as TOML.
pub(super) fn show_list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| show_text(&item.to_string())).collect();
    format!("[{}]", items.join(", "))
}
