//! The setting `dns/domains`.

use super::{
    domain::{MailDomain, parents, related},
    key::{rsa_bits, tag},
    policy::MtaStsSource,
    spf,
};
use crate::{concurrency::gather, text::dns as text};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use watchpost_outbound::dns::{DnsAnswer, DomainResolver, RecordKind, domain_name};

/// The maximum number of domains in one document.
const DOMAINS_MAX: usize = 200;
/// The maximum number of hosts in one document.
pub(super) const HOSTS_MAX: usize = 200;
/// The maximum number of DKIM selectors looked up for each domain.
pub(super) const SELECTORS_MAX: usize = 12;
/// The maximum number of external report addresses looked up for each domain.
const EXTERNAL_MAX: usize = 10;
/// The maximum number of domains looked up concurrently.
const AT_ONCE: usize = 8;
/// The time limit for looking up one domain.
const DOMAIN_TIMEOUT: Duration = Duration::from_secs(60);
/// The time limit for fetching a policy.
const POLICY_TIMEOUT: Duration = Duration::from_secs(15);
/// The maximum number of lines kept from a policy.
const POLICY_LINES_MAX: usize = 100;
/// The maximum number of characters kept from a line of a policy.
const POLICY_LINE_CHARS_MAX: usize = 300;
/// The maximum number of labels of a parent whose DMARC record is looked up (RFC 9989, section 4.10).
const DMARC_LABELS_MAX: usize = 7;
/// The selectors that Microsoft 365 and Google Workspace use.
pub(super) const USUAL_SELECTORS: [&str; 3] = ["selector1", "selector2", "google"];

/// The operator's configuration for looking up domains.
#[derive(Debug, Clone, Default)]
pub struct DnsSettings {
    /// The name server to query instead of the system's; see [`watchpost_outbound::dns::HickoryResolver::new`].
    pub server: Option<SocketAddr>,
    /// The DKIM selectors to look up in addition to the usual ones.
    pub selectors: Vec<String>,
    /// The hosts whose aliases are checked. No other host is looked up.
    pub hosts: Vec<String>,
}

/// The error returned when no lookup was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no name server answered")]
pub struct DnsError;

/// The setting `dns/domains`.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainsDocument {
    /// The document, in the format that the module describes.
    pub json: Value,
    /// A message that says what is missing; `None` if the document is complete.
    pub note: Option<String>,
}

/// Looks up domains and creates the document.
#[derive(Clone)]
pub struct DomainsReader {
    resolver: Arc<dyn DomainResolver>,
    policies: Arc<dyn MtaStsSource>,
    settings: DnsSettings,
}

impl std::fmt::Debug for DomainsReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DomainsReader")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl DomainsReader {
    /// Creates a reader that looks up records through `resolver` and MTA-STS policies through `policies`.
    pub fn new(
        resolver: Arc<dyn DomainResolver>,
        policies: Arc<dyn MtaStsSource>,
        settings: DnsSettings,
    ) -> Self {
        Self {
            resolver,
            policies,
            settings,
        }
    }

    /// Looks up at most 200 domains and 200 hosts, some of them concurrently, until `deadline`. A domain that isn't finished
    /// by then has no lookups.
    ///
    /// # Errors
    /// Returns an error if no lookup was answered.
    pub async fn read(&self, domains: &[MailDomain], deadline: Instant) -> Result<DomainsDocument, DnsError> {
        let selected: Vec<MailDomain> = domains.iter().take(DOMAINS_MAX).cloned().collect();
        let rows = selected.into_iter().map(|domain| {
            let reader = self.clone();
            async move {
                let until = deadline.min(Instant::now() + DOMAIN_TIMEOUT);
                match timeout_at(until, reader.row(&domain, until)).await {
                    Ok(row) => row,
                    Err(_) => {
                        json!({"domain": domain.name(), "is_default": domain.is_default(), "lookups": {}})
                    }
                }
            }
        });
        let rows = gather(rows, AT_ONCE).await;
        let hosts: Vec<String> = self
            .settings
            .hosts
            .iter()
            .filter_map(|host| domain_name(host).ok())
            .collect();
        let hosts_total = hosts.len();
        let followed = hosts.into_iter().take(HOSTS_MAX).map(|host| {
            let reader = self.clone();
            async move {
                timeout_at(deadline, reader.host(&host))
                    .await
                    .unwrap_or_else(|_| json!({"name": host, "cname": {"status": "failed", "rdata": []}}))
            }
        });
        let followed = gather(followed, AT_ONCE).await;
        let all = || rows.iter().chain(&followed);
        if all().next().is_some() && !all().any(is_answered) {
            return Err(DnsError);
        }
        let mut missing = Vec::new();
        if domains.len() > DOMAINS_MAX {
            missing.push(text::too_many_domains(DOMAINS_MAX, domains.len()));
        }
        if hosts_total > HOSTS_MAX {
            missing.push(text::too_many_hosts(HOSTS_MAX, hosts_total));
        }
        let unfinished = rows
            .iter()
            .filter(|row| lookups(row).is_some_and(Map::is_empty))
            .count();
        if unfinished > 0 {
            missing.push(text::out_of_time(unfinished));
        }
        Ok(DomainsDocument {
            json: json!({"value": rows, "hosts": followed}),
            note: (!missing.is_empty()).then(|| missing.join("; ")),
        })
    }

    async fn query(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        self.resolver.lookup(name, kind).await
    }

    async fn row(&self, domain: &MailDomain, deadline: Instant) -> Value {
        let name = domain.name();
        let mut lookups = Map::new();
        let mut put = |key: &str, value: Value| {
            lookups.insert(key.to_owned(), value);
        };
        let txt = self.query(name, RecordKind::Txt).await;
        if let Some(record) = spf::record(&txt) {
            let tree = spf::follow(self.resolver.as_ref(), name, record).await;
            put(
                "spf_tree",
                json!({
                    "status": if tree.failed { "failed" } else { "found" },
                    "lookups": tree.lookups,
                    "voids": tree.voids,
                    "all": tree.all,
                    "open": tree.open,
                    "broken": tree.broken,
                }),
            );
        }
        put("spf", lookup_json(&txt, name));
        let mx = self.query(name, RecordKind::Mx).await;
        let has_mx =
            (mx != DnsAnswer::Failed).then(|| mx.records().iter().any(|record| !record.ends_with(" .")));
        put("mx", lookup_json(&mx, name));
        let (dmarc, at, organizational) = self.dmarc(name).await;
        let external = self.external(name, &at, &dmarc).await;
        if !external.is_empty() {
            put("dmarc_external", Value::Array(external));
        }
        let mut dmarc = lookup_json(&dmarc, &format!("_dmarc.{at}"));
        if organizational && let Some(object) = dmarc.as_object_mut() {
            object.insert("organizational".to_owned(), Value::Bool(true));
        }
        put("dmarc", dmarc);
        put("dkim", Value::Array(self.dkim(name).await));
        let sts_name = format!("_mta-sts.{name}");
        let sts = self.query(&sts_name, RecordKind::Txt).await;
        if sts
            .records()
            .iter()
            .any(|text| tag(text, "v").is_some_and(|v| v.eq_ignore_ascii_case("STSv1")))
        {
            put("mta_sts_policy", self.policy(name, deadline).await);
        }
        put("mta_sts", lookup_json(&sts, &sts_name));
        for (key, prefix) in [("tls_rpt", "_smtp._tls"), ("bimi", "default._bimi")] {
            let lookup_name = format!("{prefix}.{name}");
            put(
                key,
                lookup_json(&self.query(&lookup_name, RecordKind::Txt).await, &lookup_name),
            );
        }
        put("ds", self.ds(name).await);
        put("caa", self.caa(name).await);
        json!({"domain": name, "is_default": domain.is_default(), "has_mx": has_mx, "lookups": lookups})
    }

    /// Looks up the DMARC record that applies to a domain: its own, or that of its organizational domain. Returns the answer,
    /// the domain of the record, and whether that is a parent.
    ///
    /// Without a list of public suffixes, the organizational domain is the one with the fewest labels that has a record (RFC
    /// 9989, section 4.10). A record with `psd=n` ends the search. A record with `psd=y` is that of a public suffix and
    /// doesn't count, because not every receiver uses it.
    async fn dmarc(&self, domain: &str) -> (DnsAnswer, String, bool) {
        let own = self.query(&format!("_dmarc.{domain}"), RecordKind::Txt).await;
        if has_dmarc(&own) || own == DnsAnswer::Failed {
            return (own, domain.to_owned(), false);
        }
        let mut found = (own, domain.to_owned(), false);
        for parent in parents(domain).filter(|parent| parent.split('.').count() <= DMARC_LABELS_MAX) {
            let above = self.query(&format!("_dmarc.{parent}"), RecordKind::Txt).await;
            if above == DnsAnswer::Failed {
                return (above, parent.to_owned(), true);
            }
            let suffix = above
                .records()
                .iter()
                .filter(|text| is_dmarc(text))
                .find_map(|text| tag(text, "psd").map(str::to_ascii_lowercase));
            if suffix.as_deref() == Some("y") {
                break;
            }
            if has_dmarc(&above) {
                found = (above, parent.to_owned(), true);
            }
            if suffix.as_deref() == Some("n") {
                break;
            }
        }
        found
    }

    /// Looks up whether the external domains that DMARC reports are sent to have authorized that (RFC 7489, section 7.1).
    /// Addresses in a parent or a subdomain of the domain, or of the domain `at` whose record applies, need no authorization.
    async fn external(&self, domain: &str, at: &str, dmarc: &DnsAnswer) -> Vec<Value> {
        let mut outside = BTreeSet::new();
        for record in dmarc.records().iter().filter(|text| is_dmarc(text)) {
            for address in tag(record, "rua").unwrap_or_default().split(',') {
                // A size limit may follow the address: `mailto:dmarc@example.org!10m`.
                let host = address
                    .rsplit_once('@')
                    .map(|(_, host)| host.split('!').next().unwrap_or_default())
                    .and_then(|host| domain_name(host).ok());
                if let Some(host) = host
                    && !related(&host, domain)
                    && !related(&host, at)
                {
                    outside.insert(host);
                }
            }
        }
        let mut rows = Vec::new();
        for host in outside.into_iter().take(EXTERNAL_MAX) {
            let answer = self
                .query(&format!("{at}._report._dmarc.{host}"), RecordKind::Txt)
                .await;
            // A TXT record that isn't a DMARC record is no authorization.
            let status = match &answer {
                DnsAnswer::Found(records) if !records.iter().any(|text| is_dmarc(text)) => "empty",
                answer => answer.status(),
            };
            rows.push(json!({"status": status, "address_domain": host}));
        }
        rows
    }

    async fn dkim(&self, domain: &str) -> Vec<Value> {
        let mut selectors: Vec<String> = USUAL_SELECTORS.iter().map(|&text| text.to_owned()).collect();
        if domain.contains(".onmicrosoft.") {
            // In its own zone, Microsoft uses selectors that contain the domain's name.
            let dashed = domain.replace('.', "-");
            selectors.extend([format!("selector1-{dashed}"), format!("selector2-{dashed}")]);
        }
        for selector in &self.settings.selectors {
            let selector = selector.trim().to_ascii_lowercase();
            if !selectors.contains(&selector) {
                selectors.push(selector);
            }
        }
        let mut rows = Vec::new();
        for selector in selectors.into_iter().take(SELECTORS_MAX) {
            let name = format!("{selector}._domainkey.{domain}");
            if domain_name(&name).is_err() {
                continue;
            }
            let answer = self.query(&name, RecordKind::Txt).await;
            let bits = answer.records().iter().find_map(|record| rsa_bits(record));
            let mut row = lookup_json(&answer, &name);
            if let Some(object) = row.as_object_mut() {
                object.insert("selector".to_owned(), Value::String(selector));
                if let Some(bits) = bits {
                    object.insert("key_bits".to_owned(), Value::from(bits));
                }
            }
            rows.push(row);
        }
        rows
    }

    async fn policy(&self, domain: &str, deadline: Instant) -> Value {
        let until = deadline.min(Instant::now() + POLICY_TIMEOUT);
        let text = timeout_at(until, self.policies.policy(domain, until))
            .await
            .ok()
            .flatten();
        match text {
            Some(text) => {
                let lines: Vec<String> = text
                    .lines()
                    .take(POLICY_LINES_MAX)
                    .map(|line| {
                        line.trim()
                            .chars()
                            .take(POLICY_LINE_CHARS_MAX)
                            .collect::<String>()
                    })
                    .filter(|line| !line.is_empty())
                    .collect();
                json!({"status": "found", "rdata": lines})
            }
            None => json!({"status": "failed", "rdata": []}),
        }
    }

    /// Looks up the DS records of the zone that contains the domain.
    async fn ds(&self, domain: &str) -> Value {
        for name in std::iter::once(domain).chain(parents(domain)) {
            let answer = self.query(name, RecordKind::Ds).await;
            if matches!(answer, DnsAnswer::Found(_) | DnsAnswer::Failed) {
                return lookup_json(&answer, name);
            }
            // If this name is the apex of a zone, its parents don't matter.
            let zone = self.query(name, RecordKind::Ns).await;
            if matches!(zone, DnsAnswer::Found(_) | DnsAnswer::Failed) || parents(name).next().is_none() {
                let status = if zone == DnsAnswer::Failed { zone } else { answer };
                return lookup_json(&status, name);
            }
        }
        lookup_json(&DnsAnswer::Empty, domain)
    }

    /// Looks up the CAA records that apply to a domain: its own, or those of the nearest parent (RFC 8659, section 3).
    async fn caa(&self, domain: &str) -> Value {
        let own = self.query(domain, RecordKind::Caa).await;
        if matches!(own, DnsAnswer::Found(_) | DnsAnswer::Failed) {
            return lookup_json(&own, domain);
        }
        for parent in parents(domain) {
            let above = self.query(parent, RecordKind::Caa).await;
            if matches!(above, DnsAnswer::Found(_) | DnsAnswer::Failed) {
                return lookup_json(&above, parent);
            }
        }
        lookup_json(&own, domain)
    }

    async fn host(&self, host: &str) -> Value {
        let cname = self.query(host, RecordKind::Cname).await;
        let target = cname
            .records()
            .first()
            .and_then(|record| domain_name(record).ok());
        let mut row = json!({"name": host, "cname": lookup_json(&cname, host)});
        if let (Some(target), Some(object)) = (target, row.as_object_mut()) {
            let status = self.query(&target, RecordKind::Address).await.status();
            object.insert("target".to_owned(), json!({"status": status, "name": target}));
        }
        row
    }
}

/// Converts an answer into the document's format.
fn lookup_json(answer: &DnsAnswer, name: &str) -> Value {
    json!({"status": answer.status(), "rdata": answer.records(), "name": name})
}

fn has_dmarc(answer: &DnsAnswer) -> bool {
    answer.records().iter().any(|text| is_dmarc(text))
}

/// Whether a text is a DMARC record. The version must be its first tag, in capitals (RFC 7489, section 6.3).
fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    tag(first, "v") == Some("DMARC1")
}

fn lookups(row: &Value) -> Option<&Map<String, Value>> {
    row.get("lookups").and_then(Value::as_object)
}

/// Whether any lookup for a domain or host was answered.
fn is_answered(row: &Value) -> bool {
    let answered = |lookup: &Value| {
        matches!(
            lookup.get("status").and_then(Value::as_str),
            Some("found" | "empty" | "nxdomain")
        )
    };
    row.get("cname").is_some_and(answered)
        || lookups(row).is_some_and(|lookups| {
            lookups.iter().any(|(key, lookup)| match lookup {
                Value::Array(several) => several.iter().any(answered),
                // The policy isn't fetched from a name server.
                _ if key == "mta_sts_policy" => false,
                one => answered(one),
            })
        })
}
