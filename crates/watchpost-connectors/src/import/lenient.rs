//! Lenient deserialization, for fields whose types differ between versions of a tool: a value of an unexpected type doesn't
//! make a row unreadable.

use super::document::parse_error;
use crate::text::import as text;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, marker::PhantomData};
use watchpost_core::import::ImportError;

/// A string, a number or a bool, as text; `None` for anything else.
#[derive(Debug, Clone, Default)]
pub(super) struct Scalar(pub(super) Option<String>);

impl Scalar {
    /// Returns the text without surrounding whitespace; empty if there is none.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default().trim()
    }
    /// Returns the text unless it is empty.
    pub(super) fn some(&self) -> Option<&str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }
    /// Parses the text as a number. A fraction is cut off.
    pub(super) fn number(&self) -> Option<i64> {
        let text = self.text();
        text.parse().ok().or_else(|| {
            let (whole, fraction) = text.split_once('.')?;
            fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            whole.parse().ok()
        })
    }
    /// Parses the text as a bool.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.text() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        }
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(Some(text.to_owned())))
    }
    fn visit_string<E: de::Error>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar(Some(text)))
    }
    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Scalar, E> {
        Ok(Scalar(Some(yes.to_string())))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// A list as PowerShell writes it: an array, a single element, or nothing. Nulls are dropped.
#[derive(Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany<T>, A::Error> {
        let mut out = Vec::new();
        while let Some(one) = seq.next_element::<Option<T>>()? {
            out.extend(one);
        }
        Ok(OneOrMany(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
        Ok(OneOrMany(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany<T>, E> {
        if text.is_empty() {
            return Ok(OneOrMany::default());
        }
        let text = de::value::StrDeserializer::<E>::new(text);
        Ok(OneOrMany(T::deserialize(text).ok().into_iter().collect()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::default())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::default())
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::default())
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::default())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<OneOrMany<T>, E> {
        Ok(OneOrMany::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// An object, or the default for a value of any other type.
#[derive(Debug, Default)]
pub(super) struct OrDefault<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for OrDefault<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrDefaultVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for OrDefaultVisitor<T> {
            type Value = OrDefault<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrDefault<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OrDefault)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OrDefault<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(OrDefault::default())
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
            fn visit_unit<E: de::Error>(self) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<OrDefault<T>, E> {
                Ok(OrDefault::default())
            }
        }
        deserializer.deserialize_any(OrDefaultVisitor(PhantomData))
    }
}

/// The fields of an object without duplicates.
#[derive(Debug)]
pub(super) struct Fields<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Fields<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldsVisitor<T> {
            type Value = Fields<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<T>, A::Error> {
                let mut out = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if out.contains_key(&key) {
                        return Err(de::Error::custom(format_args!("{DUPLICATE_FIELD}{key}")));
                    }
                    out.insert(key, value);
                }
                Ok(Fields(out))
            }
        }
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// The prefix of the error of [`Fields`]. The key follows.
pub(super) const DUPLICATE_FIELD: &str = "duplicate field ";

/// Parses a row. The error is the reason, which doesn't quote the row.
pub(super) fn row<T: DeserializeOwned>(row: &[u8]) -> Result<T, String> {
    // A derived `Deserialize` would accept a list of the fields' values.
    if !row.starts_with(b"{") {
        return Err(text::NOT_AN_OBJECT.to_owned());
    }
    serde_json::from_slice(row).or_else(|error| {
        let repaired = std::str::from_utf8(row).ok().and_then(without_halves);
        let again = repaired.and_then(|text| serde_json::from_str(&text).ok());
        again.ok_or_else(|| reason(&error))
    })
}

/// Parses any JSON value.
pub(super) fn value(text: &str) -> Result<Value, ImportError> {
    serde_json::from_str(text).or_else(|error| {
        let again = without_halves(text).and_then(|text| serde_json::from_str(&text).ok());
        again.ok_or_else(|| parse_error(text, &error))
    })
}

/// Replaces the escapes of halves of characters (unpaired surrogates, which tools write where they cut a text) by that of
/// U+FFFD. Returns `None` if there are none.
fn without_halves(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (kept, length) = match (half(escape), escape.get(6..).and_then(half)) {
            // A pair.
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (true, 12),
            (Some(_), _) => (false, 6),
            // Another escape has at least two characters, the second of which may be a backslash.
            (None, _) => (true, escape.chars().take(2).map(char::len_utf8).sum()),
        };
        let (one, after) = escape.split_at_checked(length)?;
        out.push_str(if kept { one } else { "\\ufffd" });
        found |= !kept;
        rest = after;
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Returns the number of a half of a character at the beginning of a text.
fn half(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

fn reason(error: &serde_json::Error) -> String {
    if error.to_string().starts_with("duplicate field") {
        return text::DUPLICATE_FIELD.to_owned();
    }
    match error.classify() {
        serde_json::error::Category::Data => text::UNEXPECTED_TYPES.to_owned(),
        serde_json::error::Category::Eof => text::ROW_TRUNCATED.to_owned(),
        _ => text::invalid_json(error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn halves_of_characters_are_replaced() {
        let check = |text: &str, expected: &str| {
            assert_eq!(value(text).expect("JSON"), json!(expected), "{text}");
        };
        check(r#""cut \ud83e""#, "cut \u{fffd}");
        check(r#""\udd8a cut \ud83e\ud83e\udd8a""#, "\u{fffd} cut \u{fffd}🦊");
        check(r#""\\ud83e \ud83ex""#, "\\ud83e \u{fffd}x");
        assert!(value(r#""\ud83"#).is_err() && value("\"\\").is_err() && value("{").is_err());
    }
}
