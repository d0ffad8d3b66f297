//! Questions to name servers about the records of a name.

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

/// How often a name server is asked before a lookup counts as failed.
const TRIES: u32 = 3;
/// How long one try may take.
const TRY_TIME: Duration = Duration::from_secs(3);
/// Answers kept of one lookup.
const ANSWERS_MAX: usize = 100;
/// Bytes kept of one answer.
const ANSWER_BYTES_MAX: usize = 4096;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 253;
/// Characters between two dots.
const LABEL_CHARS_MAX: usize = 63;

/// The text isn't a name in public DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a domain name: labels of letters, digits, `-` and `_` with dots between them, at least two")]
pub struct InvalidDomainName;

/// A text as a name that may be asked for: in lower case, without a dot at the end, with at least two labels.
///
/// # Errors
/// If it isn't one.
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

/// What is asked about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// Free text; the strings of one record are joined.
    Txt,
    /// Mail exchangers, as `10 mx.example.`.
    Mx,
    /// The name that this one stands for.
    Cname,
    /// Signing keys that the parent zone vouches for, as `12345 13 2 0A1B…`.
    Ds,
    /// Authorities that may issue certificates, as `0 issue "ca.example"`.
    Caa,
    /// Name servers of the zone that begins at the name.
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

/// How a lookup ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsAnswer {
    /// At least one record, as text; at most 100 of at most 4,096 bytes.
    Found(Vec<String>),
    /// The name exists, but has no such record.
    Empty,
    /// The name doesn't exist.
    NoSuchName,
    /// No server gave an answer.
    Failed,
}

impl DnsAnswer {
    /// The records; none unless found.
    pub fn records(&self) -> &[String] {
        match self {
            Self::Found(records) => records,
            Self::Empty | Self::NoSuchName | Self::Failed => &[],
        }
    }

    /// One word for it: `found`, `empty`, `nxdomain`, `failed`.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Empty => "empty",
            Self::NoSuchName => "nxdomain",
            Self::Failed => "failed",
        }
    }
}

/// Asks name servers about names.
#[async_trait]
pub trait DomainResolver: Send + Sync {
    /// What public DNS says of a name: lower-case, without a dot at the end. Never waits longer than a few seconds.
    async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer;
}

/// The system's name server configuration can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name server configuration can't be read")]
pub struct NoResolver;

/// Asks the configured name server, or those of the system. Each question is tried three times for three seconds.
pub struct HickoryResolver {
    resolver: TokioResolver,
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver").finish_non_exhaustive()
    }
}

impl HickoryResolver {
    /// `server`: whom to ask instead of the system's name servers, over UDP, and over TCP for long answers.
    ///
    /// # Errors
    /// If the system's name server configuration can't be read.
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
        bound(builder.options_mut());
        Ok(Self {
            resolver: builder.build().map_err(|_| NoResolver)?,
        })
    }
}

/// Tries are counted here, so that every kind of failure is tried as often.
fn bound(options: &mut ResolverOpts) {
    options.attempts = 0;
    options.timeout = TRY_TIME;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 1024;
    // A record that was changed a minute ago must be seen by the next scan.
    options.positive_max_ttl = Some(Duration::from_secs(1));
    options.negative_max_ttl = Some(Duration::from_secs(1));
}

#[async_trait]
impl DomainResolver for HickoryResolver {
    async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        let Ok(name) = domain_name(name) else {
            return DnsAnswer::NoSuchName;
        };
        // With the dot no search list is tried.
        let name = format!("{name}.");
        for _ in 0..TRIES {
            let asked =
                tokio::time::timeout(TRY_TIME, self.resolver.lookup(name.as_str(), kind.record_type())).await;
            match asked {
                Ok(Ok(found)) => {
                    let records: Vec<String> = found
                        .answers()
                        .iter()
                        .filter_map(|record| text_of(&record.data, kind))
                        .take(ANSWERS_MAX)
                        .collect();
                    return if records.is_empty() {
                        DnsAnswer::Empty
                    } else {
                        DnsAnswer::Found(records)
                    };
                }
                Ok(Err(error)) => {
                    if let Some(fact) = fact(&error) {
                        return fact;
                    }
                }
                Err(_) => {}
            }
        }
        DnsAnswer::Failed
    }
}

/// What an error says for certain.
fn fact(error: &NetError) -> Option<DnsAnswer> {
    let NetError::Dns(WireError::NoRecordsFound(none)) = error else {
        return None;
    };
    match none.response_code {
        ResponseCode::NXDomain => Some(DnsAnswer::NoSuchName),
        ResponseCode::NoError => Some(DnsAnswer::Empty),
        _ => None,
    }
}

/// A record of the kind as text; others, such as the aliases on the way, are left out.
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
    Some(clip(text))
}

/// Key tag, algorithm, digest type and digest; without features for validation they come as bytes.
fn ds_text(bytes: &[u8]) -> Option<String> {
    let [tag_high, tag_low, algorithm, digest_type, digest @ ..] = bytes else {
        return None;
    };
    let digest: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    let tag = u16::from_be_bytes([*tag_high, *tag_low]);
    Some(format!("{tag} {algorithm} {digest_type} {digest}"))
}

fn clip(mut text: String) -> String {
    if text.len() > ANSWER_BYTES_MAX {
        let end = (0..=ANSWER_BYTES_MAX)
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
    fn a_signing_key_is_told_as_people_write_it() {
        assert_eq!(
            ds_text(&[0x30, 0x39, 13, 2, 0x0a, 0x1b]).as_deref(),
            Some("12345 13 2 0A1B")
        );
        assert_eq!(ds_text(&[1, 2, 3]), None);
    }

    #[test]
    fn long_answers_are_cut_between_characters() {
        let text = clip(format!("{}äöü", "a".repeat(ANSWER_BYTES_MAX - 1)));
        assert_eq!(text.len(), ANSWER_BYTES_MAX - 1);
    }
}
