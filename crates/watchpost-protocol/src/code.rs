//! All error codes that this crate can send, in one table, and the errors built from them.
//!
//! | code | meaning | specification | HTTP status |
//! |---|---|---|---|
//! | -32700 | the message isn't JSON | JSON-RPC 2.0, 5.1 | 400 |
//! | -32600 | JSON, but not a valid message at this point | JSON-RPC 2.0, 5.1 | 400; 413 if too large |
//! | -32601 | unknown method, method of the other era, capability not offered | JSON-RPC 2.0, 5.1; MCP 2026-07-28, Streamable HTTP | 404 modern, 200 legacy |
//! | -32602 | invalid parameters, unknown tool, invalid cursor; for modern clients also unknown resource | JSON-RPC 2.0, 5.1 | 200; 400 for an invalid envelope |
//! | -32002 | unknown resource | MCP 2024-11-05 to 2025-11-25, Resources > Error Handling | 200 |
//! | -32603 | internal error | JSON-RPC 2.0, 5.1 | 200 |
//! | -32020 | a routing header disagrees with the body | MCP 2026-07-28, Overview > Error Codes | 400 |
//! | -32021 | the client lacks a capability that the request needs | MCP 2026-07-28, Overview > Error Codes | 400 |
//! | -32022 | the protocol revision isn't supported | MCP 2026-07-28, Versioning | 400 |
//! | -32800 | the client cancelled, but the HTTP exchange still needs a response | ours, outside the reserved range | 200 |
//!
//! -32042 (a legacy client must open a URL) is missing because this crate asks users by forms only. A code that
//! only one era defines is created only for that era: -32020 and -32022 in the validation of modern messages
//! and where a legacy handshake is mixed with modern parts, -32021 for modern clients only, -32002 for a
//! resource that the handler doesn't know if the client is a legacy one.

use crate::{
    json::{clip, push_integer, push_string},
    revision::{Era, Revision},
    text,
};
use std::borrow::Cow;

/// The bytes aren't JSON.
pub const PARSE_ERROR: i64 = -32700;
/// The message is JSON, but not a valid message at this point.
pub const INVALID_REQUEST: i64 = -32600;
/// The method doesn't exist for this client.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The parameters are invalid.
pub const INVALID_PARAMS: i64 = -32602;
/// The resource doesn't exist, in revisions before 2026-07-28 (RSC-02). Later revisions use [`INVALID_PARAMS`].
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// The server failed.
pub const INTERNAL_ERROR: i64 = -32603;
/// A routing header is missing, repeated, or disagrees with the body.
pub const HEADER_MISMATCH: i64 = -32020;
/// The client didn't declare a capability that the request needs.
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// The revision that a request names isn't supported.
pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;
/// The client cancelled a request whose HTTP exchange still needs a response.
pub const REQUEST_CANCELLED: i64 = -32800;

/// The number of characters of a client's string that an error repeats.
const ECHO_MAX: usize = 64;

/// A client capability that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequiredCapability {
    /// Forms for the user.
    ElicitationForm,
    /// Completions by the client's model.
    Sampling,
    /// The client's list of directories.
    Roots,
    /// The tasks extension.
    Tasks,
}

impl RequiredCapability {
    fn name(self) -> &'static str {
        match self {
            Self::ElicitationForm => "elicitation",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
            Self::Tasks => "extensions[\"io.modelcontextprotocol/tasks\"]",
        }
    }

    /// Returns the capability as a `ClientCapabilities` object in JSON.
    fn object(self) -> &'static str {
        match self {
            Self::ElicitationForm => r#"{"elicitation":{"form":{}}}"#,
            Self::Sampling => r#"{"sampling":{}}"#,
            Self::Roots => r#"{"roots":{}}"#,
            Self::Tasks => r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        }
    }
}

/// A JSON-RPC error together with the HTTP status of the response that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: Cow<'static, str>,
    /// The `data` member as JSON text.
    pub(crate) data: Option<String>,
    pub(crate) status: u16,
}

impl RpcError {
    /// Creates an error of the embedding server, such as a rejected credential. `code` must lie outside
    /// -32768…-32000 (RPC-12). `status` is the HTTP status if the transport is HTTP.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>, status: u16) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            status,
        }
    }

    /// Returns the error for a request whose id is that of a request still being served (RPC-16).
    pub fn duplicate_id() -> Self {
        Self::invalid_request(text::DUPLICATE_ID)
    }

    /// Returns the error for a subscription beyond the server's limit (SUB-09).
    pub fn subscription_limit() -> Self {
        Self::new(INTERNAL_ERROR, text::SUBSCRIPTION_LIMIT, 200)
    }

    /// Returns the response that closes the HTTP exchange of a request that the client cancelled.
    pub fn cancelled() -> Self {
        Self::new(REQUEST_CANCELLED, text::REQUEST_CANCELLED, 200)
    }

    /// Returns the JSON-RPC error code.
    pub fn code(&self) -> i64 {
        self.code
    }

    /// Returns the message that is sent to the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(PARSE_ERROR, message, 400)
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_REQUEST, message, 400)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(INVALID_REQUEST, text::message_too_large(limit), 413)
    }

    /// Modern clients get the capability as `data`, legacy clients only as text.
    pub(crate) fn missing_capability(required: RequiredCapability, era: Era) -> Self {
        let message = text::missing_capability(required.name());
        match era {
            Era::Legacy => Self::new(INVALID_PARAMS, message, 200),
            Era::Modern => Self {
                data: Some(format!(r#"{{"requiredCapabilities":{}}}"#, required.object())),
                ..Self::new(MISSING_CLIENT_CAPABILITY, message, 400)
            },
        }
    }

    /// `status` is 404 for a modern client and 200 for a legacy one.
    pub(crate) fn method_not_found(method: &str, status: u16) -> Self {
        Self::new(
            METHOD_NOT_FOUND,
            text::unknown_method(&clip(method, ECHO_MAX)),
            status,
        )
    }

    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMS, message, 200)
    }

    /// The error for a URI that no resource has, or only one that the caller may not know about.
    pub(crate) fn unknown_resource(uri: &str, era: Era) -> Self {
        let mut data = b"{\"uri\":".to_vec();
        push_string(&mut data, &clip(uri, 512));
        data.push(b'}');
        let code = match era {
            Era::Legacy => RESOURCE_NOT_FOUND,
            Era::Modern => INVALID_PARAMS,
        };
        Self {
            data: String::from_utf8(data).ok(),
            ..Self::new(code, text::RESOURCE_NOT_FOUND, 200)
        }
    }

    /// The error for a modern request whose envelope is missing, incomplete or of the wrong type (ENV-01).
    pub(crate) fn envelope(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMS, message, 400)
    }

    /// Returns the error for a failure of the server. Its text doesn't describe the cause (RPC-13), so the
    /// cause must be logged.
    pub fn internal() -> Self {
        Self::new(INTERNAL_ERROR, text::INTERNAL_ERROR, 200)
    }

    /// Like [`RpcError::internal`], with a text that names the incident in the log.
    pub(crate) fn incident(message: String) -> Self {
        Self::new(INTERNAL_ERROR, message, 200)
    }

    /// The error for a request that can't be answered at the moment.
    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>, era: Era) -> Self {
        let status = match era {
            Era::Legacy => 200,
            Era::Modern => 503,
        };
        Self::new(INTERNAL_ERROR, message, status)
    }

    pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(HEADER_MISMATCH, message, 400)
    }

    pub(crate) fn unsupported_version(
        requested: &str,
        supported: impl IntoIterator<Item = Revision>,
    ) -> Self {
        let requested = clip(requested, ECHO_MAX);
        let mut names = Vec::new();
        let mut data = b"{\"supported\":[".to_vec();
        for revision in supported {
            if !names.is_empty() {
                data.push(b',');
            }
            names.push(revision.as_str());
            push_string(&mut data, revision.as_str());
        }
        data.extend_from_slice(b"],\"requested\":");
        push_string(&mut data, &requested);
        data.push(b'}');
        let message = text::unsupported_version(&requested, &names);
        Self {
            data: String::from_utf8(data).ok(),
            ..Self::new(UNSUPPORTED_PROTOCOL_VERSION, message, 400)
        }
    }

    /// Appends `{"code":…,"message":…}`.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":");
        push_integer(out, self.code);
        out.extend_from_slice(b",\"message\":");
        push_string(out, &self.message);
        if let Some(data) = &self.data {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(data.as_bytes());
        }
        out.push(b'}');
    }
}
