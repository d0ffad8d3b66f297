//! The operator's command line: sets Watchpost up, connects platforms, lists findings and records decisions about them, and manages API
//! keys and the audit trail. Its changes are audited as those of the local operator.
//!
//! # What it does not do
//! It serves no clients: `watchpost-http`, `watchpost-sse` and `watchpost-stdio` do that.

mod command;
#[cfg(test)]
mod documents;
mod failure;
mod output;
mod session;
mod text;

use crate::{
    command::{
        apps, audit, audit::Audit, backup, client_config, config, doctor, exemption, findings, identity,
        import, imports, init, integrations, keys, policy, remediations, report, scan, schedule, score, sync,
    },
    output::Output,
    session::Session,
};
use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};
use watchpost_bridge::BridgeFlags;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Watchpost: the security posture of the platforms that your company runs on.
#[derive(Debug, Parser)]
#[command(name = "watchpost", version, propagate_version = true)]
struct Cli {
    /// The data folder, with the database, the master key and the settings
    #[arg(long, global = true, env = "WATCHPOST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The workspace, if the data folder holds more than one
    #[arg(long, global = true, env = "WATCHPOST_WORKSPACE")]
    workspace: Option<String>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Creates the data folder, the database and the master key
    Init(init::Init),
    /// API keys for assistants and other clients
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Connected platforms
    #[command(subcommand)]
    Integrations(integrations::Integrations),
    /// Reads the connected platforms now and analyzes the result
    Sync(sync::Sync),
    /// Shows the risk score with its explanation
    Score,
    /// Findings, and your decisions about them
    #[command(subcommand)]
    Findings(findings::Findings),
    /// Shows a person's accounts and findings on all platforms
    Identity(identity::Identity),
    /// Third-party apps and their policies
    #[command(subcommand)]
    Apps(apps::Apps),
    /// Remediations that were requested
    #[command(subcommand)]
    Remediations(remediations::Remediations),
    /// Scans of settings for compliance and exposure
    #[command(subcommand)]
    Scan(scan::ScanCommand),
    /// Writes a report on a scan, or on the difference between two scans
    Report(report::Report),
    /// Scheduled scans
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// Exemptions from checks
    #[command(subcommand)]
    Exemption(exemption::Exemption),
    /// Rules and checks, their test cases, and checks on an export
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Imports another scanner's result file
    Import(import::Import),
    /// Imported results, and where they differ from Watchpost's own verdicts
    #[command(subcommand)]
    Imports(imports::Imports),
    /// The audit trail
    #[command(subcommand)]
    Audit(Audit),
    /// Prints the configuration that connects an assistant
    ClientConfig(client_config::ClientConfig),
    /// Connects a desktop assistant over stdio to a server over HTTP
    Bridge(BridgeFlags),
    /// Copies the database and checks the copy, even while it is in use
    Backup(backup::Backup),
    /// Checks a backup and restores it into an empty data folder
    Restore(backup::Restore),
    /// Checks the installation and shows the next step for each problem
    Doctor(doctor::Doctor),
    /// Settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Prints the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Shows every setting with its value and origin
    Show,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.note(&text::cannot_start(&error));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(cli, output));
    // A read of standard input that is in progress can't be cancelled.
    runtime.shutdown_background();
    match done {
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
        Command::Bridge(flags) => watchpost_bridge::run(flags).await.map_err(failure::from_bridge),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "watchpost", &mut script);
            Ok(output.line(String::from_utf8_lossy(&script).trim_end())?)
        }
        Command::Init(args) => init::run(args, &location, output).await,
        Command::Config {
            command: ConfigCommand::Show,
        } => config::show(&location.settings()?, output),
        Command::Restore(args) => backup::restore(&args, &location, output).await,
        Command::Audit(Audit::Verify(args)) => audit::verify(args, &location, output).await,
        Command::Policy(command) => {
            let loaded = location.settings()?;
            policy::run(&command, loaded.settings.policy.dir.as_deref(), output)
        }
        Command::ClientConfig(args) => {
            let session = if location.is_initialized() && !args.is_list() {
                Some(Session::open(&location).await?)
            } else {
                None
            };
            let done =
                client_config::run(args, session.as_ref(), location.data_dir(), cli.workspace, output).await;
            close(session, done).await
        }
        Command::Backup(args) => {
            let sessions = Session::open_each(&location, false).await?;
            if let Some(session) = sessions.first() {
                warn_of_contradiction(session, output).await;
            }
            let done = backup::backup(&args, &sessions, output).await;
            close(sessions.into_iter().next(), done).await
        }
        Command::Doctor(args) => {
            let sessions = Session::open_each(&location, true).await?;
            let loaded = location.settings()?;
            let done = doctor::run(args, &sessions, &loaded, location.data_dir(), output).await;
            close(sessions.into_iter().next(), done).await
        }
        other => {
            let session = Session::open(&location).await?;
            warn_of_contradiction(&session, output).await;
            let done = with_session(other, &session, output).await;
            session.note_unknown_words();
            close(Some(session), done).await
        }
    }
}

/// Warns if the database contradicts its checkpoint.
async fn warn_of_contradiction(session: &Session, output: Output) {
    // A store that can't be read has an error of its own.
    let standing = session.history().standing().await.ok();
    if let Some(problem) = standing.and_then(|standing| standing.contradiction()) {
        output.alarm(&text::audit::contradiction(&problem));
    }
}

/// Flushes and closes the store, whether or not the command succeeded.
async fn close(session: Option<Session>, done: Result<()>) -> Result<()> {
    if let Some(session) = session {
        session.close().await;
    }
    done
}

async fn with_session(command: Command, session: &Session, output: Output) -> Result<()> {
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
        Command::Backup(_)
        | Command::Doctor(_)
        | Command::Bridge(_)
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
