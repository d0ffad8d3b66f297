//! The tenant's administration APIs beside Graph: where they are in each cloud, and one that is spoken to.

use super::seen::Seen;
use crate::{
    config::{base_url, plain, wrong},
    m365::client::{Client, GRAPH_API, Service},
    run::Trouble,
    settings::Miss,
    vendor::Refusal,
};
use serde_json::{Map, Value};
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::{HeaderName, HeaderValue, Outbound, Request, Response};

/// Stands for the address that is known from elsewhere.
pub(in crate::m365) const KNOWN_ADDRESS: &str = "auto";

/// Where the services of a cloud are, by the host of its Graph. Clouds for the United States' government have Fabric
/// at addresses that differ too much to be guessed.
struct Cloud {
    graph: &'static str,
    exchange: &'static str,
    compliance: &'static str,
    power_platform: &'static str,
    fabric: Option<&'static str>,
    /// What follows the tenant's own name in SharePoint's administration.
    sharepoint: &'static str,
}

const CLOUDS: &[Cloud] = &[
    Cloud {
        graph: "graph.microsoft.com",
        exchange: "https://outlook.office365.com",
        compliance: "https://ps.compliance.protection.outlook.com",
        power_platform: "https://api.bap.microsoft.com",
        fabric: Some("https://api.fabric.microsoft.com"),
        sharepoint: "-admin.sharepoint.com",
    },
    Cloud {
        graph: "graph.microsoft.us",
        exchange: "https://outlook.office365.us",
        compliance: "https://ps.compliance.protection.office365.us",
        power_platform: "https://high.api.bap.microsoft.us",
        fabric: None,
        sharepoint: "-admin.sharepoint.us",
    },
    Cloud {
        graph: "dod-graph.microsoft.us",
        exchange: "https://webmail.apps.mil",
        compliance: "https://l5.ps.compliance.protection.office365.us",
        power_platform: "https://api.bap.appsplatform.us",
        fabric: None,
        sharepoint: "-admin.sharepoint-mil.us",
    },
];

/// Tokens for Power Platform go by another name than its address. The second slash belongs there.
const POWER_PLATFORM_SCOPES: &[(&str, &str)] = &[
    ("api.bap.microsoft.com", "https://service.powerapps.com//.default"),
    (
        "gov.api.bap.microsoft.us",
        "https://gov.service.powerapps.us//.default",
    ),
    (
        "high.api.bap.microsoft.us",
        "https://high.service.powerapps.us//.default",
    ),
    (
        "api.bap.appsplatform.us",
        "https://service.apps.appsplatform.us//.default",
    ),
];

/// The addresses of a connection; what is neither given nor known is absent.
pub(crate) struct Hosts {
    exchange: Option<Url>,
    compliance: Option<Url>,
    power_platform: Option<Url>,
    fabric: Option<Url>,
    sharepoint: Option<Url>,
    sharepoint_suffix: Option<&'static str>,
    /// Whether Exchange's undocumented proxy may be used.
    pub(super) exchange_beta: bool,
}

impl Hosts {
    /// Reads the configuration.
    pub(in crate::m365) fn new(
        outbound: &Outbound,
        config: &ConnectorConfig,
        graph_host: &str,
    ) -> Result<Self, ConnectorError> {
        let cloud = CLOUDS.iter().find(|cloud| cloud.graph == graph_host);
        let given = |field| plain(config, field).filter(|text| *text != KNOWN_ADDRESS);
        let read = |field: &'static str, known: Option<&'static str>| match given(field).or(known) {
            Some(text) => base_url(outbound, field, text).map(Some),
            None => Ok(None),
        };
        let beta = plain(config, "exchange_admin_beta").unwrap_or("false");
        Ok(Self {
            exchange: read("exchange_url", cloud.map(|cloud| cloud.exchange))?,
            compliance: read("compliance_url", cloud.map(|cloud| cloud.compliance))?,
            power_platform: read("power_platform_url", cloud.map(|cloud| cloud.power_platform))?,
            fabric: read("fabric_url", cloud.and_then(|cloud| cloud.fabric))?,
            sharepoint: read("sharepoint_admin_url", None)?,
            sharepoint_suffix: cloud.map(|cloud| cloud.sharepoint),
            exchange_beta: match beta.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => true,
                "false" | "no" | "off" | "0" => false,
                _ => return Err(wrong("exchange_admin_beta", "must be `true` or `false`")),
            },
        })
    }

    /// Exchange Online's administration.
    pub(super) fn exchange(&self) -> Result<Host, Miss> {
        host("Exchange", "exchange_url", self.exchange.as_ref(), None)
    }

    /// Security and compliance.
    pub(super) fn compliance(&self) -> Result<Host, Miss> {
        host("Purview", "compliance_url", self.compliance.as_ref(), None)
    }

    /// Power Platform's administration.
    pub(super) fn power_platform(&self) -> Result<Host, Miss> {
        let url = self.power_platform.as_ref();
        let name = url.and_then(Url::host_str).unwrap_or_default();
        let scope = POWER_PLATFORM_SCOPES.iter().find(|(host, _)| *host == name);
        host(
            "Power Platform",
            "power_platform_url",
            url,
            scope.map(|(_, scope)| *scope),
        )
    }

    /// Fabric's administration.
    pub(super) fn fabric(&self) -> Result<Host, Miss> {
        host("Fabric", "fabric_url", self.fabric.as_ref(), None)
    }

    /// SharePoint's administration, which has the tenant's own name in its address.
    pub(super) async fn sharepoint(&self, client: &Client, seen: &mut Seen) -> Result<Host, Miss> {
        let derived;
        let mut url = self.sharepoint.as_ref();
        if let (None, Some(suffix)) = (url, self.sharepoint_suffix) {
            let tenant = seen.tenant(client).await?;
            let name = tenant
                .initial_domain
                .as_deref()
                .and_then(|domain| domain.split('.').next())
                .filter(|name| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                });
            let address = name.map(|name| format!("https://{name}{suffix}"));
            derived = address.and_then(|address| {
                base_url(client.session.outbound(), "sharepoint_admin_url", &address).ok()
            });
            url = derived.as_ref();
        }
        host("SharePoint", "sharepoint_admin_url", url, None)
    }
}

fn host(
    name: &'static str,
    field: &'static str,
    url: Option<&Url>,
    scope: Option<&str>,
) -> Result<Host, Miss> {
    match url {
        Some(url) => Ok(Host {
            name,
            service: Service::new(url.clone(), scope),
            gone: None,
        }),
        None => Err(Miss::Failed(format!(
            "`{field}` isn't set, and it can't be told from `graph_url`"
        ))),
    }
}

/// One of these APIs, being spoken to.
pub(super) struct Host {
    name: &'static str,
    service: Service,
    /// Why it isn't asked any more.
    gone: Option<Miss>,
}

/// Requests that only read.
pub(super) enum Question {
    /// A GET.
    Get,
    /// A POST that asks, with its JSON.
    Query(String),
}

impl Host {
    /// An address of it.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.service.url(path, query)
    }

    /// Asks, and gives any answer. Once it can't be reached or gives no tokens it isn't asked again.
    pub(super) async fn ask(
        &mut self,
        client: &Client,
        url: Url,
        question: &Question,
        with: impl FnOnce(Request) -> Request,
    ) -> Result<Response, Miss> {
        if let Some(miss) = &self.gone {
            return Err(miss.clone());
        }
        let request = match question {
            Question::Get => Request::get(url),
            Question::Query(json) => Request::query(url, json.clone()),
        };
        match client.ask(&self.service, with(request)).await {
            Ok(answer) => Ok(answer),
            Err(Refusal::Trouble(trouble @ (Trouble::Fatal(_) | Trouble::Unreachable(_)))) => {
                // That Graph answers shows that the network is there: this host alone is the trouble.
                let miss = match Miss::from(trouble) {
                    Miss::Unreachable(reason) => {
                        Miss::Failed(format!("{} can't be reached: {reason}", self.name))
                    }
                    miss => miss,
                };
                self.gone = Some(miss.clone());
                Err(miss)
            }
            Err(refusal) => Err(GRAPH_API.trouble(refusal, "").into()),
        }
    }

    /// What an answer says: its body, or why there is none. `permission` is what a 401 or 403 lacks.
    pub(super) fn judge(&self, answer: &Response, permission: &str) -> Result<Map<String, Value>, Miss> {
        match answer.status {
            200..=299 => match serde_json::from_slice(&answer.body) {
                Ok(Value::Object(fields)) => Ok(fields),
                _ => Err(self.not_understood()),
            },
            401 | 403 => Err(Miss::Denied(permission.to_owned())),
            status => Err(Miss::Failed(format!(
                "{} refused the request (status {status})",
                self.name
            ))),
        }
    }

    /// An answer that isn't what such a host sends.
    pub(super) fn not_understood(&self) -> Miss {
        Miss::Failed(format!("{}'s answer could not be understood", self.name))
    }

    /// All rows of a list, that stands in `rows` and goes on at the address in `next`.
    pub(super) async fn list(
        &mut self,
        client: &Client,
        first: Url,
        list: &ListShape<'_>,
    ) -> Result<Vec<Value>, Miss> {
        let mut trail = client.session.trail(&first);
        let mut url = first;
        let mut rows = Vec::new();
        let mut bytes = 0_usize;
        loop {
            let headers = list.headers;
            let answer = self
                .ask(client, url, &list.question, |request| {
                    request.with_headers(headers)
                })
                .await?;
            let refused = (list.refused)(&answer);
            if let Some(miss) = refused {
                return Err(miss);
            }
            bytes = bytes.saturating_add(answer.body.len());
            if bytes > LIST_BYTES_MAX {
                return Err(Miss::Failed("the list is larger than 32 MiB".to_owned()));
            }
            let mut fields = self.judge(&answer, list.permission)?;
            let page = match fields.remove(list.rows) {
                Some(Value::Array(page)) => page,
                _ => return Err(self.not_understood()),
            };
            let count = page.len();
            rows.extend(page.into_iter().filter(|row| (list.keep)(row)));
            match fields.get(list.next).and_then(Value::as_str) {
                Some(link) if !link.is_empty() => url = trail.follow(link, count)?,
                _ => return Ok(rows),
            }
        }
    }
}

/// Bytes of all pages of one list.
const LIST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How a list is asked for and what its pages look like.
pub(super) struct ListShape<'a> {
    pub(super) question: Question,
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    pub(super) rows: &'static str,
    pub(super) next: &'static str,
    pub(super) permission: &'a str,
    /// A refusal that means something particular here.
    pub(super) refused: fn(&Response) -> Option<Miss>,
    /// Which rows are kept.
    pub(super) keep: fn(&Value) -> bool,
}

/// No refusal that means anything particular.
pub(super) fn as_usual(_: &Response) -> Option<Miss> {
    None
}
