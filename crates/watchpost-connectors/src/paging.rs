//! Links to the next page of a list. They are opaque, are followed on the list's own origin, only once each and only up to a
//! limit.

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
    first: Url,
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
            first: first.clone(),
            seen,
            pages: 1,
            pages_max,
            empty: 0,
        }
    }

    /// Checks a link to the next page and records it. `rows` is the number of rows on the page that contained the link.
    /// Returns the address to request, which always has the origin of the first page.
    pub(crate) fn follow(&mut self, link: &str, rows: usize) -> Result<Url, ReadError> {
        let failed = |reason: &str| Err(ReadError::Failed(reason.to_owned()));
        let Some(url) = on_own_origin(&self.first, link) else {
            return failed(text::NEXT_LINK_INVALID);
        };
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

/// Returns the address of a vendor's link on the origin of `own`: the path and query of a link to another host are kept,
/// because vendors name regional or internal hosts, but credentials are never sent there. Returns `None` if the link isn't
/// an address of a web server.
pub(crate) fn on_own_origin(own: &Url, link: &str) -> Option<Url> {
    let linked = own.join(link).ok()?;
    if !matches!(linked.scheme(), "http" | "https") {
        return None;
    }
    if Origin::of(&linked) == Origin::of(own) && linked.username().is_empty() && linked.password().is_none() {
        return Some(linked);
    }
    tracing::debug!("a vendor's link names another host; its path is requested from the configured one");
    let mut url = own.clone();
    url.set_path(linked.path());
    url.set_query(linked.query());
    Some(url)
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
    fn links_are_followed_on_the_own_origin_only() {
        let check = |link: &str, expected: Option<&str>| {
            let followed = pagination().follow(link, 1).ok();
            assert_eq!(followed.as_ref().map(Url::as_str), expected, "{link}");
        };
        let next = "https://api.vendor.example/v1/users?after=%24a,b;c&limit=2";
        let plain = "https://api.vendor.example/v1/users?after=a";
        check(next, Some(next));
        check(
            "https://api.vendor.example:443/v1/x",
            Some("https://api.vendor.example/v1/x"),
        );
        for elsewhere in [
            "http://api.vendor.example/v1/users?after=a",
            "https://api.vendor.example:8443/v1/users?after=a",
            "https://api.vendor.example.evil.example/v1/users?after=a",
            "https://api.vendor.example@evil.example/v1/users?after=a",
            "https://user:word@api.vendor.example/v1/users?after=a",
            "https://region.vendor.example/v1/users?after=a",
            "//region.vendor.example/v1/users?after=a",
            "/v1/users?after=a",
            "?after=a",
        ] {
            check(elsewhere, Some(plain));
        }
        check(
            "https://region.vendor.example/v1/users?after=%24a,b;c&limit=2",
            Some(next),
        );
        for rejected in [
            "https://api.vendor.example/v1/users?limit=2",
            "https://region.vendor.example/v1/users?limit=2",
            "",
            "mailto:a@b.example",
            "file:///etc/passwd",
            "https://[",
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
