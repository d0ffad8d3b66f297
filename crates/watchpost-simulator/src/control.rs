//! Starting a simulator, and changing what it plays while it runs.

use crate::{
    change::{Change, ChangeError},
    company::Company,
    fault::{Fault, Vendor},
    graph::snapshots::Snapshots,
    when::DAY_MS,
    world::World,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

/// The application that the connectors are registered as in the simulated tenant.
pub(crate) const CLIENT_ID: &str = "5e1f0000-0000-4000-8000-00000000c11e";
pub(crate) const CLIENT_SECRET: &str = "simulated-client-secret";
/// The service app in the simulated Okta org.
pub(crate) const OKTA_CLIENT_ID: &str = "0oasimulatedclient01";
pub(crate) const OKTA_API_TOKEN: &str = "simulated-api-token";

/// What to play, and where.
pub struct SimulatorConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whom to play.
    pub company: Company,
    /// "Now" of the fixture, in milliseconds since the Unix epoch: what its offsets count from.
    pub origin_ms: i64,
    /// Tells the time in milliseconds since the Unix epoch. Left out, time stands still at the origin (or at the
    /// stage) until [`SimulatorHandle::set_now`].
    pub clock: Option<Arc<dyn Fn() -> i64 + Send + Sync>>,
    /// Same seed, company, origin and requests: same bytes.
    pub seed: u64,
}

impl SimulatorConfig {
    /// Any free port on loopback, time standing still, seed 1.
    #[must_use]
    pub fn new(company: Company, origin_ms: i64) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            company,
            origin_ms,
            clock: None,
            seed: 1,
        }
    }
}

/// Three moments of the fixture's past, between which people join and leave, apps appear and roles change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Stage {
    /// 30 days before the origin.
    #[serde(rename = "-30d")]
    Days30,
    /// 7 days before the origin.
    #[serde(rename = "-7d")]
    Days7,
    /// The origin.
    #[serde(rename = "now")]
    Now,
}

impl Stage {
    /// The stage's distance from the origin in milliseconds, zero or negative.
    #[must_use]
    pub const fn offset_ms(self) -> i64 {
        match self {
            Self::Days30 => -30 * DAY_MS,
            Self::Days7 => -7 * DAY_MS,
            Self::Now => 0,
        }
    }
}

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The fixture is broken.
    #[error(transparent)]
    Company(#[from] crate::company::CompanyError),
    /// The address can't be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// How a connector reaches the simulated Microsoft 365. The credentials work nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct M365Access {
    /// Stands for `https://login.microsoftonline.com`; the token endpoint is `{login_url}/{tenant_id}/oauth2/v2.0/token`.
    pub login_url: String,
    /// Stands for `https://graph.microsoft.com`; `/v1.0/…` and `/beta/…` follow.
    pub graph_url: String,
    /// Stands for `https://{prefix}-admin.sharepoint.com`; `/_api/SPO.Tenant` follows.
    pub sharepoint_admin_url: String,
    /// Stands for `https://outlook.office365.com`; `/adminapi/v2.0/{tenant_id}/…` and
    /// `/adminapi/beta/{tenant_id}/InvokeCommand` follow.
    pub exchange_url: String,
    /// Stands for `https://ps.compliance.protection.outlook.com`; `/adminapi/beta/{tenant_id}/InvokeCommand` follows.
    pub compliance_url: String,
    /// Stands for `https://api.bap.microsoft.com`; `/providers/…` follows.
    pub power_platform_url: String,
    /// Stands for `https://api.fabric.microsoft.com`; `/v1/admin/tenantsettings` follows.
    pub fabric_url: String,
    /// Stands for the system's name servers: address and port.
    pub dns_server: String,
    /// Hosts of the company whose aliases are worth following.
    pub dns_hosts: Vec<String>,
    /// Tenant id; the verified domains are accepted in its place.
    pub tenant_id: String,
    /// Application id.
    pub client_id: String,
    /// Its secret. An assertion of the right shape is accepted instead.
    pub client_secret: String,
}

/// How a connector reaches the simulated Okta. The credentials work nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OktaAccess {
    /// Stands for `https://{org}.okta.com`; `/api/v1/…` and `/oauth2/v1/token` follow.
    pub org_url: String,
    /// For `Authorization: SSWS …`.
    pub api_token: String,
    /// Service app for `private_key_jwt`; any signature is accepted.
    pub client_id: String,
}

/// Builds and starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Binds and serves until [`SimulatorHandle::stop`], or until the last handle is dropped. Must be called
    /// inside a tokio runtime.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub async fn start(config: SimulatorConfig) -> Result<SimulatorHandle, SimulatorError> {
        let listen = config.listen;
        let failed = |source| SimulatorError::Listen { listen, source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // Answers of a name server; any free port, since who is told of it is told the port.
        let names = tokio::net::UdpSocket::bind((address.ip(), 0))
            .await
            .map_err(failed)?;
        let dns_address = names.local_addr().map_err(failed)?;
        let world = World::new(Arc::new(config.company), config.seed, config.origin_ms, 0);
        let shared = Arc::new(Shared {
            base: format!("http://{address}"),
            dns_address,
            state: Mutex::new(State {
                tenant_id: world.tenant_id(),
                world: Arc::new(world),
                clock: config.clock,
                still_ms: config.origin_ms,
                denied: BTreeSet::new(),
                unlicensed: BTreeSet::new(),
                faults: Vec::new(),
                requests: BTreeMap::new(),
                serial: 0,
                tokens: BTreeMap::new(),
                certificates_only: false,
                snapshots: Snapshots::default(),
                dns_failing: BTreeSet::new(),
            }),
        });
        let accept = tokio::spawn(crate::server::accept(listener, Arc::clone(&shared)));
        let answer = tokio::spawn(crate::dns::serve(names, Arc::clone(&shared)));
        Ok(SimulatorHandle {
            shared,
            accept: Arc::new(Stop(accept)),
            answer: Arc::new(Stop(answer)),
        })
    }
}

/// Ends the accept loop, and with it all connections, when the last handle goes.
struct Stop(tokio::task::JoinHandle<()>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A running simulator. Clones steer the same one.
#[derive(Clone)]
pub struct SimulatorHandle {
    shared: Arc<Shared>,
    accept: Arc<Stop>,
    answer: Arc<Stop>,
}

impl std::fmt::Debug for SimulatorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatorHandle")
            .field("origin", &self.shared.base)
            .finish_non_exhaustive()
    }
}

impl SimulatorHandle {
    /// Scheme, address and port, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.base
    }

    /// Where the name server for the company's domains answers, over UDP.
    #[must_use]
    pub fn dns_address(&self) -> SocketAddr {
        self.shared.dns_address
    }

    /// Lets the name server have trouble with a name (`SERVFAIL`), or no longer.
    pub fn fail_dns(&self, name: &str, failing: bool) {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let mut state = self.shared.state();
        if failing {
            state.dns_failing.insert(name);
        } else {
            state.dns_failing.remove(&name);
        }
    }

    /// How to reach the simulated Microsoft 365.
    #[must_use]
    pub fn m365(&self) -> M365Access {
        let base = &self.shared.base;
        let state = self.shared.state();
        M365Access {
            login_url: format!("{base}/login"),
            graph_url: format!("{base}/graph"),
            sharepoint_admin_url: format!("{base}/sharepoint-admin"),
            exchange_url: format!("{base}/exchange"),
            compliance_url: format!("{base}/compliance"),
            power_platform_url: format!("{base}/power-platform"),
            fabric_url: format!("{base}/fabric"),
            dns_server: self.shared.dns_address.to_string(),
            dns_hosts: state.world.company.profile.hosts.clone(),
            tenant_id: state.tenant_id.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
        }
    }

    /// How to reach the simulated Okta.
    #[must_use]
    pub fn okta(&self) -> OktaAccess {
        OktaAccess {
            org_url: format!("{}/okta", self.shared.base),
            api_token: OKTA_API_TOKEN.to_owned(),
            client_id: OKTA_CLIENT_ID.to_owned(),
        }
    }

    /// Sets the clock, in milliseconds since the Unix epoch, and makes it stand still there. What exists in the
    /// company doesn't change; habits (recent logins) move with the clock, tokens expire.
    pub fn set_now(&self, now_ms: i64) {
        self.shared.state().set_now(now_ms);
    }

    /// Lets time run: the clock tells milliseconds since the Unix epoch. For the end of a demo's past.
    pub fn set_clock(&self, clock: Arc<dyn Fn() -> i64 + Send + Sync>) {
        self.shared.state().clock = Some(clock);
    }

    /// Plays the company as it was at that stage: starts over from the fixture, so changes made by
    /// [`SimulatorHandle::apply`] are gone. A clock that stands still is moved to the stage's moment; a clock given
    /// in the configuration is left alone.
    pub fn set_stage(&self, stage: Stage) {
        self.shared.state().set_stage(stage);
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Forgets all ordered faults.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Takes a Graph application permission or an Okta scope away; the routes that need it answer 403 from now on.
    /// Elsewhere: `Exchange.ManageAsApp`, `Exchange.ManageAsAppV2` or a single cmdlet such as `Get-TransportRule`
    /// (Exchange, compliance), `Sites.FullControl.All` (SharePoint), `management_app` (Power Platform),
    /// `Tenant.Read.All` (Fabric). A resource type of configuration snapshots such as
    /// `microsoft.exchange.transportrule`, or a workload such as `microsoft.teams`, taken from Graph is missing in
    /// the snapshots.
    pub fn deny_permission(&self, vendor: Vendor, permission: &str) {
        self.shared.state().denied.insert((vendor, permission.to_owned()));
    }

    /// Gives a permission back.
    pub fn grant_permission(&self, vendor: Vendor, permission: &str) {
        self.shared
            .state()
            .denied
            .remove(&(vendor, permission.to_owned()));
    }

    /// Plays a tenant without premium licences: Graph without Entra P1 and P2 (no sign-in activity, registration
    /// details or PIM), Exchange without Defender for Office 365, Fabric without Power BI, Okta without threat
    /// insight, log streams and behavior detection.
    pub fn unlicensed(&self, vendor: Vendor, unlicensed: bool) {
        let mut state = self.shared.state();
        if unlicensed {
            state.unlicensed.insert(vendor);
        } else {
            state.unlicensed.remove(&vendor);
        }
    }

    /// Whether SharePoint's administration refuses tokens that were got with a secret, as the real one does. It takes
    /// them unless told so, to be of use to those who have no certificate at hand.
    pub fn certificates_only(&self, only: bool) {
        self.shared.state().certificates_only = only;
    }

    /// How often a new configuration snapshot job says that it is running before it is done: 1 unless set,
    /// `u32::MAX` for a job that never ends.
    pub fn set_snapshot_polls(&self, polls: u32) {
        self.shared.state().snapshots.polls = polls;
    }

    /// How many resources configuration snapshots may extract in a calendar month: 20,000 unless set.
    pub fn set_snapshot_budget(&self, resources: u64) {
        self.shared.state().snapshots.budget = resources;
    }

    /// Makes a resource type of configuration snapshots one that the API doesn't know.
    pub fn forget_snapshot_type(&self, name: &str) {
        self.shared.state().snapshots.unknown.insert(name.to_owned());
    }

    /// Makes every access token issued so far invalid.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.clear();
    }

    /// Changes the company, as of the simulator's clock.
    ///
    /// # Errors
    /// If the person, app or account that the change names doesn't exist.
    pub fn apply(&self, change: &Change) -> Result<(), ChangeError> {
        self.shared.state().apply(change)
    }

    /// How often each route was asked since the start or the last [`SimulatorHandle::clear_requests`], as
    /// `GET /graph/v1.0/users`; identifiers in paths are written `{id}`.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.shared.state().requests.clone()
    }

    /// Starts counting anew.
    pub fn clear_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Stops serving and ends all connections; the port is free once the runtime has dropped them.
    pub fn stop(&self) {
        self.accept.0.abort();
        self.answer.0.abort();
    }
}

/// What handles and connections share.
pub(crate) struct Shared {
    pub(crate) base: String,
    dns_address: SocketAddr,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A token that was handed out.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) vendor: Vendor,
    pub(crate) expires_ms: i64,
    /// Okta only: what the token may do.
    pub(crate) scopes: BTreeSet<String>,
    /// Got with a certificate instead of a secret.
    pub(crate) by_certificate: bool,
}

/// Tokens kept; the oldest are forgotten first, as their names sort by age.
const TOKENS_MAX: usize = 1024;

pub(crate) struct State {
    pub(crate) tenant_id: String,
    pub(crate) world: Arc<World>,
    clock: Option<Arc<dyn Fn() -> i64 + Send + Sync>>,
    still_ms: i64,
    pub(crate) denied: BTreeSet<(Vendor, String)>,
    pub(crate) unlicensed: BTreeSet<Vendor>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) requests: BTreeMap<String, u64>,
    pub(crate) serial: u64,
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) certificates_only: bool,
    pub(crate) snapshots: Snapshots,
    /// Names that the name server has trouble with.
    pub(crate) dns_failing: BTreeSet<String>,
}

impl State {
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.as_ref().map_or(self.still_ms, |clock| clock())
    }

    pub(crate) fn set_now(&mut self, now_ms: i64) {
        self.clock = None;
        self.still_ms = now_ms;
    }

    pub(crate) fn set_stage(&mut self, stage: Stage) {
        let world = &self.world;
        let staged = World::new(
            Arc::clone(&world.company),
            world.seed,
            world.origin_ms,
            stage.offset_ms(),
        );
        self.still_ms = staged.as_of_ms;
        self.world = Arc::new(staged);
    }

    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        let now_ms = self.now_ms();
        change.apply(Arc::make_mut(&mut self.world), now_ms)
    }

    /// Remembers a new token and returns its text.
    pub(crate) fn issue(
        &mut self,
        vendor: Vendor,
        lifetime_secs: i64,
        scopes: BTreeSet<String>,
        by_certificate: bool,
    ) -> String {
        let name = match vendor {
            Vendor::Okta => "okta",
            Vendor::Graph => "graph",
            _ => "host",
        };
        let text = format!("simulated-{name}-token-{:012}", self.serial);
        while self.tokens.len() >= TOKENS_MAX {
            self.tokens.pop_first();
        }
        let expires_ms = self.now_ms() + lifetime_secs * 1000;
        self.tokens.insert(
            text.clone(),
            Token {
                vendor,
                expires_ms,
                scopes,
                by_certificate,
            },
        );
        text
    }

    /// The first fault that fits the request; it is used up by one.
    pub(crate) fn take_fault(&mut self, vendor: Vendor, path: &str) -> Option<Fault> {
        let at = self
            .faults
            .iter()
            .position(|f| f.vendor == vendor && f.times > 0 && path.contains(&f.path_contains))?;
        let fault = self.faults.get_mut(at)?;
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        let taken = fault.clone();
        self.faults.retain(|fault| fault.times > 0);
        Some(taken)
    }
}
