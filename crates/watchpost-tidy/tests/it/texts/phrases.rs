//! Words and phrases that the texts avoid.

/// A phrase in lower case, what to write instead, and the words that make it fine: the next one, or with `<` the one
/// before it.
pub(super) type Phrase = (&'static str, &'static str, &'static [&'static str]);

pub(super) const PHRASES: &[Phrase] = &[
    // Phrases that a native speaker would not use.
    ("anew", "again", &[]),
    ("at the least", "at least", &[]),
    ("at the most", "at most", &[]),
    ("be told", "known, reported: name who reports what", &[]),
    ("are told", "name who reports what to whom", &[]),
    ("is told", "name who reports what to whom", &[]),
    ("was told", "name who reported what to whom", &[]),
    ("by itself", "alone, separately, on its own", &[]),
    ("by themselves", "alone, separately, on their own", &[]),
    ("for itself", "separately, on its own", &[]),
    ("for themselves", "separately, on their own", &[]),
    ("broke off", "panicked, ended, was interrupted", &[]),
    ("breaks off", "panics, ends, is interrupted", &[]),
    ("failed inside", "hit an internal error", &[]),
    ("fails strangers", "ends in -all", &[]),
    ("strangers pass", "unauthorized senders pass", &[]),
    ("lets strangers", "lets unauthorized senders", &[]),
    ("in vain", "without effect", &[]),
    ("it is no", "it is not a", &["longer", "more"]),
    ("that is no", "that is not a", &["longer", "more"]),
    ("this is no", "this is not a", &["longer", "more"]),
    ("which is no", "which is not a", &["longer", "more"]),
    (
        "nothing of",
        "say what happens instead",
        &["<know", "<knows", "<knew"],
    ),
    ("none of whom", "a plain main clause", &[]),
    ("of then", "of that time", &[]),
    ("of whom", "a plain main clause", &[]),
    ("on behalf of whom", "a plain main clause", &[]),
    ("once more", "again", &[]),
    ("stands there", "is present, is in the list", &[]),
    ("the likes", "and similar", &[]),
    ("whatsoever", "at all", &[]),
    ("whoever", "anyone who, the person who", &[]),
    ("whomever", "anyone whom", &[]),
    ("hereby", "leave it out", &[]),
    ("herein", "here", &[]),
    ("therein", "in it", &[]),
    ("thereof", "of it", &[]),
    ("thereto", "to it", &[]),
    ("wherein", "in which", &[]),
    ("whereof", "of which", &[]),
    ("lest", "so that … not", &[]),
    // Wrong words and plurals.
    ("advices", "advice", &[]),
    ("childs", "children", &[]),
    ("datas", "data", &[]),
    ("evidences", "evidence", &[]),
    ("feedbacks", "feedback", &[]),
    ("informations", "information", &[]),
    ("softwares", "software", &[]),
    ("every checks", "every check", &[]),
    ("every findings", "every finding", &[]),
    ("every keys", "every key", &[]),
    ("every rules", "every rule", &[]),
    // British spellings that `lint::british` does not find.
    ("amongst", "among", &[]),
    ("artefact", "artifact", &[]),
    ("artefacts", "artifacts", &[]),
    ("centre", "center", &[]),
    ("defence", "defense", &[]),
    ("defences", "defenses", &[]),
    ("enrol", "enroll", &[]),
    ("enrolment", "enrollment", &[]),
    ("fulfil", "fulfill", &[]),
    ("grey", "gray", &[]),
    ("judgement", "judgment", &[]),
    ("labelled", "labeled", &[]),
    ("licence", "license", &[]),
    ("licences", "licenses", &[]),
    ("modelled", "modeled", &[]),
    ("offence", "offense", &[]),
    ("whilst", "while", &[]),
];

/// First words of documentation that does not name its subject: "Its id." instead of "The finding's id.".
pub(super) const OPENINGS: &[&str] = &[
    "His", "How", "Its", "That", "Their", "Those", "What", "When", "Where", "Which", "Who", "Whom", "Whose",
    "Why",
];

/// First words of the same kind that consist of two words.
pub(super) const OPENING_PAIRS: &[(&str, &str)] = &[
    ("By", "what"),
    ("By", "whom"),
    ("For", "whom"),
    ("Of", "what"),
    ("To", "whom"),
];

/// Plurals, which are wrong after "1".
pub(super) const PLURALS: &[&str] = &[
    "accounts",
    "apps",
    "attempts",
    "bytes",
    "characters",
    "checks",
    "columns",
    "connections",
    "controls",
    "days",
    "entries",
    "errors",
    "exemptions",
    "failures",
    "files",
    "findings",
    "grants",
    "groups",
    "hours",
    "identities",
    "imports",
    "integrations",
    "items",
    "jobs",
    "keys",
    "lines",
    "messages",
    "minutes",
    "months",
    "names",
    "pages",
    "people",
    "permissions",
    "points",
    "reasons",
    "records",
    "requests",
    "results",
    "retries",
    "rows",
    "rules",
    "scans",
    "seconds",
    "sessions",
    "settings",
    "streams",
    "syncs",
    "things",
    "times",
    "tools",
    "users",
    "values",
    "weeks",
    "words",
    "workspaces",
    "years",
];

/// Beginnings of words with British spelling.
pub(super) const BRITISH_STEMS: &[&str] = &[
    "armour",
    "behaviour",
    "colour",
    "endeavour",
    "favour",
    "flavour",
    "harbour",
    "honour",
    "humour",
    "labour",
    "misbehaviour",
    "neighbour",
    "rumour",
    "unfavour",
];
/// Endings of words that end in -ise in American English as well.
pub(super) const RIGHT_IN_ISE: &[&str] = &[
    "aise",
    "anchise",
    "arise",
    "cise",
    "eise",
    "erprise",
    "ertise",
    "guise",
    "mise",
    "oise",
    "omprise",
    "otherwise",
    "paradise",
    "prise",
    "reatise",
    "rise",
    "uise",
    "vise",
    "wise",
    "andise",
];

/// Abbreviations that need no explanation for the readers of the product's texts: administrators of a company's
/// platforms and their assistants. Others are spelled out where they are used: "data loss prevention (DLP)".
pub(super) const ABBREVIATIONS: &[&str] = &[
    // Computing in general.
    "API", "ASCII", "CPU", "CSS", "CSV", "GB", "GUID", "HTML", "ID", "IO", "IP", "JSON", "KB", "MB", "OK",
    "OS", "PDF", "PNG", "RAM", "SDK", "SQL", "SVG", "TOML", "UI", "URI", "URL", "USB", "UTC", "UTF", "UUID",
    "XML", "YAML", "ZIP",
    // Networks and mail, with the types of DNS records and the methods of HTTP.
    "CAA", "CNAME", "DKIM", "DMARC", "DNS", "DNSSEC", "DS", "GMT", "HTTP", "HTTPS", "IMAP", "MTA-STS", "MX",
    "POP", "SMTP", "SPF", "SSE", "SSH", "TCP", "TLS", "TLS-RPT", "TXT", "VPN", "DELETE", "GET", "PATCH",
    "POST", "PUT", // Identity and security.
    "AES", "CVE", "FIDO", "HMAC", "JWK", "JWT", "LDAP", "MCP", "MFA", "OCSF", "OTP", "PEM", "PIM", "PIN",
    "RSA", "SAML", "SARIF", "SCIM", "SHA", "SIEM", "SMS", "SSO", "TOTP",
    // Names of organizations, publications and products; `AUTH` is the command of SMTP, `IN` the class in a DNS record.
    "AI", "AUTH", "AWS", "BI", "CIS", "CISA", "EU", "GCC", "GCP", "IANA", "IN", "METADATA", "NIST", "OPA",
    "RFC", "SP", "US", "XDR", // Everyday words.
    "HR", "IT", "SIM",
];

/// Abbreviations that are pronounced with a vowel at the beginning. Unlisted abbreviations may have either article.
pub(super) const SPOKEN_LIKE_A_VOWEL: &[&str] = &[
    "API", "AWS", "AI", "EU-WIDE", "FAQ", "HMAC", "HTML", "HTTP", "HTTPS", "ID", "IP", "LDAP", "MCP", "MFA",
    "MX", "NPM", "OCSF", "OAUTH", "OS", "RFC", "RSA", "SBOM", "SMS", "SMTP", "SPF", "SQS", "SSE", "SSH",
    "SSO", "SVG", "XML", "XLSX",
];
/// Abbreviations that are pronounced with a consonant at the beginning.
pub(super) const SPOKEN_LIKE_A_CONSONANT: &[&str] = &[
    "CA", "CIS", "CLI", "CPU", "CSS", "CSV", "CVE", "DKIM", "DMARC", "DNS", "EU", "FIDO", "JSON", "JWT",
    "NIST", "PDF", "PIN", "PNG", "SAML", "SCIM", "SHA", "TCP", "TLS", "TOML", "TOTP", "TXT", "UI", "URI",
    "URL", "US", "USB", "UTC", "UTF", "UUID", "VPN", "YAML", "ZIP",
];
