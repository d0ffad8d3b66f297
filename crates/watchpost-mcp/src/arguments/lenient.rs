//! Arguments as models and clients write them: what is meant is certain, although it isn't what the schema asks for.

use super::Arguments;
use crate::{error::Failure, text::arguments as messages};
use serde_json::{Map, Value};

/// The maximum number of characters of an unknown argument's name that an answer repeats.
const ECHOED_NAME_MAX: usize = 64;
/// The maximum number of unknown arguments that an answer names.
const ECHOED_NAMES_MAX: usize = 5;

/// The treatment of arguments that a tool doesn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownArguments {
    /// They are left out, and the answer says so. For queries: clients add arguments of their own to every call.
    Ignore,
    /// The call is refused. For actions: an argument that was meant to limit a change must not be lost.
    Refuse,
}

/// Reads the arguments of a call into an object that has the names of `I`. Members that are `null` or an empty string are
/// absent: many clients send every optional argument. Returns also the names of the arguments that were left out, cleaned.
pub(super) fn read<I: Arguments>(
    tool: &str,
    raw: Option<&str>,
    unknown: UnknownArguments,
) -> Result<(Map<String, Value>, Vec<String>), Failure> {
    let given = match serde_json::from_str(raw.unwrap_or("{}")) {
        Ok(Value::Object(given)) => given,
        Ok(Value::Null) => Map::new(),
        Ok(_) => return Err(Failure::invalid(messages::not_an_object(tool))),
        Err(_) => return Err(Failure::invalid(messages::not_json(tool))),
    };
    let (mut known, mut others) = (Map::new(), Map::new());
    for (name, value) in given {
        let is_known = I::FIELDS.contains(&name.as_str());
        if is_known { &mut known } else { &mut others }.insert(name, value);
    }
    let mut ignored = Vec::new();
    for (name, value) in others {
        let plain = snake_case(&name);
        match I::FIELDS.iter().find(|field| **field == plain) {
            Some(field) if !known.contains_key(*field) => {
                known.insert((*field).to_owned(), value);
            }
            _ if unknown == UnknownArguments::Refuse => {
                let mut allowed = I::FIELDS.to_vec();
                allowed.sort_unstable();
                return Err(Failure::invalid(messages::unknown_argument(
                    &cleaned(&name),
                    tool,
                    &allowed,
                )));
            }
            _ if ignored.len() < ECHOED_NAMES_MAX => ignored.push(cleaned(&name)),
            _ => {}
        }
    }
    known.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    Ok((known, ignored))
}

/// Returns the name of an argument in the form of the input structs: `findingId` and `Finding-Id` are `finding_id`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len().saturating_add(4));
    let mut follows_lower = false;
    for c in name.chars() {
        match c {
            '-' | ' ' => out.push('_'),
            _ => {
                if c.is_ascii_uppercase() && follows_lower {
                    out.push('_');
                }
                out.push(c.to_ascii_lowercase());
            }
        }
        follows_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    out
}

/// Returns the name of an unknown argument without anything that could be read as more than a name.
fn cleaned(name: &str) -> String {
    name.chars()
        .take(ECHOED_NAME_MAX)
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-.".contains(c) {
                c
            } else {
                '?'
            }
        })
        .collect()
}

/// Returns a word of a closed list in the form of the list: in lower case, with `_` for `-` and spaces.
pub(crate) fn word(text: &str) -> String {
    text.trim().to_ascii_lowercase().replace(['-', ' '], "_")
}

/// Returns the values of a list that was written as text: as JSON, or separated by commas. `None` if it isn't valid JSON.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    Some(parts.map(str::to_owned).collect())
}

/// Removes what surrounds an email address in a mail, a web page or a formatted text: `mailto:`, angle brackets after a
/// name, quotes, and the marks of Markdown. Text without an address loses only its quotes and marks.
pub(crate) fn address(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let inner = unwrapped(text).trim();
        if inner.len() == text.len() || inner.is_empty() {
            return text;
        }
        text = inner;
    }
}

const WRAPPERS: &[(&str, &str)] = &[
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("<", ">"),
    ("(", ")"),
    ("\u{201c}", "\u{201d}"),
    ("\u{2018}", "\u{2019}"),
    ("\u{201e}", "\u{201c}"),
    ("\u{ab}", "\u{bb}"),
];

/// Removes the outermost of what surrounds an address.
fn unwrapped(text: &str) -> &str {
    for (open, close) in WRAPPERS {
        if let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close))
            && !inner.contains(close)
        {
            return inner;
        }
    }
    // A link in Markdown: the text, unless only the target is an address.
    if let Some((label, target)) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.split_once("]("))
    {
        return if label.contains('@') || !target.contains('@') {
            label
        } else {
            target
        };
    }
    // A name before an address, as in the header of a mail.
    if let Some((_, inner)) = text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'))
        && inner.contains('@')
    {
        return inner;
    }
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => {
            let rest = text.get(7..).unwrap_or_default();
            rest.split_once('?').map_or(rest, |(address, _)| address)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_an_address_is_removed() {
        for text in [
            "mara.holt@example.com",
            " mara.holt@example.com\n",
            "mailto:mara.holt@example.com",
            "MailTo:mara.holt@example.com?subject=Hello",
            "<mara.holt@example.com>",
            "<mailto:mara.holt@example.com>",
            "Mara Holt <mara.holt@example.com>",
            "\"Holt, Mara\" <mara.holt@example.com>",
            "\"mara.holt@example.com\"",
            "'mara.holt@example.com'",
            "`mara.holt@example.com`",
            "**mara.holt@example.com**",
            "“mara.holt@example.com”",
            "[mara.holt@example.com](mailto:mara.holt@example.com)",
            "[Mara](mailto:mara.holt@example.com)",
            "**[`mara.holt@example.com`](mailto:mara.holt@example.com)**",
        ] {
            assert_eq!(address(text), "mara.holt@example.com", "{text}");
        }
        for (text, expected) in [
            ("Ledgerly", "Ledgerly"),
            ("\"Ledgerly\"", "Ledgerly"),
            ("Rock 'n' Roll", "Rock 'n' Roll"),
            ("'a' or 'b'", "'a' or 'b'"),
            ("\"", "\""),
            ("\"\"", "\"\""),
            ("a > b", "a > b"),
            ("mailto:", "mailto:"),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_compared_in_one_form() {
        for name in ["finding_id", "findingId", "FindingId", "finding-id", "Finding_Id"] {
            assert_eq!(snake_case(name), "finding_id", "{name}");
        }
    }

    #[test]
    fn a_list_can_be_written_as_text() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let expected = expected.map(|list| list.iter().map(|&word| word.to_owned()).collect());
            assert_eq!(list(text), expected, "{text}");
        };
        check("high", Some(&["high"]));
        check("critical, high,", Some(&["critical", "high"]));
        check(r#"["critical","high"]"#, Some(&["critical", "high"]));
        check("[]", Some(&[]));
        check(r#"["critical""#, None);
        check("[1]", None);
    }
}
