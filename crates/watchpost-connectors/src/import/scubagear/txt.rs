//! The TXT records in an export's answers.
//!
//! A record longer than 255 octets consists of several strings, which are joined without a space (RFC 7208, section 3.3).
//! Exporters write these strings as if each were a record, or all of them in quotes.

use super::shape::rows;
use serde_json::Value;

/// The length of a record's string, in bytes, from which the next one is probably its continuation. Publishers split records
/// at 255 octets or a little earlier, between two terms.
const FULL_BYTES: usize = 250;

/// Returns the records of a lookup (`spf`, `dkim` or `dmarc`), without surrounding whitespace.
pub(super) fn records(rdata: Option<&Value>, lookup: &str) -> Vec<String> {
    let rows = rdata.map(rows).unwrap_or_default();
    let strings = rows.iter().filter_map(Value::as_str).map(unquoted);
    let mut records: Vec<String> = Vec::new();
    let mut last_bytes = 0;
    for string in strings {
        match records.last_mut() {
            Some(record) if continues(record, last_bytes, &string, lookup) => record.push_str(&string),
            _ => records.push(string.clone()),
        }
        last_bytes = string.len();
    }
    records
        .iter()
        .map(|record| record.trim().to_owned())
        .filter(|record| !record.is_empty())
        .collect()
}

/// Joins the quoted strings of a record in the format of zone files: `"v=spf1 …" "… -all"`. Other text is kept unchanged.
fn unquoted(text: &str) -> String {
    let inner = text
        .trim()
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner
            .split('"')
            .step_by(2)
            .collect::<String>()
            .replace("\\;", ";"),
        None => text.to_owned(),
    }
}

/// Whether a string continues a record whose last string has `last_bytes` bytes.
fn continues(record: &str, last_bytes: usize, string: &str, lookup: &str) -> bool {
    if string
        .trim_start()
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("v="))
    {
        return false;
    }
    match lookup {
        // Keys are often split into short strings. A selector's name has no other records.
        "dkim" => is_key(record) && !begins_with_tag(string),
        "spf" => {
            last_bytes >= FULL_BYTES && is_spf(record) && !has_end(record) && is_spf_term_list(record, string)
        }
        _ => last_bytes >= FULL_BYTES,
    }
}

/// Whether a text is a DKIM record: its first tag is the version, or the key.
fn is_key(record: &str) -> bool {
    let start: String = record
        .chars()
        .filter(|c| !c.is_whitespace())
        .take(7)
        .collect::<String>()
        .to_ascii_lowercase();
    start == "v=dkim1" || start.starts_with("k=") || start.starts_with("p=")
}

/// Whether a text begins with a tag of a DKIM record (RFC 6376, section 3.6.1). In a key, an equals sign is only at the end.
fn begins_with_tag(string: &str) -> bool {
    string.split_once('=').is_some_and(|(name, _)| {
        matches!(
            name.trim().to_ascii_lowercase().as_str(),
            "v" | "h" | "k" | "n" | "p" | "s" | "t"
        )
    })
}

fn is_spf(record: &str) -> bool {
    record
        .split_ascii_whitespace()
        .next()
        .is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"))
}

/// Whether an SPF record already has a term for all other senders, which is its last one.
fn has_end(record: &str) -> bool {
    record
        .split_ascii_whitespace()
        .any(|term| is_mechanism(term, &["all"]) && !term.contains([':', '/', '=']))
}

/// Whether the joined text has only terms of SPF. The first of the string may be the rest of a term.
fn is_spf_term_list(record: &str, string: &str) -> bool {
    let joined = format!("{record}{string}");
    joined.split_ascii_whitespace().skip(1).all(|term| {
        let mechanisms = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
        (is_mechanism(term, &mechanisms) && !term.contains('='))
            || term
                .split_once('=')
                .is_some_and(|(name, _)| matches!(name.to_ascii_lowercase().as_str(), "redirect" | "exp"))
    })
}

fn is_mechanism(term: &str, names: &[&str]) -> bool {
    let name = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
    let name = name.split([':', '/']).next().unwrap_or_default();
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(lookup: &str, rdata: &Value, expected: &[&str]) {
        assert_eq!(records(Some(rdata), lookup), expected, "{rdata}");
    }

    /// Returns an SPF record without an end, of this many bytes.
    fn spf(bytes: usize) -> String {
        let mut record = "v=spf1".to_owned();
        while record.len() < bytes {
            record.push_str(" ip4:198.51.100.1");
        }
        record.truncate(bytes);
        record
    }

    #[test]
    fn the_strings_of_a_long_record_are_joined_without_a_space() {
        let first = spf(255);
        let whole = format!("{first}0 include:post.example -all");
        check(
            "spf",
            &json!([first, "0 include:post.example -all"]),
            &[whole.as_str()],
        );
        let first = format!("{} ", spf(250).trim_end());
        let whole = format!("{first}-all");
        check("spf", &json!([first, "-all"]), &[whole.as_str()]);
    }

    #[test]
    fn the_strings_of_three_parts_are_joined() {
        let middle = " ip4:203.0.113.7".repeat(16);
        let whole = format!("{}{middle} -all", spf(255));
        check("spf", &json!([spf(255), middle, " -all"]), &[whole.as_str()]);
    }

    #[test]
    fn other_records_are_not_joined_to_an_spf_record() {
        let complete = format!("{} -all", spf(251));
        check(
            "spf",
            &json!([complete, "ms=ms1234"]),
            &[complete.as_str(), "ms=ms1234"],
        );
        let long = spf(255);
        for other in ["google-site-verification=abc", "v=spf1 -all", "a note"] {
            check("spf", &json!([long, other]), &[long.as_str(), other]);
        }
        check(
            "spf",
            &json!(["v=spf1 mx", "include:b.example -all"]),
            &["v=spf1 mx", "include:b.example -all"],
        );
        check(
            "spf",
            &json!(["x".repeat(255), "v=spf1 -all"]),
            &[&"x".repeat(255), "v=spf1 -all"],
        );
    }

    #[test]
    fn quoted_strings_are_joined() {
        check(
            "spf",
            &json!("\"v=spf1 ip4:203.0.1\" \"13.7 -all\""),
            &["v=spf1 ip4:203.0.113.7 -all"],
        );
        check(
            "dmarc",
            &json!(["\"v=DMARC1\\; p=reject\""]),
            &["v=DMARC1; p=reject"],
        );
        check("dmarc", &json!([" v=DMARC1; p=none "]), &["v=DMARC1; p=none"]);
    }

    #[test]
    fn the_strings_of_a_key_are_joined_however_short_they_are() {
        check(
            "dkim",
            &json!(["v=DKIM1; p=AAAA", "BBBB=="]),
            &["v=DKIM1; p=AAAABBBB=="],
        );
        check(
            "dkim",
            &json!(["v=DKIM1; k=rsa;", "p=AAAA"]),
            &["v=DKIM1; k=rsa;", "p=AAAA"],
        );
        check("dkim", &json!(["a note", "BBBB"]), &["a note", "BBBB"]);
    }

    #[test]
    fn a_long_dmarc_record_is_joined_and_two_records_are_not() {
        let first = format!("v=DMARC1; p=reject; rua={}", "mailto:a@birch.example,".repeat(10));
        assert!(first.len() > FULL_BYTES);
        let whole = format!("{first}mailto:b@birch.example");
        check(
            "dmarc",
            &json!([first, "mailto:b@birch.example"]),
            &[whole.as_str()],
        );
        check(
            "dmarc",
            &json!([first, "v=DMARC1; p=none"]),
            &[first.as_str(), "v=DMARC1; p=none"],
        );
    }
}
