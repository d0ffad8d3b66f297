//! Schemas in the OpenAPI document. No field is ever null, so no schema allows it.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

/// Implements `JsonSchema` with a schema that is inlined wherever the type is used.
macro_rules! inline_schema {
    ($type:ty, $([$($generics:tt)*],)? $name:literal, $schema:tt) => {
        impl$(<$($generics)*>)? schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use inline_schema;

/// The schema of a value from a vendor, of any type.
pub(crate) fn any_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean", "object", "array", "null"] })
}

/// The schema of a list of observed facts, of any type.
pub(crate) fn any_list(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": ["string", "number", "boolean", "object", "array", "null"] } })
}

/// Removes null from the types of optional fields, and formats that JSON has no meaning for.
pub(crate) fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            hoist_optional(map);
            if let Some(Value::Array(types)) = map.get_mut("type")
                && let [one, null] = types.as_slice()
                && null.as_str() == Some("null")
            {
                let one = one.clone();
                map.insert("type".into(), one);
            }
            if map.get("type").is_some_and(|kind| *kind == "integer") {
                map.remove("format");
            }
            map.remove("title");
            for (keyword, value) in map.iter_mut() {
                match (keyword.as_str(), value) {
                    ("properties" | "schemas", Value::Object(fields)) => {
                        fields.values_mut().for_each(without_null);
                    }
                    ("items" | "additionalProperties" | "schema", value) => without_null(value),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Replaces `anyOf: [X, null]`, the schema of an optional struct, with X.
fn hoist_optional(map: &mut Map<String, Value>) {
    let Some(Value::Array(mut choices)) = map.remove("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
    match <[Value; 1]>::try_from(choices) {
        Ok([Value::Object(only)]) => {
            for (keyword, value) in only {
                map.entry(keyword).or_insert(value);
            }
        }
        Ok([other]) => {
            map.insert("anyOf".into(), Value::Array(vec![other]));
        }
        Err(choices) => {
            map.insert("anyOf".into(), Value::Array(choices));
        }
    }
}
