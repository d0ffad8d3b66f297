//! Apps, their owners, and their permissions.

use crate::{
    m365::wire,
    value::{id, time},
};
use std::collections::HashMap;
use watchpost_core::{
    integration::fact::{AppCredential, AppFacts, AppOwnerFacts, Fact, GrantFacts, LastActive},
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{GrantKind, GrantRisk},
    },
};

/// Microsoft's own tenants. Their apps are part of the platform.
pub(super) const FIRST_PARTY_TENANTS: &[&str] = &[
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// The application permissions that give access to the whole directory or to every user's content.
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

/// The delegated permissions that let an app act as the user.
const HIGH_RISK_DELEGATED: &[&str] = &[
    "Mail.ReadWrite",
    "Mail.Send",
    "Files.ReadWrite.All",
    "Contacts.ReadWrite",
    "Directory.AccessAsUser.All",
];

/// The permissions that signing in requires.
const BASIC: &[&str] = &["openid", "profile", "email", "offline_access", "User.Read"];

/// The maximum number of scopes kept per grant.
const SCOPES_MAX: usize = 256;
/// The maximum number of credentials kept per app.
const CREDENTIALS_MAX: usize = 64;
/// The tenant's own registration of an app, with the data that the app's service principal lacks.
#[derive(Debug)]
pub(in crate::m365) struct AppRegistration {
    pub(in crate::m365) application_id: String,
    credentials: Vec<AppCredential>,
}

/// Converts a registration. Returns it with its client id.
pub(in crate::m365) fn app_registration(row: &wire::Application) -> Option<(String, AppRegistration)> {
    let application_id = id(&row.id)?;
    let credentials = credentials(
        row.password_credentials.as_deref(),
        row.key_credentials.as_deref(),
    );
    Some((
        row.app_id.as_deref().and_then(id)?,
        AppRegistration {
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
        let credentials = list
            .unwrap_or_default()
            .iter()
            .take(CREDENTIALS_MAX)
            .map(|credential| AppCredential {
                kind: kind.to_owned(),
                starts_at_ms: time(credential.start_date_time.as_deref()).map(Timestamp::as_millis),
                ends_at_ms: time(credential.end_date_time.as_deref()).map(Timestamp::as_millis),
            });
        credentials.collect::<Vec<_>>()
    };
    let mut all = of("password", passwords);
    all.extend(of("certificate", keys));
    all.truncate(CREDENTIALS_MAX);
    all
}

/// Converts an app. `own` is the tenant's own registration of the app, if there is one; `tenant` is the tenant's id, if it
/// is known.
pub(in crate::m365) fn app(
    row: &wire::ServicePrincipal,
    own: Option<&AppRegistration>,
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

/// Whether people can be assigned to an app, and the app is reviewed: not one of Microsoft's, and not an identity of a machine.
pub(in crate::m365) fn is_assignable(row: &wire::ServicePrincipal) -> bool {
    let owner = row.app_owner_organization_id.as_deref();
    let machine = matches!(
        row.service_principal_type.as_deref(),
        Some("ManagedIdentity" | "SocialIdp")
    );
    !machine && !owner.is_some_and(|owner| FIRST_PARTY_TENANTS.contains(&owner))
}

/// Converts the assignment of an account to an app, directly or as a member of a group.
pub(in crate::m365) fn assignment(row: &wire::AppRoleAssignment, app: &str, account: &str) -> Option<Fact> {
    let assignment = id(&row.id)?;
    let account = id(account)?;
    // The assignment of a group has the same id for all of its members.
    let vendor_id = if account == row.principal_id {
        assignment
    } else {
        format!("{assignment}:{account}")
    };
    Some(Fact::Grant(Box::new(GrantFacts {
        vendor_id,
        app_vendor_id: Some(app.to_owned()),
        account_vendor_id: Some(account),
        kind: GrantKind::SsoAssignment,
        name: None,
        scopes: Vec::new(),
        risk: GrantRisk::Low,
        created_at: time(row.created_date_time.as_deref()),
        last_used: LastActive::Unknown,
        expires_at: None,
        never_expires: false,
        network: None,
    })))
}

/// Returns the application permissions of a resource: their names by id.
pub(in crate::m365) fn app_roles(row: &wire::ServicePrincipal) -> HashMap<String, String> {
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

/// Converts an owner of an app.
pub(in crate::m365) fn owner(app: &str, row: &wire::DirectoryObject) -> Option<Fact> {
    let account = id(row.id.as_deref()?)?;
    Some(Fact::AppOwner(AppOwnerFacts {
        app_vendor_id: app.to_owned(),
        account_vendor_id: account,
    }))
}

/// Converts a delegated permission.
pub(in crate::m365) fn grant(row: &wire::PermissionGrant) -> Option<Fact> {
    // Consent for all users has no principal; a single user's consent must have one.
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
        network: None,
    })))
}

/// Converts an application permission. The inner `None` is a valid row that isn't a permission of an app.
pub(in crate::m365) fn app_grant(
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
        network: None,
    }))))
}

/// Returns the risk of one permission.
pub(super) fn risk(scope: &str, kind: GrantKind) -> GrantRisk {
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

/// Returns the highest of several risks; low if there are none. The variants are declared from the highest to the lowest.
fn worst(risks: impl Iterator<Item = GrantRisk>) -> GrantRisk {
    risks.min().unwrap_or(GrantRisk::Low)
}
