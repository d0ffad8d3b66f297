//! Reads Rust source as text, without comments, contents of strings, and tests. The source must be formatted by rustfmt.

use crate::{files, text};
use std::collections::BTreeMap;

/// A source file of production code.
pub(crate) struct Source {
    /// The path relative to the workspace's root.
    pub(crate) path: String,
    /// The code without comments and `#[cfg(test)]` items, with the contents of strings replaced by `x`. Line numbers are
    /// those of the file.
    pub(crate) code: String,
}

/// A function with a body.
pub(crate) struct Function {
    /// The name of the function.
    pub(crate) name: String,
    /// The number of the first line.
    pub(crate) line: usize,
    /// The number of lines from `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// Whether a whole file is test code. All files of the testkit and of this crate are.
fn is_test(path: &str) -> bool {
    path.starts_with("crates/watchpost-testkit/")
        || path.starts_with("crates/watchpost-tidy/")
        || ["/tests/", "/benches/", "/examples/", "/fuzz/"]
            .iter()
            .any(|folder| format!("/{path}").contains(folder))
        || path.ends_with("/tests.rs")
}

/// Returns all files of production code, sorted by path.
pub(crate) fn production() -> Vec<Source> {
    let mut sources: Vec<Source> = files()
        .into_iter()
        .filter(|path| path.ends_with(".rs") && !is_test(path))
        .filter_map(|path| {
            let code = without_tests(&without_comments(&text(&path)?));
            Some(Source { path, code })
        })
        .collect();
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    sources
}

/// Counts the lines that contain code.
pub(crate) fn lines_of_code(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Removes the comments of a source text and replaces the contents of its strings by `x`. Line numbers do not change.
pub(crate) fn without_comments(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => {
                let end = (at..chars.len())
                    .find(|place| chars[*place] == '\n')
                    .unwrap_or(chars.len());
                at = end;
                continue;
            }
            ('/', Some('*')) => {
                let end = end_of_block_comment(&chars, at);
                out.extend(chars[at..end].iter().filter(|c| **c == '\n'));
                at = end;
                continue;
            }
            ('"', _) => end_of_string(&chars, at),
            ('r', Some('"' | '#'))
                if !at
                    .checked_sub(1)
                    .is_some_and(|before| is_word_before_raw(&chars, before)) =>
            {
                end_of_raw_string(&chars, at)
            }
            ('\'', _) => end_of_char(&chars, at),
            _ => at + 1,
        };
        if end == at + 1 {
            out.push(chars[at]);
        } else {
            out.push(chars[at]);
            out.extend(
                chars[at + 1..end - 1]
                    .iter()
                    .map(|c| if c.is_whitespace() { *c } else { 'x' }),
            );
            out.push(chars[end - 1]);
        }
        at = end;
    }
    out
}

/// Whether the character before an `r` makes it a part of a word. `br"…"` is a raw string as well.
fn is_word_before_raw(chars: &[char], before: usize) -> bool {
    let c = chars[before];
    let is_byte_mark = c == 'b'
        && !before
            .checked_sub(1)
            .is_some_and(|place| chars[place].is_alphanumeric() || chars[place] == '_');
    (c.is_alphanumeric() || c == '_') && !is_byte_mark
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn end_of_raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        // A raw identifier, such as `r#type`.
        return start + 1;
    }
    (open + 1..chars.len())
        .find(|place| {
            chars[*place] == '"'
                && chars[place + 1..]
                    .iter()
                    .take(hashes)
                    .filter(|c| **c == '#')
                    .count()
                    == hashes
        })
        .map_or(chars.len(), |place| place + 1 + hashes)
}

/// Returns the end of a character literal; for a lifetime, the position after the quotation mark.
fn end_of_char(chars: &[char], start: usize) -> usize {
    match (chars.get(start + 1), chars.get(start + 2)) {
        (Some('\\'), _) => (start + 3..chars.len())
            .find(|place| chars[*place] == '\'')
            .map_or(chars.len(), |place| place + 1),
        (Some(_), Some('\'')) => start + 3,
        _ => start + 1,
    }
}

/// Returns the position of the body of the item that begins at `start`, if it has one, and the position after the item:
/// after its closing brace or its semicolon.
fn end_of_item(code: &str, start: usize) -> (Option<usize>, usize) {
    let (mut depth, mut body) = (0_usize, None);
    for (place, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            '{' => {
                if depth == 0 {
                    body.get_or_insert(start + place);
                }
                depth += 1;
            }
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && body.is_some() {
                    return (body, start + place + 1);
                }
            }
            ';' if depth == 0 => return (None, start + place + 1),
            _ => {}
        }
    }
    (body, code.len())
}

/// Removes the `#[cfg(test)]` items of code. Line numbers do not change.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = 0;
    while let Some(found) = code[rest..].find(MARK) {
        let start = rest + found;
        let (_, end) = end_of_item(code, start + MARK.len());
        out.push_str(&code[rest..start]);
        out.extend(code[start..end].chars().filter(|c| *c == '\n'));
        rest = end;
    }
    out.push_str(&code[rest..]);
    out
}

/// Returns the functions with a body, including nested ones.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut offset = 0;
    for (number, line) in code.split_inclusive('\n').enumerate() {
        if let Some(name) = name_of_function(line)
            && let (Some(_), end) = end_of_item(code, offset)
        {
            functions.push(Function {
                name: name.to_owned(),
                line: number + 1,
                lines: code[offset..end].lines().count(),
            });
        }
        offset += line.len();
    }
    functions
}

/// Returns the name of the function that begins on a line, if one does.
pub(crate) fn name_of_function(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    loop {
        if let Some(rest) = words.strip_prefix("fn ") {
            return rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        }
        let (word, rest) = words.split_once(' ')?;
        let is_qualifier = ["const", "async", "unsafe", "extern", "default", "pub"].contains(&word)
            || word.starts_with("pub(")
            || word.starts_with('"');
        if !is_qualifier {
            return None;
        }
        words = rest.strip_prefix("in ").unwrap_or(rest);
    }
}

/// A trait with its methods.
pub(crate) struct Trait {
    /// The name of the trait.
    pub(crate) name: String,
    /// The source between the name and the body.
    pub(crate) supertraits: String,
    /// The name and the parameters of each method, without line breaks.
    pub(crate) methods: Vec<(String, String)>,
}

/// Returns the public traits of a file.
pub(crate) fn traits(code: &str) -> Vec<Trait> {
    code.match_indices("pub trait ")
        .map(|(start, mark)| {
            let (body, end) = end_of_item(code, start);
            let body = body.unwrap_or(end);
            let head = &code[start + mark.len()..body];
            let (name, supertraits) = head.split_once(':').unwrap_or((head, ""));
            Trait {
                name: name.trim().to_owned(),
                supertraits: supertraits.split_whitespace().collect::<Vec<_>>().join(" "),
                methods: methods(&code[body..end]),
            }
        })
        .collect()
}

/// Returns the methods that the body of a trait declares.
fn methods(body: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for line in body.split_inclusive('\n') {
        if let Some(name) = name_of_function(line) {
            let (_, end) = end_of_item(body, offset);
            let declaration = body[offset..end].split_once('(').map_or("", |(_, rest)| rest);
            let parameters = declaration.split("->").next().unwrap_or_default();
            let parameters = parameters.split_whitespace().collect::<Vec<_>>().join(" ");
            found.push((name.to_owned(), parameters));
        }
        offset += line.len();
    }
    found
}

/// Appends the paths that a `use` item imports to `out`, each with its local name. `tree` is the item without `use` and
/// semicolon.
fn expand(tree: &str, prefix: &[&str], out: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if tree.is_empty() {
        return;
    }
    if let Some((path, inner)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(path.split("::").map(str::trim).filter(|part| !part.is_empty()));
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        let (mut depth, mut start) = (0_usize, 0);
        for (place, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    expand(&inner[start..place], &prefix, out);
                    start = place + 1;
                }
                _ => {}
            }
        }
        expand(&inner[start..], &prefix, out);
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| {
        (path, Some(alias.trim().to_owned()))
    });
    let mut parts: Vec<String> = prefix.iter().map(|part| (*part).to_owned()).collect();
    parts.extend(path.split("::").map(|part| part.trim().to_owned()));
    if parts.last().is_some_and(|last| last == "self") {
        parts.pop();
    }
    let name = alias.or_else(|| parts.last().cloned()).unwrap_or_default();
    out.push((parts, name));
}

/// Returns the paths that code imports, each with its local name and whether it is re-exported.
pub(crate) fn imports(code: &str) -> Vec<(Vec<String>, String, bool)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for line in code.split_inclusive('\n') {
        let start = line.trim_start();
        let is_public = start.starts_with("pub");
        let item = if is_public {
            start.split_once(' ').map_or("", |(_, rest)| rest)
        } else {
            start
        };
        if let Some(tree) = item.strip_prefix("use ") {
            let from = offset + (line.len() - tree.len());
            let end = code[from..].find(';').map_or(code.len(), |place| from + place);
            let mut paths = Vec::new();
            expand(&code[from..end], &[], &mut paths);
            found.extend(paths.into_iter().map(|(path, name)| (path, name, is_public)));
        }
        offset += line.len();
    }
    found
}

/// Returns the paths after `crate::` in expressions and types, where they are not in a `use` item.
pub(crate) fn crate_paths(code: &str) -> Vec<Vec<String>> {
    code.match_indices("crate::")
        .filter(|(place, _)| {
            !code[..*place]
                .chars()
                .next_back()
                .is_some_and(|c| c == '$' || c == '_' || c.is_alphanumeric())
        })
        .map(|(place, mark)| {
            code[place + mark.len()..]
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .next()
                .unwrap_or_default()
                .split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

/// Returns the crate of a file and the path of its module (empty for the root), if the file is under `src`.
pub(crate) fn module_of(path: &str) -> Option<(String, Vec<String>)> {
    let (package, inner) = path.split_once("/src/")?;
    let mut parts: Vec<String> = inner.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    Some((package.rsplit('/').next()?.to_owned(), parts))
}

/// Groups production code by crate and module.
pub(crate) fn modules(sources: &[Source]) -> BTreeMap<String, BTreeMap<Vec<String>, &str>> {
    let mut crates = BTreeMap::<String, BTreeMap<Vec<String>, &str>>::new();
    for source in sources {
        if let Some((package, module)) = module_of(&source.path) {
            crates.entry(package).or_default().insert(module, &source.code);
        }
    }
    crates
}

#[test]
fn source_is_read_without_comments_strings_and_tests() {
    let code = "fn a() {\n    // }\n    let s = \"}\\\" {\"; /* { /* } */ */\n    let r = r#\"\n}\n\"#;\n\n    let c = '{';\n}\n\n\
                pub(crate) async fn b<'a>(x: [u8; 4]) -> &'a str {\n    fn inner() {}\n    \"\"\n}\n\
                trait T {\n    fn none(&self) -> [u8; 4];\n}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\nfn d() {}\n";
    let code = without_tests(&without_comments(code));
    let found: Vec<(String, usize, usize)> = functions(&code)
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect();
    let expected = [("a", 1, 9), ("b", 11, 4), ("inner", 12, 1), ("d", 22, 1)];
    let expected: Vec<(String, usize, usize)> = expected
        .iter()
        .map(|(name, line, lines)| ((*name).to_owned(), *line, *lines))
        .collect();
    assert_eq!(found, expected, "{code}");
}

#[test]
fn traits_are_read_with_their_methods() {
    let found = traits(
        "pub trait Store:\n    A\n    + B\n{\n}\npub trait A: Send {\n    async fn one(&self, s: &S) -> R<(), E>;\n\
         \x20   async fn two(\n        &self,\n        w: W<C>,\n    ) -> R<A<()>, E>;\n}\n",
    );
    assert_eq!(
        (found[0].name.as_str(), found[0].supertraits.as_str()),
        ("Store", "A + B")
    );
    let methods: Vec<String> = found[1]
        .methods
        .iter()
        .map(|(name, parameters)| format!("{name}({parameters}"))
        .collect();
    assert_eq!(methods, ["one(&self, s: &S)", "two(&self, w: W<C>, )"]);
}

#[test]
fn imports_are_read_with_their_branches() {
    let found = imports("use crate::{\n    a::{self, B as C},\n    d,\n};\npub(crate) use e::F;\n");
    let shown: Vec<String> = found
        .iter()
        .map(|(path, name, public)| format!("{} {name} {public}", path.join("::")))
        .collect();
    assert_eq!(
        shown,
        [
            "crate::a a false",
            "crate::a::B C false",
            "crate::d d false",
            "e::F F true"
        ]
    );
}
