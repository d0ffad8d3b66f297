//! Vendor APIs played from a fixture company, over real HTTP on loopback.
//!
//! The simulator answers as Microsoft Entra's token endpoint, Microsoft Graph, Microsoft 365's administration hosts
//! (Exchange and compliance, SharePoint, Power Platform, Fabric) and Okta would for one invented firm,
//! `birchworks.example`: with real paging, real error bodies, permissions that can be missing, licences
//! that can be absent, and faults on demand. The demo and the tests connect the real connectors to it.
//!
//! It does not know any other crate of Watchpost, store anything, check signatures of assertions, or write
//! to the company because a vendor API was called: the only way to change the company is [`SimulatorHandle`]
//! (or its JSON mirror under `/_simulator/`).
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
//! To add a route: one arm in `graph/mod.rs`, `okta/mod.rs` or the host's file in `hosts/`, with the permission that
//! it needs in the same file's table. To add a settings document: a file in `fixtures/company/m365/settings/` and
//! its path in `settings.rs`. To plant a problem: write the person or app into `fixtures/company/`, name what it must cause in
//! `expected.json`; a test computes the rules from the fixture and compares.

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
