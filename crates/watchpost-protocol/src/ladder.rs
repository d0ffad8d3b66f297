//! The part of the validation ladder (mcp.md 7.3) that isn't HTTP's own, steps 6 to 12, and its short legacy
//! form. The first failure wins.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::change::Interest;
use crate::client::{ClientCapabilities, ClientInfo, SessionState};
use crate::code::{METHOD_NOT_FOUND, RequiredCapability, RpcError};
use crate::completion::CompletionQuery;
use crate::decode::Decoder;
use crate::handler::LogLevel;
use crate::header::Header;
use crate::id::RequestId;
use crate::input::Inputs;
use crate::json::{RawJson, clip};
use crate::request::{Notification, Operation, TransportFacts};
use crate::revision::{Era, Kind, Revision, Verdict, Wire};
use crate::scan::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION, Members};

fn envelope_missing() -> RpcError {
    RpcError::envelope(format!(
        "`params._meta` has to have `{ENVELOPE_VERSION}` and `{ENVELOPE_CAPABILITIES}`; \
         for revisions before 2026-07-28, send `initialize` first"
    ))
}

/// The header that repeats a parameter, by method: `params.` and the member's name.
fn named_member<'a>(method: &str, members: &Members, body: &'a [u8]) -> Option<Option<RawJson<'a>>> {
    let span = match method {
        "tools/call" | "prompts/get" => members.name,
        "resources/read" => members.uri,
        "tasks/get" | "tasks/update" | "tasks/cancel" => members.task_id,
        _ => return None,
    };
    Some(span.of(body))
}

/// One message on its way up.
pub(crate) struct Ladder<'a> {
    pub(crate) decoder: &'a Decoder,
    pub(crate) body: &'a Bytes,
    pub(crate) members: &'a Members,
    pub(crate) facts: &'a TransportFacts<'a>,
    pub(crate) method: &'a str,
}

/// Where a legal message ends up.
pub(crate) enum Landing {
    /// It's served.
    Serve {
        revision: Revision,
        operation: Operation,
        /// For `initialize`, what it settles; otherwise what the handshake settled.
        session: Option<Arc<SessionState>>,
    },
    /// It's a notification.
    Note(Notification),
    /// It's a response.
    Answer,
}

impl Ladder<'_> {
    /// Takes a message of one kind as far as it goes under a verdict on its era.
    pub(crate) fn climb(&self, verdict: Verdict, kind: Kind) -> Result<Landing, RpcError> {
        let invalid = |text: &'static str| Err(RpcError::invalid_request(text));
        match verdict {
            Verdict::Modern => {
                let (revision, operation) = self.modern()?;
                Ok(Landing::Serve {
                    revision,
                    operation,
                    session: None,
                })
            }
            Verdict::Handshake => {
                let state = self.handshake()?;
                let (revision, operation) = (state.revision, Operation::Initialize);
                Ok(Landing::Serve {
                    revision,
                    operation,
                    session: Some(Arc::new(state)),
                })
            }
            Verdict::Legacy(revision) => match kind {
                Kind::Response => Ok(Landing::Answer),
                Kind::Notification => Ok(Landing::Note(self.notification())),
                Kind::Request => {
                    let operation = self.legacy()?;
                    Ok(Landing::Serve {
                        revision,
                        operation,
                        session: self.facts.session.map(Arc::clone),
                    })
                }
            },
            Verdict::ModernNotification => self.modern_notification().map(Landing::Note),
            Verdict::BeforeHandshake => self.before_handshake(),
            Verdict::SecondHandshake => invalid("this session is already initialized"),
            Verdict::HandshakeUnderModernHeader => Err(RpcError::header_mismatch(
                "the MCP-Protocol-Version header names a revision without `initialize`",
            )),
            Verdict::EnvelopeMissing => Err(envelope_missing()),
            Verdict::ResponseToModern => {
                invalid("this revision has no requests that a client could respond to")
            }
            Verdict::ModernOnLegacyWire => {
                invalid("this transport serves revisions before 2026-07-28; use the streamable HTTP endpoint")
            }
            Verdict::UnservedHeader => Err(RpcError::invalid_request(format!(
                "the MCP-Protocol-Version header names a revision that isn't served; served: {}",
                self.decoder
                    .served
                    .iter()
                    .map(Revision::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
            Verdict::RepeatedHeader => invalid("the MCP-Protocol-Version header is there more than once"),
        }
    }

    /// `ping` is answered at any time, and what doesn't exist doesn't exist at any time (INI-08, PNG-01).
    fn before_handshake(&self) -> Result<Landing, RpcError> {
        match self.legacy() {
            Ok(Operation::Ping) => {
                let (revision, operation) = (Revision::V2025_03_26, Operation::Ping);
                Ok(Landing::Serve {
                    revision,
                    operation,
                    session: None,
                })
            }
            Err(error) if error.code == METHOD_NOT_FOUND => Err(error),
            _ if self.facts.wire == Wire::Stdio => Err(envelope_missing()),
            _ => Err(RpcError::invalid_request("send `initialize` first")),
        }
    }

    /// Steps 7 to 12 for a modern request.
    fn modern(&self) -> Result<(Revision, Operation), RpcError> {
        let version = self.envelope()?;
        if self.facts.wire == Wire::Http {
            self.routing_headers(&version)?;
        }
        let revision = self.modern_revision(&version)?;
        let operation = match self.method {
            "server/discover" => Operation::Discover,
            method => self
                .offered(method, Era::Modern)
                .ok_or_else(|| RpcError::method_not_found(method, 404))?,
        };
        if self.facts.wire == Wire::Http && operation == Operation::CallTool {
            self.parameter_headers()?;
        }
        self.parameters(operation)?;
        self.extension(operation)?;
        Ok((revision, operation))
    }

    /// The methods that reach a handler, as far as their capability is declared and the era has them.
    fn offered(&self, method: &str, era: Era) -> Option<Operation> {
        let capabilities = self.decoder.capabilities;
        let tools = capabilities.tools.is_made();
        let prompts = capabilities.prompts.is_made();
        let resources = capabilities.resources.is_made();
        let (is_modern, is_legacy) = (era == Era::Modern, era == Era::Legacy);
        let tasks = is_modern && capabilities.tasks;
        let subscriptions = is_legacy && capabilities.resource_subscriptions;
        let (operation, declared) = match method {
            "tools/list" => (Operation::ListTools, tools),
            "tools/call" => (Operation::CallTool, tools),
            "resources/list" => (Operation::ListResources, resources),
            "resources/templates/list" => (Operation::ListResourceTemplates, resources),
            "resources/read" => (Operation::ReadResource, resources),
            "resources/subscribe" => (Operation::Subscribe, subscriptions),
            "resources/unsubscribe" => (Operation::Unsubscribe, subscriptions),
            "prompts/list" => (Operation::ListPrompts, prompts),
            "prompts/get" => (Operation::GetPrompt, prompts),
            "completion/complete" => (Operation::Complete, capabilities.completions),
            "logging/setLevel" => (Operation::SetLogLevel, is_legacy && capabilities.logging),
            "subscriptions/listen" => (Operation::Listen, is_modern && capabilities.has_changes()),
            "tasks/get" => (Operation::GetTask, tasks),
            "tasks/update" => (Operation::UpdateTask, tasks),
            "tasks/cancel" => (Operation::CancelTask, tasks),
            _ => return None,
        };
        declared.then_some(operation)
    }

    /// Step 11: the headers that repeat arguments say what the arguments say.
    fn parameter_headers(&self) -> Result<(), RpcError> {
        let Members { name, arguments, .. } = self.members;
        let Some(tool) = name.of(self.body).and_then(RawJson::string) else {
            return Ok(());
        };
        let arguments = arguments.of(self.body);
        self.decoder
            .headers
            .check(&tool, arguments, self.facts.parameters)
    }

    /// Step 14, as far as it doesn't depend on a handler: tasks are for clients that declare them on this very
    /// request (TKX-06).
    fn extension(&self, operation: Operation) -> Result<(), RpcError> {
        let needs_tasks = match operation {
            Operation::GetTask | Operation::UpdateTask | Operation::CancelTask => true,
            Operation::Listen => Interest::read(self.members.notifications.of(self.body))
                .is_ok_and(|interest| !interest.tasks.is_empty()),
            _ => false,
        };
        let declared = self
            .members
            .envelope_capabilities
            .of(self.body)
            .is_some_and(|value| ClientCapabilities::read(value).tasks);
        if needs_tasks && !declared {
            return Err(RpcError::missing_capability(
                RequiredCapability::Tasks,
                Era::Modern,
            ));
        }
        Ok(())
    }

    fn modern_revision(&self, version: &str) -> Result<Revision, RpcError> {
        let served = self.decoder.served;
        Revision::parse(version)
            .filter(|revision| revision.era() == Era::Modern && served.serves(*revision))
            .ok_or_else(|| RpcError::unsupported_version(version, served.named()))
    }

    /// The envelope is complete and of the right types; gives the version that it names.
    fn envelope(&self) -> Result<Cow<'_, str>, RpcError> {
        let Members {
            envelope_version,
            envelope_capabilities,
            envelope_client_info,
            log_level,
            ..
        } = self.members;
        let Some(version) = envelope_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::envelope(format!(
                "`{ENVELOPE_VERSION}` has to be a string"
            )));
        };
        if !envelope_capabilities.is_object(self.body) {
            return Err(RpcError::envelope(format!(
                "`{ENVELOPE_CAPABILITIES}` has to be an object"
            )));
        }
        if envelope_client_info.is_present() && !envelope_client_info.is_object(self.body) {
            return Err(RpcError::envelope(
                "`io.modelcontextprotocol/clientInfo` has to be an object",
            ));
        }
        if log_level
            .of(self.body)
            .is_some_and(|level| level.parse::<LogLevel>().is_err())
        {
            return Err(RpcError::envelope(
                "`io.modelcontextprotocol/logLevel` isn't a log level",
            ));
        }
        Ok(version)
    }

    /// Step 8: each routing header is there, once, and says what the body says (HDR-01 to HDR-06).
    fn routing_headers(&self, version: &str) -> Result<(), RpcError> {
        let facts = self.facts;
        same(
            "MCP-Protocol-Version",
            facts.version,
            facts.version.text(),
            version,
        )?;
        same("Mcp-Method", facts.method, facts.method.text(), self.method)?;
        let named = named_member(self.method, self.members, self.body);
        match (named.map(|value| value.and_then(RawJson::string)), facts.name) {
            (None, Header::Repeated) => same("Mcp-Name", facts.name, None, ""),
            // Nothing to repeat, and nothing repeated: that the parameter is missing is found below.
            (None, _) | (Some(None), Header::Absent) => Ok(()),
            (Some(value), header) => {
                let value = value.unwrap_or_default();
                same("Mcp-Name", header, header.decoded().as_deref(), &value)
            }
        }
    }

    /// Step 12 for both eras.
    fn parameters(&self, operation: Operation) -> Result<(), RpcError> {
        let Members {
            params,
            meta,
            progress_token,
            cursor,
            name,
            arguments,
            uri,
            ..
        } = self.members;
        if params.is_present() && !params.is_object(self.body) {
            return Err(RpcError::invalid_params("`params` has to be an object"));
        }
        if meta.is_present() && !meta.is_object(self.body) {
            return Err(RpcError::invalid_params("`params._meta` has to be an object"));
        }
        if progress_token
            .of(self.body)
            .is_some_and(|token| RequestId::read(token).is_none())
        {
            return Err(RpcError::invalid_params(
                "`progressToken` has to be a string or an integer",
            ));
        }
        let invalid = |text: &'static str| Err(RpcError::invalid_params(text));
        match operation {
            Operation::Initialize | Operation::Ping | Operation::Discover => {}
            Operation::ListTools
            | Operation::ListResources
            | Operation::ListResourceTemplates
            | Operation::ListPrompts => {
                if cursor.is_present() && !cursor.is_string(self.body) {
                    return invalid("`cursor` has to be a string");
                }
            }
            Operation::ReadResource | Operation::Subscribe | Operation::Unsubscribe => {
                if !uri.is_string(self.body) {
                    return invalid("`uri` has to be a string: the address of the resource");
                }
            }
            Operation::CallTool => {
                if !name.is_string(self.body) {
                    return invalid("`name` has to be a string: the tool to call");
                }
                if arguments.is_present() && !arguments.is_object(self.body) {
                    return invalid("`arguments` has to be an object");
                }
            }
            Operation::GetPrompt => {
                if !name.is_string(self.body) {
                    return invalid("`name` has to be a string: the prompt to get");
                }
                let values = arguments
                    .of(self.body)
                    .map(RawJson::parse::<BTreeMap<String, String>>);
                if values.is_some_and(|values| values.is_err()) {
                    return invalid("`arguments` has to be an object of strings");
                }
            }
            Operation::Complete => {
                let query = CompletionQuery::read(
                    self.members.reference.of(self.body),
                    self.members.argument.of(self.body),
                    self.members.context.of(self.body),
                );
                if let Err(complaint) = query {
                    return invalid(complaint);
                }
            }
            Operation::SetLogLevel => {
                let level = self.members.level.of(self.body);
                if level.is_none_or(|level| level.parse::<LogLevel>().is_err()) {
                    return invalid(
                        "`level` has to be debug, info, notice, warning, error, critical, alert or emergency",
                    );
                }
            }
            Operation::Listen => {
                if let Err(complaint) = Interest::read(self.members.notifications.of(self.body)) {
                    return invalid(complaint);
                }
            }
            Operation::GetTask | Operation::UpdateTask | Operation::CancelTask => {
                if !self.members.task_id.is_string(self.body) {
                    return invalid("`taskId` has to be a string");
                }
                let is_update = operation == Operation::UpdateTask;
                if is_update && !self.members.input_responses.is_present() {
                    return invalid("`inputResponses` has to be an object");
                }
            }
        }
        self.inputs(operation)
    }

    /// Answers to questions and the state that they were asked with (mcp.md 16.2). For legacy requests these are
    /// unknown members.
    fn inputs(&self, operation: Operation) -> Result<(), RpcError> {
        let Members {
            input_responses,
            request_state,
            envelope_version,
            ..
        } = self.members;
        if !envelope_version.is_present() || !(operation.may_ask() || operation == Operation::UpdateTask) {
            return Ok(());
        }
        let responses = input_responses.of(self.body);
        if responses.is_some() && Inputs::read(responses, None).is_none() {
            return Err(RpcError::invalid_params(
                "`inputResponses` has to be an object of at most 64 answers",
            ));
        }
        if request_state.is_present() && !request_state.is_string(self.body) {
            return Err(RpcError::invalid_params("`requestState` has to be a string"));
        }
        Ok(())
    }

    fn legacy(&self) -> Result<Operation, RpcError> {
        let operation = match self.method {
            "ping" => Operation::Ping,
            method => self
                .offered(method, Era::Legacy)
                .ok_or_else(|| RpcError::method_not_found(method, 200))?,
        };
        self.parameters(operation)?;
        Ok(operation)
    }

    /// `initialize`: what it settles (INI-01 to INI-05).
    fn handshake(&self) -> Result<SessionState, RpcError> {
        self.parameters(Operation::Initialize)?;
        let Members {
            protocol_version,
            capabilities,
            client_info,
            ..
        } = self.members;
        let Some(requested) = protocol_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::invalid_params("`protocolVersion` has to be a string"));
        };
        let Some(capabilities) = capabilities.of(self.body).filter(|value| value.is_object()) else {
            return Err(RpcError::invalid_params("`capabilities` has to be an object"));
        };
        let Some(client) = client_info.of(self.body).and_then(ClientInfo::read) else {
            return Err(RpcError::invalid_params(
                "`clientInfo` has to be an object with `name` and `version`",
            ));
        };
        let served = self.decoder.served;
        let revision = served
            .negotiate(&requested)
            .ok_or_else(|| RpcError::unsupported_version(&requested, served.named()))?;
        Ok(SessionState {
            revision,
            client,
            capabilities: ClientCapabilities::read(capabilities),
        })
    }

    fn notification(&self) -> Notification {
        match self.method {
            "notifications/initialized" => Notification::Initialized,
            "notifications/cancelled" => self.cancelled(),
            _ => Notification::Ignored,
        }
    }

    /// A cancellation reaches only into its own session or process (CAN-07); a malformed one is ignored.
    fn cancelled(&self) -> Notification {
        if self.facts.wire == Wire::Http && self.facts.session.is_none() {
            return Notification::Ignored;
        }
        match self.members.request_id.of(self.body).and_then(RequestId::read) {
            Some(id) => Notification::Cancelled(id.into_owned()),
            None => Notification::Ignored,
        }
    }

    /// Row 10 of mcp.md 6.1: the version is checked wherever it's named, and the notification dropped. On stdio
    /// a cancellation takes effect.
    fn modern_notification(&self) -> Result<Notification, RpcError> {
        let header = self.facts.version.text();
        if self.members.envelope_version.is_present() {
            let Some(version) = self
                .members
                .envelope_version
                .of(self.body)
                .and_then(RawJson::string)
            else {
                return Err(RpcError::envelope(format!(
                    "`{ENVELOPE_VERSION}` has to be a string"
                )));
            };
            if let Some(header) = header {
                same("MCP-Protocol-Version", self.facts.version, Some(header), &version)?;
            }
            self.modern_revision(&version)?;
        } else if let Some(version) = header {
            self.modern_revision(version)?;
        }
        if self.facts.wire == Wire::Stdio && self.method == "notifications/cancelled" {
            return Ok(self.cancelled());
        }
        Ok(Notification::Ignored)
    }
}

/// A header whose decoded value has to be `expected`.
fn same(name: &str, header: Header<'_>, value: Option<&str>, expected: &str) -> Result<(), RpcError> {
    let complaint = match (header, value) {
        (Header::Absent, _) => format!("the {name} header is missing"),
        (Header::Repeated, _) => format!("the {name} header is there more than once"),
        (Header::One(_), None) => format!("the {name} header can't be decoded"),
        (Header::One(_), Some(value)) if value == expected => return Ok(()),
        (Header::One(_), Some(value)) => {
            format!(
                "the {name} header says '{}', the body says '{}'",
                clip(value, 64),
                clip(expected, 64)
            )
        }
    };
    Err(RpcError::header_mismatch(complaint))
}
