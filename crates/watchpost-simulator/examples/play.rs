//! Simulates the fixture company until interrupted, and prints how to reach it.
//!
//! `cargo run -p watchpost-simulator --example play [USERS]`: a number selects a synthetic company of that size; `--help`
//! prints the orders that can be sent while the simulator runs.
#![expect(
    clippy::print_stdout,
    reason = "the program prints how to reach the simulator"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a stand-alone program has no clock port"
)]

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use watchpost_simulator::{Company, Simulator, SimulatorConfig};

/// The output of `--help`.
const HELP: &str = r#"play [USERS]: simulates Microsoft 365 and Okta on a free port of this machine until interrupted.

Orders are JSON, one per POST to {origin}/_simulator/orders:
  {"stage": "-30d"}                                  shows the company as it was at "-30d", "-7d" or "now"
  {"now_ms": 1772442902000}                          stops the clock at that time
  {"fault": {"vendor": "exchange", "path_contains": "", "times": 1, "kind": {"too_many_requests": {"seconds": 5}}}}
      vendors: entra graph okta sharepoint exchange compliance power_platform fabric
      kinds: too_many_requests internal_error bad_gateway unavailable unauthorized forbidden reset {"slow": MS}
             malformed_json wrong_type_in_one_row looping_next foreign_next endless_pages null_optionals
             unknown_enum {"huge_list": ROWS} {"hidden_rows": PERCENT_LEFT}
  "clear_faults"
  {"deny": {"vendor": "graph", "permission": "Policy.Read.All"}}, and "grant" to restore it
  {"unlicensed": {"vendor": "graph", "on": true}}    no Entra P1 and P2 (exchange: no Defender, fabric: no Power BI)
  {"okta_role": "none"}                              or "read_only", "read_only_with_roles", "super_administrator"
  {"certificates_only": true}                        SharePoint rejects tokens that were obtained with a secret
  {"snapshot_polls": 3}, {"snapshot_budget": 100}, {"unknown_snapshot_type": "microsoft.teams.meetingpolicy"}
  "expire_tokens"
  {"change": {"set_setting": {"path": "exchange/RemoteDomain", "pointer": "/value/0/AutoForwardEnabled", "value": false}}}
  {"change": {"disable_m365_user": {"email": "mara.holt@birchworks.example"}}}, and the other changes of `Change`

  GET {origin}/_simulator/requests returns the number of requests by route; /_simulator/expected and
  /_simulator/expected-checks return what a correct engine finds."#;

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1);
    if matches!(argument.as_deref(), Some("--help" | "-h")) {
        println!("{HELP}");
        return Ok(());
    }
    let company = match argument {
        Some(users) => Company::synthetic(users.parse()?)?,
        None => Company::load_embedded()?,
    };
    let mut config = SimulatorConfig::new(company, now_ms());
    config.clock = Some(Arc::new(now_ms));
    let simulator = Simulator::start(config).await?;
    println!("{:#?}\n{:#?}", simulator.m365(), simulator.okta());
    println!("orders: POST {}/_simulator/orders", simulator.origin());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
