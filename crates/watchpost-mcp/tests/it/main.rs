//! Tests of the MCP server through its public interface.

mod declarations;
