//! `watchpost integrations`: connected platforms.

mod add;
mod change;
mod credential;
mod fields;
mod list;
mod shrink;
mod verify;

use crate::{
    failure::{code, fail},
    output::Output,
    session::Session,
    text,
};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use std::io::{self, Write as _};
use watchpost_core::{
    integration::{IntegrationAction, fact::Dataset},
    value::{id::IntegrationId, word::Platform},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Integrations {
    /// Connects a platform; on a terminal, asks for missing values
    Add(add::Add),
    /// Lists integrations with their state
    List,
    /// Verifies the credentials with the vendor, and shows what each missing permission prevents
    Verify {
        /// Only this integration: its id, or its platform if that is connected only once
        which: Option<String>,
    },
    /// Replaces the credential of an integration; its ids, findings and your decisions about them stay
    SetCredential(credential::SetCredential),
    /// Confirms that a list at the vendor is as short as it was last read, so that the next sync removes the rest
    ConfirmShrink {
        /// The integration's id, or its platform if that is connected only once
        which: String,
        /// The dataset that shrank, as `watchpost integrations list` and `watchpost doctor` name it
        dataset: Dataset,
        /// Don't ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Stops syncs of an integration and keeps its data
    Pause {
        /// The integration's id, or its platform if that is connected only once
        which: String,
    },
    /// Resumes syncs of a paused integration
    Resume {
        /// The integration's id, or its platform if that is connected only once
        which: String,
    },
    /// Deletes an integration with its data and credentials; `set-credential` replaces only the credential
    Remove {
        /// The integration's id, or its platform if that is connected only once
        which: String,
        /// Don't ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(command: Integrations, session: &Session, output: Output) -> Result<()> {
    match command {
        Integrations::Add(args) => add::run(args, session, output).await,
        Integrations::List => list::run(session, output).await,
        Integrations::Verify { which } => verify::run(which.as_deref(), session, output).await,
        Integrations::SetCredential(args) => credential::run(args, session, output).await,
        Integrations::ConfirmShrink { which, dataset, yes } => {
            shrink::run(&which, dataset, yes, session, output).await
        }
        Integrations::Pause { which } => change::run(&which, IntegrationAction::Pause, session, output).await,
        Integrations::Resume { which } => {
            change::run(&which, IntegrationAction::Resume, session, output).await
        }
        Integrations::Remove { which, yes } => {
            if !yes {
                change::confirm_removal()?;
            }
            change::run(&which, IntegrationAction::Remove, session, output).await
        }
    }
}

/// Finds an integration by its id, or by its platform if that is connected only once.
async fn find(which: &str, session: &Session) -> Result<IntegrationId> {
    if let Ok(id) = which.parse() {
        return Ok(id);
    }
    let platform: Platform = which
        .parse()
        .map_err(|_| fail(code::USAGE, text::integrations::neither_id_nor_platform(which)))?;
    let read = session.watchpost.integrations(&session.scope).await;
    let (rows, ..) = session.read("integration.read", "integrations", read).await?;
    let matching: Vec<_> = rows.iter().filter(|row| row.platform == platform).collect();
    match matching.as_slice() {
        [one] => Ok(one.id),
        [] => Err(fail(code::NOT_FOUND, text::integrations::not_connected(platform))),
        _ => {
            let ids: Vec<_> = matching.iter().map(|row| row.id.to_string()).collect();
            Err(fail(
                code::USAGE,
                text::integrations::connected_several_times(platform, &ids),
            ))
        }
    }
}

/// Asks a question on standard error and reads the answer from standard input.
fn ask(question: &str) -> Result<String> {
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context(text::UNREADABLE_TERMINAL)?;
    Ok(line)
}
