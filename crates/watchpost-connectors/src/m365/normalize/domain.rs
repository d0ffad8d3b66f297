//! A tenant's domains: where their accounts authenticate, and whether their passwords expire.

use crate::m365::wire;
use std::collections::HashMap;

/// The validity of passwords, in days, that means that they never expire.
const NEVER_EXPIRES_DAYS: i64 = 2_147_483_647;

/// The ends of the names of domains that Microsoft gives to each tenant. Such a domain can't be federated.
const INITIAL_DOMAINS: &[&str] = &[".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];

/// The place where an account authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    /// In the tenant.
    Here,
    /// At another identity provider, with which the account's domain is federated.
    Federated,
    /// In the guest's own organization.
    Guest,
    /// Unknown, because the domains could not be read or the domain's type isn't known.
    Unknown,
}

/// Whether the passwords of a domain expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Never,
    After,
    /// The vendor's default, which depends on the age of the tenant.
    Unknown,
}

#[derive(Debug)]
struct Domain {
    /// `None` for a type that isn't known.
    federated: Option<bool>,
    root: bool,
    expiry: Expiry,
}

/// The tenant's domains, by name in lower case.
#[derive(Debug, Default)]
pub(in crate::m365) struct Domains(HashMap<String, Domain>);

impl Domains {
    /// Adds a domain.
    pub(in crate::m365) fn add(&mut self, row: &wire::Domain) {
        let domain = Domain {
            federated: match row.authentication_type.as_deref() {
                Some(kind) if kind.eq_ignore_ascii_case("Managed") => Some(false),
                Some(kind) if kind.eq_ignore_ascii_case("Federated") => Some(true),
                _ => None,
            },
            root: row.is_root != Some(false),
            expiry: match row.password_validity_period_in_days {
                Some(NEVER_EXPIRES_DAYS) => Expiry::Never,
                Some(_) => Expiry::After,
                None => Expiry::Unknown,
            },
        };
        self.0.insert(row.id.to_lowercase(), domain);
    }

    /// Returns whether the passwords of a domain expire. A subdomain has the policy of its root.
    fn expiry(&self, name: &str) -> Expiry {
        let root = |name: &str| self.0.get(name).filter(|domain| domain.root);
        let mut rest = name;
        loop {
            if let Some(domain) = root(rest) {
                return domain.expiry;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return self.0.get(name).map_or(Expiry::Unknown, |domain| domain.expiry),
            }
        }
    }
}

/// Returns the domain of a login, in lower case.
fn domain_of(login: &str) -> String {
    login
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain)
        .to_lowercase()
}

/// Returns where an account authenticates. `domains` is `None` if they could not be read.
pub(super) fn authentication(login: &str, guest: bool, domains: Option<&Domains>) -> Authentication {
    // An invited account has this mark in its login, even if it is a member.
    if guest || login.contains("#EXT#") {
        return Authentication::Guest;
    }
    let domain = domain_of(login);
    if domain.is_empty() {
        return Authentication::Unknown;
    }
    if INITIAL_DOMAINS.iter().any(|end| domain.ends_with(end)) {
        return Authentication::Here;
    }
    match domains.map(|domains| domains.0.get(&domain)) {
        // A federated domain would be in the list.
        Some(None) => Authentication::Here,
        Some(Some(Domain {
            federated: Some(false),
            ..
        })) => Authentication::Here,
        Some(Some(Domain {
            federated: Some(true),
            ..
        })) => Authentication::Federated,
        Some(Some(Domain { federated: None, .. })) | None => Authentication::Unknown,
    }
}

/// Facts about the expiry of an account's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PasswordExpiry {
    /// Whether it never expires, by whatever policy.
    pub(super) never: Option<bool>,
    /// Whether it never expires because the account is exempt from its domain's policy.
    pub(super) exempt: Option<bool>,
}

/// Returns what is known about the expiry of an account's password. `policies` are the account's own: `None` if they
/// weren't told, `Some(None)` if there are none.
pub(super) fn password_expiry(
    login: &str,
    authentication: Authentication,
    policies: Option<Option<&str>>,
    domains: Option<&Domains>,
) -> PasswordExpiry {
    if matches!(authentication, Authentication::Federated | Authentication::Guest) {
        // The password is kept elsewhere.
        return PasswordExpiry {
            never: None,
            exempt: None,
        };
    }
    let own = policies
        .map(|policies| policies.is_some_and(|policies| policies.contains("DisablePasswordExpiration")));
    let domain = domains.map_or(Expiry::Unknown, |domains| domains.expiry(&domain_of(login)));
    match (domain, own) {
        (Expiry::Never, _) => PasswordExpiry {
            never: Some(true),
            exempt: Some(false),
        },
        (_, Some(true)) => PasswordExpiry {
            never: Some(true),
            exempt: Some(true),
        },
        (Expiry::After, Some(false)) => PasswordExpiry {
            never: Some(false),
            exempt: Some(false),
        },
        (Expiry::Unknown, Some(false)) => PasswordExpiry {
            never: None,
            exempt: Some(false),
        },
        (_, None) => PasswordExpiry {
            never: None,
            exempt: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn domains() -> Domains {
        let mut domains = Domains::default();
        for row in [
            json!({ "id": "Birch.example", "authenticationType": "Managed", "isRoot": true,
                "passwordValidityPeriodInDays": 2_147_483_647 }),
            json!({ "id": "eu.birch.example", "authenticationType": "Managed", "isRoot": false,
                "passwordValidityPeriodInDays": null }),
            json!({ "id": "alder.example", "authenticationType": "Managed", "isRoot": true,
                "passwordValidityPeriodInDays": 90 }),
            json!({ "id": "elm.example", "authenticationType": "Federated", "isRoot": true }),
            json!({ "id": "oak.example", "authenticationType": "Managed", "isRoot": true }),
            json!({ "id": "yew.example", "authenticationType": "Telepathic" }),
        ] {
            domains.add(&serde_json::from_value(row).unwrap());
        }
        domains
    }

    #[test]
    fn accounts_of_federated_domains_and_guests_authenticate_elsewhere() {
        use Authentication::{Federated, Guest, Here, Unknown};
        let domains = domains();
        let check = |login: &str, guest: bool, expected: Authentication, unread: Authentication| {
            assert_eq!(authentication(login, guest, Some(&domains)), expected, "{login}");
            assert_eq!(
                authentication(login, guest, None),
                unread,
                "{login}, domains unread"
            );
        };
        check("a@birch.example", false, Here, Unknown);
        check("a@EU.birch.example", false, Here, Unknown);
        check("a@elm.example", false, Federated, Unknown);
        check("a@yew.example", false, Unknown, Unknown);
        check("a@elsewhere.example", false, Here, Unknown);
        check("a@birch.onmicrosoft.com", false, Here, Here);
        check("a_elm.example#EXT#@birch.onmicrosoft.com", false, Guest, Guest);
        check("a@birch.example", true, Guest, Guest);
        check("", false, Unknown, Unknown);
    }

    #[test]
    fn a_password_never_expires_by_the_policy_of_the_account_or_of_its_domain() {
        let domains = domains();
        let check =
            |login: &str, policies: Option<Option<&str>>, never: Option<bool>, exempt: Option<bool>| {
                let place = authentication(login, false, Some(&domains));
                let known = password_expiry(login, place, policies, Some(&domains));
                assert_eq!(
                    (known.never, known.exempt),
                    (never, exempt),
                    "{login} {policies:?}"
                );
            };
        let (yes, no) = (Some(true), Some(false));
        let own = Some(Some("DisablePasswordExpiration, DisableStrongPassword"));
        check("a@birch.example", Some(None), yes, no);
        check("a@birch.example", own, yes, no);
        check("a@birch.example", None, yes, no);
        check("a@eu.birch.example", Some(Some("None")), yes, no);
        check("a@alder.example", Some(None), no, no);
        check("a@alder.example", own, yes, yes);
        check("a@alder.example", None, None, None);
        check("a@oak.example", Some(None), None, no);
        check("a@oak.example", own, yes, yes);
        check("a@elm.example", own, None, None);
        let unread = password_expiry("a@birch.example", Authentication::Unknown, Some(None), None);
        assert_eq!((unread.never, unread.exempt), (None, no));
    }
}
