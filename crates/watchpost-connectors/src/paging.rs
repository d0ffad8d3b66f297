//! Links to the next page of a list. They are opaque, must have the same origin, and are followed only once each and only
//! up to a limit.

use crate::{run::ReadError, text};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};
use url::Url;
use watchpost_outbound::Origin;

/// The maximum number of consecutive empty pages.
const EMPTY_PAGES_MAX: u32 = 100;

/// The pages of one list, as far as they have been read.
pub(crate) struct Pagination {
    origin: Origin,
    seen: HashSet<u64>,
    pages: u32,
    pages_max: u32,
    empty: u32,
}

impl Pagination {
    /// Starts with the address of the first page.
    pub(crate) fn new(first: &Url, pages_max: u32) -> Self {
        let mut seen = HashSet::new();
        seen.insert(hash(first.as_str()));
        Self {
            origin: Origin::of(first),
            seen,
            pages: 1,
            pages_max,
            empty: 0,
        }
    }

    /// Checks a link to the next page and records it. `rows` is the number of rows on the page that contained the link.
    pub(crate) fn follow(&mut self, link: &str, rows: usize) -> Result<Url, ReadError> {
        let failed = |reason: &str| Err(ReadError::Failed(reason.to_owned()));
        let Ok(url) = Url::parse(link) else {
            return failed(text::NEXT_LINK_INVALID);
        };
        if Origin::of(&url) != self.origin || !url.username().is_empty() || url.password().is_some() {
            return failed(text::NEXT_LINK_OF_OTHER_HOST);
        }
        if !self.seen.insert(hash(url.as_str())) {
            return failed(text::NEXT_LINK_REPEATED);
        }
        self.pages = self.pages.saturating_add(1);
        self.empty = if rows == 0 {
            self.empty.saturating_add(1)
        } else {
            0
        };
        if self.pages > self.pages_max || self.empty > EMPTY_PAGES_MAX {
            return failed(text::ENDLESS_LIST);
        }
        Ok(url)
    }
}

/// Returns the hash of a link. Links can be long and are only compared for equality, so only their hashes are kept.
fn hash(link: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    link.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pagination() -> Pagination {
        Pagination::new(
            &Url::parse("https://api.vendor.example/v1/users?limit=2").unwrap(),
            5,
        )
    }

    #[test]
    fn only_new_links_of_the_same_origin_are_followed() {
        let check = |link: &str, expected: Option<&str>| {
            let followed = pagination().follow(link, 1).ok();
            assert_eq!(followed.as_ref().map(Url::as_str), expected, "{link}");
        };
        let next = "https://api.vendor.example/v1/users?after=%24a,b;c&limit=2";
        check(next, Some(next));
        check(
            "https://api.vendor.example:443/v1/x",
            Some("https://api.vendor.example/v1/x"),
        );
        for rejected in [
            "https://api.vendor.example/v1/users?limit=2",
            "http://api.vendor.example/v1/users?after=a",
            "https://api.vendor.example:8443/v1/users?after=a",
            "https://api.vendor.example.evil.example/v1",
            "https://api.vendor.example@evil.example/v1",
            "https://user@api.vendor.example/v1",
            "https://evil.example/v1",
            "/v1/users?after=a",
            "",
        ] {
            check(rejected, None);
        }
    }

    #[test]
    fn a_list_ends_at_the_page_limit_and_after_too_many_empty_pages() {
        let mut pages = pagination();
        let ended = (0..9).position(|n| {
            pages
                .follow(&format!("https://api.vendor.example/{n}"), 1)
                .is_err()
        });
        assert_eq!(ended, Some(4));
        let mut empty = Pagination {
            pages_max: 1_000,
            ..pagination()
        };
        let ended = (0..900).position(|n| {
            empty
                .follow(&format!("https://api.vendor.example/{n}"), 0)
                .is_err()
        });
        assert_eq!(ended, Some(100));
    }
}
