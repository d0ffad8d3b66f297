//! Names that may be asked for.

use std::fmt;
use watchpost_outbound::dns::{InvalidDomainName, domain_name};

/// A domain to look up, lower-case, without a dot at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailDomain {
    name: String,
    is_default: Option<bool>,
}

impl MailDomain {
    /// From a vendor's or a person's text.
    ///
    /// # Errors
    /// If it isn't a name with at least two labels.
    pub fn new(text: &str) -> Result<Self, InvalidDomainName> {
        domain_name(text).map(|name| Self {
            name,
            is_default: None,
        })
    }

    /// Whether the platform takes it for the company's main domain.
    #[must_use]
    pub fn default_is(mut self, is_default: bool) -> Self {
        self.is_default = Some(is_default);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the platform takes it for the main one, if that is known.
    pub const fn is_default(&self) -> Option<bool> {
        self.is_default
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The names above it that have at least two labels, nearest first: `b.c` for `a.b.c`.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(above(name), |parent| above(parent))
}

fn above(name: &str) -> Option<&str> {
    name.split_once('.')
        .map(|(_, parent)| parent)
        .filter(|parent| parent.contains('.'))
}

/// Whether one of the two lies below the other, or they are the same.
pub(super) fn related(one: &str, other: &str) -> bool {
    let below = |lower: &str, upper: &str| {
        lower
            .strip_suffix(upper)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    below(one, other) || below(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_taken() {
        assert_eq!(
            MailDomain::new(" Birchworks.EXAMPLE. ").unwrap().name(),
            "birchworks.example"
        );
        assert_eq!(
            MailDomain::new("_spf.birchworks.example").unwrap().name(),
            "_spf.birchworks.example"
        );
        for wrong in [
            "",
            "localhost",
            "a..b",
            ".b.c",
            "a b.example",
            "a/b.example",
            "ä.example",
            "%{i}.example",
        ] {
            assert_eq!(MailDomain::new(wrong), Err(InvalidDomainName), "{wrong}");
        }
        assert!(MailDomain::new(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(MailDomain::new(&format!("{}example", "abcdefgh.".repeat(40))).is_err());
    }

    #[test]
    fn parents_end_above_the_top() {
        assert_eq!(parents("a.b.c.d").collect::<Vec<_>>(), ["b.c.d", "c.d"]);
        assert_eq!(parents("b.example").count(), 0);
    }

    #[test]
    fn names_are_related_by_whole_labels() {
        assert!(related("mail.birchworks.example", "birchworks.example"));
        assert!(related("birchworks.example", "birchworks.example"));
        assert!(related("birchworks.example", "mail.birchworks.example"));
        assert!(!related("otherbirchworks.example", "birchworks.example"));
    }
}
