//! The oracle: reads a message with `serde_json`.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeSet, fmt};

/// Whether a text is valid JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Valid {
        /// The nesting depth of containers. 0 for a scalar.
        depth: usize,
        /// Whether an object has the same key twice.
        duplicate: bool,
    },
    Invalid,
    /// The grammar is valid, but the text contains numbers beyond the range of floats or is nested too deeply
    /// for `serde_json`.
    Unsure,
}

/// The properties of a message that the targets compare.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) json: Json,
    pub(super) is_array: bool,
    /// The id, if there is exactly one and it is valid.
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    keys: Vec<String>,
}

impl Seen {
    pub(super) fn of(body: &[u8]) -> Self {
        let members = serde_json::from_slice::<Members>(body)
            .map(|members| members.0)
            .unwrap_or_default();
        let member = |name: &str| {
            let mut found = members.iter().filter(|(key, _)| key == name);
            let first = found.next().map(|(_, value)| value.get());
            first.filter(|_| found.next().is_none())
        };
        Self {
            json: classify(body),
            is_array: body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'['),
            id: member("id").and_then(valid_id),
            method: member("method").and_then(|method| serde_json::from_str(method).ok()),
            keys: members.into_iter().map(|(key, _)| key).collect(),
        }
    }

    /// Whether the message is an object with a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key == name)
    }
}

fn valid_id(json: &str) -> Option<Value> {
    if let Ok(number) = json.parse::<i64>() {
        return Some(number.into());
    }
    let text: String = serde_json::from_str(json).ok()?;
    (text.len() <= 1_024).then(|| text.into())
}

fn classify(body: &[u8]) -> Json {
    if std::str::from_utf8(body).is_err() || serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return Json::Invalid;
    }
    let mut walk = Walk {
        depth: 0,
        duplicate: false,
    };
    let mut reader = serde_json::Deserializer::from_slice(body);
    match (Level {
        walk: &mut walk,
        level: 0,
    })
    .deserialize(&mut reader)
    {
        Ok(()) => Json::Valid {
            depth: walk.depth,
            duplicate: walk.duplicate,
        },
        Err(error) => {
            let message = error.to_string();
            // The messages of `serde_json` for numbers beyond the range of floats, and for deep nesting.
            if message.contains("out of range") || message.contains("recursion limit") {
                Json::Unsure
            } else {
                Json::Invalid
            }
        }
    }
}

/// The results of a walk.
struct Walk {
    depth: usize,
    duplicate: bool,
}

/// A value at a nesting level.
struct Level<'w> {
    walk: &'w mut Walk,
    level: usize,
}

impl Level<'_> {
    fn down(&mut self) -> Level<'_> {
        let level = self.level.saturating_add(1);
        self.walk.depth = self.walk.depth.max(level);
        Level {
            walk: &mut *self.walk,
            level,
        }
    }
}

impl Level<'_> {
    /// Returns a visitor for the next value at this level.
    fn again(&mut self) -> Level<'_> {
        Level {
            walk: &mut *self.walk,
            level: self.level,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let mut inner = self.down();
        while items.next_element_seed(inner.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut inner = self.down();
        let mut keys = BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if !keys.insert(key) {
                inner.walk.duplicate = true;
            }
            members.next_value_seed(inner.again())?;
        }
        Ok(())
    }
}

/// The members of an object, including duplicates.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut found = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    found.push(entry);
                }
                Ok(Members(found))
            }
        }
        from.deserialize_map(Object)
    }
}
