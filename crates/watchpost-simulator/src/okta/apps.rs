//! Apps, their assignments and grants, and API tokens.

use super::{UNSUPPORTED_SEARCH, invalid, list, listing, not_found};
use crate::{
    company::{Login, OktaApp},
    control::OKTA_CLIENT_ID,
    ids::{self, Kind},
    reply::{Context, Reply, Request},
    when::{DAY_MS, iso_millis},
    world::World,
};
use serde_json::{Value, json};

/// The time for which a token stays valid after its last use.
const TOKEN_WINDOW_MS: i64 = 30 * DAY_MS;

fn app_id(world: &World, position: u64) -> String {
    ids::okta(world.seed, "0oa", Kind::OktaApp, position)
}

pub(super) fn apps(request: &Request, context: &Context) -> Reply {
    let world = &context.world;
    let active = match request.query("filter").as_deref() {
        None => None,
        Some("status eq \"ACTIVE\"") => Some(true),
        Some("status eq \"INACTIVE\"") => Some(false),
        Some(_) => return invalid(context, "filter", UNSUPPORTED_SEARCH),
    };
    list(
        request,
        context,
        world.okta_apps.len() as u64,
        (20, 200),
        false,
        |position| {
            let app = existing(world, position)?;
            if active.is_some_and(|active| active == app.inactive) {
                return None;
            }
            let created = iso_millis(app.created.ms(world.origin_ms));
            let id = app_id(world, position);
            let org = &world.company.profile.okta_org;
            Some(json!({ "id": id, "name": app.name, "label": app.label,
            "status": if app.inactive { "INACTIVE" } else { "ACTIVE" }, "signOnMode": app.mode,
            "features": app.features, "created": created, "lastUpdated": created,
            "accessibility": { "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null },
            "visibility": { "autoSubmitToolbar": false, "hide": { "iOS": false, "web": false } },
            "credentials": credentials(app, &id), "settings": settings(app),
            "_links": { "self": { "href": format!("https://{org}/api/v1/apps/{id}") },
                "users": { "href": format!("https://{org}/api/v1/apps/{id}/users") } } }))
        },
    )
}

/// Returns the credentials of an app: the client of an OpenID Connect app has the app's id.
fn credentials(app: &OktaApp, id: &str) -> Value {
    match app.mode.as_str() {
        "OPENID_CONNECT" => json!({ "oauthClient": { "autoKeyRotation": true, "client_id": id,
            "token_endpoint_auth_method": "client_secret_basic" } }),
        _ => json!({}),
    }
}

/// Returns the settings that the app's kind of sign-on has.
fn settings(app: &OktaApp) -> Value {
    let url = format!("https://{}.example/login", app.name.replace('_', "-"));
    match app.mode.as_str() {
        "AUTO_LOGIN" => json!({ "signOn": { "loginUrl": url, "redirectUrl": url } }),
        "BOOKMARK" => json!({ "app": { "requestIntegration": false, "url": url } }),
        "BROWSER_PLUGIN" => json!({ "app": { "buttonField": "sign-in", "passwordField": "password",
            "usernameField": "user", "url": url } }),
        "OPENID_CONNECT" => json!({ "oauthClient": { "application_type": "web", "consent_method": "REQUIRED",
            "grant_types": ["authorization_code"], "redirect_uris": [url], "response_types": ["code"] } }),
        "SECURE_PASSWORD_STORE" => json!({ "app": { "passwordField": "password", "usernameField": "user",
            "url": url } }),
        _ => json!({}),
    }
}

/// Lists the service app alone. A request with an API token comes from no app.
pub(super) fn own_app(request: &Request, context: &Context) -> Reply {
    let by_app = request
        .authorization
        .as_deref()
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("bearer "));
    let world = &context.world;
    list(request, context, u64::from(by_app), (20, 200), false, |_| {
        let created = iso_millis(world.origin_ms - 90 * DAY_MS);
        let org = &world.company.profile.okta_org;
        Some(
            json!({ "id": OKTA_CLIENT_ID, "name": "oidc_client", "label": "Watchpost", "status": "ACTIVE",
            "signOnMode": "OPENID_CONNECT", "features": [], "created": created, "lastUpdated": created,
            "accessibility": { "selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null },
            "visibility": { "autoSubmitToolbar": false, "hide": { "iOS": true, "web": true } },
            "credentials": { "oauthClient": { "client_id": OKTA_CLIENT_ID,
                "token_endpoint_auth_method": "private_key_jwt" } },
            "settings": {},
            "_links": { "self": { "href": format!("https://{org}/api/v1/apps/{OKTA_CLIENT_ID}") },
                "users": { "href": format!("https://{org}/api/v1/apps/{OKTA_CLIENT_ID}/users") } } }),
        )
    })
}

fn existing(world: &World, position: u64) -> Option<&OktaApp> {
    world
        .okta_apps
        .get(position as usize)
        .filter(|app| world.has_begun(Some(app.created)))
}

/// Returns the app with an id, and its position.
fn find<'a>(world: &'a World, id: &str) -> Option<(u64, &'a OktaApp)> {
    let position = ids::okta_index(world.seed, "0oa", Kind::OktaApp, id)?;
    Some((position, existing(world, position)?))
}

/// Lists the people who are assigned to an app: named people first, then ordinary people.
pub(super) fn app_users(request: &Request, context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let Some((position, app)) = find(world, id) else {
        return not_found(context, &format!("{id} (AppInstance)"));
    };
    let named = app.people.len() as u64;
    list(request, context, named + world.people(), (50, 500), false, |at| {
        let index = match at.checked_sub(named) {
            None => world.position(app.people.get(at as usize)?)?,
            Some(index) => {
                if !app
                    .every
                    .is_some_and(|every| world.in_share(index, every, position))
                {
                    return None;
                }
                index
            }
        };
        let person = world.person(index)?;
        let account = person.okta.as_ref()?;
        if world.okta_status(&person, account).0 == "DEPROVISIONED" {
            return None;
        }
        let since = app
            .created
            .ms(world.origin_ms)
            .max(person.created.ms(world.origin_ms))
            + 3_600_000;
        Some(json!({ "id": world.okta_user_id(index), "externalId": null,
            "status": app.states.get(&person.key).map_or("ACTIVE", String::as_str),
            "scope": if app.every.is_some() { "GROUP" } else { "USER" }, "syncState": "SYNCHRONIZED",
            "credentials": { "userName": person.email }, "created": iso_millis(since),
            "lastUpdated": iso_millis(since), "profile": {} }))
    })
}

pub(super) fn app_grants(context: &Context, id: &str) -> Reply {
    let world = &context.world;
    let Some((position, app)) = find(world, id) else {
        return not_found(context, &format!("{id} (AppInstance)"));
    };
    let at = iso_millis(app.created.ms(world.origin_ms));
    let rows = app.scopes.iter().zip(0..).map(|(scope, nth)| {
        json!({ "id": ids::okta(world.seed, "oag", Kind::OktaGrant, position * 64 + nth), "scopeId": scope,
            "issuer": format!("https://{}", world.company.profile.okta_org), "status": "ACTIVE", "source": "ADMIN",
            "created": at, "lastUpdated": at, "clientId": id })
    });
    listing(rows.collect())
}

pub(super) fn tokens(context: &Context) -> Reply {
    let world = &context.world;
    let rows: Vec<Value> = world
        .okta_tokens
        .iter()
        .zip(0..)
        .filter(|(token, _)| world.has_begun(Some(token.created)))
        .filter_map(|(token, nth)| {
            let owner = world.position(&token.owner)?;
            world.person(owner)?.okta.as_ref()?;
            let created_ms = token.created.ms(world.origin_ms);
            let used_ms = match token.last_use {
                Login::Habit(offset) => context.clock_ms + offset,
                Login::Stopped(when) => when.ms(world.origin_ms),
                Login::Never | Login::Inherit => created_ms,
            };
            let used_ms = used_ms.max(created_ms);
            let network = if token.restricted {
                json!({ "connection": "ZONE", "include": ["nzo0000000sim0legacy1"], "exclude": [] })
            } else {
                json!({ "connection": "ANYWHERE" })
            };
            Some(
                json!({ "id": ids::okta(world.seed, "00T", Kind::OktaToken, nth), "name": token.name,
                "userId": world.okta_user_id(owner), "clientName": "Okta API", "created": iso_millis(created_ms),
                "lastUpdated": iso_millis(used_ms), "expiresAt": iso_millis(used_ms + TOKEN_WINDOW_MS),
                "tokenWindow": "P30D", "network": network }),
            )
        })
        .collect();
    listing(rows)
}
