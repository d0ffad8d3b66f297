//! Names and their records, in the format of a zone file.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The record types that the name server supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum DnsRecord {
    /// An IPv4 address.
    #[serde(rename = "A")]
    A,
    /// A certificate authority that may issue certificates, as `0 issue "ca.example"`.
    #[serde(rename = "CAA")]
    Caa,
    /// The canonical name of an alias, with a trailing dot.
    #[serde(rename = "CNAME")]
    Cname,
    /// A signing key that the parent zone confirms, as `20326 13 2 0A1B…`.
    #[serde(rename = "DS")]
    Ds,
    /// A mail exchanger, as `10 mx.example.`.
    #[serde(rename = "MX")]
    Mx,
    /// A name server of the zone that begins at the name.
    #[serde(rename = "NS")]
    Ns,
    /// Text.
    #[serde(rename = "TXT")]
    Txt,
}

type Records = BTreeMap<DnsRecord, Vec<String>>;

/// The records of all names. The names are in lower case, without a trailing dot.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Names(BTreeMap<String, Records>);

impl Names {
    /// Whether the name or a name below it has any record.
    pub(crate) fn exists(&self, name: &str) -> bool {
        let below = format!(".{name}");
        self.0
            .iter()
            .any(|(known, records)| !records.is_empty() && (known == name || known.ends_with(&below)))
    }

    /// Returns the records of a type.
    pub(crate) fn records(&self, name: &str, kind: DnsRecord) -> &[String] {
        self.0
            .get(name)
            .and_then(|records| records.get(&kind))
            .map_or(&[], Vec::as_slice)
    }

    /// Replaces the records of a type. Without values the records are removed.
    pub(crate) fn set(&mut self, name: &str, kind: DnsRecord, values: &[String]) {
        let records = self.0.entry(normalized(name)).or_default();
        if values.is_empty() {
            records.remove(&kind);
        } else {
            records.insert(kind, values.to_vec());
        }
    }

    /// Returns all records.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, DnsRecord, &str)> {
        self.0.iter().flat_map(|(name, records)| {
            records.iter().flat_map(move |(kind, values)| {
                values
                    .iter()
                    .map(move |value| (name.as_str(), *kind, value.as_str()))
            })
        })
    }
}

/// Returns the name in lower case, without a trailing dot.
pub(crate) fn normalized(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_exists_if_a_name_below_it_exists() {
        let mut names = Names::default();
        names.set(
            "_dmarc.birchworks.example.",
            DnsRecord::Txt,
            &["v=DMARC1".to_owned()],
        );
        assert!(names.exists("birchworks.example"));
        assert!(!names.exists("works.example"));
        names.set("_DMARC.birchworks.example", DnsRecord::Txt, &[]);
        assert!(!names.exists("birchworks.example"));
    }
}
