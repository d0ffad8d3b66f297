//! Addresses (URIs) of resources.

use watchpost_core::{
    identity::normalize_address,
    report::{ReportFormat, ReportRequest, parse_report_uri},
    value::id::{AppId, FindingId, ScanId},
};

/// The length of the longest address.
const URI_BYTES_MAX: usize = 1_024;
/// The length of the longest rule id.
const RULE_ID_BYTES_MAX: usize = 200;

/// A parsed address. The resource may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// `watchpost://posture`.
    Posture,
    /// `watchpost://integrations`.
    Integrations,
    /// `watchpost://findings/{id}`.
    Finding(FindingId),
    /// `watchpost://identities/{email}`, with the email address in its normal form.
    Identity(String),
    /// `watchpost://apps/{id}`.
    App(AppId),
    /// `watchpost://rules/{id}`.
    Rule(String),
    /// `watchpost://scans/{id}`.
    Scan(ScanId),
    /// `watchpost://reports/…`.
    Report(Box<ReportRequest>, ReportFormat),
}

impl Address {
    /// Parses an address; `None` for any text that doesn't have the form of a listed resource, a template or a link.
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        if uri.len() > URI_BYTES_MAX {
            return None;
        }
        let rest = uri.strip_prefix("watchpost://")?;
        let Some((family, item)) = rest.split_once('/') else {
            return match rest {
                "posture" => Some(Self::Posture),
                "integrations" => Some(Self::Integrations),
                _ => None,
            };
        };
        match family {
            "findings" => item.parse().ok().map(Self::Finding),
            "apps" => item.parse().ok().map(Self::App),
            "scans" => item.parse().ok().map(Self::Scan),
            "identities" => email(item).map(Self::Identity),
            "rules" => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
                let is_id = (1..=RULE_ID_BYTES_MAX).contains(&item.len()) && item.bytes().all(fits);
                is_id.then(|| Self::Rule(item.to_owned()))
            }
            "reports" => {
                let (request, format) = parse_report_uri(uri)?;
                Some(Self::Report(Box::new(request), format))
            }
            _ => None,
        }
    }
}

/// Parses an email address in a path, percent-encoded as RFC 3986 requires, into its normal form.
fn email(item: &str) -> Option<String> {
    // These characters must be percent-encoded in a path; decoded they may be part of an email address.
    if item
        .chars()
        .any(|c| !c.is_ascii_graphic() || "/?#[]<>\"\\^`{|}".contains(c))
    {
        return None;
    }
    let address = percent_decoded(item)?;
    let normal = normalize_address(&address)?;
    // The normal form is shorter if the path has encoded white space around the address, which makes it another address.
    (normal.len() == address.to_lowercase().len()).then_some(normal)
}

/// Decodes `%xx`; `None` if an escape is malformed or the bytes aren't UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoded_email_addresses_are_decoded() {
        for (item, expected) in [
            ("mara.holt@birchworks.example", "mara.holt@birchworks.example"),
            ("mara.holt%40birchworks.example", "mara.holt@birchworks.example"),
            ("Mara.Holt%40BIRCHWORKS.example", "mara.holt@birchworks.example"),
            ("m+a%2Bb%25@birchworks.example", "m+a+b%@birchworks.example"),
            ("o'neil%2Fx@birchworks.example", "o'neil/x@birchworks.example"),
            ("j%C3%B6rg@birchworks.example", "jörg@birchworks.example"),
        ] {
            let uri = format!("watchpost://identities/{item}");
            assert_eq!(
                Address::parse(&uri),
                Some(Address::Identity(expected.into())),
                "{uri}"
            );
        }
    }

    #[test]
    fn malformed_addresses_are_rejected() {
        let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        let long = format!("watchpost://rules/{}", "a".repeat(1_100));
        let longish = format!("watchpost://rules/{}", "a".repeat(201));
        for uri in [
            "",
            "watchpost:",
            "watchpost://",
            "watchpost:///posture",
            "watchpost://posture/",
            "watchpost://posture?x=1",
            "watchpost://posture#x",
            "watchpost://Posture",
            "watchpost://integrations/",
            "watchpost://findings",
            "watchpost://findings/",
            "watchpost://findings/018f3c1e7a2b7c3d8e4f5a6b7c8d9e0f",
            "watchpost://findings/018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f/",
            "watchpost://findings/../posture",
            "watchpost://findings/%30018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0",
            "watchpost://identities/",
            "watchpost://identities/mara",
            "watchpost://identities/@birchworks.example",
            "watchpost://identities/m%4@birchworks.example",
            "watchpost://identities/m%@birchworks.example",
            "watchpost://identities/m%zz@birchworks.example",
            "watchpost://identities/m%+1@birchworks.example",
            "watchpost://identities/m%ff@birchworks.example",
            "watchpost://identities/m%00@birchworks.example",
            "watchpost://identities/m%20x@birchworks.example",
            "watchpost://identities/%20mara@birchworks.example",
            "watchpost://identities/mara@birchworks.example%0a",
            "watchpost://identities/a/b@birchworks.example",
            "watchpost://identities/mara@birchworks.example?x=y",
            "watchpost://identities/jörg@birchworks.example",
            "watchpost://rules/",
            "watchpost://rules/../../etc/passwd",
            "watchpost://rules/a b",
            "watchpost://reports/x",
            "watchpost://secrets/x",
            "https://findings/018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
            long.as_str(),
            longish.as_str(),
        ] {
            assert_eq!(Address::parse(uri), None, "{uri}");
        }
        assert!(Address::parse(&format!("watchpost://findings/{id}")).is_some());
    }
}
