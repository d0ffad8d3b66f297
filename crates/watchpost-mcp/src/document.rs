//! The page `docs/tools.md`, generated from the declarations of the tools so that it always matches the server.

use crate::{
    text,
    tools::{self, TOOLS, ToolEntry},
};
use serde_json::Value;
use std::fmt::Write as _;

fn introduction() -> String {
    let names = |tools: Vec<&ToolEntry>| {
        let names: Vec<String> = tools
            .iter()
            .map(|tool| format!("`{}`", tool.declaration.name))
            .collect();
        names.join(", ")
    };
    let writes: Vec<&ToolEntry> = tools::write_tools().collect();
    let write_count = writes.len();
    let (queries, others): (Vec<&ToolEntry>, Vec<&ToolEntry>) = TOOLS
        .iter()
        .filter(|tool| !tool.takes_write_key())
        .partition(|tool| tool.is_query());
    let read_count = queries.len() + others.len();
    text::tools_page::introduction(
        read_count,
        queries.len(),
        &names(others),
        write_count,
        &names(writes),
    )
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn kind(schema: &Value) -> String {
    let of = |schema: &Value| {
        schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("any")
            .to_owned()
    };
    let words = |schema: &Value| {
        schema.get("enum").and_then(Value::as_array).map(|words| {
            let words: Vec<String> = words
                .iter()
                .filter_map(Value::as_str)
                .map(|word| format!("`{word}`"))
                .collect();
            words.join(", ")
        })
    };
    let bounds = |schema: &Value| {
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        bound("minimum")
            .zip(bound("maximum"))
            .map(|(low, high)| format!("{low} to {high}"))
    };
    match schema.get("items") {
        Some(items) => match words(items) {
            Some(words) => format!("list of {words}"),
            None => format!("list of {}", of(items)),
        },
        None => words(schema)
            .or_else(|| bounds(schema).map(|bounds| format!("{} {bounds}", of(schema))))
            .unwrap_or_else(|| of(schema)),
    }
}

fn fields(out: &mut String, schema: &Value) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, field) in properties {
        let description = field
            .get("description")
            .and_then(Value::as_str)
            .map(|text| format!(" — {text}"))
            .unwrap_or_default();
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            ", optional"
        };
        let _ = writeln!(out, "- `{name}` ({}{optional}){description}", kind(field));
    }
}

fn tool(out: &mut String, tool: &ToolEntry) {
    let declaration = &tool.declaration;
    let hints = &declaration.hints;
    let _ = writeln!(
        out,
        "\n## `{}`\n\n{}\n",
        declaration.name, declaration.description
    );
    let _ = writeln!(
        out,
        "Permission `{}`; read-only {}, destructive {}, idempotent {}, open world {}.\n",
        declaration.permission,
        yes(hints.read_only),
        yes(hints.destructive),
        yes(hints.idempotent),
        yes(hints.open_world),
    );
    if let Some(risk) = tool.risk() {
        let _ = writeln!(out, "{}\n", text::tools_page::asked_first(&risk.to_string()));
    }
    let input = tool.input_schema();
    if input
        .get("properties")
        .and_then(Value::as_object)
        .is_none_or(serde_json::Map::is_empty)
    {
        out.push_str("No arguments.\n");
    } else {
        out.push_str("Arguments:\n\n");
        fields(out, &input);
    }
    out.push_str("\nAnswer:\n\n");
    fields(out, &tool.output_schema());
}

/// Returns the Markdown of `docs/tools.md`.
pub fn tools_page() -> String {
    let mut out = introduction();
    for entry in TOOLS {
        tool(&mut out, entry);
    }
    out
}
