//! Plays the fixture company until interrupted, and prints how to reach it.
//!
//! `cargo run -p watchpost-simulator --example play [USERS]`: with a number, a synthetic company of that size.
#![expect(
    clippy::print_stdout,
    reason = "printing how to reach it is what this program is for"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own, so nobody hands it a clock"
)]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use watchpost_simulator::{Company, Simulator, SimulatorConfig};

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let company = match std::env::args().nth(1) {
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
