//! HTTP+SSE MCP alone, for clients that still need the old transport, with the worker that reads and judges.

use clap::Parser;
use std::process::ExitCode;
use watchpost_runtime::launch::{self, HttpFlags, Surface};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serves Watchpost over HTTP+SSE alone.
///
/// Settings come from flags, then from variables like WATCHPOST_HTTP_LISTEN, then from watchpost.toml in the data
/// folder.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    #[command(flatten)]
    http: HttpFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    launch::exit_code(launch::http(&flags.http, Surface::HttpSse))
}
