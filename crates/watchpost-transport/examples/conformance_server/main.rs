//! A whole server built on the two crates alone: tools, prompts, resources, completion, subscriptions, questions to
//! the person, tasks. It exposes what the public MCP conformance suite asks for, without keys, so it listens on
//! loopback only: `conformance_server --listen 127.0.0.1:PORT`, until killed. The endpoint is `/mcp`.
//!
//! `environment.rs` is what a program brings along for the transport; everything else is the server itself, written
//! once for all revisions.

mod asking;
mod environment;
mod prompts;
mod resources;
mod tasks;
mod tools;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::net::TcpListener;
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, ChangeHub, Changes, Completed, Handler, Interest,
    Method, Offer, Outcome, ParameterHeaders, Server, ServerInfo, ToolCatalog, ToolPage,
};
use watchpost_transport::{Config, Service, SessionKey, StateKeys, serve};

use crate::environment::{Open, Unpredictable, Wall};
use crate::tasks::Tasks;

/// Nothing here depends on the caller, and nothing lasts.
const CACHE: CacheHint = CacheHint {
    ttl_ms: 1_000,
    scope: CacheScope::Public,
};

struct Fixture {
    info: ServerInfo,
    catalog: Arc<ToolCatalog>,
    hub: ChangeHub,
    tasks: Arc<Tasks>,
    /// How often a tool has said that something changed.
    changes: AtomicU64,
}

impl Fixture {
    fn new() -> Self {
        let hub = ChangeHub::new();
        Self {
            info: ServerInfo {
                name: "conformance-server".to_owned(),
                title: None,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                description: None,
                website_url: None,
            },
            catalog: Arc::new(ToolCatalog::new(tools::definitions()).expect("the tools are well-formed")),
            tasks: Arc::new(Tasks::new(hub.clone())),
            hub,
            changes: AtomicU64::new(0),
        }
    }
}

impl Handler for Fixture {
    type Principal = ();

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tools: Offer::Changing,
            prompts: Offer::Changing,
            resources: Offer::Changing,
            resource_subscriptions: true,
            completions: true,
            logging: true,
            tasks: true,
        }
    }

    fn instructions(&self, (): &()) -> Option<Cow<'_, str>> {
        None
    }

    fn parameter_headers(&self) -> ParameterHeaders {
        self.catalog.parameter_headers().clone()
    }

    fn watch(&self, (): &(), interest: &Interest) -> Box<dyn Changes> {
        self.hub.open(interest)
    }

    async fn call(&self, (): &(), call: Call<'_>) -> Outcome {
        let completed = match &call.method {
            // Everything fits on one page, so no cursor was ever given out.
            Method::ListTools { cursor: Some(_) }
            | Method::ListPrompts { cursor: Some(_) }
            | Method::ListResources { cursor: Some(_) }
            | Method::ListResourceTemplates { cursor: Some(_) } => Err(CallError::InvalidCursor),
            Method::ListTools { .. } => Ok(Completed::Tools(ToolPage {
                catalog: Arc::clone(&self.catalog),
                next_cursor: None,
                cache: CACHE,
            })),
            Method::CallTool { name, arguments } => {
                return tools::call(self, name, *arguments, &call.meta).await;
            }
            Method::ListPrompts { .. } => Ok(Completed::Prompts(prompts::list())),
            Method::GetPrompt { name, arguments } => return prompts::get(name, arguments, &call.meta),
            Method::Complete(query) => prompts::complete(query).map(Completed::Completion),
            Method::ListResources { .. } => Ok(Completed::Resources(resources::list())),
            Method::ListResourceTemplates { .. } => Ok(Completed::ResourceTemplates(resources::templates())),
            Method::ReadResource { uri } => resources::read(self, uri).map(Completed::Resource),
            Method::Subscribe { .. } | Method::Unsubscribe { .. } | Method::Listen { .. } => {
                Ok(Completed::Acknowledged)
            }
            Method::GetTask { id } => self.tasks.get(id).map(Completed::Task),
            Method::UpdateTask { id, answers } => {
                self.tasks.update(id, answers).map(|()| Completed::Acknowledged)
            }
            Method::CancelTask { id } => self.tasks.cancel(id).map(|()| Completed::Acknowledged),
        };
        match completed {
            Ok(completed) => Outcome::Complete(completed),
            Err(error) => Outcome::Error(error),
        }
    }
}

/// Reads `--listen ADDRESS`; only loopback will do, since everybody is let in.
fn listen_address() -> Result<SocketAddr, String> {
    let mut arguments = std::env::args().skip(1);
    let (Some("--listen"), Some(address), None) =
        (arguments.next().as_deref(), arguments.next(), arguments.next())
    else {
        return Err("usage: conformance_server --listen 127.0.0.1:PORT".to_owned());
    };
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("`{address}` isn't an address with a port like 127.0.0.1:8080"))?;
    if !address.ip().is_loopback() {
        return Err(format!("{address} isn't on loopback, and there are no keys here"));
    }
    Ok(address)
}

#[expect(clippy::print_stdout, reason = "a program that says where it listens")]
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
