//! A reader of the texts that users get: answers, reports and the output of commands. It finds mistakes that only the
//! finished text shows, since its parts are right on their own: a wrong article or plural before a word that is filled in,
//! names of the code, JSON and ids among words, gaps that were not filled in.

mod articles;
mod nouns;

pub use articles::is_wrong_article;

use nouns::{is_plural, is_singular, is_wrong_plural};
use std::collections::BTreeSet;

/// Words whose number follows them.
const NUMBERED: &[&str] = &[
    "Level",
    "Microsoft",
    "Office",
    "Page",
    "Section",
    "Windows",
    "level",
    "page",
    "port",
];

/// Names of products in this form.
const BRANDS: &[&str] = &["eBay", "iCloud", "iOS", "iPad", "iPadOS", "iPhone", "macOS"];

/// A reader of one kind of text.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    names: BTreeSet<String>,
    allows_ids: bool,
    allows_columns: bool,
}

impl Reader {
    /// Creates a reader that knows names with underscores which may stand among words: of tools, arguments, permissions.
    pub fn new<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Allows ids, for texts whose reader passes them on to commands.
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        self.allows_ids = true;
        self
    }

    /// Allows several spaces in a row, for columns and indentation.
    #[must_use]
    pub fn with_columns(mut self) -> Self {
        self.allows_columns = true;
        self
    }

    /// Returns the mistakes in a text, each with the words around it.
    pub fn faults(&self, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        for line in text.lines() {
            if !self.allows_columns {
                self.read_line(line, &mut out);
                continue;
            }
            // A cell of one word is a value, e.g. one that a command takes.
            let cells = line.trim().split("  ").map(str::trim);
            for cell in cells.filter(|cell| cell.contains(' ')) {
                self.read_line(cell, &mut out);
            }
        }
        out
    }

    fn read_line(&self, line: &str, out: &mut Vec<String>) {
        let line = without_code(line);
        self.read_punctuation(&line, out);
        let words: Vec<Word<'_>> = line.split_whitespace().map(Word::of).collect();
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at.saturating_add(1));
            let after = words.get(at.saturating_add(2));
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            if let Some(fault) = self
                .of_word(word, before, next)
                .or_else(|| of_pair(word, next))
                .or_else(|| of_number(word, before, next, after))
            {
                let first = at.saturating_sub(3);
                let around: Vec<&str> = words.iter().skip(first).take(8).map(|word| word.raw).collect();
                out.push(format!("{fault}: \u{2026}{}\u{2026}", around.join(" ")));
            }
        }
    }

    fn read_punctuation(&self, line: &str, out: &mut Vec<String>) {
        let line = line.trim();
        let mut add = |fault: &str, at: usize| {
            let near: String = line
                .chars()
                .skip(line[..at].chars().count().saturating_sub(20))
                .take(50)
                .collect();
            out.push(format!("{fault}: \u{2026}{near}\u{2026}"));
        };
        if let Some(at) = line.find("  ") {
            add("doubled space", at);
        }
        for mark in [
            "..", " .", " ,", " ;", ",,", ";;", "()", ",.", ";.", ":.", ".;", ".,", ":;", "?.",
        ] {
            for (at, _) in line.match_indices(mark) {
                if !is_fine(line, at, mark) {
                    add("punctuation", at);
                }
            }
        }
        for mark in ["{\"", "\":", "\"}", "[{", "[\"", "{}"] {
            if let Some(at) = line.find(mark) {
                add("JSON", at);
            }
        }
        for mark in ["%s", "%d", "%v", "%!", "{:"] {
            if let Some(at) = line.find(mark) {
                add("gap", at);
            }
        }
        if let Some(at) = gap(line) {
            add("gap", at);
        }
        for (at, _) in line.match_indices("0 of 0") {
            let digit_before = line[..at].ends_with(|before: char| before.is_ascii_digit() || before == '.');
            if !digit_before {
                add("0 of 0", at);
            }
        }
    }

    fn of_word(
        &self,
        word: &Word<'_>,
        before: Option<&Word<'_>>,
        next: Option<&Word<'_>>,
    ) -> Option<&'static str> {
        let text = word.text;
        if !self.allows_ids && is_guid(text) && !before.is_some_and(|before| introduces_id(before.text)) {
            return Some("id");
        }
        if text.contains("::")
            && text.chars().any(char::is_alphabetic)
            && !text.contains('.')
            && !is_address(text)
        {
            return Some("name of the code");
        }
        if ["Some(", "Ok(", "Err("]
            .iter()
            .any(|begin| word.raw.contains(begin))
        {
            return Some("name of the code");
        }
        let is_pronoun = text == "None" && next.is_some_and(|next| next.text == "of");
        if ["None", "null", "NaN", "undefined", "nil"].contains(&text) && !is_pronoun {
            return Some("name of the code");
        }
        if is_snake(text) && !self.names.contains(text) {
            return Some("word with an underscore");
        }
        if is_camel(text) && !BRANDS.contains(&text) && !self.names.contains(text) {
            return Some("name of the code");
        }
        if word.raw.contains("(s)") || is_wrong_plural(text) {
            return Some("plural");
        }
        None
    }
}

/// A word without the punctuation around it.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    raw: &'a str,
    text: &'a str,
}

impl<'a> Word<'a> {
    fn of(raw: &'a str) -> Self {
        let text = raw.trim_matches(|edge: char| !edge.is_alphanumeric());
        Self { raw, text }
    }
    /// Whether a mark after the word, or before the next one, separates the two.
    fn is_apart_from(&self, next: &Word<'_>) -> bool {
        !self.raw.ends_with(|last: char| last.is_alphanumeric())
            || !next.raw.starts_with(|first: char| first.is_alphanumeric())
    }
    fn number(&self) -> Option<u64> {
        let digits = self.raw.trim_start_matches(['(', '\u{201c}', '"']);
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
    }
}

fn of_pair(word: &Word<'_>, next: Option<&Word<'_>>) -> Option<&'static str> {
    let next = next?;
    if word.is_apart_from(next) && !(word.raw.starts_with('(') && word.raw.ends_with(char::is_alphanumeric)) {
        return None;
    }
    let lower = word.text.to_lowercase();
    if is_wrong_article(&lower, next.text) {
        return Some("article");
    }
    let repeated =
        !lower.is_empty() && lower.chars().all(char::is_alphabetic) && lower == next.text.to_lowercase();
    if repeated && !["had", "that"].contains(&lower.as_str()) {
        return Some("doubled word");
    }
    None
}

/// The agreement of a number with its noun and its verb.
fn of_number(
    word: &Word<'_>,
    before: Option<&Word<'_>>,
    next: Option<&Word<'_>>,
    after: Option<&Word<'_>>,
) -> Option<&'static str> {
    let (number, noun) = (word.number()?, next?);
    // The number of a product's name, a section or a level belongs to the word before it.
    let is_name = before.is_some_and(|before| NUMBERED.contains(&before.raw));
    if is_name || word.is_apart_from(noun) {
        return None;
    }
    if (number == 1 && is_plural(noun.text)) || (number != 1 && is_singular(noun.text)) {
        return Some("plural");
    }
    let verb = after.filter(|verb| !noun.is_apart_from(verb))?.text;
    let is_noun = is_plural(noun.text) || is_singular(noun.text);
    let for_many = ["are", "were", "have", "match", "need", "fail"].contains(&verb);
    let for_one = ["is", "was", "has", "matches", "needs", "fails"].contains(&verb);
    (is_noun && ((number == 1 && for_many) || (number != 1 && for_one))).then_some("verb")
}

/// Whether a mark belongs to something other than a sentence: an ellipsis, a path, a decimal.
fn is_fine(line: &str, at: usize, mark: &str) -> bool {
    let after = line[at..].trim_start_matches(mark).chars().next();
    let rest = &line[at.saturating_add(mark.len())..];
    match mark {
        ".." => rest.starts_with('.') || line[..at].ends_with('.') || rest.starts_with('/'),
        // `.example`, `.5`, and the root in a DNS record.
        " ." => after.is_some_and(char::is_alphanumeric) || line[..at].ends_with("MX 0"),
        "()" => line[..at].ends_with(char::is_alphanumeric),
        // An abbreviation or the end of a record in the middle of a sentence.
        ".," | ".;" => {
            line[..at].ends_with("etc") || line[..at].ends_with("e.g") || line[..at].ends_with("Inc")
        }
        _ => false,
    }
}

/// A gap of a template, such as `{name}`.
fn gap(line: &str) -> Option<usize> {
    line.match_indices('{').map(|(at, _)| at).find(|at| {
        let inner = line[at.saturating_add(1)..].split('}').next().unwrap_or_default();
        line[*at..].contains('}')
            && !inner.is_empty()
            && inner.chars().all(|one| one.is_ascii_lowercase() || one == '_')
    })
}

/// Words after which an id is what the reader needs.
fn introduces_id(word: &str) -> bool {
    word.ends_with("_id") || ["as", "id", "is", "scan"].contains(&word)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, one)| match at {
            8 | 13 | 18 | 23 => one == '-',
            _ => one.is_ascii_hexdigit(),
        })
}

fn is_address(text: &str) -> bool {
    text.chars()
        .all(|one| one.is_ascii_hexdigit() || ":./".contains(one))
}

fn is_snake(text: &str) -> bool {
    text.contains('_')
        && text
            .chars()
            .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_')
        && text.chars().any(|one| one.is_ascii_lowercase())
}

/// `mobilePhone`, but not `iOS`.
fn is_camel(text: &str) -> bool {
    let begins = text.chars().take_while(char::is_ascii_lowercase).count();
    begins > 1
        && text.chars().all(|one| one.is_ascii_alphanumeric())
        && text
            .chars()
            .nth(begins)
            .is_some_and(|one| one.is_ascii_uppercase())
}

/// A line with each code span, address and link replaced, since they are not words.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    for (at, part) in line.split('`').enumerate() {
        if at % 2 == 0 {
            out.push_str(part);
        } else {
            out.push('\u{25a1}');
        }
    }
    out.split(' ')
        .map(|word| {
            let is_link = word.contains("://");
            let is_mail = word.contains('@') && !word.starts_with('@');
            if is_link || is_mail {
                let end = word
                    .trim_end_matches(|last: char| ".,;:)>\"\u{201d}".contains(last))
                    .len();
                let begin = word
                    .len()
                    .saturating_sub(word.trim_start_matches(['(', '<', '"', '\u{201c}']).len());
                format!("{}\u{25a1}{}", &word[..begin], &word[end..])
            } else {
                word.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        Reader::new(["start_scan", "scan_id"])
    }

    #[test]
    fn mistakes_are_found() {
        for (text, expected) in [
            ("Queued: a exposure scan of Okta.", "article"),
            ("It is an user.", "article"),
            ("(an key) was created.", "article"),
            ("The finding is snoozed for 14 daies.", "plural"),
            ("There are two identitys.", "plural"),
            ("1 findings match.", "plural"),
            ("2 finding match.", "plural"),
            ("0 account was read.", "plural"),
            ("1 people", "plural"),
            ("3 check(s) failed.", "plural"),
            ("2 findings matches.", "verb"),
            ("1 finding match.", "verb"),
            ("The reason is None.", "name of the code"),
            ("The score is Some(3).", "name of the code"),
            ("The value is null.", "name of the code"),
            ("The state is RunState::Queued.", "name of the code"),
            ("The only method is mobilePhone.", "name of the code"),
            ("The action is pending_approval.", "word with an underscore"),
            (
                "Top areas: identity_security (3 points).",
                "word with an underscore",
            ),
            ("Detected {\"policies\":2}.", "JSON"),
            ("It has [\"a\"] as its value.", "JSON"),
            ("Compared with 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f.", "id"),
            (
                "Blocked by: 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f, Mara Holt",
                "id",
            ),
            ("There are  two spaces.", "doubled space"),
            ("It ended..", "punctuation"),
            ("It ended .", "punctuation"),
            ("It was read (), and ended.", "punctuation"),
            ("The reason: the file is too large.; try again.", "punctuation"),
            ("0 of 0 datasets were read.", "0 of 0"),
            ("{name} was read.", "gap"),
            ("%s was read.", "gap"),
            ("It is the the same.", "doubled word"),
        ] {
            let faults = reader().faults(text);
            assert!(
                faults.iter().any(|fault| fault.starts_with(expected)),
                "{text}: {faults:?}"
            );
        }
    }

    #[test]
    fn right_sentences_have_no_faults() {
        for text in [
            "Queued: an exposure scan of Okta. Call start_scan with scan_id 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f.",
            "A user, an MFA method, an hour, a one-time code and an unknown value.",
            "1 finding matches; 2 findings match; 0 accounts were read; 1 person; 4 people.",
            "The status is open, and 1 address was read.",
            "Microsoft 365 account policies are read.",
            "Compliance of Microsoft 365: 55.9 (Needs attention), 56 checks failing.",
            "A person can reopen it with `watchpost findings reopen 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f`.",
            "The value is `null`, or `{\"a\": 1}`.",
            "None of the files was read.",
            "Its id is 018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f.",
            "It was read at 2026-03-02T09:00:00.000Z (97.7 %), and so on...",
            "Addresses under .example, such as a_b@c_d.example, and https://a.example/x_y?z={name}.",
            "10 of 100 checks failed; 3 of 10 passed.",
            "3 weeks ago on iOS.",
        ] {
            assert_eq!(reader().faults(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn ids_and_columns_are_fine_where_they_are_allowed() {
        let text = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f   open";
        assert_eq!(reader().faults(text).len(), 2);
        assert!(reader().with_ids().with_columns().faults(text).is_empty());
    }
}
