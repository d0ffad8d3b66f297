//! Sentences for users: errors of a customer's files, reasons of failed evaluations, and outcomes that need no Rego.
//!
//! A location is `file:line`. Messages of cases are read by the author of a rule or check.

use crate::limits::{VERDICT_DEPTH_MAX, VERDICT_NODES_MAX};
use std::fmt::Display;
use watchpost_core::value::word::{CollectionState, EntityType};

// -- Files of a folder -------------------------------------------------------------------------------------------------

pub(crate) const NOT_UTF8: &str = "not UTF-8 text";

pub(crate) fn too_many_rule_files(folder: impl Display, max: usize) -> String {
    format!("{folder}: more than {max} rule files")
}

pub(crate) fn too_many_case_files(folder: impl Display, max: usize) -> String {
    format!("{folder}: more than {max} case files")
}

pub(crate) fn file_too_long(file: &str, max_bytes: impl Display) -> String {
    format!("{file}: longer than {max_bytes} bytes")
}

pub(crate) fn line_too_wide(file: &str, line: usize, max_columns: usize) -> String {
    format!("{file}:{line}: wider than {max_columns} columns")
}

pub(crate) fn too_many_lines(file: &str, max: usize) -> String {
    format!("{file}: more than {max} lines")
}

pub(crate) fn nested_too_deep(file: &str, line: usize, max: usize) -> String {
    format!("{file}:{line}: brackets are nested deeper than {max} levels")
}

pub(crate) fn cases_without_owner(file: &str, id: &str) -> String {
    format!("{file}: the folder has no rule or check `{id}`")
}

// -- METADATA ----------------------------------------------------------------------------------------------------------

pub(crate) const ID_FORM: &str =
    "`id` must have the form `area.name`: lower-case letters, digits and `_`, at most 64 characters";
pub(crate) const CONDITION_FORM: &str =
    "`condition` must be the id of a rule or check that judges the same condition";
pub(crate) const TITLE_LENGTH: &str = "`title` must have 1 to 60 characters";
pub(crate) const DESCRIPTION_LENGTH: &str = "`description` must have 1 to 2,000 characters";
pub(crate) const NO_STEPS: &str = "`remediation` must have at least one step";
pub(crate) const NO_SCAN: &str = "`scan` is missing: compliance or exposure";
pub(crate) const VARIANT_OF_OUTSIDE_BASELINE: &str = "`variant_of` is only for checks of former baselines";
pub(crate) const CONDITION_OF_VARIANT: &str =
    "a check of a former baseline makes no findings, so it can't have a `condition`";

/// An error in the METADATA, with its location.
pub(crate) fn metadata_error(file: &str, line: usize, what: &str) -> String {
    format!("{file}:{line}: METADATA: {what}")
}

pub(crate) fn no_metadata(file: &str) -> String {
    format!("{file}:1: a rule starts with a comment block whose first line is `# METADATA` (docs/rules.md)")
}

pub(crate) fn metadata_too_long(file: &str, line: usize, max_bytes: usize) -> String {
    format!("{file}:{line}: METADATA is longer than {max_bytes} bytes")
}

pub(crate) fn unknown_action(actions: &[&str]) -> String {
    format!("`action` must be one of: {}", actions.join(", "))
}

pub(crate) fn too_many_entries(key: &str, max: usize) -> String {
    format!("`{key}` must have at most {max} entries")
}

pub(crate) fn entry_length(key: &str, max_bytes: usize) -> String {
    format!("entries of `{key}` must have 1 to {max_bytes} bytes")
}

/// `noun` is `rule` or `check`.
pub(crate) fn wrong_file_name(file: &str, noun: &str, id: &str) -> String {
    metadata_error(
        file,
        2,
        &format!("the file of {noun} `{id}` must be named `{id}.rego`"),
    )
}

/// `noun` is `rule` or `check`.
pub(crate) fn id_taken(file: &str, noun: &str, id: &str) -> String {
    metadata_error(file, 2, &format!("a {noun} `{id}` already exists"))
}

pub(crate) fn condition_of_one(id: &str) -> String {
    format!("no other rule or check has the condition `{id}`")
}

pub(crate) fn condition_of_other_entity(
    id: &str,
    other: &str,
    theirs: EntityType,
    own: EntityType,
) -> String {
    format!(
        "the condition `{id}` is also that of `{other}`, whose findings are about another type of entity \
         ({theirs}, not {own})"
    )
}

// -- Rego --------------------------------------------------------------------------------------------------------------

pub(crate) const COMPILER_PANICKED: &str = "the rule compiler panicked";
pub(crate) const ENGINE_PANICKED: &str = "the rule engine panicked";
pub(crate) const ENGINE_NOT_RESTARTED: &str = "the rule engine could not be set up again";
pub(crate) const RULE_PAUSED: &str = "paused: it ran out of time or instructions too often";
pub(crate) const NO_SUCH_CHECK: &str = "this check does not exist";
pub(crate) const NO_PROGRAM: &str = "the check has no program";
pub(crate) const NO_SUCH_GROUP: &str = "this group of checks does not exist";

/// `place` is `file` or `file:line`; `noun` is `rule` or `check`.
pub(crate) fn wrong_package(place: impl Display, noun: &str, id: &str, package: &str) -> String {
    format!("{place}: the package of {noun} `{id}` must be `{package}`")
}

pub(crate) fn forbidden_call(file: &str, line: usize, function: &str) -> String {
    format!("{file}:{line}: a rule must not call `{function}` (docs/rules.md lists the allowed functions)")
}

pub(crate) fn no_result_rule(file: &str) -> String {
    format!("{file}: the package has no rule `result`")
}

pub(crate) fn out_of_instructions(max: impl Display) -> String {
    format!("used more than {max} instructions on one document")
}

pub(crate) fn out_of_time(max_ms: u128) -> String {
    format!("took longer than {max_ms} ms on one document")
}

pub(crate) fn no_loading_thread(error: &std::io::Error) -> String {
    format!("the thread that loads rules could not start: {error}")
}

// -- Results of rules and checks ---------------------------------------------------------------------------------------

pub(crate) const NO_RESULT: &str = "gave no result";
pub(crate) const RESULT_NOT_OBJECT: &str = "`result` is not an object";
pub(crate) const RESULT_UNKNOWN: &str = "`result.result` must be passed, failed or skipped";
pub(crate) const REASON_EMPTY: &str = "`result.reason` is empty";
pub(crate) const DETAILS_NOT_STRING: &str = "`result.details` is not a string";
pub(crate) const SKIP_REASON_UNKNOWN: &str =
    "`result.reason` of a skipped check must be not_applicable, unlicensed, unreadable or manual";
pub(crate) const ENTITY_NOT_APP: &str = "`result.entities` has an entry that is not the id of an app";
pub(crate) const ENTITY_INCOMPLETE: &str =
    "an entry of `result.entities` lacks the string `type`, or both `id` and `name`";
pub(crate) const WOULD_PASS_NOT_STRING: &str = "`result.would_pass.if` is not a string";
pub(crate) const EVIDENCE_NOT_UTF8: &str = "`result.evidence` is not UTF-8 text";

/// Stands for a detected value that is too long. JSON.
pub(crate) const TOO_LONG_TO_SHOW: &str = "\"too long to show\"";

pub(crate) fn not_string(key: &str) -> String {
    format!("`result.{key}` is not a string")
}

pub(crate) fn not_list(key: &str) -> String {
    format!("`result.{key}` is not a list")
}

pub(crate) fn evidence_not_json(error: &serde_json::Error) -> String {
    format!("`result.evidence` is not JSON: {error}")
}

pub(crate) fn too_big(key: &str) -> String {
    format!(
        "`result.{key}` is too big: at most {VERDICT_NODES_MAX} values, nested at most {VERDICT_DEPTH_MAX} deep"
    )
}

// -- Outcomes of checks ------------------------------------------------------------------------------------------------

/// Sentences of skipped checks that give none of their own.
pub(crate) const NOT_APPLICABLE: &str = "This doesn't apply to the tenant";
pub(crate) const UNLICENSED: &str = "The tenant's licenses don't include this";
pub(crate) const UNREADABLE: &str = "A setting that this check needs couldn't be read";
pub(crate) const MANUAL: &str = "A person must check this";

pub(crate) const OTHER_PLATFORM: &str = "The integration's platform doesn't have this";

pub(crate) fn setting_not_collected(path: &str) -> String {
    format!("The setting `{path}` was not collected")
}

/// `detail` is the missing permission or the reason in the vendor's words.
pub(crate) fn setting_unreadable(path: &str, state: CollectionState, detail: Option<&str>) -> String {
    let what = match state {
        CollectionState::Unlicensed => "isn't part of the tenant's licenses",
        CollectionState::Denied => "couldn't be read: a permission is missing",
        CollectionState::Partial => "couldn't be read completely",
        CollectionState::Failed | CollectionState::Complete => "couldn't be read",
    };
    match detail {
        Some(detail) => format!("The setting `{path}` {what} ({detail})"),
        None => format!("The setting `{path}` {what}"),
    }
}

// -- Cases -------------------------------------------------------------------------------------------------------------

pub(crate) const NOT_EVALUATED: &str = "it was not evaluated";
pub(crate) const RULE_LOST: &str = "the rule is missing from the pack";
pub(crate) const CHECK_LOST: &str = "the check is missing from the pack";
pub(crate) const APPS_FOR_SETTINGS: &str = "the case has `apps`, but the check judges settings";
pub(crate) const PARTLY_UNDEFINED: &str = "the outcome is partly undefined";

/// `noun` is `rule` or `check`.
pub(crate) fn cases_of_unknown(file: &str, noun: &str, id: &str) -> String {
    format!("{file}: the {noun} `{id}` does not exist")
}

/// A case that can't be run.
pub(crate) fn broken_case(file: &str, case: &str, error: &str) -> String {
    format!("{file}: {case}: {error}")
}

pub(crate) fn broken_base(error: &serde_json::Error) -> String {
    format!("cases.base.json: {error}")
}

pub(crate) fn base_lacks(kind: &str) -> String {
    format!("cases.base.json has no `{kind}`")
}

pub(crate) fn partial_not_object(kind: &str) -> String {
    format!("`{kind}` must be an object")
}

pub(crate) fn not_a_time(text: &str) -> String {
    format!("`{text}` is not a time: write -90d, +24h or -1ms")
}

pub(crate) fn lacks_part(what: &str, sentence: &str, part: &str) -> String {
    format!("the {what} `{sentence}` doesn't contain `{part}`")
}

pub(crate) fn evaluation_failed(error: &str) -> String {
    format!("the evaluation failed: {error}")
}

pub(crate) fn skipped_otherwise(actual: &str, expected: &str) -> String {
    format!("skipped as `{actual}`, not `{expected}`")
}

pub(crate) fn other_apps(apps: &[String]) -> String {
    format!("names the apps {apps:?}")
}

pub(crate) fn other_evidence_count(count: usize, evidence: &str) -> String {
    format!("has {count} pieces of evidence: {evidence}")
}

pub(crate) fn other_verdict(expected: &str, actual: impl Display) -> String {
    format!("expected {expected}, got {actual}")
}

pub(crate) fn other_entity_count(actual: usize, expected: usize, ids: &[&String]) -> String {
    format!("names {actual} entities, not {expected}: {ids:?}")
}

pub(crate) fn other_would_pass(present: bool) -> String {
    format!("`would_pass` is present: {present}")
}
