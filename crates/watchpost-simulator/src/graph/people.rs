//! Users and their registered authentication methods.

use super::{List, error, list, missing_object, project, select};
use crate::{
    company::{GuestState, M365Account, Person},
    ids::{self, Kind},
    reply::{Context, Reply, Request, percent_decoded},
    when::{HOUR_MS, iso},
    world::World,
};
use serde_json::{Value, json};

/// The fields of a user that Graph returns without `$select`.
const DEFAULT_FIELDS: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// The license with a mailbox that ordinary members have.
pub(super) const OFFICE_SKU_ID: &str = "05e9a617-0261-4cee-bb44-138d3ef5d965";

pub(super) fn users(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let names = select(request);
    let most = if names
        .as_ref()
        .is_some_and(|names| names.iter().any(|n| n == "signInActivity"))
    {
        500
    } else {
        999
    };
    let about = List {
        context: "users",
        total: world.people(),
        page: (100, most),
        gap: true,
        default_fields: Some(&DEFAULT_FIELDS),
    };
    list(request, context, &about, |index| {
        let person = world.person(index)?;
        let account = person.m365.as_ref()?;
        Some(user_row(world, index, &person, account, context.clock_ms))
    })
}

pub(super) fn user(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let names = select(request);
    let by_id = ids::guid_index(world.seed, Kind::Person, id);
    let name = percent_decoded(id);
    if by_id.is_none()
        && names
            .as_ref()
            .is_some_and(|names| names.iter().any(|n| n == "signInActivity"))
    {
        return error(
            context,
            400,
            "BadRequest",
            "Get By Key only supports UserId and the key has to be a valid Guid",
        );
    }
    let index = by_id.or_else(|| {
        (0..world.people()).find(|&index| {
            world.person(index).is_some_and(|person| {
                person
                    .m365
                    .as_ref()
                    .is_some_and(|account| upn(&person, account).eq_ignore_ascii_case(&name))
            })
        })
    });
    let found = index.and_then(|index| Some((index, world.person(index)?)));
    let Some((index, person, account)) = found
        .as_ref()
        .and_then(|(index, person)| Some((*index, person, person.m365.as_ref()?)))
    else {
        return missing_object(context, id);
    };
    let mut row = user_row(world, index, person, account, context.clock_ms);
    project(&mut row, names.as_deref(), Some(&DEFAULT_FIELDS));
    Reply::json(200, row)
}

pub(super) fn upn<'a>(person: &'a Person, account: &'a M365Account) -> &'a str {
    account.upn.as_deref().unwrap_or(&person.email)
}

fn user_row(world: &World, index: u64, person: &Person, account: &M365Account, clock_ms: i64) -> Value {
    let guest = account.guest;
    let created_ms = person.created.ms(world.origin_ms);
    let (given, surname) = names(person);
    let licensed = account.license.unwrap_or(guest.is_none());
    let licenses = if licensed {
        json!([{ "skuId": OFFICE_SKU_ID, "disabledPlans": [] }])
    } else {
        json!([])
    };
    let mut row = json!({
        "id": world.person_guid(index),
        "userPrincipalName": upn(person, account),
        "mail": person.email,
        "otherMails": account.other_mails,
        "proxyAddresses": if guest.is_none() { proxy_addresses(person, account) } else { Vec::new() },
        "displayName": person.name,
        "givenName": given,
        "surname": surname,
        "jobTitle": person.title,
        "department": person.department,
        "businessPhones": [],
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": null,
        "userType": if guest.is_some() { "Guest" } else { "Member" },
        "accountEnabled": world.m365_enabled(account),
        "createdDateTime": iso(created_ms),
        "externalUserState": guest.map(|state| match state {
            GuestState::Accepted => "Accepted",
            GuestState::Pending => "PendingAcceptance",
        }),
        "externalUserStateChangeDateTime": guest.map(|_| iso(created_ms)),
        "onPremisesSyncEnabled": if account.was_synced { Some(false) } else { account.synced.then_some(true) },
        "onPremisesImmutableId": (account.synced || account.was_synced).then(|| format!("{:024x}", ids::mix(world.seed, 302, index))),
        "passwordPolicies": account.password_never_expires.then_some("DisablePasswordExpiration"),
        "lastPasswordChangeDateTime":
            iso(world.password_changed_ms(index, person, account.password_changed)),
        "assignedLicenses": licenses,
    });
    if let (Some(last_ms), Value::Object(fields)) = (
        world.last_login_ms(index, person, account.last_login, clock_ms),
        &mut row,
    ) {
        // The non-interactive sign-in is later, since real clients refresh their tokens.
        let mut interactive_ms = (last_ms - 2 * HOUR_MS).max(created_ms);
        if account.attacked {
            // Failed attempts count here, but not as a successful sign-in.
            interactive_ms = interactive_ms.max(clock_ms - HOUR_MS);
        }
        fields.insert(
            "signInActivity".to_owned(),
            json!({
                "lastSignInDateTime": iso(interactive_ms),
                "lastSignInRequestId": ids::guid(world.seed, Kind::Event, index * 2),
                "lastNonInteractiveSignInDateTime": iso(last_ms),
                "lastNonInteractiveSignInRequestId": ids::guid(world.seed, Kind::Event, index * 2 + 1),
                "lastSuccessfulSignInDateTime": iso(last_ms),
                "lastSuccessfulSignInRequestId": ids::guid(world.seed, Kind::Event, index * 2 + 1),
            }),
        );
    }
    row
}

/// Returns the proxy addresses: the primary one with the prefix `SMTP:`, then the aliases of the same domain.
fn proxy_addresses(person: &Person, account: &M365Account) -> Vec<String> {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let own = domain(&person.email);
    let aliases = account.other_mails.iter().filter(|mail| domain(mail) == own);
    std::iter::once(format!("SMTP:{}", person.email))
        .chain(aliases.map(|mail| format!("smtp:{mail}")))
        .collect()
}

/// Splits a display name into its first word and the rest.
pub(crate) fn names(person: &Person) -> (&str, &str) {
    person.name.split_once(' ').unwrap_or((&person.name, ""))
}

/// Whether a method counts as a second factor.
fn second_factor(method: &str) -> bool {
    !matches!(method, "email" | "securityQuestion" | "temporaryAccessPass")
}

fn passwordless(method: &str) -> bool {
    method.starts_with("passKey")
        || matches!(
            method,
            "fido2SecurityKey"
                | "macOsSecureEnclaveKey"
                | "microsoftAuthenticatorPasswordless"
                | "windowsHelloForBusiness"
        )
}

pub(super) fn registrations(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let about = List {
        context: "reports/authenticationMethods/userRegistrationDetails",
        total: world.people(),
        page: (100, 999),
        gap: true,
        default_fields: None,
    };
    list(request, context, &about, |index| {
        let person = world.person(index)?;
        let account = person.m365.as_ref().filter(|account| !account.unreported)?;
        let registered = account.methods.iter().any(|method| second_factor(method));
        let push = account
            .methods
            .iter()
            .any(|method| method == "microsoftAuthenticatorPush");
        let through_group = world.company.groups.iter().any(|group| {
            group.members.contains(&person.key) && world.held(&group.roles).any(|role| role.hold.active())
        });
        let admin = through_group || world.held(&account.roles).any(|role| role.hold.active());
        let row = json!({
            "id": world.person_guid(index),
            "userPrincipalName": upn(&person, account),
            "userDisplayName": person.name,
            "userType": if account.guest.is_some() { "guest" } else { "member" },
            "isAdmin": admin,
            "isSsprRegistered": registered,
            "isSsprEnabled": true,
            "isSsprCapable": registered,
            "isMfaRegistered": registered,
            "isMfaCapable": registered,
            "isPasswordlessCapable": account.methods.iter().any(|method| passwordless(method)),
            "methodsRegistered": account.methods,
            "isSystemPreferredAuthenticationMethodEnabled": true,
            "systemPreferredAuthenticationMethods": if push { json!(["push"]) } else { json!([]) },
            "userPreferredMethodForSecondaryAuthentication": if push { "push" } else { "none" },
            "lastUpdatedDateTime": iso(context.clock_ms - 7 * HOUR_MS),
        });
        Some(row)
    })
}
