//! Serves MCP to one local client on standard input and output, and runs a worker. Logs go to standard error.

use clap::Parser;
use std::process::ExitCode;
use watchpost_runtime::launch::{self, StdioFlags};

/// Serves Watchpost over standard input and output to the client that starts it.
///
/// The API key in WATCHPOST_API_KEY determines workspace and scope. Without a key, the client acts as the local operator,
/// in the only workspace or the one named by --workspace.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    #[command(flatten)]
    stdio: StdioFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    launch::exit_code(launch::stdio(&flags.stdio))
}
