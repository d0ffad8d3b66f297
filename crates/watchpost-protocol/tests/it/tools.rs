//! Tool lists.

use crate::support::{Peer, enveloped, plain, raw, tool};
use serde_json::json;
use watchpost_protocol::{CatalogError, Revision, ToolCatalog, ToolDefinition};

/// RPC-15, TOO-01, TOO-12.
#[test]
fn a_definition_has_the_fields_of_its_revision() {
    let check = |revision: Revision, keys: &[&str], annotations: &[&str]| {
        let received = Peer::http()
            .session(revision)
            .send(&plain("tools/list", json!({})));
        let tool = received.result()["tools"][0].as_object().unwrap();
        assert_eq!(tool.keys().collect::<Vec<_>>(), keys, "{revision}");
        if let Some(found) = tool.get("annotations") {
            assert_eq!(
                found.as_object().unwrap().keys().collect::<Vec<_>>(),
                annotations,
                "{revision}"
            );
        }
    };
    let hints = [
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
        "readOnlyHint",
    ];
    let titled = [
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
        "readOnlyHint",
        "title",
    ];
    let whole = [
        "annotations",
        "description",
        "inputSchema",
        "name",
        "outputSchema",
        "title",
    ];
    check(
        Revision::V2024_11_05,
        &["description", "inputSchema", "name"],
        &[],
    );
    check(
        Revision::V2025_03_26,
        &["annotations", "description", "inputSchema", "name"],
        &titled,
    );
    check(Revision::V2025_06_18, &whole, &hints);
    check(Revision::V2025_11_25, &whole, &hints);
    let received = Peer::modern("tools/list", None).send(&enveloped("tools/list", json!({})));
    let tool = received.result()["tools"][0].as_object().unwrap();
    assert_eq!(tool.keys().collect::<Vec<_>>(), whole);
}

/// PAG-01, PAG-02, PAG-03, CCH-01, CCH-03, ENV-12.
#[test]
fn pages_follow_cursors_and_an_empty_string_is_a_cursor() {
    let list = |params| Peer::modern("tools/list", None).send(&enveloped("tools/list", params));
    let first = list(json!({}));
    assert_eq!(first.result()["nextCursor"], "");
    assert_eq!(first.result()["ttlMs"], 60_000);
    assert_eq!(first.result()["cacheScope"], "private");
    let last = list(json!({"cursor": ""}));
    assert!(last.result().get("nextCursor").is_none());
    assert_eq!(first.result()["cacheScope"], last.result()["cacheScope"]);
    assert_eq!(first.result()["tools"], last.result()["tools"]);
    assert_eq!(list(json!({"cursor": "made up"})).outcome(), (200, -32602));
    // A legacy client gets no cache hints (ENV-14).
    let legacy = Peer::http()
        .session(Revision::V2025_11_25)
        .send(&plain("tools/list", json!({})));
    assert_eq!(
        legacy.result().as_object().unwrap().keys().collect::<Vec<_>>(),
        ["nextCursor", "tools"]
    );
}

/// TOO-02, TOO-03, TOO-04, HDR-10.
#[test]
fn an_invalid_catalog_is_rejected() {
    let check = |tools: Vec<ToolDefinition>, expected: CatalogError| {
        assert_eq!(ToolCatalog::new(tools).unwrap_err(), expected);
    };
    for name in ["", "a b", "é", "a/b", &"x".repeat(129)] {
        check(vec![tool(name)], CatalogError::Name(name.to_owned()));
    }
    check(
        vec![tool("a"), tool("b"), tool("a")],
        CatalogError::Duplicate("a".to_owned()),
    );
    for schema in [
        json!({}),
        json!(true),
        json!(null),
        json!({"type": "array"}),
        json!({"type": ["object"]}),
    ] {
        let input = ToolDefinition {
            input_schema: raw(&schema),
            ..tool("a")
        };
        check(
            vec![input],
            CatalogError::Schema {
                name: "a".to_owned(),
                which: "input",
            },
        );
        let output = ToolDefinition {
            output_schema: Some(raw(&schema)),
            ..tool("a")
        };
        check(
            vec![output],
            CatalogError::Schema {
                name: "a".to_owned(),
                which: "output",
            },
        );
    }
    // HDR-10: annotations that would make clients drop the tool.
    let annotated = |annotation: &str, kind: &str| json!({"type": kind, "x-mcp-header": annotation});
    let wrong = [
        json!({"a": annotated("", "string")}),
        json!({"a": annotated("A B", "string")}),
        json!({"a": annotated("A", "number")}),
        json!({"a": annotated("A", "string"), "b": annotated("a", "string")}),
        json!({"a": {"type": "array", "items": annotated("A", "string")}}),
        json!({"a": {"anyOf": [annotated("A", "string")]}}),
    ];
    for properties in wrong {
        let header = ToolDefinition {
            input_schema: raw(&json!({"type": "object", "properties": properties})),
            ..tool("a")
        };
        check(vec![header], CatalogError::ParameterHeader("a".to_owned()));
    }
    let names: Vec<_> = [tool("b"), tool("A.1-_"), tool(&"x".repeat(128))].into();
    let catalog = ToolCatalog::new(names).unwrap();
    assert_eq!(catalog.tools()[1].name, "A.1-_");
    assert_eq!(
        ToolCatalog::new(vec![]).unwrap().rendered(Revision::V2024_11_05),
        "[]"
    );
}
