//! Tasks, kept in memory.

use crate::{
    Fixture, asking,
    environment::{Unpredictable, unix_millis},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::task::AbortHandle;
use watchpost_protocol::{
    CallError, Change, ChangeHub, Completed, Field, Form, FormAnswer, InputRequest, Inputs, Outcome,
    RequestMeta, RequiredCapability, TaskState, TaskStatus, ToolResult,
};
use watchpost_transport::Random;

/// The time for which a task can be fetched, in milliseconds from its creation.
const TTL_MS: u32 = 600_000;
/// The maximum number of tasks at the same time.
const TASKS_MAX: usize = 1_000;
/// The maximum duration of a job, in seconds.
const SECONDS_MAX: f64 = 60.0;

/// A question of a task: its key, text and form.
type Question = (&'static str, String, Form);
/// Creates the result from the answers.
type Conclude = Box<dyn FnOnce(&BTreeMap<&'static str, FormAnswer>) -> ToolResult + Send>;

struct Task {
    made: u64,
    updated: u64,
    status: TaskStatus,
    open: Vec<Question>,
    answered: BTreeMap<&'static str, FormAnswer>,
    conclude: Option<Conclude>,
    work: Option<AbortHandle>,
}

impl Task {
    fn is_over(&self) -> bool {
        !matches!(self.status, TaskStatus::Working | TaskStatus::InputRequired(_))
    }

    fn state(&self, id: &str) -> TaskState {
        TaskState {
            id: id.to_owned(),
            created_at: iso_8601(self.made),
            updated_at: iso_8601(self.updated),
            ttl_ms: Some(TTL_MS),
            poll_interval_ms: Some(200),
            message: None,
            status: self.status.clone(),
        }
    }

    fn set(&mut self, status: TaskStatus) {
        self.status = status;
        self.updated = unix_millis();
    }
}

/// All tasks by id.
pub(crate) struct Tasks {
    all: Mutex<BTreeMap<String, Task>>,
    hub: ChangeHub,
}

impl Tasks {
    pub(crate) fn new(hub: ChangeHub) -> Self {
        Self {
            all: Mutex::default(),
            hub,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Task>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a task and returns its state. Returns `None` if there are too many.
    fn make(&self, status: TaskStatus, open: Vec<Question>, conclude: Option<Conclude>) -> Option<TaskState> {
        let now = unix_millis();
        let mut all = self.lock();
        all.retain(|_, task| now.saturating_sub(task.made) < u64::from(TTL_MS));
        if all.len() >= TASKS_MAX {
            return None;
        }
        let mut bytes = [0; 16];
        Unpredictable.fill(&mut bytes);
        let id = format!("task-{:032x}", u128::from_le_bytes(bytes));
        let task = Task {
            made: now,
            updated: now,
            status,
            open,
            answered: BTreeMap::new(),
            conclude,
            work: None,
        };
        let state = task.state(&id);
        all.insert(id, task);
        Some(state)
    }

    /// Changes a task that hasn't ended, and publishes the change.
    fn change(&self, id: &str, change: impl FnOnce(&mut Task)) -> Result<(), CallError> {
        let mut all = self.lock();
        let task = all.get_mut(id).ok_or(CallError::UnknownTask)?;
        if !task.is_over() {
            change(task);
            let state = task.state(id);
            drop(all);
            self.hub.publish(&Change::Task(state));
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: &str) -> Result<TaskState, CallError> {
        let all = self.lock();
        all.get(id)
            .map(|task| task.state(id))
            .ok_or(CallError::UnknownTask)
    }

    pub(crate) fn cancel(&self, id: &str) -> Result<(), CallError> {
        self.change(id, |task| {
            if let Some(work) = task.work.take() {
                work.abort();
            }
            task.set(TaskStatus::Cancelled);
        })
    }

    /// Stores the answers to open questions. After the last one, the task is complete.
    pub(crate) fn update(&self, id: &str, answers: &Inputs) -> Result<(), CallError> {
        self.change(id, |task| {
            let (open, answered) = (&mut task.open, &mut task.answered);
            open.retain(|(key, _, form)| match answers.form(key, form) {
                Some(answer) => {
                    answered.insert(key, answer);
                    false
                }
                None => true,
            });
            if !task.open.is_empty() {
                let questions = questions(&task.open);
                task.set(TaskStatus::InputRequired(questions));
            } else if let Some(conclude) = task.conclude.take() {
                let result = conclude(&task.answered);
                task.set(TaskStatus::Completed(result));
            }
        })
    }

    /// Creates a task that ends with `end` after a while.
    fn later(self: &Arc<Self>, after: Duration, end: TaskStatus) -> Outcome {
        let Some(state) = self.make(TaskStatus::Working, Vec::new(), None) else {
            return too_many();
        };
        let (tasks, id) = (Arc::clone(self), state.id.clone());
        let work = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // The task may have been cancelled and removed in the meantime.
            let _ = tasks.change(&id, |task| task.set(end));
        });
        if let Some(task) = self.lock().get_mut(&state.id) {
            task.work = Some(work.abort_handle());
        }
        Outcome::Task(state)
    }

    /// Creates a task that ends when its questions are answered.
    fn once_answered(
        &self,
        open: Vec<Question>,
        conclude: impl FnOnce(&BTreeMap<&'static str, FormAnswer>) -> ToolResult + Send + 'static,
    ) -> Outcome {
        let status = TaskStatus::InputRequired(questions(&open));
        match self.make(status, open, Some(Box::new(conclude))) {
            Some(state) => Outcome::Task(state),
            None => too_many(),
        }
    }
}

fn questions(open: &[Question]) -> Vec<(String, InputRequest)> {
    let question = |(key, message, form): &Question| {
        let request = InputRequest::Form {
            message: message.clone(),
            form: form.clone(),
        };
        ((*key).to_owned(), request)
    };
    open.iter().map(question).collect()
}

fn too_many() -> Outcome {
    Outcome::Complete(Completed::Tool(ToolResult::error(
        "There are too many tasks; try again in ten minutes.",
    )))
}

/// Calls a tool that is a task or may become one.
pub(crate) async fn call(
    fixture: &Fixture,
    name: &str,
    arguments: &Value,
    meta: &RequestMeta<'_>,
) -> Outcome {
    let tasks = &fixture.tasks;
    if name == "slow_compute" {
        let seconds = arguments["seconds"].as_f64().unwrap_or_default();
        let after = Duration::from_secs_f64(seconds.clamp(0.0, SECONDS_MAX));
        let label = arguments["label"].as_str().unwrap_or_default();
        let result = ToolResult::text(&format!("Computed {label}."));
        if meta.capabilities().tasks {
            return tasks.later(after, TaskStatus::Completed(result));
        }
        tokio::time::sleep(after).await;
        return Outcome::Complete(Completed::Tool(result));
    }
    if !meta.capabilities().tasks {
        return Outcome::Error(CallError::MissingCapability(RequiredCapability::Tasks));
    }
    let (name_form, confirm_form) = (
        Form::new().field("name", Field::text().required()),
        Form::new().field("confirm", Field::boolean().required()),
    );
    match name {
        "failing_job" => {
            let result = ToolResult::error("The job failed, as it always does.");
            tasks.later(Duration::from_secs(1), TaskStatus::Completed(result))
        }
        "protocol_error_job" => tasks.later(
            Duration::from_millis(100),
            TaskStatus::Failed(CallError::InvalidParams("this job can't be done".into())),
        ),
        "confirm_delete" => {
            let file = arguments["filename"].as_str().unwrap_or_default().to_owned();
            let question = ("confirm", format!("Delete {file}?"), confirm_form);
            tasks.once_answered(vec![question], move |answers| {
                let confirmed = match answers.get("confirm") {
                    Some(FormAnswer::Accepted(content)) => content.boolean("confirm") == Some(true),
                    _ => false,
                };
                let did = if confirmed { "Deleted" } else { "Kept" };
                ToolResult::text(&format!("{did} {file}."))
            })
        }
        "multi_input" => tasks.once_answered(
            vec![
                ("name", "What is your name?".to_owned(), name_form),
                ("confirm", "Shall it be done?".to_owned(), confirm_form),
            ],
            |answers| ToolResult::text(&format!("{} questions were answered.", answers.len())),
        ),
        "test_tool_with_task" => match asking::one_text(meta, "user_name", "What is your name?", "name") {
            Ok(Some(name)) => {
                let result = ToolResult::text(&format!("Hello, {name}!"));
                tasks.later(Duration::from_millis(100), TaskStatus::Completed(result))
            }
            Ok(None) => Outcome::Complete(Completed::Tool(ToolResult::error("Without a name, no greeting."))),
            Err(question) => Outcome::InputRequired(question),
        },
        _ => Outcome::Error(CallError::UnknownTool),
    }
}

/// Formats a time in ISO 8601, with milliseconds.
fn iso_8601(unix_millis: u64) -> String {
    let (seconds, millis) = (unix_millis / 1_000, unix_millis % 1_000);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z",
        days + 1
    )
}
