//! A server that uses only the protocol and transport crates, with tools, prompts, resources, completion,
//! subscriptions, questions to the user, and tasks. It offers what the public MCP conformance suite tests. It
//! requires no keys, so it listens on loopback addresses only: `conformance_server --listen 127.0.0.1:PORT`,
//! until it is killed. The endpoint is `/mcp`.
//!
//! `../environment` contains what a program provides for the transport. The other modules are the server,
//! written once for all revisions.

mod asking;
#[path = "../environment/mod.rs"]
mod environment;
mod fixture;
mod prompts;
mod resources;
mod tasks;
mod tools;

use crate::{
    environment::{Open, Unpredictable, Wall},
    fixture::{CACHE, Fixture},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use watchpost_protocol::Server;
use watchpost_transport::{Config, Service, SessionKey, StateKeys, serve};

/// Reads `--listen ADDRESS`. Accepts only loopback addresses, because the server admits every client.
fn listen_address() -> Result<SocketAddr, String> {
    let mut arguments = std::env::args().skip(1);
    let (Some("--listen"), Some(address), None) =
        (arguments.next().as_deref(), arguments.next(), arguments.next())
    else {
        return Err("usage: conformance_server --listen 127.0.0.1:PORT".to_owned());
    };
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("`{address}` isn't an address with a port, such as 127.0.0.1:8080"))?;
    if !address.ip().is_loopback() {
        return Err(format!(
            "{address} isn't a loopback address; this server requires no keys, so it listens on loopback only"
        ));
    }
    Ok(address)
}

#[expect(clippy::print_stdout, reason = "the program prints its address")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(listen_address()?).await?;
    let config = Config::new(
        SessionKey::new(environment::key()),
        StateKeys::new(environment::key()),
        Arc::new(Wall::new()),
        Arc::new(Unpredictable),
    );
    let service = Service::new(
        config,
        Arc::new(Open),
        Arc::new(Server::new(Fixture::new())),
        Open,
    );
    println!("http://{}/mcp", listener.local_addr()?);
    serve(listener, service, std::future::pending()).await;
    Ok(())
}
