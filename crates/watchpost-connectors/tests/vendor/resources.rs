//! The resource types of configuration snapshots, which have a JSON schema of their own.

use crate::{log::Log, shared::description};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};

/// Returns the schemas of the resource types by name, which are read once. Returns `None` if they aren't there.
pub(crate) fn resources() -> Option<&'static serde_json::Map<String, Value>> {
    static RESOURCES: OnceLock<Option<Value>> = OnceLock::new();
    let read = || serde_json::from_str::<Value>(&description("utcm-monitor.json.gz")?).ok();
    RESOURCES.get_or_init(read).as_ref()?.get("$defs")?.as_object()
}

/// Compares a resource of a snapshot with the schema of its type.
pub(crate) fn compare(log: &mut Log, resource: &Value) {
    let Some(types) = resources() else {
        return;
    };
    let name = resource["resourceType"].as_str().unwrap_or_default();
    let Some(schema) = types.get(name) else {
        log.differs(
            "answer.resources[].resourceType",
            &format!("no such type: {name}"),
        );
        return;
    };
    compare_value(log, name, &resource["properties"], schema);
}

/// Compares the types that a snapshot is ordered for.
pub(crate) fn compare_order(log: &mut Log, order: &Value) {
    let Some(types) = resources() else {
        return;
    };
    for name in order["resources"].as_array().into_iter().flatten() {
        log.value();
        if !name.as_str().is_some_and(|name| types.contains_key(name)) {
            log.differs("request.resources[]", &format!("no such type: {name}"));
        }
    }
}

fn compare_value(log: &mut Log, place: &str, value: &Value, schema: &Value) {
    log.value();
    let right = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        // A choice: the pattern is that of the examples without regard to case.
        _ => schema["examples"].as_array().is_none_or(|choices| {
            choices.iter().any(|choice| match (choice, value) {
                (Value::String(choice), Value::String(value)) => choice.eq_ignore_ascii_case(value),
                // The pattern of a choice of numbers is one for text.
                (Value::Number(choice), Value::String(value)) => {
                    value.parse() == Ok(choice.as_i64().unwrap())
                }
                (choice, value) => choice == value,
            })
        }),
    };
    if !right {
        log.differs(place, &format!("{value} isn't a value of this property"));
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                compare_value(log, &format!("{place}[]"), item, &schema["items"]);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = format!("{place}.{name}");
                match schema["properties"].get(name) {
                    Some(schema) => compare_value(log, &at, value, schema),
                    None => log.differs(&at, "no such property"),
                }
            }
        }
        _ => {}
    }
}

/// Returns the names of all properties.
pub(crate) fn fields() -> BTreeSet<String> {
    let all = resources().into_iter().flat_map(|types| types.values());
    all.filter_map(|schema| schema["properties"].as_object())
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}
