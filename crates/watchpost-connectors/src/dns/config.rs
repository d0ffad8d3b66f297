//! The part of a connection's configuration about looking up domains.

use super::read::{DnsSettings, HOSTS_MAX, SELECTORS_MAX, USUAL_SELECTORS};
use crate::{
    config::{config_error, optional_field, plain},
    text::dns as text,
};
use std::net::{IpAddr, SocketAddr};
use watchpost_core::integration::connector::{ConfigField, ConnectorConfig, ConnectorError};
use watchpost_outbound::dns::domain_name;

const SERVER: &str = "dns_server";
const SELECTORS: &str = "dkim_selectors";
const HOSTS: &str = "dns_hosts";

/// The value that stands for the system's name servers.
const SYSTEM: &str = "auto";
/// The value that stands for an empty list.
const NONE: &str = "none";
/// The default port of name servers.
const PORT: u16 = 53;
/// The maximum number of selectors that a connection may add.
const MORE_SELECTORS_MAX: usize = SELECTORS_MAX - USUAL_SELECTORS.len();

/// The field for the name server.
pub(crate) const SERVER_FIELD: ConfigField = optional_field(SERVER, text::SERVER_TITLE, Some(SYSTEM));

/// The field for additional selectors.
pub(crate) const SELECTORS_FIELD: ConfigField = optional_field(SELECTORS, text::SELECTORS_TITLE, Some(NONE));

/// The field for the hosts whose aliases are checked.
pub(crate) const HOSTS_FIELD: ConfigField = optional_field(HOSTS, text::HOSTS_TITLE, Some(NONE));

impl DnsSettings {
    /// Parses a connection's configuration.
    ///
    /// # Errors
    /// Returns an error if a value is invalid.
    pub(crate) fn from_config(config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let given = |field, default| plain(config, field).filter(|text| !text.eq_ignore_ascii_case(default));
        let server = given(SERVER, SYSTEM).map(address).transpose()?;
        let selectors = names(
            SELECTORS,
            given(SELECTORS, NONE),
            MORE_SELECTORS_MAX,
            |selector| domain_name(&format!("{selector}._domainkey.example")).is_ok(),
        )?;
        let hosts = names(HOSTS, given(HOSTS, NONE), HOSTS_MAX, |host| {
            domain_name(host).is_ok()
        })?;
        Ok(Self {
            server,
            selectors,
            hosts,
        })
    }
}

fn address(value: &str) -> Result<SocketAddr, ConnectorError> {
    let with_port = value.parse::<SocketAddr>();
    with_port
        .or_else(|_| value.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)))
        .map_err(|_| config_error(SERVER, text::INVALID_SERVER))
}

/// Parses names separated by commas or spaces.
fn names(
    field: &'static str,
    value: Option<&str>,
    max: usize,
    is_valid: impl Fn(&str) -> bool,
) -> Result<Vec<String>, ConnectorError> {
    let parts = value.unwrap_or_default().split([',', ' ']);
    let names: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if names.len() > max {
        return Err(config_error(field, &text::too_many_names(max)));
    }
    if names.iter().all(|name| is_valid(name)) {
        Ok(names)
    } else {
        Err(config_error(field, text::INVALID_NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str, value: &str) -> Result<DnsSettings, ConnectorError> {
        let mut config = ConnectorConfig::default();
        config.values.insert(field.to_owned(), value.to_owned());
        DnsSettings::from_config(&config)
    }

    #[test]
    fn the_defaults_are_the_systems_name_servers_and_no_additional_names() {
        for (field, value) in [
            (SERVER, ""),
            (SERVER, "AUTO"),
            (SELECTORS, "none"),
            (HOSTS, "none"),
        ] {
            let settings = read(field, value).unwrap();
            assert_eq!(settings.server, None);
            assert!(settings.selectors.is_empty() && settings.hosts.is_empty());
        }
    }

    #[test]
    fn a_server_is_an_address_with_an_optional_port() {
        for (text, expected) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            let server = read(SERVER, text).unwrap().server;
            assert_eq!(server.unwrap().to_string(), expected);
        }
        for text in ["dns.example", "192.0.2.53:", "192.0.2", "https://192.0.2.53"] {
            assert!(read(SERVER, text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_of_names_are_split_and_validated() {
        assert_eq!(
            read(SELECTORS, "K1, s2024 ,pm").unwrap().selectors,
            ["k1", "s2024", "pm"]
        );
        assert_eq!(
            read(HOSTS, "shop.birchworks.example www.birchworks.example")
                .unwrap()
                .hosts,
            ["shop.birchworks.example", "www.birchworks.example"]
        );
        for (field, text) in [
            (SELECTORS, "a/b"),
            (SELECTORS, ".."),
            (HOSTS, "localhost"),
            (HOSTS, "*.birchworks.example"),
        ] {
            assert!(read(field, text).is_err(), "{text}");
        }
        let many = ["k"; MORE_SELECTORS_MAX + 1].join(",");
        assert!(read(SELECTORS, &many).is_err());
    }
}
