//! The messages that clients and administrators read, apart from those of the protocol crate.

// Admission.

pub(crate) const HOST_REQUIRED: &str = "Exactly one Host is required";

/// `host` is the name in the request.
pub(crate) fn host_not_allowed(host: &str) -> String {
    format!(
        "Host not allowed: {host}. The operator allows the name under which clients reach this server with the setting http.public_url"
    )
}

/// `origin` is the origin in the request.
pub(crate) fn origin_not_allowed(origin: &str) -> String {
    format!(
        "Origin not allowed: {origin}. Pages of this machine and of the setting http.public_url may use this server"
    )
}

pub(crate) const URI_TOO_LONG: &str = "URI too long";
pub(crate) const HEADERS_TOO_LARGE: &str = "Headers too large";
pub(crate) const API_KEY_REQUIRED: &str = "API key required";
pub(crate) const SIGN_IN_REQUIRED: &str = "Sign-in required";
pub(crate) const INVALID_API_KEY: &str = "Invalid API key";
pub(crate) const TOO_MANY_INVALID_API_KEYS: &str = "Too many invalid API keys";
pub(crate) const TOO_MANY_REQUESTS: &str = "Too many requests for this API key";
pub(crate) const TOO_MANY_CONNECTIONS: &str = "Too many connections";
/// The whole answer to a connection for which there is no place. `seconds`: the time after which the client may retry.
pub(crate) fn connection_refused(seconds: u64) -> String {
    let body = format!("{{\"error\":\"{TOO_MANY_CONNECTIONS}\"}}");
    let length = body.len();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: {seconds}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) const TOO_MANY_CONNECTIONS_OF_KEY: &str = "Too many connections with this API key";
pub(crate) const TOO_MANY_CALLS_OF_KEY: &str = "Too many calls with this API key at the same time";
pub(crate) const TOO_MUCH_UNREAD: &str = "Too many answers wait until clients with this API key read them, or too many large requests are sent at the same time";
pub(crate) const TOO_MANY_CALLS: &str = "Too many calls";
pub(crate) const TOO_MANY_PROBES: &str = "Too many probes";
pub(crate) const TOO_MANY_STREAMS: &str = "Too many open streams";
pub(crate) const TOO_MANY_CALLS_ON_STREAM: &str = "Too many calls on this stream";
pub(crate) const SERVICE_UNAVAILABLE: &str = "Service unavailable";

// Routing.

pub(crate) const NOT_FOUND: &str = "Not found";
pub(crate) const METHOD_NOT_ALLOWED: &str = "Method not allowed";
pub(crate) const INTERNAL_ERROR: &str = "Internal error";

/// The page for a user who opens the server in a browser, as long as no mount serves pages.
pub(crate) fn welcome(base_path: &str) -> String {
    format!("This is an MCP server. Connect an MCP client to {base_path}/mcp with an API key.\n")
}

/// Two mounts, or one, have a route with this method and path.
pub(crate) fn route_conflict(method: &str, path: &str) -> String {
    format!("two routes serve {method} {path}")
}

// Request bodies.

pub(crate) const MESSAGE_TOO_LARGE: &str = "The message is too large";
pub(crate) const BODY_TOO_SLOW: &str = "The body took too long";
pub(crate) const BODY_INCOMPLETE: &str = "The body is incomplete";
pub(crate) const CONTENT_TYPE_JSON: &str = "Content-Type must be application/json";
pub(crate) const CONTENT_ENCODING_NOT_SUPPORTED: &str = "Content-Encoding is not supported";
pub(crate) const ACCEPT_JSON_AND_EVENT_STREAM: &str =
    "Accept must list application/json, text/event-stream or both";
pub(crate) const ACCEPT_EVENT_STREAM: &str = "Accept must list text/event-stream";

// Sessions.

pub(crate) const VERSION_NOT_SUPPORTED: &str = "MCP-Protocol-Version is not supported";
pub(crate) const SESSION_ID_REQUIRED: &str = "Mcp-Session-Id is required";
pub(crate) const REPEATED_SESSION_ID: &str = "More than one Mcp-Session-Id header";
/// The query parameter of HTTP+SSE is missing or malformed.
pub(crate) const SESSION_PARAMETER_REQUIRED: &str = "session_id is required";
pub(crate) const SESSION_NOT_FOUND: &str = "Session not found";
/// The message of the JSON-RPC error for a request of an unknown session.
pub(crate) const SESSION_NOT_FOUND_RPC: &str = "Session not found; send `initialize` again";
pub(crate) const EVENT_NOT_FOUND: &str = "Event not found; send the request again";

// Errors of connections, which appear in the log.

pub(crate) const CLIENT_NOT_READING: &str = "the client doesn't read the response";
pub(crate) const TOO_MANY_FRAMES: &str = "the client sends too many frames that carry no request";
pub(crate) const NO_REQUEST_IN_TIME: &str = "the client didn't send a request in time";
