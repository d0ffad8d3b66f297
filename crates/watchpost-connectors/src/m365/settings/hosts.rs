//! The tenant's admin APIs other than Graph: their addresses in each cloud, and requests to them.

use super::documents::Documents;
use crate::{
    config::{base_url, config_error, plain},
    m365::client::{Client, GRAPH_API, Service},
    run::ReadError,
    settings::SettingError,
    text::{self, m365_settings},
    vendor::ApiError,
};
use serde_json::{Map, Value};
use url::Url;
use watchpost_core::integration::connector::{ConnectorConfig, ConnectorError};
use watchpost_outbound::{HeaderName, HeaderValue, Outbound, Request, Response};

/// The value that stands for the default address.
pub(in crate::m365) const KNOWN_ADDRESS: &str = "auto";

/// The addresses of a cloud's services. A cloud is identified by the host of its Graph. The US government clouds have no
/// default address for Fabric, because the addresses there differ too much to be derived.
struct Cloud {
    graph: &'static str,
    exchange: &'static str,
    compliance: &'static str,
    power_platform: &'static str,
    fabric: Option<&'static str>,
    /// The suffix of the tenant's name in the host name of SharePoint's admin API.
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

/// The scopes of tokens for Power Platform, by host: they differ from its addresses. The double slash is required.
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

/// The addresses of the APIs. An address that is neither configured nor known is absent.
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
    /// Parses the configuration.
    pub(in crate::m365) fn new(
        outbound: &Outbound,
        config: &ConnectorConfig,
        graph_host: &str,
    ) -> Result<Self, ConnectorError> {
        let cloud = CLOUDS.iter().find(|cloud| cloud.graph == graph_host);
        let given = |field| plain(config, field).filter(|text| *text != KNOWN_ADDRESS);
        let read = |field: &'static str, default: Option<&'static str>| match given(field).or(default) {
            Some(address) => base_url(outbound, field, address).map(Some),
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
                _ => return Err(config_error("exchange_admin_beta", m365_settings::NOT_A_BOOL)),
            },
        })
    }

    /// Returns the admin API of Exchange Online.
    pub(super) fn exchange(&self) -> Result<Host, SettingError> {
        host("Exchange", "exchange_url", self.exchange.as_ref(), None)
    }

    /// Returns the admin API of Purview.
    pub(super) fn compliance(&self) -> Result<Host, SettingError> {
        host("Purview", "compliance_url", self.compliance.as_ref(), None)
    }

    /// Returns the admin API of Power Platform.
    pub(super) fn power_platform(&self) -> Result<Host, SettingError> {
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

    /// Returns the admin API of Fabric.
    pub(super) fn fabric(&self) -> Result<Host, SettingError> {
        host("Fabric", "fabric_url", self.fabric.as_ref(), None)
    }

    /// Returns the admin API of SharePoint, whose address contains the tenant's name.
    pub(super) async fn sharepoint(
        &self,
        client: &Client,
        documents: &mut Documents,
    ) -> Result<Host, SettingError> {
        let derived;
        let mut url = self.sharepoint.as_ref();
        if let (None, Some(suffix)) = (url, self.sharepoint_suffix) {
            let tenant = documents.tenant(client).await?;
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
) -> Result<Host, SettingError> {
    match url {
        Some(url) => Ok(Host {
            name,
            service: Service::new(url.clone(), scope),
            unavailable: None,
        }),
        None => Err(SettingError::Failed(m365_settings::unknown_address(field))),
    }
}

/// One of the APIs.
pub(super) struct Host {
    name: &'static str,
    service: Service,
    /// The reason why no more requests are sent.
    unavailable: Option<SettingError>,
}

/// A request that only reads.
pub(super) enum ReadRequest {
    /// A GET.
    Get,
    /// A POST with JSON.
    Query(String),
}

impl Host {
    /// Returns an address of the API.
    pub(super) fn url(&self, path: &str, query: Option<&str>) -> Url {
        self.service.url(path, query)
    }

    /// Sends a request. Returns the response, whatever its status. After the API was unreachable or issued no token, no more
    /// requests are sent.
    pub(super) async fn request(
        &mut self,
        client: &Client,
        url: Url,
        request: &ReadRequest,
        with: impl FnOnce(Request) -> Request,
    ) -> Result<Response, SettingError> {
        if let Some(error) = &self.unavailable {
            return Err(error.clone());
        }
        let request = match request {
            ReadRequest::Get => Request::get(url),
            ReadRequest::Query(json) => Request::query(url, json.clone()),
        };
        match client.request(&self.service, with(request)).await {
            Ok(response) => Ok(response),
            Err(ApiError::Read(error @ (ReadError::Fatal(_) | ReadError::Unreachable(_)))) => {
                // Graph has responded, so only this host is unreachable, not the vendor.
                let error = match SettingError::from(error) {
                    SettingError::Unreachable(reason) => {
                        SettingError::Failed(m365_settings::unreachable(self.name, &reason))
                    }
                    error => error,
                };
                self.unavailable = Some(error.clone());
                Err(error)
            }
            Err(error) => Err(GRAPH_API.read_error(error, "").into()),
        }
    }

    /// Parses the body of a response, or converts its error. `permission` is the one whose absence causes a 401 or 403.
    pub(super) fn body(
        &self,
        response: &Response,
        permission: &str,
    ) -> Result<Map<String, Value>, SettingError> {
        match response.status {
            200..=299 => match serde_json::from_slice(&response.body) {
                Ok(Value::Object(fields)) => Ok(fields),
                _ => Err(self.unexpected_response()),
            },
            401 | 403 => Err(SettingError::Denied(permission.to_owned())),
            status => Err(SettingError::Failed(text::request_rejected(self.name, status))),
        }
    }

    /// Returns the error for a response that isn't in the API's format.
    pub(super) fn unexpected_response(&self) -> SettingError {
        SettingError::Failed(text::unexpected_response(self.name))
    }

    /// Reads all rows of a list.
    pub(super) async fn list(
        &mut self,
        client: &Client,
        first: Url,
        list: &ListFormat<'_>,
    ) -> Result<Vec<Value>, SettingError> {
        let mut pagination = client.session.pagination(&first);
        let mut url = first;
        let mut rows = Vec::new();
        let mut bytes = 0_usize;
        loop {
            let headers = list.headers;
            let response = self
                .request(client, url, &list.request, |request| {
                    request.with_headers(headers)
                })
                .await?;
            if let Some(error) = (list.special_error)(&response) {
                return Err(error);
            }
            bytes = bytes.saturating_add(response.body.len());
            if bytes > LIST_BYTES_MAX {
                return Err(SettingError::Failed(m365_settings::LIST_TOO_LARGE.to_owned()));
            }
            let mut fields = self.body(&response, list.permission)?;
            let page = match fields.remove(list.rows) {
                Some(Value::Array(page)) => page,
                _ => return Err(self.unexpected_response()),
            };
            let count = page.len();
            rows.extend(page.into_iter().filter(|row| (list.keep)(row)));
            match fields.get(list.next).and_then(Value::as_str) {
                Some(link) if !link.is_empty() => url = pagination.follow(link, count)?,
                _ => return Ok(rows),
            }
        }
    }
}

/// The maximum size of all pages of a list, in bytes.
const LIST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The request for a list, and the format of its pages.
pub(super) struct ListFormat<'a> {
    pub(super) request: ReadRequest,
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    /// The field with the rows of a page.
    pub(super) rows: &'static str,
    /// The field with the address of the next page.
    pub(super) next: &'static str,
    pub(super) permission: &'a str,
    /// Returns the error of a response that has a special meaning for this list.
    pub(super) special_error: fn(&Response) -> Option<SettingError>,
    /// Returns whether a row is kept.
    pub(super) keep: fn(&Value) -> bool,
}

/// A list without special errors.
pub(super) fn no_special_error(_: &Response) -> Option<SettingError> {
    None
}
