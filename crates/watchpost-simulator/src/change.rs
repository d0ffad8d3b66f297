//! Changes to the company between two syncs.

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

/// A change that the company makes, at the simulator's clock. People are named by address (letter case aside), apps
/// by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Change {
    /// The Okta login is suspended.
    SuspendOktaUser {
        /// Address of the person.
        email: String,
    },
    /// The Okta login is deprovisioned.
    DeprovisionOktaUser {
        /// Address of the person.
        email: String,
    },
    /// The Okta login is active again.
    ActivateOktaUser {
        /// Address of the person.
        email: String,
    },
    /// Sign-in to Microsoft 365 is blocked.
    DisableM365User {
        /// Address of the person.
        email: String,
    },
    /// Sign-in to Microsoft 365 is open again.
    EnableM365User {
        /// Address of the person.
        email: String,
    },
    /// The person vanishes from both platforms.
    DeleteUser {
        /// Address of the person.
        email: String,
    },
    /// The display name changes.
    RenameUser {
        /// Address of the person.
        email: String,
        /// The new display name.
        name: String,
    },
    /// The address changes on both platforms.
    ChangeEmail {
        /// Address of the person.
        email: String,
        /// The new address.
        to: String,
    },
    /// A security key is registered on every account of the person.
    EnrollMfa {
        /// Address of the person.
        email: String,
    },
    /// All second factors are removed from every account of the person.
    ResetMfa {
        /// Address of the person.
        email: String,
    },
    /// The person signs in on every account.
    SignIn {
        /// Address of the person.
        email: String,
    },
    /// A permanent, active directory role in Microsoft 365.
    AssignRole {
        /// Address of the person.
        email: String,
        /// Display name of the role.
        role: String,
    },
    /// A directory role in Microsoft 365 ends, in whatever way it was held.
    RemoveRole {
        /// Address of the person.
        email: String,
        /// Display name of the role.
        role: String,
    },
    /// A delegated permission in Microsoft 365 appears.
    AddGrant {
        /// Name of the app.
        app: String,
        /// Address of the person who consents; left out: consent for everybody.
        #[serde(default)]
        email: Option<String>,
        /// Space-separated scopes.
        scopes: String,
    },
    /// Permissions of an app in Microsoft 365 end.
    RevokeGrant {
        /// Name of the app.
        app: String,
        /// Address of the person whose consent ends; left out: every permission of the app.
        #[serde(default)]
        email: Option<String>,
    },
    /// An app vanishes from Microsoft 365.
    DeleteApp {
        /// Name of the app.
        app: String,
    },
    /// A setting of Microsoft 365 changes. Its value is played as it is given here.
    SetSetting {
        /// Path of the document below `fixtures/company/m365/settings/`, such as `exchange/TransportConfig`.
        path: String,
        /// JSON pointer to what changes, such as `/value/0/SmtpClientAuthenticationDisabled`; a field that isn't
        /// there is added, `-` appends to a list, left out or empty is the whole document.
        #[serde(default)]
        pointer: String,
        /// The new value.
        value: Value,
    },
    /// A name's records of one kind in public DNS are replaced. Without values they vanish.
    SetDns {
        /// The name.
        name: String,
        /// Which records.
        record: DnsRecord,
        /// The new ones, as a zone file writes them.
        values: Vec<String>,
    },
}

/// What a change names isn't there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No person with that address.
    #[error("nobody has the address {0}")]
    NoSuchPerson(String),
    /// The person has no login there.
    #[error("{0} has no account on that platform")]
    NoSuchAccount(String),
    /// No app with that name.
    #[error("no app is named {0}")]
    NoSuchApp(String),
    /// No grant of that app by that person.
    #[error("{0} holds no such grant")]
    NoSuchGrant(String),
    /// No directory role with that name.
    #[error("no directory role is named {0}")]
    NoSuchRole(String),
    /// No settings document with that path.
    #[error("no setting has the path {0}")]
    NoSuchSetting(String),
    /// The document has nothing at the pointer.
    #[error("nothing in {path} is at {pointer}")]
    NoSuchPointer {
        /// Path of the document.
        path: String,
        /// The pointer that leads nowhere.
        pointer: String,
    },
}

impl Change {
    pub(crate) fn apply(&self, world: &mut World, now_ms: i64) -> Result<(), ChangeError> {
        let now = When::At(now_ms);
        // The clock may be ahead of the stage; what happens now has happened.
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

/// A change that fails leaves the person as it was.
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
