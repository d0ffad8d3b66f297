//! The answer to `tools/list`.

use crate::tools::ToolEntry;
use serde_json::value::RawValue;
use std::sync::Arc;
use watchpost_protocol::{CatalogError, ToolCatalog, ToolDefinition, ToolHints};

pub(super) fn catalog(
    tools: impl Iterator<Item = &'static ToolEntry>,
) -> Result<Arc<ToolCatalog>, CatalogError> {
    let raw = |schema: serde_json::Value| {
        RawValue::from_string(schema.to_string()).expect("a JSON value serializes as JSON")
    };
    let definitions = tools
        .map(|tool| {
            let declaration = &tool.declaration;
            ToolDefinition {
                name: declaration.name.to_owned(),
                title: Some(declaration.title.to_owned()),
                description: declaration.description.to_owned(),
                input_schema: raw(tool.input_schema()),
                output_schema: Some(raw(tool.output_schema())),
                hints: ToolHints {
                    read_only: declaration.hints.read_only,
                    destructive: declaration.hints.destructive,
                    idempotent: declaration.hints.idempotent,
                    open_world: declaration.hints.open_world,
                },
            }
        })
        .collect();
    ToolCatalog::new(definitions).map(Arc::new)
}
