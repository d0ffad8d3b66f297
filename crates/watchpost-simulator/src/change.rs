//! Changes to the company while the simulator runs.

use crate::{
    company::{Grant, HeldRole, Hold, Login, M365Account, Person},
    dns::DnsRecord,
    settings,
    when::When,
    world::World,
};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// A change to the company at the time of the simulator's clock. People are identified by their address (ignoring case),
/// apps by their name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Change {
    /// Suspends the Okta login.
    SuspendOktaUser {
        /// The address of the person.
        email: String,
    },
    /// Deprovisions the Okta login.
    DeprovisionOktaUser {
        /// The address of the person.
        email: String,
    },
    /// Activates the Okta login.
    ActivateOktaUser {
        /// The address of the person.
        email: String,
    },
    /// Blocks sign-in to Microsoft 365.
    DisableM365User {
        /// The address of the person.
        email: String,
    },
    /// Allows sign-in to Microsoft 365 again.
    EnableM365User {
        /// The address of the person.
        email: String,
    },
    /// Deletes the person on both platforms.
    DeleteUser {
        /// The address of the person.
        email: String,
    },
    /// Changes the display name.
    RenameUser {
        /// The address of the person.
        email: String,
        /// The new display name.
        name: String,
    },
    /// Changes the address on both platforms.
    ChangeEmail {
        /// The address of the person.
        email: String,
        /// The new address.
        to: String,
    },
    /// Registers a security key for every account of the person.
    EnrollMfa {
        /// The address of the person.
        email: String,
    },
    /// Removes all second factors from every account of the person.
    ResetMfa {
        /// The address of the person.
        email: String,
    },
    /// Signs the person in with every account.
    SignIn {
        /// The address of the person.
        email: String,
    },
    /// Assigns a permanent, active directory role in Microsoft 365.
    AssignRole {
        /// The address of the person.
        email: String,
        /// The display name of the role.
        role: String,
    },
    /// Removes a directory role in Microsoft 365, whether it is permanent, timed or eligible.
    RemoveRole {
        /// The address of the person.
        email: String,
        /// The display name of the role.
        role: String,
    },
    /// Adds a delegated permission in Microsoft 365.
    AddGrant {
        /// The name of the app.
        app: String,
        /// The address of the person who consents. If it is left out, the consent is for everybody.
        #[serde(default)]
        email: Option<String>,
        /// The scopes, separated by spaces.
        scopes: String,
    },
    /// Revokes permissions of an app in Microsoft 365.
    RevokeGrant {
        /// The name of the app.
        app: String,
        /// The address of the person whose consent is revoked. If it is left out, all permissions of the app are revoked.
        #[serde(default)]
        email: Option<String>,
    },
    /// Deletes an app in Microsoft 365.
    DeleteApp {
        /// The name of the app.
        app: String,
    },
    /// Changes a setting of Microsoft 365. The value is returned as it is given here.
    SetSetting {
        /// The path of the document below `fixtures/company/m365/settings/`, such as `exchange/TransportConfig`.
        path: String,
        /// The JSON pointer to the value, such as `/value/0/SmtpClientAuthenticationDisabled`. A missing field is added, `-`
        /// appends to a list, and an empty or missing pointer replaces the whole document.
        #[serde(default)]
        pointer: String,
        /// The new value.
        value: Value,
    },
    /// Replaces the records of one type that a name has in public DNS. Without values the records are removed.
    SetDns {
        /// The domain name.
        name: String,
        /// The type of the records.
        record: DnsRecord,
        /// The new records in the format of a zone file.
        values: Vec<String>,
    },
}

/// The error when a change names something that doesn't exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no person with that address.
    #[error("no person has the address {0}")]
    NoSuchPerson(String),
    /// The person has no login on the platform.
    #[error("{0} has no account on that platform")]
    NoSuchAccount(String),
    /// There is no app with that name.
    #[error("no app is named {0}")]
    NoSuchApp(String),
    /// The app has no such grant.
    #[error("{0} has no such grant")]
    NoSuchGrant(String),
    /// There is no directory role with that name.
    #[error("no directory role is named {0}")]
    NoSuchRole(String),
    /// There is no settings document with that path.
    #[error("no setting has the path {0}")]
    NoSuchSetting(String),
    /// The document has no value at the pointer.
    #[error("{path} has no value at {pointer}")]
    NoSuchPointer {
        /// The path of the document.
        path: String,
        /// The pointer without a value.
        pointer: String,
    },
}

impl Change {
    pub(crate) fn apply(&self, world: &mut World, now_ms: i64) -> Result<(), ChangeError> {
        let now = When::At(now_ms);
        // The clock may be ahead of the stage, and the change must be visible at once.
        world.as_of_ms = world.as_of_ms.max(now_ms);
        match self {
            Self::SuspendOktaUser { email } => okta_status(world, email, "SUSPENDED", now),
            Self::DeprovisionOktaUser { email } => okta_status(world, email, "DEPROVISIONED", now),
            Self::ActivateOktaUser { email } => okta_status(world, email, "ACTIVE", now),
            Self::DisableM365User { email } => m365_disabled(world, email, Some(now)),
            Self::EnableM365User { email } => m365_disabled(world, email, None),
            Self::DeleteUser { email } => edit(world, email, |person| person.deleted = Some(now)),
            Self::RenameUser { email, name } => edit(world, email, |person| person.name.clone_from(name)),
            Self::ChangeEmail { email, to } => edit(world, email, |person| set_email(person, to)),
            Self::EnrollMfa { email } => edit(world, email, enroll_mfa),
            Self::ResetMfa { email } => edit(world, email, reset_mfa),
            Self::SignIn { email } => edit(world, email, |person| sign_in(person, now)),
            Self::AssignRole { email, role } => assign_role(world, email, role, now),
            Self::RemoveRole { email, role } => remove_role(world, email, role),
            Self::AddGrant { app, email, scopes } => add_grant(world, app, email.as_deref(), scopes, now),
            Self::RevokeGrant { app, email } => revoke_grant(world, app, email.as_deref(), now),
            Self::DeleteApp { app } => delete_app(world, app, now),
            Self::SetSetting { path, pointer, value } => set_setting(world, path, pointer, value),
            Self::SetDns { name, record, values } => {
                world.dns.set(name, *record, values);
                Ok(())
            }
        }
    }
}

fn set_email(person: &mut Person, to: &str) {
    to.clone_into(&mut person.email);
    if let Some(account) = &mut person.m365 {
        account.upn = None;
    }
}

fn enroll_mfa(person: &mut Person) {
    if let Some(account) = &mut person.m365 {
        account.methods.push("fido2SecurityKey".to_owned());
    }
    if let Some(account) = &mut person.okta {
        account.factors.push("webauthn".to_owned());
    }
}

fn reset_mfa(person: &mut Person) {
    if let Some(account) = &mut person.m365 {
        account.methods.clear();
    }
    if let Some(account) = &mut person.okta {
        account.factors.clear();
    }
}

fn sign_in(person: &mut Person, now: When) {
    person.last_login = Login::Stopped(now);
    if let Some(account) = &mut person.m365 {
        account.last_login = Login::Inherit;
    }
    if let Some(account) = &mut person.okta {
        account.last_login = Login::Inherit;
    }
}

fn assign_role(world: &mut World, email: &str, role: &str, now: When) -> Result<(), ChangeError> {
    if !world.company.roles.iter().any(|known| known.name == role) {
        return Err(ChangeError::NoSuchRole(role.to_owned()));
    }
    edit_m365(world, email, |account| {
        account.roles.push(HeldRole {
            role: role.to_owned(),
            hold: Hold::Permanent,
            since: now,
        });
        Ok(())
    })
}

fn remove_role(world: &mut World, email: &str, role: &str) -> Result<(), ChangeError> {
    edit_m365(world, email, |account| {
        let before = account.roles.len();
        account.roles.retain(|held| held.role != role);
        if account.roles.len() == before {
            Err(ChangeError::NoSuchRole(role.to_owned()))
        } else {
            Ok(())
        }
    })
}

fn add_grant(
    world: &mut World,
    app: &str,
    email: Option<&str>,
    scopes: &str,
    now: When,
) -> Result<(), ChangeError> {
    world
        .m365_app(app)
        .ok_or_else(|| ChangeError::NoSuchApp(app.to_owned()))?;
    let person = email.map(|email| key_of(world, email)).transpose()?;
    world.grants.push(Grant {
        app: app.to_owned(),
        person,
        every: None,
        application: false,
        resource: "Microsoft Graph".to_owned(),
        scopes: scopes.to_owned(),
        since: Some(now),
        revoked: None,
    });
    Ok(())
}

fn revoke_grant(world: &mut World, app: &str, email: Option<&str>, now: When) -> Result<(), ChangeError> {
    let person = email.map(|email| key_of(world, email)).transpose()?;
    let mut revoked = 0;
    for grant in world
        .grants
        .iter_mut()
        .filter(|grant| grant.app == app && grant.revoked.is_none())
    {
        if person.is_none() || grant.person == person {
            grant.revoked = Some(now);
            revoked += 1;
        }
    }
    if revoked == 0 {
        Err(ChangeError::NoSuchGrant(app.to_owned()))
    } else {
        Ok(())
    }
}

fn delete_app(world: &mut World, app: &str, now: When) -> Result<(), ChangeError> {
    let (at, _) = world
        .m365_app(app)
        .ok_or_else(|| ChangeError::NoSuchApp(app.to_owned()))?;
    if let Some(app) = world.m365_apps.get_mut(at as usize) {
        app.deleted = Some(now);
    }
    Ok(())
}

fn set_setting(world: &mut World, path: &str, pointer: &str, value: &Value) -> Result<(), ChangeError> {
    let document = Arc::make_mut(&mut world.settings)
        .get_mut(path)
        .ok_or_else(|| ChangeError::NoSuchSetting(path.to_owned()))?;
    if settings::put(document, pointer, value.clone()) {
        Ok(())
    } else {
        Err(ChangeError::NoSuchPointer {
            path: path.to_owned(),
            pointer: pointer.to_owned(),
        })
    }
}

fn okta_status(world: &mut World, email: &str, status: &str, now: When) -> Result<(), ChangeError> {
    try_edit(world, email, |person| {
        let account = person
            .okta
            .as_mut()
            .ok_or_else(|| ChangeError::NoSuchAccount(email.to_owned()))?;
        account.status = Some(status.to_owned());
        account.status_changed = Some(now);
        Ok(())
    })
}

fn m365_disabled(world: &mut World, email: &str, since: Option<When>) -> Result<(), ChangeError> {
    edit_m365(world, email, |account| {
        account.disabled = since;
        Ok(())
    })
}

fn edit(world: &mut World, email: &str, change: impl FnOnce(&mut Person)) -> Result<(), ChangeError> {
    try_edit(world, email, |person| {
        change(person);
        Ok(())
    })
}

fn edit_m365(
    world: &mut World,
    email: &str,
    change: impl FnOnce(&mut M365Account) -> Result<(), ChangeError>,
) -> Result<(), ChangeError> {
    try_edit(world, email, |person| {
        let account = person
            .m365
            .as_mut()
            .ok_or_else(|| ChangeError::NoSuchAccount(email.to_owned()))?;
        change(account)
    })
}

/// Edits a person. If the change fails, the person stays unchanged.
fn try_edit(
    world: &mut World,
    email: &str,
    change: impl FnOnce(&mut Person) -> Result<(), ChangeError>,
) -> Result<(), ChangeError> {
    let index = find(world, email)?;
    let mut person = world
        .person(index)
        .ok_or_else(|| ChangeError::NoSuchPerson(email.to_owned()))?
        .into_owned();
    change(&mut person)?;
    world.put_person(index, person);
    Ok(())
}

fn find(world: &World, email: &str) -> Result<u64, ChangeError> {
    world
        .find_email(email)
        .ok_or_else(|| ChangeError::NoSuchPerson(email.to_owned()))
}

fn key_of(world: &mut World, email: &str) -> Result<String, ChangeError> {
    let index = find(world, email)?;
    let person = world
        .person(index)
        .ok_or_else(|| ChangeError::NoSuchPerson(email.to_owned()))?
        .into_owned();
    let key = person.key.clone();
    world.put_person(index, person);
    Ok(key)
}
