//! Names that may be asked for.

use std::fmt;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 253;
/// Characters between two dots.
const LABEL_CHARS_MAX: usize = 63;

/// The text isn't a name in public DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a domain name: labels of letters, digits, `-` and `_` with dots between them, at least two")]
pub struct NotADomain;

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
    pub fn new(text: &str) -> Result<Self, NotADomain> {
        checked(text).map(|name| Self {
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

/// A name in lower case, without a dot at the end.
pub(super) fn checked(text: &str) -> Result<String, NotADomain> {
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_CHARS_MAX
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() <= NAME_CHARS_MAX && text.contains('.') && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(NotADomain)
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
            assert_eq!(MailDomain::new(wrong), Err(NotADomain), "{wrong}");
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
