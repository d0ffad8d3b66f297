//! Validation of a message, in the order required by MCP 2026-07-28: era, envelope, routing headers, version,
//! method, parameter headers, parameters, capabilities. The first failure is reported (HDR-11). Legacy messages
//! go through a shorter form.

mod headers;
mod parameters;

use crate::{
    capabilities::Capabilities,
    client::{ClientCapabilities, ClientInfo, SessionState},
    code::{METHOD_NOT_FOUND, RpcError},
    header::Header,
    id::RequestId,
    json::{
        RawJson, clip,
        scanner::{ENVELOPE_CAPABILITIES, ENVELOPE_VERSION, Members},
    },
    log_level::LogLevel,
    parameter::ParameterHeaders,
    request::{Notification, Operation, TransportFacts},
    revision::{
        Era, Revision, Revisions,
        era::{Kind, TransportKind, Verdict},
    },
    text,
};
use bytes::Bytes;
use std::{borrow::Cow, sync::Arc};

fn envelope_missing() -> RpcError {
    RpcError::envelope(text::envelope_missing())
}

/// One message to validate.
pub(crate) struct Validator<'a> {
    pub(crate) served: Revisions,
    pub(crate) capabilities: Capabilities,
    pub(crate) headers: &'a ParameterHeaders,
    pub(crate) body: &'a Bytes,
    pub(crate) members: &'a Members,
    pub(crate) facts: &'a TransportFacts<'a>,
    pub(crate) method: &'a str,
}

/// A valid message.
pub(crate) enum Validated {
    /// A request to serve.
    Serve {
        revision: Revision,
        operation: Operation,
        /// For `initialize`, the state of the new session; otherwise the state of the session of the request.
        session: Option<Arc<SessionState>>,
    },
    /// A notification.
    Notification(Notification),
    /// A response.
    Response,
}

impl Validator<'_> {
    /// Validates a message of the given kind under the verdict on its era.
    pub(crate) fn validate(&self, verdict: Verdict, kind: Kind) -> Result<Validated, RpcError> {
        let invalid = |text: &'static str| Err(RpcError::invalid_request(text));
        match verdict {
            Verdict::Modern => {
                let (revision, operation) = self.modern()?;
                Ok(Validated::Serve {
                    revision,
                    operation,
                    session: None,
                })
            }
            Verdict::Handshake => {
                let state = self.handshake()?;
                let (revision, operation) = (state.revision, Operation::Initialize);
                Ok(Validated::Serve {
                    revision,
                    operation,
                    session: Some(Arc::new(state)),
                })
            }
            Verdict::Legacy(revision) => match kind {
                Kind::Response => Ok(Validated::Response),
                Kind::Notification => Ok(Validated::Notification(self.notification())),
                Kind::Request => {
                    let operation = self.legacy()?;
                    Ok(Validated::Serve {
                        revision,
                        operation,
                        session: self.facts.session.map(Arc::clone),
                    })
                }
            },
            Verdict::ModernNotification => self.modern_notification().map(Validated::Notification),
            Verdict::BeforeHandshake => self.before_handshake(),
            Verdict::HandshakeUnderModernHeader => {
                Err(RpcError::header_mismatch(text::INITIALIZE_UNDER_MODERN_HEADER))
            }
            Verdict::EnvelopeMissing => Err(envelope_missing()),
            Verdict::ResponseToModern => invalid(text::UNEXPECTED_RESPONSE),
            Verdict::ModernOnLegacyTransport => invalid(text::LEGACY_TRANSPORT),
            Verdict::UnsupportedHeader => {
                let supported: Vec<&str> = self.served.iter().map(Revision::as_str).collect();
                Err(RpcError::invalid_request(text::unsupported_version_header(
                    &supported,
                )))
            }
            Verdict::RepeatedHeader => invalid(text::REPEATED_VERSION_HEADER),
        }
    }

    /// Validates a legacy request before the handshake. `ping` is always served, and an unknown method is
    /// always reported as such (INI-08, PNG-01).
    fn before_handshake(&self) -> Result<Validated, RpcError> {
        match self.legacy() {
            Ok(Operation::Ping) => {
                let (revision, operation) = (Revision::V2025_03_26, Operation::Ping);
                Ok(Validated::Serve {
                    revision,
                    operation,
                    session: None,
                })
            }
            Err(error) if error.code == METHOD_NOT_FOUND => Err(error),
            _ if self.facts.transport == TransportKind::Stdio => Err(envelope_missing()),
            _ => Err(RpcError::invalid_request(text::INITIALIZE_FIRST)),
        }
    }

    /// Validates a modern request: everything from the envelope to the capabilities.
    fn modern(&self) -> Result<(Revision, Operation), RpcError> {
        let version = self.envelope()?;
        if self.facts.transport == TransportKind::Http {
            self.routing_headers(&version)?;
        }
        let revision = self.modern_revision(&version)?;
        let operation = match self.method {
            "server/discover" => Operation::Discover,
            method => self
                .offered(method, Era::Modern)
                .ok_or_else(|| RpcError::method_not_found(method, 404))?,
        };
        if self.facts.transport == TransportKind::Http && operation == Operation::CallTool {
            self.parameter_headers()?;
        }
        self.parameters(operation)?;
        self.extension(operation)?;
        Ok((revision, operation))
    }

    /// Returns the operation of a method that reaches the handler, if the era has the method and its capability
    /// is declared.
    fn offered(&self, method: &str, era: Era) -> Option<Operation> {
        let capabilities = self.capabilities;
        let tools = capabilities.tools.is_offered();
        let prompts = capabilities.prompts.is_offered();
        let resources = capabilities.resources.is_offered();
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

    fn modern_revision(&self, version: &str) -> Result<Revision, RpcError> {
        let served = self.served;
        Revision::parse(version)
            .filter(|revision| revision.era() == Era::Modern && served.serves(*revision))
            .ok_or_else(|| RpcError::unsupported_version(version, served.advertised()))
    }

    /// Checks that the envelope is complete and of the right types. Returns the version that it names.
    fn envelope(&self) -> Result<Cow<'_, str>, RpcError> {
        let Members {
            envelope_version,
            envelope_capabilities,
            envelope_client_info,
            log_level,
            ..
        } = self.members;
        let Some(version) = envelope_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::envelope(text::must_be_string(ENVELOPE_VERSION)));
        };
        if !envelope_capabilities.is_object(self.body) {
            return Err(RpcError::envelope(text::must_be_object(ENVELOPE_CAPABILITIES)));
        }
        if envelope_client_info.is_present() && !envelope_client_info.is_object(self.body) {
            return Err(RpcError::envelope(text::must_be_object(
                "io.modelcontextprotocol/clientInfo",
            )));
        }
        if log_level
            .of(self.body)
            .is_some_and(|level| level.parse::<LogLevel>().is_err())
        {
            return Err(RpcError::envelope(text::ENVELOPE_LOG_LEVEL));
        }
        Ok(version)
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

    /// Reads the parameters of `initialize` and negotiates the revision (INI-01 to INI-05).
    fn handshake(&self) -> Result<SessionState, RpcError> {
        self.parameters(Operation::Initialize)?;
        let Members {
            protocol_version,
            capabilities,
            client_info,
            ..
        } = self.members;
        let Some(requested) = protocol_version.of(self.body).and_then(RawJson::string) else {
            return Err(RpcError::invalid_params(text::must_be_string("protocolVersion")));
        };
        let Some(capabilities) = capabilities.of(self.body).filter(|value| value.is_object()) else {
            return Err(RpcError::invalid_params(text::must_be_object("capabilities")));
        };
        let Some(client) = client_info.of(self.body).and_then(ClientInfo::read) else {
            return Err(RpcError::invalid_params(text::CLIENT_INFO));
        };
        let served = self.served;
        let revision = served
            .negotiate(&requested)
            .ok_or_else(|| RpcError::unsupported_version(&requested, served.advertised()))?;
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

    /// A cancellation affects only requests of its own session or process (CAN-07). A malformed one is ignored.
    fn cancelled(&self) -> Notification {
        if self.facts.transport == TransportKind::Http && self.facts.session.is_none() {
            return Notification::Ignored;
        }
        match self.members.request_id.of(self.body).and_then(RequestId::read) {
            Some(id) => Notification::Cancelled(id.into_owned()),
            None => Notification::Ignored,
        }
    }

    /// Validates a modern notification: checks the version in the envelope and in the header, then ignores the
    /// notification. On stdio, a cancellation takes effect.
    fn modern_notification(&self) -> Result<Notification, RpcError> {
        let header = self.facts.version.text();
        if self.members.envelope_version.is_present() {
            let Some(version) = self
                .members
                .envelope_version
                .of(self.body)
                .and_then(RawJson::string)
            else {
                return Err(RpcError::envelope(text::must_be_string(ENVELOPE_VERSION)));
            };
            if let Some(header) = header {
                check_header("MCP-Protocol-Version", self.facts.version, Some(header), &version)?;
            }
            self.modern_revision(&version)?;
        } else if let Some(version) = header {
            self.modern_revision(version)?;
        }
        if self.facts.transport == TransportKind::Stdio && self.method == "notifications/cancelled" {
            return Ok(self.cancelled());
        }
        Ok(Notification::Ignored)
    }
}

/// Checks that a header's decoded value equals `expected`.
fn check_header(name: &str, header: Header<'_>, value: Option<&str>, expected: &str) -> Result<(), RpcError> {
    let message = match (header, value) {
        (Header::Absent, _) => text::header_missing(name),
        (Header::Repeated, _) => text::header_repeated(name),
        (Header::One(_), None) => text::header_undecodable(name),
        (Header::One(_), Some(value)) if value == expected => return Ok(()),
        (Header::One(_), Some(value)) => text::header_mismatch(name, &clip(value, 64), &clip(expected, 64)),
    };
    Err(RpcError::header_mismatch(message))
}
