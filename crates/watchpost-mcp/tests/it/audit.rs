//! What the audit log keeps of a call's arguments: each of them, whatever the tool.

use crate::world::World;
use serde_json::{Map, Value, json};
use watchpost_mcp::tools::TOOLS;

/// An id that no workspace has. It fits every string argument, a key for repeats too.
const ID: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

/// A value that fits an argument's schema.
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
        other => panic!("no sample of {other}"),
    }
}

/// All that a tool takes.
fn samples(schema: &Value) -> Map<String, Value> {
    let fields = schema["properties"].as_object().unwrap();
    fields
        .iter()
        .map(|(name, schema)| (name.clone(), sample(schema)))
        .collect()
}

#[tokio::test]
async fn each_argument_of_each_tool_is_in_its_audit_entry() {
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
