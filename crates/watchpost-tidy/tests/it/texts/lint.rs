//! The rules of language.

use super::{
    Kind, Text,
    phrases::{
        ABBREVIATIONS, BRITISH_STEMS, OPENING_PAIRS, OPENINGS, PHRASES, PLURALS, Phrase, RIGHT_IN_ISE,
    },
};
use crate::{files, text, texts::placement::WITHOUT_USERS};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_testkit::prose::is_wrong_article;

/// The end of a fault about an abbreviation.
const NOT_SPELLED_OUT: &str = " is not spelled out";

/// Words that may stand twice in a row.
const MAY_DOUBLE: &[&str] = &["had", "that"];

/// Pages for developers, which may name types and tables.
const DEVELOPER_PAGES: &[&str] = &[
    "docs/architecture.md",
    "docs/decisions/",
    "docs/dependencies.md",
    "docs/mcp-conformance.md",
];

/// Names of types and tables that are also names of datasets or permissions, which users see.
const PUBLIC_NAMES: &[&str] = &["app_owners", "import_results"];

/// The rules, with the names and phrases that they look for.
#[derive(Debug, Default)]
pub(super) struct Lint<'a> {
    /// Names of types in more than one word.
    types: BTreeSet<&'a str>,
    /// Names of the database's tables in more than one word.
    tables: BTreeSet<String>,
    /// Names of the pages in the repository.
    pages: BTreeSet<String>,
    /// Abbreviations that a policy or a page spells out, with the path of the file.
    explained: BTreeSet<(&'a str, &'a str)>,
    /// [`PHRASES`] by their first word.
    phrases: BTreeMap<&'static str, Vec<&'static Phrase>>,
}

/// A word with its position.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    at: usize,
    /// The text between the previous word and this one.
    gap: &'a str,
}

impl Word<'_> {
    /// Whether only white space separates it from the previous word.
    fn adjoins(&self) -> bool {
        !self.gap.is_empty() && self.gap.chars().all(char::is_whitespace) && !self.gap.contains("\n\n")
    }
}

impl<'a> Lint<'a> {
    pub(super) fn new(types: &'a BTreeSet<String>, texts: &'a [Text]) -> Self {
        let mut tables = BTreeSet::new();
        let mut pages = BTreeSet::new();
        for path in files() {
            if path.ends_with(".sql") {
                let schema = text(&path).unwrap_or_default();
                tables.extend(
                    schema
                        .lines()
                        .filter_map(|line| line.strip_prefix("CREATE TABLE "))
                        .filter_map(|rest| rest.split([' ', '(']).next())
                        .map(str::to_owned),
                );
            }
            if path.ends_with(".md") {
                pages.extend(path.rsplit('/').next().map(str::to_owned));
            }
        }
        assert!(tables.len() > 10, "the tables are read wrongly: {tables:?}");
        Self {
            explained: texts.iter().flat_map(explained).collect(),
            ..Self::with(types, tables, pages)
        }
    }

    fn with(types: &'a BTreeSet<String>, tables: BTreeSet<String>, pages: BTreeSet<String>) -> Self {
        let mut phrases = BTreeMap::<_, Vec<_>>::new();
        for phrase in PHRASES {
            let first = phrase.0.split(' ').next().unwrap_or_default();
            phrases.entry(first).or_default().push(phrase);
        }
        Self {
            types: types
                .iter()
                .map(String::as_str)
                .filter(|name| is_camel_case(name) && !PUBLIC_NAMES.contains(name))
                .collect(),
            tables: tables
                .into_iter()
                .filter(|name| name.contains('_') && !PUBLIC_NAMES.contains(&name.as_str()))
                .collect(),
            pages,
            explained: BTreeSet::new(),
            phrases,
        }
    }

    /// Returns the faults of a text, each with its position.
    pub(super) fn faults(&self, text: &Text) -> Vec<String> {
        if text.kind == Kind::Sql {
            return Vec::new();
        }
        let prose = prose(text);
        let words = words(&prose);
        let mut found: Vec<(usize, String)> = Vec::new();
        self.phrases(&words, &mut found);
        grammar(&words, &mut found);
        double_spaces(text.kind, &prose, &mut found);
        self.citations(text, &mut found);
        let is_user_page = text.kind == Kind::Document
            && text.group() == "docs"
            && !DEVELOPER_PAGES.iter().any(|page| text.path.starts_with(page));
        // A literal of one or two words is often a name or a value.
        let is_sentence =
            !matches!(text.kind, Kind::Literal | Kind::Policy) || text.text.split_whitespace().count() > 2;
        let has_users = !WITHOUT_USERS.iter().any(|folder| text.path.starts_with(folder));
        if is_sentence && has_users && (text.kind.is_shown() || is_user_page) {
            self.internal_names(text, &mut found);
            abbreviations(&words, &text.text, &mut found);
            found.retain(|(_, fault)| {
                !fault
                    .split_once(NOT_SPELLED_OUT)
                    .is_some_and(|(abbreviation, _)| {
                        self.explained.contains(&(text.path.as_str(), abbreviation))
                    })
            });
        }
        found
            .into_iter()
            .map(|(at, fault)| {
                let is_source = !matches!(text.kind, Kind::Literal | Kind::Error | Kind::Log | Kind::Panic);
                let lines = if is_source {
                    text.text[..at].matches('\n').count()
                } else {
                    0
                };
                let from = text.text[..at]
                    .char_indices()
                    .rev()
                    .nth(25)
                    .map_or(0, |(from, _)| from);
                let shown: String = text.text[from..].chars().take(70).collect();
                format!(
                    "{}:{}: {fault}: …{}…",
                    text.path,
                    text.line + lines,
                    shown.split_whitespace().collect::<Vec<_>>().join(" ")
                )
            })
            .collect()
    }

    fn phrases(&self, words: &[Word<'_>], found: &mut Vec<(usize, String)>) {
        for (index, word) in words.iter().enumerate() {
            let lower = word.text.to_lowercase();
            for (phrase, instead, fine) in self.phrases.get(lower.as_str()).into_iter().flatten() {
                let phrase: Vec<&str> = phrase.split(' ').collect();
                let here = words.get(index..index + phrase.len()).unwrap_or_default();
                let matches = here.len() == phrase.len()
                    && here
                        .iter()
                        .zip(&phrase)
                        .all(|(word, part)| word.text.eq_ignore_ascii_case(part))
                    && here[1..].iter().all(Word::adjoins);
                let next = words.get(index + phrase.len()).map_or("", |next| next.text);
                let before = index.checked_sub(1).map_or("", |before| words[before].text);
                let is_fine = fine
                    .iter()
                    .any(|fine| *fine == next || fine.strip_prefix('<') == Some(before));
                if matches && !is_fine {
                    found.push((word.at, format!("\"{}\"; write: {instead}", phrase.join(" "))));
                }
            }
        }
    }

    /// Finds pages that are not in the repository, and codes of rows in such pages.
    fn citations(&self, text: &Text, found: &mut Vec<(usize, String)>) {
        let name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let mut from = 0;
        for part in text.text.split(|c: char| !name(c)) {
            let at = part.as_ptr() as usize - text.text.as_ptr() as usize;
            from = from.max(at);
            let page = part.trim_end_matches('.');
            if page.strip_suffix(".md").is_some_and(|stem| !stem.is_empty()) && !self.pages.contains(page) {
                found.push((at, format!("`{page}` isn't in the repository")));
            }
            if matches!(text.kind, Kind::Comment | Kind::Doc) && is_row_code(page) {
                found.push((
                    at,
                    format!("`{page}` is the code of a row elsewhere: say the rule itself"),
                ));
            }
        }
    }

    /// Finds paths, types and tables of the code in texts for users.
    fn internal_names(&self, text: &Text, found: &mut Vec<(usize, String)>) {
        for part in text
            .text
            .split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)))
        {
            let at = part.as_ptr() as usize - text.text.as_ptr() as usize;
            let name = part.trim_matches(':');
            let is_path = name.split_once("::").is_some_and(|(left, right)| {
                left.contains(|c: char| c.is_ascii_lowercase() || c == '_')
                    && !left.chars().all(|c| c.is_ascii_hexdigit() || c == ':')
                    && right.starts_with(|c: char| c.is_ascii_alphabetic())
            });
            // A parameter of PowerShell, or a part of a vendor's name.
            let is_foreign =
                text.text[..at].ends_with(['-', '.']) || text.text[at + part.len()..].starts_with('.');
            // A page may name the public functions of the domain, which other Rust programs call.
            let is_public = text.kind == Kind::Document && name.starts_with("watchpost_core::");
            if (is_foreign && !is_path) || is_public {
                continue;
            }
            if is_path || self.types.contains(name) || self.tables.contains(name) {
                found.push((at, format!("`{name}` is a name of the code")));
            }
        }
    }
}

/// Whether a name is written in CamelCase with two or more words.
fn is_camel_case(name: &str) -> bool {
    let capitals = name.chars().filter(char::is_ascii_uppercase).count();
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && capitals > 1
        && name.chars().any(|c| c.is_ascii_lowercase())
}

/// Whether a word is a capital letter with one or two digits, or with a hyphen and three digits. `C0` and `C1`, the sets of
/// control characters, are not such codes.
fn is_row_code(word: &str) -> bool {
    let Some(letter) = word.chars().next().filter(|c| "CDKLNRSTV".contains(*c)) else {
        return false;
    };
    let rest = &word[1..];
    let digits = rest.strip_prefix('-').unwrap_or(rest);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_control_set = letter == 'C' && ["0", "1"].contains(&rest);
    let is_short = if rest == digits {
        digits.len() <= 2
    } else {
        digits.len() == 3
    };
    is_number && is_short && !is_control_set
}

/// Replaces code, URLs and placeholders in a text by NUL bytes, so that positions stay the same.
fn prose(text: &Text) -> String {
    let mut bytes = text.text.clone().into_bytes();
    let source = text.text.as_str();
    let mut blank = |from: usize, to: usize| {
        for byte in &mut bytes[from..to] {
            if *byte != b'\n' {
                *byte = 0;
            }
        }
    };
    // Fenced code of documentation comments.
    let mut fence = None;
    let mut offset = 0;
    for line in source.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            match fence.take() {
                None => fence = Some(offset),
                Some(from) => blank(from, offset + line.len()),
            }
        }
        offset += line.len();
    }
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut open = None;
    for (at, _) in source.match_indices('`') {
        match open.take() {
            None => open = Some(at),
            Some(from) => spans.push((from, at + 1)),
        }
    }
    for (at, _) in source.match_indices("](") {
        let end = source[at..].find(')').map_or(source.len(), |end| at + end + 1);
        spans.push((at + 1, end));
    }
    for (at, _) in source.match_indices("://") {
        let start = source[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |at| at + 1);
        let start = (start..=at)
            .find(|start| source.is_char_boundary(*start))
            .unwrap_or(at);
        let end = source[at..]
            .find(char::is_whitespace)
            .map_or(source.len(), |end| at + end);
        spans.push((start, end));
    }
    if matches!(
        text.kind,
        Kind::Literal | Kind::Error | Kind::Log | Kind::Panic | Kind::Template | Kind::Declaration
    ) {
        let mut open = None;
        for (at, sign) in source.match_indices(['{', '}']) {
            match (sign, open) {
                ("{", _) => open = Some(at),
                ("}", Some(from)) => {
                    spans.push((from, at + 1));
                    open = None;
                }
                _ => {}
            }
        }
    }
    for (from, to) in spans {
        if from < to {
            blank(from, to);
        }
    }
    String::from_utf8(bytes).expect("only whole characters are replaced")
}

fn words(prose: &str) -> Vec<Word<'_>> {
    let is_letter = |c: char| c.is_alphanumeric() || "'’-_".contains(c);
    let mut words = Vec::new();
    let mut end = 0;
    let mut chars = prose.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !c.is_alphanumeric() {
            continue;
        }
        let mut stop = at + c.len_utf8();
        while let Some((next, c)) = chars.next_if(|(_, c)| is_letter(*c)) {
            stop = next + c.len_utf8();
        }
        let text = prose[at..stop].trim_end_matches(['-', '\'', '_', '’']);
        words.push(Word {
            text,
            at,
            gap: &prose[end..at],
        });
        end = at + text.len();
    }
    words
}

/// Finds doubled words, wrong articles, wrong plurals and British spelling.
fn grammar(words: &[Word<'_>], found: &mut Vec<(usize, String)>) {
    for (index, word) in words.iter().enumerate() {
        let lower = word.text.to_lowercase();
        found.extend(plural(&lower).map(|fault| (word.at, fault)));
        found.extend(british(&lower).map(|fault| (word.at, fault)));
        let Some(next) = words.get(index + 1).filter(|next| next.adjoins()) else {
            continue;
        };
        let is_word = lower.chars().all(char::is_alphabetic);
        if is_word
            && next.text.to_lowercase() == lower
            && !MAY_DOUBLE.contains(&lower.as_str())
            && word.text == lower
        {
            found.push((word.at, format!("\"{lower}\" twice")));
        }
        // A capital A within a sentence is a name: a grade, a DNS record.
        let begins = word.at == 0 || word.gap.trim_end().ends_with(['.', ':', '?', '!']);
        let is_article = word.text == lower || begins;
        if is_article
            && word.gap.ends_with([' ', '\n', '(', '"']) | (word.at == 0)
            && is_wrong_article(&lower, next.text)
        {
            found.push((
                word.at,
                format!("wrong article in \"{} {}\"", word.text, next.text),
            ));
        }
        let is_one = word.text == "1" && !word.gap.ends_with(['.', ',', '-', '–', '/', ':']);
        if is_one && PLURALS.contains(&next.text) {
            found.push((word.at, format!("\"{} {}\" is no plural", word.text, next.text)));
        }
    }
}

/// Returns the fault of a wrong plural such as `daies`, `entrys` or `statuss`.
fn plural(word: &str) -> Option<String> {
    let is_vowel = |c: char| "aeiou".contains(c);
    let stem = word.strip_suffix("ies").unwrap_or_default();
    let from_y = stem.len() > 1 && stem.ends_with(['a', 'e', 'o']);
    let from_s = ["sss", "xs", "shs"].iter().any(|end| word.ends_with(end)) || word.ends_with("tchs");
    let kept_y = word
        .strip_suffix("ys")
        .and_then(|stem| stem.chars().next_back())
        .is_some_and(|c| c.is_alphabetic() && !is_vowel(c));
    let is_long = word.len() > 4 && word.chars().all(|c| c.is_ascii_lowercase());
    (is_long && (from_y || from_s || kept_y)).then(|| format!("\"{word}\" is no plural"))
}

/// Returns the fault of a word with British spelling, by its stem or ending.
fn british(word: &str) -> Option<String> {
    let base = ["ising", "ised", "ises", "iser", "isers", "isable"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .map_or_else(|| word.to_owned(), |stem| format!("{stem}ise"));
    let is_ise =
        base.len() > 5 && base.ends_with("ise") && !RIGHT_IN_ISE.iter().any(|end| base.ends_with(end));
    let is_isation = word.ends_with("isation") || word.ends_with("isations");
    let is_british = is_ise || is_isation || BRITISH_STEMS.iter().any(|stem| word.starts_with(stem));
    is_british.then(|| format!("\"{word}\" is British"))
}

/// Finds two spaces within a sentence. Texts with longer runs of spaces are aligned in columns.
fn double_spaces(kind: Kind, prose: &str, found: &mut Vec<(usize, String)>) {
    if matches!(kind, Kind::Literal | Kind::Template) && prose.contains("   ") {
        return;
    }
    for (at, _) in prose.match_indices("  ") {
        let before = prose[..at].chars().next_back();
        let after = prose[at + 2..].chars().next();
        if before.is_some_and(|c| c.is_alphanumeric() || ".,;:)".contains(c))
            && after.is_some_and(char::is_alphabetic)
        {
            found.push((at, "two spaces".to_owned()));
        }
    }
}

/// The fault of documentation that begins with a pronoun or a question word.
pub(super) fn opening(text: &Text) -> Option<String> {
    let mut words = text.text.split_whitespace();
    let (first, second) = (words.next()?, words.next().unwrap_or_default());
    let second = second.trim_end_matches(['.', ',']);
    let is_documentation = matches!(text.kind, Kind::Doc | Kind::Schema);
    let is_wrong = OPENINGS.contains(&first) || OPENING_PAIRS.contains(&(first, second));
    (is_documentation && is_wrong).then(|| {
        let shown: String = text.text.chars().take(70).collect();
        format!(
            "{}:{}: begins with \"{first}\"; begin with the noun: {}",
            text.path,
            text.line,
            shown.split_whitespace().collect::<Vec<_>>().join(" ")
        )
    })
}

/// Returns the abbreviations in parentheses after their meaning, if the whole file is read as one text.
fn explained(text: &Text) -> Vec<(&str, &str)> {
    if ![".rego", ".md"].iter().any(|end| text.path.ends_with(end)) {
        return Vec::new();
    }
    text.text
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .filter(|(inner, _)| inner.len() > 1 && inner.chars().all(|c| c.is_ascii_uppercase()))
        .map(|(inner, _)| (text.path.as_str(), inner))
        .collect()
}

/// Finds abbreviations that are neither well-known nor spelled out in the text. Parts of names with dots or digits, such as
/// those of controls, are skipped, and so are texts in capitals.
fn abbreviations(words: &[Word<'_>], text: &str, found: &mut Vec<(usize, String)>) {
    if !text.contains(|c: char| c.is_ascii_lowercase()) {
        return;
    }
    for word in words {
        let after = text.get(word.at + word.text.len()..).unwrap_or_default();
        let mut after = after.chars();
        let is_part = word.gap.ends_with(['.', '_', '/', '=', '-', ':', '%', '$'])
            || ABBREVIATIONS.contains(&word.text)
            || word.text.contains(|c: char| c.is_ascii_digit() || c == '_')
            || matches!((after.next(), after.next()), (Some('.' | '_' | '/' | '=' | ':' | '-'), Some(c)) if c.is_alphanumeric());
        if is_part {
            continue;
        }
        for part in word.text.split(['-', '\'', '’']) {
            let bare = part.strip_suffix('s').unwrap_or(part);
            let is_abbreviation = bare.len() > 1 && bare.chars().all(|c| c.is_ascii_uppercase());
            let is_explained = text.contains(&format!("({bare})")) || text.contains(&format!("{bare} ("));
            if is_abbreviation && !ABBREVIATIONS.contains(&bare) && !is_explained {
                found.push((word.at, format!("{bare}{NOT_SPELLED_OUT}")));
            }
        }
    }
}

#[test]
fn each_rule_finds_a_bad_sample() {
    let types =
        BTreeSet::from(["AppRoleAssignment", "Finding", "RequestBody", "WorkspaceScope"].map(str::to_owned));
    let lint = Lint::with(
        &types,
        BTreeSet::from(["audit_entry".to_owned(), "finding".to_owned()]),
        BTreeSet::from(["cli.md".to_owned()]),
    );
    let faults = |kind: Kind, sample: &str| {
        lint.faults(&Text {
            path: "crates/a/src/b.rs".to_owned(),
            line: 1,
            kind,
            text: sample.to_owned(),
        })
    };
    for (kind, sample, fault) in [
        (Kind::Doc, "Reads the the file.", "\"the\" twice"),
        (Kind::Doc, "Reads the\nthe file.", "\"the\" twice"),
        (Kind::Literal, "14 daies left", "\"daies\" is no plural"),
        (Kind::Literal, "two entrys", "\"entrys\" is no plural"),
        (Kind::Doc, "Normalises a name.", "\"normalises\" is British"),
        (Kind::Doc, "the organisation", "\"organisation\" is British"),
        (Kind::Doc, "behaviours", "\"behaviours\" is British"),
        (Kind::Doc, "a LICENCE", "\"licence\"; write: license"),
        (Kind::Literal, "1 days left", "\"1 days\" is no plural"),
        (
            Kind::Metadata,
            "Runs a exposure scan.",
            "wrong article in \"a exposure\"",
        ),
        (Kind::Comment, "for an user", "wrong article in \"an user\""),
        (Kind::Comment, "Two  spaces.", "two spaces"),
        (Kind::Comment, "20 at the most", "\"at the most\"; write: at most"),
        (Kind::Comment, "is read at\nthe most twice", "\"at the most\""),
        (Kind::Comment, "It is no security.", "\"it is no\""),
        (Kind::Document, "Whoever reads it", "\"whoever\""),
        (
            Kind::Comment,
            "see mcp.md 6.1",
            "`mcp.md` isn't in the repository",
        ),
        (Kind::Comment, "(D8, N3)", "`D8` is the code"),
        (Kind::Doc, "R-017 asks for it", "`R-017` is the code"),
        (
            Kind::Error,
            "core::scan failed",
            "`core::scan` is a name of the code",
        ),
        (
            Kind::Literal,
            "there is no `WorkspaceScope`",
            "`WorkspaceScope` is a name of the code",
        ),
        (
            Kind::Literal,
            "audit_entry is full",
            "`audit_entry` is a name of the code",
        ),
        (Kind::Policy, "Enable LAPS first", "LAPS is not spelled out"),
    ] {
        let found = faults(kind, sample);
        assert!(found.len() == 1 || sample.contains("D8"), "{sample}: {found:?}");
        assert!(
            found.iter().any(|found| found.contains(fault)),
            "{sample}: {found:?}"
        );
    }
    for (kind, sample) in [
        (
            Kind::Doc,
            "`the the` and that that is\n\n```text\na  exposure\n```",
        ),
        (
            Kind::Comment,
            "C0 and C1 controls; `a` exposure; option a is; an A record; https://a.example/an user",
        ),
        (
            Kind::Comment,
            "1 day, 1–20 days, 0.1 seconds, 1 to 2 days; docs/cli.md; it is no longer so",
        ),
        (
            Kind::Doc,
            "It knows nothing of sessions; otherwise a compromised, revised promise; enterprises are wiser; x5t#S256",
        ),
        (
            Kind::Policy,
            "Set-TenantSettings -RequestBody @{}; AppRoleAssignment.ReadWrite.All; MTA-STS over SMTP AUTH",
        ),
        (Kind::Doc, "The id, whose bytes; Audited<T>; core::scan; LAPS."),
        (
            Kind::Literal,
            "a finding at fe80::1 with MFA; key  value   columns; {a} a {b}",
        ),
        (
            Kind::Policy,
            "Enable local administrator password solution (LAPS)",
        ),
    ] {
        assert_eq!(faults(kind, sample), Vec::<String>::new(), "{sample}");
    }
}

#[test]
fn an_abbreviation_is_spelled_out_once_in_a_policy() {
    let text = |path: &str, sample: &str| Text {
        path: path.to_owned(),
        line: 1,
        kind: Kind::Metadata,
        text: sample.to_owned(),
    };
    let texts = [
        text("a.rego", "LAPS is on"),
        text(
            "a.rego",
            "The local administrator password solution (LAPS) rotates passwords.",
        ),
        text("b.rego", "LAPS is on"),
    ];
    let types = BTreeSet::new();
    let lint = Lint {
        explained: texts.iter().flat_map(explained).collect(),
        ..Lint::with(&types, BTreeSet::new(), BTreeSet::new())
    };
    assert_eq!(lint.faults(&texts[0]), Vec::<String>::new());
    assert_eq!(lint.faults(&texts[2]).len(), 1);
}

#[test]
fn openings_that_name_nothing_are_found() {
    let opening = |kind: Kind, sample: &str| {
        opening(&Text {
            path: "crates/a/src/b.rs".to_owned(),
            line: 1,
            kind,
            text: sample.to_owned(),
        })
    };
    for sample in [
        "Its id.",
        "By whom.",
        "Of what kind it is.",
        "How long a session lives.",
        "Whose finding",
    ] {
        assert!(opening(Kind::Doc, sample).is_some(), "{sample}");
        assert!(opening(Kind::Schema, sample).is_some(), "{sample}");
        assert!(opening(Kind::Comment, sample).is_none(), "{sample}");
    }
    for sample in [
        "The finding's id.",
        "Whether the key is active.",
        "Of two values, the larger one.",
        "Howitzer",
    ] {
        assert!(opening(Kind::Doc, sample).is_none(), "{sample}");
    }
}
