//! Compares JSON with a type of Graph.

use super::{Enumeration, Model, TypeRef};
use crate::log::Log;
use serde_json::{Map, Value};

/// The annotations that answers may have. The part before `@` is a property, or nothing.
const ANNOTATIONS: [&str; 10] = [
    "odata.context",
    "odata.count",
    "odata.deltaLink",
    "odata.etag",
    "odata.id",
    "odata.navigationLink",
    "odata.nextLink",
    "odata.type",
    "odata.editLink",
    "microsoft.graph.tips",
];

/// The type of objects whose properties are described elsewhere.
const DICTIONARY: &str = "microsoft.graph.openComplexDictionaryType";

/// The member of an enumeration after which come those that only clients that ask for them get.
const SENTINEL: &str = "unknownFutureValue";

pub(crate) struct Values<'a> {
    pub(crate) model: &'a Model,
    /// Whether the client asked for the members of enumerations that were added later.
    pub(crate) later_members: bool,
}

impl Values<'_> {
    /// Compares a value with its declared type.
    pub(crate) fn compare(&self, log: &mut Log, place: &str, value: &Value, of: &TypeRef) {
        if of.collection {
            match value {
                Value::Array(items) => {
                    let one = TypeRef {
                        name: of.name.clone(),
                        collection: false,
                    };
                    for item in items {
                        self.compare(log, &format!("{place}[]"), item, &one);
                    }
                }
                _ => log.differs(place, "not a list"),
            }
            return;
        }
        log.value();
        if let Some(enumeration) = self.model.enumeration(&of.name) {
            self.member(log, place, value, enumeration, &of.name);
        } else if self.model.structure(&of.name).is_some() {
            match value {
                Value::Object(fields) => self.structure(log, place, fields, &of.name),
                _ => log.differs(place, &format!("not an object ({})", of.name)),
            }
        } else if let Some(kind) = of.name.strip_prefix("Edm.") {
            if !primitive(kind, value) {
                log.differs(place, &format!("not a {kind}"));
            }
        } else {
            log.differs(place, &format!("the type {} isn't described", of.name));
        }
    }

    /// Compares the properties of an object.
    pub(crate) fn structure(&self, log: &mut Log, place: &str, fields: &Map<String, Value>, declared: &str) {
        let mut name = declared.to_owned();
        if let Some(Value::String(kind)) = fields.get("@odata.type") {
            let kind = kind.trim_start_matches('#');
            if self.model.structure(kind).is_none() {
                log.differs(place, &format!("the type {kind} isn't described"));
                return;
            }
            if !self.model.derives(kind, declared) {
                log.differs(place, &format!("{kind} isn't a {declared}"));
                return;
            }
            name = kind.to_owned();
        }
        if self
            .model
            .structure(&name)
            .is_some_and(|structure| structure.incomplete)
        {
            log.differs(place, &format!("doesn't say which kind of {name} it is"));
        }
        if self.model.full_name(&name) == DICTIONARY {
            return;
        }
        for (field, value) in fields {
            let at = format!("{place}.{field}");
            if let Some((before, annotation)) = field.split_once('@') {
                let known = ANNOTATIONS.contains(&annotation)
                    && (before.is_empty() || self.model.property(&name, before).is_some());
                if !known {
                    log.differs(&at, "no such annotation");
                }
                continue;
            }
            let Some(property) = self.model.property(&name, field) else {
                let open = self.model.lineage(&name).iter().any(|one| one.open);
                let addition = if open { " (the type is open)" } else { "" };
                log.differs(&at, &format!("{name} has no such property{addition}"));
                continue;
            };
            if value.is_null() && !property.of.collection {
                log.value();
                if !property.nullable {
                    log.differs(&at, "null, but not nullable");
                }
                continue;
            }
            self.compare(log, &at, value, &property.of);
        }
    }

    fn member(&self, log: &mut Log, place: &str, value: &Value, all: &Enumeration, name: &str) {
        let Value::String(text) = value else {
            log.differs(place, &format!("not a member of {name}"));
            return;
        };
        let sentinel = all.members.iter().position(|member| member == SENTINEL);
        let parts: Vec<&str> = if all.flags {
            text.split(',').map(str::trim).collect()
        } else {
            vec![text]
        };
        for part in parts {
            match all.members.iter().position(|member| member == part) {
                None => log.differs(place, &format!("{part:?} isn't a member of {name}")),
                Some(at) if !self.later_members && sentinel.is_some_and(|sentinel| at > sentinel) => {
                    log.differs(
                        place,
                        &format!("{part:?} of {name} is sent only to clients that ask for later members"),
                    );
                }
                Some(_) => {}
            }
        }
    }
}

/// Whether a value has a primitive type.
pub(crate) fn primitive(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("String", Value::String(_)) | ("Boolean", Value::Bool(_)) => true,
        ("Byte", Value::Number(number)) => number.as_u64().is_some_and(|n| n <= 255),
        ("Int16", Value::Number(number)) => number.as_i64().is_some_and(|n| i16::try_from(n).is_ok()),
        ("Int32", Value::Number(number)) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        ("Int64", Value::Number(number)) => number.as_i64().is_some(),
        ("Double" | "Single" | "Decimal", Value::Number(_)) => true,
        ("DateTimeOffset", Value::String(text)) => {
            text.contains('T') && text.parse::<jiff::Timestamp>().is_ok()
        }
        ("Date", Value::String(text)) => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        ("TimeOfDay", Value::String(text)) => text.parse::<jiff::civil::Time>().is_ok(),
        ("Duration", Value::String(text)) => {
            text.trim_start_matches('-').starts_with('P') && text.parse::<jiff::Span>().is_ok()
        }
        ("Guid", Value::String(text)) => text.len() == 36 && uuid_like(text),
        ("Binary", Value::String(text)) => text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=')),
        _ => false,
    }
}

fn uuid_like(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
