//! Power Platform's administration (Business Application Platform).

use crate::{
    control::CLIENT_ID,
    reply::{Context, Reply, Request, Shape},
    settings,
};
use serde_json::json;

/// The registration as a management app in Power Platform itself. It isn't a permission in Entra.
pub(crate) const MANAGEMENT_APP: &str = "management_app";

/// Handles a request with a valid token.
pub(crate) fn answer(request: &Request, context: &Context) -> Reply {
    if context.denied.contains(MANAGEMENT_APP) {
        return failure(403);
    }
    let tenant = context.world.tenant_id();
    let (path, version) = match (request.method.as_str(), request.segments().as_slice()) {
        ("POST", ["providers", "Microsoft.BusinessAppPlatform", "listTenantSettings"]) => {
            ("powerplatform/TenantSettings", "2023-06-01")
        }
        (
            "GET",
            [
                "providers",
                "Microsoft.BusinessAppPlatform",
                "scopes",
                "admin",
                "environments",
            ],
        ) => ("powerplatform/Environments", "2023-06-01"),
        (
            "GET",
            [
                "providers",
                "Microsoft.BusinessAppPlatform",
                "scopes",
                "admin",
                "apiPolicies",
            ],
        ) => ("powerplatform/DlpPolicies", "2016-11-01"),
        (
            "GET",
            [
                "providers",
                "PowerPlatform.Governance",
                "v1",
                "tenants",
                id,
                "tenantIsolationPolicy",
            ],
        ) if *id == tenant => ("powerplatform/TenantIsolationPolicy", "2020-06-01"),
        _ => return error(404, "NotFound", "The resource could not be found."),
    };
    match request.query("api-version") {
        None => {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return error(400, "MissingApiVersionParameter", message);
        }
        Some(asked) if asked.as_str() < version => {
            let message = format!("The api-version '{asked}' is not supported.");
            return error(400, "InvalidApiVersionParameter", &message);
        }
        Some(_) => {}
    }
    let Some(body) = settings::read(&context.world, path) else {
        return failure(500);
    };
    let shape = if body.get("value").is_some() {
        Shape::Arm
    } else {
        Shape::Single
    };
    let mut reply = Reply::json(200, body);
    reply.shape = shape;
    reply
}

/// Returns the error response of this host for a status.
pub(super) fn failure(status: u16) -> Reply {
    match status {
        401 => super::challenge(),
        403 => {
            let message = format!(
                "The service principal for application '{CLIENT_ID}' does not have permission to access the path. \
                 It is not registered as a management application."
            );
            error(403, "Forbidden", &message)
        }
        429 => error(
            429,
            "TooManyRequests",
            "The number of requests has exceeded the limit.",
        ),
        503 => error(
            503,
            "ServiceUnavailable",
            "The service is temporarily unavailable.",
        ),
        status => error(
            status,
            "InternalServerError",
            "An internal server error occurred.",
        ),
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "error": { "code": code, "message": message } }))
}
