//! The document on a company's domains.

use super::{
    domain::{MailDomain, parents, related},
    key::{rsa_bits, tag},
    policy::MtaStsSource,
    spf,
};
use crate::many::gather;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use watchpost_outbound::dns::{DnsAnswer, DomainResolver, RecordKind, domain_name};

/// Domains of one document.
const DOMAINS_MAX: usize = 200;
/// Hosts of one document.
pub(super) const HOSTS_MAX: usize = 200;
/// Selectors that are asked for at each domain.
pub(super) const SELECTORS_MAX: usize = 12;
/// Outside addresses for reports that are asked for at each domain.
const EXTERNAL_MAX: usize = 10;
/// Domains that are looked up at once.
const AT_ONCE: usize = 8;
/// How long the looking up of one domain may take.
const DOMAIN_TIME: Duration = Duration::from_secs(60);
/// How long fetching a policy file may take.
const POLICY_TIME: Duration = Duration::from_secs(15);
/// Lines kept of a policy file, and characters of each.
const POLICY_LINES_MAX: usize = 100;
const POLICY_LINE_CHARS_MAX: usize = 300;
/// Selectors of Microsoft 365 and Google Workspace.
pub(super) const USUAL_SELECTORS: [&str; 3] = ["selector1", "selector2", "google"];

/// What the operator may say about looking domains up.
#[derive(Debug, Clone, Default)]
pub struct DnsSettings {
    /// Whom to ask instead of the system's name servers; for [`watchpost_outbound::dns::HickoryResolver::new`].
    pub server: Option<SocketAddr>,
    /// DKIM selectors besides the usual ones.
    pub selectors: Vec<String>,
    /// Hosts whose aliases are followed. None is ever guessed.
    pub hosts: Vec<String>,
}

/// No name server answered any question, so nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no name server answers")]
pub struct DnsError;

/// The setting `dns/domains`.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainsDocument {
    /// The document, as the module describes it.
    pub json: Value,
    /// What is missing from it, in our own words; `None`: nothing.
    pub note: Option<String>,
}

/// Looks domains up.
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
    /// A reader that asks `resolver`, and `policies` for MTA-STS.
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

    /// Looks up at most 200 domains and 200 hosts, some at once, until `deadline`; a domain that isn't done by then
    /// has no lookups.
    ///
    /// # Errors
    /// If no question was answered at all.
    pub async fn read(&self, domains: &[MailDomain], deadline: Instant) -> Result<DomainsDocument, DnsError> {
        let wanted: Vec<MailDomain> = domains.iter().take(DOMAINS_MAX).cloned().collect();
        let rows = wanted.into_iter().map(|domain| {
            let reader = self.clone();
            async move {
                let until = deadline.min(Instant::now() + DOMAIN_TIME);
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
        let named = hosts.len();
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
        if all().next().is_some() && !all().any(answered) {
            return Err(DnsError);
        }
        let mut missing = Vec::new();
        if domains.len() > DOMAINS_MAX {
            missing.push(format!(
                "only {DOMAINS_MAX} of {} domains were looked up",
                domains.len()
            ));
        }
        if named > HOSTS_MAX {
            missing.push(format!("only {HOSTS_MAX} of {named} hosts were looked up"));
        }
        let late = rows
            .iter()
            .filter(|row| lookups(row).is_some_and(Map::is_empty))
            .count();
        if late > 0 {
            missing.push(format!("time ran out at {late} domains"));
        }
        Ok(DomainsDocument {
            json: json!({"value": rows, "hosts": followed}),
            note: (!missing.is_empty()).then(|| missing.join("; ")),
        })
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        self.resolver.lookup(name, kind).await
    }

    async fn row(&self, domain: &MailDomain, deadline: Instant) -> Value {
        let name = domain.name();
        let mut lookups = Map::new();
        let mut put = |key: &str, value: Value| {
            lookups.insert(key.to_owned(), value);
        };
        let txt = self.ask(name, RecordKind::Txt).await;
        if let Some(record) = spf::record(&txt) {
            let tree = spf::follow(self.resolver.as_ref(), name, record).await;
            put(
                "spf_tree",
                json!({
                    "status": if tree.failed { "failed" } else { "found" },
                    "lookups": tree.lookups,
                    "voids": tree.voids,
                    "all": tree.all,
                }),
            );
        }
        put("spf", lookup_json(&txt, name));
        let mx = self.ask(name, RecordKind::Mx).await;
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
        let sts = self.ask(&sts_name, RecordKind::Txt).await;
        if sts
            .records()
            .iter()
            .any(|text| tag(text, "v").is_some_and(|v| v.eq_ignore_ascii_case("STSv1")))
        {
            put("mta_sts_policy", self.policy(name, deadline).await);
        }
        put("mta_sts", lookup_json(&sts, &sts_name));
        for (key, prefix) in [("tls_rpt", "_smtp._tls"), ("bimi", "default._bimi")] {
            let asked = format!("{prefix}.{name}");
            put(key, lookup_json(&self.ask(&asked, RecordKind::Txt).await, &asked));
        }
        put("ds", self.signed(name).await);
        put("caa", self.authorities(name).await);
        json!({"domain": name, "is_default": domain.is_default(), "has_mx": has_mx, "lookups": lookups})
    }

    /// The record that counts for a domain: its own, or the nearest one above it. Walking up the tree needs no list of
    /// public suffixes, and ends before the top.
    async fn dmarc(&self, domain: &str) -> (DnsAnswer, String, bool) {
        let own = self.ask(&format!("_dmarc.{domain}"), RecordKind::Txt).await;
        if has_dmarc(&own) || own == DnsAnswer::Failed {
            return (own, domain.to_owned(), false);
        }
        for parent in parents(domain).take(5) {
            let above = self.ask(&format!("_dmarc.{parent}"), RecordKind::Txt).await;
            if has_dmarc(&above) || above == DnsAnswer::Failed {
                return (above, parent.to_owned(), true);
            }
        }
        (own, domain.to_owned(), false)
    }

    /// Whether domains that reports go to have agreed to take them. Addresses below or above the domain, or the one
    /// whose record counts, need no agreement.
    async fn external(&self, domain: &str, at: &str, dmarc: &DnsAnswer) -> Vec<Value> {
        let mut outside = BTreeSet::new();
        for record in dmarc.records().iter().filter(|text| is_dmarc(text)) {
            for address in tag(record, "rua").unwrap_or_default().split(',') {
                // A size limit may follow: `mailto:dmarc@example.org!10m`.
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
                .ask(&format!("{at}._report._dmarc.{host}"), RecordKind::Txt)
                .await;
            // Some other text there is no agreement.
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
            // Microsoft signs for its own zone with keys named after the domain.
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
            let answer = self.ask(&name, RecordKind::Txt).await;
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
        let until = deadline.min(Instant::now() + POLICY_TIME);
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

    /// The keys that the parent vouches for. A name inside a larger zone is signed with that zone.
    async fn signed(&self, domain: &str) -> Value {
        for name in std::iter::once(domain).chain(parents(domain)) {
            let answer = self.ask(name, RecordKind::Ds).await;
            if matches!(answer, DnsAnswer::Found(_) | DnsAnswer::Failed) {
                return lookup_json(&answer, name);
            }
            // Where a zone begins, nothing above it counts.
            let zone = self.ask(name, RecordKind::Ns).await;
            if matches!(zone, DnsAnswer::Found(_) | DnsAnswer::Failed) || parents(name).next().is_none() {
                let status = if zone == DnsAnswer::Failed { zone } else { answer };
                return lookup_json(&status, name);
            }
        }
        lookup_json(&DnsAnswer::Empty, domain)
    }

    /// The nearest record at or above the domain counts (RFC 8659).
    async fn authorities(&self, domain: &str) -> Value {
        let own = self.ask(domain, RecordKind::Caa).await;
        if matches!(own, DnsAnswer::Found(_) | DnsAnswer::Failed) {
            return lookup_json(&own, domain);
        }
        for parent in parents(domain) {
            let above = self.ask(parent, RecordKind::Caa).await;
            if matches!(above, DnsAnswer::Found(_) | DnsAnswer::Failed) {
                return lookup_json(&above, parent);
            }
        }
        lookup_json(&own, domain)
    }

    async fn host(&self, host: &str) -> Value {
        let cname = self.ask(host, RecordKind::Cname).await;
        let target = cname
            .records()
            .first()
            .and_then(|record| domain_name(record).ok());
        let mut row = json!({"name": host, "cname": lookup_json(&cname, host)});
        if let (Some(target), Some(object)) = (target, row.as_object_mut()) {
            let status = self.ask(&target, RecordKind::Address).await.status();
            object.insert("target".to_owned(), json!({"status": status, "name": target}));
        }
        row
    }
}

/// An answer as the document tells it.
fn lookup_json(answer: &DnsAnswer, name: &str) -> Value {
    json!({"status": answer.status(), "rdata": answer.records(), "name": name})
}

fn has_dmarc(answer: &DnsAnswer) -> bool {
    answer.records().iter().any(|text| is_dmarc(text))
}

/// The version comes first.
fn is_dmarc(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    tag(first, "v").is_some_and(|version| version.eq_ignore_ascii_case("DMARC1"))
}

fn lookups(row: &Value) -> Option<&Map<String, Value>> {
    row.get("lookups").and_then(Value::as_object)
}

/// Whether any question about a domain or host was answered.
fn answered(row: &Value) -> bool {
    let known = |lookup: &Value| {
        matches!(
            lookup.get("status").and_then(Value::as_str),
            Some("found" | "empty" | "nxdomain")
        )
    };
    row.get("cname").is_some_and(known)
        || lookups(row).is_some_and(|lookups| {
            lookups.iter().any(|(key, lookup)| match lookup {
                Value::Array(several) => several.iter().any(known),
                // Not a question to a name server.
                _ if key == "mta_sts_policy" => false,
                one => known(one),
            })
        })
}
