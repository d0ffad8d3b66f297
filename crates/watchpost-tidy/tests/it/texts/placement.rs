//! The sentences for users are in the `text` module of each crate, where a reader finds all of them.

use super::{Kind, Text};

/// Crates without users.
pub(super) const WITHOUT_USERS: &[&str] = &[
    "crates/watchpost-simulator/",
    "crates/watchpost-testkit/",
    "crates/watchpost-tidy/",
];

/// Files in which every text is a declaration or a template.
pub(super) const DECLARING: &[&str] = &[
    "crates/watchpost-mcp/src/document.rs",
    "crates/watchpost-mcp/src/prompts/",
];

/// Literals that are not sentences although they look like one, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[("check of the master key v1", "is encrypted and stored")];

/// The number of words from which a literal counts as a sentence.
const SENTENCE_WORDS: usize = 4;

/// Whether a path belongs to the `text` module of its crate.
pub(super) fn is_text_module(path: &str) -> bool {
    path.split_once("/src/")
        .is_some_and(|(_, inner)| inner == "text.rs" || inner.starts_with("text/"))
}

/// Whether a literal is a sentence outside the `text` module. Error messages of types, declarations, help and log messages
/// have other kinds and stay in their place.
pub(super) fn is_misplaced(text: &Text) -> bool {
    text.kind == Kind::Literal
        && !is_text_module(&text.path)
        && !WITHOUT_USERS.iter().any(|folder| text.path.starts_with(folder))
        && !DECLARING.iter().any(|path| text.path.starts_with(path))
        && !EXCEPTIONS.iter().any(|(exception, _)| *exception == text.text)
        && is_sentence(&text.text)
}

/// Whether a text has four or more words. Placeholders count as words, but at least three others must be present.
fn is_sentence(text: &str) -> bool {
    let is_placeholder =
        |token: &str| token.starts_with('{') && token.trim_end_matches(['.', ',', ':', ')']).ends_with('}');
    let is_word = |token: &str| {
        let bare = token.trim_matches(|c: char| "\"'`()[].,;:!?–…".contains(c));
        bare.chars().any(char::is_alphabetic) && bare.chars().all(|c| c.is_alphabetic() || "'’-".contains(c))
    };
    let tokens = text.split_whitespace().count();
    let is_list = text.matches(", ").count() + text.matches(",\n").count() + 1 >= tokens;
    let is_code = text.contains("=>")
        || text.contains(":=")
        || text.contains("-src ")
        || text.contains(" mcp add ")
        || text.starts_with(['<', '[', '(', '$', '/']);
    let (mut words, mut placeholders) = (0, 0);
    for token in text.split_whitespace() {
        if is_placeholder(token) {
            placeholders += 1;
        } else if is_word(token) {
            words += 1;
        }
    }
    words + placeholders >= SENTENCE_WORDS && words >= 3 && !is_code && !is_list
}

#[test]
fn sentences_outside_the_text_module_are_found() {
    let text = |path: &str, kind: Kind, text: &str| Text {
        path: path.to_owned(),
        line: 1,
        kind,
        text: text.to_owned(),
    };
    let (module, other) = (
        "crates/watchpost-mcp/src/text/keys.rs",
        "crates/watchpost-mcp/src/key.rs",
    );
    for sentence in [
        "The key has expired.",
        "the key {id} expired",
        "Key `{0}`: it isn't valid",
        "no such key: ask\nfor another",
    ] {
        assert!(is_misplaced(&text(other, Kind::Literal, sentence)), "{sentence}");
        assert!(
            !is_misplaced(&text(module, Kind::Literal, sentence)),
            "{sentence}"
        );
        assert!(!is_misplaced(&text(other, Kind::Log, sentence)), "{sentence}");
        assert!(!is_misplaced(&text(other, Kind::Error, sentence)), "{sentence}");
        assert!(!is_misplaced(&text(
            "crates/watchpost-simulator/src/a.rs",
            Kind::Literal,
            sentence
        )));
    }
    for label in [
        "Last used",
        "API key label",
        "{a} {b} {c} {d}",
        "a=b c=d e=f g=h",
        "id, name, kind, state, at",
        "claude mcp add {ALIAS} {}",
        "check of the master key v1",
        "default-src 'none'; img-src data:",
    ] {
        assert!(!is_misplaced(&text(other, Kind::Literal, label)), "{label}");
    }
}
