//! Completion of typed text: the port that finds stored values by prefix, and prefixes of ids.

use crate::{access::WorkspaceScope, error::StoreError};
use async_trait::async_trait;

/// Maximum number of values in a completion.
pub const COMPLETIONS_MAX: usize = 100;

/// The values that begin with a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completions {
    /// The values, most likely first. At most [`COMPLETIONS_MAX`].
    pub values: Vec<String>,
    /// The total number of values, if known.
    pub total: Option<u64>,
    /// Whether there are more values.
    pub more: bool,
}

impl Completions {
    /// Creates a completion from the complete list of values.
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

/// The ids that begin with a text, as a range of their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdPrefix {
    /// The lowest id in the range.
    pub from: [u8; 16],
    /// The highest id in the range.
    pub to: [u8; 16],
}

impl IdPrefix {
    /// The range of all ids.
    pub const ALL: Self = Self {
        from: [0; 16],
        to: [0xff; 16],
    };

    /// Parses the beginning of a hyphenated id, ignoring case. Returns `None` if no id begins with `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut prefix = Self::ALL;
        let mut nibbles = 0_usize;
        for (position, c) in text.chars().enumerate() {
            if matches!(position, 8 | 13 | 18 | 23) {
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

/// A completion from stored rows. Texts are compared as they are stored: trimmed and in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredCompletion {
    /// Ids of findings: live ones first, worst first, then newest first.
    Findings(IdPrefix),
    /// Ids of scans, newest first.
    Scans(IdPrefix),
    /// Ids of apps that the vendor still reports, most used first.
    Apps(IdPrefix),
    /// Names of apps that the vendor still reports, each once, sorted.
    AppNames(String),
    /// Email addresses of people: those with an account first, each group sorted.
    Addresses(String),
}

/// Storage queries for completions. Each query reads a bounded number of rows in the order of an index. If more
/// rows begin with the text, the values are ordered by likelihood only among the rows read.
#[async_trait]
pub trait CompletionStore: Send + Sync {
    /// Returns the values that begin with a text.
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
    fn the_range_of_a_prefix_contains_exactly_the_ids_that_begin_with_it() {
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
    fn a_text_that_no_id_begins_with_is_rejected() {
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
