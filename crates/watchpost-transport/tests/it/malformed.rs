//! Every file of `fixtures/mcp/malformed` over every transport: a legal error or the right refusal, and then the
//! next message is served as if nothing had been.

mod bytes;
mod corpus;
mod headers;
mod messages;
mod params;
mod replay;
