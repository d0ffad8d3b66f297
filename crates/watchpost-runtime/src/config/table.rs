//! The one list of settings.

use super::{
    settings::{LogFormat, Settings},
    value::{InvalidValue, RawValue, show_duration, show_list, show_text},
};
use std::{path::PathBuf, time::Duration};
use url::Url;
use watchpost_mcp::ConfirmMode;

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// Section and name, `http.listen`.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub about: &'static str,
    pub(super) set: fn(&mut Settings, RawValue) -> Result<(), InvalidValue>,
    pub(super) show: fn(&Settings) -> String,
}

impl Key {
    /// Its environment variable, `WATCHPOST_HTTP_LISTEN`.
    pub fn variable(&self) -> String {
        format!("WATCHPOST_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// Variables of ours that aren't settings, without their prefix.
pub(super) const OTHER_VARIABLES: [&str; 4] = ["API_KEY", "DATA_DIR", "MASTER_KEY_FILE", "WORKSPACE"];

/// The shortest time between two syncs of an integration.
const SYNC_EVERY_MIN: Duration = Duration::from_secs(60);

/// Every setting, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "limits.requests_per_hour",
        about: "requests an hour per key over HTTP; 0 switches the limit off",
        set: |to, raw| raw.count().map(|value| to.limits.requests_per_hour = value),
        show: |from| from.limits.requests_per_hour.to_string(),
    },
    Key {
        name: "limits.active_keys",
        about: "active keys per workspace",
        set: |to, raw| raw.count_from_one().map(|value| to.limits.active_keys = value),
        show: |from| from.limits.active_keys.to_string(),
    },
    Key {
        name: "limits.streams_total",
        about: "open event streams in all",
        set: |to, raw| raw.count_from_one().map(|value| to.limits.streams_total = value),
        show: |from| from.limits.streams_total.to_string(),
    },
    Key {
        name: "limits.streams_per_key",
        about: "open event streams per key",
        set: |to, raw| {
            raw.count_from_one()
                .map(|value| to.limits.streams_per_key = value)
        },
        show: |from| from.limits.streams_per_key.to_string(),
    },
    Key {
        name: "http.listen",
        about: "address and port to listen on; port 0 takes a free one",
        set: |to, raw| {
            raw.parsed("an address with a port like 127.0.0.1:8787")
                .map(|value| to.http.listen = value)
        },
        show: |from| show_text(&from.http.listen.to_string()),
    },
    Key {
        name: "http.public_url",
        about: "the URL under which clients reach the server through its proxy; empty for none",
        set: |to, raw| public_url(&raw).map(|value| to.http.public_url = value),
        show: |from| {
            let url = from.http.public_url.as_ref();
            show_text(url.map_or("", |url| url.as_str().trim_end_matches('/')))
        },
    },
    Key {
        name: "http.behind_proxy",
        about: "a proxy with TLS stands before the server, so that it may listen off loopback",
        set: |to, raw| raw.switch().map(|value| to.http.behind_proxy = value),
        show: |from| from.http.behind_proxy.to_string(),
    },
    Key {
        name: "http.trusted_proxies",
        about: "networks whose forwarded client address is believed, like 10.0.0.0/8",
        set: |to, raw| {
            raw.list()?
                .iter()
                .map(|item| network(item))
                .collect::<Result<_, _>>()
                .map(|value| to.http.trusted_proxies = value)
        },
        show: |from| show_list(&from.http.trusted_proxies),
    },
    Key {
        name: "http.threads",
        about: "threads that serve; 0 takes one per processor",
        set: |to, raw| raw.count().map(|value| to.http.threads = value),
        show: |from| from.http.threads.to_string(),
    },
    Key {
        name: "sync.every",
        about: "from the start of one sync of an integration to the next",
        set: |to, raw| match raw.duration()? {
            short if short < SYNC_EVERY_MIN => Err(InvalidValue::expected("at least 60s", &raw)),
            value => {
                to.sync.every = value;
                Ok(())
            }
        },
        show: |from| show_duration(from.sync.every),
    },
    Key {
        name: "outbound.allow",
        about: "exact origins that are exempt from the rules for addresses and HTTPS, like http://127.0.0.1:8080",
        set: |to, raw| {
            raw.list()?
                .iter()
                .map(|item| origin(item))
                .collect::<Result<_, _>>()
                .map(|value| to.outbound.allow = value)
        },
        show: |from| show_list(&from.outbound.allow),
    },
    Key {
        name: "mcp.confirm",
        about: "when an assistant's client asks a person before a change: risky, always or never; a client that can't ask is not asked",
        set: |to, raw| {
            to.mcp.confirm = ConfirmMode::from_word(raw.text()?)
                .ok_or_else(|| InvalidValue::expected("risky, always or never", &raw))?;
            Ok(())
        },
        show: |from| show_text(from.mcp.confirm.as_str()),
    },
    Key {
        name: "policy.dir",
        about: "a folder with your own rules; empty for none",
        set: |to, raw| {
            let text = raw.text()?;
            to.policy.dir = (!text.is_empty()).then(|| PathBuf::from(text));
            Ok(())
        },
        show: |from| {
            let dir = from.policy.dir.as_ref();
            show_text(&dir.map(|dir| dir.display().to_string()).unwrap_or_default())
        },
    },
    Key {
        name: "log.format",
        about: "text for people or json for machines, to standard error",
        set: |to, raw| {
            to.log.format = match raw.text()? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(InvalidValue::expected("text or json", &raw)),
            };
            Ok(())
        },
        show: |from| {
            show_text(match from.log.format {
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            })
        },
    },
    Key {
        name: "log.filter",
        about: "a level (error, warn, info, debug, trace) or a filter per crate",
        set: |to, raw| raw.text().map(|text| to.log.filter = text.to_owned()),
        show: |from| show_text(&from.log.filter),
    },
];

fn public_url(raw: &RawValue) -> Result<Option<Url>, InvalidValue> {
    let text = raw.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    Url::parse(text)
        .ok()
        .filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        })
        .map(Some)
        .ok_or_else(|| InvalidValue::expected("a URL without a path like https://watchpost.example.com", raw))
}

fn network(text: &str) -> Result<ipnet::IpNet, InvalidValue> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from))
        .map_err(|_| InvalidValue::expected("a network like 10.0.0.0/8", &text))
}

fn origin(text: &str) -> Result<String, InvalidValue> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .map(|url| url.origin().ascii_serialization())
        .filter(|origin| origin == text)
        .ok_or_else(|| InvalidValue::expected("an exact origin like http://127.0.0.1:8080", &text))
}
