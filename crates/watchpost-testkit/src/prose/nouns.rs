//! The plurals of nouns.

/// The nouns that the product counts, in the singular, with a regular plural.
const COUNTED: &[&str] = &[
    "account",
    "action",
    "address",
    "admin",
    "app",
    "argument",
    "assignment",
    "attempt",
    "byte",
    "certificate",
    "change",
    "character",
    "check",
    "column",
    "connection",
    "control",
    "credential",
    "dataset",
    "day",
    "domain",
    "entity",
    "entry",
    "error",
    "exemption",
    "failure",
    "field",
    "file",
    "finding",
    "framework",
    "grant",
    "group",
    "guest",
    "hour",
    "identity",
    "import",
    "integration",
    "item",
    "job",
    "key",
    "line",
    "list",
    "member",
    "message",
    "method",
    "minute",
    "month",
    "name",
    "owner",
    "page",
    "permission",
    "platform",
    "point",
    "policy",
    "reason",
    "record",
    "report",
    "request",
    "result",
    "retry",
    "role",
    "row",
    "rule",
    "scan",
    "schedule",
    "second",
    "secret",
    "service",
    "session",
    "setting",
    "source",
    "step",
    "sync",
    "tenant",
    "time",
    "token",
    "tool",
    "user",
    "value",
    "verdict",
    "warning",
    "week",
    "word",
    "workspace",
    "year",
];

/// Words in -ies after a vowel that are right.
const RIGHT_IN_IES: &[&str] = &["cookies", "movies", "zombies", "calories", "rookies", "selfies"];

pub(super) fn is_singular(word: &str) -> bool {
    COUNTED.contains(&word) || word == "person"
}

pub(super) fn is_plural(word: &str) -> bool {
    word == "people"
        || word == "addresses"
        || word.strip_suffix('s').is_some_and(|stem| COUNTED.contains(&stem))
        || word
            .strip_suffix("ies")
            .is_some_and(|stem| COUNTED.iter().any(|noun| noun.strip_suffix('y') == Some(stem)))
}

/// Whether a word has the ending of a plural that English doesn't form: `daies`, `identitys`.
pub(super) fn is_wrong_plural(word: &str) -> bool {
    if word.len() < 5 || !word.chars().all(|one| one.is_ascii_lowercase()) || RIGHT_IN_IES.contains(&word) {
        return false;
    }
    let vowel_before = |stem: &str| stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    word.strip_suffix("ies").is_some_and(vowel_before)
        || word.strip_suffix("ys").is_some_and(|stem| !vowel_before(stem))
        || ["sss", "shs", "xs"].iter().any(|end| word.ends_with(end))
}
