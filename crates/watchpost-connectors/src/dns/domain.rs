//! The domains to look up.

use std::fmt;
use watchpost_outbound::dns::{InvalidDomainName, domain_name};

/// A domain to look up, in lower case and without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailDomain {
    name: String,
    is_default: Option<bool>,
}

impl MailDomain {
    /// Parses a text from a vendor or an operator.
    ///
    /// # Errors
    /// Returns an error if the text isn't a domain name with at least two labels.
    pub fn new(text: &str) -> Result<Self, InvalidDomainName> {
        domain_name(text).map(|name| Self {
            name,
            is_default: None,
        })
    }

    /// Sets whether the domain is the company's default domain on the platform.
    #[must_use]
    pub fn default_is(mut self, is_default: bool) -> Self {
        self.is_default = Some(is_default);
        self
    }

    /// Returns the domain's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the domain is the default one on the platform; `None` if that is unknown.
    pub const fn is_default(&self) -> Option<bool> {
        self.is_default
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// Returns the parents of a name that have at least two labels, nearest first: `b.c` for `a.b.c`.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(name), |name| parent(name))
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.')
        .map(|(_, parent)| parent)
        .filter(|parent| parent.contains('.'))
}

/// Whether the names are equal or one is a subdomain of the other.
pub(super) fn related(one: &str, other: &str) -> bool {
    let is_within = |name: &str, domain: &str| {
        name.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_within(one, other) || is_within(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_domain_names_are_accepted() {
        assert_eq!(
            MailDomain::new(" Birchworks.EXAMPLE. ").unwrap().name(),
            "birchworks.example"
        );
        assert_eq!(
            MailDomain::new("_spf.birchworks.example").unwrap().name(),
            "_spf.birchworks.example"
        );
        for invalid in [
            "",
            "localhost",
            "a..b",
            ".b.c",
            "a b.example",
            "a/b.example",
            "ä.example",
            "%{i}.example",
        ] {
            assert_eq!(MailDomain::new(invalid), Err(InvalidDomainName), "{invalid}");
        }
        assert!(MailDomain::new(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(MailDomain::new(&format!("{}example", "abcdefgh.".repeat(40))).is_err());
    }

    #[test]
    fn parents_end_below_the_top_level_domain() {
        assert_eq!(parents("a.b.c.d").collect::<Vec<_>>(), ["b.c.d", "c.d"]);
        assert_eq!(parents("b.example").count(), 0);
    }

    #[test]
    fn names_are_compared_by_whole_labels() {
        assert!(related("mail.birchworks.example", "birchworks.example"));
        assert!(related("birchworks.example", "birchworks.example"));
        assert!(related("birchworks.example", "mail.birchworks.example"));
        assert!(!related("otherbirchworks.example", "birchworks.example"));
    }
}
