//! Serves the clock over Streamable HTTP and HTTP+SSE until it is killed: run `cargo run --example clock_http`
//! and connect an MCP client to the printed address.

mod clock;
mod environment;

use crate::environment::{Open, Unpredictable, Wall};
use std::sync::Arc;
use tokio::net::TcpListener;
use watchpost_transport::{Config, Service, SessionKey, StateKeys, serve};

#[expect(clippy::print_stdout, reason = "the program prints its address")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let config = Config::new(
        SessionKey::new(environment::key()),
        StateKeys::new(environment::key()),
        Arc::new(Wall::new()),
        Arc::new(Unpredictable),
    );
    let service = Service::new(config, Arc::new(Open), clock::clock(), Open);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/mcp", listener.local_addr()?);
    serve(listener, service, std::future::pending()).await;
    Ok(())
}
