//! The jobs in which Microsoft takes snapshots: creating, waiting, deleting.

use super::{SnapshotResults, failed, rows};
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
        settings::table::WorkloadSetting,
    },
    settings::SettingError,
    text::m365_settings as text,
    value::id,
    vendor::ApiError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use watchpost_outbound::Request;

const ROOT: &str = "/v1.0/admin/configurationManagement";
/// The first word of our jobs' names.
const NAME: &str = "Watchpost";
/// The characters of the last word of our jobs' names. Names may contain only letters, digits and spaces.
const NAME_CHARS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// The time limit for waiting for a job.
const WAIT_MAX: Duration = Duration::from_secs(10 * 60);
/// The pause after the first check of a job's status. Each further pause is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
/// The longest pause between two checks of a job's status.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The age from which on one of our jobs is considered abandoned by an interrupted collection.
const ABANDONED_AFTER_MS: i64 = 60 * 60 * 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    display_name: Option<String>,
    status: Option<String>,
    created_date_time: Option<String>,
    completed_date_time: Option<String>,
    resource_location: Option<String>,
    /// Strings, or objects that contain strings.
    error_details: Option<Vec<Value>>,
}

impl Job {
    /// Whether the job is over. A status of which this version doesn't know the meaning is over once the job has a time of
    /// completion.
    fn is_finished(&self) -> bool {
        match self.status.as_deref() {
            Some("succeeded" | "partiallySuccessful" | "failed") => true,
            Some("notStarted" | "running") => false,
            _ => crate::value::time(self.completed_date_time.as_deref()).is_some(),
        }
    }
}

/// Deletes our abandoned jobs. Errors are ignored.
pub(super) async fn delete_abandoned(client: &Client) {
    let query = "$select=id,displayName,status,createdDateTime";
    let mut list = client.list(&format!("{ROOT}/configurationSnapshotJobs"), Some(query));
    let now_ms = client.session.now().as_millis();
    let mut old = Vec::new();
    // A tenant has at most twelve jobs, so there is no second page.
    if let Ok(Some(page)) = list.page().await {
        for raw in page {
            let Ok(job) = serde_json::from_str::<Job>(raw.get()) else {
                continue;
            };
            let ours = job
                .display_name
                .as_deref()
                .is_some_and(|name| name.split(' ').next() == Some(NAME));
            let created = crate::value::time(job.created_date_time.as_deref());
            let abandoned =
                created.is_some_and(|time| now_ms.saturating_sub(time.as_millis()) > ABANDONED_AFTER_MS);
            if let (true, true, true, Some(job)) = (ours, abandoned, job.is_finished(), id(&job.id)) {
                old.push(job);
            }
        }
    }
    for job in old {
        delete(client, &job).await;
    }
}

/// Checks the permission to create snapshots with a request for no types: only callers with the permission get the error
/// that the request is malformed, and no job is created.
pub(in crate::m365::settings) async fn probe(client: &Client) -> Result<(), SettingError> {
    match create(client, &[]).await {
        Ok(job) => {
            delete(client, &job).await;
            Ok(())
        }
        Err(ApiError::Malformed(_)) => Ok(()),
        Err(error) => Err(GRAPH_API.read_error(error, permission::SNAPSHOTS).into()),
    }
}

/// Creates a job. Returns its id. If the name is taken, tries another one.
pub(super) async fn create(client: &Client, set: &[&'static WorkloadSetting]) -> Result<String, ApiError> {
    let resources: Vec<&str> = set
        .iter()
        .filter_map(|setting| setting.resource_type())
        .map(|kind| kind.name)
        .collect();
    match create_named(client, &name(client), &resources).await {
        Err(ApiError::Status(409)) => create_named(client, &name(client), &resources).await,
        result => result,
    }
}

async fn create_named(client: &Client, name: &str, resources: &[&str]) -> Result<String, ApiError> {
    let body = json!({"displayName": name, "description": "", "resources": resources});
    let url = client.url(&format!("{ROOT}/configurationSnapshots/createSnapshot"), None);
    let request = Request::create(url, body.to_string());
    let response = client.send(request).await?;
    let job: Job = serde_json::from_slice(&response.body).map_err(|_| GRAPH_API.unexpected_response())?;
    id(&job.id).ok_or_else(|| GRAPH_API.unexpected_response().into())
}

/// Returns a name of at most 32 characters that no other job of the day has: the time, and six random characters.
fn name(client: &Client) -> String {
    let now = client.session.now().to_string();
    let time: String = now.chars().take(19).filter(char::is_ascii_digit).collect();
    let mut bytes = [0_u8; 6];
    client.session.random().fill(&mut bytes);
    let suffix: String = bytes
        .iter()
        .filter_map(|byte| NAME_CHARS.get(usize::from(byte % 32)))
        .map(|byte| char::from(*byte))
        .collect();
    format!("{NAME} {time} {suffix}")
}

/// Deletes a job. If that fails, a later collection deletes it.
pub(super) async fn delete(client: &Client, job: &str) {
    let url = client.url(&format!("{ROOT}/configurationSnapshotJobs/{job}"), None);
    if client.send(Request::delete(url)).await.is_err() {
        tracing::debug!("a configuration snapshot could not be deleted");
    }
}

/// Waits for a job and fetches its results.
pub(super) async fn finish(
    client: &Client,
    job: &str,
    set: &[&'static WorkloadSetting],
) -> Result<SnapshotResults, SettingError> {
    let job = wait(client, job).await?;
    let partial = match job.status.as_deref() {
        Some("succeeded") => false,
        Some("failed") => return Err(failed(text::SNAPSHOT_FAILED)),
        // Partially successful, or an unknown status of a job that is over.
        _ => true,
    };
    let location = job
        .resource_location
        .filter(|location| !location.is_empty())
        .ok_or_else(|| failed(text::SNAPSHOT_FAILED))?;
    let url = client
        .vendor
        .on_graph(&location)
        .ok_or_else(|| SettingError::from(GRAPH_API.unexpected_response()))?;
    let response = client
        .get(url)
        .await
        .map_err(GRAPH_API.read_error_for(permission::SNAPSHOTS))?;
    let errors: Vec<String> = job
        .error_details
        .unwrap_or_default()
        .iter()
        .map(|error| error.to_string().to_ascii_lowercase())
        .collect();
    rows::parse(&response.body, set, partial, &errors)
}

/// Polls a job until it is finished.
async fn wait(client: &Client, job: &str) -> Result<Job, SettingError> {
    let select = "$select=id,displayName,status,resources,createdDateTime,completedDateTime,resourceLocation,\
                  errorDetails";
    let url = client.url(&format!("{ROOT}/configurationSnapshotJobs/{job}"), Some(select));
    let latest = Instant::now()
        .checked_add(WAIT_MAX)
        .map_or(client.session.deadline(), |latest| {
            latest.min(client.session.deadline())
        });
    let mut pause = PAUSE_FIRST;
    loop {
        let response = client
            .send(Request::get(url.clone()))
            .await
            .map_err(GRAPH_API.read_error_for(permission::SNAPSHOTS))?;
        let job: Job = serde_json::from_slice(&response.body)
            .map_err(|_| SettingError::from(GRAPH_API.unexpected_response()))?;
        if job.is_finished() {
            return Ok(job);
        }
        if Instant::now() >= latest {
            return Err(failed(text::SNAPSHOT_TIMEOUT));
        }
        let left = latest.saturating_duration_since(Instant::now());
        client.session.pause(pause.min(left)).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_with_an_unknown_status_is_over_once_it_is_completed() {
        let check = |status: Value, completed: Value, expected: bool| {
            let row = json!({"id": "j", "status": status, "completedDateTime": completed});
            let job: Job = serde_json::from_value(row.clone()).unwrap();
            assert_eq!(job.is_finished(), expected, "{row}");
        };
        let (never, then) = (json!("0001-01-01T00:00:00Z"), json!("2026-03-02T09:01:00Z"));
        for status in ["succeeded", "partiallySuccessful", "failed"] {
            check(json!(status), Value::Null, true);
        }
        for status in ["notStarted", "running"] {
            check(json!(status), then.clone(), false);
        }
        for status in [json!("unknownFutureValue"), json!("new"), Value::Null] {
            check(status.clone(), Value::Null, false);
            check(status.clone(), never.clone(), false);
            check(status, then.clone(), true);
        }
    }
}
