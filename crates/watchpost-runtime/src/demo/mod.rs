//! The demo: simulated vendor APIs of an invented company in this process, the real connectors and rules, and a history
//! of thirty days that the regular jobs produce.

mod folder;
mod keys;
mod vendors;

pub use self::keys::DemoKeys;

use self::{folder::TemporaryFolder, vendors::Vendors};
use crate::{
    clock::{DemoClock, SeededRandom, SystemRandom},
    config::{AuditSettings, Settings},
    data_dir::{DataDir, write_private},
    instance::{Environment, Instance, init},
    metrics::Counters,
    serve::event_loop,
    text,
    worker::Worker,
};
use anyhow::Context as _;
use secrecy::SecretString;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::sync::watch;
use watchpost_core::{
    access::{Expiry, KeyScope, WorkspaceScope},
    audit::{CallRecord, ReadRecord},
    check::ScanType,
    error::Error,
    integration::connector::ConnectorConfig,
    job::WorkspaceRow,
    port::{Clock, Random},
    scan::REPEAT_MS,
    service::{ScanOrder, ScanTarget, Unrecorded, Watchpost},
    value::{
        id::ScanId,
        time::{HOUR_MS, Timestamp},
        word::{Platform, RunState},
    },
};
use watchpost_simulator::{Company, Stage};

/// Seed for the ids that the jobs generate, so that they are the same in every demo.
const JOB_SEED: u64 = 1;
/// Seed for the ids that the store generates, so that they are the same in every demo.
const STORE_SEED: u64 = 2;

/// The times at which the company is synced: a stage of the company, and the milliseconds before the time of that stage.
/// A finding is resolved only by the second analysis without it, so the last stage is synced twice.
const SYNC_TIMES: [(Stage, i64); 4] = [
    (Stage::Days30, 0),
    (Stage::Days7, 0),
    (Stage::Now, HOUR_MS),
    (Stage::Now, 0),
];

/// The time between the end of the history and the start of a demo with the current time. The first request for a scan
/// must not be answered with the history's last one.
const HISTORY_AGE_MS: i64 = 2 * REPEAT_MS;

/// Options of a demo.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// An empty or missing folder for the demo's data. If `None`, the demo uses a temporary folder and removes it at its
    /// end.
    pub data_dir: Option<PathBuf>,
    /// The time at which the demo's clock is frozen. If `None`, it runs with the system clock.
    pub now: Option<Timestamp>,
    /// Other settings.
    pub settings: Settings,
}

/// A started demo: its store is open, and the simulated vendors answer requests.
#[derive(Debug)]
pub struct Demo {
    instance: Instance,
    workspace: WorkspaceRow,
    clock: Arc<DemoClock>,
    fixed: Option<Timestamp>,
    origin: Timestamp,
    vendors: Vendors,
    /// The last field, so that the folder is removed after everything else is dropped.
    _folder: Option<TemporaryFolder>,
}

impl Demo {
    /// Creates the folder, starts the simulated vendors and opens the store. The data follows with
    /// [`Demo::build_history`].
    ///
    /// # Errors
    /// If the folder already holds data, or if a part of the demo can't be created.
    pub fn start(options: DemoOptions) -> anyhow::Result<Self> {
        Self::start_with(options, Company::load_embedded()?)
    }

    /// Starts a demo with another company, for tests of foreign text.
    ///
    /// # Errors
    /// The errors of [`Demo::start`].
    pub fn start_with(options: DemoOptions, company: Company) -> anyhow::Result<Self> {
        let folder = match &options.data_dir {
            Some(_) => None,
            None => Some(TemporaryFolder::create()?),
        };
        let path = match (&options.data_dir, &folder) {
            (Some(path), _) => path.as_path(),
            (None, Some(folder)) => folder.path(),
            (None, None) => anyhow::bail!(text::demo::NO_FOLDER),
        };
        let dir = DataDir::locate(Some(path), &|_| None)?;
        if dir.is_initialized() {
            anyhow::bail!(text::demo::folder_in_use(path));
        }
        let clock = Arc::new(DemoClock::new());
        let origin = options
            .now
            .unwrap_or_else(|| clock.now().plus_millis(-HISTORY_AGE_MS));
        clock.freeze(origin.plus_millis(Stage::Days30.offset_ms()));
        let vendors = Vendors::start(company, origin, Arc::clone(&clock))?;
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SeededRandom::new(STORE_SEED)),
            state_dir: None,
        };
        let mut settings = options.settings;
        // The audit trail of a demo ends with it.
        settings.audit = AuditSettings::default();
        settings
            .outbound
            .allow
            .push(vendors.simulator.origin().to_owned());
        let runtime = event_loop()?;
        runtime.block_on(init(&dir, None, &environment))?;
        // Other processes with the same folder must reach the simulated vendors too.
        let file = text::demo::settings_file(vendors.simulator.origin());
        write_private(&dir.settings_file(), file.as_bytes())?;
        let instance = Instance::open(&dir, settings, environment)?;
        let workspace = runtime.block_on(instance.workspace(None))?;
        Ok(Self {
            instance,
            workspace,
            clock,
            fixed: options.now,
            origin,
            vendors,
            _folder: folder,
        })
    }

    /// The instance to serve.
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Builds the demo's history: at each time of the history, the regular jobs sync, analyze and scan the company.
    /// Afterwards the clock runs, or is frozen at [`DemoOptions::now`].
    ///
    /// # Errors
    /// If a sync, an analysis or a scan fails.
    pub async fn build_history(&self) -> anyhow::Result<()> {
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(JOB_SEED));
        let watchpost = self.instance.connected(random)?;
        let operator = self.instance.operator(&self.workspace);
        let worker = Worker::with_watchpost(&self.instance, watchpost.clone(), Arc::new(Counters::default()));
        let (_stopping, stop) = watch::channel(false);
        for (stage, before_ms) in SYNC_TIMES {
            let time = self.origin.plus_millis(stage.offset_ms() - before_ms);
            // The syncs are queued before the jobs that they queue, so that all platforms are read before one analysis.
            self.clock.freeze(time.plus_millis(-1_000));
            self.vendors.simulator.set_stage(stage);
            if stage == Stage::Days30 {
                self.connect(&watchpost, &operator).await?;
            } else {
                self.sync_all(&watchpost, &operator).await?;
            }
            self.clock.freeze(time);
            worker.drain(&stop).await?;
            self.check(&operator).await?;
            if before_ms == 0 {
                for scan_type in [ScanType::Compliance, ScanType::Exposure] {
                    let started = self.scan_all(&watchpost, &operator, scan_type).await?;
                    worker.drain(&stop).await?;
                    self.check_scans(&watchpost, &operator, &started).await?;
                }
            }
        }
        match self.fixed {
            Some(now) => self.clock.freeze(now),
            None => self.clock.unfreeze(),
        }
        Ok(())
    }

    async fn connect(&self, watchpost: &Watchpost, operator: &WorkspaceScope) -> anyhow::Result<()> {
        let okta = self.vendors.simulator.okta();
        let m365 = self.vendors.simulator.m365();
        let okta = config([("org_url", okta.org_url)], [("api_token", okta.api_token)]);
        let m365 = config(
            [
                ("tenant_id", m365.tenant_id),
                ("client_id", m365.client_id),
                ("login_url", m365.login_url),
                ("graph_url", m365.graph_url),
                ("sharepoint_admin_url", m365.sharepoint_admin_url),
                ("exchange_url", m365.exchange_url),
                ("compliance_url", m365.compliance_url),
                ("power_platform_url", m365.power_platform_url),
                ("fabric_url", m365.fabric_url),
                ("dns_server", m365.dns_server),
                ("dns_hosts", m365.dns_hosts.join(",")),
                ("exchange_admin_beta", "true".to_owned()),
            ],
            [("client_secret", m365.client_secret)],
        );
        for (platform, config) in [(Platform::Okta, okta), (Platform::M365, m365)] {
            watchpost
                .add_integration(operator, platform, None, config, call("integrations add"))
                .await
                .with_context(|| text::demo::not_connected(platform.title()))?;
        }
        Ok(())
    }

    async fn sync_all(&self, watchpost: &Watchpost, operator: &WorkspaceScope) -> anyhow::Result<()> {
        watchpost.trigger_sync(operator, None, None, call("sync")).await?;
        Ok(())
    }

    /// Starts a scan of each integration that has checks of the type.
    async fn scan_all(
        &self,
        watchpost: &Watchpost,
        operator: &WorkspaceScope,
        scan_type: ScanType,
    ) -> anyhow::Result<Vec<ScanId>> {
        let mut started = Vec::new();
        let read = watchpost.integrations(operator).await;
        let (integrations, ..) = recorded(watchpost, operator, "integrations list", read).await?;
        for integration in integrations {
            if watchpost.can_scan(&integration, scan_type) {
                let order = ScanOrder {
                    target: ScanTarget {
                        integration: Some(integration.id),
                        platform: None,
                    },
                    scan_type,
                    fresh: true,
                    again: false,
                };
                let (scan, _) = watchpost.start_scan(operator, order, call("scan start")).await?;
                started.push(scan.scan.id);
            }
        }
        Ok(started)
    }

    async fn check_scans(
        &self,
        watchpost: &Watchpost,
        operator: &WorkspaceScope,
        scans: &[ScanId],
    ) -> anyhow::Result<()> {
        for id in scans {
            let read = watchpost
                .find_scan(operator, Some(*id), None, ScanType::Compliance)
                .await;
            let scan = recorded(watchpost, operator, "scan status", read).await?;
            if scan.state != RunState::Completed {
                anyhow::bail!(text::demo::scan_not_completed(
                    scan.scan_type.as_str(),
                    scan.state.as_str(),
                    scan.reason.as_deref().unwrap_or(text::demo::NO_REASON)
                ));
            }
        }
        Ok(())
    }

    /// Checks that the last syncs and the analysis were successful, so that a demo never starts with incomplete data.
    async fn check(&self, operator: &WorkspaceScope) -> anyhow::Result<()> {
        let now = self.clock.now();
        let watchpost = self.instance.watchpost();
        let read = watchpost.integrations(operator).await;
        let (integrations, ..) = recorded(&watchpost, operator, "integrations list", read).await?;
        for integration in integrations {
            if let Some(failure) = &integration.failure {
                let platform = integration.platform.title();
                anyhow::bail!(text::demo::unreadable(platform, &failure.reason));
            }
            if integration.last_completed_at != Some(now) {
                anyhow::bail!(text::demo::not_synced(integration.platform.title()));
            }
        }
        let read = watchpost.risk(operator).await;
        let risk = recorded(&watchpost, operator, "score", read).await?;
        if let Err(not_ready) = risk.score {
            anyhow::bail!(text::demo::not_analyzed(not_ready.state.as_str()));
        }
        Ok(())
    }

    /// Creates the demo's keys.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keys(&self) -> anyhow::Result<DemoKeys> {
        let watchpost = self.instance.watchpost();
        let operator = self.instance.operator(&self.workspace);
        let active_max = self.instance.settings().limits.active_keys;
        let create = async |label, scope| {
            let issued = watchpost
                .create_key(
                    &operator,
                    label,
                    scope,
                    Expiry::Year1,
                    active_max,
                    call("keys create"),
                )
                .await?;
            anyhow::Ok(SecretString::from(issued.key.reveal()))
        };
        Ok(DemoKeys {
            read: create("demo, read", KeyScope::Read).await?,
            write: create("demo, write", KeyScope::Write).await?,
        })
    }
}

/// Stores the audit entry of a read and returns its result.
async fn recorded<T>(
    watchpost: &Watchpost,
    operator: &WorkspaceScope,
    operation: &'static str,
    read: Unrecorded<Result<T, Error>>,
) -> anyhow::Result<T> {
    let describe = |read: &_| ReadRecord::of("demo.checked", call(operation), read);
    Ok(watchpost.record(operator, read, describe).await??)
}

fn call(operation: &'static str) -> CallRecord {
    CallRecord::new("cli", operation, "{}")
}

fn config<const V: usize, const S: usize>(
    values: [(&str, String); V],
    secrets: [(&str, String); S],
) -> ConnectorConfig {
    ConnectorConfig {
        values: values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
        secrets: secrets
            .into_iter()
            .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
            .collect(),
    }
}
