//! Serves the clock to one client on standard input and output:
//!
//! ```text
//! echo '{"jsonrpc":"2.0","id":1,"method":"ping"}' | cargo run --example clock_stdio
//! ```

mod clock;
mod environment;

use crate::environment::{Open, Unpredictable, Wall};
use std::sync::Arc;
use watchpost_transport::{Limits, StateKeys, StdioService, Timing, serve_stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let service = StdioService {
        server: clock::clock(),
        gate: Arc::new(Open),
        admission: Ok(()),
        limits: Limits::default(),
        timing: Timing::default(),
        state_keys: StateKeys::new(environment::key()),
        clock: Arc::new(Wall::new()),
        random: Arc::new(Unpredictable),
    };
    serve_stdio(
        service,
        tokio::io::stdin(),
        tokio::io::stdout(),
        std::future::pending(),
    )
    .await
}
