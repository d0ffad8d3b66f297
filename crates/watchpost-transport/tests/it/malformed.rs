//! Sends every file of `fixtures/mcp/malformed` over every transport. The response must be a valid error or the
//! right rejection, and the next message must be served normally.

mod bytes;
mod corpus;
mod headers;
mod messages;
mod params;
mod repaired;
mod replay;
