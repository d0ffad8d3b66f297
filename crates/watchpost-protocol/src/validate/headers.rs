//! The headers that repeat parts of a modern message.

use crate::{
    code::RpcError,
    header::Header,
    json::{RawJson, scanner::Members},
    validate::{Validator, check_header},
};

impl Validator<'_> {
    /// Checks that each routing header is present exactly once and equals the value in the body (HDR-01 to
    /// HDR-06).
    pub(super) fn routing_headers(&self, version: &str) -> Result<(), RpcError> {
        let facts = self.facts;
        check_header(
            "MCP-Protocol-Version",
            facts.version,
            facts.version.text(),
            version,
        )?;
        check_header("Mcp-Method", facts.method, facts.method.text(), self.method)?;
        let named = named_member(self.method, self.members, self.body);
        match (named.map(|value| value.and_then(RawJson::string)), facts.name) {
            (None, Header::Repeated) => check_header("Mcp-Name", facts.name, None, ""),
            // There is no value to repeat. The check of the parameters reports a missing one.
            (None, _) | (Some(None), Header::Absent) => Ok(()),
            (Some(value), header) => {
                let value = value.unwrap_or_default();
                check_header("Mcp-Name", header, header.decoded().as_deref(), &value)
            }
        }
    }

    /// Checks that the headers that repeat arguments equal the arguments.
    pub(super) fn parameter_headers(&self) -> Result<(), RpcError> {
        let Members { name, arguments, .. } = self.members;
        let Some(tool) = name.of(self.body).and_then(RawJson::string) else {
            return Ok(());
        };
        let arguments = arguments.of(self.body);
        self.headers.check(&tool, arguments, self.facts.parameters)
    }
}

/// Returns the value that `Mcp-Name` repeats. The outer `None` means that the method doesn't use this header.
fn named_member<'a>(method: &str, members: &Members, body: &'a [u8]) -> Option<Option<RawJson<'a>>> {
    let span = match method {
        "tools/call" | "prompts/get" => members.name,
        "resources/read" => members.uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => members.task_id,
        _ => return None,
    };
    Some(span.of(body))
}
