//! Tasks of the extension `io.modelcontextprotocol/tasks`: calls that go on after their answer.

use crate::{
    call_error::CallError,
    input::InputRequest,
    json::{push_integer, push_string},
    revision::Revision,
    tool::ToolResult,
};

/// A task at one moment.
#[derive(Debug, Clone)]
pub struct TaskState {
    /// Names it to the client: unguessable, and good for its caller alone.
    pub id: String,
    /// When it was made, in ISO 8601.
    pub created_at: String,
    /// When it last changed, in ISO 8601.
    pub updated_at: String,
    /// How long it can be asked for, in milliseconds from its making; `None` is without end.
    pub ttl_ms: Option<u32>,
    /// How long a client should wait between two looks, in milliseconds; not 0.
    pub poll_interval_ms: Option<u32>,
    /// What is going on, in a few words.
    pub message: Option<String>,
    /// How far it is.
    pub status: TaskStatus,
}

/// How far a task is.
#[derive(Debug, Clone)]
pub enum TaskStatus {
    /// It's being worked on.
    Working,
    /// It waits for answers of the person. The keys are never used twice in one task.
    InputRequired(Vec<(String, InputRequest)>),
    /// It has its result, which may well be a tool error.
    Completed(ToolResult),
    /// It failed as a protocol matter.
    Failed(CallError),
    /// It was cancelled.
    Cancelled,
}

impl TaskStatus {
    /// The word on the wire.
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
    /// The members of a task; `detailed` adds what belongs to its status, which the answer that hands the task
    /// out doesn't have.
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
