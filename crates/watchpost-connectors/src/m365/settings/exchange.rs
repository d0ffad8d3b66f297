//! The admin APIs of Exchange and Purview: the documented endpoints, and an undocumented proxy that runs one cmdlet per
//! request.

use super::{
    documents::Documents,
    hosts::{Host, Hosts, ListFormat, ReadRequest},
    table::{AUDIT_BYPASS, SHARED_MAILBOX, Workload, WorkloadSetting},
};
use crate::{
    m365::client::Client,
    settings::{SettingContent, SettingError},
    text::m365_settings as text,
};
use serde_json::{Value, json};
use url::Url;
use watchpost_outbound::{HeaderName, HeaderValue, Response};

/// The mailbox by which a request is routed to the tenant's servers. It is the same in all tenants.
const ANCHOR: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";
const DOCUMENTED_PERMISSION: &str = "Exchange.ManageAsAppV2";
const PROXY_PERMISSION: &str = "Exchange.ManageAsApp";

/// The two APIs, for one collection.
pub(super) struct Admin {
    tenant: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    exchange: Result<Host, SettingError>,
    compliance: Result<Host, SettingError>,
    /// The regional host that the proxy names; the outer `None` means that it hasn't been requested yet.
    region: Option<Option<Url>>,
    beta: bool,
}

impl Admin {
    pub(super) async fn new(client: &Client, hosts: &Hosts, documents: &mut Documents) -> Self {
        let mut headers = vec![
            (
                HeaderName::from_static("prefer"),
                HeaderValue::from_static("odata.maxpagesize=1000"),
            ),
            (
                HeaderName::from_static("x-responseformat"),
                HeaderValue::from_static("json"),
            ),
        ];
        let names = documents.tenant(client).await.ok();
        if let Some(domain) = names.and_then(|names| names.initial_domain)
            && let Ok(anchor) = HeaderValue::from_str(&format!("UPN:{ANCHOR}@{domain}"))
        {
            headers.push((HeaderName::from_static("x-anchormailbox"), anchor));
        }
        Self {
            tenant: documents.tenant_id(client).await,
            headers,
            exchange: hosts.exchange(),
            compliance: hosts.compliance(),
            region: None,
            beta: hosts.exchange_beta,
        }
    }

    /// Whether the operator has enabled the undocumented proxy.
    pub(super) const fn may_use_proxy(&self) -> bool {
        self.beta
    }

    /// Whether the address of a workload is known.
    pub(super) const fn has_address(&self, workload: Workload) -> bool {
        match workload {
            Workload::Exchange => self.exchange.is_ok(),
            Workload::Purview => self.compliance.is_ok(),
            Workload::Teams => false,
        }
    }

    /// Reads a setting from its documented endpoint.
    pub(super) async fn documented(
        &mut self,
        client: &Client,
        setting: &WorkloadSetting,
        endpoint: &str,
    ) -> Result<SettingContent, SettingError> {
        let host = self.exchange.as_mut().map_err(|error| error.clone())?;
        let url = host.url(&format!("/adminapi/v2.0/{}/{endpoint}", self.tenant), None);
        run(client, host, url, setting, DOCUMENTED_PERMISSION, &self.headers).await
    }

    /// Reads a setting through the proxy.
    pub(super) async fn proxy(
        &mut self,
        client: &Client,
        setting: &WorkloadSetting,
    ) -> Result<SettingContent, SettingError> {
        let at = format!("/adminapi/beta/{}/InvokeCommand", self.tenant);
        let (host, url) = match setting.workload {
            Workload::Purview => {
                let host = self.compliance.as_mut().map_err(|error| error.clone())?;
                let url = host.url(&at, None);
                (host, url)
            }
            Workload::Exchange => {
                let host = self.exchange.as_mut().map_err(|error| error.clone())?;
                if self.region.is_none() {
                    self.region = Some(region(client, host, &self.tenant).await);
                }
                let mut url = host.url(&at, None);
                if let Some(Some(region)) = &self.region
                    && let Some(name) = region.host_str()
                {
                    // `region` has checked that the host is a subdomain of ours with the same scheme and port.
                    let _ = url.set_host(Some(name));
                }
                (host, url)
            }
            Workload::Teams => {
                return Err(SettingError::Failed(text::SNAPSHOT_REQUIRED.to_owned()));
            }
        };
        run(client, host, url, setting, PROXY_PERMISSION, &self.headers).await
    }
}

/// Returns the tenant's regional host, if Exchange names one that is a subdomain of its own host.
async fn region(client: &Client, host: &mut Host, tenant: &str) -> Option<Url> {
    let url = host.url(&format!("/AdminApi/v1.0/{tenant}/EXOModuleFile"), None);
    let response = host
        .request(client, url.clone(), &ReadRequest::Get, |request| request)
        .await
        .ok()?;
    if response.status != 302 {
        return None;
    }
    let target = Url::parse(response.header("location")?).ok()?;
    let is_subdomain = target
        .host_str()?
        .strip_suffix(url.host_str()?)
        .is_some_and(|name| name.ends_with('.'));
    let is_same = target.scheme() == url.scheme()
        && target.port_or_known_default() == url.port_or_known_default()
        && target.username().is_empty()
        && target.password().is_none();
    (is_subdomain && is_same).then_some(target)
}

/// Runs the cmdlet that reads the setting.
async fn run(
    client: &Client,
    host: &mut Host,
    url: Url,
    setting: &WorkloadSetting,
    permission: &str,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<SettingContent, SettingError> {
    let parameters = match setting.path {
        SHARED_MAILBOX => json!({"RecipientTypeDetails": "SharedMailbox", "ResultSize": "Unlimited"}),
        AUDIT_BYPASS => json!({"ResultSize": "Unlimited"}),
        _ => json!({}),
    };
    let body = json!({"CmdletInput": {"CmdletName": setting.cmdlet(), "Parameters": parameters}});
    let format = ListFormat {
        request: ReadRequest::Query(body.to_string()),
        headers,
        rows: "value",
        next: "@odata.nextLink",
        permission,
        special_error: if setting.defender { no_defender } else { no_cmdlet },
        keep: if setting.path == AUDIT_BYPASS {
            may_bypass
        } else {
            Value::is_object
        },
    };
    let mut rows = host.list(client, url, &format).await?;
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        // Fields with `@` in their names describe the types of other fields.
        row.retain(|name, _| !name.contains('@'));
        if setting.path == SHARED_MAILBOX {
            row.retain(|name, _| MAILBOX_FIELDS.contains(&name.as_str()));
        }
    }
    Ok(SettingContent::list(rows))
}

/// The fields of a mailbox that are kept.
const MAILBOX_FIELDS: [&str; 6] = [
    "Identity",
    "DisplayName",
    "PrimarySmtpAddress",
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

/// Whether a mailbox may bypass auditing. The list has a row for each mailbox; those that are audited are omitted.
fn may_bypass(row: &Value) -> bool {
    let fields = row.as_object().into_iter().flatten();
    let mut flags = fields.filter(|(name, _)| name.eq_ignore_ascii_case("AuditBypassEnabled"));
    row.is_object() && !flags.any(|(_, value)| *value == Value::Bool(false))
}

fn is_unknown_cmdlet(response: &Response) -> bool {
    let name = b"CommandNotFoundException";
    matches!(response.status, 400 | 404) && response.body.windows(name.len()).any(|part| part == name)
}

fn no_defender(response: &Response) -> Option<SettingError> {
    is_unknown_cmdlet(response).then(|| SettingError::Unlicensed(text::NO_DEFENDER.to_owned()))
}

fn no_cmdlet(response: &Response) -> Option<SettingError> {
    is_unknown_cmdlet(response).then(|| SettingError::Denied(text::CMDLET_ROLE.to_owned()))
}
