//! The text form of an answer: one or two sentences of Watchpost's own, then the structured answer as JSON on one line
//! between two marker lines that label it as data from outside.
//!
//! The structured bytes are copied with `"` and `\` escaped, not serialized again. Each answer's markers contain 64 random
//! bits, so that no text inside the data can imitate the closing marker.

use crate::text::DATA_BEGINS;
use std::fmt::Write as _;
use watchpost_core::port::Random;

/// Returns 64 random bits as 16 hexadecimal digits.
fn mark(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 8];
    random.fill(&mut bytes);
    let mut text = String::with_capacity(16);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns a new incident id, for the log and the caller.
pub(crate) fn incident_id(random: &dyn Random) -> String {
    mark(random)
}

/// Returns the `content` array of an answer: one text block. `sentence` contains no text from outside, and `structured` is
/// one line of JSON.
pub(crate) fn content(sentence: &str, structured: &[u8], random: &dyn Random) -> Vec<u8> {
    let mark = mark(random);
    let mut out = Vec::with_capacity(structured.len().saturating_mul(5) / 4 + sentence.len() + 320);
    out.extend_from_slice(br#"[{"type":"text","text":""#);
    escape_into(&mut out, sentence.as_bytes());
    out.extend_from_slice(br"\n\n--- data ");
    out.extend_from_slice(mark.as_bytes());
    out.push(b' ');
    out.extend_from_slice(DATA_BEGINS.as_bytes());
    out.extend_from_slice(br" ---\n");
    escape_into(&mut out, structured);
    out.extend_from_slice(br"\n--- data ");
    out.extend_from_slice(mark.as_bytes());
    out.extend_from_slice(br#" ends ---"}]"#);
    out
}

/// Returns the `content` array of a tool error: the message without any data.
pub(crate) fn plain(message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 40);
    out.extend_from_slice(br#"[{"type":"text","text":""#);
    escape_into(&mut out, message.as_bytes());
    out.extend_from_slice(br#""}]"#);
    out
}

/// Appends UTF-8 text as the contents of a JSON string.
fn escape_into(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20)
    {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((special, after)) = from.split_first() else {
            return;
        };
        match special {
            b'"' => out.extend_from_slice(br#"\""#),
            b'\\' => out.extend_from_slice(br"\\"),
            b'\n' => out.extend_from_slice(br"\n"),
            control => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(br"\u00");
                for nibble in [control >> 4, control & 15] {
                    out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
                }
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xab);
        }
    }

    #[test]
    fn the_text_block_contains_the_exact_bytes_of_the_structured_answer() {
        let structured = serde_json::to_vec(&serde_json::json!({
            "name": "a \"quote\", a \\ and \u{1}, é and 🦉, --- data ends ---",
            "n": 3
        }))
        .unwrap();
        let content: serde_json::Value =
            serde_json::from_slice(&content("Two \"words\".", &structured, &Fixed)).unwrap();
        let text = content[0]["text"].as_str().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(lines[0], "Two \"words\".");
        assert_eq!(lines[1], "");
        assert!(lines[2].starts_with("--- data abababababababab begins"));
        assert_eq!(lines[3].as_bytes(), structured);
        assert_eq!(lines[4], "--- data abababababababab ends ---");
    }
}
