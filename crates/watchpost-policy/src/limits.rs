//! Limits on rules and checks that a customer wrote.

use std::time::Duration;

/// Limits on a folder of rules and on each evaluation of a rule. Built-in rules have the same limit on instructions.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of rule files in the folder.
    pub files: usize,
    /// Maximum size of one file, in bytes.
    pub file_bytes: usize,
    /// Maximum number of lines in one file.
    pub lines: usize,
    /// Maximum number of columns in one line.
    pub columns: u32,
    /// Maximum number of instructions of one rule on one document. Each adds at most one element to a rule's values, so
    /// this also limits its memory; functions with a result bigger than their arguments are rejected when a rule is
    /// loaded.
    pub instructions: usize,
    /// Maximum wall-clock time of one rule on one document. Time on a busy machine counts.
    pub time: Duration,
    /// Number of times that a rule may exceed its limits before it is paused.
    pub strikes: u32,
    /// Time for which a rule is paused, by the time that evaluations are given.
    pub pause: Duration,
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
            pause: Duration::from_secs(600),
        }
    }
}

/// Maximum number of values in a verdict.
pub(crate) const VERDICT_NODES_MAX: usize = 10_000;
/// Maximum nesting depth of a verdict.
pub(crate) const VERDICT_DEPTH_MAX: usize = 12;
/// Maximum size of the evidence, in bytes of JSON.
pub(crate) const EVIDENCE_BYTES_MAX: usize = 16 * 1024;
/// Maximum number of apps that a hit names.
pub(crate) const APPS_MAX: usize = 20;

/// Functions that a customer's rule may call. They are pure and deterministic, and their result is no bigger than their
/// arguments, so the limit on instructions also limits memory.
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

/// Functions whose result can be bigger than their arguments, without limit when they are chained. The library calls
/// them with clipped strings; a customer's rule calls the library (`lib.text`, `lib.names`).
pub(crate) const LIBRARY_FUNCTIONS: &[&str] = &[
    "array.concat",
    "concat",
    "json.is_valid",
    "json.unmarshal",
    "replace",
    "sprintf",
];
