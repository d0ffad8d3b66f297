//! Reading the values of a connection's configuration.

use crate::text;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use watchpost_core::integration::connector::{ConfigField, ConnectorConfig, ConnectorError};
use watchpost_outbound::Outbound;

/// Describes a plain value that is required.
pub(crate) const fn required_field(name: &'static str, title: &'static str) -> ConfigField {
    ConfigField {
        name,
        title,
        secret: false,
        required: true,
        default: None,
    }
}

/// Describes a plain value that is optional.
pub(crate) const fn optional_field(
    name: &'static str,
    title: &'static str,
    default: Option<&'static str>,
) -> ConfigField {
    ConfigField {
        name,
        title,
        secret: false,
        required: false,
        default,
    }
}

/// Describes a credential. No single credential is required: each vendor accepts one of several.
pub(crate) const fn secret_field(name: &'static str, title: &'static str) -> ConfigField {
    ConfigField {
        name,
        title,
        secret: true,
        required: false,
        default: None,
    }
}

/// Returns the error for a missing or invalid value.
pub(crate) fn config_error(field: &'static str, reason: &str) -> ConnectorError {
    ConnectorError::Config {
        field,
        reason: reason.to_owned(),
    }
}

/// Returns a plain value without surrounding whitespace; `None` if it is absent or empty.
pub(crate) fn plain<'c>(config: &'c ConnectorConfig, field: &str) -> Option<&'c str> {
    config
        .values
        .get(field)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

/// Returns a plain value that is required.
pub(crate) fn required<'c>(
    config: &'c ConnectorConfig,
    field: &'static str,
) -> Result<&'c str, ConnectorError> {
    plain(config, field).ok_or_else(|| config_error(field, text::MISSING))
}

/// Returns a credential; `None` if it is absent or empty.
pub(crate) fn secret<'c>(config: &'c ConnectorConfig, field: &str) -> Option<&'c SecretString> {
    config
        .secrets
        .get(field)
        .filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// Returns a credential without the surrounding whitespace that people paste with it.
pub(crate) fn trimmed(secret: &SecretString) -> SecretString {
    SecretString::from(secret.expose_secret().trim().to_owned())
}

/// Parses a base address. `https://` may be omitted.
pub(crate) fn base_url(
    outbound: &Outbound,
    field: &'static str,
    address: &str,
) -> Result<Url, ConnectorError> {
    let invalid = || config_error(field, text::NOT_AN_ADDRESS);
    let whole = if address.contains("://") {
        address.to_owned()
    } else if is_host(address) {
        format!("https://{address}")
    } else {
        return Err(invalid());
    };
    let url = Url::parse(&whole).map_err(|_| invalid())?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(config_error(field, text::ADDRESS_WITH_QUERY));
    }
    outbound
        .check(&url)
        .map_err(|error| config_error(field, &error.to_string()))?;
    Ok(url)
}

/// Whether a text without a scheme is a host name, optionally with a port and trailing slashes.
fn is_host(text: &str) -> bool {
    let text = text.trim_end_matches('/');
    let (name, port) = text.split_once(':').unwrap_or((text, "443"));
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && !port.is_empty()
        && port.bytes().all(|b| b.is_ascii_digit())
}

/// Appends a path to a base address. `path` starts with a slash; identifiers in it are checked by [`crate::value::id`].
pub(crate) fn below(base: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}
