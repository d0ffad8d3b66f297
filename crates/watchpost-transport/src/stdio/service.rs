//! The configuration of the stdio transport.

use crate::{
    config::{Limits, Timing},
    environment::{Clock, Random},
    gate::{Gate, Refusal},
    sessions::states::StateKeys,
};
use std::sync::Arc;
use watchpost_protocol::Server;

/// The service for the one client of this process.
pub struct StdioService<G: Gate, H> {
    /// The server. It may serve other transports too.
    pub server: Arc<Server<H>>,
    /// The gate. It is asked before each request whether the principal is still valid.
    pub gate: Arc<G>,
    /// The result of the gate's check at the start. If it is a refusal, the client stays connected and each of
    /// its requests is answered with an error that gives the reason. If the principal becomes invalid later,
    /// the following requests are rejected.
    pub admission: Result<G::Principal, Refusal>,
    /// The limits. Only `message_bytes` and `calls_per_stream` are used.
    pub limits: Limits,
    /// The timing. Only `stop_grace`, `client_answer` and `revocation_check` are used.
    pub timing: Timing,
    /// The keys that seal state sent through modern clients.
    pub state_keys: StateKeys,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness for nonces.
    pub random: Arc<dyn Random>,
}
