//! `watchpost imports`: what was taken in, and where it differs from our own verdicts.

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
    /// Lists the results of a batch
    Results(results::Results),
    /// Lists checks about which another tool's latest run and our latest scan don't say the same
    Disagreements(disagreements::Disagreements),
}

pub(crate) async fn run(command: Imports, session: &Session, output: Output) -> Result<()> {
    match command {
        Imports::List(args) => list::run(args, session, output).await,
        Imports::Results(args) => results::run(args, session, output).await,
        Imports::Disagreements(args) => disagreements::run(&args, session, output).await,
    }
}
