//! Writes imported rules out by their full names before a module is compiled.
//!
//! The machine reads `lib.who` as "the whole document `data.watchpost.lib`, and of it `who`", so it evaluates every rule
//! of the library, each time. `data.watchpost.lib.who` is a call of that one rule. Calls of functions are fine as they
//! are. Lines stay where they are, so that errors name the right one.

use std::borrow::Cow;

/// An import: the name that it goes by in its file, and what it stands for (`data.…`).
struct Import<'a> {
    alias: &'a str,
    path: &'a str,
}

/// The text with `alias.rule` written as `data.….rule`.
pub(crate) fn written_out(text: &str) -> Cow<'_, str> {
    let imports: Vec<Import<'_>> = text.lines().filter_map(import).collect();
    if imports.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_mul(2));
    let mut rest = text;
    // What stands before `rest`: a name goes on after a letter, and is a field after a dot.
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

/// `import data.a.b` and `import data.a.b as c`.
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

/// Whether a field follows that is not called: `.name`, but not `.name(`.
fn names_a_rule(after: &str) -> bool {
    let Some(field) = after.strip_prefix('.') else {
        return false;
    };
    let end = field.find(|c| !is_name(c)).unwrap_or(field.len());
    let (name, next) = field.split_at(end);
    !name.is_empty() && !next.starts_with('(')
}

/// Bytes of the text in quotes that `rest` begins with.
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

/// Bytes of the raw text that `rest` begins with.
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
        assert_eq!(written_out(&text), format!("{HEAD}{expected}"), "{body}");
    }

    #[test]
    fn rules_are_written_out_and_calls_are_not() {
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
    fn what_only_looks_like_an_import_stays() {
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
            written_out("package p\n\nx := lib.who\n"),
            "package p\n\nx := lib.who\n"
        );
    }

    #[test]
    fn what_follows_text_is_written_out_again() {
        check(
            "x := [\"é lib.who\", `ü`, lib.who] # lib.who\ny := c.d",
            "x := [\"é lib.who\", `ü`, data.watchpost.lib.who] # lib.who\ny := data.a.b.d",
        );
    }
}
