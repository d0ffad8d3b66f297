//! Parameters: the shape of each method's, and what tasks and questions need besides.

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
    validate::Validator,
};
use std::collections::BTreeMap;

impl Validator<'_> {
    /// Step 12 for both eras.
    pub(super) fn parameters(&self, operation: Operation) -> Result<(), RpcError> {
        self.shared_parameters().map_err(RpcError::invalid_params)?;
        self.operation_parameters(operation)
            .map_err(RpcError::invalid_params)?;
        self.inputs(operation)
    }

    /// Parameters that every method has.
    fn shared_parameters(&self) -> Result<(), &'static str> {
        let Members {
            params,
            meta,
            progress_token,
            ..
        } = self.members;
        require(
            !params.is_present() || params.is_object(self.body),
            "`params` has to be an object",
        )?;
        require(
            !meta.is_present() || meta.is_object(self.body),
            "`params._meta` has to be an object",
        )?;
        let token = progress_token.of(self.body);
        require(
            token.is_none_or(|token| RequestId::read(token).is_some()),
            "`progressToken` has to be a string or an integer",
        )
    }

    /// Parameters of one method.
    fn operation_parameters(&self, operation: Operation) -> Result<(), &'static str> {
        let members = self.members;
        match operation {
            Operation::Initialize | Operation::Ping | Operation::Discover => Ok(()),
            Operation::ListTools
            | Operation::ListResources
            | Operation::ListResourceTemplates
            | Operation::ListPrompts => require(
                !members.cursor.is_present() || members.cursor.is_string(self.body),
                "`cursor` has to be a string",
            ),
            Operation::ReadResource | Operation::Subscribe | Operation::Unsubscribe => require(
                members.uri.is_string(self.body),
                "`uri` has to be a string: the address of the resource",
            ),
            Operation::CallTool => {
                require(
                    members.name.is_string(self.body),
                    "`name` has to be a string: the tool to call",
                )?;
                require(
                    !members.arguments.is_present() || members.arguments.is_object(self.body),
                    "`arguments` has to be an object",
                )
            }
            Operation::GetPrompt => {
                require(
                    members.name.is_string(self.body),
                    "`name` has to be a string: the prompt to get",
                )?;
                let values = members.arguments.of(self.body);
                require(
                    values.is_none_or(|values| values.parse::<BTreeMap<String, String>>().is_ok()),
                    "`arguments` has to be an object of strings",
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
                    "`level` has to be debug, info, notice, warning, error, critical, alert or emergency",
                )
            }
            Operation::Listen => Interest::read(members.notifications.of(self.body)).map(drop),
            Operation::GetTask | Operation::UpdateTask | Operation::CancelTask => {
                require(
                    members.task_id.is_string(self.body),
                    "`taskId` has to be a string",
                )?;
                require(
                    operation != Operation::UpdateTask || members.input_responses.is_present(),
                    "`inputResponses` has to be an object",
                )
            }
        }
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

    /// Step 14, as far as it doesn't depend on a handler: tasks are for clients that declare them on this very
    /// request (TKX-06).
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

fn require(holds: bool, complaint: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(complaint) }
}
