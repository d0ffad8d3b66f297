//! A simulator with the connectors, and the results of syncs and collections.

use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use watchpost_connectors::{ReadLimits, connectors};
use watchpost_core::{
    integration::{
        connector::{Connector, ConnectorConfig, ConnectorError, Page},
        fact::{
            AccountFacts, AppFacts, Collection, Dataset, EntityReading, Fact, GrantFacts, MfaFacts, RoleFacts,
        },
        reading::Readings,
        setting::{CollectRequest, SETTING_BYTES_MAX, SettingDocument},
    },
    port::{Clock, Random},
    value::{
        time::Timestamp,
        word::{CollectionState, Platform},
    },
};
use watchpost_outbound::{Outbound, OutboundSettings};
use watchpost_simulator::{Company, Fault, FaultKind, Simulator, SimulatorConfig, SimulatorHandle, Vendor};

/// 2026-03-02T09:00:00Z.
pub(crate) const ORIGIN_MS: i64 = 1_772_442_000_000;

/// A clock that starts at the fixture's time and follows tokio's clock.
pub(crate) struct TestClock(Instant);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(ORIGIN_MS + i64::try_from(self.monotonic_ms()).unwrap())
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// A generator that returns the same bytes in each run.
pub(crate) struct TestRandom(AtomicU64);

impl TestRandom {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::SeqCst);
            *byte = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7];
        }
    }
}

pub(crate) struct Rig {
    pub(crate) simulator: SimulatorHandle,
    pub(crate) outbound: Outbound,
    limits: ReadLimits,
}

pub(crate) fn settings(simulator: &SimulatorHandle) -> OutboundSettings {
    OutboundSettings {
        allow: vec![simulator.origin().parse().unwrap()],
        ..OutboundSettings::default()
    }
}

pub(crate) fn outbound(settings: OutboundSettings) -> Outbound {
    Outbound::new(settings, Arc::new(TestClock::new()), Arc::new(TestRandom::new())).unwrap()
}

pub(crate) fn config(values: &[(&str, &str)], secrets: &[(&str, &str)]) -> ConnectorConfig {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    ConnectorConfig {
        values: pairs(values).into_iter().collect(),
        secrets: pairs(secrets)
            .into_iter()
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect(),
    }
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(Company::load_embedded().unwrap(), |_| {}).await
    }

    pub(crate) async fn small() -> Self {
        Self::with(Company::synthetic(30).unwrap(), |_| {}).await
    }

    pub(crate) async fn with(company: Company, change: impl FnOnce(&mut ReadLimits)) -> Self {
        Self::of(SimulatorConfig::new(company, ORIGIN_MS), change).await
    }

    pub(crate) async fn of(config: SimulatorConfig, change: impl FnOnce(&mut ReadLimits)) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let mut limits = ReadLimits::default();
        change(&mut limits);
        Self {
            outbound: outbound(settings(&simulator)),
            limits,
            simulator,
        }
    }

    pub(crate) fn connector(&self, platform: Platform) -> Arc<dyn Connector> {
        let all = connectors(&self.outbound, self.limits);
        all.into_iter()
            .find(|connector| connector.platform() == platform)
            .unwrap()
    }

    pub(crate) fn m365(&self) -> ConnectorConfig {
        let access = self.simulator.m365();
        config(
            &[
                ("tenant_id", &access.tenant_id),
                ("client_id", &access.client_id),
                ("login_url", &access.login_url),
                ("graph_url", &access.graph_url),
                ("sharepoint_admin_url", &access.sharepoint_admin_url),
                ("exchange_url", &access.exchange_url),
                ("compliance_url", &access.compliance_url),
                ("power_platform_url", &access.power_platform_url),
                ("fabric_url", &access.fabric_url),
                ("dns_server", &access.dns_server),
                ("dns_hosts", &access.dns_hosts.join(",")),
            ],
            &[("client_secret", &access.client_secret)],
        )
    }

    /// Returns the configuration with Exchange's undocumented proxy enabled.
    pub(crate) fn m365_with_proxy(&self) -> ConnectorConfig {
        let mut config = self.m365();
        config
            .values
            .insert("exchange_admin_beta".to_owned(), "true".to_owned());
        config
    }

    pub(crate) fn okta(&self) -> ConnectorConfig {
        let access = self.simulator.okta();
        config(
            &[("org_url", &access.org_url)],
            &[("api_token", &access.api_token)],
        )
    }

    pub(crate) fn fault(&self, vendor: Vendor, path_contains: &str, times: u32, kind: FaultKind) {
        self.simulator.fault(Fault {
            vendor,
            path_contains: path_contains.to_owned(),
            times,
            kind,
        });
    }

    pub(crate) async fn sync(&self, platform: Platform) -> Outcome {
        let config = if platform == Platform::Okta {
            self.okta()
        } else {
            self.m365()
        };
        self.sync_with(platform, &config).await
    }

    pub(crate) async fn sync_with(&self, platform: Platform, config: &ConnectorConfig) -> Outcome {
        self.sync_after(platform, config, Readings::default()).await
    }

    /// Syncs after earlier syncs have read `known`.
    pub(crate) async fn sync_after(
        &self,
        platform: Platform,
        config: &ConnectorConfig,
        known: Readings,
    ) -> Outcome {
        let connector = self.connector(platform);
        let mut outcome = Outcome::default();
        let mut order = Vec::new();
        let mut run = match connector.sync(config, known).await {
            Ok(run) => run,
            Err(error) => {
                outcome.error = Some(error);
                return outcome;
            }
        };
        loop {
            match run.next_page().await {
                Ok(Some(Page::Facts(page))) => {
                    assert!(
                        (1..=1_000).contains(&page.facts.len()),
                        "{}: {}",
                        page.dataset,
                        page.facts.len()
                    );
                    assert!(
                        !outcome.collections.contains_key(&page.dataset),
                        "facts of {} after its end",
                        page.dataset
                    );
                    for fact in page.facts {
                        match fact {
                            Fact::Reading(reading) => {
                                outcome.readings.entry(page.dataset).or_default().push(reading);
                            }
                            fact => outcome.facts.entry(page.dataset).or_default().push(fact),
                        }
                    }
                }
                Ok(Some(Page::Collected(end))) => {
                    order.push(end.dataset);
                    assert!(outcome.collections.insert(end.dataset, end).is_none());
                }
                Ok(None) => {
                    let datasets: Vec<_> = connector.datasets().iter().map(|spec| spec.dataset).collect();
                    assert_eq!(
                        order, datasets,
                        "each dataset ends once, in the order of `datasets`"
                    );
                    assert!(run.next_page().await.unwrap().is_none());
                    return outcome;
                }
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
}

impl Rig {
    /// Collects the settings at these paths.
    pub(crate) async fn collect_paths(&self, platform: Platform, paths: &[&str]) -> Settings {
        let config = if platform == Platform::Okta {
            self.okta()
        } else {
            self.m365()
        };
        self.collect_with(platform, &config, paths, true).await.unwrap()
    }

    pub(crate) async fn collect_with(
        &self,
        platform: Platform,
        config: &ConnectorConfig,
        paths: &[&str],
        metered: bool,
    ) -> Result<Settings, ConnectorError> {
        let request = CollectRequest {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            metered,
        };
        let mut run = self.connector(platform).collect(config, request).await?;
        let mut read = BTreeMap::new();
        while let Some(document) = run.next_setting().await? {
            let has_one = matches!(
                document.state,
                CollectionState::Complete | CollectionState::Partial
            );
            assert_eq!(document.document.is_some(), has_one, "{document:?}");
            assert_eq!(
                document.detail.is_none(),
                document.state == CollectionState::Complete,
                "{document:?}"
            );
            assert!(
                document
                    .document
                    .as_ref()
                    .is_none_or(|text| text.len() <= SETTING_BYTES_MAX)
            );
            assert!(paths.contains(&document.path.as_str()), "{document:?}");
            let path = document.path.clone();
            assert!(
                read.insert(path, document).is_none(),
                "each path has only one result"
            );
        }
        assert!(run.next_setting().await.unwrap().is_none());
        assert_eq!(read.len(), paths.len(), "each path has a result");
        Ok(Settings { read })
    }
}

/// The results of a collection, by path.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) read: BTreeMap<String, SettingDocument>,
}

impl Settings {
    pub(crate) fn document(&self, path: &str) -> serde_json::Value {
        let read = &self.read[path];
        let text = read.document.as_ref();
        serde_json::from_str(text.unwrap_or_else(|| panic!("{read:?}"))).unwrap()
    }

    pub(crate) fn rows(&self, path: &str) -> Vec<serde_json::Value> {
        self.document(path)["value"].as_array().unwrap().clone()
    }

    pub(crate) fn detail(&self, path: &str) -> &str {
        self.read[path].detail.as_deref().unwrap_or_default()
    }

    /// Returns the paths that aren't complete.
    pub(crate) fn incomplete(&self) -> Vec<(&str, CollectionState)> {
        let ends = self
            .read
            .values()
            .filter(|end| end.state != CollectionState::Complete);
        ends.map(|end| (end.path.as_str(), end.state)).collect()
    }
}

/// The result of a sync.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) facts: BTreeMap<Dataset, Vec<Fact>>,
    pub(crate) readings: BTreeMap<Dataset, Vec<EntityReading>>,
    pub(crate) collections: BTreeMap<Dataset, Collection>,
    pub(crate) error: Option<ConnectorError>,
}

impl Outcome {
    pub(crate) fn state(&self, dataset: Dataset) -> CollectionState {
        self.collections[&dataset].state
    }

    pub(crate) fn detail(&self, dataset: Dataset) -> &str {
        self.collections[&dataset].detail.as_deref().unwrap_or_default()
    }

    /// Returns the datasets that aren't complete.
    pub(crate) fn incomplete(&self) -> Vec<(Dataset, CollectionState)> {
        let ends = self
            .collections
            .values()
            .filter(|end| end.state != CollectionState::Complete);
        ends.map(|end| (end.dataset, end.state)).collect()
    }

    pub(crate) fn of(&self, dataset: Dataset) -> &[Fact] {
        self.facts.get(&dataset).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn accounts(&self) -> Vec<&AccountFacts> {
        let facts = self.of(Dataset::Users).iter();
        facts
            .map(|fact| {
                if let Fact::Account(account) = fact {
                    account.as_ref()
                } else {
                    panic!("{fact:?}")
                }
            })
            .collect()
    }

    pub(crate) fn account(&self, email: &str) -> &AccountFacts {
        self.accounts()
            .into_iter()
            .find(|account| account.email.as_deref() == Some(email))
            .unwrap()
    }

    pub(crate) fn mfa(&self) -> Vec<&MfaFacts> {
        let facts = self.of(Dataset::Mfa).iter();
        facts
            .map(|fact| {
                if let Fact::Mfa(mfa) = fact {
                    mfa
                } else {
                    panic!("{fact:?}")
                }
            })
            .collect()
    }

    pub(crate) fn roles(&self, dataset: Dataset) -> Vec<&RoleFacts> {
        let facts = self.of(dataset).iter();
        facts
            .map(|fact| {
                if let Fact::Role(role) = fact {
                    role
                } else {
                    panic!("{fact:?}")
                }
            })
            .collect()
    }

    pub(crate) fn apps(&self) -> Vec<&AppFacts> {
        let facts = self.of(Dataset::Apps).iter();
        facts
            .map(|fact| {
                if let Fact::App(app) = fact {
                    app.as_ref()
                } else {
                    panic!("{fact:?}")
                }
            })
            .collect()
    }

    pub(crate) fn grants(&self, dataset: Dataset) -> Vec<&GrantFacts> {
        let facts = self.of(dataset).iter();
        facts
            .map(|fact| {
                if let Fact::Grant(grant) = fact {
                    grant.as_ref()
                } else {
                    panic!("{fact:?}")
                }
            })
            .collect()
    }

    pub(crate) fn settings(&self) -> BTreeMap<&str, serde_json::Value> {
        let facts = self.facts.values().flatten();
        facts
            .filter_map(|fact| {
                if let Fact::Setting(setting) = fact {
                    Some(setting)
                } else {
                    None
                }
            })
            .map(|setting| {
                (
                    setting.path.as_str(),
                    serde_json::from_str(&setting.document).unwrap(),
                )
            })
            .collect()
    }
}

/// A time limit that no test reaches. The tests that use it run on tokio's paused clock.
pub(crate) const FOREVER: Duration = Duration::from_secs(7 * 24 * 3_600);
