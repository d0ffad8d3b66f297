//! The audit entry of a call has each of its arguments, for every tool.

use crate::world::World;
use serde_json::{Map, Value, json};
use watchpost_mcp::tools::TOOLS;

/// An id that no workspace has. It is valid for every string argument, the idempotency key included.
const ID: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

/// A value that is valid for an argument's schema.
fn sample(schema: &Value) -> Value {
    if let Some(items) = schema.get("items") {
        let words = items["enum"].as_array().unwrap();
        return words.iter().rev().take(2).cloned().collect();
    }
    match schema["type"].as_str().unwrap() {
        "integer" => schema["maximum"].clone(),
        "boolean" => json!(false),
        "string" => schema
            .get("enum")
            .and_then(|words| words.as_array()?.last())
            .cloned()
            .unwrap_or_else(|| json!(ID)),
        other => panic!("no sample of type {other}"),
    }
}

/// A value for each argument of a tool.
fn samples(schema: &Value) -> Map<String, Value> {
    let fields = schema["properties"].as_object().unwrap();
    fields
        .iter()
        .map(|(name, schema)| {
            let value = match name.as_str() {
                "since" => json!("7"),
                _ => sample(schema),
            };
            (name.clone(), value)
        })
        .collect()
}

#[tokio::test]
async fn audit_entries_have_every_argument() {
    let world = World::company().await;
    let mut entries = String::new();
    for tool in TOOLS {
        let name = tool.declaration.name;
        let arguments = samples(&tool.input_schema());
        world
            .call(&world.writer, name, Value::Object(arguments.clone()))
            .await;
        let row = world.audit().pop().unwrap();
        assert_eq!(row.operation, name);
        let kept: Map<String, Value> = serde_json::from_str(&row.arguments).unwrap();
        for argument in arguments.keys() {
            assert!(
                kept.contains_key(argument),
                "{name}: {argument} is not in the entry"
            );
        }
        entries.push_str(&format!("{name} {}\n", row.arguments));
    }
    insta::assert_snapshot!(entries);
}
