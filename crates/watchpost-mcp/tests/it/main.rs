//! Tests of the MCP server through its public interface.

mod behaviour;
mod declarations;
mod safety;
mod store;
mod world;
