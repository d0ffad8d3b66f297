//! Okta: routes, scopes, the token endpoint, paging with `Link` headers.

mod apps;
mod people;
mod rate;
mod role;

pub(crate) use rate::{OktaRate, OktaRates};
pub use role::OktaRole;

use crate::{
    control::OKTA_CLIENT_ID,
    entra::{assertion, claims_match, form},
    ids::{self, Kind},
    reply::{Context, Cursor, Reply, Request, Shape, collect, next_url},
    settings::filled,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The scopes that the routes need. The simulated service app has been granted all of them.
pub(crate) const SCOPES: [&str; 15] = [
    "okta.apiTokens.read",
    "okta.appGrants.read",
    "okta.apps.read",
    "okta.authenticators.read",
    "okta.behaviors.read",
    "okta.groups.read",
    "okta.idps.read",
    "okta.logStreams.read",
    "okta.logs.read",
    "okta.networkZones.read",
    "okta.orgs.read",
    "okta.policies.read",
    "okta.roles.read",
    "okta.threatInsights.read",
    "okta.users.read",
];

/// The reason for rejecting a search or filter that the simulator doesn't support.
const UNSUPPORTED_SEARCH: &str = "The simulator supports only comparisons of status with eq.";

/// Whether a token can be requested for the scope.
fn known_scope(scope: &str) -> bool {
    SCOPES.contains(&scope)
}

/// Handles an Okta request with a valid token.
pub(crate) fn answer(request: &Request, context: &Context) -> Reply {
    let segments = request.segments();
    let ["api", "v1", route @ ..] = segments.as_slice() else {
        return not_found(context, &request.path);
    };
    if request.method != "GET" {
        return error(
            context,
            405,
            "E0000022",
            "The endpoint does not support the provided HTTP method",
        );
    }
    if let Some(scope) = scope(route).filter(|scope| context.denied.contains(*scope)) {
        return scope_missing(request, context, scope);
    }
    if context.lacks_license(crate::fault::Vendor::Okta)
        && matches!(route, ["threats", ..] | ["logStreams", ..] | ["behaviors", ..])
    {
        return error(
            context,
            403,
            "E0000015",
            "You do not have permission to access the feature you are requesting",
        );
    }
    if let Some(refusal) = role::refusal(context.okta_role, route, context) {
        return refusal;
    }
    match route {
        ["users"] if context.okta_role.sees_no_users() => listing(Vec::new()),
        ["apps", OKTA_CLIENT_ID, "users"] => listing(Vec::new()),
        ["apps"] if context.okta_role.sees_only_own_app() => apps::own_app(request, context),
        ["users"] => people::users(request, context),
        ["users", id] => people::user(context, id),
        ["users", id, "factors"] => people::factors(context, id),
        ["users", id, "roles"] => people::roles(context, id),
        ["users", id, "groups"] => people::groups_of(context, id),
        ["users", id, "grants"] => people::grants(context, id),
        ["iam", "assignees", "users"] => people::assignees(request, context),
        ["groups"] => people::groups(request, context),
        ["groups", id, "users"] => people::group_users(request, context, id),
        ["apps"] => apps::apps(request, context),
        ["apps", id, "users"] => apps::app_users(request, context, id),
        ["apps", id, "grants"] => apps::app_grants(context, id),
        ["api-tokens"] => apps::tokens(context),
        ["logs"] => people::logs(request, context),
        ["policies"] => policies(request, context),
        ["policies", id, "rules"] => policy_rules(context, id),
        ["authenticators"] => document(context, "authenticators"),
        ["zones"] => document(context, "zones"),
        ["behaviors"] => document(context, "behaviors"),
        ["idps"] => document(context, "idps"),
        ["logStreams"] => document(context, "log_streams"),
        ["threats", "configuration"] => document(context, "threats"),
        ["org"] => organization(context),
        ["org", "privacy", "oktaSupport"] => document(context, "support"),
        _ => not_found(context, &request.path),
    }
}

/// Returns the OAuth scope that a route needs. An API token needs the same permission through its owner's role.
fn scope(route: &[&str]) -> Option<&'static str> {
    Some(match route {
        ["users", _, "roles"] | ["iam", ..] => "okta.roles.read",
        ["users", ..] => "okta.users.read",
        ["groups", ..] => "okta.groups.read",
        ["apps", _, "grants"] => "okta.appGrants.read",
        ["apps", ..] => "okta.apps.read",
        ["api-tokens", ..] => "okta.apiTokens.read",
        ["logs"] => "okta.logs.read",
        ["policies", ..] => "okta.policies.read",
        ["authenticators"] => "okta.authenticators.read",
        ["zones"] => "okta.networkZones.read",
        ["behaviors"] => "okta.behaviors.read",
        ["idps"] => "okta.idps.read",
        ["logStreams"] => "okta.logStreams.read",
        ["threats", ..] => "okta.threatInsights.read",
        ["org", ..] => "okta.orgs.read",
        _ => return None,
    })
}

fn scope_missing(request: &Request, context: &Context, scope: &str) -> Reply {
    let mut reply = error(
        context,
        403,
        "E0000006",
        "You do not have permission to perform the requested action",
    );
    let bearer = request
        .authorization
        .as_deref()
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("bearer "));
    if bearer {
        let org = &context.world.company.profile.okta_org;
        reply.headers.push((
            "www-authenticate",
            format!(
                "Bearer authorization_uri=\"https://{org}/oauth2/v1/authorize\", realm=\"https://{org}\", \
                 scope=\"{scope}\", error=\"insufficient_scope\", error_description=\"The access token provided does \
                 not contain the required scopes.\", resource=\"{}\"",
                request.path
            ),
        ));
    }
    reply
}

pub(super) fn error(context: &Context, status: u16, code: &str, summary: &str) -> Reply {
    Reply::okta_error(status, code, summary, &context.request_id)
}

pub(super) fn invalid(context: &Context, what: &str, why: &str) -> Reply {
    let mut reply = error(
        context,
        400,
        "E0000001",
        &format!("Api validation failed: {what}"),
    );
    if let crate::reply::Body::Json(body) = &mut reply.body {
        body["errorCauses"] = json!([{ "errorSummary": format!("{what}: {why}") }]);
    }
    reply
}

pub(super) fn not_found(context: &Context, what: &str) -> Reply {
    error(
        context,
        404,
        "E0000007",
        &format!("Not found: Resource not found: {what}"),
    )
}

/// Handles a token request. `issue` issues a token for the given scopes.
pub(crate) fn token(
    request: &Request,
    context: &Context,
    issue: impl FnOnce(BTreeSet<String>) -> String,
) -> Reply {
    if request.method != "POST" {
        return error(
            context,
            405,
            "E0000022",
            "The endpoint does not support the provided HTTP method",
        );
    }
    match granted_scopes(request, context) {
        Ok(scopes) => {
            let granted = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            let token = issue(scopes);
            Reply::json(
                200,
                json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token, "scope": granted }),
            )
        }
        Err((status, code, text)) => Reply::json(status, json!({ "error": code, "error_description": text })),
    }
}

/// Returns the scopes that a token request is granted, or the status, code and text of the error.
fn granted_scopes(
    request: &Request,
    context: &Context,
) -> Result<BTreeSet<String>, (u16, &'static str, &'static str)> {
    if form(request, "grant_type").as_deref() != Some("client_credentials") {
        let text = "The authorization grant type is not supported by the authorization server.";
        return Err((400, "unsupported_grant_type", text));
    }
    let kind = form(request, "client_assertion_type");
    let Some(text) = form(request, "client_assertion")
        .filter(|_| kind.as_deref() == Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
    else {
        let text = "Client Credentials requests to the Org Authorization Server must use the private_key_jwt \
                    token_endpoint_auth_method.";
        return Err((401, "invalid_client", text));
    };
    let fits = assertion(&text).is_some_and(|(header, claims)| {
        matches!(
            header.get("alg").and_then(Value::as_str),
            Some("RS256" | "RS384" | "RS512" | "ES256")
        ) && claims_match(&claims, OKTA_CLIENT_ID, &request.url, 3600)
    });
    if !fits {
        let text = "The client_assertion token has an invalid claim: iss, sub, aud or exp.";
        return Err((401, "invalid_client", text));
    }
    let asked = form(request, "scope").unwrap_or_default();
    if asked.split_whitespace().next().is_none() || !asked.split_whitespace().all(known_scope) {
        let text = "One or more scopes are not configured for the authorization server resource.";
        return Err((400, "invalid_scope", text));
    }
    let scopes: BTreeSet<String> = asked
        .split_whitespace()
        .filter(|scope| !context.denied.contains(*scope))
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        let text = "You are not allowed any of the requested scopes.";
        return Err((400, "consent_required", text));
    }
    Ok(scopes)
}

/// Returns one page of a list, according to `limit` and `after`. `page` is the default size and the largest.
pub(super) fn list(
    request: &Request,
    context: &Context,
    total: u64,
    page: (usize, usize),
    gap: bool,
    row: impl FnMut(u64) -> Option<Value>,
) -> Reply {
    let (usual, most) = page;
    let limit = match request.query("limit").map(|limit| limit.parse::<usize>()) {
        None => usual,
        // Okta reduces a larger limit to the largest.
        Some(Ok(limit)) if limit > 0 => limit.min(most),
        Some(_) => return invalid(context, "limit", "The limit must be a positive number."),
    };
    let cursor = match request
        .query("after")
        .map(|after| Cursor::decode(&after, &request.path))
    {
        None => Cursor::default(),
        Some(Some(cursor)) => cursor,
        Some(None) => return invalid(context, "after", "Invalid paging token."),
    };
    let (rows, next) = collect(cursor, total, limit, gap, row);
    let mut reply = listing(rows);
    reply.next = next.map(|next| next_url(request, "after", next));
    reply
}

pub(super) fn listing(rows: Vec<Value>) -> Reply {
    let mut reply = Reply::json(200, Value::Array(rows));
    reply.shape = Shape::Okta;
    reply
}

/// Returns a document of `policies.json`: a list or a single object.
fn document(context: &Context, name: &str) -> Reply {
    match context
        .world
        .company
        .policies
        .get(name)
        .map(|document| filled(&context.world, document))
    {
        Some(Value::Array(rows)) => listing(rows),
        Some(document) => Reply::json(200, document),
        None => not_found(context, name),
    }
}

/// Returns the organization, whose id depends on the seed.
fn organization(context: &Context) -> Reply {
    let world = &context.world;
    let Some(mut org) = world.company.policies.get("org").map(|org| filled(world, org)) else {
        return not_found(context, "org");
    };
    if let Some(id) = org.get_mut("id") {
        *id = ids::okta(world.seed, "00o", Kind::Tenant, 1).into();
    }
    Reply::json(200, org)
}

/// Lists the policies of one type, without their rules.
fn policies(request: &Request, context: &Context) -> Reply {
    const TYPES: [&str; 8] = [
        "OKTA_SIGN_ON",
        "PASSWORD",
        "MFA_ENROLL",
        "ACCESS_POLICY",
        "PROFILE_ENROLLMENT",
        "IDP_DISCOVERY",
        "ENTITY_RISK",
        "POST_AUTH_SESSION",
    ];
    let wanted = request.query("type").unwrap_or_default();
    if !TYPES.contains(&wanted.as_str()) {
        return invalid(context, "type", "The policy type is not valid.");
    }
    let mut rows = all_policies(context);
    rows.retain(|policy| policy.get("type").and_then(Value::as_str) == Some(&wanted));
    for row in &mut rows {
        if let Value::Object(fields) = row {
            fields.remove("rules");
        }
    }
    listing(rows)
}

fn policy_rules(context: &Context, id: &str) -> Reply {
    let policies = all_policies(context);
    let Some(policy) = policies
        .iter()
        .find(|policy| policy.get("id").and_then(Value::as_str) == Some(id))
    else {
        return not_found(context, id);
    };
    listing(
        policy
            .get("rules")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
    )
}

fn all_policies(context: &Context) -> Vec<Value> {
    match context
        .world
        .company
        .policies
        .get("policies")
        .map(|policies| filled(&context.world, policies))
    {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}
