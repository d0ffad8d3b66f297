//! The admin APIs of Exchange and Purview: the documented endpoints, and an undocumented proxy that runs one cmdlet per
//! request.

use super::{
    documents::Documents,
    hosts::{Host, Hosts, ListFormat, ReadRequest},
    table::{AUDIT_BYPASS, SHARED_MAILBOX, Workload, WorkloadSetting},
};
use crate::{
    form,
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
    /// The regional hosts that the proxies of Exchange and Purview name; `None` means that a host hasn't been requested yet.
    regions: [Option<Option<String>>; 2],
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
            regions: [None, None],
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
        let [of_exchange, of_purview] = &mut self.regions;
        let (host, region) = match setting.workload {
            Workload::Exchange => (&mut self.exchange, of_exchange),
            Workload::Purview => (&mut self.compliance, of_purview),
            Workload::Teams => {
                return Err(SettingError::Failed(text::SNAPSHOT_REQUIRED.to_owned()));
            }
        };
        let host = host.as_mut().map_err(|error| error.clone())?;
        if region.is_none() {
            *region = Some(find_region(client, host, &self.tenant).await);
        }
        let mut url = host.url(&at, None);
        if let Some(Some(name)) = region {
            // `regional_host` has checked that the host is a subdomain of ours with the same scheme and port.
            let _ = url.set_host(Some(name));
        }
        run(client, host, url, setting, PROXY_PERMISSION, &self.headers).await
    }
}

/// Returns the tenant's regional host, if the service names one.
async fn find_region(client: &Client, host: &mut Host, tenant: &str) -> Option<String> {
    let url = host.url(&format!("/AdminApi/v1.0/{tenant}/EXOModuleFile"), None);
    let response = host
        .request(client, url.clone(), &ReadRequest::Get, |request| request)
        .await
        .ok()?;
    if response.status != 302 {
        return None;
    }
    regional_host(&url, response.header("location")?)
}

/// Returns the host of a redirection that leads to a subdomain of `url`'s host, with the same scheme and port.
fn regional_host(url: &Url, location: &str) -> Option<String> {
    let target = Url::parse(location).ok()?;
    let name = target.host_str()?;
    let is_subdomain = name
        .strip_suffix(url.host_str()?)
        .is_some_and(|prefix| prefix.ends_with('.'));
    let is_same = target.scheme() == url.scheme()
        && target.port_or_known_default() == url.port_or_known_default()
        && target.username().is_empty()
        && target.password().is_none();
    (is_subdomain && is_same).then(|| name.to_owned())
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
    // The documented endpoint for mailboxes has no parameter for their kind.
    let parameters = match setting.path {
        SHARED_MAILBOX if permission == PROXY_PERMISSION => {
            json!({"RecipientTypeDetails": "SharedMailbox", "ResultSize": "Unlimited"})
        }
        SHARED_MAILBOX | AUDIT_BYPASS => json!({"ResultSize": "Unlimited"}),
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
        keep: match setting.path {
            AUDIT_BYPASS => may_bypass,
            SHARED_MAILBOX => may_be_shared,
            _ => Value::is_object,
        },
    };
    let mut rows = host.list(client, url, &format).await?;
    if setting.path == SHARED_MAILBOX && !rows.iter().all(|row| kind_of_mailbox(row).is_some()) {
        return Err(SettingError::Failed(text::MAILBOX_KINDS_MISSING.to_owned()));
    }
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        // Fields with `@` in their names describe the types of other fields.
        row.retain(|name, _| !name.contains('@'));
        if setting.path == SHARED_MAILBOX {
            row.retain(|name, _| MAILBOX_FIELDS.contains(&name.as_str()));
        }
    }
    let rows = rows.into_iter().map(|row| form::from_command(setting.path, row));
    Ok(SettingContent::list(rows.collect()))
}

/// Returns the kind of a mailbox.
fn kind_of_mailbox(row: &Value) -> Option<&str> {
    row.get("RecipientTypeDetails").and_then(Value::as_str)
}

/// Whether a mailbox is shared, or of an unknown kind.
fn may_be_shared(row: &Value) -> bool {
    row.is_object() && kind_of_mailbox(row).is_none_or(|kind| kind.eq_ignore_ascii_case("SharedMailbox"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_subdomain_of_the_configured_host_is_a_regional_host() {
        let check = |base: &str, location: &str, expected: Option<&str>| {
            let url = Url::parse(base).unwrap();
            assert_eq!(
                regional_host(&url, location).as_deref(),
                expected,
                "{base} {location}"
            );
        };
        let exchange = "https://outlook.office365.com/AdminApi/v1.0/t/EXOModuleFile";
        let purview = "https://ps.compliance.protection.outlook.com/AdminApi/v1.0/t/EXOModuleFile";
        check(
            exchange,
            "https://eurp190.outlook.office365.com/AdminApi/v1.0/t/EXOModuleFile?a=b",
            Some("eurp190.outlook.office365.com"),
        );
        check(
            purview,
            "https://eur01b.ps.compliance.protection.outlook.com:443/AdminApi/v1.0/t/EXOModuleFile",
            Some("eur01b.ps.compliance.protection.outlook.com"),
        );
        for location in [
            "https://outlook.office365.com/",
            "https://evil-outlook.office365.com/",
            "https://outlook.office365.com.evil.example/",
            "https://a.outlook.office365.com:8443/",
            "http://a.outlook.office365.com/",
            "https://user@a.outlook.office365.com/",
            "https://eur01b.ps.compliance.protection.outlook.com/",
            "/AdminApi/v1.0/t/EXOModuleFile",
            "",
        ] {
            check(exchange, location, None);
        }
    }

    #[test]
    fn mailboxes_of_another_kind_are_left_out() {
        let check = |row: Value, expected: bool| assert_eq!(may_be_shared(&row), expected, "{row}");
        check(json!({"RecipientTypeDetails": "SharedMailbox"}), true);
        check(json!({"RecipientTypeDetails": "UserMailbox"}), false);
        check(json!({"Identity": "unknown"}), true);
        check(json!("text"), false);
    }
}
