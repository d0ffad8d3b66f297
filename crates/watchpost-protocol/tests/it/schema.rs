//! Validation against the official schemas.

use jsonschema::Validator;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};
use watchpost_protocol::Revision;

struct Schemas {
    documents: BTreeMap<Revision, Value>,
    compiled: Mutex<BTreeMap<(Revision, String), &'static Validator>>,
}

fn schemas() -> Option<&'static Schemas> {
    static SCHEMAS: OnceLock<Option<Schemas>> = OnceLock::new();
    SCHEMAS
        .get_or_init(|| {
            let shared = std::env::var_os("SHARED_DIR").map_or_else(
                || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
                PathBuf::from,
            );
            let folder = shared.join("schema/mcp");
            if !folder.is_dir() {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "no official schemas in {}",
                    folder.display()
                );
                eprintln!("skipped: no official schemas in {}", folder.display());
                return None;
            }
            let documents = Revision::KNOWN
                .into_iter()
                .map(|revision| {
                    let file = folder.join(revision.as_str()).join("schema.json");
                    let text = std::fs::read_to_string(&file).unwrap();
                    (revision, serde_json::from_str(&text).unwrap())
                })
                .collect();
            Some(Schemas {
                documents,
                compiled: Mutex::default(),
            })
        })
        .as_ref()
}

/// Whether a revision's schema has a definition with this name.
pub(crate) fn defines(revision: Revision, name: &str) -> Option<bool> {
    let document = &schemas()?.documents[&revision];
    Some(
        document
            .get("definitions")
            .or(document.get("$defs"))
            .unwrap()
            .get(name)
            .is_some(),
    )
}

/// Panics if `value` isn't a valid `name` of `revision`.
pub(crate) fn assert_conforms(revision: Revision, name: &str, value: &Value) {
    let Some(schemas) = schemas() else { return };
    let mut compiled = schemas
        .compiled
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = compiled.entry((revision, name.to_owned())).or_insert_with(|| {
        let document = &schemas.documents[&revision];
        let key = if document.get("definitions").is_some() {
            "definitions"
        } else {
            "$defs"
        };
        assert!(document[key].get(name).is_some(), "{revision} has no {name}");
        let schema = json!({
            "$schema": document["$schema"],
            "$ref": format!("#/{key}/{name}"),
            key: document[key],
        });
        Box::leak(Box::new(jsonschema::validator_for(&schema).unwrap()))
    });
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{revision} {name}: {faults:#?}\n{value:#}");
}

#[test]
fn the_schema_check_can_fail() {
    if schemas().is_none() {
        return;
    }
    let legacy = json!({"tools": []});
    assert_conforms(Revision::V2025_11_25, "ListToolsResult", &legacy);
    let refused =
        std::panic::catch_unwind(|| assert_conforms(Revision::V2026_07_28, "ListToolsResult", &legacy));
    assert!(refused.is_err(), "a modern list needs resultType and cache hints");
}
