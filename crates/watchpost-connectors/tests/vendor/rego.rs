//! The names of fields that a Rego file reads, found in its text.

use std::collections::BTreeSet;

/// Functions whose second argument is a field or a list of fields, even if it is one word in lower case.
const READERS: [&str; 10] = [
    "at",
    "field",
    "get",
    "lacking",
    "list",
    "lower_texts",
    "number",
    "shown",
    "text",
    "texts",
];

/// Functions whose second argument is a value and not a field.
const NOT_READING: [&str; 9] = [
    "contains",
    "endswith",
    "exempted",
    "failed",
    "indexof",
    "replace",
    "skipped",
    "split",
    "startswith",
];

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let (length, token) = match first {
                '#' => break,
                '"' | '`' => {
                    let end = closing(rest, first);
                    let inner = rest.get(1..end).unwrap_or_default();
                    (end + 1, Some(Token::Text(inner.to_owned())))
                }
                c if is_name(c) => {
                    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                    (end, Some(Token::Name(rest[..end].to_owned())))
                }
                c if c.is_whitespace() => (c.len_utf8(), None),
                c => (c.len_utf8(), Some(Token::Sign(c))),
            };
            tokens.extend(token);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    tokens
}

/// Returns the position of the quote that ends a text.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped && quote == '"';
    }
    text.len()
}

/// Returns the fields that are read as `thing.field`, or by a function such as `object.get(thing, "field", …)` or
/// `texts(thing, ["field", "field"])`.
pub(crate) fn fields(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut found = BTreeSet::new();
    let sign = |at: usize, sign: char| tokens.get(at) == Some(&Token::Sign(sign));
    let name = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => Some(name.as_str()),
        _ => None,
    };
    for at in 1..tokens.len() {
        // `thing.field`, but not `package.name`, `function.name(` or `:= .`
        if sign(at, '.')
            && let Some(field) = name(at + 1)
        {
            let root = root(&tokens, at);
            let called = sign(at + 2, '(');
            if !called && !matches!(root, Root::Module) {
                found.insert(field.to_owned());
            }
        }
        if sign(at, '(')
            && let Some(function) = name(at - 1)
            && !NOT_READING.contains(&function)
        {
            let reads = READERS.contains(&function);
            argument(&tokens, at + 1, |text| {
                if reads || text.contains(|c: char| c.is_ascii_uppercase()) {
                    found.insert(text.to_owned());
                }
            });
        }
    }
    found
}

enum Root {
    /// An imported module or the package.
    Module,
    Thing,
}

/// Returns what the path that continues at the dot begins with.
fn root(tokens: &[Token], dot: usize) -> Root {
    const MODULES: [&str; 9] = [
        "data",
        "defender",
        "dns",
        "entra",
        "exchange",
        "lib",
        "rego",
        "watchpost",
        "work",
    ];
    let first = match tokens.get(dot - 1) {
        Some(Token::Name(name)) => name.as_str(),
        _ => return Root::Thing,
    };
    let continued = dot >= 2 && tokens.get(dot - 2) == Some(&Token::Sign('.'));
    if !continued && (MODULES.contains(&first) || first == "input") {
        return Root::Module;
    }
    // `input.params.name`, `input.doc.settings`, `data.watchpost.checklib` aren't fields of a document.
    if continued && dot >= 3 {
        let before = match tokens.get(dot - 3) {
            Some(Token::Name(name)) => name.as_str(),
            _ => "",
        };
        if MODULES.contains(&before) && before != "lib" {
            return match before {
                "data" | "rego" | "watchpost" => Root::Module,
                _ => Root::Thing,
            };
        }
        if before == "input" || before == "doc" {
            return Root::Module;
        }
    }
    Root::Thing
}

/// Returns the keys of objects and the names of rules, which are a file's own names.
pub(crate) fn own_names(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let keys = tokens.windows(2).filter_map(|pair| match pair {
        [Token::Text(key), Token::Sign(':')] => Some(key.clone()),
        _ => None,
    });
    let rules = text.lines().filter_map(|line| {
        let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
        let name = &line[..end];
        (!name.is_empty()).then(|| name.to_owned())
    });
    keys.chain(rules).collect()
}

/// Calls `found` with the second argument of a call, if it is a literal name or a list of literal names.
fn argument(tokens: &[Token], begin: usize, mut found: impl FnMut(&str)) {
    let (mut depth, mut at) = (0_u32, begin);
    loop {
        match tokens.get(at) {
            None => return,
            Some(Token::Sign('(' | '[' | '{')) => depth += 1,
            Some(Token::Sign(')' | ']' | '}')) if depth == 0 => return,
            Some(Token::Sign(')' | ']' | '}')) => depth -= 1,
            Some(Token::Sign(',')) if depth == 0 => break,
            Some(_) => {}
        }
        at += 1;
    }
    let mut add = |text: &str| {
        if !text.is_empty() && text.chars().all(is_name) {
            found(text);
        }
    };
    match tokens.get(at + 1) {
        Some(Token::Text(text)) => add(text),
        Some(Token::Sign('[' | '{')) => {
            for token in &tokens[at + 2..] {
                match token {
                    Token::Text(text) => add(text),
                    Token::Sign(',') => {}
                    _ => return,
                }
            }
        }
        _ => {}
    }
}

#[test]
fn fields_are_found_in_paths_and_in_calls() {
    let check = |text: &str, expected: &[&str]| {
        let found = fields(text);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    };
    check("row.State == \"on\"", &["State"]);
    check("each.rule.actions.signon", &["actions", "rule", "signon"]);
    check("object.get(row, \"IsDefault\", false)", &["IsDefault"]);
    check(
        "texts(policy, [\"conditions\", \"users\"])",
        &["conditions", "users"],
    );
    check("lacking(row, {\"Enabled\", \"Name\"})", &["Enabled", "Name"]);
    check("rows(path)[0].Identity", &["Identity"]);
    check("lib.rows(\"exchange/AcceptedDomain\")", &[]);
    check("data.watchpost.checklib", &[]);
    check("startswith(name, \"Built\")", &[]);
    check("x := entra.policies # row.State", &[]);
    check("input.params.strict_license", &[]);
}
