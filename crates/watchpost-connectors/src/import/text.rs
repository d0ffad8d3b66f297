//! Foreign text as plain text, and the few other things that texts stand for.

use jiff::{civil, tz::TimeZone};
use watchpost_core::{
    import::DETAILS_CHARS_MAX,
    value::{text::ForeignText, time::Timestamp},
};

/// Bytes of a text that are kept.
const TEXT_BYTES_MAX: usize = DETAILS_CHARS_MAX;
/// Bytes of a raw text that are looked at: markup and entities take more room than what they stand for.
const RAW_BYTES_MAX: usize = 64 * 1024;
/// Numbers below are seconds, others milliseconds: the year 1973 in milliseconds, the year 5138 in seconds.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// A text without HTML, its entities decoded, cleaned, and of at most 8 KiB.
pub(super) fn plain(raw: &str) -> ForeignText {
    let raw = clipped(raw, RAW_BYTES_MAX);
    let cleaned = if raw.contains(['<', '&']) {
        ForeignText::clean(&without_html(raw), TEXT_BYTES_MAX)
    } else {
        ForeignText::clean(raw, TEXT_BYTES_MAX)
    };
    if cleaned.untrusted().len() <= TEXT_BYTES_MAX {
        return cleaned;
    }
    // Letters of several bytes: clip once more, by bytes, with room for the mark of clipping.
    let mut out = clipped(cleaned.untrusted(), TEXT_BYTES_MAX.saturating_sub(3)).to_owned();
    out.push('…');
    ForeignText::clean(&out, TEXT_BYTES_MAX)
}

/// A name or title: plain text of at most 200 characters.
pub(super) fn name(raw: &str) -> ForeignText {
    ForeignText::name(plain(raw).untrusted())
}

/// A title: plain text of at most 600 characters.
pub(super) fn title(raw: &str) -> ForeignText {
    ForeignText::sentence(plain(raw).untrusted())
}

/// An id: cleaned and cut, at most `chars` characters.
pub(super) fn id(raw: &str, chars: usize) -> String {
    let cleaned = ForeignText::clean(raw, chars.saturating_mul(2));
    cleaned.untrusted().chars().take(chars).collect()
}

fn clipped(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Drops tags, and what lies in script and style elements; a tag leaves a blank. A `<` that begins no tag stays.
fn without_html(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        decode_into(before, &mut out);
        let inner = tag.get(1..).unwrap_or_default();
        if inner.starts_with("!--") {
            rest = inner
                .find("-->")
                .and_then(|end| inner.get(end..)?.get(3..))
                .unwrap_or_default();
            continue;
        }
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            out.push('<');
            rest = inner;
            continue;
        }
        let Some(end) = inner.find('>') else {
            // A tag that never ends: its text is no text.
            return out;
        };
        out.push(' ');
        rest = inner
            .get(end..)
            .and_then(|from| from.get(1..))
            .unwrap_or_default();
        for element in ["script", "style"] {
            let opens = inner
                .get(..element.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(element));
            if opens {
                let lower = rest.to_ascii_lowercase();
                rest = lower
                    .find(&format!("</{element}"))
                    .and_then(|close| rest.get(close..))
                    .unwrap_or_default();
            }
        }
    }
    decode_into(rest, &mut out);
    out
}

/// Decodes the entities that tools write; others stay.
fn decode_into(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let inner = entity.get(1..).unwrap_or_default();
        let end = inner.bytes().take(10).position(|byte| byte == b';');
        let decoded = end.and_then(|end| {
            let c = entity_char(inner.get(..end)?)?;
            Some((c, inner.get(end..)?.get(1..)?))
        });
        match decoded {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = inner;
            }
        }
    }
    out.push_str(rest);
}

fn entity_char(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" | "mdash" => '–',
        "hellip" => '…',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// A time: RFC 3339, without zone as UTC, or a day alone.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    let utc = |time: civil::DateTime| {
        let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
        Some(Timestamp::from_millis(time.as_millisecond()))
    };
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| utc(text.parse::<civil::DateTime>().ok()?))
        .or_else(|| {
            utc(text
                .parse::<civil::Date>()
                .ok()?
                .to_datetime(civil::Time::midnight()))
        })
        .or_else(|| {
            utc(civil::Date::strptime("%m/%d/%Y", text)
                .ok()?
                .to_datetime(civil::Time::midnight()))
        })
}

/// A time as a number: OCSF means milliseconds, some tools write seconds.
pub(super) fn epoch(number: i64) -> Option<Timestamp> {
    let millis = if number.abs() < SECONDS_BELOW {
        number.checked_mul(1_000)?
    } else {
        number
    };
    jiff::Timestamp::from_millisecond(millis).ok()?;
    (millis > 0).then(|| Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_plain_text() {
        let check = |raw: &str, expected: &str| assert_eq!(plain(raw).untrusted(), expected, "{raw}");
        check("a<br/>b <b>c</b>", "a b c");
        check(
            "x &lt;b&gt; &amp;amp; &#39;y&#x27; &nbsp;&bogus; &",
            "x <b> &amp; 'y' &bogus; &",
        );
        check("1 < 2 and <a href='x'>link</a>", "1 < 2 and link");
        check("a<script>alert('<b>')</script>b<!-- c -->d", "a bd");
        check("cut <a href=", "cut");
        check("# Title\n\n* one\n* two", "# Title * one * two");
    }

    #[test]
    fn texts_keep_at_most_eight_kibibytes() {
        for raw in ["x".repeat(100_000), "é".repeat(100_000), "<b>".repeat(100_000)] {
            assert!(plain(&raw).untrusted().len() <= TEXT_BYTES_MAX);
        }
    }

    #[test]
    fn times_are_read_in_every_spelling() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                time(text).map(|time| time.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check(
            "2026-03-02T09:00:00.123456+01:00",
            Some("2026-03-02T08:00:00.123Z"),
        );
        check("2026-03-02T09:00:00.000000", Some("2026-03-02T09:00:00Z"));
        check("2026-03-02", Some("2026-03-02T00:00:00Z"));
        check("03/02/2026", Some("2026-03-02T00:00:00Z"));
        check("soon", None);
        let of = |number| epoch(number).map(|time| time.to_string());
        assert_eq!(of(1_772_442_000).as_deref(), Some("2026-03-02T09:00:00Z"));
        assert_eq!(of(1_772_442_000_000), of(1_772_442_000));
        assert_eq!(of(0), None);
        assert_eq!(of(i64::MAX), None);
    }
}
