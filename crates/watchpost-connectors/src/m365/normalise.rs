//! From Graph's words to ours. Pure; `None` is a row that can't be used.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use super::wire;
use crate::value::{email, id, time};
use std::collections::{HashMap, HashSet};
use watchpost_core::{
    integration::fact::{
        AccountFacts, AppCredential, AppFacts, AppOwnerFacts, Fact, GrantFacts, LastActive, MfaFacts,
        RoleFacts,
    },
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{AccountKind, AccountStatus, GrantKind, GrantRisk, Mfa, RoleHold},
    },
};

/// Template id of the role that may do everything.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Template ids of the roles from which a whole tenant can be taken over or read.
const PRIVILEGED_ROLES: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    "e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
    "fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", // SharePoint Administrator
    "29232cdf-9323-42fd-ade2-1d097af3e4de", // Exchange Administrator
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", // Hybrid Identity Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
    "194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
    "c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
    "729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
];

/// Microsoft's own tenants: apps from there are part of the platform.
const FIRST_PARTY_TENANTS: &[&str] = &[
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// Permissions of an app itself that reach everything or everybody's content.
const HIGH_RISK_APPLICATION: &[&str] = &[
    "RoleManagement.ReadWrite.Directory",
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.ReadWrite",
    "full_access_as_app",
    "Files.ReadWrite.All",
    "Sites.FullControl.All",
    "User.ReadWrite.All",
    "Group.ReadWrite.All",
    "Policy.ReadWrite.ConditionalAccess",
    "UserAuthenticationMethod.ReadWrite.All",
];

/// Permissions on a person's behalf that let an app act as that person.
const HIGH_RISK_DELEGATED: &[&str] = &[
    "Mail.ReadWrite",
    "Mail.Send",
    "Files.ReadWrite.All",
    "Contacts.ReadWrite",
    "Directory.AccessAsUser.All",
];

/// What signing in needs, and no more.
const BASIC: &[&str] = &["openid", "profile", "email", "offline_access", "User.Read"];

/// Registered methods that can be phished no more.
const PHISHING_RESISTANT: &[&str] = &[
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "windowsHelloForBusiness",
];

/// Registered methods that are easily taken over, or are no second factor at all.
const WEAK_METHODS: &[&str] = &[
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "email",
    "securityQuestion",
];

/// Methods of one account that are kept.
const METHODS_MAX: usize = 32;
/// Scopes of one grant that are kept.
const SCOPES_MAX: usize = 256;
/// Credentials of one app that are kept.
const CREDENTIALS_MAX: usize = 64;
/// Further addresses of one account that are kept.
const ALIASES_MAX: usize = 50;

/// What licences contain: for each, the plans that come with a mailbox.
#[derive(Debug, Default)]
pub(super) struct MailboxPlans(HashMap<String, HashSet<String>>);

impl MailboxPlans {
    /// Adds a licence.
    pub(super) fn add(&mut self, sku: &wire::SubscribedSku) {
        let plans = sku.service_plans.iter().flatten().filter(|plan| {
            // The "foundation" plan comes with everything and has no mailbox.
            plan.service_plan_name
                .as_deref()
                .is_some_and(|name| name.starts_with("EXCHANGE_") && name != "EXCHANGE_S_FOUNDATION")
        });
        let ids = plans
            .map(|plan| plan.service_plan_id.clone().unwrap_or_default())
            .collect();
        self.0.insert(sku.sku_id.clone(), ids);
    }

    /// Whether an account with these licences has a mailbox; `None` if a licence is one that we know nothing of.
    fn judge(&self, licenses: &[wire::AssignedLicense]) -> Option<bool> {
        let mut known = true;
        for license in licenses {
            let Some(plans) = license.sku_id.as_ref().and_then(|sku| self.0.get(sku)) else {
                known = false;
                continue;
            };
            let disabled = license.disabled_plans.as_deref().unwrap_or_default();
            if plans
                .iter()
                .any(|plan| plan.is_empty() || !disabled.contains(plan))
            {
                return Some(true);
            }
        }
        known.then_some(false)
    }
}

/// An account. `sign_ins`: whether the last sign-in was asked for and given; `mailboxes`: what licences contain, if
/// that could be read.
pub(super) fn account(user: &wire::User, sign_ins: bool, mailboxes: Option<&MailboxPlans>) -> Option<Fact> {
    let vendor_id = id(&user.id)?;
    let upn = user.user_principal_name.as_deref().unwrap_or_default();
    let invited = upn.contains("#EXT#");
    let guest = match user.user_type.as_deref() {
        Some(kind) => kind.eq_ignore_ascii_case("guest"),
        None => invited,
    };
    // An invited guest's login only looks like an address.
    let upn_address = if invited { None } else { email(upn) };
    let main = user
        .mail
        .as_deref()
        .and_then(email)
        .or_else(|| upn_address.clone());
    let mut aliases: Vec<String> = Vec::new();
    let proxies = user.proxy_addresses.iter().flatten().filter_map(|address| {
        let (scheme, address) = address.split_once(':')?;
        scheme
            .eq_ignore_ascii_case("smtp")
            .then(|| email(address))
            .flatten()
    });
    // `otherMails` is left out: nobody checked that those addresses are this person's.
    for alias in upn_address.into_iter().chain(proxies) {
        if main.as_ref() != Some(&alias) && !aliases.contains(&alias) && aliases.len() < ALIASES_MAX {
            aliases.push(alias);
        }
    }
    let pending = user
        .external_user_state
        .as_deref()
        .map(|state| state == "PendingAcceptance");
    let status = match (user.account_enabled, pending) {
        (Some(false), _) => AccountStatus::Suspended,
        (_, Some(true)) => AccountStatus::Pending,
        _ => AccountStatus::Active,
    };
    let name = user
        .display_name
        .as_deref()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or(upn);
    let text = |text: &Option<String>| {
        text.as_deref()
            .map(ForeignText::name)
            .filter(|text| !text.is_empty())
    };
    Some(Fact::Account(Box::new(AccountFacts {
        vendor_id,
        login: ForeignText::name(upn),
        email: main,
        aliases,
        display_name: ForeignText::name(name),
        status,
        status_changed_at: None,
        kind: if guest {
            AccountKind::Guest
        } else {
            AccountKind::Member
        },
        last_active: last_active(user.sign_in_activity.as_ref(), sign_ins),
        created_at: time(user.created_date_time.as_deref()),
        department: text(&user.department),
        title: text(&user.job_title),
        manager_email: None,
        // Null means that no policy is set, hence not this one.
        password_never_expires: Some(
            user.password_policies
                .as_deref()
                .is_some_and(|policies| policies.contains("DisablePasswordExpiration")),
        ),
        password_changed_at: time(user.last_password_change_date_time.as_deref()),
        // Null for accounts that were never synced.
        synced: Some(user.on_premises_sync_enabled == Some(true)),
        on_premises_id: Some(
            user.on_premises_immutable_id
                .as_deref()
                .is_some_and(|id| !id.is_empty()),
        ),
        invitation_pending: if guest { pending } else { None },
        mailbox: mailboxes
            .and_then(|plans| plans.judge(user.assigned_licenses.as_deref().unwrap_or_default())),
    })))
}

/// The latest of the three times; Graph leaves the property out for accounts that never signed in.
fn last_active(activity: Option<&wire::SignInActivity>, asked: bool) -> LastActive {
    if !asked {
        return LastActive::Unknown;
    }
    let latest = activity.and_then(|activity| {
        [
            &activity.last_sign_in_date_time,
            &activity.last_non_interactive_sign_in_date_time,
            &activity.last_successful_sign_in_date_time,
        ]
        .into_iter()
        .filter_map(|text| time(text.as_deref()))
        .max()
    });
    latest.map_or(LastActive::Never, LastActive::At)
}

/// An account's second factors.
pub(super) fn registration(row: &wire::Registration) -> Option<Fact> {
    let methods = row.methods_registered.as_deref().unwrap_or_default();
    let mfa = match row.is_mfa_registered {
        Some(true) => Mfa::On,
        Some(false) => Mfa::Off,
        None => Mfa::Unknown,
    };
    let among = |list: &[&str], method: &String| list.contains(&method.as_str());
    Some(Fact::Mfa(MfaFacts {
        account_vendor_id: id(&row.id)?,
        mfa,
        phishing_resistant: methods.iter().any(|method| among(PHISHING_RESISTANT, method)),
        weak_only: mfa == Mfa::On
            && !methods.is_empty()
            && methods.iter().all(|method| among(WEAK_METHODS, method)),
        methods: methods
            .iter()
            .take(METHODS_MAX)
            .map(|method| ForeignText::name(method))
            .collect(),
    }))
}

/// A role of the tenant.
#[derive(Debug, Clone)]
pub(super) struct RoleName {
    key: String,
    name: ForeignText,
}

/// A role definition under its id.
pub(super) fn role_definition(row: &wire::RoleDefinition) -> Option<(String, RoleName)> {
    let definition = id(&row.id)?;
    let key = row
        .template_id
        .as_deref()
        .and_then(id)
        .unwrap_or_else(|| definition.clone());
    let name = ForeignText::name(row.display_name.as_deref().unwrap_or(&key));
    Some((definition, RoleName { key, name }))
}

/// How and until when a role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) hold: RoleHold,
    pub(super) ends_at: Option<Timestamp>,
}

impl Held {
    /// From a schedule of an active assignment.
    pub(super) fn active(end: Option<&str>) -> Self {
        let ends_at = time(end);
        Self {
            hold: if ends_at.is_some() {
                RoleHold::TimeBound
            } else {
                RoleHold::Permanent
            },
            ends_at,
        }
    }
}

/// A role that somebody holds.
pub(super) struct Holding<'a> {
    pub(super) assignment: &'a str,
    pub(super) principal: &'a str,
    pub(super) role_definition: &'a str,
    pub(super) via_group: Option<&'a ForeignText>,
    pub(super) held: Held,
}

/// The fact of a holding. One through a group gets an id of both parts.
pub(super) fn role(holding: &Holding<'_>, definitions: &HashMap<String, RoleName>) -> Option<Fact> {
    let assignment = id(holding.assignment)?;
    let principal = id(holding.principal)?;
    let definition = id(holding.role_definition)?;
    let (key, name) = match definitions.get(&definition) {
        Some(role) => (role.key.clone(), role.name.clone()),
        None => (definition.clone(), ForeignText::name(&definition)),
    };
    Some(Fact::Role(RoleFacts {
        vendor_id: match holding.via_group {
            Some(_) => format!("{assignment}:{principal}"),
            None => assignment,
        },
        principal_vendor_id: principal,
        privileged: PRIVILEGED_ROLES.contains(&key.as_str()),
        super_admin: key == GLOBAL_ADMINISTRATOR,
        role_key: key,
        role_name: name,
        hold: holding.held.hold,
        via_group: holding.via_group.cloned(),
        ends_at: holding.held.ends_at,
    }))
}

/// An app's own registration: what its service principal doesn't say.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) application_id: String,
    credentials: Vec<AppCredential>,
}

/// A registration under its client id.
pub(super) fn registered(row: &wire::Application) -> Option<(String, Registered)> {
    let application_id = id(&row.id)?;
    let credentials = credentials(
        row.password_credentials.as_deref(),
        row.key_credentials.as_deref(),
    );
    Some((
        row.app_id.as_deref().and_then(id)?,
        Registered {
            application_id,
            credentials,
        },
    ))
}

fn credentials(
    passwords: Option<&[wire::Credential]>,
    keys: Option<&[wire::Credential]>,
) -> Vec<AppCredential> {
    let of = |kind: &'static str, list: Option<&[wire::Credential]>| {
        let made = list
            .unwrap_or_default()
            .iter()
            .take(CREDENTIALS_MAX)
            .map(|credential| AppCredential {
                kind: kind.to_owned(),
                starts_at_ms: time(credential.start_date_time.as_deref()).map(Timestamp::as_millis),
                ends_at_ms: time(credential.end_date_time.as_deref()).map(Timestamp::as_millis),
            });
        made.collect::<Vec<_>>()
    };
    let mut all = of("password", passwords);
    all.extend(of("certificate", keys));
    all.truncate(CREDENTIALS_MAX);
    all
}

/// An app. `own`: its registration, if the tenant has one; `tenant`: the tenant's id, if known.
pub(super) fn app(
    row: &wire::ServicePrincipal,
    own: Option<&Registered>,
    tenant: Option<&str>,
) -> Option<Fact> {
    let owner = row.app_owner_organization_id.as_deref();
    let first_party = owner.is_some_and(|owner| FIRST_PARTY_TENANTS.contains(&owner));
    let mut all = credentials(
        row.password_credentials.as_deref(),
        row.key_credentials.as_deref(),
    );
    if let Some(own) = own {
        all.extend(own.credentials.iter().cloned());
        all.truncate(CREDENTIALS_MAX);
    }
    let own_registration = match (own, tenant, owner) {
        (Some(_), _, _) => Some(true),
        (None, Some(tenant), Some(owner)) => Some(tenant.eq_ignore_ascii_case(owner)),
        _ => None,
    };
    let publisher = row.verified_publisher.as_ref();
    let client_id = row.app_id.as_deref().and_then(id);
    let name = row
        .display_name
        .as_deref()
        .or(client_id.as_deref())
        .unwrap_or(&row.id);
    Some(Fact::App(Box::new(AppFacts {
        vendor_id: id(&row.id)?,
        name: ForeignText::name(name),
        client_id,
        publisher: publisher
            .and_then(|publisher| publisher.display_name.as_deref())
            .or(row.publisher_name.as_deref())
            .map(ForeignText::name),
        publisher_verified: Some(
            publisher.is_some_and(|publisher| publisher.verified_publisher_id.is_some()),
        ),
        first_party,
        own_registration,
        enabled: row.account_enabled.unwrap_or(true),
        created_at: time(row.created_date_time.as_deref()),
        sign_on_mode: None,
        deprovisioning: None,
        credentials: all,
    })))
}

/// The permissions that apps can hold on a resource, by id.
pub(super) fn app_roles(row: &wire::ServicePrincipal) -> HashMap<String, String> {
    row.app_roles
        .iter()
        .flatten()
        .filter(|role| {
            role.allowed_member_types
                .iter()
                .flatten()
                .any(|kind| kind.eq_ignore_ascii_case("application"))
        })
        .filter_map(|role| {
            let value = role.value.as_deref().filter(|value| !value.is_empty())?;
            Some((role.id.clone()?, value.to_owned()))
        })
        .collect()
}

/// An app's owner.
pub(super) fn owner(app: &str, row: &wire::DirectoryObject) -> Option<Fact> {
    let account = id(row.id.as_deref()?)?;
    Some(Fact::AppOwner(AppOwnerFacts {
        app_vendor_id: app.to_owned(),
        account_vendor_id: account,
    }))
}

/// A delegated permission.
pub(super) fn grant(row: &wire::PermissionGrant) -> Option<Fact> {
    // Consent for everybody names nobody; a person's consent must name that person.
    let account = match row.consent_type.as_deref() {
        Some("AllPrincipals") => None,
        Some("Principal") => Some(id(row.principal_id.as_deref()?)?),
        _ => row.principal_id.as_deref().and_then(id),
    };
    let scopes: Vec<&str> = row
        .scope
        .as_deref()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    Some(Fact::Grant(Box::new(GrantFacts {
        vendor_id: id(&row.id)?,
        app_vendor_id: Some(id(&row.client_id)?),
        account_vendor_id: account,
        kind: GrantKind::Delegated,
        name: None,
        risk: worst(scopes.iter().map(|scope| risk(scope, GrantKind::Delegated))),
        scopes: scopes
            .into_iter()
            .take(SCOPES_MAX)
            .map(ForeignText::name)
            .collect(),
        created_at: None,
        last_used: LastActive::Unknown,
        expires_at: None,
        never_expires: false,
    })))
}

/// A permission of an app itself. `None` inside: the row is fine but is no app's permission.
pub(super) fn app_grant(
    row: &wire::AppRoleAssignment,
    roles: &HashMap<String, String>,
) -> Option<Option<Fact>> {
    if row
        .principal_type
        .as_deref()
        .is_some_and(|kind| kind != "ServicePrincipal")
    {
        return Some(None);
    }
    let role = row.app_role_id.as_deref().unwrap_or_default();
    let scope = roles.get(role).map_or(role, String::as_str);
    Some(Some(Fact::Grant(Box::new(GrantFacts {
        vendor_id: id(&row.id)?,
        app_vendor_id: Some(id(&row.principal_id)?),
        account_vendor_id: None,
        kind: GrantKind::Application,
        name: None,
        scopes: vec![ForeignText::name(scope)],
        risk: risk(scope, GrantKind::Application),
        created_at: time(row.created_date_time.as_deref()),
        last_used: LastActive::Unknown,
        expires_at: None,
        never_expires: false,
    }))))
}

/// How dangerous one permission is.
fn risk(scope: &str, kind: GrantKind) -> GrantRisk {
    let high = if kind == GrantKind::Application {
        HIGH_RISK_APPLICATION
    } else {
        HIGH_RISK_DELEGATED
    };
    if high.contains(&scope) {
        return GrantRisk::High;
    }
    if scope.is_empty() || BASIC.contains(&scope) {
        GrantRisk::Low
    } else {
        GrantRisk::Medium
    }
}

/// The worst of several; `low` of none. Words are declared worst first.
fn worst(risks: impl Iterator<Item = GrantRisk>) -> GrantRisk {
    risks.min().unwrap_or(GrantRisk::Low)
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a table test that stops has failed"
)]
mod tests;
