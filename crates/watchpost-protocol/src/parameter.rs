//! Tool arguments that clients repeat in HTTP headers so that proxies can route by them (MCP 2026-07-28, Tools
//! > `x-mcp-header`).

use crate::{code::RpcError, header::Header, json::RawJson, text};
use serde_json::Value;
use std::collections::BTreeMap;

const KEYWORD: &str = "x-mcp-header";

/// The maximum depth to which schemas are searched for annotations.
const DEPTH_MAX: usize = 32;

/// Access to the `Mcp-Param-*` headers of one request.
pub trait ParameterSource: std::fmt::Debug + Sync {
    /// Returns the header `Mcp-Param-{name}`. Names are compared without case.
    fn parameter(&self, name: &str) -> Header<'_>;
}

/// The arguments that clients repeat in headers, by tool. Created by
/// [`ToolCatalog::parameter_headers`](crate::ToolCatalog::parameter_headers).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterHeaders(BTreeMap<String, Vec<Parameter>>);

/// An argument annotated with `x-mcp-header`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// The part of the header's name after `Mcp-Param-`.
    header: String,
    /// The keys that lead to the argument.
    path: Vec<String>,
}

impl ParameterHeaders {
    pub(crate) fn add(&mut self, tool: &str, parameters: Vec<Parameter>) {
        if !parameters.is_empty() {
            self.0.insert(tool.to_owned(), parameters);
        }
    }

    /// Compares the headers of a call with its arguments (HDR-06, HDR-07, HDR-08).
    pub(crate) fn check(
        &self,
        tool: &str,
        arguments: Option<RawJson<'_>>,
        source: Option<&dyn ParameterSource>,
    ) -> Result<(), RpcError> {
        let Some(parameters) = self.0.get(tool) else {
            return Ok(());
        };
        // The next validation step reports arguments of the wrong shape.
        let arguments: Value = arguments
            .and_then(|arguments| arguments.parse().ok())
            .unwrap_or_default();
        for Parameter { header, path } in parameters {
            let value = path
                .iter()
                .try_fold(&arguments, |value, key| value.get(key))
                .filter(|value| !value.is_null());
            let given = source.map_or(Header::Absent, |source| source.parameter(header));
            let message = match (value, given) {
                (None, Header::Absent) => continue,
                (None, _) => text::parameter_header_without_argument(header),
                (Some(_), Header::Absent) => text::parameter_header_missing(header),
                (Some(_), Header::Repeated) => text::parameter_header_repeated(header),
                (Some(value), Header::One(_)) => match given.decoded() {
                    Some(text) if is_equal(&text, value) => continue,
                    Some(_) => text::parameter_header_mismatch(header),
                    None => text::parameter_header_undecodable(header),
                },
            };
            return Err(RpcError::header_mismatch(message));
        }
        Ok(())
    }
}

/// Whether a header's text represents an argument's value.
fn is_equal(text: &str, value: &Value) -> bool {
    match value {
        Value::String(string) => text == string,
        Value::Bool(flag) => text == if *flag { "true" } else { "false" },
        Value::Number(number) => {
            let exact = number.as_i64().zip(text.parse::<i64>().ok());
            match exact {
                Some((this, that)) => this == that,
                // `42.0` equals the integer 42 (HDR-08). Such integers are within 2^53, where floats are exact.
                None => number
                    .as_f64()
                    .zip(text.parse::<f64>().ok())
                    .is_some_and(|(this, that)| this.total_cmp(&that).is_eq()),
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Returns the annotated arguments of an input schema, or `None` if an annotation breaks a rule, so that
/// clients would drop the tool (HDR-10).
pub(crate) fn annotated(schema: &str) -> Option<Vec<Parameter>> {
    if !schema.contains(KEYWORD) {
        return Some(Vec::new());
    }
    let schema: Value = serde_json::from_str(schema).ok()?;
    let mut found = Vec::new();
    walk(&schema, &mut Vec::new(), &mut found)?;
    // The walk doesn't find annotations outside of plain `properties`, which are invalid.
    (count(&schema, 0) == found.len()).then_some(found)
}

fn walk(schema: &Value, path: &mut Vec<String>, found: &mut Vec<Parameter>) -> Option<()> {
    if path.len() > DEPTH_MAX {
        return None;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        path.push(key.clone());
        if let Some(name) = property.get(KEYWORD) {
            let name = name.as_str().filter(|name| is_token(name))?;
            let kind = property.get("type").and_then(Value::as_str);
            let is_primitive = matches!(kind, Some("string" | "integer" | "boolean"));
            let is_new = found
                .iter()
                .all(|other: &Parameter| !other.header.eq_ignore_ascii_case(name));
            if !(is_primitive && is_new) {
                return None;
            }
            found.push(Parameter {
                header: name.to_owned(),
                path: path.clone(),
            });
        }
        walk(property, path, found)?;
        path.pop();
    }
    Some(())
}

/// Counts the occurrences of the keyword at any position.
fn count(value: &Value, depth: usize) -> usize {
    if depth > DEPTH_MAX.saturating_mul(2) {
        return usize::MAX;
    }
    let nested = |value: &Value| count(value, depth.saturating_add(1));
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| nested(value).saturating_add(usize::from(key == KEYWORD)))
            .fold(0, usize::saturating_add),
        Value::Array(items) => items.iter().map(nested).fold(0, usize::saturating_add),
        _ => 0,
    }
}

/// Whether `name` is a token (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
