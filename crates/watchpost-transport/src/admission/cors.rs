//! Cross-origin requests of web pages: only pages of allowed origins can read responses.
//!
//! Pages send the key in a header, never in a cookie, so that credentials of the browser aren't allowed.

use crate::response::{self, Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
    request::Parts,
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
/// The response headers that a page may read.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("mcp-session-id, mcp-protocol-version, retry-after, www-authenticate, allow");
/// The time for which a browser may keep the answer, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The request headers that a page may send, in lower case. `mcp-param-` headers are allowed as well.
const ALLOWED: [&str; 9] = [
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "x-api-key",
];
const ALLOWED_PREFIX: &str = "mcp-param-";
/// The maximum number of headers that a preflight may ask for.
const ASKED_MAX: usize = 64;

/// Returns the response to a preflight request, which has no credential; `None` if the request isn't one. Admission has
/// checked its origin.
pub(crate) fn preflight(head: &Parts) -> Option<Response> {
    let is_preflight = head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !is_preflight {
        return None;
    }
    let mut response = response::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(&head.headers));
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    Some(response)
}

/// Returns the known headers, and those of a parameter that the page asks for.
fn allowed_headers(headers: &HeaderMap) -> HeaderValue {
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let parameters = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .take(ASKED_MAX)
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| name.as_str().starts_with(ALLOWED_PREFIX));
    let mut names: Vec<String> = ALLOWED.iter().map(|&name| name.to_owned()).collect();
    names.extend(parameters.map(|name| name.as_str().to_owned()));
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("content-type"))
}

/// Lets the page of an allowed origin read a response.
pub(crate) fn allow(response: &mut Response, origin: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(VARY, HeaderValue::from_static("Origin"));
}
