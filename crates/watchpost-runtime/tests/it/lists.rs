//! Tests of vendors that hide rows without an error, from the vendors' answers to the score: the connectors over HTTP, the store, the rules,
//! the answers.

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
    error::Error,
    finding::{FindingQuery, FindingStore as _},
    identity::IdentityStore as _,
    integration::{
        CollectionRow, Doubt, IntegrationStore as _, Shrink, connector::ConnectorConfig, fact::Dataset,
    },
    value::{
        id::{FindingId, IntegrationId},
        time::Timestamp,
        word::{CollectionState, FindingStatus, Platform},
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
use watchpost_simulator::{
    Company, Fault, FaultKind, OktaRole, Simulator, SimulatorConfig, SimulatorHandle, Vendor,
};

/// The rule that reports a lost permission.
const LOST: &str = "sync.denied";

/// An instance, and the simulated vendors that it reads.
struct Rig {
    simulator: SimulatorHandle,
    instance: Instance,
    clock: Arc<DemoClock>,
    scope: Arc<WorkspaceScope>,
    _folder: TempDir,
}

fn call(operation: &'static str) -> CallRecord {
    CallRecord::new("cli", operation, "{}")
}

fn config(values: &[(&str, &str)], secret: (&str, &str)) -> ConnectorConfig {
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
    async fn new(people: u32) -> Self {
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
        };
        let mut settings = Settings::default();
        settings.outbound.allow.push(simulator.origin().to_owned());
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

    async fn connect_okta(&self) -> IntegrationId {
        let access = self.simulator.okta();
        let config = config(&[("org_url", &access.org_url)], ("api_token", &access.api_token));
        self.connect(Platform::Okta, config).await
    }

    async fn connect_m365(&self) -> IntegrationId {
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

    async fn connect(&self, platform: Platform, config: ConnectorConfig) -> IntegrationId {
        let watchpost = self.instance.watchpost_with_connectors().expect("connectors");
        let added = watchpost
            .add_integration(&self.scope, platform, None, config, call("integrations add"))
            .await
            .expect("an integration");
        self.work().await;
        added.id
    }

    /// Runs the queued jobs.
    async fn work(&self) {
        let (_stopping, stop) = watch::channel(false);
        let watchpost = self.instance.watchpost_with_connectors().expect("connectors");
        let worker = Worker::with_watchpost(&self.instance, watchpost, Arc::new(Counters::default()));
        worker.drain(&stop).await.expect("the jobs run");
    }

    /// Syncs all integrations an hour later, and analyzes the result.
    async fn sync(&self) {
        let now = watchpost_core::port::Clock::now(self.clock.as_ref()).plus_hours(1);
        self.clock.freeze(now);
        let watchpost = self.instance.watchpost();
        watchpost
            .trigger_sync(&self.scope, None, None, call("sync"))
            .await
            .expect("a sync");
        self.work().await;
    }

    async fn collection(&self, id: IntegrationId, dataset: Dataset) -> CollectionRow {
        let row = self.instance.store().integration(&self.scope, id).await;
        let row = row.expect("a read").expect("an integration");
        row.collection(dataset).expect("a collection").clone()
    }

    async fn people(&self) -> u64 {
        self.instance
            .store()
            .count_identities(&self.scope)
            .await
            .expect("a count")
    }

    /// Returns the findings with the status, except those that say that a permission was lost.
    async fn findings(&self, status: FindingStatus) -> BTreeSet<FindingId> {
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
    async fn ask(&self, tool: &str) -> Value {
        let client = Client::new(&self.instance).await;
        let answer = client.call(tool, json!({})).await;
        answer["result"]["structuredContent"].clone()
    }

    /// Calls a tool and returns its text.
    async fn read(&self, tool: &str) -> String {
        let client = Client::new(&self.instance).await;
        let answer = client.call(tool, json!({})).await;
        answer["result"]["content"][0]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    }

    fn hide(&self, vendor: Vendor, path: &str, percent_left: u8) {
        self.simulator.fault(Fault {
            vendor,
            path_contains: path.to_owned(),
            times: u32::MAX,
            kind: FaultKind::HiddenRows(percent_left),
        });
    }
}

/// Without an administrator role, Okta returns an empty list of users. That isn't an empty company with grade A.
#[tokio::test]
async fn an_okta_app_without_a_role_yields_no_score() {
    let rig = Rig::new(30).await;
    rig.simulator.set_okta_role(OktaRole::None);
    let okta = rig.connect_okta().await;
    for dataset in [Dataset::Users, Dataset::SignIn, Dataset::Mfa, Dataset::Roles] {
        let row = rig.collection(okta, dataset).await;
        assert_eq!(row.state, CollectionState::Denied, "{dataset}: {row:?}");
        assert_eq!(row.completions, 0, "{dataset}");
    }
    let users = rig.collection(okta, Dataset::Users).await;
    assert_eq!(users.doubt, Some(Doubt::Empty));
    assert_eq!(users.detail.as_deref(), Some("Read-only Administrator"));

    let answer = rig.ask("get_risk_score").await;
    assert_eq!(answer["state"], "failed", "{answer}");
    assert!(answer.get("grade").is_none(), "{answer}");
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("its people could not be read"), "{warnings}");
    let summary = rig.ask("get_posture_summary").await;
    assert_eq!(summary["state"], "failed", "{summary}");
    let integrations = rig.ask("get_integrations").await;
    let problems = integrations["integrations"][0]["problems"].to_string();
    assert!(problems.contains("Read-only Administrator"), "{problems}");

    // With the role, the same connection is complete.
    rig.simulator.set_okta_role(OktaRole::SuperAdministrator);
    rig.sync().await;
    assert_eq!(
        rig.collection(okta, Dataset::Users).await.state,
        CollectionState::Complete
    );
    assert!(rig.ask("get_risk_score").await["grade"].is_string());
    let people = rig.people().await;
    assert!(people > 20, "{people}");

    // If the role is taken away, nothing is gone.
    let open = rig.findings(FindingStatus::Open).await;
    rig.simulator.set_okta_role(OktaRole::None);
    for _ in 0..3 {
        rig.sync().await;
        assert_eq!(rig.people().await, people);
        assert_eq!(rig.findings(FindingStatus::Open).await, open);
    }
    let query = FindingQuery {
        statuses: vec![FindingStatus::Open],
        rule_id: Some(LOST.to_owned()),
        limit: 10,
        ..FindingQuery::default()
    };
    let lost = rig.instance.store().list_findings(&rig.scope, &query).await;
    let lost = lost.expect("a page").findings;
    assert_eq!(lost.len(), 1);
    let answer = rig.ask("get_risk_score").await;
    let warnings = answer["warnings"].to_string();
    assert!(
        warnings.contains("could not be read at the last sync (denied: Read-only Administrator"),
        "{warnings}"
    );
}

/// If another platform can be read, there is a score, which says whose people it knows nothing about.
#[tokio::test]
async fn a_score_names_the_platform_whose_people_were_never_read() {
    let rig = Rig::new(30).await;
    rig.simulator.set_okta_role(OktaRole::None);
    rig.connect_m365().await;
    assert!(!rig.read("get_risk_score").await.contains("says nothing about"));
    rig.connect_okta().await;
    for tool in ["get_risk_score", "get_posture_summary"] {
        let text = rig.read(tool).await;
        assert!(
            text.contains("It says nothing about the people of Okta, who could not be read."),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_list_that_shrank_ends_nothing_until_a_person_confirms_it() {
    let rig = Rig::new(100).await;
    let m365 = rig.connect_m365().await;
    let first = rig.collection(m365, Dataset::Users).await;
    assert_eq!(first.state, CollectionState::Complete, "{:?}", first.detail);
    let people = rig.people().await;
    let open = rig.findings(FindingStatus::Open).await;
    assert!(open.len() > 3, "{} findings", open.len());

    rig.hide(Vendor::Graph, "/v1.0/users", 40);
    for _ in 0..3 {
        rig.sync().await;
        let users = rig.collection(m365, Dataset::Users).await;
        assert_eq!(
            (users.state, users.doubt),
            (CollectionState::Partial, Some(Doubt::Shrank))
        );
        assert!(users.rows * 2 < first.rows);
        assert_eq!(users.completions, first.completions);
        let sign_in = rig.collection(m365, Dataset::SignIn).await;
        assert_eq!(
            (sign_in.state, sign_in.doubt),
            (CollectionState::Partial, Some(Doubt::Follows))
        );
        assert_eq!(rig.people().await, people);
        assert_eq!(rig.findings(FindingStatus::Open).await, open);
    }
    let shrunk = rig.collection(m365, Dataset::Users).await;
    let warnings = rig.ask("get_risk_score").await["warnings"].to_string();
    let sentence = format!("`users` shrank from {} rows to {}", first.rows, shrunk.rows);
    assert!(warnings.contains(&sentence), "{warnings}");
    assert!(
        warnings.contains("watchpost integrations confirm-shrink"),
        "{warnings}"
    );

    let watchpost = rig.instance.watchpost();
    let confirm = async |dataset, rows| {
        watchpost
            .confirm_shrink(
                &rig.scope,
                m365,
                dataset,
                rows,
                call("integrations confirm-shrink"),
            )
            .await
    };
    for (dataset, rows) in [(Dataset::Users, 1), (Dataset::Apps, 0), (Dataset::Tokens, 0)] {
        let refused = confirm(dataset, rows).await;
        assert!(
            matches!(refused, Err(Error::Conflict { .. })),
            "{dataset}: {refused:?}"
        );
    }
    let done = confirm(Dataset::Users, shrunk.rows)
        .await
        .expect("a confirmation");
    assert!(done.changed);
    let (from, to) = (first.rows, shrunk.rows);
    assert_eq!(done.shrink, Shrink { from, to });
    let warnings = rig.ask("get_risk_score").await["warnings"].to_string();
    assert!(!warnings.contains("shrank from"), "{warnings}");

    rig.sync().await;
    let users = rig.collection(m365, Dataset::Users).await;
    assert_eq!((users.state, users.doubt), (CollectionState::Complete, None));
    assert_eq!(users.confirmed_rows, None);
    let sign_in = rig.collection(m365, Dataset::SignIn).await;
    assert_eq!((sign_in.state, sign_in.doubt), (CollectionState::Complete, None));
    assert!(rig.people().await < people);
    rig.sync().await;
    let gone: BTreeSet<_> = open
        .difference(&rig.findings(FindingStatus::Open).await)
        .copied()
        .collect();
    assert!(!gone.is_empty(), "findings about people who are gone end");
    assert!(gone.is_subset(&rig.findings(FindingStatus::Resolved).await));
}

#[tokio::test]
async fn short_lists_may_become_empty_unless_they_never_are() {
    let rig = Rig::new(8).await;
    let m365 = rig.connect_m365().await;
    let grants = rig.collection(m365, Dataset::Grants).await;
    let users = rig.collection(m365, Dataset::Users).await;
    assert!((1..20).contains(&grants.rows), "{}", grants.rows);
    assert!((1..20).contains(&users.rows), "{}", users.rows);
    let people = rig.people().await;
    rig.hide(Vendor::Graph, "/v1.0/oauth2PermissionGrants", 0);
    rig.hide(Vendor::Graph, "/v1.0/users", 0);
    rig.sync().await;
    let grants = rig.collection(m365, Dataset::Grants).await;
    assert_eq!((grants.state, grants.rows), (CollectionState::Complete, 0));
    let users = rig.collection(m365, Dataset::Users).await;
    assert_eq!(
        (users.state, users.doubt),
        (CollectionState::Denied, Some(Doubt::Empty))
    );
    assert_eq!(users.detail.as_deref(), Some("User.Read.All"));
    assert_eq!(rig.people().await, people);
}
