//! Reads the credential from the headers. No other code reads it.

use crate::gate::Credential;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// The credential headers of a request.
#[derive(Debug)]
pub(crate) enum Presented<'a> {
    Nothing,
    One(Credential<'a>),
    /// The headers contain no valid credential, or two different ones.
    Unusable,
}

/// Reads `X-Api-Key: …` and `Authorization: Bearer …`. The scheme is compared without case, and surrounding
/// white space is ignored. An `Authorization` that can't be a key, which `is_key` decides by the form alone, is ignored
/// beside an `X-Api-Key` that can: it is the token of a proxy, or a client sends an empty or unfilled one.
pub(crate) fn presented(headers: &HeaderMap, is_key: impl Fn(&str) -> bool) -> Presented<'_> {
    let mut found: Option<&str> = None;
    let keys = || headers.get_all("x-api-key").iter().map(plain);
    let has_key = keys().flatten().any(&is_key);
    let bearers = headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(bearer)
        .filter(|secret| !has_key || secret.is_some_and(&is_key));
    for secret in keys().chain(bearers) {
        match (secret, found) {
            (None, _) => return Presented::Unusable,
            (Some(secret), None) => found = Some(secret),
            // Both secrets come from the same client, so the comparison needn't take constant time.
            (Some(secret), Some(earlier)) if secret == earlier => {}
            (Some(_), Some(_)) => return Presented::Unusable,
        }
    }
    found.map_or(Presented::Nothing, |secret| {
        Presented::One(Credential::key(secret))
    })
}

fn plain(value: &HeaderValue) -> Option<&str> {
    let secret = value.to_str().ok()?.trim();
    (!secret.is_empty()).then_some(secret)
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?.trim();
    let (scheme, rest) = text.split_once([' ', '\t'])?;
    let secret = rest.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected: Option<&str>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static(value),
            );
        }
        match (presented(&map, |secret| secret.starts_with("wp_")), expected) {
            (Presented::One(Credential::Key(key)), Some(secret)) => {
                assert_eq!(key.expose(), secret, "{headers:?}");
            }
            (Presented::Unusable, None) => {}
            (got, expected) => panic!("{headers:?}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_secret_is_found_in_every_valid_form() {
        check(&[("x-api-key", "wp_a")], Some("wp_a"));
        check(&[("X-API-KEY", "  wp_a ")], Some("wp_a"));
        check(&[("authorization", "Bearer wp_a")], Some("wp_a"));
        check(&[("AUTHORIZATION", "bearer wp_a")], Some("wp_a"));
        check(&[("Authorization", " BEARER \t wp_a ")], Some("wp_a"));
        check(
            &[("authorization", "Bearer wp_a"), ("x-api-key", "wp_a")],
            Some("wp_a"),
        );
        for unusable in [
            "Basic d3A6YQ==",
            "Bearer",
            "Bearer ",
            "Bearer undefined",
            "Bearer ${WATCHPOST_API_KEY}",
            "Bearer header.claims.signature",
            "wp_b",
            "",
        ] {
            check(
                &[("authorization", unusable), ("x-api-key", "wp_a")],
                Some("wp_a"),
            );
        }
    }

    #[test]
    fn missing_malformed_or_differing_secrets_are_unusable() {
        check(&[("authorization", "Bearer wp_a"), ("x-api-key", "wp_b")], None);
        check(&[("x-api-key", "wp_a"), ("x-api-key", "wp_b")], None);
        check(&[("authorization", "Basic d3A6YQ==")], None);
        check(&[("authorization", "Bearer")], None);
        check(&[("authorization", "Bearer ")], None);
        check(&[("x-api-key", "")], None);
        check(&[("authorization", "wp_a")], None);
        check(&[("x-api-key", ""), ("authorization", "Bearer wp_a")], None);
        check(
            &[("x-api-key", "undefined"), ("authorization", "Bearer wp_a")],
            None,
        );
    }

    #[test]
    fn a_credential_never_prints_its_secret() {
        let printed = format!("{:?}", Credential::key("wp_secret"));
        assert_eq!(printed, "Key(Secret(…))");
    }
}
