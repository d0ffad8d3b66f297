//! A simulator of vendor APIs, over real HTTP on loopback.
//!
//! The simulator implements Microsoft Entra's token endpoint, Microsoft Graph, the administration hosts of Microsoft 365
//! (Exchange and compliance, SharePoint, Power Platform, Fabric) and Okta for one invented company, `birchworks.example`. It
//! has the vendors' paging and error bodies; permissions and licenses can be removed, and faults can be injected. The demo
//! and the tests connect the real connectors to it.
//!
//! It does not depend on any other crate of Watchpost, store anything, verify the signatures of assertions, or change the
//! company because a vendor API was called: the company is changed only through [`SimulatorHandle`] or the equivalent
//! orders under `/_simulator/`.
//!
//! ```no_run
//! # async fn demo() -> Result<(), watchpost_simulator::SimulatorError> {
//! use watchpost_simulator::{Company, Simulator, SimulatorConfig, Stage};
//!
//! let company = Company::load_embedded()?;
//! let simulator = Simulator::start(SimulatorConfig::new(company, 1_772_442_000_000)).await?;
//! let graph = simulator.m365().graph_url; // "http://127.0.0.1:PORT/graph"
//! simulator.set_stage(Stage::Days30);
//! simulator.stop();
//! # Ok(()) }
//! ```
//!
//! To add a route, add a match arm to `graph/mod.rs`, `okta/mod.rs` or the host's file in `hosts/`, and the permission that
//! it needs to the table in the same file. To add a settings document, add a file to `fixtures/company/m365/settings/` and
//! its path to `settings.rs`. To add the cause of a finding, add the person or app to `fixtures/company/` and the finding to
//! `expected.json`; a test computes the findings from the simulated APIs and compares them.

mod bulk;
mod change;
mod company;
mod control;
mod dns;
mod entra;
mod fault;
mod foreign;
mod graph;
mod hosts;
mod ids;
mod okta;
mod record;
mod reply;
mod server;
mod settings;
mod when;
mod world;

pub use change::{Change, ChangeError};
pub use company::{Company, CompanyError};
pub use control::{
    M365Access, OktaAccess, Simulator, SimulatorConfig, SimulatorError, SimulatorHandle, Stage,
};
pub use dns::DnsRecord;
pub use fault::{Fault, FaultKind, RetryAfter, Vendor};
pub use okta::OktaRole;
pub use record::Exchange;
