//! Arguments that clients repeat in HTTP headers (`x-mcp-header`, mcp.md 7.2), so that proxies can route by them.

use crate::{
    code::RpcError,
    header::Header,
    json::{RawJson, clip},
};
use serde_json::Value;
use std::collections::BTreeMap;

const KEYWORD: &str = "x-mcp-header";

/// Schemas are walked this deep, as far as a legal annotation can lie.
const DEPTH_MAX: usize = 32;

/// Finds the `Mcp-Param-…` headers of one request.
pub trait ParameterSource: std::fmt::Debug + Sync {
    /// The header `Mcp-Param-{name}`; `name` in any case.
    fn parameter(&self, name: &str) -> Header<'_>;
}

/// Which arguments of which tools have a header. Made by
/// [`ToolCatalog::parameter_headers`](crate::ToolCatalog::parameter_headers).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterHeaders(BTreeMap<String, Vec<Parameter>>);

/// One annotated argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// What follows `Mcp-Param-`.
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
        // Arguments of a wrong shape are found by the step after this one.
        let arguments: Value = arguments
            .and_then(|arguments| arguments.parse().ok())
            .unwrap_or_default();
        for Parameter { header, path } in parameters {
            let value = path
                .iter()
                .try_fold(&arguments, |value, key| value.get(key))
                .filter(|value| !value.is_null());
            let given = source.map_or(Header::Absent, |source| source.parameter(header));
            let complaint = match (value, given) {
                (None, Header::Absent) => continue,
                (None, _) => "is there, but its argument isn't",
                (Some(_), Header::Absent) => "is missing",
                (Some(_), Header::Repeated) => "is there more than once",
                (Some(value), Header::One(_)) => match given.decoded() {
                    Some(text) if says(&text, value) => continue,
                    Some(_) => "says something else than its argument",
                    None => "can't be decoded",
                },
            };
            return Err(RpcError::header_mismatch(format!(
                "the Mcp-Param-{} header {complaint}",
                clip(header, 64)
            )));
        }
        Ok(())
    }
}

/// Whether a header's text stands for an argument's value.
fn says(text: &str, value: &Value) -> bool {
    match value {
        Value::String(string) => text == string,
        Value::Bool(flag) => text == if *flag { "true" } else { "false" },
        Value::Number(number) => {
            let exact = number.as_i64().zip(text.parse::<i64>().ok());
            match exact {
                Some((this, that)) => this == that,
                // `42.0` is the integer 42 (HDR-08); these are within 2^53, where floats are exact.
                None => number
                    .as_f64()
                    .zip(text.parse::<f64>().ok())
                    .is_some_and(|(this, that)| this.total_cmp(&that).is_eq()),
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The annotated arguments of an input schema; `None` if an annotation breaks a rule, so that clients would drop the
/// tool (HDR-10).
pub(crate) fn annotated(schema: &str) -> Option<Vec<Parameter>> {
    if !schema.contains(KEYWORD) {
        return Some(Vec::new());
    }
    let schema: Value = serde_json::from_str(schema).ok()?;
    let mut found = Vec::new();
    walk(&schema, &mut Vec::new(), &mut found)?;
    // One in a place that plain keys don't reach isn't found by the walk.
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

/// How often the keyword stands anywhere.
fn count(value: &Value, depth: usize) -> usize {
    if depth > DEPTH_MAX.saturating_mul(2) {
        return usize::MAX;
    }
    let below = |value: &Value| count(value, depth.saturating_add(1));
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| below(value).saturating_add(usize::from(key == KEYWORD)))
            .fold(0, usize::saturating_add),
        Value::Array(items) => items.iter().map(below).fold(0, usize::saturating_add),
        _ => 0,
    }
}

/// A token of RFC 9110, 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
