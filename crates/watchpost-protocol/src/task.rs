//! Tasks of the extension `io.modelcontextprotocol/tasks`: calls that continue after their response.

use crate::{
    call_error::CallError,
    input::InputRequest,
    json::{push_integer, push_string},
    revision::Revision,
    tool::ToolResult,
};

/// The state of a task at one time.
#[derive(Debug, Clone)]
pub struct TaskState {
    /// The task's id. It must be unguessable and valid only for the caller that created it.
    pub id: String,
    /// The time of creation, in ISO 8601.
    pub created_at: String,
    /// The time of the last change, in ISO 8601.
    pub updated_at: String,
    /// The time for which the task can be fetched, in milliseconds from its creation. `None` means without limit.
    pub ttl_ms: Option<u32>,
    /// The interval at which a client should poll, in milliseconds. Not 0.
    pub poll_interval_ms: Option<u32>,
    /// A short description of the current state.
    pub message: Option<String>,
    /// The status.
    pub status: TaskStatus,
}

/// The status of a task.
#[derive(Debug, Clone)]
pub enum TaskStatus {
    /// The task is in progress.
    Working,
    /// The task needs input from the client. A key must not be used twice in one task.
    InputRequired(Vec<(String, InputRequest)>),
    /// The task is complete and has a result, which may be a tool error.
    Completed(ToolResult),
    /// The task failed with a protocol error.
    Failed(CallError),
    /// The task was cancelled.
    Cancelled,
}

impl TaskStatus {
    /// Returns the name of the status on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired(_) => "input_required",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TaskState {
    /// Appends the members of a task. `detailed` adds the members that depend on the status, which the response
    /// that creates the task must not have.
    pub(crate) fn push(&self, out: &mut Vec<u8>, revision: Revision, detailed: bool) {
        let texts = [
            (&b"\"taskId\":"[..], self.id.as_str()),
            (b",\"status\":", self.status.as_str()),
            (b",\"createdAt\":", &self.created_at),
            (b",\"lastUpdatedAt\":", &self.updated_at),
        ];
        for (key, value) in texts {
            out.extend_from_slice(key);
            push_string(out, value);
        }
        match self.ttl_ms {
            Some(ttl) => {
                out.extend_from_slice(b",\"ttlMs\":");
                push_integer(out, i64::from(ttl));
            }
            None => out.extend_from_slice(b",\"ttlMs\":null"),
        }
        if let Some(interval) = self.poll_interval_ms {
            out.extend_from_slice(b",\"pollIntervalMs\":");
            push_integer(out, i64::from(interval.max(1)));
        }
        if let Some(message) = &self.message {
            out.extend_from_slice(b",\"statusMessage\":");
            push_string(out, message);
        }
        if !detailed {
            return;
        }
        match &self.status {
            TaskStatus::Working | TaskStatus::Cancelled => {}
            TaskStatus::InputRequired(requests) => {
                out.push(b',');
                crate::input::push_requests(out, requests, revision);
            }
            TaskStatus::Completed(result) => {
                out.extend_from_slice(b",\"result\":{\"resultType\":\"complete\",");
                result.push(out, revision);
                out.push(b'}');
            }
            TaskStatus::Failed(error) => {
                out.extend_from_slice(b",\"error\":");
                error.clone().into_rpc_without_method(revision.era()).push(out);
            }
        }
    }
}
