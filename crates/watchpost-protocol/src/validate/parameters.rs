//! Validation of parameters: the shape of each method's parameters, and the requirements of tasks and input.

use crate::{
    change::Interest,
    client::ClientCapabilities,
    code::{RequiredCapability, RpcError},
    completion::CompletionQuery,
    id::RequestId,
    input::Inputs,
    json::scanner::Members,
    log_level::LogLevel,
    request::Operation,
    revision::Era,
    text,
    validate::Validator,
};
use std::collections::BTreeMap;

impl Validator<'_> {
    /// Checks the parameters of a request of either era.
    pub(super) fn parameters(&self, operation: Operation) -> Result<(), RpcError> {
        self.shared_parameters().map_err(RpcError::invalid_params)?;
        self.operation_parameters(operation)
            .map_err(RpcError::invalid_params)?;
        self.inputs(operation)
    }

    /// Checks the parameters that all methods share.
    fn shared_parameters(&self) -> Result<(), &'static str> {
        let Members {
            params,
            meta,
            progress_token,
            ..
        } = self.members;
        require(!params.is_present() || params.is_object(self.body), text::PARAMS)?;
        require(!meta.is_present() || meta.is_object(self.body), text::META)?;
        let token = progress_token.of(self.body);
        require(
            token.is_none_or(|token| RequestId::read(token).is_some()),
            text::PROGRESS_TOKEN,
        )
    }

    /// Checks the parameters of one method.
    fn operation_parameters(&self, operation: Operation) -> Result<(), &'static str> {
        let members = self.members;
        match operation {
            Operation::Initialize | Operation::Ping | Operation::Discover => Ok(()),
            Operation::ListTools
            | Operation::ListResources
            | Operation::ListResourceTemplates
            | Operation::ListPrompts => require(
                !members.cursor.is_present() || members.cursor.is_string(self.body),
                text::CURSOR,
            ),
            Operation::ReadResource | Operation::Subscribe | Operation::Unsubscribe => {
                require(members.uri.is_string(self.body), text::RESOURCE_URI)
            }
            Operation::CallTool => {
                require(members.name.is_string(self.body), text::TOOL_NAME)?;
                require(
                    !members.arguments.is_present() || members.arguments.is_object(self.body),
                    text::TOOL_ARGUMENTS,
                )
            }
            Operation::GetPrompt => {
                require(members.name.is_string(self.body), text::PROMPT_NAME)?;
                let values = members.arguments.of(self.body);
                require(
                    values.is_none_or(|values| values.parse::<BTreeMap<String, Option<String>>>().is_ok()),
                    text::PROMPT_ARGUMENTS,
                )
            }
            Operation::Complete => CompletionQuery::read(
                members.reference.of(self.body),
                members.argument.of(self.body),
                members.context.of(self.body),
            )
            .map(drop),
            Operation::SetLogLevel => {
                let level = members.level.of(self.body);
                require(
                    level.is_some_and(|level| level.parse::<LogLevel>().is_ok()),
                    text::LOG_LEVEL,
                )
            }
            Operation::Listen => Interest::read(members.notifications.of(self.body)).map(drop),
            Operation::GetTask | Operation::UpdateTask | Operation::CancelTask => {
                require(members.task_id.is_string(self.body), text::TASK_ID)?;
                require(
                    operation != Operation::UpdateTask || members.input_responses.is_present(),
                    text::INPUT_RESPONSES,
                )
            }
        }
    }

    /// Checks the answers to questions and the state that was sent with the questions. In legacy requests,
    /// these are unknown members.
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
            return Err(RpcError::invalid_params(text::INPUT_RESPONSES_LIMIT));
        }
        if request_state.is_present() && !request_state.is_string(self.body) {
            return Err(RpcError::invalid_params(text::REQUEST_STATE));
        }
        Ok(())
    }

    /// Checks that the client declared the capabilities that the request needs, as far as they don't depend on
    /// the handler: a client may use tasks only if this request declares them (TKX-06).
    pub(super) fn extension(&self, operation: Operation) -> Result<(), RpcError> {
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
}

fn require(holds: bool, message: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(message) }
}
