//! Every error code that can leave this crate, in one table, and the errors built from them.
//!
//! | code | meaning | specification | HTTP status |
//! |---|---|---|---|
//! | -32700 | not JSON | JSON-RPC 2.0, 5.1 | 400 |
//! | -32600 | JSON, but no legal message for this position | JSON-RPC 2.0, 5.1 | 400; 413 if too large |
//! | -32601 | unknown method, method of another era, capability not offered | JSON-RPC 2.0, 5.1; 2026-07-28 streamable-http | 404 modern, 200 legacy |
//! | -32602 | bad parameters, unknown tool, bad cursor; for modern peers unknown resource | JSON-RPC 2.0, 5.1 | 200; 400 for a broken envelope |
//! | -32002 | unknown resource | 2024-11-05 to 2025-11-25 server/resources | 200 |
//! | -32603 | our fault | JSON-RPC 2.0, 5.1 | 200 |
//! | -32020 | routing header disagrees with the body | 2026-07-28 basic, Error Codes | 400 |
//! | -32021 | the client lacks a capability that the request needs | 2026-07-28 basic, Error Codes | 400 |
//! | -32022 | protocol revision isn't served | 2026-07-28 basic/versioning | 400 |
//! | -32800 | the client cancelled, and HTTP still owes an answer | ours, outside the reserved range | 200 |
//!
//! -32042 (a legacy peer has to open a URL) isn't here, since this crate asks by forms alone. A code that only one
//! era knows is made only on that era's path: -32020 and -32022 in the validation of the modern era and in its two
//! crossings with the legacy handshake, -32021 for modern peers alone, -32002 where a handler knows no such resource
//! and the peer is a legacy one.

use crate::{
    json::{clip, push_integer, push_string},
    revision::{Era, Revision},
};
use std::borrow::Cow;

/// The bytes aren't JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but not one legal message for this position.
pub const INVALID_REQUEST: i64 = -32600;
/// The method doesn't exist for this peer.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The parameters are wrong.
pub const INVALID_PARAMS: i64 = -32602;
/// There is no such resource, in revisions before 2026-07-28 (RSC-02); later ones say [`INVALID_PARAMS`].
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// The server failed.
pub const INTERNAL_ERROR: i64 = -32603;
/// A routing header is missing, repeated, or disagrees with the body.
pub const HEADER_MISMATCH: i64 = -32020;
/// The client didn't declare a capability that the request needs.
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// The revision that a request names isn't served.
pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;
/// The client cancelled a request whose HTTP exchange still needs an end.
pub const REQUEST_CANCELLED: i64 = -32800;

/// Characters of a foreign string that an error repeats.
const ECHO: usize = 64;

/// A capability of the client without which a request can't be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequiredCapability {
    /// Forms for the person.
    ElicitationForm,
    /// Completions by the client's model.
    Sampling,
    /// The client's folders.
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

    /// As a `ClientCapabilities` object.
    fn object(self) -> &'static str {
        match self {
            Self::ElicitationForm => r#"{"elicitation":{"form":{}}}"#,
            Self::Sampling => r#"{"sampling":{}}"#,
            Self::Roots => r#"{"roots":{}}"#,
            Self::Tasks => r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
        }
    }
}

/// A JSON-RPC error together with the HTTP status that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: Cow<'static, str>,
    /// The `data` member as JSON text.
    pub(crate) data: Option<String>,
    pub(crate) status: u16,
}

impl RpcError {
    /// An error of the embedding server, such as a refused credential. `code` lies outside -32768…-32000
    /// (RPC-12); `status` is the HTTP status where the transport is HTTP.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>, status: u16) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            status,
        }
    }

    /// A second request with the id of one that is still being served (RPC-16).
    pub fn duplicate_id() -> Self {
        Self::invalid_request("a request with this id is still being served")
    }

    /// No place for one more subscription (mcp.md 15.2).
    pub fn subscription_limit() -> Self {
        Self::new(INTERNAL_ERROR, "subscription limit reached", 200)
    }

    /// The end of an HTTP exchange whose request the client cancelled (mcp.md 11.2).
    pub fn cancelled() -> Self {
        Self::new(REQUEST_CANCELLED, "Request cancelled", 200)
    }

    /// The JSON-RPC error code.
    pub fn code(&self) -> i64 {
        self.code
    }

    /// The message that goes to the client.
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
        Self::new(
            INVALID_REQUEST,
            format!("the message is larger than {limit} bytes"),
            413,
        )
    }

    /// A modern client lacks something; a legacy one learns the same in words.
    pub(crate) fn missing_capability(required: RequiredCapability, era: Era) -> Self {
        let message = format!("the client has to declare the capability {}", required.name());
        match era {
            Era::Legacy => Self::new(INVALID_PARAMS, message, 200),
            Era::Modern => Self {
                data: Some(format!(r#"{{"requiredCapabilities":{}}}"#, required.object())),
                ..Self::new(MISSING_CLIENT_CAPABILITY, message, 400)
            },
        }
    }

    /// `status` is 404 for a modern peer and 200 for a legacy one.
    pub(crate) fn method_not_found(method: &str, status: u16) -> Self {
        Self::new(
            METHOD_NOT_FOUND,
            format!("method '{}' doesn't exist here", clip(method, ECHO)),
            status,
        )
    }

    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMS, message, 200)
    }

    /// No resource has this address, or none that the caller may know of.
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
            ..Self::new(code, "Resource not found", 200)
        }
    }

    /// A modern request whose envelope is missing, incomplete or mistyped (ENV-01).
    pub(crate) fn envelope(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMS, message, 400)
    }

    /// A failure of the server. The text says nothing of what went wrong inside (RPC-13), so it has to be in
    /// the log.
    pub fn internal() -> Self {
        Self::new(
            INTERNAL_ERROR,
            "the server failed to answer this request; its log says why",
            200,
        )
    }

    /// As [`RpcError::internal`], with a text that names the place in the log.
    pub(crate) fn incident(message: String) -> Self {
        Self::new(INTERNAL_ERROR, message, 200)
    }

    pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(HEADER_MISMATCH, message, 400)
    }

    pub(crate) fn unsupported_version(
        requested: &str,
        supported: impl IntoIterator<Item = Revision>,
    ) -> Self {
        let requested = clip(requested, ECHO);
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
        let message = format!(
            "protocol version '{requested}' isn't served here; served: {}",
            names.join(", ")
        );
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
