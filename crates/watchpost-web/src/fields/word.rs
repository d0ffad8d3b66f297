//! Words from closed lists.

use super::{FieldValue, Mismatch, Raw, source::most_similar};
use crate::text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use watchpost_core::{
    audit::Reduced,
    check::{CheckResult, Framework, ScanType, Service, SkipReason},
    report::{ReportFormat, ReportKind},
    value::word::{
        AccountKind, AccountStatus, AppPolicy, Category, CollectionState, DismissReason, EntityType,
        FindingStatus, GrantKind, GrantRisk, IntegrationStatus, Mfa, Platform, RemediationState, RoleHold,
        RunState, Severity,
    },
};

/// A closed list of words.
pub(crate) trait ClosedList: Copy + Ord + Send + Sync + 'static {
    /// The name of the list.
    const NAME: &'static str;
    /// All words.
    const WORDS: &'static [Self];
    /// Returns the word's text.
    fn text(self) -> &'static str;
}

macro_rules! closed_lists {
    ($($name:ident),+ $(,)?) => {$(
        impl ClosedList for $name {
            const NAME: &'static str = stringify!($name);
            const WORDS: &'static [Self] = Self::ALL;
            fn text(self) -> &'static str { self.as_str() }
        }
    )+};
}
closed_lists!(
    AccountKind,
    AccountStatus,
    AppPolicy,
    Category,
    CheckResult,
    CollectionState,
    DismissReason,
    EntityType,
    FindingStatus,
    Framework,
    GrantKind,
    GrantRisk,
    IntegrationStatus,
    Mfa,
    Platform,
    RemediationState,
    ReportFormat,
    ReportKind,
    RoleHold,
    RunState,
    ScanType,
    Service,
    Severity,
    SkipReason,
);

fn texts<T: ClosedList>() -> Vec<&'static str> {
    T::WORDS.iter().map(|word| word.text()).collect()
}

fn parse<T: ClosedList>(text: &str) -> Result<T, Mismatch> {
    let found = T::WORDS.iter().copied().find(|word| word.text() == text);
    found.ok_or_else(|| {
        let words = texts::<T>();
        Mismatch {
            reason: text::one_of(&words),
            similar: most_similar(text, words.into_iter()),
        }
    })
}

/// One word, as a parameter or in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T: ClosedList> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text())
    }
}

impl<T: ClosedList> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": texts::<T>() })
    }
}

impl<T: ClosedList> FieldValue for Word<T> {
    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        let expected = || Mismatch::from(text::one_of(&texts::<T>()));
        match raw {
            Some(Raw::Text(values)) => match values.as_slice() {
                [one] => parse(one).map(Self),
                _ => Err(expected()),
            },
            Some(Raw::Json(Value::String(text))) => parse(text).map(Self),
            Some(Raw::Json(_)) | None => Err(expected()),
        }
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        out.word(name, self.0.text());
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// Words, sorted and without duplicates. In a query they are separated by commas, or the name is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Many<T>(Vec<T>);

impl<T: ClosedList> Many<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.0
    }
    /// Whether the word passes this filter: the list contains it or is empty.
    pub(crate) fn admits(&self, word: T) -> bool {
        self.0.is_empty() || self.0.contains(&word)
    }
}

impl<T: ClosedList> FieldValue for Many<T> {
    const IS_REQUIRED: bool = false;

    fn read(raw: Option<&Raw<'_>>) -> Result<Self, Mismatch> {
        let expected = || Mismatch::from(text::one_of(&texts::<T>()));
        let words: Result<Vec<T>, Mismatch> = match raw {
            None => Ok(Vec::new()),
            Some(Raw::Text(values)) => values
                .iter()
                .flat_map(|value| value.split(','))
                .map(parse)
                .collect(),
            Some(Raw::Json(Value::String(text))) => parse(text).map(|word| vec![word]),
            Some(Raw::Json(Value::Array(items))) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(expected).and_then(parse))
                .collect(),
            Some(Raw::Json(_)) => Err(expected()),
        };
        let mut words = words?;
        words.sort_unstable();
        words.dedup();
        Ok(Self(words))
    }
    fn reduce(&self, name: &'static str, out: &mut Reduced<'_>) {
        let words: Vec<&str> = self.0.iter().map(|word| word.text()).collect();
        out.words(name, &words);
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<Word<T>>();
        json_schema!({ "type": "array", "items": items, "minItems": 1 })
    }
}
