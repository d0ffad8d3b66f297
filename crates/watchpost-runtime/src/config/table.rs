//! The list of all settings.

use super::{
    settings::{LogFormat, Settings},
    value::{InvalidValue, RawValue, show_duration, show_list, show_text},
};
use crate::{server_url::ServerUrl, text};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;
use watchpost_mcp::ConfirmMode;

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// The setting's section and name, such as `http.listen`.
    pub name: &'static str,
    /// The setting's meaning, in one sentence.
    pub about: &'static str,
    pub(super) set: fn(&mut Settings, RawValue) -> Result<(), InvalidValue>,
    pub(super) show: fn(&Settings) -> String,
}

impl Key {
    /// The setting's environment variable, such as `WATCHPOST_HTTP_LISTEN`.
    pub fn variable(&self) -> String {
        format!("WATCHPOST_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// Variables of Watchpost that aren't settings, without their prefix.
pub(super) const OTHER_VARIABLES: [&str; 4] = ["API_KEY", "DATA_DIR", "MASTER_KEY_FILE", "WORKSPACE"];

/// The shortest time between two syncs of an integration.
const SYNC_EVERY_MIN: Duration = Duration::from_secs(60);

/// Every setting, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "limits.requests_per_hour",
        about: "maximum number of requests per hour and key over HTTP; 0 disables the limit",
        set: |to, raw| raw.count().map(|value| to.limits.requests_per_hour = value),
        show: |from| from.limits.requests_per_hour.to_string(),
    },
    Key {
        name: "limits.active_keys",
        about: "maximum number of active keys per workspace",
        set: |to, raw| raw.count_from_one().map(|value| to.limits.active_keys = value),
        show: |from| from.limits.active_keys.to_string(),
    },
    Key {
        name: "limits.streams_total",
        about: "maximum number of open event streams",
        set: |to, raw| raw.count_from_one().map(|value| to.limits.streams_total = value),
        show: |from| from.limits.streams_total.to_string(),
    },
    Key {
        name: "limits.streams_per_key",
        about: "maximum number of open event streams per key",
        set: |to, raw| {
            raw.count_from_one()
                .map(|value| to.limits.streams_per_key = value)
        },
        show: |from| from.limits.streams_per_key.to_string(),
    },
    Key {
        name: "http.listen",
        about: "address and port to listen on; port 0 selects a free port",
        set: |to, raw| {
            raw.parsed(text::setting::ADDRESS)
                .map(|value| to.http.listen = value)
        },
        show: |from| show_text(&from.http.listen.to_string()),
    },
    Key {
        name: "http.public_url",
        about: "the URL at which clients reach the server through its proxy, with the path if it has one; empty for none",
        set: |to, raw| public_url(&raw).map(|value| to.http.public_url = value),
        show: |from| {
            let url = from.http.public_url.as_ref().map(ToString::to_string);
            show_text(&url.unwrap_or_default())
        },
    },
    Key {
        name: "http.behind_proxy",
        about: "whether the server is behind a proxy that terminates TLS; required to listen on addresses other than loopback",
        set: |to, raw| raw.switch().map(|value| to.http.behind_proxy = value),
        show: |from| from.http.behind_proxy.to_string(),
    },
    Key {
        name: "http.trusted_proxies",
        about: "networks of proxies whose forwarded client addresses are trusted, such as 10.0.0.0/8",
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
        about: "number of threads that serve requests; 0 selects one per processor",
        set: |to, raw| raw.count().map(|value| to.http.threads = value),
        show: |from| from.http.threads.to_string(),
    },
    Key {
        name: "sync.every",
        about: "time from the start of one sync of an integration to the start of the next",
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
        about: "exact origins that are exempt from the rules for addresses and HTTPS, such as http://127.0.0.1:8080",
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
        about: "the changes for which a tool first asks a person for confirmation, if the client supports that: risky, always or never",
        set: |to, raw| {
            to.mcp.confirm = ConfirmMode::from_word(raw.text()?)
                .ok_or_else(|| InvalidValue::expected("risky, always or never", &raw))?;
            Ok(())
        },
        show: |from| show_text(from.mcp.confirm.as_str()),
    },
    Key {
        name: "policy.dir",
        about: "a folder with your own rules and checks; empty for none",
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
        name: "audit.checkpoint_file",
        about: "file outside the data folder for signed checkpoints of the audit trail; empty for one in the user's state folder, off for none",
        set: |to, raw| {
            let text = raw.text()?;
            if !(text.is_empty() || text == "off" || Path::new(text).is_absolute()) {
                return Err(InvalidValue::expected(text::setting::CHECKPOINT_FILE, &raw));
            }
            to.audit.checkpoint_file = text.to_owned();
            Ok(())
        },
        show: |from| show_text(&from.audit.checkpoint_file),
    },
    Key {
        name: "audit.syslog",
        about: "whether checkpoints go to the system's log, too",
        set: |to, raw| raw.switch().map(|value| to.audit.syslog = value),
        show: |from| from.audit.syslog.to_string(),
    },
    Key {
        name: "log.format",
        about: "format of the log on standard error: text or json",
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
        about: "level of the log (error, warn, info, debug, trace), or a filter per crate",
        set: |to, raw| raw.text().map(|text| to.log.filter = text.to_owned()),
        show: |from| show_text(&from.log.filter),
    },
];

fn public_url(raw: &RawValue) -> Result<Option<ServerUrl>, InvalidValue> {
    let text = raw.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    ServerUrl::parse(text)
        .map(Some)
        .map_err(|_| InvalidValue::expected(text::setting::PUBLIC_URL, raw))
}

fn network(text: &str) -> Result<ipnet::IpNet, InvalidValue> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from))
        .map_err(|_| InvalidValue::expected(text::setting::NETWORK, &text))
}

fn origin(text: &str) -> Result<String, InvalidValue> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .map(|url| url.origin().ascii_serialization())
        .filter(|origin| origin == text)
        .ok_or_else(|| InvalidValue::expected(text::setting::ORIGIN, &text))
}
