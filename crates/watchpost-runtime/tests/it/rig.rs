//! An instance that reads simulated vendors over HTTP, for tests from the vendors' answers to the tools' answers.

use crate::client::Client;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tempfile::TempDir;
use tokio::sync::watch;
use watchpost_core::{
    access::WorkspaceScope,
    audit::CallRecord,
    finding::{FindingQuery, FindingStore as _},
    identity::IdentityStore as _,
    integration::{CollectionRow, IntegrationStore as _, connector::ConnectorConfig, fact::Dataset},
    value::{
        id::{FindingId, IntegrationId},
        time::Timestamp,
        word::{FindingStatus, Platform},
    },
};
use watchpost_runtime::{
    clock::{DemoClock, SystemRandom},
    config::Settings,
    data_dir::DataDir,
    instance::{Environment, Instance, init},
    metrics::Counters,
    worker::Worker,
};
use watchpost_simulator::{Company, Simulator, SimulatorConfig, SimulatorHandle};

/// The rule that reports a lost permission.
pub(crate) const LOST: &str = "sync.denied";

/// An instance, and the simulated vendors that it reads.
pub(crate) struct Rig {
    pub(crate) simulator: SimulatorHandle,
    pub(crate) instance: Instance,
    clock: Arc<DemoClock>,
    pub(crate) scope: Arc<WorkspaceScope>,
    _folder: TempDir,
}

pub(crate) fn call(operation: &'static str) -> CallRecord {
    CallRecord::new("cli", operation, "{}")
}

pub(crate) fn config(values: &[(&str, &str)], secret: (&str, &str)) -> ConnectorConfig {
    ConnectorConfig {
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        secrets: BTreeMap::from([(secret.0.to_owned(), SecretString::from(secret.1))]),
    }
}

impl Rig {
    /// Starts an instance for a company with this number of people.
    pub(crate) async fn new(people: u32) -> Self {
        Self::allowing(people, &[]).await
    }

    /// Does the same, and allows connections to further origins.
    pub(crate) async fn allowing(people: u32, origins: &[&str]) -> Self {
        let start: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a time");
        let company = Company::synthetic(people).expect("a company");
        let simulator = Simulator::start(SimulatorConfig::new(company, start.as_millis()))
            .await
            .expect("a simulator");
        let folder = tempfile::tempdir().expect("a folder");
        let dir = DataDir::locate(Some(&folder.path().join("data")), &|_| None).expect("a folder");
        let clock = Arc::new(DemoClock::new());
        clock.freeze(start);
        let environment = Environment {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SystemRandom),
            state_dir: None,
        };
        let mut settings = Settings::default();
        settings.outbound.allow.push(simulator.origin().to_owned());
        let others = origins.iter().map(|origin| (*origin).to_owned());
        settings.outbound.allow.extend(others);
        init(&dir, None, &environment).await.expect("a database");
        let instance = Instance::open(&dir, settings, environment).expect("an instance");
        let workspace = instance.workspace(None).await.expect("one workspace");
        let scope = instance.operator(&workspace);
        Self {
            simulator,
            instance,
            clock,
            scope,
            _folder: folder,
        }
    }

    pub(crate) async fn connect_okta(&self) -> IntegrationId {
        let access = self.simulator.okta();
        let config = config(&[("org_url", &access.org_url)], ("api_token", &access.api_token));
        self.connect(Platform::Okta, config).await
    }

    pub(crate) async fn connect_m365(&self) -> IntegrationId {
        let access = self.simulator.m365();
        let values = [
            ("tenant_id", access.tenant_id.as_str()),
            ("client_id", &access.client_id),
            ("login_url", &access.login_url),
            ("graph_url", &access.graph_url),
        ];
        let config = config(&values, ("client_secret", &access.client_secret));
        self.connect(Platform::M365, config).await
    }

    pub(crate) async fn connect(&self, platform: Platform, config: ConnectorConfig) -> IntegrationId {
        let watchpost = self.instance.watchpost_with_connectors().expect("connectors");
        let added = watchpost
            .add_integration(&self.scope, platform, None, config, call("integrations add"))
            .await
            .expect("an integration");
        self.work().await;
        added.id
    }

    /// Runs the queued jobs.
    pub(crate) async fn work(&self) {
        let (_stopping, stop) = watch::channel(false);
        let watchpost = self.instance.watchpost_with_connectors().expect("connectors");
        let worker = Worker::with_watchpost(&self.instance, watchpost, Arc::new(Counters::default()));
        worker.drain(&stop).await.expect("the jobs run");
    }

    /// Syncs all integrations an hour later, and analyzes the result.
    pub(crate) async fn sync(&self) {
        let now = watchpost_core::port::Clock::now(self.clock.as_ref()).plus_hours(1);
        self.clock.freeze(now);
        let watchpost = self.instance.watchpost();
        watchpost
            .trigger_sync(&self.scope, None, None, call("sync"))
            .await
            .expect("a sync");
        self.work().await;
    }

    pub(crate) async fn collection(&self, id: IntegrationId, dataset: Dataset) -> CollectionRow {
        let row = self.instance.store().integration(&self.scope, id).await;
        let row = row.expect("a read").expect("an integration");
        row.collection(dataset).expect("a collection").clone()
    }

    pub(crate) async fn people(&self) -> u64 {
        self.instance
            .store()
            .count_identities(&self.scope)
            .await
            .expect("a count")
    }

    /// Returns the findings with the status, except those that say that a permission was lost.
    pub(crate) async fn findings(&self, status: FindingStatus) -> BTreeSet<FindingId> {
        let mut query = FindingQuery {
            statuses: vec![status],
            limit: 100,
            ..FindingQuery::default()
        };
        let mut out = BTreeSet::new();
        loop {
            let page = self.instance.store().list_findings(&self.scope, &query).await;
            let page = page.expect("a page");
            let others = page.findings.iter().filter(|finding| finding.rule_id != LOST);
            out.extend(others.map(|finding| finding.id));
            match page.next {
                Some(next) => query.after = Some(next),
                None => return out,
            }
        }
    }

    /// Calls a tool and returns its structured answer.
    pub(crate) async fn ask(&self, tool: &str) -> Value {
        let client = Client::new(&self.instance).await;
        let answer = client.call(tool, json!({})).await;
        answer["result"]["structuredContent"].clone()
    }

    /// Calls a tool and returns its text.
    pub(crate) async fn read(&self, tool: &str) -> String {
        let client = Client::new(&self.instance).await;
        let answer = client.call(tool, json!({})).await;
        answer["result"]["content"][0]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    }
}
