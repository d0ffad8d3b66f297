//! The addresses to which requests may go.

use crate::{request::RequestError, text};
use ipnet::{Ipv4Net, Ipv6Net};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};
use url::{Host, Url};

/// A scheme, host and port. Two origins are equal if all three parts are; the default port of a scheme may be omitted.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(url::Origin);

/// The error returned when a text isn't an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an origin: an origin looks like https://host or http://127.0.0.1:8080, without a user name, path or query"
)]
pub struct InvalidOrigin;

impl Origin {
    /// Returns the origin of a URL.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(url.origin())
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin)?;
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidOrigin);
        }
        Ok(Self::of(&url))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.ascii_serialization())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// The rules that apply to an allowed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// HTTPS, and public IP addresses only.
    Public,
    /// No restriction: the operator listed exactly this origin.
    Exempt,
}

/// Checks an address before anything is sent. Host names are checked again when they are resolved.
pub(crate) fn check(url: &Url, allow: &[Origin]) -> Result<Destination, RequestError> {
    let reject = |reason: &'static str| Err(RequestError::Refused { reason });
    if !url.username().is_empty() || url.password().is_some() {
        return reject(text::CREDENTIALS_IN_ADDRESS);
    }
    let Some(host) = url.host() else {
        return reject(text::NO_HOST);
    };
    if matches!(url.scheme(), "http" | "https") && allow.contains(&Origin::of(url)) {
        return Ok(Destination::Exempt);
    }
    if url.scheme() != "https" {
        return reject(text::NOT_HTTPS);
    }
    let address = match host {
        Host::Domain(_) => return Ok(Destination::Public),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    if is_global(address) {
        Ok(Destination::Public)
    } else {
        reject(text::PRIVATE_ADDRESS)
    }
}

/// The IPv4 ranges outside the public internet (IANA IPv4 Special-Purpose Address Registry), and the one public address
/// that serves a cloud's internal metadata.
const BLOCKED_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The only IPv6 range assigned to the public internet. IPv4-mapped, NAT64, unique-local, link-local and multicast
/// addresses are outside it.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The parts of [`GLOBAL_V6`] that aren't public: protocol assignments including Teredo, documentation, and 6to4, which
/// embeds an IPv4 address.
const BLOCKED_V6: &[Ipv6Net] = &[
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(s: [u16; 8], bits: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = s;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), bits)
}

/// Whether an address is on the public internet.
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !BLOCKED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !BLOCKED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_global() {
        let check = |text: &str, expected: bool| {
            assert_eq!(is_global(text.parse().unwrap()), expected, "{text}");
        };
        check("8.8.8.8", true);
        check("20.190.128.1", true);
        check("172.15.255.255", true);
        check("172.32.0.0", true);
        check("100.63.255.255", true);
        check("2606:4700::1111", true);
        check("2620:1ec::1", true);
        for blocked in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(blocked, false);
        }
    }

    #[test]
    fn an_origin_has_no_path_and_matches_exactly() {
        let origin: Origin = "http://127.0.0.1:8080".parse().unwrap();
        assert_eq!(origin, "http://127.0.0.1:8080/".parse().unwrap());
        assert_ne!(origin, "http://127.0.0.1:8081".parse().unwrap());
        assert_ne!(origin, "https://127.0.0.1:8080".parse().unwrap());
        for bad in [
            "127.0.0.1:8080",
            "http://a/b",
            "http://u@a",
            "http://a?x",
            "file:///etc",
            "ftp://a",
            "",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(InvalidOrigin), "{bad}");
        }
    }
}
