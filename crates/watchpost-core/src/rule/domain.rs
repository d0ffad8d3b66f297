//! The decision which mail domains belong to the organization.

use crate::{identity::normalize_address, value::text::ForeignText};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of the organization's domains.
const DOMAINS_MAX: usize = 500;
/// If no domain is verified, the minimum percentage of people with an address in a domain that belongs to the
/// organization.
const COMMON_PERCENT: u64 = 5;

/// Returns the verified domains in a platform's document, which is an array of names or a list of `{id,
/// isVerified}`.
pub fn verified_domains(document: &Value) -> Vec<String> {
    let rows = document
        .as_array()
        .or_else(|| document.get("value").and_then(Value::as_array));
    rows.into_iter()
        .flatten()
        .filter_map(|row| match row {
            Value::String(name) => Some(name.as_str()),
            Value::Object(fields) if fields.get("isVerified") == Some(&Value::Bool(true)) => {
                fields.get("id").and_then(Value::as_str)
            }
            _ => None,
        })
        .map(|name| name.trim().to_lowercase())
        .filter(|name| name.contains('.') && name.len() <= 253)
        .collect()
}

/// Counts the domains in the email addresses of people.
#[derive(Debug, Default)]
pub struct DomainCounts {
    people: u64,
    counts: BTreeMap<String, u64>,
}

impl DomainCounts {
    /// Counts the address of an active member at an identity provider.
    pub fn add(&mut self, address: &ForeignText) {
        self.people = self.people.saturating_add(1);
        if let Some((_, domain)) = normalize_address(address.untrusted())
            .as_deref()
            .and_then(|address| address.rsplit_once('@'))
        {
            let count = self.counts.entry(domain.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Returns the domains that at least one in twenty people has.
    pub fn common(self) -> BTreeSet<String> {
        let minimum = self.people.saturating_mul(COMMON_PERCENT);
        self.counts
            .into_iter()
            .filter(|(_, count)| count.saturating_mul(100) >= minimum)
            .map(|(domain, _)| domain)
            .collect()
    }
}

/// Returns the organization's domains: the verified ones or, if there are none, those that are common among its
/// people. They are sorted; at most 500.
///
/// # Errors
/// Returns the errors of `common`, which is called only if needed.
pub fn company_domains<E>(
    verified: BTreeSet<String>,
    common: impl FnOnce() -> Result<BTreeSet<String>, E>,
) -> Result<Vec<String>, E> {
    let domains = if verified.is_empty() { common()? } else { verified };
    Ok(domains.into_iter().take(DOMAINS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verified_domains_are_read_from_both_formats() {
        let check = |document: &str, expected: &[&str]| {
            assert_eq!(
                verified_domains(&serde_json::from_str(document).unwrap()),
                expected,
                "{document}"
            );
        };
        check(r#"["Birch.example", "no"]"#, &["birch.example"]);
        check(
            r#"{"value":[{"id":"birch.example","isVerified":true},{"id":"new.example","isVerified":false}]}"#,
            &["birch.example"],
        );
        check("{}", &[]);
        check("[1, null]", &[]);
    }

    #[test]
    fn a_domain_is_common_if_one_in_twenty_people_has_it() {
        let mut counts = DomainCounts::default();
        for address in std::iter::repeat_n("ann@birch.example", 38)
            .chain(["bo@oak.example", "cy@oak.example"])
            .chain(["dee@elm.example"])
        {
            counts.add(&ForeignText::name(address));
        }
        // There are 41 people, and two are fewer than five percent of them.
        assert_eq!(counts.common(), BTreeSet::from(["birch.example".to_owned()]));
        let mut counts = DomainCounts::default();
        for address in std::iter::repeat_n("ann@birch.example", 19).chain(["bo@oak.example"]) {
            counts.add(&ForeignText::name(address));
        }
        assert_eq!(counts.common().len(), 2);
    }

    #[test]
    fn common_domains_are_used_only_if_none_is_verified() {
        let of = |name: &str| BTreeSet::from([name.to_owned()]);
        let found = company_domains(of("birch.example"), || Err("read"));
        assert_eq!(found, Ok(vec!["birch.example".to_owned()]));
        let found = company_domains(BTreeSet::new(), || Ok::<_, ()>(of("oak.example")));
        assert_eq!(found, Ok(vec!["oak.example".to_owned()]));
        let many = (0..2 * DOMAINS_MAX).map(|n| format!("{n:04}.example")).collect();
        assert_eq!(
            company_domains(many, || Err(())).map(|all| all.len()),
            Ok(DOMAINS_MAX)
        );
    }
}
