//! Protocol errors that a handler can return.

use crate::{
    code::{RequiredCapability, RpcError},
    method::Method,
    revision::Era,
    text,
};
use std::borrow::Cow;

/// A protocol error returned by a handler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The tool doesn't exist for this caller.
    #[error("unknown tool")]
    UnknownTool,
    /// The resource doesn't exist for this caller.
    #[error("unknown resource")]
    UnknownResource,
    /// The prompt doesn't exist for this caller.
    #[error("unknown prompt")]
    UnknownPrompt,
    /// A required argument of a prompt is missing.
    #[error("the argument `{0}` is missing")]
    MissingArgument(Cow<'static, str>),
    /// The prompt, template or argument to complete doesn't exist for this caller.
    #[error("there is nothing to complete under this name")]
    UnknownCompletion,
    /// The task doesn't exist for this caller.
    #[error("unknown task")]
    UnknownTask,
    /// The client didn't declare a capability that the request needs.
    #[error("the client lacks a required capability")]
    MissingCapability(RequiredCapability),
    /// The cursor wasn't issued by this server for this list.
    #[error("the cursor doesn't belong to this list; start again without a cursor")]
    InvalidCursor,
    /// The parameters are invalid. The text is sent to the client.
    #[error("{0}")]
    InvalidParams(Cow<'static, str>),
    /// The server can't answer at the moment, and the same request may succeed later. The text is sent to the client, and
    /// says whether the request took effect. Modern clients get it with the HTTP status 503. Legacy clients don't read the
    /// body of such a response: they get a tool error, or a protocol error with the status 200.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
    /// The server failed. The client receives no details, so the handler must log the cause.
    #[error("internal error")]
    Internal,
    /// Like [`CallError::Internal`], with the incident id under which the handler logged the cause. The id is
    /// sent to the client.
    #[error("internal error; the server's log describes it as incident {0}")]
    Incident(String),
}

impl CallError {
    pub(crate) fn into_rpc(self, method: &Method<'_>, era: Era) -> RpcError {
        match (self, method) {
            (Self::UnknownResource, Method::ReadResource { uri }) => RpcError::unknown_resource(uri, era),
            (Self::UnknownTool, Method::CallTool { name, .. }) => {
                RpcError::invalid_params(text::unknown_tool(name))
            }
            (Self::UnknownPrompt, Method::GetPrompt { name, .. }) => {
                RpcError::invalid_params(text::unknown_prompt(name))
            }
            (error, _) => error.into_rpc_without_method(era),
        }
    }

    /// Converts the error without the request that it answers.
    pub(crate) fn into_rpc_without_method(self, era: Era) -> RpcError {
        match self {
            Self::Internal => RpcError::internal(),
            error @ Self::Incident(_) => RpcError::incident(error.to_string()),
            Self::Unavailable(text) => RpcError::unavailable(text, era),
            Self::InvalidParams(text) => RpcError::invalid_params(text),
            Self::MissingCapability(required) => RpcError::missing_capability(required, era),
            error => RpcError::invalid_params(error.to_string()),
        }
    }
}
