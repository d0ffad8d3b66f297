//! Tools: their definitions, serialized once per revision, and their results, assembled from finished bytes.

use crate::{
    content::ContentBlock,
    json::push_string,
    parameter::{self, ParameterHeaders},
    revision::Revision,
};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::{collections::BTreeSet, sync::OnceLock};

/// The definition of a tool, with everything that any revision can express.
#[derive(Debug, Clone)]
pub struct ToolDefinition {
    /// The name: 1 to 128 characters of `A-Z a-z 0-9 _ - .`.
    pub name: String,
    /// The display name.
    pub title: Option<String>,
    /// A description for a model: what the tool does and when to call it.
    pub description: String,
    /// The JSON Schema of the arguments. Its root must have `"type":"object"`.
    pub input_schema: Box<RawValue>,
    /// The JSON Schema of the structured content. Its root must have `"type":"object"`, so that it is valid in
    /// every revision that has output schemas.
    pub output_schema: Option<Box<RawValue>>,
    /// The behavior hints.
    pub hints: ToolHints,
}

/// Hints about a tool's behavior. All four are always sent, because the specification's defaults are
/// pessimistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolHints {
    /// The tool changes nothing.
    pub read_only: bool,
    /// The tool may destroy data. Meaningful only if it isn't read-only.
    pub destructive: bool,
    /// Repeating a call with the same arguments has no further effect. Meaningful only if the tool isn't
    /// read-only.
    pub idempotent: bool,
    /// The tool interacts with systems outside of the server.
    pub open_world: bool,
}

/// An invalid tool definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The name has an invalid character or length.
    #[error("tool name `{0}` isn't 1 to 128 characters of A-Z a-z 0-9 _ - .")]
    Name(String),
    /// Two tools have the same name.
    #[error("two tools are named `{0}`")]
    Duplicate(String),
    /// The root of a schema isn't an object schema.
    #[error("the root of the {which} schema of tool `{name}` doesn't have the type `object`")]
    Schema {
        /// The name of the tool.
        name: String,
        /// `input` or `output`.
        which: &'static str,
    },
    /// The input schema has an invalid `x-mcp-header` annotation, so clients would drop the tool. The header
    /// name isn't a token or isn't unique, or the annotated property isn't a string, integer or boolean
    /// reachable through plain `properties`.
    #[error("the input schema of tool `{0}` has an invalid x-mcp-header annotation")]
    ParameterHeader(String),
}

/// A list of tools, serialized at most once per revision. Create one catalog per set of tools that a caller may
/// see, and share it in an `Arc`.
#[derive(Debug)]
pub struct ToolCatalog {
    tools: Vec<ToolDefinition>,
    headers: ParameterHeaders,
    /// The encoded `tools` array, indexed by revision.
    rendered: [OnceLock<Bytes>; Revision::KNOWN.len()],
}

impl ToolCatalog {
    /// Checks the definitions. They are listed in the given order.
    ///
    /// # Errors
    /// Returns an error for the first invalid definition.
    pub fn new(tools: Vec<ToolDefinition>) -> Result<Self, CatalogError> {
        let mut names = BTreeSet::new();
        let mut headers = ParameterHeaders::default();
        for tool in &tools {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if tool.name.is_empty() || tool.name.len() > 128 || !tool.name.chars().all(legal) {
                return Err(CatalogError::Name(tool.name.clone()));
            }
            if !names.insert(tool.name.as_str()) {
                return Err(CatalogError::Duplicate(tool.name.clone()));
            }
            let schemas = [
                ("input", Some(&tool.input_schema)),
                ("output", tool.output_schema.as_ref()),
            ];
            for (which, schema) in schemas {
                if schema.is_some_and(|schema| !is_object_schema(schema)) {
                    return Err(CatalogError::Schema {
                        name: tool.name.clone(),
                        which,
                    });
                }
            }
            let annotated = parameter::annotated(tool.input_schema.get())
                .ok_or_else(|| CatalogError::ParameterHeader(tool.name.clone()))?;
            headers.add(&tool.name, annotated);
        }
        Ok(Self {
            tools,
            headers,
            rendered: Default::default(),
        })
    }

    /// Returns the definitions in order.
    pub fn tools(&self) -> &[ToolDefinition] {
        &self.tools
    }

    /// Returns the arguments that clients repeat in headers, for
    /// [`Handler::parameter_headers`](crate::Handler::parameter_headers).
    pub fn parameter_headers(&self) -> &ParameterHeaders {
        &self.headers
    }

    /// Returns the JSON array of all tools, with the fields that `revision` has.
    pub fn rendered(&self, revision: Revision) -> Bytes {
        match self.rendered.get(revision.index()) {
            Some(cell) => cell.get_or_init(|| self.render(revision)).clone(),
            None => self.render(revision),
        }
    }

    fn render(&self, revision: Revision) -> Bytes {
        let mut out = vec![b'['];
        for tool in &self.tools {
            if out.len() > 1 {
                out.push(b',');
            }
            tool.push(&mut out, revision);
        }
        out.push(b']');
        out.into()
    }
}

/// Whether the schema is `{"type":"object",…}`. Called only when a catalog is created.
fn is_object_schema(schema: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Root<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    serde_json::from_str::<Root<'_>>(schema.get()).is_ok_and(|root| root.kind == "object")
}

impl ToolDefinition {
    fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        out.extend_from_slice(b"{\"name\":");
        push_string(out, &self.name);
        if let Some(title) = self.title.as_ref().filter(|_| revision.has_titles()) {
            out.extend_from_slice(b",\"title\":");
            push_string(out, title);
        }
        out.extend_from_slice(b",\"description\":");
        push_string(out, &self.description);
        out.extend_from_slice(b",\"inputSchema\":");
        out.extend_from_slice(self.input_schema.get().as_bytes());
        if let Some(schema) = self
            .output_schema
            .as_ref()
            .filter(|_| revision.has_structured_output())
        {
            out.extend_from_slice(b",\"outputSchema\":");
            out.extend_from_slice(schema.get().as_bytes());
        }
        if revision.has_tool_annotations() {
            out.extend_from_slice(b",\"annotations\":{");
            // 2025-03-26 has no `Tool.title`. The nearest equivalent is the title in the annotations.
            if let Some(title) = self.title.as_ref().filter(|_| !revision.has_titles()) {
                out.extend_from_slice(b"\"title\":");
                push_string(out, title);
                out.push(b',');
            }
            let ToolHints {
                read_only,
                destructive,
                idempotent,
                open_world,
            } = self.hints;
            let hints = format!(
                r#""readOnlyHint":{read_only},"destructiveHint":{destructive},"idempotentHint":{idempotent},"openWorldHint":{open_world}}}"#
            );
            out.extend_from_slice(hints.as_bytes());
        }
        out.push(b'}');
    }
}

/// The result of a tool call as finished bytes, built once by the handler. The protocol adds the envelope of
/// the client's revision and leaves out what that revision doesn't have. The bytes must not contain line
/// breaks, because a message on stdio is one line. Cloning is cheap, so results can be cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The JSON array of content blocks. Older revisions have no structured content, so a text block should
    /// repeat it (TOO-06, TOO-07).
    pub content: Bytes,
    /// Blocks after those of `content`, of kinds that not every revision has.
    pub more: Vec<ContentBlock>,
    /// The JSON object that conforms to the tool's output schema, if the tool has one. An error of such a tool has
    /// none: clients that validate it would drop the text.
    pub structured: Option<Bytes>,
    /// Whether the tool failed. The content then tells the model why and what to do.
    pub is_error: bool,
}

impl ToolResult {
    /// Creates a result with one text block.
    pub fn text(text: &str) -> Self {
        let mut content = br#"[{"type":"text","text":"#.to_vec();
        push_string(&mut content, text);
        content.extend_from_slice(b"}]");
        Self {
            content: content.into(),
            more: Vec::new(),
            structured: None,
            is_error: false,
        }
    }

    /// Creates a result with the given blocks.
    pub fn blocks(blocks: Vec<ContentBlock>) -> Self {
        Self {
            content: Bytes::from_static(b"[]"),
            more: blocks,
            structured: None,
            is_error: false,
        }
    }

    /// Appends the members of the result that `revision` has.
    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision) {
        out.extend_from_slice(b"\"content\":");
        out.extend_from_slice(&self.content);
        if !self.more.is_empty() {
            out.pop();
            let mut is_first = self.content.as_ref() == b"[]";
            for block in &self.more {
                if !std::mem::take(&mut is_first) {
                    out.push(b',');
                }
                block.push(out, revision);
            }
            out.push(b']');
        }
        if let Some(structured) = self
            .structured
            .as_ref()
            .filter(|_| revision.has_structured_output())
        {
            out.extend_from_slice(b",\"structuredContent\":");
            out.extend_from_slice(structured);
        }
        out.extend_from_slice(if self.is_error {
            b",\"isError\":true"
        } else {
            b",\"isError\":false"
        });
    }

    /// Creates a tool error with one text block, which should say what to do next.
    pub fn error(text: &str) -> Self {
        Self {
            is_error: true,
            ..Self::text(text)
        }
    }
}
