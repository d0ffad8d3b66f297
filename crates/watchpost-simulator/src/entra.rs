//! Entra's token endpoint: client credentials by secret or by certificate assertion.

use crate::{
    control::CLIENT_ID,
    fault::Vendor,
    reply::{Body, Context, Reply, Request},
    when::entra_time,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The lifetime of an access token in seconds.
pub(crate) const TOKEN_LIFETIME_SECS: i64 = 3599;

/// Returns the header and the claims of a client assertion if it is a well-formed signed JWT. The signature isn't verified.
pub(crate) fn assertion(text: &str) -> Option<(Value, Value)> {
    let mut parts = text.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    Some((read(header)?, read(claims)?))
}

/// Whether the claims are made by `client_id` for `audience` and are valid for at most `lifetime_secs`.
pub(crate) fn claims_match(claims: &Value, client_id: &str, audience: &str, lifetime_secs: i64) -> bool {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let from = number("iat").or_else(|| number("nbf"));
    text("iss") == Some(client_id)
        && text("sub") == Some(client_id)
        && text("aud") == Some(audience)
        && match (from, number("exp")) {
            (Some(from), Some(until)) => until > from && until - from <= lifetime_secs,
            (None, Some(_)) => true,
            (_, None) => false,
        }
}

/// Returns a field of a form.
pub(crate) fn form(request: &Request, name: &str) -> Option<String> {
    url::form_urlencoded::parse(&request.body)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// An error of the token endpoint.
struct TokenError {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

fn token_error<T>(status: u16, error: &'static str, code: u32, text: &str) -> Result<T, TokenError> {
    Err(TokenError {
        status,
        error,
        code,
        text: text.to_owned(),
    })
}

/// Handles a token request. `resource` returns the API that a scope belongs to. `issue` issues a token for it; its second
/// argument is true if the token was requested with a certificate instead of a secret.
pub(crate) fn answer(
    request: &Request,
    context: &Context,
    resource: impl FnOnce(&str) -> Option<Vendor>,
    issue: impl FnOnce(Vendor, bool) -> String,
) -> Reply {
    let granted = check_address(request, context)
        .and_then(|()| requested_api(request, resource))
        .and_then(|vendor| Ok((vendor, authenticate(request, &context.client_secret)?)));
    match granted {
        Ok((vendor, by_certificate)) => {
            let lifetime = TOKEN_LIFETIME_SECS;
            let token = issue(vendor, by_certificate);
            Reply::json(
                200,
                json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
            )
        }
        Err(token_error) => failure(
            token_error.status,
            token_error.error,
            token_error.code,
            &token_error.text,
            context.clock_ms,
            &context.request_id,
        ),
    }
}

/// Checks that the request is a POST to the token endpoint of the tenant.
fn check_address(request: &Request, context: &Context) -> Result<(), TokenError> {
    let profile = &context.world.company.profile;
    let domains = [profile.domain.as_str(), profile.initial_domain.as_str()];
    let segments = request.segments();
    let ["oauth2", "v2.0", "token"] = segments.get(1..).unwrap_or_default() else {
        let text = "The requested_api resource does not exist.";
        return token_error(404, "invalid_request", 900_144, text);
    };
    if request.method != "POST" {
        let text = "The endpoint only accepts POST requests.";
        return token_error(400, "invalid_request", 900_561, text);
    }
    let tenant = segments.first().copied().unwrap_or_default();
    if tenant != context.world.tenant_id() && !domains.contains(&tenant) {
        let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return token_error(400, "invalid_request", 90_002, &text);
    }
    Ok(())
}

/// Returns the API that the application requests a token for.
fn requested_api(
    request: &Request,
    resource: impl FnOnce(&str) -> Option<Vendor>,
) -> Result<Vendor, TokenError> {
    if form(request, "grant_type").as_deref() != Some("client_credentials") {
        let text = "The app requested_api an unsupported grant type.";
        return token_error(400, "unsupported_grant_type", 70_003, text);
    }
    let client_id = form(request, "client_id").unwrap_or_default();
    if client_id != CLIENT_ID {
        let text = format!("Application with identifier '{client_id}' was not found in the directory.");
        return token_error(400, "unauthorized_client", 700_016, &text);
    }
    let scope = form(request, "scope").unwrap_or_default();
    if !scope.ends_with("/.default") {
        let text = "The provided value for the input parameter 'scope' is not valid.";
        return token_error(400, "invalid_scope", 70_011, text);
    }
    let Some(vendor) = resource(&scope) else {
        let name = scope.trim_end_matches("/.default");
        let text = format!("The resource principal named {name} was not found in the tenant.");
        return token_error(400, "invalid_resource", 500_011, &text);
    };
    Ok(vendor)
}

/// Authenticates the application. Returns true if it used a certificate, false if it used a secret.
fn authenticate(request: &Request, client_secret: &str) -> Result<bool, TokenError> {
    match (form(request, "client_secret"), form(request, "client_assertion")) {
        (Some(secret), _) if secret == client_secret => Ok(false),
        (Some(_), _) => {
            let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                        secret value, not the client secret ID.";
            token_error(401, "invalid_client", 7_000_215, text)
        }
        (None, Some(text)) => {
            let fits = assertion(&text).is_some_and(|(header, claims)| {
                let algorithm = header.get("alg").and_then(Value::as_str);
                matches!(algorithm, Some("PS256" | "RS256"))
                    && (header.get("x5t#S256").is_some() || header.get("x5t").is_some())
                    && claims.get("jti").is_some_and(Value::is_string)
                    && claims_match(&claims, CLIENT_ID, &request.url, 600)
            });
            if fits {
                return Ok(true);
            }
            let text = "The certificate with identifier used to sign the client assertion is not registered on \
                        application, or the assertion's claims are wrong.";
            token_error(401, "invalid_client", 700_027, text)
        }
        (None, None) => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            token_error(401, "invalid_client", 7_000_218, text)
        }
    }
}

/// Returns an error response of the token endpoint.
pub(crate) fn failure(
    status: u16,
    error: &str,
    code: u32,
    text: &str,
    clock_ms: i64,
    request_id: &str,
) -> Reply {
    let time = entra_time(clock_ms);
    let description =
        format!("AADSTS{code}: {text} Trace ID: {request_id} Correlation ID: {request_id} Timestamp: {time}");
    let mut reply = Reply::json(status, Value::Null);
    reply.body = Body::Json(json!({
        "error": error, "error_description": description, "error_codes": [code], "timestamp": time,
        "trace_id": request_id, "correlation_id": request_id,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}") }));
    reply
}
