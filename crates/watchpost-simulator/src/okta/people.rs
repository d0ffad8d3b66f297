//! Users, their factors, administrator roles, groups and sign-ins.

use super::{UNSUPPORTED_SEARCH, invalid, list, listing, not_found};
use crate::{
    company::{OktaAccount, Person, PersonKind},
    graph::names,
    ids::{self, Kind},
    reply::{Context, Reply, Request, Shape, percent_decoded},
    when::{DAY_MS, iso_millis},
    world::World,
};
use serde_json::{Value, json};

/// The most sign-ins in the system log. They are those of the first people.
const LOG_EVENTS_MAX: u64 = 300;

pub(super) fn users(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let wanted = match (request.query("search"), request.query("filter")) {
        (None, None) => None,
        (Some(text), _) | (None, Some(text)) => match statuses(&text) {
            Some(statuses) => Some(statuses),
            None => return invalid(context, "search", UNSUPPORTED_SEARCH),
        },
    };
    list(request, context, world.people(), (200, 200), true, |index| {
        let person = world.person(index)?;
        let account = person.okta.as_ref()?;
        let (status, _) = world.okta_status(&person, account);
        let listed = match &wanted {
            Some(wanted) => wanted.iter().any(|wanted| wanted == status),
            // Without a search, deprovisioned users are left out.
            None => status != "DEPROVISIONED",
        };
        listed.then(|| user_row(context, index, &person, account))
    })
}

/// Parses `status eq "A" or status eq "B"` into the statuses.
fn statuses(text: &str) -> Option<Vec<String>> {
    text.split(" or ")
        .map(|part| {
            let value = part.trim().strip_prefix("status eq ")?.trim();
            Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned())
        })
        .collect()
}

fn user_row(context: &Context, index: u64, person: &Person, account: &OktaAccount) -> Value {
    let world = &context.world;
    let (given, surname) = names(person);
    let (status, since_ms) = world.okta_status(person, account);
    let created_ms = person.created.ms(world.origin_ms);
    let id = world.okta_user_id(index);
    let mut last_ms = world.last_login_ms(index, person, account.last_login, context.clock_ms);
    if matches!(status, "SUSPENDED" | "DEPROVISIONED") {
        // A suspended or deprovisioned user can't sign in any more.
        last_ms = last_ms.map(|last_ms| last_ms.min(since_ms));
    }
    let password_ms = world.password_changed_ms(index, person, account.password_changed);
    let manager = person
        .manager
        .as_deref()
        .and_then(|key| world.person(world.position(key)?))
        .map(|p| p.name.clone());
    let credentials = match account.provider.as_deref() {
        None | Some("OKTA") => json!({ "password": {}, "provider": { "type": "OKTA", "name": "OKTA" } }),
        // Such a user has no password in Okta.
        Some(kind) => json!({ "provider": { "type": kind, "name": kind } }),
    };
    let mut row = json!({
        "id": id, "status": status,
        "created": iso_millis(created_ms),
        "activated": (status != "STAGED").then(|| iso_millis(created_ms + 60_000)),
        "statusChanged": iso_millis(since_ms),
        "lastLogin": last_ms.map(iso_millis),
        "lastUpdated": iso_millis(since_ms.max(created_ms)),
        "passwordChanged": iso_millis(password_ms),
        "type": { "id": "oty0000000simulated0" },
        "profile": {
            "login": person.email, "email": person.email, "secondEmail": account.second_email,
            "firstName": given, "lastName": (!surname.is_empty()).then_some(surname), "displayName": person.name,
            "userType": (person.kind == PersonKind::Service).then_some("service"),
            "title": person.title, "manager": manager, "mobilePhone": null },
        "credentials": credentials,
        "_links": { "self": { "href": format!("https://{}/api/v1/users/{id}", world.company.profile.okta_org) } },
    });
    if let Some(department) = &person.department {
        row["profile"]["department"] = json!(department);
    }
    row
}

/// Calls `answer` with the Okta account with the id, or returns 404 if there is none.
fn with_account(
    context: &Context,
    id: &str,
    answer: impl FnOnce(u64, &Person, &OktaAccount) -> Reply,
) -> Reply {
    let world = &context.world;
    let index = ids::okta_index(world.seed, "00u", Kind::Person, id).or_else(|| {
        // A login is accepted in place of the id.
        let login = percent_decoded(id);
        login.contains('@').then(|| world.find_email(&login)).flatten()
    });
    let person = index.and_then(|index| Some((index, world.person(index)?)));
    match person
        .as_ref()
        .and_then(|(index, person)| Some((*index, person, person.okta.as_ref()?)))
    {
        Some((index, person, account)) => answer(index, person, account),
        None => not_found(context, &format!("{id} (User)")),
    }
}

pub(super) fn user(context: &Context, id: &str) -> Reply {
    with_account(context, id, |index, person, account| {
        Reply::json(200, user_row(context, index, person, account))
    })
}

pub(super) fn factors(context: &Context, id: &str) -> Reply {
    let world = &context.world;
    with_account(context, id, |index, person, account| {
        if world.okta_status(person, account).0 == "DEPROVISIONED" {
            // Deprovisioning removes all factors.
            return listing(Vec::new());
        }
        let active = account.factors.iter().map(|factor| (factor, "ACTIVE"));
        let enrolled = account.enrolled.iter().map(|factor| (factor, "ENROLLED"));
        let rows = active.chain(enrolled).zip(0..).map(|((factor, status), nth)| {
            let (provider, vendor) = match factor.as_str() {
                "webauthn" | "u2f" => ("FIDO", "FIDO"),
                "token:software:totp" => ("GOOGLE", "GOOGLE"),
                "token:hardware" => ("YUBICO", "YUBICO"),
                _ => ("OKTA", "OKTA"),
            };
            let created = iso_millis(person.created.ms(world.origin_ms) + 3_600_000);
            json!({ "id": ids::okta(world.seed, "opf", Kind::OktaFactor, index * 8 + nth), "factorType": factor,
                "provider": provider, "vendorName": vendor, "status": status, "created": created,
                "lastUpdated": created, "profile": {} })
        });
        listing(rows.collect())
    })
}

fn role_label(kind: &str) -> &'static str {
    match kind {
        "SUPER_ADMIN" => "Super Organization Administrator",
        "ORG_ADMIN" => "Organization Administrator",
        "APP_ADMIN" => "Application Administrator",
        "USER_ADMIN" => "Group Administrator",
        "HELP_DESK_ADMIN" => "Help Desk Administrator",
        "READ_ONLY_ADMIN" => "Read Only Administrator",
        "REPORT_ADMIN" => "Report Administrator",
        _ => "Administrator",
    }
}

pub(super) fn roles(context: &Context, id: &str) -> Reply {
    let world = &context.world;
    with_account(context, id, |index, person, account| {
        let created = iso_millis(person.created.ms(world.origin_ms) + 7_200_000);
        let rows = account.roles.iter().zip(0..).map(|(kind, nth)| {
            json!({ "id": ids::okta(world.seed, "ra1", Kind::OktaRole, index * 8 + nth), "type": kind,
                "label": role_label(kind), "status": "ACTIVE", "assignmentType": "USER", "created": created,
                "lastUpdated": created })
        });
        listing(rows.collect())
    })
}

/// Lists the users who have an administrator role.
pub(super) fn assignees(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let mut reply = list(request, context, world.people(), (100, 200), false, |index| {
        if world.ordinary(index) {
            return None;
        }
        let person = world.person(index)?;
        let account = person.okta.as_ref().filter(|account| !account.roles.is_empty())?;
        if world.okta_status(&person, account).0 == "DEPROVISIONED" {
            return None;
        }
        let id = world.okta_user_id(index);
        let org = &world.company.profile.okta_org;
        Some(
            json!({ "id": id, "orn": format!("orn:okta:directory:00o0000000simulated0:users:{id}"),
            "_links": { "self": { "href": format!("https://{org}/api/v1/users/{id}") } } }),
        )
    });
    if let crate::reply::Body::Json(body @ Value::Array(_)) = &mut reply.body {
        *body = json!({ "value": body.take() });
        reply.shape = Shape::OktaValue;
    }
    reply
}

pub(super) fn grants(context: &Context, id: &str) -> Reply {
    let world = &context.world;
    with_account(context, id, |index, _, account| {
        let rows = account.consents.iter().zip(0..).filter_map(|((client, scope), nth)| {
            let app = world.okta_apps.iter().zip(0..).find(|(app, _)| app.label == *client)?;
            let at = iso_millis(world.origin_ms - 100 * DAY_MS);
            Some(json!({ "id": ids::okta(world.seed, "oag", Kind::OktaUserGrant, index * 8 + nth), "status": "ACTIVE",
                "created": at, "lastUpdated": at, "issuer": format!("https://{}", world.company.profile.okta_org),
                "clientId": ids::okta(world.seed, "0oa", Kind::OktaApp, app.1), "userId": id, "scopeId": scope,
                "source": "END_USER" }))
        });
        listing(rows.collect())
    })
}

/// Returns the names of the groups: Everyone, then one group per department.
fn group_names(world: &World) -> Vec<&str> {
    std::iter::once("Everyone")
        .chain(world.company.bulk.departments.keys().map(String::as_str))
        .collect()
}

fn group_row(world: &World, nth: u64, name: &str) -> Value {
    let at = iso_millis(world.origin_ms - 1500 * DAY_MS);
    json!({ "id": ids::okta(world.seed, "00g", Kind::OktaGroup, nth), "created": at, "lastUpdated": at,
        "lastMembershipUpdated": at, "objectClass": ["okta:user_group"],
        "type": if nth == 0 { "BUILT_IN" } else { "OKTA_GROUP" },
        "profile": { "name": name } })
}

pub(super) fn groups(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let names = group_names(world);
    list(request, context, names.len() as u64, (200, 200), false, |nth| {
        Some(group_row(world, nth, names.get(nth as usize)?))
    })
}

pub(super) fn groups_of(context: &Context, id: &str) -> Reply {
    let world = &context.world;
    with_account(context, id, |_, person, _| {
        let rows = group_names(world)
            .into_iter()
            .zip(0..)
            .filter(|(name, nth)| *nth == 0 || person.department.as_deref() == Some(*name))
            .map(|(name, nth)| group_row(world, nth, name));
        listing(rows.collect())
    })
}

pub(super) fn group_users(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let nth = ids::okta_index(world.seed, "00g", Kind::OktaGroup, id);
    let names = group_names(world);
    let Some((nth, name)) = nth.and_then(|nth| Some((nth, *names.get(nth as usize)?))) else {
        return not_found(context, &format!("{id} (UserGroup)"));
    };
    list(request, context, world.people(), (200, 200), false, |index| {
        let person = world.person(index)?;
        let account = person.okta.as_ref()?;
        let within = nth == 0 || person.department.as_deref() == Some(name);
        let there = within && world.okta_status(&person, account).0 != "DEPROVISIONED";
        there.then(|| user_row(context, index, &person, account))
    })
}

/// Lists sign-ins in the order of people. A query without `until` always has a next page; an empty page ends the list.
pub(super) fn logs(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let since = request
        .query("since")
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let since_ms = since.map_or(context.clock_ms - 7 * DAY_MS, jiff::Timestamp::as_millisecond);
    let total = world.people().min(LOG_EVENTS_MAX);
    let mut reply = list(request, context, total, (100, 1000), false, |index| {
        let person = world.person(index)?;
        let account = person.okta.as_ref()?;
        let at_ms = world.last_login_ms(index, &person, account.last_login, context.clock_ms)?;
        (at_ms >= since_ms && world.okta_status(&person, account).0 == "ACTIVE").then(|| {
            json!({ "uuid": ids::guid(world.seed, Kind::Event, index), "published": iso_millis(at_ms),
                "eventType": "user.session.start", "severity": "INFO", "displayMessage": "User login to Okta",
                "actor": { "id": world.okta_user_id(index), "type": "User", "alternateId": person.email,
                    "displayName": person.name },
                "client": { "ipAddress": format!("203.0.113.{}", index % 250 + 1) },
                "outcome": { "result": "SUCCESS" }, "target": [] })
        })
    });
    if reply.status == 200 && reply.next.is_none() && request.query("until").is_none() {
        reply.next = Some(crate::reply::end_of_list(request, "after", total));
    }
    reply
}
