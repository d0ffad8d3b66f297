//! Configuration snapshots: jobs in which Microsoft collects the settings of many workloads. This module creates a job,
//! waits for it, fetches its result and deletes it.

use super::table::WorkloadSetting;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    settings::{SettingContent, SettingError},
    text::{SETTING_TOO_LARGE, m365_settings as text},
    value::id,
    vendor::ApiError,
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;
use watchpost_core::integration::setting::SETTING_BYTES_MAX;
use watchpost_outbound::Request;

const ROOT: &str = "/v1.0/admin/configurationManagement";
/// The first part of our jobs' names; a date follows.
const NAME: &str = "Watchpost";
/// The time limit for waiting for a job.
const WAIT_MAX: Duration = Duration::from_secs(10 * 60);
/// The pause after the first check of a job's status. Each further pause is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
/// The longest pause between two checks of a job's status.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The maximum number of jobs created in one collection. A tenant can have twelve.
const JOBS_MAX: usize = 10;
/// The age from which on one of our jobs is considered abandoned by an interrupted collection.
const ABANDONED_AFTER_MS: i64 = 60 * 60 * 1_000;

/// The results of the requested settings, by path.
pub(super) type SnapshotResults = BTreeMap<&'static str, Result<SettingContent, SettingError>>;

/// Takes a snapshot of these settings.
pub(super) async fn take(client: &Client, settings: &[&'static WorkloadSetting]) -> SnapshotResults {
    let mut results = SnapshotResults::new();
    delete_abandoned(client).await;
    let mut jobs = 0;
    // A set that is rejected as a whole is requested again without the unknown types, or in halves.
    let mut waiting: Vec<Vec<&'static WorkloadSetting>> = vec![settings.to_vec()];
    while let Some(set) = waiting.pop() {
        if set.is_empty() {
            continue;
        }
        if jobs >= JOBS_MAX {
            fail_all(&mut results, &set, &failed(text::SNAPSHOT_TYPES_REJECTED));
            continue;
        }
        jobs += 1;
        match create(client, &set).await {
            Ok(job) => {
                let result = finish(client, &job, &set).await;
                delete(client, &job).await;
                match result {
                    Ok(found) => results.extend(found),
                    Err(error) => fail_all(&mut results, &set, &error),
                }
            }
            Err(ApiError::Malformed(message)) => {
                let message = message.to_ascii_lowercase();
                let (unknown, known): (Vec<_>, Vec<_>) =
                    set.iter().partition(|setting| mentions(&message, setting));
                if unknown.is_empty() || known.is_empty() {
                    // The message doesn't say which type is unknown, or says that a quota is used up.
                    split(&mut results, &mut waiting, set, &message);
                } else {
                    fail_all(&mut results, &unknown, &failed(text::SNAPSHOT_TYPE_UNKNOWN));
                    waiting.push(known);
                }
            }
            Err(error) => {
                let error = SettingError::from(GRAPH_API.read_error(error, permission::SNAPSHOTS));
                fail_all(&mut results, &set, &error);
                for set in waiting.drain(..) {
                    fail_all(&mut results, &set, &error);
                }
            }
        }
    }
    results
}

fn failed(reason: &str) -> SettingError {
    SettingError::Failed(reason.to_owned())
}

fn fail_all(results: &mut SnapshotResults, set: &[&'static WorkloadSetting], error: &SettingError) {
    for setting in set {
        results.insert(setting.path, Err(error.clone()));
    }
}

/// Splits a set that was rejected, unless the message is about a limit.
fn split(
    results: &mut SnapshotResults,
    waiting: &mut Vec<Vec<&'static WorkloadSetting>>,
    mut set: Vec<&'static WorkloadSetting>,
    message: &str,
) {
    let limit = ["quota", "limit", "maximum", "exceed", "at most", "the most"];
    if limit.iter().any(|word| message.contains(word)) {
        let error = failed(text::SNAPSHOT_LIMIT_REACHED);
        fail_all(results, &set, &error);
        for set in waiting.drain(..) {
            fail_all(results, &set, &error);
        }
    } else if set.len() == 1 {
        fail_all(results, &set, &failed(text::SNAPSHOT_TYPE_UNKNOWN));
    } else {
        let half = set.split_off(set.len() / 2);
        waiting.push(set);
        waiting.push(half);
    }
}

/// Whether a message contains the whole name of a setting's type.
fn mentions(message: &str, setting: &WorkloadSetting) -> bool {
    let name = setting.resource_type();
    message.match_indices(&name).any(|(at, _)| {
        let after = message.get(at.saturating_add(name.len())..).unwrap_or_default();
        !after.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    display_name: Option<String>,
    status: Option<String>,
    created_date_time: Option<String>,
    resource_location: Option<String>,
    /// Strings, or objects that contain strings.
    error_details: Option<Vec<Value>>,
}

impl Job {
    fn is_finished(&self) -> bool {
        matches!(
            self.status.as_deref(),
            Some("succeeded" | "partiallySuccessful" | "failed")
        )
    }
}

/// Deletes our abandoned jobs. Errors are ignored.
async fn delete_abandoned(client: &Client) {
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
pub(super) async fn probe(client: &Client) -> Result<(), SettingError> {
    match create(client, &[]).await {
        Ok(job) => {
            delete(client, &job).await;
            Ok(())
        }
        Err(ApiError::Malformed(_)) => Ok(()),
        Err(error) => Err(GRAPH_API.read_error(error, permission::SNAPSHOTS).into()),
    }
}

/// Creates a job. Returns its id.
async fn create(client: &Client, set: &[&'static WorkloadSetting]) -> Result<String, ApiError> {
    let resources: Vec<String> = set.iter().map(|setting| setting.resource_type()).collect();
    // The name may contain only letters, digits and spaces.
    let now = client.session.now().to_string();
    let date: String = now.chars().take(10).filter(char::is_ascii_digit).collect();
    let body = json!({"displayName": format!("{NAME} {date}"), "description": "", "resources": resources});
    let url = client.url(&format!("{ROOT}/configurationSnapshots/createSnapshot"), None);
    let response = client.send(Request::create(url, body.to_string())).await?;
    let job: Job = serde_json::from_slice(&response.body).map_err(|_| GRAPH_API.unexpected_response())?;
    id(&job.id).ok_or_else(|| GRAPH_API.unexpected_response().into())
}

/// Deletes a job. If that fails, a later collection deletes it.
async fn delete(client: &Client, job: &str) {
    let url = client.url(&format!("{ROOT}/configurationSnapshotJobs/{job}"), None);
    if client.send(Request::delete(url)).await.is_err() {
        tracing::debug!("a configuration snapshot could not be deleted");
    }
}

/// Waits for a job and fetches its results.
async fn finish(
    client: &Client,
    job: &str,
    set: &[&'static WorkloadSetting],
) -> Result<SnapshotResults, SettingError> {
    let job = wait(client, job).await?;
    let partial = match job.status.as_deref() {
        Some("succeeded") => false,
        Some("partiallySuccessful") => true,
        _ => {
            return Err(failed(text::SNAPSHOT_FAILED));
        }
    };
    let location = job
        .resource_location
        .ok_or_else(|| SettingError::from(GRAPH_API.unexpected_response()))?;
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
    parse(&response.body, set, partial, &errors)
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
            .get(url.clone())
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

#[derive(Deserialize)]
struct Snapshot {
    /// An older format has other names for this field and for the type.
    #[serde(alias = "configurationItems")]
    resources: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(alias = "type")]
    resource_type: String,
    properties: Map<String, Value>,
}

/// Parses a snapshot. Returns the results by path.
fn parse(
    body: &[u8],
    set: &[&'static WorkloadSetting],
    partial: bool,
    errors: &[String],
) -> Result<SnapshotResults, SettingError> {
    let snapshot: Snapshot = serde_json::from_slice(body).map_err(|_| failed(text::SNAPSHOT_UNREADABLE))?;
    tracing::info!(
        resources = snapshot.resources.len(),
        "configuration snapshot read"
    );
    let types: BTreeMap<String, &'static WorkloadSetting> = set
        .iter()
        .map(|setting| (setting.resource_type(), *setting))
        .collect();
    let mut rows: BTreeMap<&str, (Vec<Value>, usize)> = BTreeMap::new();
    let mut unreadable = 0_u64;
    for raw in &snapshot.resources {
        let Ok(row) = serde_json::from_str::<Resource>(raw.get()) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        if let Some(setting) = types.get(&row.resource_type.to_ascii_lowercase()) {
            let (list, bytes) = rows.entry(setting.path).or_default();
            *bytes = bytes.saturating_add(raw.get().len());
            if *bytes <= SETTING_BYTES_MAX {
                list.push(Value::Object(row.properties));
            }
        }
    }
    let affected: BTreeSet<&str> = set
        .iter()
        .filter(|setting| errors.iter().any(|error| mentions(error, setting)))
        .map(|setting| setting.path)
        .collect();
    // An error that mentions no type may affect every setting without rows.
    let unattributed =
        partial && (affected.is_empty() || errors.iter().any(|error| !mentions_any(error, set)));
    let results = set.iter().map(|setting| {
        let (list, bytes) = rows.remove(setting.path).unwrap_or_default();
        let result = if bytes > SETTING_BYTES_MAX {
            Err(failed(SETTING_TOO_LARGE))
        } else if list.is_empty() && (unattributed || affected.contains(setting.path)) {
            Err(failed(text::NOT_IN_SNAPSHOT))
        } else if affected.contains(setting.path) {
            let reason = text::SNAPSHOT_INCOMPLETE.to_owned();
            Ok(SettingContent::list(list).incomplete_because(Some(reason)))
        } else if unreadable > 0 {
            let reason = text::unreadable_snapshot_rows(unreadable);
            Ok(SettingContent::list(list).incomplete_because(Some(reason)))
        } else {
            Ok(SettingContent::list(list))
        };
        (setting.path, result)
    });
    Ok(results.collect())
}

fn mentions_any(error: &str, set: &[&'static WorkloadSetting]) -> bool {
    set.iter().any(|setting| mentions(error, setting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::m365::settings::table::WORKLOAD_SETTINGS;

    fn setting(path: &str) -> &'static WorkloadSetting {
        WORKLOAD_SETTINGS
            .iter()
            .find(|setting| setting.path == path)
            .unwrap()
    }

    #[test]
    fn only_the_whole_name_of_a_type_is_a_mention() {
        let text = "unknown: microsoft.exchange.transportrule, microsoft.exchange.remotedomains.";
        assert!(mentions(text, setting("exchange/TransportRule")));
        assert!(!mentions(text, setting("exchange/RemoteDomain")));
        assert!(!mentions(text, setting("exchange/SharingPolicy")));
    }

    #[test]
    fn both_formats_are_read_and_missing_settings_are_reported() {
        let set = [
            setting("teams/MeetingPolicy"),
            setting("exchange/TransportRule"),
            setting("exchange/RemoteDomain"),
        ];
        let new = r#"{"resources":[{"resourceType":"Microsoft.Teams.MeetingPolicy","properties":{"Identity":"Global"}}]}"#;
        let old = r#"{"configurationItems":[{"type":"microsoft.teams.meetingpolicy","properties":{"Identity":"Global"}}]}"#;
        for body in [new, old] {
            let results = parse(body.as_bytes(), &set, false, &[]).unwrap();
            assert!(
                results
                    .values()
                    .all(|result| result.as_ref().unwrap().incomplete.is_none())
            );
            let rows = &results["teams/MeetingPolicy"].as_ref().unwrap().document["value"];
            assert_eq!(rows[0]["Identity"], "Global");
        }
        let errors = ["microsoft.exchange.transportrule: access denied".to_owned()];
        let results = parse(new.as_bytes(), &set, true, &errors).unwrap();
        assert!(results["exchange/TransportRule"].is_err());
        assert!(results["exchange/RemoteDomain"].is_ok());
        let results = parse(new.as_bytes(), &set, true, &["something".to_owned()]).unwrap();
        assert!(results["exchange/RemoteDomain"].is_err());
        assert!(results["teams/MeetingPolicy"].is_ok());
        assert!(parse(br#"{"resources":{}}"#, &set, false, &[]).is_err());
        assert!(parse(b"[]", &set, false, &[]).is_err());
    }
}
