//! Values of any type where a tool's version decides which: nothing of a wrong type fails a row.

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// A text, a number or a boolean as text; `None` for anything else.
#[derive(Debug, Clone, Default)]
pub(super) struct Loose(pub(super) Option<String>);

impl Loose {
    /// The text; empty if there is none.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default().trim()
    }
    /// The text unless it is empty.
    pub(super) fn some(&self) -> Option<&str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }
    /// The number that it is.
    pub(super) fn number(&self) -> Option<i64> {
        let text = self.text();
        text.parse().ok().or_else(|| {
            let (whole, fraction) = text.split_once('.')?;
            fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            whole.parse().ok()
        })
    }
    /// The boolean that it is.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.text() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        }
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose(Some(text.to_owned())))
    }
    fn visit_string<E: de::Error>(self, text: String) -> Result<Loose, E> {
        Ok(Loose(Some(text)))
    }
    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Loose, E> {
        Ok(Loose(Some(yes.to_string())))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose(None))
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// A list, one thing that stands for a list of one, or nothing: as PowerShell writes lists. Nulls are dropped.
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
        let mut out = Vec::new();
        while let Some(one) = seq.next_element::<Option<T>>()? {
            out.extend(one);
        }
        Ok(Many(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
        Ok(Many(vec![T::deserialize(MapAccessDeserializer::new(map))?]))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Many<T>, E> {
        if text.is_empty() {
            return Ok(Many::default());
        }
        let text = de::value::StrDeserializer::<E>::new(text);
        Ok(Many(T::deserialize(text).ok().into_iter().collect()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Many<T>, E> {
        Ok(Many::default())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// An object; anything else counts as one without fields.
#[derive(Debug, Default)]
pub(super) struct Maybe<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MaybeVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for MaybeVisitor<T> {
            type Value = Maybe<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Maybe)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Maybe<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Maybe::default())
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
            fn visit_unit<E: de::Error>(self) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Maybe<T>, E> {
                Ok(Maybe::default())
            }
        }
        deserializer.deserialize_any(MaybeVisitor(PhantomData))
    }
}

/// The fields of an object, each once.
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
                        return Err(de::Error::custom(format_args!("{TWICE}{key}")));
                    }
                    out.insert(key, value);
                }
                Ok(Fields(out))
            }
        }
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// How the error of [`Fields`] begins; the key follows.
pub(super) const TWICE: &str = "duplicate field ";

/// A row as what it should be, or why it isn't, in words without any of its text.
pub(super) fn row<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    // Derived readers would take a list for an object's fields in their order.
    if !text.starts_with(b"{") {
        return Err("it is not an object".to_owned());
    }
    serde_json::from_slice(text).map_err(|error| reason(&error))
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("duplicate field") {
        return "it has a field twice".to_owned();
    }
    match error.classify() {
        serde_json::error::Category::Data => "it is not an object of the expected form".to_owned(),
        serde_json::error::Category::Eof => "it ends too early".to_owned(),
        _ => format!("it is not valid JSON at its byte {}", error.column()),
    }
}
