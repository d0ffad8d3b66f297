//! Reading the values of a connection.

use secrecy::{ExposeSecret, SecretString};
use url::Url;
use watchpost_core::integration::connector::{ConfigField, ConnectorConfig, ConnectorError};
use watchpost_outbound::Outbound;

/// A plain value that must be given.
pub(crate) const fn required_field(name: &'static str, title: &'static str) -> ConfigField {
    ConfigField {
        name,
        title,
        secret: false,
        required: true,
        default: None,
    }
}

/// A plain value that may be left out.
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

/// A credential. None is required by itself: each vendor takes one of several.
pub(crate) const fn secret_field(name: &'static str, title: &'static str) -> ConfigField {
    ConfigField {
        name,
        title,
        secret: true,
        required: false,
        default: None,
    }
}

/// A value of the configuration is missing or wrong.
pub(crate) fn wrong(field: &'static str, reason: &str) -> ConnectorError {
    ConnectorError::Config {
        field,
        reason: reason.to_owned(),
    }
}

/// A plain value without surrounding blanks; `None` if it's empty.
pub(crate) fn plain<'c>(config: &'c ConnectorConfig, field: &str) -> Option<&'c str> {
    config
        .values
        .get(field)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

/// A plain value that must be there.
pub(crate) fn required<'c>(
    config: &'c ConnectorConfig,
    field: &'static str,
) -> Result<&'c str, ConnectorError> {
    plain(config, field).ok_or_else(|| wrong(field, "is missing"))
}

/// A credential; `None` if it's empty.
pub(crate) fn secret<'c>(config: &'c ConnectorConfig, field: &str) -> Option<&'c SecretString> {
    config
        .secrets
        .get(field)
        .filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// A credential as it goes into a request: people paste blanks and line ends along with it.
pub(crate) fn trimmed(secret: &SecretString) -> SecretString {
    SecretString::from(secret.expose_secret().trim().to_owned())
}

/// A base address without a slash at its end. `https://` may be left out.
pub(crate) fn base_url(outbound: &Outbound, field: &'static str, text: &str) -> Result<Url, ConnectorError> {
    let no_address = || wrong(field, "is no address; it looks like https://host");
    let whole = if text.contains("://") {
        text.to_owned()
    } else if is_host(text) {
        format!("https://{text}")
    } else {
        return Err(no_address());
    };
    let url = Url::parse(&whole).map_err(|_| no_address())?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            field,
            "must end with the host; leave out everything from `?` or `#` on",
        ));
    }
    outbound
        .check(&url)
        .map_err(|error| wrong(field, &error.to_string()))?;
    Ok(url)
}

/// Whether a text without scheme is a host name, perhaps with a port and slashes at its end.
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

/// An address below a base. `path` starts with a slash; identifiers in it went through [`crate::value::id`].
pub(crate) fn below(base: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url
}
