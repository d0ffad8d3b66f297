//! Reads the texts of Rego files, Markdown pages and HTML templates.

use super::{Kind, Text};

fn text(path: &str, line: usize, kind: Kind, text: impl Into<String>) -> Text {
    Text {
        path: path.to_owned(),
        line,
        kind,
        text: text.into(),
    }
}

/// Returns the texts of a Rego file: the prose in METADATA, other comments, and strings.
pub(super) fn rego(path: &str, source: &str) -> Vec<Text> {
    /// Fields of METADATA whose value is prose.
    const PROSE: &[&str] = &[
        "title",
        "description",
        "remediation",
        "rationale",
        "note",
        "limitation",
        "limits",
        "default_value",
    ];
    let mut out: Vec<Text> = Vec::new();
    let mut metadata = false;
    let mut prose = false;
    for (index, line) in source.lines().enumerate() {
        let number = index + 1;
        let trimmed = line.trim_start();
        let Some(comment) = trimmed.strip_prefix('#') else {
            metadata = false;
            out.extend(
                rego_strings(line)
                    .into_iter()
                    .map(|string| text(path, number, Kind::Policy, string)),
            );
            continue;
        };
        let comment = comment.strip_prefix(' ').unwrap_or(comment);
        if comment.trim() == "METADATA" {
            (metadata, prose) = (true, false);
            continue;
        }
        if !metadata {
            out.push(text(path, number, Kind::Comment, comment));
            continue;
        }
        let field = comment
            .split_once(':')
            .filter(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let value = if let Some((name, value)) = field {
            prose = PROSE.contains(&name);
            if prose {
                out.push(text(path, number, Kind::Metadata, ""));
            }
            value.trim().trim_start_matches(">-").trim_start_matches('|')
        } else {
            comment
        };
        if !prose {
            continue;
        }
        let value = value.trim();
        let (is_item, value) = match value.strip_prefix("- ") {
            Some(item) => (true, item),
            None => (false, value),
        };
        let value = value.trim_matches('"');
        if value.is_empty() {
            continue;
        }
        match out.last_mut() {
            Some(last) if !is_item && last.kind == Kind::Metadata => {
                if !last.text.is_empty() {
                    last.text.push('\n');
                }
                last.text.push_str(value);
            }
            _ => out.push(text(path, number, Kind::Metadata, value)),
        }
    }
    out.retain(|text| !text.text.is_empty());
    out
}

/// Returns the strings in a line of Rego.
fn rego_strings(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find(['"', '`', '#']) {
        let sign = rest.as_bytes()[open];
        if sign == b'#' {
            break;
        }
        let body = &rest[open + 1..];
        let mut end = body.len();
        let mut escaped = false;
        for (at, byte) in body.bytes().enumerate() {
            if byte == sign && !escaped {
                end = at;
                break;
            }
            escaped = sign == b'"' && byte == b'\\' && !escaped;
        }
        out.push(body[..end].replace("\\\"", "\""));
        rest = body.get(end + 1..).unwrap_or_default();
    }
    out
}

/// Returns the paragraphs of a Markdown page, without fenced code.
pub(super) fn markdown(path: &str, source: &str) -> Vec<Text> {
    let mut out: Vec<Text> = Vec::new();
    let mut fenced = false;
    let mut open = false;
    for (index, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            open = false;
            continue;
        }
        if fenced || line.trim().is_empty() {
            open = false;
            continue;
        }
        let line = line.trim();
        let begins = line.starts_with(['#', '|', '-', '*', '>'])
            || line
                .split_once(". ")
                .is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        match out.last_mut() {
            Some(last) if open && !begins => {
                last.text.push('\n');
                last.text.push_str(line);
            }
            _ => out.push(text(path, index + 1, Kind::Document, line)),
        }
        open = true;
    }
    out
}

/// Returns the texts between the tags of an HTML template, and those of `title`, `alt` and `aria-label` attributes.
pub(super) fn template(path: &str, source: &str) -> Vec<Text> {
    let mut out = Vec::new();
    let mut inside = String::new();
    let mut line = 1;
    let mut start = 1;
    let mut rest = source;
    let flush = |inside: &mut String, start: usize, out: &mut Vec<Text>| {
        let words = inside.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().any(char::is_alphabetic) {
            out.push(text(path, start, Kind::Template, words));
        }
        inside.clear();
    };
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("{#") {
            rest.find("#}").map(|end| end + 2)
        } else if rest.starts_with("{{") {
            rest.find("}}").map(|end| end + 2)
        } else if rest.starts_with("{%") {
            rest.find("%}").map(|end| end + 2)
        } else if rest.starts_with('<') {
            rest.find('>').map(|end| end + 1)
        } else {
            None
        };
        let Some(length) = skipped else {
            if inside.trim().is_empty() {
                start = line;
            }
            inside.push(c);
            line += usize::from(c == '\n');
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let part = &rest[..length];
        if part.starts_with("{{") {
            if inside.trim().is_empty() {
                start = line;
            }
            inside.push_str("{}");
        } else if part.starts_with("{%") {
            flush(&mut inside, start, &mut out);
            out.extend(
                rego_strings(part)
                    .into_iter()
                    .map(|string| text(path, line, Kind::Template, string)),
            );
        } else if let Some(tag) = part.strip_prefix('<') {
            let name = tag
                .trim_start_matches('/')
                .split(|c: char| !c.is_alphanumeric())
                .next();
            if !["a", "b", "code", "em", "i", "span", "strong"].contains(&name.unwrap_or_default()) {
                flush(&mut inside, start, &mut out);
            }
            for attribute in ["alt=\"", "aria-label=\"", " title=\""] {
                if let Some((_, value)) = part.split_once(attribute) {
                    let value = value.split('"').next().unwrap_or_default();
                    out.push(text(path, line, Kind::Template, value));
                }
            }
        }
        line += part.matches('\n').count();
        rest = &rest[length..];
    }
    flush(&mut inside, start, &mut out);
    out.retain(|text| text.text.chars().any(char::is_alphabetic));
    out
}

#[test]
fn texts_of_other_files_are_read() {
    let shown = |texts: Vec<Text>| -> Vec<(usize, Kind, String)> {
        texts
            .into_iter()
            .map(|text| (text.line, text.kind, text.text))
            .collect()
    };
    let source = "# METADATA\n# title: A title\n# description: >-\n#   Two\n#   lines.\n# scan: exposure\n# remediation:\n\
                  #   - \"Do this.\"\n#   - \"Then: that.\"\npackage a\n\n# A comment.\nx := lib.failed(\"It \\\"failed\\\"\", {\"k\": 1})\n";
    assert_eq!(
        shown(rego("a.rego", source)),
        [
            (2, Kind::Metadata, "A title".to_owned()),
            (3, Kind::Metadata, "Two\nlines.".to_owned()),
            (8, Kind::Metadata, "Do this.".to_owned()),
            (9, Kind::Metadata, "Then: that.".to_owned()),
            (12, Kind::Comment, "A comment.".to_owned()),
            (13, Kind::Policy, "It \"failed\"".to_owned()),
            (13, Kind::Policy, "k".to_owned()),
        ]
    );
    let source = "# Title\n\nOne\nparagraph.\n- item\n  goes on\n\n```sh\ncode\n```\n| a | b |\n";
    assert_eq!(
        shown(markdown("a.md", source)),
        [
            (1, Kind::Document, "# Title".to_owned()),
            (3, Kind::Document, "One\nparagraph.".to_owned()),
            (5, Kind::Document, "- item\ngoes on".to_owned()),
            (11, Kind::Document, "| a | b |".to_owned()),
        ]
    );
    let source = "<h1 title=\"Tip\">Big <b>words</b></h1>\n{% call f(\"Results\") %}\n<p>{{ n }} of {{ m }}\nchecks</p>{# no #}";
    assert_eq!(
        shown(template("a.html", source)),
        [
            (1, Kind::Template, "Tip".to_owned()),
            (1, Kind::Template, "Big words".to_owned()),
            (2, Kind::Template, "Results".to_owned()),
            (3, Kind::Template, "{} of {} checks".to_owned()),
        ]
    );
}
