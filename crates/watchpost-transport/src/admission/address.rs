//! The client's address. Forwarded addresses are used only if they come from a configured proxy.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// The maximum number of forwarded addresses that are read, from the right.
const HOPS_MAX: usize = 16;

/// Returns the client's address: the peer's address, or, if the peer is a trusted proxy, the rightmost address
/// of `X-Forwarded-For` that isn't a trusted proxy itself. Addresses further to the left may be forged and are
/// ignored.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted(peer, proxies) {
        return peer;
    }
    let mut nearest = peer;
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    for hop in hops.take(HOPS_MAX) {
        let Some(address) = parse(hop) else { return nearest };
        nearest = address;
        if !trusted(address, proxies) {
            return address;
        }
    }
    nearest
}

/// Whether `X-Forwarded-Proto` is `https`. The header is used only if it comes from a trusted proxy. Its
/// rightmost value, set by the nearest proxy, counts.
pub(crate) fn is_forwarded_https(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> bool {
    if !trusted(peer.to_canonical(), proxies) {
        return false;
    }
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    last.and_then(|value| value.to_str().ok()?.rsplit(',').next())
        .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// Returns the network by which invalid keys and connections are counted: the address itself, or the /64
/// network for IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 => v4,
    }
}

pub(crate) fn trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// Parses one element of `X-Forwarded-For`: an address, optionally with brackets or a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address: IpAddr = if let Ok(address) = hop.parse() {
        address
    } else if let Ok(with_port) = hop.parse::<std::net::SocketAddr>() {
        with_port.ip()
    } else {
        hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&'static str], expected: &str) {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(value));
        }
        let found = client(peer.parse().unwrap(), &headers, &proxies);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }

    #[test]
    fn forwarded_addresses_are_used_only_from_trusted_proxies() {
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["192.0.2.66, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("10.0.0.1", &["192.0.2.66", "198.51.100.1:4711"], "198.51.100.1");
        check("10.0.0.1", &["[2001:db8::7]:80"], "2001:db8::7");
        check("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7");
        check("10.0.0.1", &["nonsense"], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
    }

    #[test]
    fn a_forwarded_scheme_is_used_only_from_a_trusted_proxy() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let check = |peer: &str, forwarded: &[&'static str], expected: bool| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-proto", http::HeaderValue::from_static(value));
            }
            let found = is_forwarded_https(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(found, expected, "{peer} {forwarded:?}");
        };
        check("10.0.0.1", &["https"], true);
        check("::ffff:10.0.0.1", &["HTTPS"], true);
        check("10.0.0.1", &["http, https"], true);
        check("10.0.0.1", &["http", "https"], true);
        check("10.0.0.1", &["https, http"], false);
        check("10.0.0.1", &["https", "http"], false);
        check("10.0.0.1", &[], false);
        check("203.0.113.9", &["https"], false);
    }

    #[test]
    fn an_ipv6_client_is_counted_by_its_64_bit_network() {
        let one = network("2001:db8:1:2:3:4:5:6".parse().unwrap());
        let other = network("2001:db8:1:2:ffff::1".parse().unwrap());
        assert_eq!(one, other);
        assert_ne!(one, network("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(
            network("::ffff:192.0.2.1".parse().unwrap()),
            "192.0.2.1".parse::<IpAddr>().unwrap()
        );
    }
}
