//! The fixture company as data: who works there, what they may do, which apps they let in.
//!
//! Everything that is planted is written out in `fixtures/company/`; a bulk of ordinary people is grown from name
//! lists and a seed when it is asked for, one person at a time, so that a company of 100,000 costs no memory.

use crate::{
    bulk::Bulk,
    settings::{self, Documents, SettingDrift},
    when::{DAY_MS, When, parse_offset},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// Why a company could not be loaded. The embedded company always loads; a test holds that.
#[derive(Debug, thiserror::Error)]
#[error("fixture {file}: {source}")]
pub struct CompanyError {
    file: &'static str,
    source: serde_json::Error,
}

/// A fixture company: what it is now, and how it came to be so. Immutable; a simulator grows its state from it.
#[derive(Debug, Clone)]
pub struct Company {
    pub(crate) profile: Profile,
    /// Raw, because drift entries patch them before they are read.
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
    /// What public DNS says of its domains.
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
    /// The company of `fixtures/company/`: about 600 people at `birchworks.example`, most of them without any
    /// problem, and every planted problem that `expected.json` lists.
    ///
    /// # Errors
    /// If a fixture file does not parse; they are embedded at build time and tested.
    pub fn load_embedded() -> Result<Self, CompanyError> {
        let apps: Apps = fixture!("apps.json")?;
        let roles: Roles = fixture!("roles.json")?;
        for person in read::<Vec<Value>>(
            "people.json",
            include_str!("../../../fixtures/company/people.json"),
        )? {
            // Read once here so that a bad row is an error at load, not at the first request.
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

    /// A company of `users` ordinary people for load tests, with the apps and policies of the embedded one and a
    /// sprinkling of problems: 2 % without MFA, 3 % unused for long, 1 % gone from Okta but active in Microsoft 365.
    /// Its people are made one by one when a page needs them.
    ///
    /// # Errors
    /// As [`Company::load_embedded`].
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

    /// Everything that a correct engine must find, per stage, as `expected.json` lists it: an array of
    /// `{"stage","rule","subject"}`.
    #[must_use]
    pub const fn expected_json() -> &'static str {
        include_str!("../../../fixtures/company/expected.json")
    }

    /// What every check must say of the tenant, as `expected-checks.json` lists it: an array of
    /// `{"check","-30d","now"}` where each moment says `passed`, `failed` or `skipped:` and the reason; a row with
    /// `"would_pass": true` fails at `now` for nothing but its exclusions, one with `"needs": "dns"` is about public
    /// DNS records, and `"entities"` counts the failing things.
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
    /// Hosts that its administrators name when they connect it.
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
    /// Unique; how other fixture files name the person. For the bulk: the local part of the address.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) department: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// Key of the manager.
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

/// What stands behind a login. Only Okta's `userType` shows it on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PersonKind {
    #[default]
    Person,
    Service,
    Mailbox,
}

/// When a login was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Login {
    /// As the person's, and without one there: a few hours to 18 days before the clock.
    #[default]
    Inherit,
    Never,
    /// Less than 30 days: a habit, so always that long before the clock, at every stage.
    Habit(i64),
    /// 30 days or more: the person stopped then.
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
    /// User principal name if it isn't the address.
    #[serde(default)]
    pub(crate) upn: Option<String>,
    #[serde(default)]
    pub(crate) other_mails: Vec<String>,
    #[serde(default)]
    pub(crate) guest: Option<GuestState>,
    /// Since when sign-in is blocked.
    #[serde(default)]
    pub(crate) disabled: Option<When>,
    #[serde(default)]
    pub(crate) last_login: Login,
    /// Registered methods; an ordinary account has the authenticator's push. An empty list: none.
    #[serde(default = "push_only")]
    pub(crate) methods: Vec<String>,
    /// No row in the registration report.
    #[serde(default)]
    pub(crate) unreported: bool,
    #[serde(default)]
    pub(crate) roles: Vec<HeldRole>,
    /// Has a mailbox licence; ordinary members do.
    #[serde(default)]
    pub(crate) licence: Option<bool>,
    /// Comes from an on-premises directory.
    #[serde(default)]
    pub(crate) synced: bool,
    #[serde(default)]
    pub(crate) password_never_expires: bool,
    #[serde(default)]
    pub(crate) password_changed: Option<When>,
}

fn push_only() -> Vec<String> {
    vec!["microsoftAuthenticatorPush".to_owned()]
}

/// Whether a guest took up the invitation.
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
    /// Display name in `roles.json`.
    pub(crate) role: String,
    pub(crate) hold: Hold,
    pub(crate) since: When,
}

/// How a directory role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hold {
    /// Active without an end.
    Permanent,
    /// Active until 90 days after the origin.
    Timed,
    /// May be activated; not active.
    Eligible,
}

/// A login in Okta.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OktaAccount {
    /// Status since `status_changed`; `ACTIVE` if left out.
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) status_changed: Option<When>,
    #[serde(default)]
    pub(crate) last_login: Login,
    /// Enrolled factors; an ordinary account has push. An empty list: none.
    #[serde(default = "okta_push_only")]
    pub(crate) factors: Vec<String>,
    /// Administrator roles such as `SUPER_ADMIN`.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) second_email: Option<String>,
    #[serde(default)]
    pub(crate) password_changed: Option<When>,
    /// Scopes granted to an OAuth client by the person: (client label, scope).
    #[serde(default)]
    pub(crate) consents: Vec<(String, String)>,
}

fn okta_push_only() -> Vec<String> {
    vec!["push".to_owned()]
}

/// A service principal in Microsoft 365, with its app registration if it is the company's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct M365App {
    pub(crate) name: String,
    pub(crate) owner: Ownership,
    /// Only for Microsoft's own, whose ids are public; others are derived.
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
    /// Keys of the registration's owners.
    #[serde(default)]
    pub(crate) owners: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Vec<HeldRole>,
    /// Permissions that other apps may hold on it.
    #[serde(default)]
    pub(crate) offers: Vec<String>,
    /// Who may sign in to the registration if not only the company's own people, such as `AzureADMultipleOrgs`.
    #[serde(default)]
    pub(crate) audience: Option<String>,
    /// Where sign-in may lead back to.
    #[serde(default)]
    pub(crate) redirects: Vec<String>,
    /// Workloads elsewhere that may act as the app.
    #[serde(default)]
    pub(crate) federated: Vec<Federated>,
    /// Only people who are assigned to the app can sign in to it.
    #[serde(default)]
    pub(crate) assigned_only: bool,
}

/// A federated identity credential of an app registration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Federated {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) since: When,
}

/// Whose app it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ownership {
    Own,
    Foreign,
    Microsoft,
}

/// A secret's or certificate's validity.
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
    /// Delegated by this person.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// Delegated by every n-th ordinary person.
    #[serde(default)]
    pub(crate) every: Option<u64>,
    /// Held by the app itself.
    #[serde(default)]
    pub(crate) application: bool,
    #[serde(default = "graph_name")]
    pub(crate) resource: String,
    /// Space-separated.
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
    /// Keys of people with an assignment.
    #[serde(default)]
    pub(crate) people: Vec<String>,
    /// Assigned to every n-th ordinary person.
    #[serde(default)]
    pub(crate) every: Option<u64>,
    /// Okta API scopes that the app itself holds.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
}

/// An API token of Okta.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OktaToken {
    pub(crate) name: String,
    /// Key of the person whose rights it has.
    pub(crate) owner: String,
    pub(crate) created: When,
    #[serde(default)]
    pub(crate) expires: Option<When>,
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
    /// Since when it exists; left out: always.
    #[serde(default)]
    pub(crate) created: Option<When>,
    /// A group with a mailbox and a team instead of a security group.
    #[serde(default)]
    pub(crate) team: bool,
    /// Anybody in the company can join and read.
    #[serde(default)]
    pub(crate) public: bool,
}

/// How a person was before a moment: a merge patch over the person of `people.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drift {
    pub(crate) person: String,
    pub(crate) until: When,
    pub(crate) was: Value,
}
