//! `watchpost imports`: imported results, and where they differ from Watchpost's own verdicts.

mod disagreements;
mod list;
mod results;

pub(crate) use self::list::batch_json;

use crate::{output::Output, session::Session};
use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Imports {
    /// Lists imported batches, newest import first
    List(list::List),
    /// Lists the results in a batch
    Results(results::Results),
    /// Lists checks whose verdict in another tool's latest run differs from that of Watchpost's latest scan
    Disagreements(disagreements::Disagreements),
}

pub(crate) async fn run(command: Imports, session: &Session, output: Output) -> Result<()> {
    match command {
        Imports::List(args) => list::run(args, session, output).await,
        Imports::Results(args) => results::run(args, session, output).await,
        Imports::Disagreements(args) => disagreements::run(&args, session, output).await,
    }
}
