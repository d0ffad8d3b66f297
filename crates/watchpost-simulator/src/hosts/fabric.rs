//! Microsoft Fabric's administration, which holds Power BI's tenant settings.

use crate::{
    fault::Vendor,
    reply::{Context, Reply, Request, Shape},
    settings,
};
use serde_json::json;

/// Handles a request with a valid token.
pub(crate) fn answer(request: &Request, context: &Context) -> Reply {
    if context.denied.contains("Tenant.Read.All") || context.lacks_license(Vendor::Fabric) {
        return failure(403, &context.request_id);
    }
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["v1", "admin", "tenantsettings"]) => {
            let Some(body) = settings::read(&context.world, "powerbi/TenantSettings") else {
                return failure(500, &context.request_id);
            };
            let mut reply = Reply::json(200, body);
            reply.shape = Shape::Fabric;
            reply
        }
        _ => error(
            404,
            "EntityNotFound",
            "The requested resource could not be found.",
            &context.request_id,
        ),
    }
}

/// Returns the error response of this host for a status.
pub(super) fn failure(status: u16, request_id: &str) -> Reply {
    let (code, message) = match status {
        401 => (
            "TokenExpired",
            "Access token has expired, resubmit with a new access token",
        ),
        403 => (
            "InsufficientPrivileges",
            "The caller does not have sufficient permissions to perform this operation",
        ),
        429 => (
            "RequestBlocked",
            "Request is blocked by the upstream service until the given time.",
        ),
        503 => ("ServiceUnavailable", "The service is not available."),
        _ => ("UnknownError", "An unexpected error occurred."),
    };
    error(status, code, message, request_id)
}

fn error(status: u16, code: &str, message: &str, request_id: &str) -> Reply {
    Reply::json(
        status,
        json!({ "requestId": request_id, "errorCode": code, "message": message }),
    )
}
