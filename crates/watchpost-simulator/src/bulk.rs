//! The ordinary people of the company, who are generated one by one from name lists and a seed.

use crate::{
    company::{Login, M365Account, OktaAccount, Person, PersonKind},
    ids::mix,
    when::{DAY_MS, HOUR_MS, When},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The generator of ordinary people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bulk {
    pub(crate) people: u32,
    pub(crate) given: Vec<String>,
    pub(crate) surnames: Vec<String>,
    pub(crate) departments: BTreeMap<String, Department>,
    #[serde(skip)]
    pub(crate) no_mfa_percent: u64,
    #[serde(skip)]
    pub(crate) stale_percent: u64,
    #[serde(skip)]
    pub(crate) offboarded_percent: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Department {
    pub(crate) head: String,
    pub(crate) titles: Vec<String>,
}

/// A prime. If it doesn't divide the number of name pairs, multiples of it modulo that number visit every pair.
const STRIDE: u64 = 7919;

impl Bulk {
    /// Returns the `n`-th ordinary person, which depends only on `n` and the seed.
    pub(crate) fn person(&self, n: u64, seed: u64, domain: &str) -> Person {
        let (given_count, surname_count) = (self.given.len() as u64, self.surnames.len() as u64);
        let pairs = (given_count * surname_count).max(1);
        let pair = (n % pairs).wrapping_mul(STRIDE) % pairs;
        let given = pick(&self.given, pair / surname_count.max(1));
        let surname = pick(&self.surnames, pair % surname_count.max(1));
        let mut key = format!("{}.{}", slug(given), slug(surname));
        if n >= pairs {
            key.push_str(&(n / pairs + 1).to_string());
        }
        let dice = mix(seed, 100, n);
        let (department, about) = self
            .departments
            .iter()
            .nth((dice % self.departments.len().max(1) as u64) as usize)
            .map_or((None, None), |(name, about)| (Some(name.clone()), Some(about)));
        let created = When::Offset(-(200 * DAY_MS + (dice >> 8) as i64 % 2800 * DAY_MS / 2 - HOUR_MS * 7));
        let roll = |salt: u64, percent: u64| mix(seed, 200 + salt, n) % 100 < percent;
        let methods: &[&str] = match mix(seed, 101, n) % 10 {
            0 | 1 => &["fido2SecurityKey", "microsoftAuthenticatorPush"],
            2 => &["windowsHelloForBusiness", "microsoftAuthenticatorPush"],
            3 => &["softwareOneTimePasscode"],
            4 => &["mobilePhone", "microsoftAuthenticatorPush"],
            _ => &["microsoftAuthenticatorPush"],
        };
        let factors: &[&str] = match mix(seed, 102, n) % 6 {
            0 => &["webauthn", "push"],
            1 => &["token:software:totp", "email"],
            2 => &["signed_nonce", "push"],
            _ => &["push"],
        };
        let no_mfa = roll(1, self.no_mfa_percent);
        let gone = roll(3, self.offboarded_percent);
        let strings = |list: &[&str]| {
            if no_mfa {
                Vec::new()
            } else {
                list.iter().map(|&text| text.to_owned()).collect()
            }
        };
        Person {
            name: format!("{given} {surname}"),
            email: format!("{key}@{domain}"),
            key,
            department,
            title: about.map(|about| pick(&about.titles, dice >> 40).to_owned()),
            manager: about.map(|about| about.head.clone()),
            kind: PersonKind::Person,
            created,
            deleted: None,
            last_login: if roll(2, self.stale_percent) {
                Login::Stopped(When::Offset(-(120 * DAY_MS)))
            } else {
                Login::Inherit
            },
            m365: Some(M365Account {
                methods: strings(methods),
                synced: mix(seed, 103, n).is_multiple_of(5),
                ..M365Account::default()
            }),
            okta: Some(OktaAccount {
                factors: strings(factors),
                status: gone.then(|| "DEPROVISIONED".to_owned()),
                status_changed: gone.then_some(When::Offset(-(20 * DAY_MS))),
                ..OktaAccount::default()
            }),
        }
    }
}

fn pick(list: &[String], index: u64) -> &str {
    list.get((index % list.len().max(1) as u64) as usize)
        .map_or("", String::as_str)
}

/// Returns the ASCII letters and digits of a name in lower case, without the accents that occur in the name lists.
fn slug(name: &str) -> String {
    name.chars()
        .filter_map(|c| {
            Some(match c.to_lowercase().next()? {
                'á' | 'à' | 'â' | 'ä' | 'å' | 'ã' => 'a',
                'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
                'í' | 'ì' | 'î' | 'ï' => 'i',
                'ó' | 'ò' | 'ô' | 'ö' | 'ø' | 'õ' => 'o',
                'ú' | 'ù' | 'û' | 'ü' => 'u',
                'ñ' | 'ń' => 'n',
                'ç' | 'č' => 'c',
                'ł' => 'l',
                'š' | 'ś' => 's',
                'ž' | 'ż' => 'z',
                c if c.is_ascii_alphanumeric() => c,
                _ => return None,
            })
        })
        .collect()
}
