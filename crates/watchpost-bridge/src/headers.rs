//! The headers that each request has: the credential and what the user adds.

use crate::error::BridgeError;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::path::Path;

/// The environment variable with the API key.
const KEY: &str = "WATCHPOST_API_KEY";
/// The environment variable with more headers, as some clients' instructions name it: a JSON object, a JSON list of headers, or headers separated by line breaks or commas.
const HEADERS: &str = "MCP_HEADERS";
/// The header with a key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The headers that the bridge sets itself. Instructions for other bridges repeat some of them.
const OWN: [&str; 10] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// Looks up an environment variable.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Returns the headers: those of `MCP_HEADERS`, then those of `given`, and the key unless one of them is a credential. The
/// key is read from `key_file`, or else from the environment.
///
/// # Errors
/// If a header isn't valid, or the key can't be read or isn't a key.
pub(super) fn headers(
    given: &[String],
    key_file: Option<&Path>,
    environment: Environment<'_>,
) -> Result<HeaderMap, BridgeError> {
    let mut headers = HeaderMap::new();
    let from_environment = environment(HEADERS).unwrap_or_default();
    for line in lines(&from_environment)?.iter().chain(given) {
        add(&mut headers, line, environment)?;
    }
    let has_credential = headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY);
    let key = match key_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|source| BridgeError::KeyFile {
                path: file.to_owned(),
                source,
            })?;
            Some((text, file.display().to_string()))
        }
        None if has_credential => None,
        None => environment(KEY).map(|key| (key, KEY.to_owned())),
    };
    if let Some((key, origin)) = key {
        // Editors write a byte order mark and a line break at the end.
        let key = key.trim_start_matches('\u{feff}').trim();
        if !key.is_empty() {
            let value = key
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
                .then(|| HeaderValue::from_str(&format!("Bearer {key}")).ok())
                .flatten()
                .ok_or(BridgeError::InvalidKey { origin })?;
            headers.remove(API_KEY);
            put(&mut headers, AUTHORIZATION, value);
        }
    }
    Ok(headers)
}

/// Returns the headers of `MCP_HEADERS` as lines.
fn lines(text: &str) -> Result<Vec<String>, BridgeError> {
    if !text.trim_start().starts_with(['{', '[']) {
        let lines = text.lines().flat_map(at_commas).map(str::trim);
        return Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect());
    }
    let invalid = |header: &str| BridgeError::InvalidHeader {
        header: header.to_owned(),
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(value) => Ok(format!("{name}: {value}")),
                _ => Err(invalid(&name)),
            })
            .collect(),
        Ok(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(line) => Ok(line),
                _ => Err(invalid(HEADERS)),
            })
            .collect(),
        _ => Err(invalid(HEADERS)),
    }
}

/// Splits a line before each name of a header after a comma. Other commas are part of a value.
fn at_commas(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|text| text.find(',')) {
        let (value, next) = (rest.get(..from + at), rest.get(from + at + 1..));
        let (Some(value), Some(next)) = (value, next) else {
            break;
        };
        let name = next.split_once(':').filter(|(_, value)| !value.starts_with("//"));
        if name.is_some_and(|(name, _)| HeaderName::try_from(name.trim()).is_ok()) {
            parts.push(value);
            (rest, from) = (next, 0);
        } else {
            from += at + 1;
        }
    }
    parts.push(rest);
    parts
}

/// Adds a header such as `X-Api-Key: wp_…`, with or without the space. `${NAME}` in its value stands for an environment
/// variable: some clients split arguments at spaces, so that values with spaces are kept there.
fn add(headers: &mut HeaderMap, line: &str, environment: Environment<'_>) -> Result<(), BridgeError> {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    let invalid = || BridgeError::InvalidHeader {
        // Not the value, which may be a key.
        header: name.trim().to_owned(),
    };
    let name = HeaderName::try_from(name.trim()).map_err(|_| invalid())?;
    if OWN.contains(&name.as_str()) {
        return Ok(());
    }
    let value = expand(value.trim(), environment)?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| invalid())?;
    put(headers, name, value);
    Ok(())
}

fn put(headers: &mut HeaderMap, name: HeaderName, mut value: HeaderValue) {
    value.set_sensitive(true);
    headers.insert(name, value);
}

/// Replaces `${NAME}` by the value of the environment variable.
fn expand(text: &str, environment: Environment<'_>) -> Result<String, BridgeError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let value = environment(name).ok_or_else(|| BridgeError::MissingVariable {
            name: name.to_owned(),
        })?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        }
    }

    fn read(
        given: &[&str],
        pairs: &'static [(&'static str, &'static str)],
    ) -> Result<Vec<String>, BridgeError> {
        let given: Vec<String> = given.iter().map(|&line| line.to_owned()).collect();
        let headers = headers(&given, None, &environment(pairs))?;
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        Ok(lines)
    }

    #[test]
    fn headers_are_read_as_users_write_them() {
        let check = |given: &[&str], pairs, expected: &[&str]| {
            assert_eq!(read(given, pairs).unwrap(), expected, "{given:?} {pairs:?}");
        };
        check(&[], &[], &[]);
        check(
            &[],
            &[("WATCHPOST_API_KEY", "wp_a\n")],
            &["authorization: Bearer wp_a"],
        );
        check(
            &[],
            &[("WATCHPOST_API_KEY", "\u{feff}wp_a\r\n")],
            &["authorization: Bearer wp_a"],
        );
        check(&[], &[("WATCHPOST_API_KEY", "")], &[]);
        check(&["X-Api-Key: wp_a"], &[], &["x-api-key: wp_a"]);
        check(&["X-Api-Key:wp_a"], &[], &["x-api-key: wp_a"]);
        check(
            &["Authorization:${AUTH_HEADER}"],
            &[("AUTH_HEADER", "Bearer wp_a")],
            &["authorization: Bearer wp_a"],
        );
        check(
            &["Authorization: Bearer ${TOKEN}", "X-Team: a:b"],
            &[("TOKEN", "wp_a")],
            &["authorization: Bearer wp_a", "x-team: a:b"],
        );
        check(
            &[],
            &[("MCP_HEADERS", r#"{"Authorization":"Bearer wp_a","X-Team":"red"}"#)],
            &["authorization: Bearer wp_a", "x-team: red"],
        );
        check(
            &[],
            &[("MCP_HEADERS", "X-Api-Key: wp_a\nX-Team: red\n")],
            &["x-api-key: wp_a", "x-team: red"],
        );
        check(
            &[],
            &[(
                "MCP_HEADERS",
                "X-Api-Key: wp_a,X-Team:red, blue, X-Page: http://a, https://b",
            )],
            &[
                "x-api-key: wp_a",
                "x-page: http://a, https://b",
                "x-team: red, blue",
            ],
        );
        check(
            &[],
            &[("MCP_HEADERS", r#"["X-Api-Key: wp_a", "X-Team: red"]"#)],
            &["x-api-key: wp_a", "x-team: red"],
        );
        // What the user gives wins over the environment, and the bridge's own headers over both.
        check(
            &["X-Api-Key: wp_b"],
            &[("MCP_HEADERS", "X-Api-Key: wp_a"), ("WATCHPOST_API_KEY", "wp_c")],
            &["x-api-key: wp_b"],
        );
        check(
            &[
                "Content-Type: text/plain",
                "Accept: text/html",
                "Mcp-Session-Id: x",
            ],
            &[],
            &[],
        );
    }

    #[test]
    fn what_is_not_a_header_or_a_key_is_refused_without_its_value() {
        let check = |given: &[&str], pairs, expected: &str| {
            let error = read(given, pairs).unwrap_err().to_string();
            assert!(error.contains(expected), "{given:?} {pairs:?}: {error}");
            assert!(!error.contains("wp_a"), "{error}");
        };
        check(&[], &[("WATCHPOST_API_KEY", "wp_a\nwp_b")], "WATCHPOST_API_KEY");
        check(&[], &[("WATCHPOST_API_KEY", "wp_a wp_b")], "WATCHPOST_API_KEY");
        check(&[], &[("WATCHPOST_API_KEY", "wp_aß")], "WATCHPOST_API_KEY");
        check(&["no header: \n"], &[], "no header");
        check(&["X-Api-Key: wp_a\nwp_b"], &[], "X-Api-Key");
        check(&["Authorization: Bearer ${NOT_SET}"], &[], "NOT_SET");
        check(&[], &[("MCP_HEADERS", "{\"a\": wp_a}")], "MCP_HEADERS");
        check(&[], &[("MCP_HEADERS", "[\"X-Api-Key: wp_a\"")], "`MCP_HEADERS`");
        check(&[], &[("MCP_HEADERS", "{\"X-A\": 1}")], "X-A");
    }

    #[test]
    fn headers_are_sensitive_so_that_no_log_shows_them() {
        let headers = headers(&["X-Api-Key: wp_a".to_owned()], None, &|_| None).unwrap();
        assert!(!format!("{headers:?}").contains("wp_a"));
    }
}
