//! `watchpost integrations`: connecting platforms.

mod add;
mod change;
mod list;
mod verify;

use crate::{
    failure::{code, fail},
    output::Output,
    session::Session,
};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::io::{self, Write as _};
use watchpost_core::{
    integration::IntegrationAction,
    value::{id::IntegrationId, word::Platform},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Integrations {
    /// Connects a platform; asks for what isn't given, if there is a terminal
    Add(add::Add),
    /// Lists integrations with their state
    List,
    /// Asks the vendor whether the credentials are good, and says what each missing permission costs
    Verify {
        /// Only this integration: its id, or its platform where that is connected once
        which: Option<String>,
    },
    /// Stops syncing; data is kept
    Pause {
        /// The integration's id, or its platform where that is connected once
        which: String,
    },
    /// Syncs again
    Resume {
        /// The integration's id, or its platform where that is connected once
        which: String,
    },
    /// Deletes an integration with its data and credentials
    Remove {
        /// The integration's id, or its platform where that is connected once
        which: String,
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(command: Integrations, session: &Session, output: Output) -> Result<()> {
    match command {
        Integrations::Add(args) => add::run(args, session, output).await,
        Integrations::List => list::run(session, output).await,
        Integrations::Verify { which } => verify::run(which.as_deref(), session, output).await,
        Integrations::Pause { which } => {
            change::run(&which, IntegrationAction::Pause, "paused", session, output).await
        }
        Integrations::Resume { which } => {
            change::run(&which, IntegrationAction::Resume, "resumed", session, output).await
        }
        Integrations::Remove { which, yes } => {
            if !yes {
                change::confirm_removal()?;
            }
            change::run(&which, IntegrationAction::Remove, "removed", session, output).await
        }
    }
}

/// The integration that a person named: by id, or by platform where that is connected once.
async fn find(which: &str, session: &Session) -> Result<IntegrationId> {
    if let Ok(id) = which.parse() {
        return Ok(id);
    }
    let platform: Platform = which.parse().map_err(|_| {
        fail(
            code::USAGE,
            format!("`{which}` is neither an id nor a platform: `watchpost integrations list` shows both"),
        )
    })?;
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session.read("integration.read", "integrations", read).await?;
    let fitting: Vec<_> = rows.iter().filter(|row| row.platform == platform).collect();
    match fitting.as_slice() {
        [one] => Ok(one.id),
        [] => Err(fail(
            code::NOT_FOUND,
            format!("{} is not connected", platform.title()),
        )),
        _ => {
            let ids: Vec<_> = fitting.iter().map(|row| row.id.to_string()).collect();
            Err(fail(
                code::USAGE,
                format!(
                    "{} is connected {} times; name one: {}",
                    platform.title(),
                    ids.len(),
                    ids.join(", ")
                ),
            ))
        }
    }
}

/// Asks a question on standard error and reads the line that is typed.
fn ask(question: &str) -> Result<String> {
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context("can't read from the terminal")?;
    Ok(line)
}
