//! Bounds on rules that a customer wrote.

use std::time::Duration;

/// Bounds on a folder of rules and on each evaluation of one of them. Built-in rules run within the same bound on
/// instructions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rule files in the folder.
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: usize,
    /// Lines of one file.
    pub lines: usize,
    /// Columns of one line.
    pub columns: u32,
    /// Instructions that one rule may spend on one document. Each adds at most one element to what a rule holds, so
    /// this bounds its memory too; functions that make much out of little are refused when a rule is loaded.
    pub instructions: usize,
    /// Time that one rule may spend on one document, by the wall clock: a busy machine counts.
    pub time: Duration,
    /// Times that a rule may run out of bounds before it rests.
    pub strikes: u32,
    /// How long it rests, by the clock that evaluations are given.
    pub rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 200,
            file_bytes: 64 * 1024,
            lines: 2_000,
            columns: 1_024,
            instructions: 500_000,
            time: Duration::from_millis(250),
            strikes: 3,
            rest: Duration::from_secs(600),
        }
    }
}

/// Elements that a verdict may hold in all, and how deep it may be nested.
pub(crate) const VERDICT_NODES_MAX: usize = 10_000;
pub(crate) const VERDICT_DEPTH_MAX: usize = 12;
/// Bytes of a hit's evidence.
pub(crate) const EVIDENCE_BYTES_MAX: usize = 16 * 1024;
/// Apps that a hit names.
pub(crate) const APPS_MAX: usize = 20;

/// Functions that a customer's rule may call: pure, deterministic, and with an answer no bigger than what they are
/// given. Each instruction then adds a bounded amount, and the bound on instructions is one on memory.
pub(crate) const FUNCTIONS: &[&str] = &[
    "abs",
    "all",
    "and",
    "any",
    "array.reverse",
    "array.slice",
    "ceil",
    "contains",
    "count",
    "endswith",
    "floor",
    "indexof",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "minus",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "or",
    "regex.match",
    "round",
    "semver.compare",
    "semver.is_valid",
    "set_diff",
    "sort",
    "split",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "substring",
    "sum",
    "time.add_date",
    "time.clock",
    "time.date",
    "time.parse_rfc3339_ns",
    "time.weekday",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
];

/// Functions that make more out of what they are given, without end when they are chained. The library calls them on
/// clipped text; a customer's rule calls the library (`lib.text`, `lib.names`).
pub(crate) const LIBRARY_FUNCTIONS: &[&str] = &["array.concat", "concat", "replace", "sprintf"];
