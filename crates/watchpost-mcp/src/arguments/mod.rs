//! The arguments of tools: parsing from JSON into the tool's input struct, with errors that name the field and the expected
//! value.
//!
//! An input struct is declared with [`arguments!`], which also writes its fields to the audit log: the type of each field
//! determines the form of its value there. So no field is missing in the audit entry, or when a repeated call is compared
//! with the first one.

mod audit;
mod lenient;
mod number;
mod scan;
mod since;
mod text;
mod word;

pub(crate) use audit::{AuditArguments, Reduced};
pub(crate) use lenient::{UnknownArguments, address, word};
pub(crate) use number::{Flag, Whole};
pub(crate) use scan::{ScanChoice, integration_id, scan_arguments, scan_id};
pub(crate) use since::SinceArg;
pub(crate) use text::{AddressLine, FindingArg, IdLine, IdempotencyKey, Line};
pub(crate) use word::{Many, Word};

use crate::{error::Failure, text::arguments as messages};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// A tool's input struct, declared with [`arguments!`].
pub(crate) trait Arguments: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The names of the fields.
    const FIELDS: &'static [&'static str];

    /// Adds each field in its form for the audit log. Equal arguments have equal forms.
    fn reduce(&self, out: &mut Reduced<'_>);
}

/// The value of an argument, whose type determines its form in the audit log.
pub(crate) trait ArgumentValue {
    /// Adds the value under its name.
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>);
}

impl<T: ArgumentValue> ArgumentValue for Option<T> {
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        if let Some(value) = self {
            value.reduce(name, out);
        }
    }
}

/// Declares an input struct. Its fields may have attributes and documentation. Every field is added to the audit entry.
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
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

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
    /// No arguments.
    pub(crate) struct NoArguments {}
}

/// Parses the arguments of a call. Absent arguments are an empty object. Returns also the names of the arguments that were
/// ignored.
pub(crate) fn parse<I: Arguments>(
    tool: &str,
    raw: Option<&str>,
    unknown: UnknownArguments,
) -> Result<(I, Vec<String>), Failure> {
    let (given, ignored) = lenient::read::<I>(tool, raw, unknown)?;
    let input = serde_path_to_error::deserialize(serde_json::Value::Object(given)).map_err(|error| {
        let path = error.path().to_string();
        Failure::invalid(explain(tool, &path, &error.into_inner().to_string()))
    })?;
    Ok((input, ignored))
}

/// Converts the parser's message into one for a model. The only text of the caller in it is a number.
fn explain(tool: &str, path: &str, message: &str) -> String {
    if let Some(rest) = message.strip_prefix("missing field `") {
        let name = rest.trim_end_matches('`');
        return messages::missing_argument(name, tool);
    }
    let Some((_, expected)) = message.rsplit_once(", expected ") else {
        return messages::not_json(tool);
    };
    let number = message
        .strip_prefix("invalid value: ")
        .and_then(|value| {
            value
                .strip_prefix("integer `")
                .or_else(|| value.strip_prefix("floating point `"))
        })
        .and_then(|rest| rest.split('`').next());
    match number {
        Some(number) => messages::unexpected_number(path, expected, number),
        None => messages::unexpected_value(path, expected),
    }
}
