//! Text written outside of Watchpost.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt};
use unicode_normalization::UnicodeNormalization;

/// A string written by a vendor or an outside person: a display name, an app's name, or a title made of such
/// names.
///
/// It is data, never instructions. It can be created only by cleaning and truncating a string. It implements
/// neither `Display` nor `Deref`, so it can't get into an error, a log line or a description unnoticed. It leaves
/// Watchpost as a JSON string, through the fence of the MCP server, or through a template's escaper.
/// [`ForeignText::untrusted`] is the only access to its characters and easy to search for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ForeignText(Box<str>);

/// Maximum length of a name, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Maximum length of a sentence (a finding's title, a reason), in characters.
pub const SENTENCE_CHARS_MAX: usize = 600;
/// Maximum length of a description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 4_000;

impl ForeignText {
    /// Cleans a name as [`ForeignText::clean`] does, to at most [`NAME_CHARS_MAX`] characters.
    pub fn name(raw: &str) -> Self {
        Self::clean(raw, NAME_CHARS_MAX)
    }

    /// Cleans a sentence as [`ForeignText::clean`] does, to at most [`SENTENCE_CHARS_MAX`] characters.
    pub fn sentence(raw: &str) -> Self {
        Self::clean(raw, SENTENCE_CHARS_MAX)
    }

    /// Cleans `raw`: drops control characters, bidirectional overrides, zero-width characters and Unicode tag
    /// characters, collapses white space to single spaces, normalizes the rest to NFC, and truncates it to
    /// `chars_max` characters followed by `…`.
    pub fn clean(raw: &str, chars_max: usize) -> Self {
        if is_plain(raw) && raw.len() <= chars_max {
            return Self(raw.into());
        }
        let mut out = String::with_capacity(raw.len().min(chars_max.saturating_mul(4)));
        let mut chars = 0_usize;
        let mut blank = false;
        // The input is bounded before normalization, which can lengthen text.
        for c in raw
            .chars()
            .take(chars_max.saturating_mul(4))
            .filter(|c| !is_unwanted(*c))
            .nfc()
        {
            if c.is_whitespace() {
                blank = !out.is_empty();
                continue;
            }
            if chars.saturating_add(usize::from(blank)) >= chars_max {
                out.push('…');
                return Self(out.into());
            }
            if blank {
                out.push(' ');
                chars = chars.saturating_add(1);
                blank = false;
            }
            out.push(c);
            chars = chars.saturating_add(1);
        }
        Self(out.into())
    }

    /// Cleans a text of several lines: cleans each line as [`ForeignText::clean`] does, keeps the line breaks,
    /// and truncates the whole to `chars_max` characters.
    pub fn lines(raw: &str, chars_max: usize) -> Self {
        let lines: Vec<Self> = raw.lines().map(|line| Self::clean(line, chars_max)).collect();
        let texts: Vec<&str> = lines.iter().map(Self::untrusted).collect();
        let whole: String = texts.join("\n").chars().take(chars_max).collect();
        Self(whole.into())
    }

    /// Returns the characters. The caller must pass them only into a JSON string value, a fence, an escaper or a
    /// database column.
    pub fn untrusted(&self) -> &str {
        &self.0
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Drops the characters that [`ForeignText::clean`] drops: controls, bidirectional overrides, and zero-width and other
/// invisible characters. Keeps everything else, white space included. For vendors' text that stays within a JSON document,
/// where it must not be shortened or normalized: evidence, detected values, values of settings.
pub fn visible(raw: &str) -> Cow<'_, str> {
    if raw.chars().any(is_unwanted) {
        Cow::Owned(raw.chars().filter(|c| !is_unwanted(*c)).collect())
    } else {
        Cow::Borrowed(raw)
    }
}

/// Returns whether a spreadsheet could take a cell with this text for a formula: whether it begins with one of `=+-@`, also
/// after white space or quotes and in full-width characters, which some spreadsheets and their imports remove or convert.
pub fn is_formula(cell: &str) -> bool {
    let first = cell
        .trim_start_matches(|c: char| {
            c.is_whitespace() || is_unwanted(c) || matches!(c, '"' | '\'' | '“' | '‘' | '＂' | '＇')
        })
        .chars()
        .next();
    matches!(
        first,
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '−')
    ) || cell.starts_with(['\t', '\r', '\n'])
}

/// Formats a cell of a comma-separated table (RFC 4180). An apostrophe is put before text that a spreadsheet would take for a formula.
pub fn csv_cell(raw: &str) -> String {
    let text = if is_formula(raw) {
        Cow::Owned(format!("'{raw}"))
    } else {
        Cow::Borrowed(raw)
    };
    if text.contains([',', '"', '\r', '\n', '\t', ';']) || text.starts_with('\'') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

/// Applies [`visible`] to every string and every key in a JSON value. Keys that become equal get underscores
/// at their end.
pub fn visible_json(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible(text).into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(visible_json).collect()),
        Value::Object(fields) => {
            let mut out = Map::with_capacity(fields.len());
            for (key, inner) in fields {
                let mut key = visible(key).into_owned();
                while out.contains_key(&key) {
                    key.push('_');
                }
                out.insert(key, visible_json(inner));
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// Printable ASCII without double, leading or trailing spaces needs no cleaning; nearly all text is like that.
fn is_plain(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let mut last = b' ';
    for &b in bytes {
        if !(0x20..0x7f).contains(&b) || (b == b' ' && last == b' ') {
            return false;
        }
        last = b;
    }
    bytes.is_empty() || last != b' '
}

fn is_unwanted(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl fmt::Debug for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignText({} bytes)", self.0.len())
    }
}

impl Serialize for ForeignText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_drops_invisible_characters_and_truncates() {
        let check = |raw: &str, expected: &str| {
            assert_eq!(ForeignText::clean(raw, 12).untrusted(), expected, "{raw:?}");
        };
        check("Mara Holt", "Mara Holt");
        check("  Mara \t\r\n Holt  ", "Mara Holt");
        check("Ma\u{202e}ra\u{200b}\u{e0041}", "Mara");
        check("a\0b\u{1b}[31mc", "ab[31mc");
        check("Jose\u{301}", "José");
        check("exactly 12ch", "exactly 12ch");
        check("one longer than", "one longer t…");
        check("مرحبا", "مرحبا");
        check("", "");
    }

    #[test]
    fn no_invisible_character_stays_visible() {
        let mut invisible: Vec<char> = ('\u{202a}'..='\u{202e}').collect();
        invisible.extend('\u{2066}'..='\u{2069}');
        invisible.extend('\u{200b}'..='\u{200f}');
        invisible.extend([
            '\u{61c}',
            '\u{ad}',
            '\u{feff}',
            '\u{e0041}',
            '\u{1d173}',
            '\u{7}',
            '\u{85}',
            '\u{9f}',
        ]);
        for c in invisible {
            let raw = format!("a{c}  b\tc\n");
            assert_eq!(visible(&raw), "a  b\tc\n", "{c:?}");
            assert!(!ForeignText::name(&raw).untrusted().contains(c), "{c:?}");
        }
        assert!(matches!(visible("Zoë 한국어 بلوك 🧬"), Cow::Borrowed(_)));
    }

    #[test]
    fn keys_and_values_of_json_become_visible() {
        let raw = serde_json::json!({"a\u{202e}": [{"b": "\u{2066}c"}, 1, null], "a": true});
        assert_eq!(
            visible_json(&raw),
            serde_json::json!({"a": true, "a_": [{"b": "c"}, 1, null]})
        );
    }

    #[test]
    fn cleaning_is_idempotent_for_text_within_the_limit() {
        for raw in ["a  b", "x\u{feff}y", "ﬁ", " ", "é e\u{301}"] {
            let once = ForeignText::name(raw);
            assert_eq!(ForeignText::name(once.untrusted()), once);
        }
    }

    #[test]
    fn debug_shows_no_characters() {
        assert_eq!(
            format!("{:?}", ForeignText::name("secret")),
            "ForeignText(6 bytes)"
        );
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        let check = |raw: &str, expected: &str| assert_eq!(csv_cell(raw), expected, "{raw}");
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
        check("+1", "\"'+1\"");
        check("-1", "\"'-1\"");
        check("@SUM(A1)", "\"'@SUM(A1)\"");
        check(" =1", "\"' =1\"");
        check("\t=1", "\"'\t=1\"");
        check("\rx", "\"'\rx\"");
        check("\u{a0}=1", "\"'\u{a0}=1\"");
        check("\"=1", "\"'\"\"=1\"");
        check("' =1", "\"'' =1\"");
        for formula in ["＝1", "＋1", "－1", "＠x", " ＝1"] {
            check(formula, &format!("\"'{formula}\""));
        }
        check("\"quoted\"", "\"\"\"quoted\"\"\"");
        check("plain", "plain");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
    }
}
