//! Completion of what somebody types: the port that finds what begins with it, and the prefixes of ids.

use crate::{access::WorkspaceScope, error::StoreError};
use async_trait::async_trait;

/// Values that a completion gives at the most.
pub const COMPLETIONS_MAX: usize = 100;

/// What begins with a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completions {
    /// The values, most likely first; at most [`COMPLETIONS_MAX`].
    pub values: Vec<String>,
    /// How many there are in all, if that is known.
    pub total: Option<u64>,
    /// Whether there are more than these.
    pub more: bool,
}

impl Completions {
    /// The first of a list that is known to be whole.
    pub fn of(mut values: Vec<String>) -> Self {
        let total = values.len() as u64;
        values.truncate(COMPLETIONS_MAX);
        Self {
            more: total > values.len() as u64,
            total: Some(total),
            values,
        }
    }
}

/// The ids that begin with a text: a range of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdPrefix {
    /// The lowest such id.
    pub from: [u8; 16],
    /// The highest such id.
    pub to: [u8; 16],
}

impl IdPrefix {
    /// All ids.
    pub const ALL: Self = Self {
        from: [0; 16],
        to: [0xff; 16],
    };

    /// The ids whose hyphenated form begins with `text`, in any case; `None` if no id does.
    pub fn parse(text: &str) -> Option<Self> {
        let mut prefix = Self::ALL;
        let mut nibbles = 0_usize;
        for (place, c) in text.chars().enumerate() {
            if matches!(place, 8 | 13 | 18 | 23) {
                if c != '-' {
                    return None;
                }
                continue;
            }
            let digit = u8::try_from(c.to_digit(16)?).ok()?;
            let (low, high) = (prefix.from.get_mut(nibbles / 2)?, prefix.to.get_mut(nibbles / 2)?);
            if nibbles.is_multiple_of(2) {
                *low |= digit << 4;
                *high = (*high & 0x0f) | (digit << 4);
            } else {
                *low |= digit;
                *high = (*high & 0xf0) | digit;
            }
            nibbles += 1;
        }
        Some(prefix)
    }
}

/// What is completed from stored rows. Texts are compared as they are kept: trimmed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredCompletion {
    /// Ids of findings: live ones first, worst first, then newest first.
    Findings(IdPrefix),
    /// Ids of scans, newest first.
    Scans(IdPrefix),
    /// Ids of apps that the vendor still shows, most used first.
    Apps(IdPrefix),
    /// Names of apps that the vendor still shows, each once, in order.
    AppNames(String),
    /// Addresses of people: those with an account first, each group in order.
    Addresses(String),
}

/// Completion's port. Each look reads at most a bounded number of rows, in the order of an index; where more rows than
/// that begin with the text, the order of likelihood holds among those read.
#[async_trait]
pub trait CompletionStore: Send + Sync {
    /// What begins with a text.
    async fn complete(
        &self,
        scope: &WorkspaceScope,
        what: &StoredCompletion,
    ) -> Result<Completions, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::FindingId;

    #[test]
    fn the_range_of_a_prefix_holds_the_ids_that_begin_with_it_and_no_other() {
        let id: FindingId = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f".parse().unwrap();
        let text = id.to_string();
        for end in 0..=text.len() {
            let prefix = IdPrefix::parse(&text[..end]).unwrap();
            assert!(
                prefix.from <= *id.as_bytes() && *id.as_bytes() <= prefix.to,
                "{end}"
            );
            let (from, to) = (
                FindingId::from_bytes(prefix.from),
                FindingId::from_bytes(prefix.to),
            );
            assert!(from.to_string().starts_with(&text[..end]), "{from}");
            assert!(to.to_string().starts_with(&text[..end]), "{to}");
            assert_eq!(IdPrefix::parse(&text[..end].to_uppercase()), Some(prefix));
        }
        assert_eq!(IdPrefix::parse(""), Some(IdPrefix::ALL));
        let whole = IdPrefix::parse(&text).unwrap();
        assert_eq!(whole.from, whole.to);
    }

    #[test]
    fn what_no_id_begins_with_has_no_range() {
        let id = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
        for text in [
            "x",
            "-",
            "018f3c1e7",
            "018f3c1-",
            "é",
            "0 ",
            "%",
            &format!("{id}0"),
            &format!("{id}-"),
        ] {
            assert_eq!(IdPrefix::parse(text), None, "{text}");
        }
    }
}
