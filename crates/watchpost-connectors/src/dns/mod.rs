//! The public DNS records of a company's mail domains: permitted senders, signing keys, and certificate authorities.
//!
//! [`DomainsReader::read`] creates the setting `dns/domains`, independently of the platform that listed the domains. It
//! queries name servers through [`watchpost_outbound::dns`]. For a connector that collects settings:
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
//! `document.json` is the setting's document, and its source is `dns`; if there is a `document.note`, its state is
//! `partial`. A [`DnsError`] means that no name server answered: the setting's state is `failed`.
//!
//! The document is `{"value": [row…], "hosts": [host…]}`. A row is `{"domain", "is_default", "has_mx", "lookups"}`.
//! `lookups` contains:
//! - for each of `spf`, `mx`, `dmarc`, `mta_sts`, `tls_rpt`, `ds`, `caa` and `bimi`, an object
//!   `{"status": "found"|"empty"|"nxdomain"|"failed", "rdata": [text…], "name"}`; `dmarc` also has
//!   `"organizational": true` if the record of the organizational domain applies;
//! - for `dkim`, a list of such objects, each with `"selector"` and, for an RSA key, `"key_bits"`;
//! - `spf_tree`: `{"status", "lookups", "voids", "all", "open", "broken"}`, with `all` the qualifier of the record's `all`
//!   mechanism (`"-"`, `"~"`, `"?"`, `"+"` or null), `open` an included domain whose record allows every sender, and `broken`
//!   an included domain without exactly one record (each null if there is none);
//! - `mta_sts_policy`: the lines of the policy;
//! - `dmarc_external`: a list of `{"status", "address_domain"}`.
//!
//! A lookup that wasn't made is absent. A host is `{"name", "cname": {…}, "target": {"status", "name"}}`.
//!
//! `nxdomain` and `empty` are answers of a name server; `failed` means that no server answered in three attempts. Host
//! names are never guessed: only those that the operator configured are looked up.

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
