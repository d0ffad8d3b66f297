//! Repairs the text of messages from clients that write it almost right.

/// Removes a byte order mark, and replaces each surrogate without its other half with U+FFFD. Returns `None` if there is
/// neither. The server does this itself; it is for programs that forward messages to it.
pub fn repair(body: &[u8]) -> Option<Vec<u8>> {
    let unmarked = body.get(byte_order_mark(body)..).unwrap_or_default();
    let replaced = replace_unpaired_surrogates(unmarked);
    replaced.or_else(|| (unmarked.len() < body.len()).then(|| unmarked.to_vec()))
}

/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the number of bytes of a byte order mark at the start of `body`. Shells and editors on Windows write
/// one before the first message.
pub(crate) fn byte_order_mark(body: &[u8]) -> usize {
    if body.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    }
}

/// Replaces each surrogate without its other half, escaped or raw, with U+FFFD. Returns `None` if there is none.
/// Text that was cut in the middle of a character contains them: JavaScript escapes such a half, and some writers
/// encode it as three bytes that aren't valid UTF-8. Each replacement is as long as what it replaces, so
/// that positions stay the same.
pub(crate) fn replace_unpaired_surrogates(body: &[u8]) -> Option<Vec<u8>> {
    let mut repaired: Option<Vec<u8>> = None;
    let mut replace = |at: usize, text: &[u8]| {
        let whole = repaired.get_or_insert_with(|| body.to_vec());
        if let Some(part) = whole.get_mut(at..at.saturating_add(text.len())) {
            part.copy_from_slice(text);
        }
    };
    let mut at = 0_usize;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let step = match rest {
            [b'\\', b'u', ..] => match (escaped(rest), rest.get(6..).and_then(escaped)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (Some(0xd800..=0xdfff), _) => {
                    replace(at, br"\ufffd");
                    6
                }
                _ => 2,
            },
            [b'\\', ..] => 2,
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => {
                replace(at, "\u{fffd}".as_bytes());
                3
            }
            _ => 1,
        };
        at = at.saturating_add(step);
    }
    repaired
}

/// Returns the code unit of an escape such as `\ud83d` at the start of `text`.
fn escaped(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &[u8], expected: Option<&[u8]>) {
        assert_eq!(
            replace_unpaired_surrogates(body).as_deref(),
            expected,
            "{}",
            body.escape_ascii()
        );
    }

    #[test]
    fn only_unpaired_surrogates_are_replaced() {
        check(br#""plain""#, None);
        check(br#""\ud83d\ude00""#, None);
        check(br#""\ud83d""#, Some(br#""\ufffd""#));
        check(br#""\uDE00\uD83D""#, Some(br#""\ufffd\ufffd""#));
        check(br#""\ud83d\ud83d\ude00""#, Some(br#""\ufffd\ud83d\ude00""#));
        check(br#""\ud83d\n\ude00""#, Some(br#""\ufffd\n\ufffd""#));
        check(b"\"\xed\xa0\xbd\"", Some("\"\u{fffd}\"".as_bytes()));
        check("\"\u{d7ff}\u{e000}\"".as_bytes(), None);
    }

    #[test]
    fn an_escaped_backslash_starts_no_escape() {
        check(br#""\\ud83d""#, None);
        check(br#""\\\ud83d""#, Some(br#""\\\ufffd""#));
        check(br#""\u12""#, None);
        check(br"\u", None);
        check(br"\", None);
    }
}
