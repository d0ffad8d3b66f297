//! Conversion of values in imported files: plain text, names, ids and times.

use jiff::{civil, tz::TimeZone};
use watchpost_core::{
    import::DETAILS_CHARS_MAX,
    value::{text::ForeignText, time::Timestamp},
};

/// The maximum size of a converted text, in bytes.
const TEXT_BYTES_MAX: usize = DETAILS_CHARS_MAX;
/// The maximum size of the raw text that is converted, in bytes. It is larger, because of markup and entities.
const RAW_BYTES_MAX: usize = 64 * 1024;
/// The number below which a time is in seconds instead of milliseconds: the year 5138 in seconds, 1973 in milliseconds.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// Converts a text to plain text: removes HTML, decodes entities, and cuts it to 8 KiB.
pub(super) fn plain(raw: &str) -> ForeignText {
    let raw = truncated(raw, RAW_BYTES_MAX);
    let cleaned = if raw.contains(['<', '&']) {
        ForeignText::clean(&without_html(raw), TEXT_BYTES_MAX)
    } else {
        ForeignText::clean(raw, TEXT_BYTES_MAX)
    };
    if cleaned.untrusted().len() <= TEXT_BYTES_MAX {
        return cleaned;
    }
    // The limit above counts characters. Cut multi-byte text by bytes, and leave room for the ellipsis.
    let mut out = truncated(cleaned.untrusted(), TEXT_BYTES_MAX.saturating_sub(3)).to_owned();
    out.push('…');
    ForeignText::clean(&out, TEXT_BYTES_MAX)
}

/// Converts a name: plain text of at most 200 characters.
pub(super) fn name(raw: &str) -> ForeignText {
    ForeignText::name(plain(raw).untrusted())
}

/// Converts a title: plain text of at most 600 characters.
pub(super) fn title(raw: &str) -> ForeignText {
    ForeignText::sentence(plain(raw).untrusted())
}

/// Converts an id: clean text of at most `chars` characters.
pub(super) fn id(raw: &str, chars: usize) -> String {
    let cleaned = ForeignText::clean(raw, chars.saturating_mul(2));
    cleaned.untrusted().chars().take(chars).collect()
}

fn truncated(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Removes tags, comments, and the content of script and style elements. A tag is replaced by a space. A `<` that doesn't
/// start a tag is kept.
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
            // The tag isn't closed: the rest is dropped.
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

/// Decodes the entities that tools use. Others are kept unchanged.
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

/// Parses a time: RFC 3339 with or without a time zone (UTC by default), or a date.
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

/// Parses a time as ScubaGear's reports state it: month, day, year and time of day in the machine's zone, whose name isn't
/// unique. The time is read as UTC, so it may be wrong by the zone's offset.
pub(super) fn time_with_zone_name(text: &str) -> Option<Timestamp> {
    let time_of_day = text.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
    let time = civil::DateTime::strptime("%m/%d/%Y %H:%M:%S", time_of_day).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// Converts a time in milliseconds, as OCSF specifies, or in seconds, as some tools write it.
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
    fn texts_are_cut_to_eight_kibibytes() {
        for raw in ["x".repeat(100_000), "é".repeat(100_000), "<b>".repeat(100_000)] {
            assert!(plain(&raw).untrusted().len() <= TEXT_BYTES_MAX);
        }
    }

    #[test]
    fn times_are_parsed_in_every_format() {
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
        let report = |text: &str| time_with_zone_name(text).map(|time| time.to_string());
        for zone in ["", " Coordinated Universal Time", " UTC"] {
            let text = format!("03/02/2026 09:00:05{zone}");
            assert_eq!(report(&text).as_deref(), Some("2026-03-02T09:00:05Z"));
        }
        assert_eq!(report("2. März 2026"), None);
        let of = |number| epoch(number).map(|time| time.to_string());
        assert_eq!(of(1_772_442_000).as_deref(), Some("2026-03-02T09:00:00Z"));
        assert_eq!(of(1_772_442_000_000), of(1_772_442_000));
        assert_eq!(of(0), None);
        assert_eq!(of(i64::MAX), None);
    }
}
