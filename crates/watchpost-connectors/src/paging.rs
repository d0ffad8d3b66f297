//! Following next links: opaque, of the same origin, never twice, never for ever.

use crate::run::Trouble;
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};
use url::Url;
use watchpost_outbound::Origin;

/// Empty pages in a row that are believed.
const EMPTY_PAGES_MAX: u32 = 100;

/// The way through one list.
pub(crate) struct Trail {
    origin: Origin,
    seen: HashSet<u64>,
    pages: u32,
    pages_max: u32,
    empty: u32,
}

impl Trail {
    /// Begins at `first`.
    pub(crate) fn new(first: &Url, pages_max: u32) -> Self {
        let mut seen = HashSet::new();
        seen.insert(mark(first.as_str()));
        Self {
            origin: Origin::of(first),
            seen,
            pages: 1,
            pages_max,
            empty: 0,
        }
    }

    /// Judges a next link, and notes it.
    pub(crate) fn follow(&mut self, link: &str, rows: usize) -> Result<Url, Trouble> {
        let failed = |reason: &str| Err(Trouble::Failed(format!("paging: {reason}")));
        let Ok(url) = Url::parse(link) else {
            return failed("the vendor's next link is no address");
        };
        if Origin::of(&url) != self.origin || !url.username().is_empty() || url.password().is_some() {
            return failed("the vendor's next link leads to another host; it was not followed");
        }
        if !self.seen.insert(mark(url.as_str())) {
            return failed("the vendor's next link leads in a circle");
        }
        self.pages = self.pages.saturating_add(1);
        self.empty = if rows == 0 {
            self.empty.saturating_add(1)
        } else {
            0
        };
        if self.pages > self.pages_max || self.empty > EMPTY_PAGES_MAX {
            return failed("the list did not end");
        }
        Ok(url)
    }
}

/// Links are kept as marks: they can be long, and only equality counts.
fn mark(link: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    link.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        Trail::new(
            &Url::parse("https://api.vendor.example/v1/users?limit=2").unwrap(),
            5,
        )
    }

    #[test]
    fn only_new_links_of_the_same_origin_are_followed() {
        let check = |link: &str, expected: Option<&str>| {
            let followed = trail().follow(link, 1).ok();
            assert_eq!(followed.as_ref().map(Url::as_str), expected, "{link}");
        };
        let next = "https://api.vendor.example/v1/users?after=%24a,b;c&limit=2";
        check(next, Some(next));
        check(
            "https://api.vendor.example:443/v1/x",
            Some("https://api.vendor.example/v1/x"),
        );
        for refused in [
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
            check(refused, None);
        }
    }

    #[test]
    fn a_list_ends_at_the_cap_and_after_many_empty_pages() {
        let mut pages = trail();
        let ended = (0..9).position(|n| {
            pages
                .follow(&format!("https://api.vendor.example/{n}"), 1)
                .is_err()
        });
        assert_eq!(ended, Some(4));
        let mut empty = Trail {
            pages_max: 1_000,
            ..trail()
        };
        let ended = (0..900).position(|n| {
            empty
                .follow(&format!("https://api.vendor.example/{n}"), 0)
                .is_err()
        });
        assert_eq!(ended, Some(100));
    }
}
