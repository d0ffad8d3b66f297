//! Microsoft Graph: routes, permissions, query options.

mod apps;
mod organization;
mod people;
mod resources;
mod role_policies;
mod roles;
mod settings;
pub(crate) mod snapshots;

pub(crate) use people::names;

use crate::reply::{Body, Context, Cursor, Reply, Request, Shape, collect, next_url};
use serde_json::{Value, json};

/// The most requests in one batch.
const BATCH_MAX: usize = 20;

/// Handles a Graph request with a valid token.
pub(crate) fn answer(request: &Request, context: &Context) -> Reply {
    let mut reply = routed(request, context);
    add_context(request, &mut reply);
    reply
}

/// Adds the context to a response that has none: the address of the metadata, and what the response is.
pub(crate) fn add_context(request: &Request, reply: &mut Reply) {
    let segments = request.segments();
    let (Some((version, route)), Body::Json(Value::Object(body)), 200..=201) =
        (segments.split_first(), &mut reply.body, reply.status)
    else {
        return;
    };
    let whole = if body.get("value").is_some_and(Value::is_array) {
        ""
    } else {
        "/$entity"
    };
    if !body.contains_key("responses") && !body.contains_key("@odata.context") {
        let what = format!("{}{whole}", route.join("/"));
        body.insert(
            "@odata.context".to_owned(),
            json!(metadata(request, version, &what)),
        );
    }
}

/// Returns the context of a response.
fn metadata(request: &Request, version: &str, what: &str) -> String {
    let base = request
        .url
        .find(request.path.as_str())
        .and_then(|at| request.url.get(..at))
        .unwrap_or_default();
    format!("{base}/{version}/$metadata#{what}")
}

fn routed(request: &Request, context: &Context) -> Reply {
    let segments = request.segments();
    let Some((&version, route)) = segments.split_first() else {
        return not_found(request, context);
    };
    if !matches!(version, "v1.0" | "beta") {
        return error(context, 400, "BadRequest", &format!("Invalid version: {version}"));
    }
    if route == ["$batch"] && request.method == "POST" {
        return batch(request, context, version);
    }
    if request.method != "GET" {
        return error(
            context,
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        );
    }
    if let Some(denied) = denied(route, request, context) {
        return denied;
    }
    if let Some(path) = settings::path(route, version, &context.world) {
        return settings::document(request, context, version, path);
    }
    match route {
        ["organization"] => organization::organization(request, context),
        ["subscribedSkus"] => settings::subscribed_skus(request, context),
        ["users"] => people::users(request, context),
        ["users", id] => people::user(request, context, id),
        ["reports", "authenticationMethods", "userRegistrationDetails"] => {
            people::registrations(request, context)
        }
        ["roleManagement", "directory", "roleDefinitions"] => roles::definitions(request, context),
        ["roleManagement", "directory", "roleAssignments"] => roles::assignments(request, context),
        ["roleManagement", "directory", "roleAssignmentScheduleInstances"] => {
            roles::schedules(request, context, true)
        }
        ["roleManagement", "directory", "roleEligibilityScheduleInstances"] => {
            roles::schedules(request, context, false)
        }
        ["groups"] => roles::groups(request, context),
        ["groups", id, "members" | "transitiveMembers"] => roles::members(request, context, id),
        ["servicePrincipals"] => apps::service_principals(request, context),
        ["servicePrincipals", id, "appRoleAssignedTo"] => apps::app_role_assigned_to(request, context, id),
        ["applications"] => apps::applications(request, context),
        ["applications", id, "owners"] => apps::owners(request, context, id),
        ["oauth2PermissionGrants"] => apps::grants(request, context),
        ["applications", id, "federatedIdentityCredentials"] => apps::federated(request, context, id),
        ["policies", "authorizationPolicy"] => settings::authorization(request, context, version),
        ["policies", "roleManagementPolicyAssignments"] => role_policies::assignments(request, context),
        ["policies", "roleManagementPolicies"] => role_policies::policies(request, context),
        ["policies", "roleManagementPolicies", id, "rules"] => role_policies::rules(request, context, id),
        _ => not_found(request, context),
    }
}

/// Returns the application permissions that a route needs. All of them are required.
fn permissions(route: &[&str], selects_sign_ins: bool) -> &'static [&'static str] {
    match route {
        ["users", ..] if selects_sign_ins => &["User.Read.All", "AuditLog.Read.All"],
        ["users", ..] => &["User.Read.All"],
        ["reports", ..] => &["AuditLog.Read.All"],
        ["roleManagement", _, "roleAssignmentScheduleInstances"] => {
            &["RoleAssignmentSchedule.Read.Directory"]
        }
        ["roleManagement", _, "roleEligibilityScheduleInstances"] => {
            &["RoleEligibilitySchedule.Read.Directory"]
        }
        ["roleManagement", ..] => &["RoleManagement.Read.Directory"],
        ["groups", ..] => &["GroupMember.Read.All"],
        ["servicePrincipals" | "applications", ..] => &["Application.Read.All"],
        ["oauth2PermissionGrants", ..] => &["Directory.Read.All"],
        [
            "policies",
            "roleManagementPolicyAssignments" | "roleManagementPolicies",
            ..,
        ] => &["RoleManagementPolicy.Read.Directory"],
        ["identity" | "policies" | "legacy", ..] => &["Policy.Read.All"],
        ["settings"] => &["Directory.Read.All"],
        ["security", ..] => &["SecurityEvents.Read.All"],
        ["admin", "sharepoint", ..] => &["SharePointTenantSettings.Read.All"],
        ["domains", ..] => &["Domain.Read.All"],
        ["organization" | "subscribedSkus", ..] => &["Organization.Read.All"],
        _ => &[],
    }
}

/// Returns Graph's error for a missing permission or license, if the route lacks one. The error depends on the route.
fn denied(route: &[&str], request: &Request, context: &Context) -> Option<Reply> {
    let selects_sign_ins =
        select(request).is_some_and(|names| names.iter().any(|name| name == "signInActivity"));
    let missing = permissions(route, selects_sign_ins)
        .iter()
        .find(|name| context.denied.contains(**name));
    if let Some(missing) = missing {
        let reply = match (route, *missing) {
            (_, "AuditLog.Read.All") => error(
                context,
                403,
                "Authentication_MSGraphPermissionMissing",
                "Calling principal does not have required MSGraph permissions AuditLog.Read.All",
            ),
            (["identity", ..], _) => error(
                context,
                403,
                "AccessDenied",
                "You cannot perform the requested operation, required scopes are missing in the token.",
            ),
            (
                [
                    "roleManagement",
                    _,
                    "roleAssignmentScheduleInstances" | "roleEligibilityScheduleInstances",
                ],
                _,
            ) => {
                let message = json!({ "errorCode": "PermissionScopeNotGranted",
                    "message": format!("Authorization failed due to missing permission scope {missing}."),
                    "instanceAnnotations": [] });
                error(context, 403, "UnknownError", &message.to_string())
            }
            _ => error(
                context,
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            ),
        };
        return Some(reply);
    }
    if !context.lacks_license(crate::fault::Vendor::Graph) {
        return None;
    }
    match route {
        ["users", ..] if selects_sign_ins => Some(premium_tenant(context)),
        ["reports", ..] => Some(premium_tenant(context)),
        [
            "roleManagement",
            _,
            "roleAssignmentScheduleInstances" | "roleEligibilityScheduleInstances",
        ]
        | [
            "policies",
            "roleManagementPolicyAssignments" | "roleManagementPolicies",
            ..,
        ] => Some(error(
            context,
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )),
        _ => None,
    }
}

fn premium_tenant(context: &Context) -> Reply {
    error(
        context,
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}

pub(super) fn error(context: &Context, status: u16, code: &str, message: &str) -> Reply {
    Reply::graph_error(status, code, message, context.clock_ms, &context.request_id)
}

pub(super) fn missing_object(context: &Context, id: &str) -> Reply {
    let message = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    error(context, 404, "Request_ResourceNotFound", &message)
}

pub(super) fn not_found(request: &Request, context: &Context) -> Reply {
    let segment = request.segments().last().copied().unwrap_or_default().to_owned();
    error(
        context,
        400,
        "BadRequest",
        &format!("Resource not found for the segment '{segment}'."),
    )
}

/// Returns the property names of `$select`.
pub(super) fn select(request: &Request) -> Option<Vec<String>> {
    let text = request.query("$select")?;
    Some(
        text.split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    )
}

/// Keeps the fields that `$select` names, or without it the fields that Graph returns by default. OData annotations are
/// always kept.
pub(super) fn project(row: &mut Value, select: Option<&[String]>, default_fields: Option<&[&str]>) {
    let Value::Object(fields) = row else { return };
    match (select, default_fields) {
        (Some(names), _) => {
            // These fields exist only if `$expand` requested them.
            let expanded = ["principal", "federatedIdentityCredentials"];
            fields.retain(|name, _| {
                name.starts_with('@')
                    || expanded.contains(&name.as_str())
                    || names.iter().any(|wanted| wanted == name)
            });
        }
        (None, Some(names)) => {
            fields.retain(|name, _| name.starts_with('@') || names.contains(&name.as_str()));
        }
        (None, None) => {}
    }
}

/// The properties of a list.
pub(super) struct List {
    /// The fragment of the metadata address, after `#`.
    pub(super) context: &'static str,
    /// The number of positions.
    pub(super) total: u64,
    /// The rows per page without `$top`, and the largest `$top`.
    pub(super) page: (usize, usize),
    /// Whether an empty page follows the first page.
    pub(super) gap: bool,
    /// The fields that Graph returns without `$select`. `None` means all.
    pub(super) default_fields: Option<&'static [&'static str]>,
}

/// The properties that `$filter` can compare with `eq`.
const FILTERABLE: [&str; 10] = [
    "accountEnabled",
    "appId",
    "clientId",
    "displayName",
    "principalId",
    "roleDefinitionId",
    "scopeId",
    "scopeType",
    "type",
    "userType",
];

/// Parses comparisons joined by `and` into properties and values.
fn comparisons(filter: &str) -> Option<Vec<(&str, Value)>> {
    filter.split(" and ").map(comparison).collect()
}

/// Parses `name eq 'value'` or `name eq true` into the property and the value.
fn comparison(filter: &str) -> Option<(&str, Value)> {
    let (name, value) = filter.trim().split_once(" eq ")?;
    let value = match value.trim() {
        "true" => json!(true),
        "false" => json!(false),
        text => json!(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'")),
    };
    FILTERABLE.contains(&name).then_some((name, value))
}

/// Returns one page of a list, according to `$top` and `$skiptoken`.
pub(super) fn list(
    request: &Request,
    context: &Context,
    list: &List,
    mut row: impl FnMut(u64) -> Option<Value>,
) -> Reply {
    let filter = request.query("$filter");
    let Some(wanted) = filter.as_deref().map_or(Some(Vec::new()), comparisons) else {
        return error(context, 400, "Request_UnsupportedQuery", "Unsupported Query.");
    };
    if request.query("$search").is_some() {
        return error(context, 400, "Request_UnsupportedQuery", "Unsupported Query.");
    }
    let names = select(request);
    let (usual, most) = list.page;
    let limit = match request.query("$top").map(|top| top.parse::<usize>()) {
        None => usual,
        Some(Ok(top)) if (1..=most).contains(&top) => top,
        Some(_) => {
            let message = format!("Invalid page size specified: must be between 1 and {most} inclusive.");
            return error(context, 400, "Request_BadRequest", &message);
        }
    };
    let cursor = match request
        .query("$skiptoken")
        .map(|token| Cursor::decode(&token, &request.path))
    {
        None => Cursor::default(),
        Some(Some(cursor)) => cursor,
        Some(None) => {
            return error(
                context,
                400,
                "Directory_ExpiredPageToken",
                "The specified page token is invalid.",
            );
        }
    };
    let (rows, next) = collect(cursor, list.total, limit, list.gap, |position| {
        let mut row = row(position)?;
        if wanted.iter().any(|(name, value)| row.get(*name) != Some(value)) {
            return None;
        }
        project(&mut row, names.as_deref(), list.default_fields);
        Some(row)
    });
    let version = request.segments().first().copied().unwrap_or_default().to_owned();
    let mut reply = Reply::json(
        200,
        json!({ "@odata.context": metadata(request, &version, list.context), "value": rows }),
    );
    reply.shape = Shape::Graph;
    reply.next = next.map(|next| next_url(request, "$skiptoken", next));
    reply
}

/// Handles several GET requests in one POST. The responses are in reverse order, since Graph doesn't guarantee the order.
fn batch(request: &Request, context: &Context, version: &str) -> Reply {
    let parsed: Option<Value> = serde_json::from_slice(&request.body).ok();
    let inner = parsed
        .as_ref()
        .and_then(|body| body.get("requests"))
        .and_then(Value::as_array);
    let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
        return error(context, 400, "BadRequest", "Invalid batch payload format.");
    };
    if inner.len() > BATCH_MAX {
        let message = format!("Number of batch request steps exceeds the maximum value of {BATCH_MAX}.");
        return error(context, 400, "BadRequest", &message);
    }
    let prefix = request.path.len() - "/$batch".len();
    let base = request
        .url
        .find(request.path.as_str())
        .and_then(|at| request.url.get(..at))
        .unwrap_or_default();
    let mut responses = Vec::with_capacity(inner.len());
    for step in inner.iter().rev() {
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
        let url = text("url");
        let (path, raw_query) = url.split_once('?').unwrap_or((url, ""));
        let path = format!(
            "{}/{}",
            request.path.get(..prefix).unwrap_or_default(),
            path.trim_start_matches('/')
        );
        let reply = if text("method") == "GET" {
            let step = Request {
                method: "GET".to_owned(),
                url: format!("{base}{path}?{raw_query}"),
                path,
                raw_query: raw_query.to_owned(),
                authorization: None,
                accept: String::new(),
                prefer: String::new(),
                body: bytes::Bytes::new(),
            };
            answer(&step, context)
        } else {
            error(
                context,
                405,
                "Request_BadRequest",
                "The simulator supports only GET in a batch.",
            )
        };
        let (status, next) = (reply.status, reply.next);
        let mut body = match reply.body {
            Body::Json(value) => value,
            Body::BrokenJson(_) | Body::Html(_) | Body::Empty => Value::Null,
        };
        if let (Value::Object(body), Some(next)) = (&mut body, next) {
            body.insert("@odata.nextLink".to_owned(), json!(next));
        }
        responses.push(json!({ "id": text("id"), "status": status,
            "headers": { "Content-Type": "application/json" }, "body": body }));
    }
    debug_assert!(matches!(version, "v1.0" | "beta"));
    Reply::json(200, json!({ "responses": responses }))
}
