//! The OpenAPI document.

use serde_json::Value;
use std::{collections::BTreeSet, fs};
use watchpost_web::{Form, OPERATIONS, document};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// The version in the stored document, so that a release changes it on purpose only.
const VERSION: &str = "0.1.0";

fn parsed() -> Value {
    serde_json::from_str(&document(VERSION)).expect("JSON")
}

#[test]
fn the_stored_document_is_up_to_date() {
    let document = document(VERSION) + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(STORED, &document).expect("the document is written");
    }
    let stored = fs::read_to_string(STORED).unwrap_or_default();
    assert!(
        stored == document,
        "docs/openapi.json is out of date: UPDATE_DOCS=1 cargo test -p watchpost-web"
    );
}

#[test]
fn the_document_has_exactly_the_operations() {
    let document = parsed();
    assert_eq!(document["openapi"], "3.1.0");
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let declared: BTreeSet<(String, String)> = OPERATIONS
        .iter()
        .map(|operation| {
            let declaration = &operation.declaration;
            (
                declaration.method.as_str().to_owned(),
                declaration.path.to_owned(),
            )
        })
        .collect();
    assert_eq!(declared.len(), OPERATIONS.len(), "an operation is listed twice");
    assert_eq!(documented, declared);
}

#[test]
fn each_operation_of_this_api_has_an_id_of_its_own_and_no_other_has_one() {
    let document = parsed();
    let mut ids = BTreeSet::new();
    for operation in OPERATIONS {
        let declaration = &operation.declaration;
        let method = declaration.method.as_str().to_lowercase();
        let documented = &document["paths"][declaration.path][method.as_str()];
        assert_eq!(
            documented["operationId"].as_str(),
            operation.id(),
            "{declaration:?}"
        );
        assert_eq!(
            operation.id().is_some(),
            declaration.form == Form::Own,
            "{declaration:?}"
        );
        if let Some(id) = operation.id() {
            assert!(ids.insert(id), "{id} is used twice");
        }
        let security = documented["security"].as_array().expect("security");
        assert_eq!(security.is_empty(), operation.is_public(), "{declaration:?}");
        let names: Vec<&str> = documented["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| parameter["name"].as_str().expect("a name"))
            .collect();
        for segment in declaration.path.split('/') {
            if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                assert!(names.contains(&name), "{declaration:?}: {name} isn't declared");
            }
        }
    }
}

/// Visits every schema.
fn visit(value: &Value, place: &str, check: &mut impl FnMut(&Value, &str)) {
    check(value, place);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                visit(field, &format!("{place}/{name}"), check);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                visit(item, &format!("{place}/{at}"), check);
            }
        }
        _ => {}
    }
}

#[test]
fn references_are_resolved_and_no_field_may_be_null() {
    let document = parsed();
    let (mut references, mut unions) = (0, 0);
    visit(&document, "", &mut |value, place| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            references += 1;
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{place}: {reference}");
        }
        // Only values of vendors, of any type, may be null.
        if let Some(types) = value.get("type").and_then(Value::as_array) {
            assert_eq!(types.len(), 6, "{place}: {types:?}");
        }
        if value.get("anyOf").or(value.get("oneOf")).is_some() {
            unions += 1;
        }
    });
    assert!(references > 100, "{references}");
    // The parameter `since` of the list of findings and of its files: a number, a date or a time.
    assert_eq!(unions, 3);
}

#[test]
fn answers_and_parameters_are_described() {
    let document = parsed();
    for operation in OPERATIONS {
        let declaration = &operation.declaration;
        let method = declaration.method.as_str().to_lowercase();
        let documented = &document["paths"][declaration.path][method.as_str()];
        assert!(documented["summary"].is_string(), "{declaration:?}");
        for parameter in documented["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{declaration:?}: {parameter}"
            );
        }
        let success = documented["responses"]
            .as_object()
            .expect("responses")
            .iter()
            .find(|(status, _)| status.starts_with('2'));
        assert!(success.is_some(), "{declaration:?}");
    }
}
