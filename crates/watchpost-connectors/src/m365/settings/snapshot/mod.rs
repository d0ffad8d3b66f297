//! Configuration snapshots: jobs in which Microsoft collects the settings of many workloads. This module orders the setting
//! types, and finds those that the tenant's version of the service rejects.

mod job;
mod rows;

pub(super) use job::probe;

use super::table::WorkloadSetting;
use crate::{
    m365::{
        client::{Client, GRAPH_API},
        permission,
    },
    settings::{SettingContent, SettingError},
    text::m365_settings as text,
    vendor::ApiError,
};
use std::collections::BTreeMap;

/// The maximum number of our jobs at a time. A tenant can have twelve.
const JOBS_MAX: usize = 10;
/// The maximum number of requests for a job in one collection. Finding each of 40 types by halving takes 79.
const REQUESTS_MAX: usize = 100;

/// The results of the requested settings, by path.
pub(super) type SnapshotResults = BTreeMap<&'static str, Result<SettingContent, SettingError>>;

type Set = Vec<&'static WorkloadSetting>;

/// Takes a snapshot of these settings. A set of types that is rejected is requested again without the types that the message
/// names or, if it names none, in halves. A rejected request creates no job.
pub(super) async fn take(client: &Client, settings: &[&'static WorkloadSetting]) -> SnapshotResults {
    job::delete_abandoned(client).await;
    let mut order = Order {
        waiting: vec![settings.to_vec()],
        ..Order::default()
    };
    let mut requests = 0;
    while let Some(set) = order.waiting.pop() {
        if set.is_empty() {
            continue;
        }
        if requests >= REQUESTS_MAX {
            order.fail(&set, &failed(text::SNAPSHOT_TYPES_REJECTED));
            continue;
        }
        requests = requests.saturating_add(1);
        match job::create(client, &set).await {
            Ok(job) => {
                order.jobs.push((job, set));
                if order.jobs.len() >= JOBS_MAX {
                    order.finish_jobs(client).await;
                }
            }
            Err(ApiError::Malformed(message)) => order.rejected(client, set, &message).await,
            Err(error) => {
                let error = SettingError::from(GRAPH_API.read_error(error, permission::SNAPSHOTS));
                order.fail_rest(&set, &error);
            }
        }
    }
    order.finish_jobs(client).await;
    order.results
}

/// The state of an order.
#[derive(Default)]
struct Order {
    results: SnapshotResults,
    /// The sets that have not been requested yet.
    waiting: Vec<Set>,
    /// The jobs in progress, with their sets.
    jobs: Vec<(String, Set)>,
}

impl Order {
    fn fail(&mut self, set: &[&'static WorkloadSetting], error: &SettingError) {
        for setting in set {
            self.results.insert(setting.path, Err(error.clone()));
        }
    }

    /// Fails a set and those that have not been requested yet.
    fn fail_rest(&mut self, set: &[&'static WorkloadSetting], error: &SettingError) {
        self.fail(set, error);
        for set in std::mem::take(&mut self.waiting) {
            self.fail(&set, error);
        }
    }

    /// Handles a set that was rejected with this message.
    async fn rejected(&mut self, client: &Client, mut set: Set, message: &str) {
        let message = message.to_ascii_lowercase();
        let (unknown, known): (Set, Set) = set.iter().partition(|setting| mentions(&message, setting));
        if !unknown.is_empty() && !known.is_empty() {
            self.fail(&unknown, &failed(text::SNAPSHOT_TYPE_UNKNOWN));
            self.waiting.push(known);
        } else if is_limit(&message) {
            if self.jobs.is_empty() {
                self.fail_rest(&set, &failed(text::SNAPSHOT_LIMIT_REACHED));
            } else {
                // The limit may be that on jobs, of which we have some.
                self.finish_jobs(client).await;
                self.waiting.push(set);
            }
        } else if set.len() == 1 {
            self.fail(&set, &failed(text::SNAPSHOT_TYPE_UNKNOWN));
        } else {
            let half = set.split_off(set.len() / 2);
            self.waiting.push(set);
            self.waiting.push(half);
        }
    }

    /// Waits for the jobs, reads their results and deletes them.
    async fn finish_jobs(&mut self, client: &Client) {
        for (job, set) in std::mem::take(&mut self.jobs) {
            let result = job::finish(client, &job, &set).await;
            job::delete(client, &job).await;
            match result {
                Ok(found) => self.results.extend(found),
                Err(error) => self.fail(&set, &error),
            }
        }
    }
}

fn failed(reason: &str) -> SettingError {
    SettingError::Failed(reason.to_owned())
}

/// Whether a message is about a limit.
fn is_limit(message: &str) -> bool {
    let words = ["quota", "limit", "maximum", "exceed", "at most", "the most"];
    words.iter().any(|word| message.contains(word))
}

/// Whether a message contains the whole name of a setting's type.
fn mentions(message: &str, setting: &WorkloadSetting) -> bool {
    setting.resource_type().is_some_and(|kind| {
        message.match_indices(kind.name).any(|(at, _)| {
            let after = message.get(at.saturating_add(kind.name.len())..);
            !after
                .unwrap_or_default()
                .starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    })
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
}
