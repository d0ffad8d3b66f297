//! The positions of a message's members.

use crate::json::RawJson;

/// A byte range of the message. An empty range means that the member is absent, since no JSON value is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // A message is smaller than 4 GiB, because `Limits::message_bytes` is a `u32`. A member beyond that
        // counts as absent.
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    pub(crate) fn is_present(self) -> bool {
        self.start < self.end
    }

    /// Whether the value is an object.
    pub(crate) fn is_object(self, body: &[u8]) -> bool {
        self.begins_with(body, b'{')
    }

    /// Whether the value is a string.
    pub(crate) fn is_string(self, body: &[u8]) -> bool {
        self.begins_with(body, b'"')
    }

    /// Whether the value is `null`.
    pub(super) fn is_null(self, body: &[u8]) -> bool {
        self.begins_with(body, b'n')
    }

    fn begins_with(self, body: &[u8], byte: u8) -> bool {
        self.is_present() && body.get(self.start as usize) == Some(&byte)
    }

    /// Returns the value in `body`, which must be the bytes that were scanned.
    pub(crate) fn of(self, body: &[u8]) -> Option<RawJson<'_>> {
        if !self.is_present() {
            return None;
        }
        let bytes = body.get(self.start as usize..self.end as usize)?;
        std::str::from_utf8(bytes).ok().map(RawJson::checked)
    }
}

/// The positions of the members of one message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Members {
    pub(crate) is_object: bool,
    pub(crate) jsonrpc: Span,
    pub(crate) id: Span,
    pub(crate) method: Span,
    pub(crate) params: Span,
    pub(crate) result: Span,
    pub(crate) error: Span,
    // Members of `params`.
    pub(crate) meta: Span,
    pub(crate) name: Span,
    pub(crate) uri: Span,
    pub(crate) task_id: Span,
    pub(crate) arguments: Span,
    pub(crate) cursor: Span,
    pub(crate) protocol_version: Span,
    pub(crate) capabilities: Span,
    pub(crate) client_info: Span,
    pub(crate) request_id: Span,
    pub(crate) input_responses: Span,
    pub(crate) request_state: Span,
    pub(crate) reference: Span,
    pub(crate) argument: Span,
    pub(crate) context: Span,
    pub(crate) level: Span,
    pub(crate) notifications: Span,
    // Members of `params._meta`.
    pub(crate) envelope_version: Span,
    pub(crate) envelope_capabilities: Span,
    pub(crate) envelope_client_info: Span,
    pub(crate) log_level: Span,
    pub(crate) progress_token: Span,
    pub(crate) traceparent: Span,
}

/// The key whose presence marks a modern message.
pub(crate) const ENVELOPE_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The other required key of an envelope.
pub(crate) const ENVELOPE_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The object that is being scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Message,
    Params,
    Meta,
    Elsewhere,
}

/// Selects the field that stores a member's position.
pub(super) type Slot = fn(&mut Members) -> &mut Span;

/// Returns the slot for a member, and the kind of object that its value is.
pub(super) fn slot(container: Container, key: &[u8]) -> (Option<Slot>, Container) {
    let slot: Slot = match (container, key) {
        (Container::Message, b"jsonrpc") => |members| &mut members.jsonrpc,
        (Container::Message, b"id") => |members| &mut members.id,
        (Container::Message, b"method") => |members| &mut members.method,
        (Container::Message, b"params") => return (Some(|members| &mut members.params), Container::Params),
        (Container::Message, b"result") => |members| &mut members.result,
        (Container::Message, b"error") => |members| &mut members.error,
        (Container::Params, b"_meta") => return (Some(|members| &mut members.meta), Container::Meta),
        (Container::Params, b"name") => |members| &mut members.name,
        (Container::Params, b"uri") => |members| &mut members.uri,
        (Container::Params, b"taskId") => |members| &mut members.task_id,
        (Container::Params, b"arguments") => |members| &mut members.arguments,
        (Container::Params, b"cursor") => |members| &mut members.cursor,
        (Container::Params, b"protocolVersion") => |members| &mut members.protocol_version,
        (Container::Params, b"capabilities") => |members| &mut members.capabilities,
        (Container::Params, b"clientInfo") => |members| &mut members.client_info,
        (Container::Params, b"inputResponses") => |members| &mut members.input_responses,
        (Container::Params, b"requestState") => |members| &mut members.request_state,
        (Container::Params, b"ref") => |members| &mut members.reference,
        (Container::Params, b"argument") => |members| &mut members.argument,
        (Container::Params, b"context") => |members| &mut members.context,
        (Container::Params, b"level") => |members| &mut members.level,
        (Container::Params, b"notifications") => |members| &mut members.notifications,
        (Container::Params, b"requestId") => |members| &mut members.request_id,
        (Container::Meta, b"io.modelcontextprotocol/protocolVersion") => {
            |members| &mut members.envelope_version
        }
        (Container::Meta, b"io.modelcontextprotocol/clientCapabilities") => {
            |members| &mut members.envelope_capabilities
        }
        (Container::Meta, b"io.modelcontextprotocol/clientInfo") => {
            |members| &mut members.envelope_client_info
        }
        (Container::Meta, b"io.modelcontextprotocol/logLevel") => |members| &mut members.log_level,
        (Container::Meta, b"progressToken") => |members| &mut members.progress_token,
        (Container::Meta, b"traceparent") => |members| &mut members.traceparent,
        _ => return (None, Container::Elsewhere),
    };
    (Some(slot), Container::Elsewhere)
}
