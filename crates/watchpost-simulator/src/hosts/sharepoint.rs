//! SharePoint's tenant administration: `_api/SPO.Tenant` in verbose OData.

use crate::{
    reply::{Context, Reply, Request},
    settings,
};
use serde_json::{Value, json};

/// Handles a request with a valid token.
pub(crate) fn answer(request: &Request, context: &Context) -> Reply {
    if context.denied.contains("Sites.FullControl.All") {
        return failure(403);
    }
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["_api", "SPO.Tenant"]) => tenant(request, context),
        (_, ["_api", "SPO.Tenant"]) => error(405, "-1, System.NotSupportedException", "Not supported."),
        _ => error(
            404,
            "-1, Microsoft.SharePoint.Client.ResourceNotFoundException",
            "Cannot find resource for the request.",
        ),
    }
}

fn tenant(request: &Request, context: &Context) -> Reply {
    let Some(Value::Object(fields)) = settings::read(&context.world, "sharepoint/Tenant") else {
        return failure(500);
    };
    // Without the verbose format the fields are at the top level.
    if !request.accept.contains("odata=verbose") {
        return Reply::json(200, Value::Object(fields));
    }
    let uri = request
        .url
        .split_once('?')
        .map_or(request.url.as_str(), |(path, _)| path);
    let mut body = serde_json::Map::new();
    body.insert(
        "__metadata".to_owned(),
        json!({ "id": uri, "uri": uri, "type": "Microsoft.Online.SharePoint.TenantAdministration.Tenant" }),
    );
    body.extend(fields);
    Reply::json(200, json!({ "d": body }))
}

/// Returns the error for a token that was obtained with a secret, when only certificates are accepted.
pub(crate) fn certificate_required() -> Reply {
    error(
        401,
        "-2147024891, System.UnauthorizedAccessException",
        "Unsupported app only token.",
    )
}

/// Returns the error response of this host for a status.
pub(super) fn failure(status: u16) -> Reply {
    match status {
        401 => super::challenge(),
        403 => error(
            403,
            "-2147024891, System.UnauthorizedAccessException",
            "Attempted to perform an unauthorized operation.",
        ),
        429 => error(
            429,
            "-2147429894, Microsoft.SharePoint.SPException",
            "The request has been throttled.",
        ),
        503 => error(
            503,
            "-1, System.InvalidOperationException",
            "The server is busy now. Try again later.",
        ),
        status => error(
            status,
            "-1, System.InvalidOperationException",
            "An unexpected error has occurred.",
        ),
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        json!({ "error": { "code": code, "message": { "lang": "en-US", "value": message } } }),
    )
}
