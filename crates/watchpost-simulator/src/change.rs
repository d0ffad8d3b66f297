//! Changes to the company between two syncs.

use std::sync::Arc;

use serde::Deserialize;

use crate::company::{Grant, HeldRole, Hold, Login, Person};
use crate::dns::DnsRecord;
use crate::settings;
use crate::when::When;
use crate::world::World;

/// A change that the company makes, at the simulator's clock. People are named by address (letter case aside), apps
/// by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
        value: serde_json::Value,
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
    /// The document has no such place.
    #[error("nothing in {path} is at {pointer}")]
    NoSuchPlace {
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
            Self::DeleteUser { email } => edit(world, email, |person| {
                person.deleted = Some(now);
                Ok(())
            }),
            Self::RenameUser { email, name } => edit(world, email, |person| {
                person.name.clone_from(name);
                Ok(())
            }),
            Self::ChangeEmail { email, to } => edit(world, email, |person| {
                person.email.clone_from(to);
                if let Some(account) = &mut person.m365 {
                    account.upn = None;
                }
                Ok(())
            }),
            Self::EnrollMfa { email } => edit(world, email, |person| {
                if let Some(account) = &mut person.m365 {
                    account.methods.push("fido2SecurityKey".to_owned());
                }
                if let Some(account) = &mut person.okta {
                    account.factors.push("webauthn".to_owned());
                }
                Ok(())
            }),
            Self::ResetMfa { email } => edit(world, email, |person| {
                if let Some(account) = &mut person.m365 {
                    account.methods.clear();
                }
                if let Some(account) = &mut person.okta {
                    account.factors.clear();
                }
                Ok(())
            }),
            Self::SignIn { email } => edit(world, email, |person| {
                person.last_login = Login::Stopped(now);
                for login in [
                    person.m365.as_mut().map(|account| &mut account.last_login),
                    person.okta.as_mut().map(|account| &mut account.last_login),
                ] {
                    login.into_iter().for_each(|login| *login = Login::Inherit);
                }
                Ok(())
            }),
            Self::AssignRole { email, role } => {
                if !world.company.roles.iter().any(|known| known.name == *role) {
                    return Err(ChangeError::NoSuchRole(role.clone()));
                }
                edit(world, email, |person| {
                    let account = person
                        .m365
                        .as_mut()
                        .ok_or_else(|| ChangeError::NoSuchAccount(email.clone()))?;
                    account.roles.push(HeldRole {
                        role: role.clone(),
                        hold: Hold::Permanent,
                        since: now,
                    });
                    Ok(())
                })
            }
            Self::RemoveRole { email, role } => edit(world, email, |person| {
                let account = person
                    .m365
                    .as_mut()
                    .ok_or_else(|| ChangeError::NoSuchAccount(email.clone()))?;
                let before = account.roles.len();
                account.roles.retain(|held| held.role != *role);
                if account.roles.len() == before {
                    Err(ChangeError::NoSuchRole(role.clone()))
                } else {
                    Ok(())
                }
            }),
            Self::AddGrant { app, email, scopes } => {
                world
                    .m365_app(app)
                    .ok_or_else(|| ChangeError::NoSuchApp(app.clone()))?;
                let person = email.as_deref().map(|email| key_of(world, email)).transpose()?;
                world.grants.push(Grant {
                    app: app.clone(),
                    person,
                    every: None,
                    application: false,
                    resource: "Microsoft Graph".to_owned(),
                    scopes: scopes.clone(),
                    since: Some(now),
                    revoked: None,
                });
                Ok(())
            }
            Self::RevokeGrant { app, email } => {
                let person = email.as_deref().map(|email| key_of(world, email)).transpose()?;
                let mut revoked = 0;
                for grant in world
                    .grants
                    .iter_mut()
                    .filter(|grant| grant.app == *app && grant.revoked.is_none())
                {
                    if person.is_none() || grant.person == person {
                        grant.revoked = Some(now);
                        revoked += 1;
                    }
                }
                if revoked == 0 {
                    Err(ChangeError::NoSuchGrant(app.clone()))
                } else {
                    Ok(())
                }
            }
            Self::SetDns { name, record, values } => {
                world.dns.set(name, *record, values);
                Ok(())
            }
            Self::DeleteApp { app } => {
                let (at, _) = world
                    .m365_app(app)
                    .ok_or_else(|| ChangeError::NoSuchApp(app.clone()))?;
                if let Some(app) = world.m365_apps.get_mut(at as usize) {
                    app.deleted = Some(now);
                }
                Ok(())
            }
            Self::SetSetting { path, pointer, value } => {
                let document = Arc::make_mut(&mut world.settings)
                    .get_mut(path)
                    .ok_or_else(|| ChangeError::NoSuchSetting(path.clone()))?;
                if settings::put(document, pointer, value.clone()) {
                    Ok(())
                } else {
                    Err(ChangeError::NoSuchPlace {
                        path: path.clone(),
                        pointer: pointer.clone(),
                    })
                }
            }
        }
    }
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

fn edit(
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

fn okta_status(world: &mut World, email: &str, status: &str, now: When) -> Result<(), ChangeError> {
    edit(world, email, |person| {
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
    edit(world, email, |person| {
        let account = person
            .m365
            .as_mut()
            .ok_or_else(|| ChangeError::NoSuchAccount(email.to_owned()))?;
        account.disabled = since;
        Ok(())
    })
}
