//! Configuration snapshots: Microsoft collects the settings of many workloads in a job of its own, which is ordered,
//! waited for, fetched and deleted.

use super::table::WorkloadSetting;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    settings::{Found, Miss},
    value::id,
    vendor::Refusal,
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;
use watchpost_core::integration::setting::SETTING_BYTES_MAX;
use watchpost_outbound::Request;

const ROOT: &str = "/v1.0/admin/configurationManagement";
/// What our jobs are called, with a date behind.
const NAME: &str = "Watchpost";
/// How long a job is waited for.
const WAIT_MAX: Duration = Duration::from_secs(10 * 60);
/// The pause after the first look at a job, which comes at once; each further one is twice as long, up to the second.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Orders in one collection: a tenant may have twelve jobs.
const ORDERS_MAX: usize = 10;
/// Our jobs that are older than this were left behind by a collection that was broken off.
const LEFT_BEHIND_MS: i64 = 60 * 60 * 1_000;

/// What snapshots hold, by path. Paths that aren't in it were not asked for.
pub(super) type Readings = BTreeMap<&'static str, Result<Found, Miss>>;

/// Takes a snapshot of these settings.
pub(super) async fn take(client: &Client, settings: &[&'static WorkloadSetting]) -> Readings {
    let mut readings = Readings::new();
    clear_away(client).await;
    let mut orders = 0;
    // What is refused as a whole is ordered again without what is unknown, or in halves.
    let mut waiting: Vec<Vec<&'static WorkloadSetting>> = vec![settings.to_vec()];
    while let Some(set) = waiting.pop() {
        if set.is_empty() {
            continue;
        }
        if orders >= ORDERS_MAX {
            miss_all(
                &mut readings,
                &set,
                &failed("Microsoft refuses too many of its types"),
            );
            continue;
        }
        orders += 1;
        match order(client, &set).await {
            Ok(job) => {
                let end = outcome(client, &job, &set).await;
                withdraw(client, &job).await;
                match end {
                    Ok(some) => readings.extend(some),
                    Err(miss) => miss_all(&mut readings, &set, &miss),
                }
            }
            Err(Refusal::Malformed(words)) => {
                let words = words.to_ascii_lowercase();
                let (unknown, known): (Vec<_>, Vec<_>) =
                    set.iter().partition(|setting| names(&words, setting));
                if unknown.is_empty() || known.is_empty() {
                    // It doesn't say which. A quota that is used up looks the same as long as several are asked for.
                    halve(&mut readings, &mut waiting, set, &words);
                } else {
                    miss_all(
                        &mut readings,
                        &unknown,
                        &failed("Microsoft's snapshots don't know this type"),
                    );
                    waiting.push(known);
                }
            }
            Err(refusal) => {
                let miss = Miss::from(GRAPH_API.trouble(refusal, permission::SNAPSHOTS));
                miss_all(&mut readings, &set, &miss);
                for set in waiting.drain(..) {
                    miss_all(&mut readings, &set, &miss);
                }
            }
        }
    }
    readings
}

fn failed(reason: &str) -> Miss {
    Miss::Failed(reason.to_owned())
}

fn miss_all(readings: &mut Readings, set: &[&'static WorkloadSetting], miss: &Miss) {
    for setting in set {
        readings.insert(setting.path, Err(miss.clone()));
    }
}

/// Splits a set that was refused, unless the words speak of a limit.
fn halve(
    readings: &mut Readings,
    waiting: &mut Vec<Vec<&'static WorkloadSetting>>,
    mut set: Vec<&'static WorkloadSetting>,
    words: &str,
) {
    let limit = ["quota", "limit", "maximum", "exceed", "at most", "the most"];
    if limit.iter().any(|word| words.contains(word)) {
        let miss = failed("Microsoft takes no more snapshots of this tenant for now: its limit is reached");
        miss_all(readings, &set, &miss);
        for set in waiting.drain(..) {
            miss_all(readings, &set, &miss);
        }
    } else if set.len() == 1 {
        miss_all(
            readings,
            &set,
            &failed("Microsoft's snapshots don't know this type"),
        );
    } else {
        let half = set.split_off(set.len() / 2);
        waiting.push(set);
        waiting.push(half);
    }
}

/// Whether a text names a setting's type, and not just one whose name begins the same.
fn names(words: &str, setting: &WorkloadSetting) -> bool {
    let name = setting.resource_type();
    words.match_indices(&name).any(|(at, _)| {
        let after = words.get(at.saturating_add(name.len())..).unwrap_or_default();
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
    /// Texts, or objects with texts in them.
    error_details: Option<Vec<Value>>,
}

impl Job {
    fn is_over(&self) -> bool {
        matches!(
            self.status.as_deref(),
            Some("succeeded" | "partiallySuccessful" | "failed")
        )
    }
}

/// Deletes our jobs that nobody waits for any more. That it fails hinders nothing.
async fn clear_away(client: &Client) {
    let query = "$select=id,displayName,status,createdDateTime";
    let mut list = client.list(&format!("{ROOT}/configurationSnapshotJobs"), Some(query));
    let now_ms = client.session.now().as_millis();
    let mut old = Vec::new();
    // Twelve jobs need no second page.
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
            let left_behind =
                created.is_some_and(|time| now_ms.saturating_sub(time.as_millis()) > LEFT_BEHIND_MS);
            if let (true, true, true, Some(job)) = (ours, left_behind, job.is_over(), id(&job.id)) {
                old.push(job);
            }
        }
    }
    for job in old {
        withdraw(client, &job).await;
    }
}

/// Whether snapshots may be ordered. An order of nothing is understood only by who may order, and makes no job.
pub(super) async fn probe(client: &Client) -> Result<(), Miss> {
    match order(client, &[]).await {
        Ok(job) => {
            withdraw(client, &job).await;
            Ok(())
        }
        Err(Refusal::Malformed(_)) => Ok(()),
        Err(refusal) => Err(GRAPH_API.trouble(refusal, permission::SNAPSHOTS).into()),
    }
}

/// Orders a snapshot. Gives the job's id.
async fn order(client: &Client, set: &[&'static WorkloadSetting]) -> Result<String, Refusal> {
    let resources: Vec<String> = set.iter().map(|setting| setting.resource_type()).collect();
    // Letters, digits and spaces only.
    let now = client.session.now().to_string();
    let date: String = now.chars().take(10).filter(char::is_ascii_digit).collect();
    let body = json!({"displayName": format!("{NAME} {date}"), "description": "", "resources": resources});
    let url = client.url(&format!("{ROOT}/configurationSnapshots/createSnapshot"), None);
    let answer = client.send(Request::create(url, body.to_string())).await?;
    let job: Job = serde_json::from_slice(&answer.body).map_err(|_| GRAPH_API.not_understood())?;
    id(&job.id).ok_or_else(|| GRAPH_API.not_understood().into())
}

/// Deletes a job. One that is left behind is cleared away by a later collection.
async fn withdraw(client: &Client, job: &str) {
    let url = client.url(&format!("{ROOT}/configurationSnapshotJobs/{job}"), None);
    if client.send(Request::delete(url)).await.is_err() {
        tracing::debug!("a configuration snapshot could not be deleted");
    }
}

/// Waits for a job and fetches what it collected.
async fn outcome(client: &Client, job: &str, set: &[&'static WorkloadSetting]) -> Result<Readings, Miss> {
    let over = wait(client, job).await?;
    let partial = match over.status.as_deref() {
        Some("succeeded") => false,
        Some("partiallySuccessful") => true,
        _ => {
            return Err(failed(
                "Microsoft's snapshot failed; the service principal \"Tenant Configuration Management\" may be missing \
                 in the tenant or may not read this workload",
            ));
        }
    };
    let location = over
        .resource_location
        .ok_or_else(|| Miss::from(GRAPH_API.not_understood()))?;
    let url = Url::parse(&location)
        .ok()
        .filter(|url| client.vendor.is_graph(url))
        .ok_or_else(|| failed("the snapshot's address leads to another host; it was not followed"))?;
    let answer = client
        .get(url)
        .await
        .map_err(GRAPH_API.refused(permission::SNAPSHOTS))?;
    let errors: Vec<String> = over
        .error_details
        .unwrap_or_default()
        .iter()
        .map(|error| error.to_string().to_ascii_lowercase())
        .collect();
    sort(&answer.body, set, partial, &errors)
}

/// Looks at a job until it is over.
async fn wait(client: &Client, job: &str) -> Result<Job, Miss> {
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
        let answer = client
            .get(url.clone())
            .await
            .map_err(GRAPH_API.refused(permission::SNAPSHOTS))?;
        let job: Job =
            serde_json::from_slice(&answer.body).map_err(|_| Miss::from(GRAPH_API.not_understood()))?;
        if job.is_over() {
            return Ok(job);
        }
        if Instant::now() >= latest {
            return Err(failed("Microsoft's snapshot took too long"));
        }
        let left = latest.saturating_duration_since(Instant::now());
        client.session.pause(pause.min(left)).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
}

#[derive(Deserialize)]
struct Artefact {
    /// An older form has other words for the two.
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

/// What a snapshot collected, path by path.
fn sort(
    body: &[u8],
    set: &[&'static WorkloadSetting],
    partial: bool,
    errors: &[String],
) -> Result<Readings, Miss> {
    let artefact: Artefact = serde_json::from_slice(body)
        .map_err(|_| failed("Microsoft's snapshot is not what such snapshots look like"))?;
    tracing::info!(
        resources = artefact.resources.len(),
        "configuration snapshot read"
    );
    let types: BTreeMap<String, &'static WorkloadSetting> = set
        .iter()
        .map(|setting| (setting.resource_type(), *setting))
        .collect();
    let mut rows: BTreeMap<&str, (Vec<Value>, usize)> = BTreeMap::new();
    let mut odd = 0_u64;
    for raw in &artefact.resources {
        let Ok(row) = serde_json::from_str::<Resource>(raw.get()) else {
            odd = odd.saturating_add(1);
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
    let blamed: BTreeSet<&str> = set
        .iter()
        .filter(|setting| errors.iter().any(|error| names(error, setting)))
        .map(|setting| setting.path)
        .collect();
    // What went wrong may concern anything that has no rows.
    let vague = partial && (blamed.is_empty() || errors.iter().any(|error| !blames_one(error, set)));
    let readings = set.iter().map(|setting| {
        let (list, bytes) = rows.remove(setting.path).unwrap_or_default();
        let left_out = "Microsoft's snapshot left it out; the service principal \"Tenant Configuration Management\" \
                        may not read it";
        let end = if bytes > SETTING_BYTES_MAX {
            Err(failed("it is larger than 4 MiB"))
        } else if list.is_empty() && (vague || blamed.contains(setting.path)) {
            Err(failed(left_out))
        } else if blamed.contains(setting.path) {
            let reason = "Microsoft's snapshot could not read all of it".to_owned();
            Ok(Found::list(list).lacking(Some(reason)))
        } else if odd > 0 {
            let reason = format!("{odd} rows of the snapshot could not be understood");
            Ok(Found::list(list).lacking(Some(reason)))
        } else {
            Ok(Found::list(list))
        };
        (setting.path, end)
    });
    Ok(readings.collect())
}

fn blames_one(error: &str, set: &[&'static WorkloadSetting]) -> bool {
    set.iter().any(|setting| names(error, setting))
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
    fn a_type_is_named_only_by_its_whole_name() {
        let text = "unknown: microsoft.exchange.transportrule, microsoft.exchange.remotedomains.";
        assert!(names(text, setting("exchange/TransportRule")));
        assert!(!names(text, setting("exchange/RemoteDomain")));
        assert!(!names(text, setting("exchange/SharingPolicy")));
    }

    #[test]
    fn both_forms_of_a_snapshot_are_read_and_what_it_lacks_is_told() {
        let set = [
            setting("teams/MeetingPolicy"),
            setting("exchange/TransportRule"),
            setting("exchange/RemoteDomain"),
        ];
        let new = r#"{"resources":[{"resourceType":"Microsoft.Teams.MeetingPolicy","properties":{"Identity":"Global"}}]}"#;
        let old = r#"{"configurationItems":[{"type":"microsoft.teams.meetingpolicy","properties":{"Identity":"Global"}}]}"#;
        for body in [new, old] {
            let readings = sort(body.as_bytes(), &set, false, &[]).unwrap();
            assert!(readings.values().all(|end| end.as_ref().unwrap().lacks.is_none()));
            let rows = &readings["teams/MeetingPolicy"].as_ref().unwrap().document["value"];
            assert_eq!(rows[0]["Identity"], "Global");
        }
        let blamed = ["microsoft.exchange.transportrule: no right".to_owned()];
        let readings = sort(new.as_bytes(), &set, true, &blamed).unwrap();
        assert!(readings["exchange/TransportRule"].is_err());
        assert!(readings["exchange/RemoteDomain"].is_ok());
        let readings = sort(new.as_bytes(), &set, true, &["something".to_owned()]).unwrap();
        assert!(readings["exchange/RemoteDomain"].is_err());
        assert!(readings["teams/MeetingPolicy"].is_ok());
        assert!(sort(br#"{"resources":{}}"#, &set, false, &[]).is_err());
        assert!(sort(b"[]", &set, false, &[]).is_err());
    }
}
