//! JSON Schemas of inputs and outputs. They are flat: no `$ref`, no `null`, no unions. Several clients reject a tool
//! whose schema has any of these, and a model reads every byte of the schemas in each conversation.

use schemars::{JsonSchema, generate::SchemaSettings};
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

/// The schema of a tool's arguments.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    flatten(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        // Converters to the schemas of some model vendors fail on this keyword.
        root.remove("additionalProperties");
        root.entry("properties")
            .or_insert_with(|| Value::Object(Map::new()));
    }
    schema
}

/// The schema of a tool's structured answer. A field that may be omitted isn't required.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    flatten(&mut schema);
    let required = schema.as_object_mut().and_then(|root| root.remove("required"));
    shorten(&mut schema);
    if let (Some(root), Some(required)) = (schema.as_object_mut(), required) {
        root.insert("required".into(), required);
    }
    schema
}

/// Removes the bounds of numbers, the descriptions of objects and their lists of required fields, which are no use to a
/// model. The descriptions of fields stay.
fn shorten(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    map.remove("minimum");
    map.remove("maximum");
    map.remove("required");
    if map.get("type").is_some_and(|kind| kind == "object") {
        map.remove("description");
    }
    for (keyword, value) in map.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(fields)) => fields.values_mut().for_each(shorten),
            ("items" | "additionalProperties", value) => shorten(value),
            _ => {}
        }
    }
}

/// Keywords that a caller doesn't need.
const DROPPED: &[&str] = &["$schema", "$defs", "title", "format"];

fn flatten(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            hoist_optional(map);
            // The keys of `properties` are names of fields, such as `title`: keywords are removed from schemas alone.
            for keyword in DROPPED.iter().copied() {
                map.remove(keyword);
            }
            // The default of a field that may be absent says nothing.
            if matches!(
                map.get("default"),
                Some(Value::Null | Value::Array(_) | Value::Object(_))
            ) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    map.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            if map.get("minimum") == Some(&Value::from(0)) {
                map.remove("minimum");
            }
            for (keyword, value) in map.iter_mut() {
                match (keyword.as_str(), value) {
                    ("properties", Value::Object(fields)) => fields.values_mut().for_each(flatten),
                    ("items" | "additionalProperties", value) => flatten(value),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(flatten),
        _ => {}
    }
}

/// Replaces `anyOf: [X, null]`, the schema of an optional struct, with X: an unknown value is omitted, never null.
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
