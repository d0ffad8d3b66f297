//! Tests of the MCP server through its public interface.
#![expect(clippy::unwrap_used, reason = "a panic in a fixture fails its test")]

mod arguments;
mod audit;
mod behaviour;
mod completions;
mod confirm;
mod declarations;
mod imports;
mod prompts;
mod resources;
mod safety;
mod scans;
mod store;
mod tasks;
mod world;
mod writes;
