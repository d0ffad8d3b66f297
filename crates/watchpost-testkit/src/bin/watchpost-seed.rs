//! Fills a data directory for benchmarks and prints a read key: see `watchpost_testkit::seed`.

use anyhow::{Context as _, Result};
use clap::Parser;
use std::{io::Write as _, path::PathBuf};
use watchpost_core::{
    access::{Expiry, KeyScope},
    audit::CallRecord,
};
use watchpost_runtime::{
    config::Settings,
    data_dir::DataDir,
    instance::{self, Environment, Instance},
};
use watchpost_testkit::seed::Seeder;

/// Fills a store with invented people and findings
#[derive(Debug, Parser)]
struct Flags {
    /// The data directory; it is created if it doesn't exist
    #[arg(long)]
    data_dir: PathBuf,
    /// The number of findings
    #[arg(long, default_value_t = 10_000)]
    findings: u64,
    /// The number of people
    #[arg(long, default_value_t = 2_000)]
    identities: u64,
    /// Create a read key and print it
    #[arg(long)]
    print_key: bool,
}

fn main() -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(Flags::parse()))
}

async fn run(flags: Flags) -> Result<()> {
    let dir = DataDir::locate(Some(&flags.data_dir), &|_| None)?;
    let environment = Environment::system();
    instance::init(&dir, None, &environment).await?;
    std::fs::write(dir.settings_file(), "[limits]\nrequests_per_hour = 0\n")
        .context("can't write the settings")?;
    let instance = Instance::open(&dir, Settings::default(), environment.clone())?;
    let workspace = instance.workspace(None).await?;
    let operator = instance.operator(&workspace);
    let seeder = Seeder {
        store: instance.store(),
        instance: instance.store(),
        jobs: instance.jobs(),
        operator: &operator,
        clock: environment.clock.as_ref(),
        random: environment.random.as_ref(),
    };
    seeder.fill(flags.findings, flags.identities).await?;
    if flags.print_key {
        let call = CallRecord::new("cli", "seed", "{}");
        let issued = instance
            .watchpost()
            .create_key(&operator, "bench", KeyScope::Read, Expiry::Never, 10, call)
            .await?;
        writeln!(std::io::stdout(), "{}", issued.key.reveal())?;
    }
    instance.store().close();
    Ok(())
}
