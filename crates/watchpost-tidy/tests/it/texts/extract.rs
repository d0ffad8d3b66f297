//! Reads the texts of Rust source files from their tokens.

use super::{Kind, Text};
use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use std::collections::BTreeSet;

/// The texts of one source file, and the modules that it declares for tests only.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    pub(super) texts: Vec<Text>,
    /// The names of modules declared as `#[cfg(test)] mod name;`.
    pub(super) test_modules: Vec<String>,
    /// The names of the structs, enums and traits that the file declares.
    pub(super) types: Vec<String>,
}

/// Derives that show documentation comments to users: in `--help` or in a JSON schema.
const SHOWING_DERIVES: &[&str] = &["Args", "JsonSchema", "Parser", "Subcommand", "ValueEnum"];
/// Macros of this repository that show the documentation comments of their body to users.
const SHOWING_MACROS: &[&str] = &["arguments", "scan_arguments"];
/// Arguments of attributes that are shown to users.
const SHOWN_ARGUMENTS: &[&str] = &[
    "about",
    "after_help",
    "after_long_help",
    "before_help",
    "description",
    "help",
    "help_heading",
    "long_about",
    "long_help",
    "title",
];
/// Types and functions whose literal or call is a declaration that users or models read: of a tool, a prompt, a
/// resource, a field of a connector, a key of the configuration.
const DECLARATIONS: &[&str] = &[
    "Argument",
    "Declaration",
    "Key",
    "Prompt",
    "ResourceDefinition",
    "ResourceTemplate",
    "optional_field",
    "required_field",
    "secret_field",
];
const LOG_MACROS: &[&str] = &[
    "debug",
    "debug_span",
    "error",
    "error_span",
    "event",
    "info",
    "info_span",
    "span",
    "trace",
    "trace_span",
    "warn",
];
const PANIC_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
];
/// Macros whose literals are paths or names of variables.
const PATH_MACROS: &[&str] = &["env", "include", "include_bytes", "include_str", "option_env"];

/// The context of the tokens that are being read.
#[derive(Debug, Clone, Copy)]
struct Context {
    /// Whether documentation comments here are shown to users.
    shows_docs: bool,
    /// The kind of a string literal here.
    literal: Kind,
}

/// The range of a literal in a source file, in lines (from 1) and characters (from 0).
struct Span {
    start: (usize, usize),
    end: (usize, usize),
}

struct Walker<'a> {
    path: &'a str,
    out: Extracted,
    /// Literals that contain slashes or span lines.
    literals: Vec<Span>,
    /// Lines of documentation comments that are shown to users.
    shown: BTreeSet<usize>,
}

/// Extracts the texts of a file of production code.
pub(super) fn texts(path: &str, source: &str) -> Extracted {
    let mut walker = Walker {
        path,
        out: Extracted::default(),
        literals: Vec::new(),
        shown: BTreeSet::new(),
    };
    let stream: TokenStream = source
        .parse()
        .unwrap_or_else(|error| panic!("{path} has no valid tokens: {error}"));
    walker.walk(
        stream,
        Context {
            shows_docs: false,
            literal: Kind::Literal,
        },
    );
    let comments = comments(path, source, &walker.literals, &walker.shown);
    walker.out.texts.extend(comments);
    walker.out
}

/// Extracts the comments alone, for files that hold tests.
pub(super) fn comments_only(path: &str, source: &str) -> Vec<Text> {
    let extracted = texts(path, source);
    extracted
        .texts
        .into_iter()
        .filter(|text| matches!(text.kind, Kind::Comment | Kind::Doc))
        .collect()
}

impl Walker<'_> {
    fn push(&mut self, kind: Kind, line: usize, text: String) {
        self.out.texts.push(Text {
            path: self.path.to_owned(),
            line,
            kind,
            text,
        });
    }

    fn walk(&mut self, stream: TokenStream, context: Context) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        // The documentation and the derives of the item that follows.
        let mut docs: Vec<(usize, String)> = Vec::new();
        let mut shows_item = false;
        let mut is_test = false;
        let mut in_attributes = false;
        let mut at = 0;
        while at < trees.len() {
            if let Some((attribute, next)) = attribute(&trees, at) {
                if !in_attributes {
                    (docs, shows_item, is_test) = (Vec::new(), false, false);
                    in_attributes = true;
                }
                self.attribute(attribute, &mut docs, &mut shows_item, &mut is_test);
                at = next;
                continue;
            }
            if in_attributes {
                in_attributes = false;
                if is_test {
                    at = self.skip_test_item(&trees, at);
                    continue;
                }
                if shows_item || context.shows_docs {
                    self.show(&docs);
                }
            }
            match &trees[at] {
                TokenTree::Group(group) => {
                    let inner = self.context_of(&trees, at, context, shows_item);
                    if let Some(inner) = inner {
                        self.walk(group.stream(), inner);
                    } else {
                        self.note_spans(group.stream());
                    }
                    if group.delimiter() == Delimiter::Brace {
                        shows_item = false;
                    }
                }
                TokenTree::Literal(literal) => self.literal(literal, context.literal),
                TokenTree::Ident(name) => {
                    let before = at.checked_sub(1).map(|before| trees[before].to_string());
                    if before.is_some_and(|word| ["struct", "enum", "trait"].contains(&word.as_str())) {
                        self.out.types.push(name.to_string());
                    }
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    /// Reads one attribute, and updates `docs`, `shows_item` and `is_test`, which describe the item after it.
    fn attribute(
        &mut self,
        group: &Group,
        docs: &mut Vec<(usize, String)>,
        shows_item: &mut bool,
        is_test: &mut bool,
    ) {
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let Some(TokenTree::Ident(name)) = trees.first() else {
            return;
        };
        let arguments = trees.iter().find_map(|tree| match tree {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        match name.to_string().as_str() {
            "doc" => {
                if let Some(TokenTree::Literal(literal)) = trees.last()
                    && let Some(text) = string(&literal.to_string())
                {
                    docs.push((literal.span().start().line, text));
                }
                return;
            }
            "derive" => {
                *shows_item |= arguments.is_some_and(|list| {
                    list.into_iter()
                        .any(|tree| SHOWING_DERIVES.contains(&tree.to_string().as_str()))
                });
            }
            "cfg" => {
                let condition = arguments.map(|list| list.to_string()).unwrap_or_default();
                *is_test |= condition == "test" || condition.starts_with("all (test");
            }
            "error" => self.attribute_literals(arguments, |_| Some(Kind::Error)),
            "expect" | "allow" | "deprecated" => {
                self.attribute_literals(arguments, |argument| {
                    (argument == "reason").then_some(Kind::Comment)
                });
            }
            "arg" | "clap" | "command" | "group" | "schemars" | "value" => {
                self.attribute_literals(arguments, |argument| {
                    SHOWN_ARGUMENTS.contains(&argument).then_some(Kind::Schema)
                });
            }
            _ => {}
        }
        self.note_spans(group.stream());
    }

    /// Emits the literals in the arguments of an attribute for which `kind`, called with the argument's name, returns a kind.
    fn attribute_literals(&mut self, arguments: Option<TokenStream>, kind: impl Fn(&str) -> Option<Kind>) {
        let mut argument = String::new();
        for tree in arguments.into_iter().flatten() {
            match &tree {
                TokenTree::Ident(name) => argument = name.to_string(),
                TokenTree::Punct(punct) if punct.as_char() == ',' => argument.clear(),
                TokenTree::Literal(literal) => {
                    if let (Some(kind), Some(text)) = (kind(&argument), string(&literal.to_string())) {
                        self.push(kind, literal.span().start().line, text);
                    }
                }
                _ => {}
            }
        }
    }

    /// Skips the test item that begins at `at`, and returns the position after it.
    fn skip_test_item(&mut self, trees: &[TokenTree], at: usize) -> usize {
        let mut end = at;
        while end < trees.len() {
            match &trees[end] {
                TokenTree::Group(group) => {
                    self.note_spans(group.stream());
                    let is_use = trees[at..end].iter().any(|tree| tree.to_string() == "use");
                    if group.delimiter() == Delimiter::Brace && !is_use {
                        return end + 1;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    if let [TokenTree::Ident(keyword), TokenTree::Ident(name)] = &trees[end - 2..end]
                        && keyword == "mod"
                    {
                        self.out.test_modules.push(name.to_string());
                    }
                    return end + 1;
                }
                TokenTree::Literal(literal) => self.note_span(literal),
                _ => {}
            }
            end += 1;
        }
        end
    }

    /// Emits documentation comments as texts that users read.
    fn show(&mut self, docs: &[(usize, String)]) {
        if let Some((first, _)) = docs.first() {
            let text: Vec<&str> = docs.iter().map(|(_, text)| text.trim()).collect();
            self.shown.extend(docs.iter().map(|(line, _)| *line));
            self.push(Kind::Schema, *first, text.join("\n"));
        }
    }

    /// Returns the context within the group at `at`; `None` if the literals in it are not texts.
    fn context_of(
        &self,
        trees: &[TokenTree],
        at: usize,
        context: Context,
        shows_item: bool,
    ) -> Option<Context> {
        let word = |back: usize| {
            at.checked_sub(back)
                .map(|at| trees[at].to_string())
                .unwrap_or_default()
        };
        let mut inner = context;
        inner.shows_docs |= shows_item;
        let (last, before) = (word(1), word(2));
        // `name!(…)`, or `macro_rules! name {…}`.
        if last == "!" {
            let name = before.as_str();
            if PATH_MACROS.contains(&name) {
                return None;
            }
            inner.shows_docs |= SHOWING_MACROS.contains(&name);
            if LOG_MACROS.contains(&name) {
                inner.literal = Kind::Log;
            } else if PANIC_MACROS.contains(&name) {
                inner.literal = Kind::Panic;
            }
        } else if before == "." && ["expect", "expect_err"].contains(&last.as_str()) {
            inner.literal = Kind::Panic;
        } else if DECLARATIONS.contains(&last.as_str())
            && !["struct", "enum", "fn", "for", "impl"].contains(&before.as_str())
        {
            inner.literal = Kind::Declaration;
        }
        Some(inner)
    }

    fn literal(&mut self, literal: &Literal, kind: Kind) {
        self.note_span(literal);
        if let Some(text) = string(&literal.to_string()) {
            let kind = if kind == Kind::Literal && is_sql(&text) {
                Kind::Sql
            } else {
                kind
            };
            self.push(kind, literal.span().start().line, text);
        }
    }

    fn note_spans(&mut self, stream: TokenStream) {
        for tree in stream {
            match tree {
                TokenTree::Group(group) => self.note_spans(group.stream()),
                TokenTree::Literal(literal) => self.note_span(&literal),
                _ => {}
            }
        }
    }

    /// Records the position of a literal that could be mistaken for a comment.
    fn note_span(&mut self, literal: &Literal) {
        let text = literal.to_string();
        if text.contains("//") {
            let (start, end) = (literal.span().start(), literal.span().end());
            self.literals.push(Span {
                start: (start.line, start.column),
                end: (end.line, end.column),
            });
        }
    }
}

/// Returns the attribute that begins at `at`, and the position after it.
fn attribute(trees: &[TokenTree], at: usize) -> Option<(&Group, usize)> {
    let is = |at: usize, sign: char| matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
    if !is(at, '#') {
        return None;
    }
    let at = at + if is(at + 1, '!') { 2 } else { 1 };
    match trees.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => Some((group, at + 1)),
        _ => None,
    }
}

/// Whether a literal is an SQL statement or a part of one.
fn is_sql(text: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "AND",
        "BEGIN",
        "COMMIT",
        "CREATE",
        "DELETE",
        "DISTINCT",
        "DROP",
        "ESCAPE",
        "EXCEPT",
        "FROM",
        "GROUP",
        "INSERT",
        "JOIN",
        "LIKE",
        "LIMIT",
        "NULL",
        "OR",
        "ORDER",
        "PRAGMA",
        "RELEASE",
        "ROLLBACK",
        "SAVEPOINT",
        "SELECT",
        "SET",
        "TABLE",
        "UNION",
        "UPDATE",
        "VALUES",
        "WHERE",
        "WITH",
    ];
    let keywords = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| KEYWORDS.contains(word))
        .count();
    keywords >= 2 || (keywords == 1 && text.contains(['?', '=', '(']))
}

/// Returns the value of a string literal, or `None` for a literal of another kind.
fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let raw = raw.trim_start_matches('#');
        let hashes = literal.len() - 1 - raw.len();
        return Some(raw[1..raw.len() - 1 - hashes].to_owned());
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            'x' => {
                let code: String = chars.by_ref().take(2).collect();
                out.push(char::from(u8::from_str_radix(&code, 16).ok()?));
            }
            'u' => {
                let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            '\n' => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            other => out.push(other),
        }
    }
    Some(out)
}

/// Returns the comments of a file, without the documentation that users read. Consecutive lines with the same mark are one
/// text.
fn comments(path: &str, source: &str, literals: &[Span], shown: &BTreeSet<usize>) -> Vec<Text> {
    let mut blocks: Vec<Text> = Vec::new();
    // The line and the mark of the previous comment.
    let mut last: Option<(usize, &str)> = None;
    for (index, line) in source.lines().enumerate() {
        let number = index + 1;
        if shown.contains(&number) {
            continue;
        }
        let start = line.match_indices("//").map(|(at, _)| at).find(|at| {
            let column = line[..*at].chars().count();
            !literals
                .iter()
                .any(|span| span.start <= (number, column) && (number, column) < span.end)
        });
        let Some(start) = start else { continue };
        let comment = &line[start..];
        let mark = ["///", "//!", "//"]
            .into_iter()
            .find(|mark| comment.starts_with(mark))
            .unwrap_or("//");
        let text = comment[mark.len()..]
            .strip_prefix(' ')
            .unwrap_or(&comment[mark.len()..]);
        let continues = line[..start].trim().is_empty() && last == Some((number - 1, mark));
        if continues && let Some(block) = blocks.last_mut() {
            block.text.push('\n');
            block.text.push_str(text);
        } else {
            blocks.push(Text {
                path: path.to_owned(),
                line: number,
                kind: if mark == "//" { Kind::Comment } else { Kind::Doc },
                text: text.to_owned(),
            });
        }
        last = Some((number, mark));
    }
    blocks
}

#[test]
fn texts_are_read_from_tokens() {
    let source = r##"//! Crate.
use a::b; // "quoted" http://x
/// Shown
/// in help.
#[derive(Debug, Args)]
struct Input {
    /// A field.
    #[arg(long, help = "Helps", env = "NAME")]
    name: &'static str,
}
/// Not shown.
fn f() {
    let url = "https://example.com // no comment";
    log::warn!("is logged {}", 1);
    x.expect("is a panic");
    format!("two \
             lines\n{x}");
    r#"raw "text""#;
    b"bytes";
    'c';
    include_str!("a/path");
    sql("SELECT a FROM b");
}
#[error("failed: {0}")]
struct E;
const D: Declaration = Declaration { title: "A title" };
#[cfg(test)]
mod tests {
    const T: &str = "is skipped";
}
#[cfg(test)]
mod more;
const AFTER: &str = "after tests";
"##;
    let extracted = texts("f.rs", source);
    let mut found: Vec<(usize, Kind, &str)> = extracted
        .texts
        .iter()
        .map(|text| (text.line, text.kind, text.text.as_str()))
        .collect();
    found.sort_by_key(|(line, ..)| *line);
    assert_eq!(
        found,
        [
            (1, Kind::Doc, "Crate."),
            (2, Kind::Comment, "\"quoted\" http://x"),
            (3, Kind::Schema, "Shown\nin help."),
            (7, Kind::Schema, "A field."),
            (8, Kind::Schema, "Helps"),
            (11, Kind::Doc, "Not shown."),
            (13, Kind::Literal, "https://example.com // no comment"),
            (14, Kind::Log, "is logged {}"),
            (15, Kind::Panic, "is a panic"),
            (16, Kind::Literal, "two lines\n{x}"),
            (18, Kind::Literal, "raw \"text\""),
            (22, Kind::Sql, "SELECT a FROM b"),
            (24, Kind::Error, "failed: {0}"),
            (26, Kind::Declaration, "A title"),
            (33, Kind::Literal, "after tests"),
        ]
    );
    assert_eq!(extracted.test_modules, ["more"]);
    assert_eq!(extracted.types, ["Input", "E"]);
}
