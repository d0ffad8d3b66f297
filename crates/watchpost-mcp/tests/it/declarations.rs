//! The tools as clients see them before a call.

use crate::world::World;
use serde_json::{Value, json};
use watchpost_core::access::{KeyScope, Permission};
use watchpost_mcp::tools::{Declaration, Hints, TOOLS, ToolEntry};
use watchpost_protocol::Revision;

/// The size limit of the whole list for a write key, in the revision with the most fields. `bash tests/conformance/score`
/// counts the tokens of the list as well (gpt-tokenizer, o200k_base), which must be fewer than 9,000: 32,886 bytes had
/// 7,961 tokens, so a list of this size has about 8,960.
const LIST_BYTES_MAX: usize = 37_000;

fn definition(tool: &ToolEntry) -> Value {
    let declaration = &tool.declaration;
    json!({
        "name": declaration.name,
        "title": declaration.title,
        "description": declaration.description,
        "inputSchema": tool.input_schema(),
        "outputSchema": tool.output_schema(),
        "annotations": {
            "readOnlyHint": declaration.hints.read_only,
            "destructiveHint": declaration.hints.destructive,
            "idempotentHint": declaration.hints.idempotent,
            "openWorldHint": declaration.hints.open_world,
        }
    })
}

#[test]
fn definitions_match_their_snapshots() {
    for tool in TOOLS {
        insta::assert_json_snapshot!(tool.declaration.name, definition(tool));
    }
}

fn names(tools: impl Iterator<Item = &'static ToolEntry>) -> Vec<String> {
    tools.map(|tool| tool.declaration.name.to_owned()).collect()
}

#[test]
fn the_list_is_sorted_and_complete() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tools");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .filter(|name| name != "mod")
        .collect();
    files.sort();
    assert_eq!(names(TOOLS.iter()), files);
}

#[tokio::test]
async fn the_list_stays_within_its_size_limit() {
    let world = World::empty().await;
    let list = world.handler().tools(&world.writer);
    for name in ["2025-11-25", "2026-07-28"] {
        let bytes = list.rendered(Revision::parse(name).unwrap());
        if let Ok(folder) = std::env::var("TOOLS_LIST_OUT") {
            std::fs::write(format!("{folder}/{name}.json"), &bytes).unwrap();
        }
        assert!(bytes.len() <= LIST_BYTES_MAX, "{name}: {} bytes", bytes.len());
        // The lower bound makes the test fail on an empty list.
        assert!(bytes.len() > 10_000, "{name}: {} bytes", bytes.len());
    }
}

/// TOO-12. Permissions, hints and risks are compared with a snapshot of one table.
#[test]
fn hints_permissions_and_risks_are_declared() {
    const QUERY: Hints = Hints {
        read_only: true,
        destructive: false,
        idempotent: true,
        open_world: false,
    };
    let mut table = String::new();
    for tool in TOOLS {
        let Declaration {
            name,
            permission,
            hints,
            ..
        } = tool.declaration;
        assert_eq!(tool.is_query(), hints == QUERY, "{name}");
        assert_eq!(tool.is_query(), permission == Permission::ReadPosture, "{name}");
        assert_eq!(
            tool.risk().is_some(),
            !permission.granted_to_scope(KeyScope::Read),
            "{name}"
        );
        let mut line = format!("{name} needs {permission}");
        for (hint, is_set) in [
            ("read-only", hints.read_only),
            ("destructive", hints.destructive),
            ("idempotent", hints.idempotent),
            ("open world", hints.open_world),
        ] {
            if is_set {
                line.push_str(&format!("; {hint}"));
            }
        }
        if let Some(risk) = tool.risk() {
            line.push_str(&format!("; asks first: {risk}"));
        }
        table.push_str(&line);
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

/// Visits a schema and every schema within it, with its path.
fn walk(schema: &Value, path: &str, see: &mut dyn FnMut(&str, &Value)) {
    see(path, schema);
    if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
        for (name, field) in fields {
            walk(field, &format!("{path}.{name}"), see);
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(keyword).filter(|inner| inner.is_object()) {
            walk(inner, &format!("{path}[]"), see);
        }
    }
}

/// SCH-01, SCH-02, SCH-03, TOO-03, TOO-04.
#[test]
fn schemas_are_flat() {
    for tool in TOOLS {
        let name = tool.declaration.name;
        for schema in [tool.input_schema(), tool.output_schema()] {
            assert_eq!(schema["type"], "object", "{name}");
            walk(&schema, name, &mut |path, schema| {
                let kind = schema.get("type").and_then(Value::as_str);
                assert!(kind.is_some_and(|kind| kind != "null"), "{path}: {schema}");
                for banned in [
                    "$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "nullable", "title",
                ] {
                    assert!(schema.get(banned).is_none(), "{path} has {banned}");
                }
                let words = schema.get("enum").and_then(Value::as_array);
                assert!(
                    words.is_none_or(|words| words.iter().all(Value::is_string)),
                    "{path}"
                );
            });
        }
        // The schemas have no `$schema`, so each reader takes them for the draft that it knows.
        for draft in [
            jsonschema::Draft::Draft7,
            jsonschema::Draft::Draft201909,
            jsonschema::Draft::Draft202012,
        ] {
            for schema in [tool.input_schema(), tool.output_schema()] {
                let built = jsonschema::options().with_draft(draft).build(&schema);
                assert!(built.is_ok(), "{name}, {draft:?}");
            }
        }
    }
}

/// Converters to the schemas of model vendors know few keywords, and some fail on the others.
#[test]
fn input_schemas_describe_each_argument_with_few_keywords() {
    let known = [
        "type",
        "description",
        "properties",
        "required",
        "items",
        "enum",
        "minimum",
        "maximum",
        "maxLength",
        "default",
    ];
    for tool in TOOLS {
        let name = tool.declaration.name;
        let schema = tool.input_schema();
        walk(&schema, name, &mut |path, schema| {
            for keyword in schema.as_object().unwrap().keys() {
                assert!(known.contains(&keyword.as_str()), "{path} has {keyword}");
            }
            if let Some(default) = schema.get("default") {
                assert!(!default.is_null() && !default.is_array(), "{path}: {default}");
                let fits = jsonschema::validator_for(schema).unwrap();
                assert!(fits.is_valid(default), "{path}: {default}");
            }
        });
        for (field, schema) in schema["properties"].as_object().unwrap() {
            let description = schema["description"].as_str().unwrap_or_default();
            assert!(description.len() > 5, "{name}.{field} has no description");
            if schema["type"] == "string" {
                assert!(
                    schema["enum"].is_array() || schema["maxLength"].is_number(),
                    "{name}.{field} has no length limit"
                );
            }
        }
    }
}

#[test]
fn input_schemas_accept_the_documented_forms() {
    let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    let check = |name: &str, arguments: Value, fits: bool| {
        let tool = TOOLS.iter().find(|tool| tool.declaration.name == name).unwrap();
        let schema = jsonschema::validator_for(&tool.input_schema()).unwrap();
        assert_eq!(schema.is_valid(&arguments), fits, "{name} {arguments}");
    };
    check("get_risk_score", json!({}), true);
    // Clients add arguments of their own.
    check("get_risk_score", json!({"x": 1}), true);
    check("list_findings", json!({}), true);
    check(
        "list_findings",
        json!({"severity": ["critical", "high"], "category": ["identity_security"], "status": ["open"],
               "platform": ["okta"], "entity": "a@b.example", "text": "mfa", "limit": 100, "cursor": "x"}),
        true,
    );
    check("list_findings", json!({"limit": 0}), false);
    check("list_findings", json!({"severity": ["urgent"]}), false);
    check("lookup_identity", json!({"email": "a@b.example"}), true);
    check("lookup_identity", json!({}), false);
    check("list_rules", json!({"platform": ["m365"]}), true);
    check("check_app_policy", json!({"app": "Plumline"}), true);
    check(
        "start_scan",
        json!({"scan_type": "exposure", "read_settings": false}),
        true,
    );
    check("start_scan", json!({"scan_type": "everything"}), false);
    check("start_scan", json!({}), false);
    check(
        "get_scan",
        json!({"wait_seconds": 50, "framework": ["cis"], "service": ["exchange"]}),
        true,
    );
    check("get_scan", json!({"wait_seconds": 51}), false);
    check(
        "list_check_results",
        json!({"result": ["failed"], "check_id": "x"}),
        true,
    );
    check("compare_scans", json!({}), true);
    check("trigger_sync", json!({}), true);
    check("trigger_sync", json!({"platform": "okta"}), true);
    check("snooze_finding", json!({"finding_id": id, "days": 90}), true);
    check("snooze_finding", json!({"finding_id": id, "days": 91}), false);
    check(
        "dismiss_finding",
        json!({"finding_id": id, "reason": "accepted_risk", "note": "n"}),
        true,
    );
    check("dismiss_finding", json!({"finding_id": id}), false);
    check("remediate_finding", json!({"finding_id": id}), true);
    for policy in ["sanctioned", "unauthorized", "blocked", "none"] {
        check("set_app_policy", json!({"app": "x", "policy": policy}), true);
    }
    check("set_app_policy", json!({"app": "x", "policy": "great"}), false);
}

#[test]
fn the_tools_page_matches_the_declarations() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tools.md");
    let page = watchpost_mcp::tools_page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/tools.md is out of date: run this test once with UPDATE_DOCS=1"
    );
}

#[test]
fn the_page_on_changes_names_every_write_tool() {
    let page = include_str!("../../../../docs/changes.md");
    for tool in TOOLS.iter().filter(|tool| tool.takes_write_key()) {
        let name = tool.declaration.name;
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/changes.md lacks {name}"
        );
    }
}
