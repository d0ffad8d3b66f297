//! The data of the fixture company: its people, their permissions, its apps.
//!
//! Everything that causes findings is written out in `fixtures/company/`. The ordinary people are generated from name lists
//! and a seed when they are needed, one at a time, so that a company of 100,000 people takes no memory.

use crate::{
    bulk::Bulk,
    settings::{self, Documents, SettingDrift},
    when::{DAY_MS, When, parse_offset},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// The error when a company can't be loaded. A test checks that the embedded company loads.
#[derive(Debug, thiserror::Error)]
#[error("fixture {file}: {source}")]
pub struct CompanyError {
    file: &'static str,
    source: serde_json::Error,
}

/// A fixture company: its current state and its history. It is immutable; a simulator derives its own state from it.
#[derive(Debug, Clone)]
pub struct Company {
    pub(crate) profile: Profile,
    /// The people as JSON, because drift entries are applied to them before they are parsed.
    pub(crate) people: Vec<Value>,
    pub(crate) bulk: Bulk,
    pub(crate) m365_apps: Vec<M365App>,
    pub(crate) okta_apps: Vec<OktaApp>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) groups: Vec<Group>,
    pub(crate) roles: Vec<RoleDefinition>,
    pub(crate) okta_tokens: Vec<OktaToken>,
    pub(crate) policies: Value,
    pub(crate) settings: Documents,
    pub(crate) setting_drift: Vec<SettingDrift>,
    pub(crate) drift: Vec<Drift>,
    /// The public DNS records of the company's domains.
    pub(crate) dns: crate::dns::Names,
}

macro_rules! fixture {
    ($name:literal) => {
        read($name, include_str!(concat!("../../../fixtures/company/", $name)))
    };
}

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, CompanyError> {
    serde_json::from_str(text).map_err(|source| CompanyError { file, source })
}

impl Company {
    /// Loads the company of `fixtures/company/`: about 600 people at `birchworks.example`. Most of them cause no finding; the
    /// others cause the findings in `expected.json`.
    ///
    /// # Errors
    /// [`CompanyError`] if a fixture file can't be parsed. The files are embedded at build time and tested.
    pub fn load_embedded() -> Result<Self, CompanyError> {
        let apps: Apps = fixture!("apps.json")?;
        let roles: Roles = fixture!("roles.json")?;
        for person in read::<Vec<Value>>(
            "people.json",
            include_str!("../../../fixtures/company/people.json"),
        )? {
            // Parsed here so that a bad row is an error when the company is loaded, not at the first request.
            serde_json::from_value::<Person>(person).map_err(|source| CompanyError {
                file: "people.json",
                source,
            })?;
        }
        Ok(Self {
            profile: fixture!("company.json")?,
            people: fixture!("people.json")?,
            bulk: fixture!("bulk.json")?,
            m365_apps: apps.m365,
            okta_apps: apps.okta,
            okta_tokens: apps.okta_tokens,
            grants: fixture!("grants.json")?,
            groups: roles.groups,
            roles: roles.definitions,
            policies: fixture!("policies.json")?,
            settings: settings::embedded().map_err(|(file, source)| CompanyError { file, source })?,
            setting_drift: fixture!("m365/drift.json")?,
            drift: fixture!("drift.json")?,
            dns: fixture!("dns.json")?,
        })
    }

    /// Creates a company of `users` ordinary people for load tests, with the apps and policies of the embedded company. 2 % of
    /// the people have no MFA, 3 % haven't signed in for a long time, and 1 % are deprovisioned in Okta but active in Microsoft
    /// 365. The people are generated one by one when a page needs them.
    ///
    /// # Errors
    /// [`CompanyError`] in the same cases as [`Company::load_embedded`].
    pub fn synthetic(users: u32) -> Result<Self, CompanyError> {
        let mut company = Self::load_embedded()?;
        company.people.clear();
        company.drift.clear();
        company.groups.clear();
        company.okta_tokens.clear();
        company.grants.retain(|grant| grant.person.is_none());
        for app in &mut company.m365_apps {
            app.owners.clear();
        }
        for app in &mut company.okta_apps {
            app.people.clear();
        }
        company.bulk.people = users;
        company.bulk.no_mfa_percent = 2;
        company.bulk.stale_percent = 3;
        company.bulk.offboarded_percent = 1;
        Ok(company)
    }

    /// Returns the content of `expected.json`, the findings of a correct engine at each stage: an array of
    /// `{"stage","rule","subject"}`.
    #[must_use]
    pub const fn expected_json() -> &'static str {
        include_str!("../../../fixtures/company/expected.json")
    }

    /// Returns the content of `expected-checks.json`, the result of every check: an array of `{"check","-30d","now"}`. The
    /// value for each time is `passed`, `failed`, or `skipped:` with the reason. A row with `"would_pass": true` fails at
    /// `now` only because of exclusions, a row with `"needs": "dns"` is about public DNS records, and `"entities"` is the
    /// number of failing entities.
    #[must_use]
    pub const fn expected_checks_json() -> &'static str {
        include_str!("../../../fixtures/company/expected-checks.json")
    }
}

/// Tenant-wide facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) initial_domain: String,
    pub(crate) okta_org: String,
    /// The hosts that administrators name when they connect the company.
    pub(crate) hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apps {
    m365: Vec<M365App>,
    okta: Vec<OktaApp>,
    okta_tokens: Vec<OktaToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    definitions: Vec<RoleDefinition>,
    groups: Vec<Group>,
}

/// A person or machine with a login in Microsoft 365, Okta or both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// The unique name of the person in other fixture files. For ordinary people it is the local part of the address.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) department: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// The key of the manager.
    #[serde(default)]
    pub(crate) manager: Option<String>,
    #[serde(default)]
    pub(crate) kind: PersonKind,
    pub(crate) created: When,
    #[serde(default)]
    pub(crate) deleted: Option<When>,
    #[serde(default)]
    pub(crate) last_login: Login,
    #[serde(default)]
    pub(crate) m365: Option<M365Account>,
    #[serde(default)]
    pub(crate) okta: Option<OktaAccount>,
}

/// The kind of user that a login belongs to. On the wire only Okta's `userType` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonKind {
    #[default]
    Person,
    Service,
    Mailbox,
}

/// The last use of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Login {
    /// The last use of the person; if that is inherited too, a time between an hour and 18 days before the clock.
    #[default]
    Inherit,
    Never,
    /// A regular use less than 30 days ago: always that long before the clock, at every stage.
    Habit(i64),
    /// A use 30 days ago or earlier, after which the person stopped.
    Stopped(When),
}

impl<'de> Deserialize<'de> for Login {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self::Never);
        }
        match parse_offset(&text) {
            Some(offset) if offset > -30 * DAY_MS && offset <= 0 => Ok(Self::Habit(offset)),
            Some(offset) if offset < 0 => Ok(Self::Stopped(When::Offset(offset))),
            _ => Err(D::Error::custom(format!("not a last login: {text}"))),
        }
    }
}

/// A login in Microsoft 365.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct M365Account {
    /// The user principal name if it differs from the address.
    #[serde(default)]
    pub(crate) upn: Option<String>,
    #[serde(default)]
    pub(crate) other_mails: Vec<String>,
    #[serde(default)]
    pub(crate) guest: Option<GuestState>,
    /// The time since which sign-in is blocked.
    #[serde(default)]
    pub(crate) disabled: Option<When>,
    #[serde(default)]
    pub(crate) last_login: Login,
    /// The registered methods. The default is the authenticator's push notification; an empty list means no method.
    #[serde(default = "push_only")]
    pub(crate) methods: Vec<String>,
    /// Whether the account is missing from the registration report.
    #[serde(default)]
    pub(crate) unreported: bool,
    #[serde(default)]
    pub(crate) roles: Vec<HeldRole>,
    /// Whether the account has a license with a mailbox. The default is true for members and false for guests.
    #[serde(default)]
    pub(crate) license: Option<bool>,
    /// Whether the account comes from an on-premises directory.
    #[serde(default)]
    pub(crate) synced: bool,
    /// Whether the account came from an on-premises directory once. It still has the id that it had there.
    #[serde(default)]
    pub(crate) was_synced: bool,
    /// Whether somebody keeps trying passwords on the account without success.
    #[serde(default)]
    pub(crate) attacked: bool,
    #[serde(default)]
    pub(crate) password_never_expires: bool,
    #[serde(default)]
    pub(crate) password_changed: Option<When>,
}

fn push_only() -> Vec<String> {
    vec!["microsoftAuthenticatorPush".to_owned()]
}

/// Whether a guest has accepted the invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GuestState {
    Accepted,
    Pending,
}

/// A directory role of a person, group or app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeldRole {
    /// The display name in `roles.json`.
    pub(crate) role: String,
    pub(crate) hold: Hold,
    pub(crate) since: When,
}

/// The way in which a directory role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hold {
    /// Active without an end time.
    Permanent,
    /// Active until 90 days after the origin.
    Timed,
    /// Not active, but can be activated.
    Eligible,
}

/// A login in Okta.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OktaAccount {
    /// The status since `status_changed`. The default is `ACTIVE`.
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) status_changed: Option<When>,
    #[serde(default)]
    pub(crate) last_login: Login,
    /// The enrolled factors. The default is push; an empty list means no factor.
    #[serde(default = "okta_push_only")]
    pub(crate) factors: Vec<String>,
    /// The factors that are enrolled, but of which Okta doesn't say that they are active.
    #[serde(default)]
    pub(crate) enrolled: Vec<String>,
    /// The provider that checks the password. The default is `OKTA`.
    #[serde(default)]
    pub(crate) provider: Option<String>,
    /// The administrator roles, such as `SUPER_ADMIN`.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) second_email: Option<String>,
    #[serde(default)]
    pub(crate) password_changed: Option<When>,
    /// The scopes that the person has granted to OAuth clients: pairs of client label and scope.
    #[serde(default)]
    pub(crate) consents: Vec<(String, String)>,
}

fn okta_push_only() -> Vec<String> {
    vec!["push".to_owned()]
}

/// A service principal in Microsoft 365, with its registration if the company owns the app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct M365App {
    pub(crate) name: String,
    pub(crate) owner: Ownership,
    /// The application id. It is set only for Microsoft's own apps, whose ids are public; other ids are derived.
    #[serde(default)]
    pub(crate) app_id: Option<String>,
    #[serde(default)]
    pub(crate) verified: bool,
    pub(crate) created: When,
    #[serde(default)]
    pub(crate) deleted: Option<When>,
    #[serde(default)]
    pub(crate) secrets: Vec<Credential>,
    #[serde(default)]
    pub(crate) certificates: Vec<Credential>,
    /// The keys of the people who own the registration.
    #[serde(default)]
    pub(crate) owners: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<HeldRole>,
    /// The application permissions that the app offers to other apps.
    #[serde(default)]
    pub(crate) offers: Vec<String>,
    /// The audience of the registration, such as `AzureADMultipleOrgs`. The default is the company's own people.
    #[serde(default)]
    pub(crate) audience: Option<String>,
    /// The redirect addresses of the registration.
    #[serde(default)]
    pub(crate) redirects: Vec<String>,
    /// The external workloads that may act as the app.
    #[serde(default)]
    pub(crate) federated: Vec<Federated>,
    /// The keys of the people who are assigned to the app.
    #[serde(default)]
    pub(crate) assigned: Vec<String>,
    /// The names of the groups that are assigned to the app.
    #[serde(default)]
    pub(crate) assigned_groups: Vec<String>,
    /// Whether only people who are assigned to the app can sign in to it.
    #[serde(default)]
    pub(crate) assigned_only: bool,
}

/// A federated identity credential of an app registration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Federated {
    pub(crate) name: String,
    pub(crate) issuer: String,
    /// The subject of the tokens. `None` with an expression.
    #[serde(default)]
    pub(crate) subject: Option<String>,
    /// The condition on the claims of the tokens.
    #[serde(default)]
    pub(crate) expression: Option<String>,
    pub(crate) since: When,
}

/// The owner of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ownership {
    Own,
    Foreign,
    Microsoft,
}

/// The validity of a secret or certificate.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    pub(crate) start: When,
    pub(crate) end: When,
}

/// A permission that an app holds in Microsoft 365.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) app: String,
    /// The person who delegated the permission.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// Set if every n-th ordinary person delegated the permission.
    #[serde(default)]
    pub(crate) every: Option<u64>,
    /// Whether it is an application permission.
    #[serde(default)]
    pub(crate) application: bool,
    #[serde(default = "graph_name")]
    pub(crate) resource: String,
    /// The scopes, separated by spaces.
    pub(crate) scopes: String,
    #[serde(default)]
    pub(crate) since: Option<When>,
    #[serde(default)]
    pub(crate) revoked: Option<When>,
}

fn graph_name() -> String {
    "Microsoft Graph".to_owned()
}

/// An app in Okta.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OktaApp {
    pub(crate) label: String,
    pub(crate) name: String,
    pub(crate) mode: String,
    #[serde(default)]
    pub(crate) inactive: bool,
    #[serde(default)]
    pub(crate) features: Vec<String>,
    pub(crate) created: When,
    /// The keys of the people who are assigned to the app.
    #[serde(default)]
    pub(crate) people: Vec<String>,
    /// Set if every n-th ordinary person is assigned to the app.
    #[serde(default)]
    pub(crate) every: Option<u64>,
    /// The states of assignments that aren't active, by key of the person.
    #[serde(default)]
    pub(crate) states: std::collections::BTreeMap<String, String>,
    /// The Okta API scopes that are granted to the app itself.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

/// An API token in Okta.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OktaToken {
    pub(crate) name: String,
    /// The key of the person whose permissions the token has.
    pub(crate) owner: String,
    pub(crate) created: When,
    /// The last use. A token that was never used expires one window after its creation.
    #[serde(default = "never")]
    pub(crate) last_use: Login,
    /// Whether the token works only from some networks.
    #[serde(default)]
    pub(crate) restricted: bool,
}

fn never() -> Login {
    Login::Never
}

/// A directory role that exists in the tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleDefinition {
    pub(crate) name: String,
    pub(crate) template_id: String,
}

/// A group in Microsoft 365.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<HeldRole>,
    #[serde(default)]
    pub(crate) role_assignable: bool,
    /// The time of creation. The default is that the group has always existed.
    #[serde(default)]
    pub(crate) created: Option<When>,
    /// Whether the group has a mailbox and a team. Otherwise it is a security group.
    #[serde(default)]
    pub(crate) team: bool,
    /// Whether everybody in the company can join and read.
    #[serde(default)]
    pub(crate) public: bool,
}

/// The earlier state of a person, until a time: a merge patch that is applied to the person of `people.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drift {
    pub(crate) person: String,
    pub(crate) until: When,
    pub(crate) was: Value,
}
