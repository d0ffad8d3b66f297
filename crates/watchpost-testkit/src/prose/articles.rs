//! The indefinite article, which depends on the sound of the next word.

/// Abbreviations that are pronounced with a vowel at the beginning. Unlisted abbreviations may have either article.
const SPOKEN_LIKE_A_VOWEL: &[&str] = &[
    "API", "AWS", "AI", "EU-WIDE", "FAQ", "HMAC", "HTML", "HTTP", "HTTPS", "ID", "IP", "LDAP", "MCP", "MFA",
    "MX", "NPM", "OCSF", "OAUTH", "OS", "RFC", "RSA", "SBOM", "SMS", "SMTP", "SPF", "SQS", "SSE", "SSH",
    "SSO", "SVG", "XML", "XLSX",
];
/// Abbreviations that are pronounced with a consonant at the beginning.
const SPOKEN_LIKE_A_CONSONANT: &[&str] = &[
    "CA", "CIS", "CLI", "CPU", "CSS", "CSV", "CVE", "DKIM", "DMARC", "DNS", "EU", "FIDO", "JSON", "JWT",
    "NIST", "PDF", "PIN", "PNG", "SAML", "SCIM", "SHA", "TCP", "TLS", "TOML", "TOTP", "TXT", "UI", "URI",
    "URL", "US", "USB", "UTC", "UTF", "UUID", "VPN", "YAML", "ZIP",
];

/// Words that cannot follow an article: before one of them, "a" is a name.
const NOT_A_NOUN: &[&str] = &[
    "and", "are", "as", "at", "else", "if", "in", "is", "of", "on", "only", "or", "until", "unless", "upon",
    "used",
];
/// Beginnings of words that are written with a vowel and pronounced with a consonant.
const CONSONANT_SOUNDS: &[&str] = &[
    "eu", "ewe", "one", "once", "ubiq", "unan", "unic", "unif", "unio", "uniq", "unit", "univ", "unix",
    "ura", "uri", "url", "usa", "use", "usi", "usu", "utc", "utf", "uti", "uto", "uuid", "ui",
];
/// Beginnings of words with a silent h.
const SILENT_H: &[&str] = &["heir", "honest", "honor", "hour"];

/// Returns the article of `next`, or `None` if the pronunciation is not known.
fn expected(next: &str) -> Option<&'static str> {
    let first = next.chars().next()?;
    let word = next.split('-').next().unwrap_or(next);
    if first.is_ascii_digit() {
        let digits: String = next.chars().take_while(char::is_ascii_digit).collect();
        let is_vowel = digits.starts_with('8') || digits == "11" || digits == "18";
        return Some(if is_vowel { "an" } else { "a" });
    }
    if word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return if SPOKEN_LIKE_A_VOWEL.contains(&word) {
            Some("an")
        } else if SPOKEN_LIKE_A_CONSONANT.contains(&word) {
            Some("a")
        } else {
            None
        };
    }
    if word.len() == 1 {
        return None;
    }
    let lower = next.to_lowercase();
    let begins = |list: &[&str]| list.iter().any(|beginning| lower.starts_with(beginning));
    let is_vowel = if begins(SILENT_H) {
        true
    } else {
        "aeiou".contains(lower.chars().next()?) && !begins(CONSONANT_SOUNDS)
    };
    Some(if is_vowel { "an" } else { "a" })
}

/// Returns whether an article in lower case is wrong before a word.
pub fn is_wrong_article(article: &str, next: &str) -> bool {
    matches!(article, "a" | "an")
        && !NOT_A_NOUN.contains(&next.to_lowercase().as_str())
        && expected(next).is_some_and(|expected| expected != article)
}

#[test]
fn articles_depend_on_the_sound() {
    for (article, next) in [
        ("a", "exposure"),
        ("an", "user"),
        ("a", "hour"),
        ("an", "key"),
        ("a", "MFA"),
        ("an", "URL"),
        ("an", "uuid"),
        ("an", "unit"),
        ("a", "8"),
        ("an", "10"),
        ("a", "HTTP-date"),
        ("an", "one-line"),
    ] {
        assert!(is_wrong_article(article, next), "{article} {next}");
    }
    for (article, next) in [
        ("an", "exposure"),
        ("a", "user"),
        ("an", "hour"),
        ("a", "human"),
        ("an", "MFA"),
        ("a", "SHA-256"),
        ("an", "unknown"),
        ("an", "unidentified"),
        ("an", "unimportant"),
        ("a", "and"),
        ("a", "1"),
        ("an", "11"),
        ("a", "SELECT"),
        ("an", "SELECT"),
    ] {
        assert!(!is_wrong_article(article, next), "{article} {next}");
    }
}
