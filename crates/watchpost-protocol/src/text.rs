//! The messages of this crate's errors and notices, as clients receive them.

use crate::json::{
    clip,
    scanner::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION},
};

/// The number of characters of a tool's or prompt's name that a message repeats.
const NAME_MAX: usize = 128;

// The JSON text of a message.

pub(crate) fn message_too_large(limit_bytes: usize) -> String {
    format!("the message is larger than {limit_bytes} bytes")
}

pub(crate) fn not_json(offset: usize) -> String {
    format!("the message isn't valid JSON: error at byte {offset}")
}

pub(crate) fn not_utf8(offset: usize) -> String {
    format!("the message isn't valid UTF-8: error at byte {offset}")
}

pub(crate) fn nested_too_deep(levels: usize) -> String {
    format!("the message is nested deeper than {levels} levels")
}

pub(crate) fn duplicate_key(offset: usize) -> String {
    format!("an object has a duplicate key at byte {offset}")
}

// The shape of a JSON-RPC message.

pub(crate) const MESSAGE_NOT_AN_OBJECT: &str = "a message must be a JSON object";
pub(crate) const JSONRPC_VERSION: &str = "`jsonrpc` must be \"2.0\"";
pub(crate) const INVALID_ID: &str =
    "`id` must be a string of at most 1024 bytes or an integer of at most 64 bits";
pub(crate) const METHOD_NOT_A_STRING: &str = "`method` must be a string";
pub(crate) const METHOD_WITH_RESULT: &str =
    "a message with a `method` must not have a `result` or an `error`";
pub(crate) const UNKNOWN_MESSAGE_KIND: &str = "a message must have a `method`, a `result` or an `error`";
pub(crate) const RESULT_AND_ERROR: &str = "a response must not have both a `result` and an `error`";
pub(crate) const RESULT_WITHOUT_ID: &str = "a result must have the `id` of its request";
pub(crate) const DUPLICATE_ID: &str = "a request with this id is still being served";

// Arrays of messages.

pub(crate) const EMPTY_ARRAY: &str = "the array of messages is empty";
pub(crate) const BATCH_NOT_SUPPORTED: &str = "this protocol revision doesn't support arrays of messages";
pub(crate) const ENVELOPE_IN_ARRAY: &str = "a message with an envelope can't be part of an array";
pub(crate) const INITIALIZE_IN_ARRAY: &str = "`initialize` can't be part of an array";
pub(crate) const MIXED_ARRAY: &str =
    "an array must hold either only responses, or only requests and notifications";

pub(crate) fn batch_too_long(limit: usize) -> String {
    format!("the array has more than {limit} messages")
}

// Versions and the handshake.

pub(crate) const INITIALIZE_FIRST: &str = "send `initialize` first";
pub(crate) const INITIALIZE_UNDER_MODERN_HEADER: &str =
    "the revision in the MCP-Protocol-Version header has no `initialize`";
pub(crate) const UNEXPECTED_RESPONSE: &str =
    "this revision has no requests from the server that a client could respond to";
pub(crate) const LEGACY_TRANSPORT: &str =
    "this transport supports revisions before 2026-07-28; use the Streamable HTTP endpoint";
pub(crate) const REPEATED_VERSION_HEADER: &str = "the request has more than one MCP-Protocol-Version header";
pub(crate) const CLIENT_INFO: &str = "`clientInfo` must be an object with `name` and `version`";

/// A request has no envelope, and there is no legacy session that it could belong to.
pub(crate) fn envelope_missing() -> String {
    format!(
        "`params._meta` must have `{ENVELOPE_VERSION}` and `{ENVELOPE_CAPABILITIES}`; \
         for revisions before 2026-07-28, send `initialize` first"
    )
}

pub(crate) fn unsupported_version(requested: &str, supported: &[&str]) -> String {
    let supported = supported.join(", ");
    format!("protocol version '{requested}' isn't supported; supported versions: {supported}")
}

/// The version header names a revision that isn't a supported legacy one.
pub(crate) fn unsupported_version_header(supported: &[&str]) -> String {
    let supported = supported.join(", ");
    format!("the version in the MCP-Protocol-Version header isn't supported; supported versions: {supported}")
}

// Routing headers.

pub(crate) fn header_missing(name: &str) -> String {
    format!("the {name} header is missing")
}

pub(crate) fn header_repeated(name: &str) -> String {
    format!("the request has more than one {name} header")
}

pub(crate) fn header_undecodable(name: &str) -> String {
    format!("the {name} header can't be decoded")
}

pub(crate) fn header_mismatch(name: &str, header: &str, body: &str) -> String {
    format!("the {name} header is '{header}', but the body has '{body}'")
}

pub(crate) fn parameter_header_missing(name: &str) -> String {
    header_missing(&parameter_header(name))
}

pub(crate) fn parameter_header_repeated(name: &str) -> String {
    header_repeated(&parameter_header(name))
}

pub(crate) fn parameter_header_undecodable(name: &str) -> String {
    header_undecodable(&parameter_header(name))
}

pub(crate) fn parameter_header_without_argument(name: &str) -> String {
    format!(
        "the request has the {} header, but not its argument",
        parameter_header(name)
    )
}

pub(crate) fn parameter_header_mismatch(name: &str) -> String {
    format!("the {} header differs from its argument", parameter_header(name))
}

fn parameter_header(name: &str) -> String {
    format!("Mcp-Param-{}", clip(name, 64))
}

// Parameters.

pub(crate) const PARAMS: &str = "`params` must be an object";
pub(crate) const META: &str = "`params._meta` must be an object";
pub(crate) const PROGRESS_TOKEN: &str = "`progressToken` must be a string or an integer";
pub(crate) const ENVELOPE_LOG_LEVEL: &str = "`io.modelcontextprotocol/logLevel` must be debug, info, notice, warning, error, critical, alert or emergency";
pub(crate) const CURSOR: &str = "`cursor` must be a string";
pub(crate) const RESOURCE_URI: &str = "`uri` must be a string: the URI of the resource";
pub(crate) const TOOL_NAME: &str = "`name` must be a string: the name of the tool";
pub(crate) const TOOL_ARGUMENTS: &str = "`arguments` must be an object";
pub(crate) const PROMPT_NAME: &str = "`name` must be a string: the name of the prompt";
pub(crate) const PROMPT_ARGUMENTS: &str = "`arguments` must be an object of strings";
pub(crate) const LOG_LEVEL: &str =
    "`level` must be debug, info, notice, warning, error, critical, alert or emergency";
pub(crate) const TASK_ID: &str = "`taskId` must be a string";
pub(crate) const INPUT_RESPONSES: &str = "`inputResponses` must be an object";
pub(crate) const INPUT_RESPONSES_LIMIT: &str = "`inputResponses` must be an object of at most 64 answers";
pub(crate) const REQUEST_STATE: &str = "`requestState` must be a string";
pub(crate) const INVALID_REQUEST_STATE: &str =
    "`requestState` is invalid or has expired; send the request again without it";
pub(crate) const COMPLETION_REFERENCE: &str =
    "`ref` must be {\"type\":\"ref/prompt\",\"name\":…} or {\"type\":\"ref/resource\",\"uri\":…}";
pub(crate) const COMPLETION_ARGUMENT: &str =
    "`argument` must be an object with the strings `name` and `value`";
pub(crate) const COMPLETION_CONTEXT: &str = "`context` must be an object whose `arguments` are strings";
pub(crate) const TOO_MANY_COMPLETION_ARGUMENTS: &str = "`context.arguments` has more than 64 arguments";
pub(crate) const SUBSCRIPTION_FILTER: &str =
    "`notifications` must be an object of booleans and arrays of strings";
pub(crate) const SUBSCRIPTION_TOO_LARGE: &str =
    "a subscription can have at most 1024 resources and 1024 tasks";

pub(crate) fn must_be_string(name: &str) -> String {
    format!("`{name}` must be a string")
}

pub(crate) fn must_be_object(name: &str) -> String {
    format!("`{name}` must be an object")
}

// Outcomes.

pub(crate) const INTERNAL_ERROR: &str =
    "the server failed to process this request; its log describes the cause";
pub(crate) const REQUEST_CANCELLED: &str = "Request cancelled";
pub(crate) const RESOURCE_NOT_FOUND: &str = "Resource not found";
pub(crate) const SUBSCRIPTION_LIMIT: &str = "subscription limit reached";
/// The reason in the notification that ends a subscription on stdio.
pub(crate) const SUBSCRIPTION_ENDED: &str = "the server ended the subscription";
pub(crate) const INPUT_NOT_GIVEN: &str = "the client didn't provide the input that this request needs";
pub(crate) const NO_CHANNEL_TO_USER: &str =
    "this request needs input from the user, but the connection has no way to ask for it";

pub(crate) fn unknown_method(method: &str) -> String {
    format!("method '{method}' isn't available on this server")
}

pub(crate) fn unknown_tool(name: &str) -> String {
    format!("Unknown tool: {}", clip(name, NAME_MAX))
}

pub(crate) fn unknown_prompt(name: &str) -> String {
    format!("Unknown prompt: {}", clip(name, NAME_MAX))
}

/// A capability that the client must declare before the server can process the request.
pub(crate) fn missing_capability(name: &str) -> String {
    format!("the client must declare the capability {name}")
}

// Content that the client's revision doesn't have.

pub(crate) fn audio_left_out(media_type: &str) -> String {
    format!("[audio of type {media_type} left out: the client's protocol revision doesn't support audio]")
}

pub(crate) fn resource_link(uri: &str) -> String {
    format!("See the resource {uri}")
}
