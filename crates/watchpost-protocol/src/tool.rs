//! Tools: their definitions, serialized once per revision, and their results, put together from finished bytes.

use crate::{
    content::ContentBlock,
    json::push_string,
    parameter::{self, ParameterHeaders},
    revision::Revision,
};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::{collections::BTreeSet, sync::OnceLock};

/// One tool as clients see it, with everything that any revision can say about it.
#[derive(Debug, Clone)]
pub struct ToolDefinition {
    /// 1 to 128 characters of `A-Z a-z 0-9 _ - .`.
    pub name: String,
    /// The human label.
    pub title: Option<String>,
    /// For a model: what it does and when to call it.
    pub description: String,
    /// JSON Schema of the arguments; the root is an object with `"type":"object"`.
    pub input_schema: Box<RawValue>,
    /// JSON Schema of the structured content; the root is an object with `"type":"object"`, so that it's legal
    /// in every revision that has it.
    pub output_schema: Option<Box<RawValue>>,
    /// The four hints.
    pub hints: ToolHints,
}

/// What a tool says about its effects. All four are always stated, since the defaults are pessimistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolHints {
    /// It changes nothing.
    pub read_only: bool,
    /// It may destroy something; matters only if it isn't read-only.
    pub destructive: bool,
    /// Calling it again with the same arguments changes nothing more; matters only if it isn't read-only.
    pub idempotent: bool,
    /// It reaches outside the server.
    pub open_world: bool,
}

/// A definition that no client should see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The name has a forbidden character or length.
    #[error("tool name `{0}` isn't 1 to 128 characters of A-Z a-z 0-9 _ - .")]
    Name(String),
    /// Two tools have the same name.
    #[error("two tools are called `{0}`")]
    Duplicate(String),
    /// A schema's root isn't an object schema.
    #[error("the {which} schema of tool `{name}` doesn't have the root type object")]
    Schema {
        /// The tool.
        name: String,
        /// `input` or `output`.
        which: &'static str,
    },
    /// A schema asks clients to repeat an argument in an HTTP header in a way that makes them drop the tool: under a
    /// name that's no token or not unique, or for something other than a string, integer or boolean that plain keys
    /// lead to.
    #[error("the input schema of tool `{0}` uses x-mcp-header wrongly")]
    ParameterHeader(String),
}

/// A list of tools, ready to be sent: serialized at most once per revision. Keep one per set of tools that a
/// caller may see, in an `Arc`.
#[derive(Debug)]
pub struct ToolCatalog {
    tools: Vec<ToolDefinition>,
    headers: ParameterHeaders,
    /// The `tools` array, by revision.
    rendered: [OnceLock<Bytes>; Revision::KNOWN.len()],
}

impl ToolCatalog {
    /// Checks the definitions; they are listed in the given order.
    ///
    /// # Errors
    /// The first definition that breaks a rule.
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

    /// The definitions, in their order.
    pub fn tools(&self) -> &[ToolDefinition] {
        &self.tools
    }

    /// The arguments that clients repeat in headers, for
    /// [`Handler::parameter_headers`](crate::Handler::parameter_headers).
    pub fn parameter_headers(&self) -> &ParameterHeaders {
        &self.headers
    }

    /// The JSON array of all tools with the fields that `revision` has.
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

/// `{"type":"object",…}`; read once, when a server starts.
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
            // The nearest thing to a title that the revision between has (mcp.md 2.2).
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

/// A tool's result as finished bytes, built once by the handler: the protocol puts the envelope of the client's
/// revision around them and leaves out what that revision doesn't have. They hold no line break, since a message on stdio
/// is one line. Cloning is cheap, so it can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The JSON array of content blocks. Since older revisions have no structured content, a text block says
    /// the same (TOO-06, TOO-07).
    pub content: Bytes,
    /// Blocks after those of `content`, of kinds that not every revision has.
    pub more: Vec<ContentBlock>,
    /// The JSON object that conforms to the tool's output schema, if it has one; errors need none.
    pub structured: Option<Bytes>,
    /// The tool was called and says why it couldn't do what was asked, for the model to act on.
    pub is_error: bool,
}

impl ToolResult {
    /// A result with one text block and nothing else.
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

    /// A result made of blocks.
    pub fn blocks(blocks: Vec<ContentBlock>) -> Self {
        Self {
            content: Bytes::from_static(b"[]"),
            more: blocks,
            structured: None,
            is_error: false,
        }
    }

    /// The members of the result in the terms of `revision`.
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

    /// A tool error whose one text block says what to do next.
    pub fn error(text: &str) -> Self {
        Self {
            is_error: true,
            ..Self::text(text)
        }
    }
}
