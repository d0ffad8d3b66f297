//! Escaping of foreign text for Markdown and spreadsheets.

use std::borrow::Cow;

/// Escapes text for one line of Markdown, so that no part of it becomes a heading, list, table cell, link, image, tag or
/// emphasis.
pub(crate) fn markdown(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len().saturating_add(8));
    let mut line_start = true;
    let mut digits = false;
    let mut last = ' ';
    for c in raw.chars() {
        let c = if c.is_control() { ' ' } else { c };
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!' => true,
            // `_word_` is emphasis, `snake_case` is not.
            '_' => !last.is_alphanumeric(),
            // Some viewers turn bare addresses into links.
            '/' => last == ':',
            '.' => digits || ends_www(&out),
            ')' => digits,
            '+' | '-' | '=' | ':' => line_start,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        digits = c.is_ascii_digit() && (line_start || digits);
        line_start = line_start && c == ' ';
        last = c;
    }
    out
}

fn ends_www(out: &str) -> bool {
    out.len()
        .checked_sub(3)
        .and_then(|at| out.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Formats text as inline code on one line. The fence is longer than any run of backticks in the text. `in_table` also
/// escapes the separators of cells.
pub(crate) fn code(raw: &str, in_table: bool) -> String {
    let one_line: String = raw
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let fence = "`".repeat(longest_run(&one_line).saturating_add(1));
    let text = if in_table {
        Cow::Owned(one_line.replace('|', "\\|"))
    } else {
        Cow::Borrowed(one_line.as_str())
    };
    let pad = if one_line.starts_with('`') || one_line.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Formats text as a block of code.
pub(crate) fn code_block(raw: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(raw).saturating_add(1).max(3));
    format!("{fence}{language}\n{raw}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0_usize;
    let mut run = 0_usize;
    for c in text.chars() {
        run = if c == '`' { run.saturating_add(1) } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Returns the first `max` characters, with `…` appended if the text is longer.
pub(crate) fn clipped(raw: &str, max: usize) -> Cow<'_, str> {
    match raw.char_indices().nth(max) {
        Some((at, _)) => Cow::Owned(format!("{}…", raw.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_has_no_markdown() {
        let check = |raw: &str, expected: &str| assert_eq!(markdown(raw), expected, "{raw}");
        check("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>");
        check("![x](https://a.example)", "\\!\\[x\\](https:\\//a.example)");
        check("*bold* _it_ snake_case", "\\*bold\\* \\_it_ snake_case");
        check("- item", "\\- item");
        check("1. item", "1\\. item");
        check("a | b\nc", "a \\| b c");
        check("# no heading", "\\# no heading");
        check("www.evil.example", "www\\.evil.example");
        check("It was 3.5 of 4.", "It was 3.5 of 4.");
    }

    #[test]
    fn code_may_contain_backticks() {
        assert_eq!(code("a`b``c", false), "```a`b``c```");
        assert_eq!(code("`x", false), "`` `x ``");
        assert_eq!(code("a|b", true), "`a\\|b`");
        assert_eq!(code_block("```\nx", "json"), "````json\n```\nx\n````");
    }
}
