//! What serves one local client.

use crate::{
    config::{Limits, Timing},
    environment::{Clock, Random},
    gate::{Gate, Refusal},
    sessions::states::StateKeys,
};
use std::sync::Arc;
use watchpost_protocol::Server;

/// What serves the one client of this process.
pub struct StdioService<G: Gate, H> {
    /// The server, which may serve other transports too.
    pub server: Arc<Server<H>>,
    /// Asked before each request whether the principal is still valid.
    pub gate: Arc<G>,
    /// What the gate said at the start. After a refusal the client stays connected, and each of its requests
    /// is answered with an error that says why. A principal that stops being valid later is refused from
    /// then on.
    pub admission: Result<G::Principal, Refusal>,
    /// Of these, `message_bytes` and `calls_per_stream` count.
    pub limits: Limits,
    /// Of these, `stop_grace`, `client_answer` and `revocation_check` count.
    pub timing: Timing,
    /// Seals what travels through modern clients.
    pub state_keys: StateKeys,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The generator for nonces.
    pub random: Arc<dyn Random>,
}
