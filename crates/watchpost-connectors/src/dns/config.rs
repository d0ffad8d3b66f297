//! What a connection says about looking domains up.

use super::read::{DnsSettings, HOSTS_MAX, SELECTORS_MAX, USUAL_SELECTORS};
use crate::config::{optional_field, plain, wrong};
use std::net::{IpAddr, SocketAddr};
use watchpost_core::integration::connector::{ConfigField, ConnectorConfig, ConnectorError};
use watchpost_outbound::dns::domain_name;

const SERVER: &str = "dns_server";
const SELECTORS: &str = "dkim_selectors";
const HOSTS: &str = "dns_hosts";

/// The system's name servers.
const SYSTEM: &str = "auto";
/// Nothing more than what is known anyhow.
const NONE: &str = "none";
/// Where name servers listen.
const PORT: u16 = 53;
/// Selectors that a connection may add.
const MORE_SELECTORS_MAX: usize = SELECTORS_MAX - USUAL_SELECTORS.len();

/// Whom to ask.
pub(crate) const SERVER_FIELD: ConfigField = optional_field(
    SERVER,
    "Name server to ask about the company's domains, an IP address; `auto`: the system's",
    Some(SYSTEM),
);

/// More selectors.
pub(crate) const SELECTORS_FIELD: ConfigField = optional_field(
    SELECTORS,
    "DKIM selectors of other services that send the company's mail, with commas; `none`: the usual ones only",
    Some(NONE),
);

/// Hosts to follow.
pub(crate) const HOSTS_FIELD: ConfigField = optional_field(
    HOSTS,
    "Hosts whose aliases are followed to see whether they lead nowhere, with commas; `none`: no host",
    Some(NONE),
);

impl DnsSettings {
    /// Reads a connection's configuration.
    ///
    /// # Errors
    /// If a value can't be what it should be.
    pub(crate) fn from_config(config: &ConnectorConfig) -> Result<Self, ConnectorError> {
        let given = |field, known| plain(config, field).filter(|text| !text.eq_ignore_ascii_case(known));
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

fn address(text: &str) -> Result<SocketAddr, ConnectorError> {
    let with_port = text.parse::<SocketAddr>();
    with_port
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)))
        .map_err(|_| {
            wrong(
                SERVER,
                "must be an IP address, with `:` and a port if it isn't 53",
            )
        })
}

/// Names with commas or blanks between them.
fn names(
    field: &'static str,
    text: Option<&str>,
    max: usize,
    good: impl Fn(&str) -> bool,
) -> Result<Vec<String>, ConnectorError> {
    let words = text.unwrap_or_default().split([',', ' ']);
    let names: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if names.len() > max {
        return Err(wrong(field, &format!("may name {max} at the most")));
    }
    if names.iter().all(|name| good(name)) {
        Ok(names)
    } else {
        Err(wrong(field, "must be names as in DNS, with commas between them"))
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
    fn without_a_word_the_system_is_asked_about_what_is_usual() {
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
    fn a_server_is_an_address_with_or_without_port() {
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
    fn names_are_a_list_and_checked() {
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
