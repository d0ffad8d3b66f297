//! The sentences in documents of each format.

use super::DATA;
use serde_json::Value;

/// The texts in the content of a resource.
pub(super) fn texts(uri: &str, content: &str) -> Vec<String> {
    let path = uri.split('?').next().unwrap_or(uri);
    if path.ends_with(".md") {
        markdown(content.lines())
    } else if path.ends_with(".html") {
        html(content)
    } else if path.ends_with(".csv") {
        csv(content)
    } else if path.ends_with(".jsonl") {
        content.lines().flat_map(json).collect()
    } else {
        json(content)
    }
}

/// Checks that a report for a board has no ids and no JSON, code spans included.
pub(super) fn assert_board(uri: &str, content: &str) {
    let is_document = uri.contains("-executive.md") || uri.contains("-executive.html");
    if !is_document {
        return;
    }
    for line in content
        .lines()
        .filter(|line| !line.contains("Content-Security-Policy"))
    {
        let words = line.split(|edge: char| !edge.is_ascii_alphanumeric() && edge != '-');
        for word in words {
            let parts: Vec<usize> = word.split('-').map(str::len).collect();
            let is_hex = word.chars().all(|one| one.is_ascii_hexdigit() || one == '-');
            assert!(!(is_hex && parts == [8, 4, 4, 4, 12]), "{uri}: an id: {line}");
        }
        for mark in ["{\"", "&quot;:", "{&#34;", "&#34;:"] {
            assert!(!line.contains(mark), "{uri}: JSON: {line}");
        }
    }
}

/// The lines and cells of a Markdown text, without its marks and its blocks of code.
pub(super) fn markdown<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut out = Vec::new();
    let mut in_code = false;
    for line in lines {
        if line.starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        let line = unescaped(line.trim_start_matches(['#', '>', '-', ' ']));
        if line.starts_with('|') {
            let cells = line.trim_matches('|').split(" | ");
            out.extend(
                cells
                    .map(|cell| cell.trim().to_owned())
                    .filter(|cell| is_text(cell)),
            );
        } else {
            out.push(line.replace("**", ""));
        }
    }
    out
}

/// A line without the backslashes before marks.
fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line.chars().peekable();
    while let Some(one) = rest.next() {
        if one == '\\' && rest.peek().is_some_and(char::is_ascii_punctuation) {
            continue;
        }
        out.push(one);
    }
    out
}

/// The texts of a page: those between the tags of blocks, without styles, drawings and code.
fn html(page: &str) -> Vec<String> {
    const HIDDEN: &[&str] = &["style", "svg", "pre", "code"];
    const INLINE: &[&str] = &["b", "a", "span", "i", "em", "strong"];
    let mut out = vec![String::new()];
    let mut hidden: Option<&str> = None;
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        let is_end = tag.starts_with('/');
        match hidden {
            Some(element) if is_end && element == name => hidden = None,
            Some(_) => continue,
            None if !is_end => hidden = HIDDEN.iter().copied().find(|element| *element == name),
            None => {}
        }
        if hidden.is_some() {
            if name == "code"
                && let Some(last) = out.last_mut()
            {
                last.push('\u{25a1}');
            }
            continue;
        }
        // Badges are separated by their style.
        let is_inline = INLINE.contains(&name) || name == "code";
        if !is_inline
            || tag.contains("class=\"chip")
            || tag.contains("class=\"id\"")
            || tag.contains("class=\"where\"")
        {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.push_str(&text.replace('\n', " "));
        }
    }
    out.iter()
        .map(|text| {
            let text = text
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#34;", "\"")
                .replace("&#39;", "'")
                .replace("&#38;", "&")
                .replace("&amp;", "&");
            text.trim().to_owned()
        })
        .filter(|text| is_text(text))
        .collect()
}

/// The cells of a table that are texts.
fn csv(table: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    // Two quotes within quotes are one.
    let table = table.replace("\"\"", "\u{201d}");
    for one in table.chars() {
        match one {
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => cells.push(String::new()),
            other => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(other);
                }
            }
        }
    }
    cells.retain(|cell| is_text(cell) && !cell.starts_with(['{', '[']));
    cells
}

/// The strings in a JSON text that are texts.
fn json(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    collect(&serde_json::from_str(text).unwrap_or(Value::Null), &mut out);
    out
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) if is_text(text) && !text.starts_with(['{', '[']) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if !DATA.contains(&name.as_str()) {
                    collect(value, out);
                }
            }
        }
        _ => {}
    }
}

/// Whether a text has at least three words.
fn is_text(text: &str) -> bool {
    text.split_whitespace().count() > 2
}

/// Whether a text contains a command or a request, which has its own words and marks.
pub(super) fn is_command(text: &str) -> bool {
    [
        "PowerShell",
        "PATCH ",
        "Set-",
        "New-",
        "Update-",
        "Connect-",
        "@{",
        "$true",
        "$false",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}
