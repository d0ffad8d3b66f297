//! Errors about the arguments of tools and prompts.

use std::fmt;

/// An id in the form that Watchpost's ids have.
const ID_EXAMPLE: &str = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

pub(crate) const ADDRESS_EXPECTED: &str = "must be one email address, such as mara.holt@example.com";
pub(crate) const LINE_EXPECTED: &str = "must be a name or an id of 1 to 200 characters";
pub(crate) const CATEGORY_EXPECTED: &str = "must be a category of findings, such as identity_security";
pub(crate) const FRAMEWORK_EXPECTED: &str =
    "must be a framework: scuba, cis, nist_800_53, nist_csf, eidsca or other";

/// `taker` is the tool or prompt; `allowed` are the names of its arguments.
pub(crate) fn unknown_argument(name: &str, taker: &str, allowed: &[&str]) -> String {
    format!("unknown argument `{name}`: {}", takes(taker, allowed))
}

/// A warning about arguments that a query doesn't have.
pub(crate) fn ignored(names: &[String], tool: &str) -> String {
    let (noun, these) = match names.len() {
        1 => ("argument", "it"),
        _ => ("arguments", "them"),
    };
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    format!("The answer ignores the {noun} {names}: `{tool}` doesn't have {these}")
}

/// As [`unknown_argument`], without the name that was given.
pub(crate) fn unknown_prompt_argument(prompt: &str, allowed: &[&str]) -> String {
    format!("unknown argument: {}", takes(prompt, allowed))
}

fn takes(taker: &str, allowed: &[&str]) -> String {
    if allowed.is_empty() {
        format!("`{taker}` takes no arguments")
    } else {
        format!("`{taker}` takes {}", allowed.join(", "))
    }
}

pub(crate) fn missing_argument(name: &str, tool: &str) -> String {
    format!("`{name}` is missing: `{tool}` requires it")
}

pub(crate) fn not_json(tool: &str) -> String {
    format!("the arguments of `{tool}` can't be parsed: pass one JSON object")
}

pub(crate) fn not_an_object(tool: &str) -> String {
    format!("the arguments of `{tool}` must be one JSON object")
}

pub(crate) fn unexpected_value(path: &str, expected: &str) -> String {
    format!("`{path}` must be {expected}")
}

pub(crate) fn unexpected_number(path: &str, expected: &str, number: &str) -> String {
    format!("`{path}` must be {expected}, not {number}")
}

/// `tool` is the one that lists the ids.
pub(crate) fn malformed_id(field: &str, tool: &str) -> String {
    format!("`{field}` must be an id from `{tool}`, such as {ID_EXAMPLE}")
}

pub(crate) fn expect_finding_id(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "a finding's id from `list_findings`, such as {ID_EXAMPLE}")
}

pub(crate) fn expect_number(f: &mut fmt::Formatter<'_>, min: i64, max: i64) -> fmt::Result {
    write!(f, "a whole number from {min} to {max}")
}

pub(crate) fn expect_since(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a date (2026-11-20), a time (2026-11-20T08:00:00Z) or a number of days from 0 to 3650 (7)")
}

pub(crate) fn expect_flag(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("true or false")
}

pub(crate) fn expect_line(f: &mut fmt::Formatter<'_>, chars_max: usize) -> fmt::Result {
    write!(f, "a string of 1 to {chars_max} characters")
}

pub(crate) fn expect_idempotency_key(f: &mut fmt::Formatter<'_>, chars_max: usize) -> fmt::Result {
    write!(
        f,
        "a string of 1 to {chars_max} visible ASCII characters without spaces"
    )
}

/// Introduces what each value of a list must be.
pub(crate) fn expect_list(f: &mut fmt::Formatter<'_>, values_max: usize) -> fmt::Result {
    write!(f, "a list of at most {values_max} values, each ")
}
