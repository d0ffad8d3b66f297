//! The operator's command line: sets Watchpost up, connects platforms, shows and decides what was found, and looks after keys and the
//! audit trail. What it changes is audited as the local operator.
//!
//! # What it does not do
//! It serves nobody: `watchpost-http` and `watchpost-stdio` do.

mod command;
#[cfg(test)]
mod documents;
mod failure;
mod next;
mod output;
mod session;

use crate::{
    command::{
        apps, audit, backup, bridge, client_config, config, doctor, exemption, findings, identity, import,
        imports, init, integrations, keys, policy, remediations, report, scan, schedule, score, sync,
    },
    output::Output,
    session::Session,
};
use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Watchpost: the security posture of what your company runs on.
#[derive(Debug, Parser)]
#[command(name = "watchpost", version, propagate_version = true)]
struct Cli {
    /// The folder that holds the database and the master key
    #[arg(long, global = true, env = "WATCHPOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The workspace, where the file holds several
    #[arg(long, global = true, env = "WATCHPOST_WORKSPACE")]
    workspace: Option<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the data folder, the database and the master key
    Init(init::Init),
    /// API keys for assistants and programs
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Connected platforms
    #[command(subcommand)]
    Integrations(integrations::Integrations),
    /// Reads the platforms now and judges what was read
    Sync(sync::Sync),
    /// The risk score with its explanation
    Score,
    /// What was found, and your decisions about it
    #[command(subcommand)]
    Findings(findings::Findings),
    /// A person over all platforms
    Identity(identity::Identity),
    /// Third-party apps and what you decided about them
    #[command(subcommand)]
    Apps(apps::Apps),
    /// Remediations that were asked for
    #[command(subcommand)]
    Remediations(remediations::Remediations),
    /// Scans of settings: compliance with frameworks, and exposure
    #[command(subcommand)]
    Scan(scan::ScanCommand),
    /// Writes a report on a scan, or on the difference of two
    Report(report::Report),
    /// Scans that start by themselves
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// What checks leave out, agreed by a person, with an end
    #[command(subcommand)]
    Exemption(exemption::Exemption),
    /// The rules and checks, their tests, and checks on an export
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Takes in another scanner's result file
    Import(import::Import),
    /// What was taken in, and where it differs from our own verdicts
    #[command(subcommand)]
    Imports(imports::Imports),
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
    /// What to paste into an assistant
    ClientConfig(client_config::ClientConfig),
    /// Speaks stdio to a desktop assistant and HTTP to a server
    Bridge(bridge::Bridge),
    /// Copies the database while it is in use
    Backup(backup::Backup),
    /// Puts a backup into an empty data folder
    Restore(backup::Restore),
    /// Says what is in order and what isn't
    Doctor(doctor::Doctor),
    /// The settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Writes completions for a shell to standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Every setting, its value, and where that came from
    Show,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.note(&format!("error: can't start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.note(&format!("error: {error:#}"));
            ExitCode::from(failure::exit_code(&error).number())
        }
    }
}

async fn run(cli: Cli, output: Output) -> Result<()> {
    let location = session::Location::find(cli.data_dir.as_deref(), cli.workspace.clone())?;
    match cli.command {
        Command::Bridge(args) => bridge::run(args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "watchpost", &mut script);
            Ok(output.line(String::from_utf8_lossy(&script).trim_end())?)
        }
        Command::Init(args) => init::run(args, &location, output).await,
        Command::Config {
            command: ConfigCommand::Show,
        } => config::show(&location.settings()?, output),
        Command::Restore(args) => backup::restore(&args, &location, output),
        Command::Policy(command) => {
            let loaded = location.settings()?;
            policy::run(&command, loaded.settings.policy.dir.as_deref(), output)
        }
        Command::ClientConfig(args) => {
            let session = if location.is_initialized() {
                Some(Session::open(&location).await?)
            } else {
                None
            };
            let done =
                client_config::run(args, session.as_ref(), location.data_dir(), cli.workspace, output).await;
            close(session, done).await
        }
        other => {
            let session = Session::open(&location).await?;
            let done = with_session(other, &session, &location, output).await;
            close(Some(session), done).await
        }
    }
}

/// Flushes and closes the store whatever came of the command.
async fn close(session: Option<Session>, done: Result<()>) -> Result<()> {
    if let Some(session) = session {
        session.close().await;
    }
    done
}

async fn with_session(
    command: Command,
    session: &Session,
    location: &session::Location,
    output: Output,
) -> Result<()> {
    match command {
        Command::Keys(command) => keys::run(command, session, output).await,
        Command::Integrations(command) => integrations::run(command, session, output).await,
        Command::Sync(args) => sync::run(args, session, output).await,
        Command::Score => score::run(session, output).await,
        Command::Findings(command) => findings::run(command, session, output).await,
        Command::Identity(args) => identity::run(args, session, output).await,
        Command::Apps(command) => apps::run(command, session, output).await,
        Command::Remediations(command) => remediations::run(command, session, output).await,
        Command::Scan(command) => scan::run(command, session, output).await,
        Command::Report(args) => report::run(args, session, output).await,
        Command::Schedule(command) => schedule::run(command, session, output).await,
        Command::Exemption(command) => exemption::run(command, session, output).await,
        Command::Import(args) => import::run(args, session, output).await,
        Command::Imports(command) => imports::run(command, session, output).await,
        Command::Audit(command) => audit::run(command, session, output).await,
        Command::Backup(args) => backup::backup(&args, session, output).await,
        Command::Doctor(args) => {
            doctor::run(args, session, &location.settings()?, location.data_dir(), output).await
        }
        Command::Bridge(_)
        | Command::Completions { .. }
        | Command::Init(_)
        | Command::Config { .. }
        | Command::Restore(_)
        | Command::Policy(_)
        | Command::ClientConfig(_) => {
            unreachable!("handled before a store is opened")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
