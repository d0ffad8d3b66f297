//! Validation of short values that vendors send as text.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use watchpost_core::value::time::Timestamp;

/// The maximum length of an identifier, in characters.
const ID_CHARS_MAX: usize = 200;
/// The maximum length of an email address, in bytes (RFC 5321, section 4.5.3.1: 64 + 1 + 255).
const EMAIL_CHARS_MAX: usize = 320;
/// The time that Microsoft uses for "never": the beginning of the year 1.
const NEVER_YEAR_ONE_MS: i64 = -62_135_596_800_000;

/// Validates an identifier: visible ASCII without characters that have a meaning in a URL's path.
pub(crate) fn id(text: &str) -> Option<String> {
    let fits = (1..=ID_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b'\\' | b'?' | b'#' | b'%' | b'"'))
        && !matches!(text, "." | "..");
    fits.then(|| text.to_owned())
}

/// Parses an email address. Returns it in lower case; `None` if the text isn't one.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > EMAIL_CHARS_MAX {
        return None;
    }
    let (local, domain) = text.rsplit_once('@')?;
    let local_fits = !local.is_empty()
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let domain_fits = domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && domain
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    (local_fits && domain_fits).then(|| text.to_lowercase())
}

/// Parses a time. Returns `None` for a text that isn't a time and for the year 1, which stands for "never".
pub(crate) fn time(text: Option<&str>) -> Option<Timestamp> {
    let time: Timestamp = text?.parse().ok()?;
    (time.as_millis() > NEVER_YEAR_ONE_MS).then_some(time)
}

/// Validates a value of a vendor's enumeration: at most 64 letters, digits and `_`, `-`, `:`, `.`.
pub(crate) fn enum_value(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.'));
    fits.then(|| text.to_owned())
}

/// The units of a duration with a fixed length, in milliseconds, before and after the `T`. Years and months count as 365
/// and 30 days.
const DATE_UNITS_MS: &[(char, i64)] = &[
    ('Y', 31_536_000_000),
    ('M', 2_592_000_000),
    ('W', 604_800_000),
    ('D', 86_400_000),
];
const TIME_UNITS_MS: &[(char, i64)] = &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)];

/// Parses a duration without fractions, such as `P30D` or `PT5M` (ISO 8601). Returns it in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (date, clock) = match rest.split_once('T') {
        Some((date, clock)) if !clock.is_empty() => (date, clock),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && clock.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    for (mut rest, units) in [(date, DATE_UNITS_MS), (clock, TIME_UNITS_MS)] {
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (digits, unit) = rest.split_at_checked(end)?;
            let unit_char = unit.chars().next()?;
            let (_, unit_ms) = units.iter().find(|(name, _)| *name == unit_char)?;
            let count: i64 = digits.parse().ok()?;
            total = total.checked_add(count.checked_mul(*unit_ms)?)?;
            rest = unit.get(unit_char.len_utf8()..)?;
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_length_in_milliseconds() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(duration_ms(text), expected, "{text}");
        check("P30D", Some(2_592_000_000));
        check("PT5M", Some(300_000));
        check("P1DT1H1M1S", Some(90_061_000));
        check("P2W", Some(1_209_600_000));
        for wrong in [
            "",
            "P",
            "PT",
            "30D",
            "P30",
            "PD",
            "P1H",
            "P1.5D",
            "P-1D",
            "P99999999999999999999D",
            "P1\u{e4}",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn email_addresses_are_validated_and_lowercased() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(email(text).as_deref(), expected, "{text}");
        check(
            "Mara.Holt@Birchworks.example",
            Some("mara.holt@birchworks.example"),
        );
        check(" a+b@x.example ", Some("a+b@x.example"));
        check("zoë@x.example", Some("zoë@x.example"));
        for invalid in [
            "",
            "@",
            "a@",
            "@x.example",
            "a b@x.example",
            "a@x",
            "a@.x",
            "a@x.",
            "a@x\u{202e}.y",
            "<a>@x.y",
        ] {
            check(invalid, None);
        }
        check(&format!("{}@x.example", "a".repeat(400)), None);
    }

    #[test]
    fn an_id_cannot_change_the_path_that_contains_it() {
        for good in [
            "00u1abcd2EFGHijkl5d7",
            "5b1c0f0a-1111-4222-8333-444455556666",
            "a.b~c",
        ] {
            assert_eq!(id(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a%2fb",
            "a b",
            "é",
            "a\nb",
            &"x".repeat(201),
        ] {
            assert_eq!(id(bad), None, "{bad}");
        }
    }

    #[test]
    fn year_one_and_invalid_times_are_rejected() {
        assert_eq!(time(Some("0001-01-01T00:00:00Z")), None);
        assert_eq!(time(Some("yesterday")), None);
        assert_eq!(time(None), None);
        assert_eq!(
            time(Some("1970-01-01T00:00:01.000Z")),
            Some(Timestamp::from_millis(1_000))
        );
    }
}
