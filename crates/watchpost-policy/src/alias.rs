//! Replaces imported rules by their full names before a module is compiled.
//!
//! The engine reads `lib.who` as the field `who` of the whole document `data.watchpost.lib`, so it evaluates every rule
//! of the library each time. `data.watchpost.lib.who` evaluates only that rule. Calls of functions don't have this
//! problem. Line numbers stay the same, so that errors name the right line.

use std::borrow::Cow;

/// An import: the alias in its file and the full path (`data.…`).
struct Import<'a> {
    alias: &'a str,
    path: &'a str,
}

/// Returns the text with every `alias.rule` replaced by `data.….rule`.
pub(crate) fn expand_imports(text: &str) -> Cow<'_, str> {
    let imports: Vec<Import<'_>> = text.lines().filter_map(import).collect();
    if imports.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    let mut rest = text;
    // The character before `rest`: after a dot, a name is a field.
    let mut before = '\n';
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => quoted(rest),
            '`' => raw(rest),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if is_name(first) => {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if before != '.'
                    && let Some(import) = imports.iter().find(|import| import.alias == word)
                    && names_a_rule(after)
                {
                    out.push_str(import.path);
                } else {
                    out.push_str(word);
                }
                before = 'a';
                rest = after;
                continue;
            }
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(taken);
        out.push_str(token);
        before = token.chars().next_back().unwrap_or(before);
        rest = after;
    }
    Cow::Owned(out)
}

/// Parses `import data.a.b` and `import data.a.b as c`.
fn import(line: &str) -> Option<Import<'_>> {
    let mut words = line.strip_prefix("import ")?.split_whitespace();
    let path = words.next().filter(|path| path.starts_with("data."))?;
    let alias = match (words.next(), words.next()) {
        (None, _) => path.rsplit('.').next()?,
        (Some("as"), Some(alias)) => alias,
        _ => return None,
    };
    let plain = path.chars().all(|c| is_name(c) || c == '.') && alias.chars().all(is_name);
    plain.then_some(Import { alias, path })
}

/// Whether `after` starts with a field that is not called: `.name`, but not `.name(`.
fn names_a_rule(after: &str) -> bool {
    let Some(field) = after.strip_prefix('.') else {
        return false;
    };
    let end = field.find(|c| !is_name(c)).unwrap_or(field.len());
    let (name, next) = field.split_at(end);
    !name.is_empty() && !next.starts_with('(')
}

/// Returns the length in bytes of the quoted string that `rest` begins with.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\n' => return at.saturating_add(c.len_utf8()),
            _ => {}
        }
    }
    rest.len()
}

/// Returns the length in bytes of the raw string that `rest` begins with.
fn raw(rest: &str) -> usize {
    rest.char_indices()
        .skip(1)
        .find(|(_, c)| *c == '`')
        .map_or(rest.len(), |(at, _)| at.saturating_add(1))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "package p\n\nimport data.watchpost.lib\nimport data.a.b as c\nimport rego.v1\n\n";

    fn check(body: &str, expected: &str) {
        let text = format!("{HEAD}{body}");
        assert_eq!(expand_imports(&text), format!("{HEAD}{expected}"), "{body}");
    }

    #[test]
    fn rules_are_expanded_and_calls_are_not() {
        check("x := lib.who", "x := data.watchpost.lib.who");
        check(
            "x := [lib.who, c.d.e[0]]",
            "x := [data.watchpost.lib.who, data.a.b.d.e[0]]",
        );
        check(
            "x := lib.failed(lib.who, c.f(1))",
            "x := lib.failed(data.watchpost.lib.who, c.f(1))",
        );
    }

    #[test]
    fn text_that_only_looks_like_an_import_is_unchanged() {
        for same in [
            "x := data.watchpost.lib.who",
            "x := input.lib.who",
            "x := \"lib.who \\\" lib.who\"",
            "x := `lib.who \\`",
            "# lib.who\n",
            "x := mylib.who + lib_.who",
            "x := lib",
            "x := \"never ends lib.who",
        ] {
            check(same, same);
        }
        assert_eq!(
            expand_imports("package p\n\nx := lib.who\n"),
            "package p\n\nx := lib.who\n"
        );
    }

    #[test]
    fn imports_after_strings_are_expanded() {
        check(
            "x := [\"é lib.who\", `ü`, lib.who] # lib.who\ny := c.d",
            "x := [\"é lib.who\", `ü`, data.watchpost.lib.who] # lib.who\ny := data.a.b.d",
        );
    }
}
