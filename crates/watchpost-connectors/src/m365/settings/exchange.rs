//! Exchange's and Purview's own administration APIs: documented endpoints, and an undocumented proxy that runs one
//! cmdlet per request.

use super::{
    hosts::{Host, Hosts, ListShape, Question},
    seen::Seen,
    table::{AUDIT_BYPASS, SHARED_MAILBOX, Workload, WorkloadSetting},
};
use crate::{
    m365::client::Client,
    settings::{Found, Miss},
};
use serde_json::{Value, json};
use url::Url;
use watchpost_outbound::{HeaderName, HeaderValue, Response};

/// The mailbox that routes a request to the tenant's servers. The same in all tenants.
const ANCHOR: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";
const DOCUMENTED_PERMISSION: &str = "Exchange.ManageAsAppV2";
const PROXY_PERMISSION: &str = "Exchange.ManageAsApp";

/// These APIs for one collection.
pub(super) struct Admin {
    tenant: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    exchange: Result<Host, Miss>,
    compliance: Result<Host, Miss>,
    /// The regional host that the proxy names, once it was asked.
    region: Option<Option<Url>>,
    beta: bool,
}

impl Admin {
    pub(super) async fn new(client: &Client, hosts: &Hosts, seen: &mut Seen) -> Self {
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
        let names = seen.tenant(client).await.ok();
        if let Some(domain) = names.and_then(|names| names.initial_domain)
            && let Ok(anchor) = HeaderValue::from_str(&format!("UPN:{ANCHOR}@{domain}"))
        {
            headers.push((HeaderName::from_static("x-anchormailbox"), anchor));
        }
        Self {
            tenant: seen.tenant_id(client).await,
            headers,
            exchange: hosts.exchange(),
            compliance: hosts.compliance(),
            region: None,
            beta: hosts.exchange_beta,
        }
    }

    /// Whether the undocumented proxy may be used.
    pub(super) const fn may_use_proxy(&self) -> bool {
        self.beta
    }

    /// Whether it is known where a workload is.
    pub(super) const fn knows(&self, workload: Workload) -> bool {
        match workload {
            Workload::Exchange => self.exchange.is_ok(),
            Workload::Purview => self.compliance.is_ok(),
            Workload::Teams => false,
        }
    }

    /// Reads a setting at its documented endpoint.
    pub(super) async fn documented(
        &mut self,
        client: &Client,
        setting: &WorkloadSetting,
        endpoint: &str,
    ) -> Result<Found, Miss> {
        let host = self.exchange.as_mut().map_err(|miss| miss.clone())?;
        let url = host.url(&format!("/adminapi/v2.0/{}/{endpoint}", self.tenant), None);
        run(client, host, url, setting, DOCUMENTED_PERMISSION, &self.headers).await
    }

    /// Reads a setting through the proxy.
    pub(super) async fn proxy(&mut self, client: &Client, setting: &WorkloadSetting) -> Result<Found, Miss> {
        let at = format!("/adminapi/beta/{}/InvokeCommand", self.tenant);
        let (host, url) = match setting.workload {
            Workload::Purview => {
                let host = self.compliance.as_mut().map_err(|miss| miss.clone())?;
                let url = host.url(&at, None);
                (host, url)
            }
            Workload::Exchange => {
                let host = self.exchange.as_mut().map_err(|miss| miss.clone())?;
                if self.region.is_none() {
                    self.region = Some(region(client, host, &self.tenant).await);
                }
                let mut url = host.url(&at, None);
                if let Some(Some(region)) = &self.region
                    && let Some(name) = region.host_str()
                {
                    // Same scheme and port, and a name below ours: that was seen to.
                    let _ = url.set_host(Some(name));
                }
                (host, url)
            }
            Workload::Teams => {
                return Err(Miss::Failed(
                    "only a configuration snapshot can read it".to_owned(),
                ));
            }
        };
        run(client, host, url, setting, PROXY_PERMISSION, &self.headers).await
    }
}

/// The regional host for the tenant, if Exchange names one below its own.
async fn region(client: &Client, host: &mut Host, tenant: &str) -> Option<Url> {
    let url = host.url(&format!("/AdminApi/v1.0/{tenant}/EXOModuleFile"), None);
    let answer = host
        .ask(client, url.clone(), &Question::Get, |request| request)
        .await
        .ok()?;
    if answer.status != 302 {
        return None;
    }
    let target = Url::parse(answer.header("location")?).ok()?;
    let below = target
        .host_str()?
        .strip_suffix(url.host_str()?)
        .is_some_and(|name| name.ends_with('.'));
    let same = target.scheme() == url.scheme()
        && target.port_or_known_default() == url.port_or_known_default()
        && target.username().is_empty()
        && target.password().is_none();
    (below && same).then_some(target)
}

/// Runs the setting's own cmdlet and no other.
async fn run(
    client: &Client,
    host: &mut Host,
    url: Url,
    setting: &WorkloadSetting,
    permission: &str,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<Found, Miss> {
    let parameters = match setting.path {
        SHARED_MAILBOX => json!({"RecipientTypeDetails": "SharedMailbox", "ResultSize": "Unlimited"}),
        AUDIT_BYPASS => json!({"ResultSize": "Unlimited"}),
        _ => json!({}),
    };
    let body = json!({"CmdletInput": {"CmdletName": setting.cmdlet(), "Parameters": parameters}});
    let shape = ListShape {
        question: Question::Query(body.to_string()),
        headers,
        rows: "value",
        next: "@odata.nextLink",
        permission,
        refused: if setting.defender { no_defender } else { no_cmdlet },
        keep: if setting.path == AUDIT_BYPASS {
            may_bypass
        } else {
            Value::is_object
        },
    };
    let mut rows = host.list(client, url, &shape).await?;
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        // Types of values, which come beside them.
        row.retain(|name, _| !name.contains('@'));
        if setting.path == SHARED_MAILBOX {
            row.retain(|name, _| MAILBOX_FIELDS.contains(&name.as_str()));
        }
    }
    Ok(Found::list(rows))
}

/// What is kept of a mailbox.
const MAILBOX_FIELDS: [&str; 6] = [
    "Identity",
    "DisplayName",
    "PrimarySmtpAddress",
    "UserPrincipalName",
    "ExternalDirectoryObjectId",
    "RecipientTypeDetails",
];

/// There is a row for each mailbox: those that are known to be audited are left out.
fn may_bypass(row: &Value) -> bool {
    let fields = row.as_object().into_iter().flatten();
    let mut told = fields.filter(|(name, _)| name.eq_ignore_ascii_case("AuditBypassEnabled"));
    row.is_object() && !told.any(|(_, value)| *value == Value::Bool(false))
}

fn is_unknown_cmdlet(answer: &Response) -> bool {
    let words = b"CommandNotFoundException";
    matches!(answer.status, 400 | 404) && answer.body.windows(words.len()).any(|part| part == words)
}

fn no_defender(answer: &Response) -> Option<Miss> {
    is_unknown_cmdlet(answer)
        .then(|| Miss::Unlicensed("the tenant has no Defender for Office 365".to_owned()))
}

fn no_cmdlet(answer: &Response) -> Option<Miss> {
    is_unknown_cmdlet(answer).then(|| {
        Miss::Denied(
            "a role that may run this cmdlet, such as Global Reader on the service principal".to_owned(),
        )
    })
}
