//! The parameters of operations: one declaration gives the parser, the description in the OpenAPI document, and the form in
//! the audit log.
//!
//! An input struct is declared with [`fields!`]. A field whose name is in the path comes from the path, [`IdempotencyKey`]
//! from its header, and all others from the query of a GET or the JSON object in the body of a POST.

mod number;
mod source;
mod text;
mod word;

pub(crate) use number::{Flag, Limit, Offset, Whole};
pub(crate) use source::Source;
pub(crate) use text::{After, Begin, Id, IdempotencyKey, Line, Person};
pub(crate) use word::{Many, Word};

use crate::failure::Failure;
use schemars::{Schema, SchemaGenerator};
use std::borrow::Cow;
use watchpost_core::audit::Reduced;

/// The place of a field in a request, unless its name is in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The query of a GET, or the body of a POST.
    Given,
    /// This header.
    Header(&'static str),
}

/// The description of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The lines of the documentation.
    pub(crate) lines: &'static [&'static str],
    pub(crate) is_required: bool,
    pub(crate) place: Place,
    /// Whether it takes part in the selection of rows.
    pub(crate) selects: bool,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Field {
    /// Returns the documentation as one line.
    pub(crate) fn description(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.trim()).collect();
        lines.join(" ")
    }
}

/// A raw value: text from the path, the query or a header, or JSON from the body.
#[derive(Debug, Clone)]
pub(crate) enum Raw<'r> {
    /// All values of the name; more than one only if it was repeated.
    Text(Vec<Cow<'r, str>>),
    Json(&'r serde_json::Value),
}

/// The reason why a value is rejected.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// The values that are valid, as the end of a sentence.
    pub(crate) reason: String,
    /// The word that is most similar to the value.
    pub(crate) similar: Option<&'static str>,
}

impl From<String> for Mismatch {
    fn from(reason: String) -> Self {
        Self {
            reason,
            similar: None,
        }
    }
}

/// The type of a field, which determines its values and their form in the audit log.
pub(crate) trait FieldValue: Sized {
    /// Whether a request must have it.
    const IS_REQUIRED: bool = true;
    /// The place.
    const PLACE: Place = Place::Given;
    /// Whether it takes part in the selection of rows. The position and the size of a page don't.
    const SELECTS: bool = true;

    /// Parses the value; `None` is an absent one, which only an optional field gets.
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch>;
    /// Adds the value in its form for the audit log.
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>);
    /// Returns the schema of the values.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: FieldValue> FieldValue for Option<T> {
    const IS_REQUIRED: bool = false;
    const PLACE: Place = T::PLACE;
    const SELECTS: bool = T::SELECTS;

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        raw.map(|raw| T::read(Some(raw))).transpose()
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        if let Some(value) = self {
            value.reduce(name, out);
        }
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// An input struct, declared with [`fields!`].
pub(crate) trait Fields: Sized + Send + Sync + 'static {
    /// All fields.
    const LIST: &'static [Field];

    /// Parses the fields of a request, without checking that it has no others.
    fn read(source: &Source<'_>) -> Result<Self, Failure>;
    /// Adds each field in its form for the audit log. Equal requests have equal forms.
    fn reduce(&self, out: &mut Reduced<'_>);
    /// Like [`Fields::reduce`], only with the fields that select rows.
    fn reduce_selection(&self, out: &mut Reduced<'_>);
}

/// Declares an input struct. Each field has a type that is a [`FieldValue`].
macro_rules! fields {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[doc = $line:literal])+ $field:ident: $value:ty),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug)]
        $visibility struct $name {
            $($(#[doc = $line])+ $field: $value,)*
        }

        impl $crate::fields::Fields for $name {
            const LIST: &'static [$crate::fields::Field] = &[$($crate::fields::Field {
                name: stringify!($field),
                lines: &[$($line),+],
                is_required: <$value as $crate::fields::FieldValue>::IS_REQUIRED,
                place: <$value as $crate::fields::FieldValue>::PLACE,
                selects: <$value as $crate::fields::FieldValue>::SELECTS,
                schema: <$value as $crate::fields::FieldValue>::schema,
            }),*];

            fn read(source: &$crate::fields::Source<'_>) -> Result<Self, $crate::failure::Failure> {
                let _ = source;
                Ok(Self { $($field: source.field(stringify!($field))?,)* })
            }

            fn reduce(&self, out: &mut watchpost_core::audit::Reduced<'_>) {
                let Self { $($field),* } = self;
                $($crate::fields::FieldValue::reduce($field, stringify!($field), out);)*
                let _ = out;
            }

            fn reduce_selection(&self, out: &mut watchpost_core::audit::Reduced<'_>) {
                let Self { $($field),* } = self;
                $(if <$value as $crate::fields::FieldValue>::SELECTS {
                    $crate::fields::FieldValue::reduce($field, stringify!($field), out);
                })*
                let _ = out;
            }
        }
    };
}
pub(crate) use fields;

fields! {
    /// No parameters.
    pub(crate) struct NoFields {}
}
