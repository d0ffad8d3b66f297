//! The demo: the simulated vendors of an invented company in this process, real connectors, real rules, and a past of
//! thirty days that the same pipeline lives through.

mod folder;
mod keys;
mod vendors;

pub use self::keys::DemoKeys;

use self::{folder::TemporaryFolder, vendors::Vendors};
use crate::{
    clock::{DemoClock, SeededRandom, SystemRandom},
    config::Settings,
    data_dir::{DataDir, write_private},
    instance::{Environment, Instance, init},
    metrics::Counters,
    serve::event_loop,
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
    service::{ScanTarget, Unrecorded, Watchpost},
    value::{
        id::ScanId,
        time::{HOUR_MS, Timestamp},
        word::{Platform, RunState},
    },
};
use watchpost_simulator::{Company, Stage};

/// Ids that the pipeline makes are the same in every demo.
const PIPELINE_SEED: u64 = 1;
/// As above, for the store's own.
const STORE_SEED: u64 = 2;

/// The moments of the past: the company's state, and how long before that state's own time. What is gone ends with
/// the second look, so the present is looked at twice.
const MOMENTS: [(Stage, i64); 4] = [
    (Stage::Days30, 0),
    (Stage::Days7, 0),
    (Stage::Now, HOUR_MS),
    (Stage::Now, 0),
];

/// What the demo is asked for.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// An empty or missing folder to keep the demo in; without one it lives in a folder that goes with it.
    pub data_dir: Option<PathBuf>,
    /// A time at which the demo's clock stands still; without one it runs with the system's.
    pub now: Option<Timestamp>,
    /// Settings besides.
    pub settings: Settings,
}

/// A demo that has begun: its store is open and its vendors answer.
#[derive(Debug)]
pub struct Demo {
    instance: Instance,
    workspace: WorkspaceRow,
    clock: Arc<DemoClock>,
    fixed: Option<Timestamp>,
    origin: Timestamp,
    vendors: Vendors,
    /// Last, so that the folder goes when all else is gone.
    _folder: Option<TemporaryFolder>,
}

impl Demo {
    /// Makes the folder, starts the vendors, opens the store. Quick.
    ///
    /// # Errors
    /// If the folder holds data already, or anything can't be made.
    pub fn start(options: DemoOptions) -> anyhow::Result<Self> {
        Self::start_with(options, Company::load_embedded()?)
    }

    /// The same with another company behind the vendors: for tests of what strangers write.
    ///
    /// # Errors
    /// As [`Demo::start`].
    pub fn start_with(options: DemoOptions, company: Company) -> anyhow::Result<Self> {
        let folder = match &options.data_dir {
            Some(_) => None,
            None => Some(TemporaryFolder::create()?),
        };
        let path = match (&options.data_dir, &folder) {
            (Some(path), _) => path.as_path(),
            (None, Some(folder)) => folder.path(),
            (None, None) => anyhow::bail!("the demo has no folder"),
        };
        let dir = DataDir::locate(Some(path), &|_| None)?;
        if dir.is_initialized() {
            anyhow::bail!(
                "`{}` holds data already, and the demo needs a new folder: name another one, or leave `--demo` out",
                path.display()
            );
        }
        let clock = Arc::new(DemoClock::new());
        let origin = options.now.unwrap_or_else(|| clock.now());
        clock.stand_still(origin.plus_millis(Stage::Days30.offset_ms()));
        let vendors = Vendors::start(company, origin, Arc::clone(&clock))?;
        let environment = Environment {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            store_random: Arc::new(SeededRandom::new(STORE_SEED)),
        };
        let mut settings = options.settings;
        settings
            .outbound
            .allow
            .push(vendors.simulator.origin().to_owned());
        let runtime = event_loop()?;
        runtime.block_on(init(&dir, None, &environment))?;
        // Other programs on the same folder must reach the simulated vendors, too.
        let file = format!(
            "# Written by the demo: its vendors answer on this machine.\n[outbound]\nallow = [\"{}\"]\n",
            vendors.simulator.origin()
        );
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

    /// Lives through the demo's past: at each of its moments the company is synced and judged by the jobs that
    /// production runs. Afterwards the clock runs, or stands still where it was asked to.
    ///
    /// # Errors
    /// If a sync or an analysis fails.
    pub async fn build_history(&self) -> anyhow::Result<()> {
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(PIPELINE_SEED));
        let watchpost = self.instance.connected(random)?;
        let operator = self.instance.operator(&self.workspace);
        let worker = Worker::with_watchpost(&self.instance, watchpost.clone(), Arc::new(Counters::default()));
        let (_going_on, stop) = watch::channel(false);
        for (stage, before_ms) in MOMENTS {
            let moment = self.origin.plus_millis(stage.offset_ms() - before_ms);
            // What is queued now is older than what the jobs queue: all is read before it is judged once.
            self.clock.stand_still(moment.plus_millis(-1_000));
            self.vendors.simulator.set_stage(stage);
            if stage == Stage::Days30 {
                self.connect(&watchpost, &operator).await?;
            } else {
                self.sync_all(&watchpost, &operator).await?;
            }
            self.clock.stand_still(moment);
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
            Some(now) => self.clock.stand_still(now),
            None => self.clock.run(),
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
                .with_context(|| format!("the demo's {} can't be connected", platform.title()))?;
        }
        Ok(())
    }

    async fn sync_all(&self, watchpost: &Watchpost, operator: &WorkspaceScope) -> anyhow::Result<()> {
        watchpost.trigger_sync(operator, None, None, call("sync")).await?;
        Ok(())
    }

    /// Starts a scan of everything that has checks of the type.
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
                let target = ScanTarget {
                    integration: Some(integration.id),
                    platform: None,
                };
                let (scan, _) = watchpost
                    .start_scan(operator, target, scan_type, true, call("scan start"))
                    .await?;
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
                anyhow::bail!(
                    "the demo's {} scan is {}: {}",
                    scan.scan_type,
                    scan.state,
                    scan.reason.as_deref().unwrap_or("no reason is known")
                );
            }
        }
        Ok(())
    }

    /// A demo without its data is a broken demo: better said at once.
    async fn check(&self, operator: &WorkspaceScope) -> anyhow::Result<()> {
        let now = self.clock.now();
        let watchpost = self.instance.watchpost();
        let read = watchpost.integrations(operator).await;
        let (integrations, ..) = recorded(&watchpost, operator, "integrations list", read).await?;
        for integration in integrations {
            if let Some(failure) = &integration.failure {
                anyhow::bail!(
                    "the demo's {} can't be read: {}",
                    integration.platform.title(),
                    failure.reason
                );
            }
            if integration.last_completed_at != Some(now) {
                anyhow::bail!("the demo's {} wasn't read", integration.platform.title());
            }
        }
        let read = watchpost.risk(operator).await;
        let risk = recorded(&watchpost, operator, "score", read).await?;
        if let Err(not_ready) = risk.score {
            anyhow::bail!("the demo's company wasn't judged: {}", not_ready.state);
        }
        Ok(())
    }

    /// Makes the demo's keys.
    ///
    /// # Errors
    /// The store's.
    pub async fn keys(&self) -> anyhow::Result<DemoKeys> {
        let watchpost = self.instance.watchpost();
        let operator = self.instance.operator(&self.workspace);
        let active_max = self.instance.settings().limits.active_keys;
        let make = async |label, scope| {
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
            read: make("demo, read", KeyScope::Read).await?,
            write: make("demo, write", KeyScope::Write).await?,
        })
    }
}

/// What the demo read of itself, once the entry of that is stored.
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
