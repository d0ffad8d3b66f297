//! One local MCP client on standard input and output, with a worker of its own. Logs go to standard error.

use clap::Parser;
use std::process::ExitCode;
use watchpost_runtime::launch::{self, StdioFlags};

/// Serves Watchpost to the program that started this one, over standard input and output.
///
/// WATCHPOST_API_KEY decides workspace and scope. Without it the client is the local operator of the one workspace in
/// the data folder.
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
