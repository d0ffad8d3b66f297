//! A message as `serde_json` sees it.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeSet, fmt};

/// Whether a text is JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Valid {
        /// How deep containers nest; 0 for a scalar.
        depth: usize,
        /// An object has a key twice.
        duplicate: bool,
    },
    Invalid,
    /// JSON's grammar holds, but it has numbers past all floats, or nests too deep to be walked here.
    Unsure,
}

/// What is to be seen of a message.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) json: Json,
    pub(super) is_array: bool,
    /// The one legal id.
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    keys: Vec<String>,
}

impl Seen {
    pub(super) fn of(body: &[u8]) -> Self {
        let members = serde_json::from_slice::<Members>(body)
            .map(|members| members.0)
            .unwrap_or_default();
        let of = |name: &str| {
            let mut found = members.iter().filter(|(key, _)| key == name);
            let first = found.next().map(|(_, value)| value.get());
            first.filter(|_| found.next().is_none())
        };
        Self {
            json: judge(body),
            is_array: body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'['),
            id: of("id").and_then(legal_id),
            method: of("method").and_then(|method| serde_json::from_str(method).ok()),
            keys: members.into_iter().map(|(key, _)| key).collect(),
        }
    }

    /// Whether the message, if it's an object, has a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key == name)
    }
}

fn legal_id(json: &str) -> Option<Value> {
    if let Ok(number) = json.parse::<i64>() {
        return Some(number.into());
    }
    let text: String = serde_json::from_str(json).ok()?;
    (text.len() <= 1_024).then(|| text.into())
}

fn judge(body: &[u8]) -> Json {
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
            let why = error.to_string();
            if why.contains("number out of range") || why.contains("recursion limit") {
                Json::Unsure
            } else {
                Json::Invalid
            }
        }
    }
}

/// What a walk has found.
struct Walk {
    depth: usize,
    duplicate: bool,
}

/// One value at a level.
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
    /// The next value at this level.
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

/// The members of an object, repeated ones included.
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
