//! The texts of the repository: comments, documentation, messages, policies, pages. The tests check their language, check
//! that the sentences for users are in the `text` module of each crate, and compare the texts for users with a snapshot, in
//! which a reviewer or a translator can read them together.
//!
//! `cargo test -p watchpost-tidy texts -- --nocapture` also prints the faults of the crates in [`PENDING`].

mod extract;
mod lint;
mod other;
mod phrases;
mod placement;
mod snapshot;

use crate::{files, text};
use Check::{Openings, Placement, Words};
use std::{
    collections::BTreeSet,
    sync::{Mutex, OnceLock},
};

/// The crates that don't pass yet, each with the checks that it still fails. A check that passes must be removed from the
/// list. The texts of a crate are compared with its snapshot when the crate is not in the list.
const PENDING: &[(&str, &[Check])] = &[];

/// The group of files outside `crates`, `bins` and `docs`.
const ROOT_DOCUMENTS: &str = "(other files)";

/// Pages that are generated from other texts, which are read instead.
const GENERATED: &[&str] = &[
    "docs/checks/catalogue.md",
    "docs/cli-reference.md",
    "docs/rules-builtin.md",
    "docs/tools.md",
];

/// A check from which a crate can be exempt for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Grammar, phrases, citations, abbreviations, names of the code.
    Words,
    /// The first word of documentation comments.
    Openings,
    /// Sentences outside the crate's `text` module.
    Placement,
}

/// The kind of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A comment in code.
    Comment,
    /// A documentation comment.
    Doc,
    /// A documentation comment that `--help` or a schema shows.
    Schema,
    /// A declaration of a tool, a prompt or an argument.
    Declaration,
    /// The message of an error type.
    Error,
    /// Another string literal.
    Literal,
    /// A message for the log.
    Log,
    /// A message of a panic or an assertion.
    Panic,
    /// A statement for the database.
    Sql,
    /// The prose in the METADATA of a rule or a check.
    Metadata,
    /// A string of a rule or a check.
    Policy,
    /// The text of a template.
    Template,
    /// A paragraph of a page.
    Document,
}

impl Kind {
    /// Whether users, administrators or models read such texts of a crate.
    const fn is_shown(self) -> bool {
        matches!(
            self,
            Self::Schema
                | Self::Declaration
                | Self::Error
                | Self::Literal
                | Self::Metadata
                | Self::Policy
                | Self::Template
        )
    }
}

/// A text with its position.
#[derive(Debug, Clone)]
struct Text {
    /// The file, relative to the workspace's root.
    path: String,
    /// The number of the first line.
    line: usize,
    kind: Kind,
    /// Without the marks of its kind; the lines of a comment are kept.
    text: String,
}

impl Text {
    /// The crate of the file, as a path; `docs`; or [`ROOT_DOCUMENTS`].
    fn group(&self) -> &str {
        group(&self.path)
    }
}

fn group(path: &str) -> &str {
    let mut parts = path.match_indices('/').map(|(at, _)| at);
    let first = parts.next().map_or(path, |at| &path[..at]);
    match (first, parts.next()) {
        ("crates" | "bins", Some(second)) => &path[..second],
        ("docs", _) => "docs",
        _ => ROOT_DOCUMENTS,
    }
}

/// All texts, and the names of the types that the crates declare.
#[derive(Debug, Default)]
struct Texts {
    texts: Vec<Text>,
    types: BTreeSet<String>,
}

/// Whether a Rust file contains only tests, so that only its comments are read.
fn is_test(path: &str) -> bool {
    ["/tests/", "/benches/", "/examples/"]
        .iter()
        .any(|folder| path.contains(folder))
        || ["/tests.rs", "/build.rs"].iter().any(|end| path.ends_with(end))
        || path.starts_with("fuzz/")
}

/// Appends the texts of a file to `out`, and the paths of modules that it declares only for tests to `test_modules`.
fn read(path: &str, content: &str, out: &mut Texts, test_modules: &mut Vec<String>) {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "rs" if is_test(path) => out.texts.extend(extract::comments_only(path, content)),
        "rs" => {
            let extracted = extract::texts(path, content);
            out.texts.extend(extracted.texts);
            out.types.extend(extracted.types);
            let folder = path
                .strip_suffix("/mod.rs")
                .or_else(|| path.strip_suffix("/lib.rs"))
                .or_else(|| path.strip_suffix("/main.rs"))
                .or_else(|| path.strip_suffix(".rs"))
                .unwrap_or(path);
            test_modules.extend(
                extracted
                    .test_modules
                    .iter()
                    .map(|name| format!("{folder}/{name}")),
            );
        }
        "rego" => out.texts.extend(other::rego(path, content)),
        "md" => out.texts.extend(other::markdown(path, content)),
        "html" => out.texts.extend(other::template(path, content)),
        _ => {}
    }
}

/// Returns all texts of the repository, sorted by file and line.
fn all() -> &'static Texts {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let files = files();
        let next = Mutex::new(files.iter());
        let found = Mutex::new((Texts::default(), Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    let (mut texts, mut test_modules) = (Texts::default(), Vec::new());
                    loop {
                        let path = next.lock().expect("no reader panicked").next();
                        let Some(path) = path else { break };
                        if [".rs", ".rego", ".md", ".html"]
                            .iter()
                            .any(|end| path.ends_with(end))
                            && !path.starts_with("fixtures/")
                            && !GENERATED.contains(&path.as_str())
                            && let Some(content) = text(path)
                        {
                            read(path, &content, &mut texts, &mut test_modules);
                        }
                    }
                    let mut found = found.lock().expect("no reader panicked");
                    found.0.texts.extend(texts.texts);
                    found.0.types.extend(texts.types);
                    found.1.extend(test_modules);
                });
            }
        });
        let (mut texts, test_modules) = found.into_inner().expect("no reader panicked");
        let of_tests = |path: &str| {
            test_modules.iter().any(|module| {
                path.strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
        };
        texts
            .texts
            .retain(|text| matches!(text.kind, Kind::Comment | Kind::Doc) || !of_tests(&text.path));
        texts
            .texts
            .sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
        texts
    })
}

/// Fails if a crate that is not pending has a fault, and returns the faults of the pending crates.
fn report(check: Check, faults: &[(&Text, String)]) -> String {
    let is_pending = |group: &str| {
        PENDING
            .iter()
            .any(|(name, checks)| *name == group && checks.contains(&check))
    };
    let lines = |pending: bool| -> Vec<&str> {
        faults
            .iter()
            .filter(|(text, _)| is_pending(text.group()) == pending)
            .map(|(_, fault)| fault.as_str())
            .collect()
    };
    let wrong = lines(false);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    for (name, checks) in PENDING.iter().filter(|(_, checks)| checks.contains(&check)) {
        assert!(
            faults.iter().any(|(text, _)| text.group() == *name),
            "{name} passes {check:?} of {checks:?}: take that off PENDING"
        );
    }
    lines(true).join("\n")
}

#[test]
fn texts_are_plain_english() {
    let texts = all();
    let kinds: BTreeSet<Kind> = texts.texts.iter().map(|text| text.kind).collect();
    assert_eq!(kinds.len(), 13, "some kind of text is not read: {kinds:?}");
    assert!(
        texts.texts.len() > 20_000 && texts.types.len() > 500,
        "only {} texts and {} types: they are not parsed correctly",
        texts.texts.len(),
        texts.types.len()
    );
    let lint = lint::Lint::new(&texts.types, &texts.texts);
    let faults: Vec<(&Text, String)> = texts
        .texts
        .iter()
        .flat_map(|text| lint.faults(text).into_iter().map(move |fault| (text, fault)))
        .collect();
    println!("{}", report(Words, &faults));
}

#[test]
fn documentation_begins_with_a_noun_or_a_verb() {
    let faults: Vec<(&Text, String)> = all()
        .texts
        .iter()
        .filter_map(|text| Some((text, lint::opening(text)?)))
        .collect();
    println!("{}", report(Openings, &faults));
}

#[test]
fn sentences_for_users_are_in_the_text_module() {
    let faults: Vec<(&Text, String)> = all()
        .texts
        .iter()
        .filter(|text| placement::is_misplaced(text))
        .map(|text| {
            let shown: String = text
                .text
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(80)
                .collect();
            (
                text,
                format!(
                    "{}:{}: move to the crate's `text` module: {shown}",
                    text.path, text.line
                ),
            )
        })
        .collect();
    println!("{}", report(Placement, &faults));
}

#[test]
fn texts_for_users_match_the_snapshot_of_the_crate() {
    let pending: BTreeSet<&str> = PENDING.iter().map(|(name, _)| *name).collect();
    snapshot::compare(&all().texts, &pending);
}

#[test]
fn groups_of_files() {
    for (path, expected) in [
        ("crates/watchpost-core/src/lib.rs", "crates/watchpost-core"),
        ("bins/watchpost/src/main.rs", "bins/watchpost"),
        ("docs/connect/okta.md", "docs"),
        ("README.md", ROOT_DOCUMENTS),
        ("tests/walkthrough/README.md", ROOT_DOCUMENTS),
    ] {
        assert_eq!(group(path), expected);
    }
}
