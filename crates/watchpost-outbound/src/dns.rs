//! Lookups of DNS records.

use async_trait::async_trait;
use hickory_resolver::{
    Resolver, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError as WireError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{RData, RecordType},
    },
};
use std::{fmt, net::SocketAddr, time::Duration};

/// The number of attempts before a lookup counts as failed.
const ATTEMPTS: u32 = 3;
/// The time limit for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum number of records kept from one lookup.
const RECORDS_MAX: usize = 100;
/// The maximum length of a record's text, in bytes.
const RECORD_BYTES_MAX: usize = 4096;

/// The maximum length of a name, in characters (RFC 1035, section 2.3.4, without the trailing dot).
const NAME_CHARS_MAX: usize = 253;
/// The maximum length of a label, in characters (RFC 1035, section 2.3.4).
const LABEL_CHARS_MAX: usize = 63;

/// The error returned when a text isn't a name in public DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a domain name: a name has at least two labels of letters, digits, `-` and `_`, separated by dots"
)]
pub struct InvalidDomainName;

/// Parses a domain name: at least two labels. Returns it in lower case and without a trailing dot.
///
/// # Errors
/// Returns an error if the text isn't a domain name.
pub fn domain_name(text: &str) -> Result<String, InvalidDomainName> {
    let text = text.trim();
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_CHARS_MAX
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if text.len() <= NAME_CHARS_MAX && text.contains('.') && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(InvalidDomainName)
    }
}

/// A kind of DNS record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// Free text. The strings of one record are joined.
    Txt,
    /// Mail exchangers, as `10 mx.example.`.
    Mx,
    /// The name that this name is an alias for.
    Cname,
    /// Digests of the zone's signing keys in the parent zone, as `12345 13 2 0A1B…`.
    Ds,
    /// The certificate authorities that may issue certificates, as `0 issue "ca.example"`.
    Caa,
    /// The name servers of the zone whose apex is the name.
    Ns,
    /// IPv4 addresses.
    Address,
}

impl RecordKind {
    const fn record_type(self) -> RecordType {
        match self {
            Self::Txt => RecordType::TXT,
            Self::Mx => RecordType::MX,
            Self::Cname => RecordType::CNAME,
            Self::Ds => RecordType::DS,
            Self::Caa => RecordType::CAA,
            Self::Ns => RecordType::NS,
            Self::Address => RecordType::A,
        }
    }
}

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsAnswer {
    /// The records as text: at least one and at most 100, of at most 4,096 bytes each.
    Found(Vec<String>),
    /// The name exists, but has no record of this kind.
    Empty,
    /// The name doesn't exist.
    NoSuchName,
    /// No name server gave a usable answer.
    Failed,
}

impl DnsAnswer {
    /// Returns the records; empty unless the result is [`DnsAnswer::Found`].
    pub fn records(&self) -> &[String] {
        match self {
            Self::Found(records) => records,
            Self::Empty | Self::NoSuchName | Self::Failed => &[],
        }
    }

    /// Returns the name of the result: `found`, `empty`, `nxdomain` or `failed`.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Empty => "empty",
            Self::NoSuchName => "nxdomain",
            Self::Failed => "failed",
        }
    }
}

/// Looks up DNS records.
#[async_trait]
pub trait DomainResolver: Send + Sync {
    /// Looks up the records of one kind for `name`, which is in lower case and has no trailing dot. Returns within a few
    /// seconds.
    async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer;
}

/// The error returned when the system's name server configuration can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name server configuration can't be read")]
pub struct NoResolver;

/// A resolver that queries the configured name server, or the system's. Each lookup makes up to three attempts of up to
/// three seconds.
pub struct HickoryResolver {
    resolver: TokioResolver,
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver").finish_non_exhaustive()
    }
}

impl HickoryResolver {
    /// Creates a resolver. `server` replaces the system's name servers; it is queried over UDP, and over TCP for long
    /// answers.
    ///
    /// # Errors
    /// Returns an error if the system's name server configuration can't be read.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, NoResolver> {
        let mut builder = match server {
            None => Resolver::builder_tokio().map_err(|_| NoResolver)?,
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                Resolver::builder_with_config(
                    ResolverConfig::from_name_servers(vec![server]),
                    TokioRuntimeProvider::default(),
                )
            }
        };
        configure(builder.options_mut());
        Ok(Self {
            resolver: builder.build().map_err(|_| NoResolver)?,
        })
    }
}

/// Sets the resolver's options. `lookup` counts the attempts itself, so that every kind of failure is retried equally.
fn configure(options: &mut ResolverOpts) {
    options.attempts = 0;
    options.timeout = ATTEMPT_TIMEOUT;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 1024;
    // The next scan must see a record that was changed a minute ago.
    options.positive_max_ttl = Some(Duration::from_secs(1));
    options.negative_max_ttl = Some(Duration::from_secs(1));
}

#[async_trait]
impl DomainResolver for HickoryResolver {
    async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        let Ok(name) = domain_name(name) else {
            return DnsAnswer::NoSuchName;
        };
        // The trailing dot disables the search list.
        let name = format!("{name}.");
        for _ in 0..ATTEMPTS {
            let result = tokio::time::timeout(
                ATTEMPT_TIMEOUT,
                self.resolver.lookup(name.as_str(), kind.record_type()),
            )
            .await;
            match result {
                Ok(Ok(found)) => {
                    let records: Vec<String> = found
                        .answers()
                        .iter()
                        .filter_map(|record| text_of(&record.data, kind))
                        .take(RECORDS_MAX)
                        .collect();
                    return if records.is_empty() {
                        DnsAnswer::Empty
                    } else {
                        DnsAnswer::Found(records)
                    };
                }
                Ok(Err(error)) => {
                    if let Some(answer) = negative_answer(&error) {
                        return answer;
                    }
                }
                Err(_) => {}
            }
        }
        DnsAnswer::Failed
    }
}

/// Returns the answer that an error stands for, if it stands for a definite one.
fn negative_answer(error: &NetError) -> Option<DnsAnswer> {
    let NetError::Dns(WireError::NoRecordsFound(none)) = error else {
        return None;
    };
    match none.response_code {
        ResponseCode::NXDomain => Some(DnsAnswer::NoSuchName),
        ResponseCode::NoError => Some(DnsAnswer::Empty),
        _ => None,
    }
}

/// Formats a record. Returns `None` for a record of another kind, such as an alias that was followed.
fn text_of(data: &RData, kind: RecordKind) -> Option<String> {
    let text = match (kind, data) {
        (RecordKind::Txt, RData::TXT(txt)) => {
            let bytes: Vec<u8> = txt
                .txt_data
                .iter()
                .flat_map(|part| part.iter().copied())
                .collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        (RecordKind::Mx, RData::MX(mx)) => format!("{} {}", mx.preference, mx.exchange),
        (RecordKind::Cname, RData::CNAME(name)) => name.0.to_string(),
        (RecordKind::Ns, RData::NS(name)) => name.0.to_string(),
        (RecordKind::Address, RData::A(address)) => address.0.to_string(),
        (RecordKind::Caa, RData::CAA(caa)) => {
            format!(
                "{} {} \"{}\"",
                caa.flags(),
                caa.tag,
                String::from_utf8_lossy(&caa.value)
            )
        }
        (
            RecordKind::Ds,
            RData::Unknown {
                code: RecordType::DS,
                rdata,
            },
        ) => ds_text(&rdata.anything)?,
        _ => return None,
    };
    Some(truncate(text))
}

/// Formats a DS record: key tag, algorithm, digest type and digest. The resolver returns it as raw bytes, because its
/// DNSSEC features are disabled.
fn ds_text(bytes: &[u8]) -> Option<String> {
    let [tag_high, tag_low, algorithm, digest_type, digest @ ..] = bytes else {
        return None;
    };
    let digest: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let tag = u16::from_be_bytes([*tag_high, *tag_low]);
    Some(format!("{tag} {algorithm} {digest_type} {digest}"))
}

fn truncate(mut text: String) -> String {
    if text.len() > RECORD_BYTES_MAX {
        let end = (0..=RECORD_BYTES_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ds_record_is_shown_in_presentation_format() {
        assert_eq!(
            ds_text(&[0x30, 0x39, 13, 2, 0x0a, 0x1b]).as_deref(),
            Some("12345 13 2 0A1B")
        );
        assert_eq!(ds_text(&[1, 2, 3]), None);
    }

    #[test]
    fn long_records_are_cut_at_a_character_boundary() {
        let text = truncate(format!("{}äöü", "a".repeat(RECORD_BYTES_MAX - 1)));
        assert_eq!(text.len(), RECORD_BYTES_MAX - 1);
    }
}
