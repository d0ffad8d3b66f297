//! Starts a simulator and controls it while it runs.

use crate::{
    change::{Change, ChangeError},
    company::Company,
    fault::{Fault, Vendor},
    graph::snapshots::Snapshots,
    okta::{OktaRates, OktaRole},
    record::Exchange,
    when::DAY_MS,
    world::World,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

/// The application id of the connectors in the simulated tenant.
pub(crate) const CLIENT_ID: &str = "5e1f0000-0000-4000-8000-00000000c11e";
const CLIENT_SECRET: &str = "simulated-client-secret";
/// The client id of the service app in the simulated Okta organization.
pub(crate) const OKTA_CLIENT_ID: &str = "0oasimulatedclient01";
const OKTA_API_TOKEN: &str = "simulated-api-token";

/// The configuration of a simulator.
pub struct SimulatorConfig {
    /// The address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The company to simulate.
    pub company: Company,
    /// The origin, which is the time that offsets in the fixture are relative to, in milliseconds since the Unix epoch.
    pub origin_ms: i64,
    /// The clock, which returns milliseconds since the Unix epoch. Without it the time stands still at the origin (or at the
    /// stage) until [`SimulatorHandle::set_now`].
    pub clock: Option<Arc<dyn Fn() -> i64 + Send + Sync>>,
    /// The seed. The same seed, company, origin and requests give the same responses, byte for byte.
    pub seed: u64,
}

impl SimulatorConfig {
    /// Creates a configuration with a free port on loopback, a clock that stands still, and seed 1.
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

/// A point in the history of the fixture. Between stages people join and leave, apps appear and roles change.
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
    /// Returns the stage's offset from the origin in milliseconds, which is zero or negative.
    #[must_use]
    pub const fn offset_ms(self) -> i64 {
        match self {
            Self::Days30 => -30 * DAY_MS,
            Self::Days7 => -7 * DAY_MS,
            Self::Now => 0,
        }
    }
}

/// The error when a simulator can't start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The fixture can't be loaded.
    #[error(transparent)]
    Company(#[from] crate::company::CompanyError),
    /// The simulator can't listen on the address.
    #[error("can't listen on {listen}: {source}")]
    Listen {
        /// The configured address.
        listen: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// The addresses and credentials of the simulated Microsoft 365. The credentials are valid only for the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct M365Access {
    /// Replaces `https://login.microsoftonline.com`; the token endpoint is `{login_url}/{tenant_id}/oauth2/v2.0/token`.
    pub login_url: String,
    /// Replaces `https://graph.microsoft.com`; `/v1.0/…` and `/beta/…` follow.
    pub graph_url: String,
    /// Replaces `https://{prefix}-admin.sharepoint.com`; `/_api/SPO.Tenant` follows.
    pub sharepoint_admin_url: String,
    /// Replaces `https://outlook.office365.com`; `/adminapi/v2.0/{tenant_id}/…` and
    /// `/adminapi/beta/{tenant_id}/InvokeCommand` follow.
    pub exchange_url: String,
    /// Replaces `https://ps.compliance.protection.outlook.com`; `/adminapi/beta/{tenant_id}/InvokeCommand` follows.
    pub compliance_url: String,
    /// Replaces `https://api.bap.microsoft.com`; `/providers/…` follows.
    pub power_platform_url: String,
    /// Replaces `https://api.fabric.microsoft.com`; `/v1/admin/tenantsettings` follows.
    pub fabric_url: String,
    /// The address and port that replace the system's name servers.
    pub dns_server: String,
    /// The hosts of the company whose aliases the connector resolves.
    pub dns_hosts: Vec<String>,
    /// The tenant id. The verified domains are accepted in its place.
    pub tenant_id: String,
    /// The application id.
    pub client_id: String,
    /// The application's secret. A well-formed certificate assertion is accepted instead.
    pub client_secret: String,
}

/// The address and credentials of the simulated Okta. The credentials are valid only for the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OktaAccess {
    /// Replaces `https://{org}.okta.com`; `/api/v1/…` and `/oauth2/v1/token` follow.
    pub org_url: String,
    /// The token for the header `Authorization: SSWS …`.
    pub api_token: String,
    /// The client id of the service app for `private_key_jwt`. Any signature is accepted.
    pub client_id: String,
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts a simulator, which serves until [`SimulatorHandle::stop`] or until the last handle is dropped. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`SimulatorError::Listen`] if it can't listen on the address.
    pub async fn start(config: SimulatorConfig) -> Result<SimulatorHandle, SimulatorError> {
        let listen = config.listen;
        let failed = |source| SimulatorError::Listen { listen, source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // The name server takes any free port, since clients get the port together with the address.
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
                replaced: 0,
                certificates_only: false,
                snapshots: Snapshots::default(),
                okta_role: OktaRole::default(),
                okta_rates: None,
                dns_failing: BTreeSet::new(),
                exchanges: None,
            }),
        });
        let accept = tokio::spawn(crate::server::accept(listener, Arc::clone(&shared)));
        let answer = tokio::spawn(crate::dns::serve(names, Arc::clone(&shared)));
        Ok(SimulatorHandle {
            shared,
            accept: Arc::new(AbortOnDrop(accept)),
            answer: Arc::new(AbortOnDrop(answer)),
        })
    }
}

/// Aborts a server task, and with it all its connections, when the last handle is dropped.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The handle of a running simulator. Clones control the same simulator.
#[derive(Clone)]
pub struct SimulatorHandle {
    shared: Arc<Shared>,
    accept: Arc<AbortOnDrop>,
    answer: Arc<AbortOnDrop>,
}

impl std::fmt::Debug for SimulatorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatorHandle")
            .field("origin", &self.shared.base)
            .finish_non_exhaustive()
    }
}

impl SimulatorHandle {
    /// Returns scheme, address and port, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.base
    }

    /// Returns the UDP address of the name server for the company's domains.
    #[must_use]
    pub fn dns_address(&self) -> SocketAddr {
        self.shared.dns_address
    }

    /// Makes the name server fail with `SERVFAIL` for a name, or stops that.
    pub fn fail_dns(&self, name: &str, failing: bool) {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let mut state = self.shared.state();
        if failing {
            state.dns_failing.insert(name);
        } else {
            state.dns_failing.remove(&name);
        }
    }

    /// Returns the addresses and credentials of the simulated Microsoft 365.
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
            client_secret: state.client_secret(),
        }
    }

    /// Returns the address and credentials of the simulated Okta.
    #[must_use]
    pub fn okta(&self) -> OktaAccess {
        OktaAccess {
            org_url: format!("{}/okta", self.shared.base),
            api_token: self.shared.state().okta_api_token(),
            client_id: OKTA_CLIENT_ID.to_owned(),
        }
    }

    /// Stops the clock at a time in milliseconds since the Unix epoch. The company doesn't change, but regular logins move
    /// with the clock, and tokens expire.
    pub fn set_now(&self, now_ms: i64) {
        self.shared.state().set_now(now_ms);
    }

    /// Sets a running clock, which returns milliseconds since the Unix epoch. A demo calls this after it has replayed its
    /// history.
    pub fn set_clock(&self, clock: Arc<dyn Fn() -> i64 + Send + Sync>) {
        self.shared.state().clock = Some(clock);
    }

    /// Resets the company to its state at the stage. Changes made by [`SimulatorHandle::apply`] are lost. A stopped clock is
    /// set to the time of the stage; a running clock is not changed.
    pub fn set_stage(&self, stage: Stage) {
        self.shared.state().set_stage(stage);
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Removes a permission; the routes that need it return 403 from now on. The permission is a Graph application permission,
    /// an Okta scope, `Exchange.ManageAsApp`, `Exchange.ManageAsAppV2` or a single cmdlet such as `Get-TransportRule`
    /// (Exchange, compliance), `Sites.FullControl.All` (SharePoint), `management_app` (Power Platform), or `Tenant.Read.All`
    /// (Fabric). For Graph it can also be a resource type of configuration snapshots such as
    /// `microsoft.exchange.transportrule`, or a workload such as `microsoft.teams`, which is then missing in the snapshots.
    pub fn deny_permission(&self, vendor: Vendor, permission: &str) {
        self.shared.state().denied.insert((vendor, permission.to_owned()));
    }

    /// Restores a permission.
    pub fn grant_permission(&self, vendor: Vendor, permission: &str) {
        self.shared
            .state()
            .denied
            .remove(&(vendor, permission.to_owned()));
    }

    /// Removes or restores the premium licenses of a vendor's API. Graph is then without Entra P1 and P2 (no sign-in activity,
    /// registration details or PIM), Exchange without Defender for Office 365, Fabric without Power BI, Okta without threat
    /// insight, log streams and behavior detection.
    pub fn unlicensed(&self, vendor: Vendor, unlicensed: bool) {
        let mut state = self.shared.state();
        if unlicensed {
            state.unlicensed.insert(vendor);
        } else {
            state.unlicensed.remove(&vendor);
        }
    }

    /// Makes the API token and the client secret invalid, and all tokens that were issued.
    /// [`SimulatorHandle::okta`] and [`SimulatorHandle::m365`] return new ones.
    pub fn replace_credentials(&self) {
        let mut state = self.shared.state();
        state.replaced += 1;
        state.tokens.clear();
    }

    /// Sets whether SharePoint's administration rejects tokens that were obtained with a secret, as the real service does. By
    /// default it accepts them, so that it can be used without a certificate.
    pub fn certificates_only(&self, only: bool) {
        self.shared.state().certificates_only = only;
    }

    /// Sets how often a new configuration snapshot job reports that it is running before it completes. The default is 1;
    /// with `u32::MAX` the job never completes.
    pub fn set_snapshot_polls(&self, polls: u32) {
        self.shared.state().snapshots.polls = polls;
    }

    /// Sets how many resources configuration snapshots may extract in a calendar month. The default is 20,000.
    pub fn set_snapshot_budget(&self, resources: u64) {
        self.shared.state().snapshots.budget = resources;
    }

    /// Makes a resource type of configuration snapshots unknown to the API.
    pub fn forget_snapshot_type(&self, name: &str) {
        self.shared.state().snapshots.unknown.insert(name.to_owned());
    }

    /// Sets the administrator roles of the service app and of the owner of the API token at Okta.
    pub fn set_okta_role(&self, role: OktaRole) {
        self.shared.state().okta_role = role;
    }

    /// Simulates Okta's rate limits from now on: the org has this number of requests per minute in each bucket, except
    /// `/api/v1/apps/*` with 100, and the client may use half of them.
    pub fn set_okta_rates(&self, requests_per_minute: u32) {
        self.shared.state().okta_rates = Some(OktaRates::new(requests_per_minute));
    }

    /// Returns the most requests in one minute in each bucket of Okta, and the number of rejected requests, since
    /// [`SimulatorHandle::set_okta_rates`].
    #[must_use]
    pub fn okta_rates(&self) -> (BTreeMap<&'static str, u32>, u64) {
        let state = self.shared.state();
        let rates = state.okta_rates.as_ref();
        rates.map_or_else(Default::default, |rates| (rates.most.clone(), rates.rejected))
    }

    /// Makes the names of this number of further orders for configuration snapshots taken.
    pub fn take_snapshot_names(&self, orders: u32) {
        self.shared.state().snapshots.conflicts = orders;
    }

    /// Sets whether the error about unknown resource types of configuration snapshots names them. It does by default.
    pub fn name_unknown_snapshot_types(&self, named: bool) {
        self.shared.state().snapshots.names_unknown = named;
    }

    /// Invalidates all access tokens issued so far.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.clear();
    }

    /// Changes the company at the time of the simulator's clock.
    ///
    /// # Errors
    /// [`ChangeError`] if the person, app or other thing that the change names doesn't exist.
    pub fn apply(&self, change: &Change) -> Result<(), ChangeError> {
        self.shared.state().apply(change)
    }

    /// Returns the number of requests to each route since the start or the last [`SimulatorHandle::clear_requests`]. Keys are
    /// like `GET /graph/v1.0/users`, with `{id}` in place of identifiers.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.shared.state().requests.clone()
    }

    /// Resets the counts of requests.
    pub fn clear_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Starts to record all requests to the APIs, with their answers. What was recorded before is dropped. Requests to the
    /// name server and to `/_simulator/` aren't recorded, nor are those whose connection was reset.
    pub fn record(&self) {
        self.shared.state().exchanges = Some(Vec::new());
    }

    /// Returns the exchanges since [`SimulatorHandle::record`] or the last call, in the order of their answers. Returns
    /// none if nothing is recorded.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        let mut state = self.shared.state();
        state.exchanges.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Stops serving and closes all connections. The port is free once the runtime has dropped them.
    pub fn stop(&self) {
        self.accept.0.abort();
        self.answer.0.abort();
    }
}

/// The state that handles and connections share.
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

/// An issued token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) vendor: Vendor,
    pub(crate) expires_ms: i64,
    /// The scopes of the token. Only for Okta.
    pub(crate) scopes: BTreeSet<String>,
    /// Whether the token was obtained with a certificate instead of a secret.
    pub(crate) by_certificate: bool,
}

/// The most tokens that are kept. The oldest are dropped first, since their names sort by age.
const TOKENS_MAX: usize = 1024;

/// Returns a credential after it was replaced some number of times.
fn current(first: &str, replaced: u32) -> String {
    match replaced {
        0 => first.to_owned(),
        times => format!("{first}-{times}"),
    }
}

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
    /// The number of times that the credentials were replaced.
    replaced: u32,
    pub(crate) certificates_only: bool,
    pub(crate) snapshots: Snapshots,
    pub(crate) okta_role: OktaRole,
    pub(crate) okta_rates: Option<OktaRates>,
    /// The names for which the name server fails.
    pub(crate) dns_failing: BTreeSet<String>,
    /// The recorded exchanges. `None` if they aren't recorded.
    pub(crate) exchanges: Option<Vec<Exchange>>,
}

impl State {
    /// The token for Okta that is valid now.
    pub(crate) fn okta_api_token(&self) -> String {
        current(OKTA_API_TOKEN, self.replaced)
    }

    /// The application's secret that is valid now.
    pub(crate) fn client_secret(&self) -> String {
        current(CLIENT_SECRET, self.replaced)
    }

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

    /// Issues a token and returns its text.
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

    /// Returns the first fault that matches the request, and uses it up once.
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
