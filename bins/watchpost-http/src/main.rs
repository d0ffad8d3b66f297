//! Serves MCP to many clients over streamable HTTP and HTTP+SSE, and runs the worker for syncs, analyses and scans.

use clap::Parser;
use std::process::ExitCode;
use watchpost_runtime::launch::{self, HttpFlags, Surface};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves Watchpost over streamable HTTP and HTTP+SSE.
///
/// Settings come from flags, then from environment variables such as WATCHPOST_HTTP_LISTEN, then from watchpost.toml in
/// the data folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    #[command(flatten)]
    http: HttpFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    launch::exit_code(launch::http(&flags.http, Surface::Everything))
}
