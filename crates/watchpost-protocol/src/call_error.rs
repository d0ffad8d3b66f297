//! Errors of handlers.

use crate::{
    code::{RequiredCapability, RpcError},
    json::clip,
    method::Method,
    revision::Era,
};
use std::borrow::Cow;

/// A protocol error of a handler.
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
    /// A prompt's argument that is required isn't there.
    #[error("the argument `{0}` is missing")]
    MissingArgument(Cow<'static, str>),
    /// What is to be completed doesn't exist for this caller: no such prompt, template or argument.
    #[error("there is nothing of this name to complete")]
    UnknownCompletion,
    /// The task doesn't exist for this caller.
    #[error("unknown task")]
    UnknownTask,
    /// The client would have to declare this capability.
    #[error("the client lacks a capability")]
    MissingCapability(RequiredCapability),
    /// The cursor wasn't made by this server for this list.
    #[error("the cursor isn't one of this list; begin again without one")]
    InvalidCursor,
    /// The parameters are wrong; the text goes to the client.
    #[error("{0}")]
    InvalidParams(Cow<'static, str>),
    /// The server failed; nothing of why goes to the client, so the handler has logged it.
    #[error("internal error")]
    Internal,
    /// As [`CallError::Internal`], with the id under which the handler has logged it; the id goes to the client.
    #[error("internal error; the server's log has it as incident {0}")]
    Incident(String),
}

impl CallError {
    pub(crate) fn into_rpc(self, method: &Method<'_>, era: Era) -> RpcError {
        match (self, method) {
            (Self::UnknownResource, Method::ReadResource { uri }) => RpcError::unknown_resource(uri, era),
            (Self::UnknownTool, Method::CallTool { name, .. }) => {
                RpcError::invalid_params(format!("Unknown tool: {}", clip(name, 128)))
            }
            (Self::UnknownPrompt, Method::GetPrompt { name, .. }) => {
                RpcError::invalid_params(format!("Unknown prompt: {}", clip(name, 128)))
            }
            (error, _) => error.into_rpc_without_method(era),
        }
    }

    /// Without the request that it answers.
    pub(crate) fn into_rpc_without_method(self, era: Era) -> RpcError {
        match self {
            Self::Internal => RpcError::internal(),
            error @ Self::Incident(_) => RpcError::incident(error.to_string()),
            Self::InvalidParams(text) => RpcError::invalid_params(text),
            Self::MissingCapability(required) => RpcError::missing_capability(required, era),
            error => RpcError::invalid_params(error.to_string()),
        }
    }
}
