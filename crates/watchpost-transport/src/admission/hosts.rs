//! The host names and web origins that requests may use.
//!
//! This check prevents DNS rebinding: without it, a web page whose own name resolves to 127.0.0.1 could access
//! a local server through the browser.

use http::{
    HeaderValue, Uri,
    header::{HOST, ORIGIN},
    request::Parts,
};
use std::net::IpAddr;
use url::Url;

/// The names allowed in the `Host` header and the origins allowed in the `Origin` header.
///
/// The loopback names are always allowed, with any port. Names are compared without case.
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    /// Additional names in lower case, without port. IPv6 addresses are in brackets.
    names: Vec<String>,
    /// Additional origins, serialized as in the URL standard.
    origins: Vec<String>,
    /// Whether clients reach the server by HTTPS.
    has_https_url: bool,
}

impl AllowedHosts {
    /// Allows only the loopback names: `localhost`, `127.0.0.1` and `[::1]`.
    pub fn loopback() -> Self {
        Self {
            names: Vec::new(),
            origins: Vec::new(),
            has_https_url: false,
        }
    }

    /// Also allows the host name and origin of the public URL, under which clients reach the server through a
    /// proxy. A URL without a host has no effect.
    #[must_use]
    pub fn with_public_url(mut self, url: &Url) -> Self {
        if let Some(host) = url.host_str() {
            self.names.push(host.to_ascii_lowercase());
            self.origins.push(url.origin().ascii_serialization());
            self.has_https_url |= url.scheme() == "https";
        }
        self
    }

    /// Also allows a host name or address without port, for a server with several names.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.names.push(name.to_ascii_lowercase());
        self
    }

    /// Whether the public URL uses HTTPS.
    pub(crate) fn has_https_url(&self) -> bool {
        self.has_https_url
    }

    /// Whether the request comes from a web page that may use this server. Requests without an `Origin` don't.
    pub(crate) fn allowed_origin<'h>(&self, head: &'h Parts) -> Option<&'h HeaderValue> {
        head.headers
            .get(ORIGIN)
            .filter(|origin| self.is_allowed_origin(origin))
    }

    pub(crate) fn check(&self, head: &Parts) -> Result<(), HostError> {
        let mut named = false;
        let mut hosts = head.headers.get_all(HOST).iter();
        if let Some(host) = hosts.next() {
            if hosts.next().is_some() {
                return Err(HostError::Ambiguous);
            }
            self.check_host(host.to_str().map_err(|_| HostError::Host)?)?;
            named = true;
        }
        // The host in HTTP/2, or in an HTTP/1 request with an absolute URI.
        if let Some(authority) = Uri::authority(&head.uri) {
            self.check_host(authority.as_str())?;
            named = true;
        }
        if !named {
            return Err(HostError::Ambiguous);
        }
        let mut origins = head.headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if self.is_allowed_origin(origin) => Ok(()),
            _ => Err(HostError::Origin),
        }
    }

    fn check_host(&self, authority: &str) -> Result<(), HostError> {
        let name = without_port(authority).ok_or(HostError::Host)?;
        if is_loopback(name)
            || self
                .names
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(name))
        {
            Ok(())
        } else {
            Err(HostError::Host)
        }
    }

    fn is_allowed_origin(&self, origin: &HeaderValue) -> bool {
        let Ok(text) = origin.to_str() else { return false };
        let Some((scheme, rest)) = text.split_once("://") else {
            return false;
        };
        if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
            return false;
        }
        if without_port(rest).is_some_and(is_loopback) {
            return true;
        }
        // An origin has no path or user, and parsing would silently drop them.
        if rest.contains(['/', '@', '?', '#', '\\']) {
            return false;
        }
        let Ok(url) = Url::parse(text) else { return false };
        let serialized = url.origin().ascii_serialization();
        self.origins.contains(&serialized)
    }
}

/// The reason why a request's host or origin is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostError {
    /// The request has no host, or more than one, so it isn't valid HTTP.
    Ambiguous,
    Host,
    Origin,
}

/// Returns the host of `host[:port]`, or `None` if the port is invalid. Other invalid parts, such as a user or
/// a path, remain in the result, so that it equals no allowed name.
fn without_port(authority: &str) -> Option<&str> {
    let end = if authority.starts_with('[') {
        authority.find(']')? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    let port_is_valid = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok() && !digits.starts_with('+'));
    port_is_valid.then_some(host)
}

fn is_loopback(name: &str) -> bool {
    if name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]" {
        return true;
    }
    let Some(inner) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    inner
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_ipv6() && address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> AllowedHosts {
        AllowedHosts::loopback().with_public_url(&Url::parse("https://Posture.example.com/watch").unwrap())
    }

    fn check_host(host: &str, expected: bool) {
        let got = allowed().check_host(host).is_ok();
        assert_eq!(got, expected, "{host:?}");
    }

    #[test]
    fn only_loopback_names_and_the_public_name_are_allowed() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:65535",
            "[0:0:0:0:0:0:0:1]",
            "posture.example.com",
            "POSTURE.example.com:443",
            "posture.example.com:8443",
        ] {
            check_host(host, true);
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::1",
            "::1",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "localhost:+80",
            "user@localhost",
            "localhost@evil.example",
            "localhost/",
            " localhost",
            "posture.example.com.",
            "xposture.example.com",
            "posture.example.comx",
        ] {
            check_host(host, false);
        }
    }

    fn check_origin(origin: &'static str, expected: bool) {
        let got = allowed().is_allowed_origin(&HeaderValue::from_static(origin));
        assert_eq!(got, expected, "{origin:?}");
    }

    #[test]
    fn an_origin_must_be_allowed() {
        for origin in [
            "http://localhost",
            "http://localhost:5173",
            "https://LOCALHOST:1",
            "http://127.0.0.1:9",
            "http://[::1]:9",
            "https://posture.example.com",
            "https://posture.example.com:443",
            "HTTPS://POSTURE.EXAMPLE.COM",
        ] {
            check_origin(origin, true);
        }
        for origin in [
            "null",
            "",
            "*",
            "http://posture.example.com",
            "https://posture.example.com:8443",
            "https://evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "https://user@posture.example.com",
            "https://posture.example.com/path",
            "file://localhost",
            "ftp://localhost",
            "chrome-extension://abcdef",
            "http://localhost:80:80",
            "//localhost",
            "localhost",
        ] {
            check_origin(origin, false);
        }
    }
}
