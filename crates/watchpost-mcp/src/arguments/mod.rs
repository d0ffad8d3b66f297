//! Arguments of tools: values as models write them, one pass from the raw text into the tool's input struct, and
//! errors that name the field and say what would be right.
//!
//! An input struct is declared with [`arguments!`], which also walks its fields for the audit log: each field's type
//! says how its value is kept there, so no field is left out of a call's audit entry or of what makes a repeat a
//! repeat.

mod audit;
mod number;
mod scan;
mod text;
mod word;

pub(crate) use audit::{AuditArguments, Reduced};
pub(crate) use number::Whole;
pub(crate) use scan::{ScanChoice, integration_id, scan_arguments, scan_id};
pub(crate) use text::{AddressLine, FindingArg, IdLine, Line, OnceKey};
pub(crate) use word::{Many, Word};

use crate::error::Failure;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Characters of an unknown argument's name that an error repeats at the most.
const ECHOED_NAME_MAX: usize = 64;

/// A tool's input struct. [`arguments!`] declares one.
pub(crate) trait Arguments: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Puts each field into the form in which the audit log keeps it. Two calls with equal arguments reduce alike.
    fn reduce(&self, out: &mut Reduced<'_>);
}

/// A field of an input struct: its type says how the audit log keeps it.
pub(crate) trait ArgumentValue {
    /// Puts the value under its name.
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>);
}

impl<T: ArgumentValue> ArgumentValue for Option<T> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        if let Some(value) = self {
            value.reduce(name, out);
        }
    }
}

impl ArgumentValue for bool {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.flag(name, *self);
    }
}

/// Declares an input struct, whose fields may have attributes and documentation as in any struct. Unknown arguments
/// are refused, and every field goes into the audit entry.
macro_rules! arguments {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$field_attribute:meta])* $field:ident: $value:ty),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        $visibility struct $name {
            $($(#[$field_attribute])* $field: $value,)*
        }

        impl $crate::arguments::Arguments for $name {
            fn reduce(&self, out: &mut $crate::arguments::Reduced<'_>) {
                let Self { $($field),* } = self;
                $($crate::arguments::ArgumentValue::reduce($field, stringify!($field), out);)*
                let _ = out;
            }
        }
    };
}
pub(crate) use arguments;

arguments! {
    /// A tool that takes nothing.
    pub(crate) struct NoArguments {}
}

/// Parses the arguments of a call. Absent ones are an empty object.
pub(crate) fn parse<I: Arguments>(tool: &str, raw: Option<&str>) -> Result<I, Failure> {
    let text = raw.unwrap_or("{}");
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        Failure::invalid(explain::<I>(tool, &path, &error.into_inner().to_string()))
    })
}

/// Turns a parser's message into one for a model. Of the caller's own text only a number, or the cleaned name of an
/// unknown argument, is repeated.
fn explain<I: Arguments>(tool: &str, path: &str, message: &str) -> String {
    let message = message
        .rfind(" at line ")
        .and_then(|at| message.get(..at))
        .unwrap_or(message);
    if message.starts_with("unknown field") {
        let name: String = path
            .chars()
            .take(ECHOED_NAME_MAX)
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_-.".contains(c) {
                    c
                } else {
                    '?'
                }
            })
            .collect();
        let schema = crate::schema::of_input::<I>();
        let allowed: Vec<&str> = schema
            .get("properties")
            .and_then(|properties| properties.as_object())
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        return if allowed.is_empty() {
            format!("unknown argument `{name}`: `{tool}` takes no arguments")
        } else {
            format!("unknown argument `{name}`: `{tool}` takes {}", allowed.join(", "))
        };
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        let name = rest.trim_end_matches('`');
        return format!("`{name}` is missing: `{tool}` needs it");
    }
    let Some((_, expected)) = message.rsplit_once(", expected ") else {
        return format!("the arguments of `{tool}` can't be read: give one JSON object");
    };
    if path == "." || path == "?" {
        return format!("the arguments of `{tool}` must be one JSON object");
    }
    let got = ["invalid value: integer `", "invalid value: floating point `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .and_then(|rest| rest.split('`').next());
    match got {
        Some(number) => format!("`{path}` must be {expected}, not {number}"),
        None => format!("`{path}` must be {expected}"),
    }
}
