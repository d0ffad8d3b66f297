//! What public DNS says of a company's mail domains: who may send for them, who signs, who may issue certificates.
//!
//! [`DomainsReader::read`] makes the setting `dns/domains`, whatever the platform that named the domains. It asks name
//! servers through [`watchpost_outbound::dns`]. For a connector that collects settings:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use tokio::time::Instant;
//! # use watchpost_connectors::dns::{DnsSettings, DomainsReader, MailDomain};
//! # use watchpost_outbound::{Outbound, dns::HickoryResolver};
//! # async fn example(outbound: &Outbound, settings: DnsSettings, deadline: Instant) -> Result<(), Box<dyn std::error::Error>> {
//! let resolver = Arc::new(HickoryResolver::new(settings.server)?);
//! let reader = DomainsReader::new(resolver, Arc::new(outbound.clone()), settings);
//! let document = reader.read(&[MailDomain::new("birchworks.example")?.default_is(true)], deadline).await?;
//! # Ok(())
//! # }
//! ```
//! `document.json` is the setting's document, its source is `dns`; with `document.note` its state is `partial`. A
//! [`DnsError`] means that no name server answered at all: the setting is `failed`.
//!
//! The document is `{"value": [row…], "hosts": [host…]}`. A row is `{"domain", "is_default", "has_mx", "lookups"}`;
//! `lookups` holds for `spf`, `mx`, `dmarc`, `mta_sts`, `tls_rpt`, `ds`, `caa` and `bimi` one object
//! `{"status": "found"|"empty"|"nxdomain"|"failed", "rdata": [text…], "name"}`, for `dkim` a list of such, each with
//! `"selector"` and, if the key is RSA, `"key_bits"`; `spf_tree` is `{"status", "lookups", "voids", "all"}` with `all`
//! what the record says in the end about everybody else (`"-"`, `"~"`, `"?"`, `"+"` or null); `dmarc` has
//! `"organizational": true` where a parent's record counts; `mta_sts_policy` has the policy's lines; `dmarc_external`
//! lists `{"status", "address_domain"}`. A lookup that nobody made is absent. A host is
//! `{"name", "cname": {…}, "target": {"status", "name"}}`.
//!
//! `nxdomain` and `empty` are facts; `failed` says that no server could be asked, after three tries. Names of hosts
//! are never guessed: only the operator's are looked up.

mod config;
mod domain;
mod key;
mod policy;
mod read;
mod spf;

pub(crate) use config::{HOSTS_FIELD, SELECTORS_FIELD, SERVER_FIELD};
pub use domain::MailDomain;
pub use policy::MtaStsSource;
pub use read::{DnsError, DnsSettings, DomainsDocument, DomainsReader};
