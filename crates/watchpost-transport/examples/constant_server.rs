//! A server whose only tool returns a constant, without keys, on loopback. It measures the cost of the
//! transport and the protocol alone. Run `constant_server [ADDRESS] [ANSWER_BYTES]`; it runs until it is
//! killed.

mod environment;

use crate::environment::{Open, Unpredictable, Wall};
use std::{borrow::Cow, sync::Arc};
use tokio::net::TcpListener;
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, Completed, Handler, Method, Offer, Outcome, Server,
    ServerInfo, ToolCatalog, ToolDefinition, ToolHints, ToolPage, ToolResult,
};
use watchpost_transport::{Config, Service, SessionKey, StateKeys, serve};

/// The allocator that the real servers use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Constant {
    info: ServerInfo,
    catalog: Arc<ToolCatalog>,
    result: ToolResult,
}

impl Handler for Constant {
    type Principal = ();

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tools: Offer::Fixed,
            ..Capabilities::default()
        }
    }

    fn instructions(&self, (): &()) -> Option<Cow<'_, str>> {
        None
    }

    async fn call(&self, (): &(), call: Call<'_>) -> Outcome {
        Outcome::Complete(match call.method {
            Method::CallTool { .. } => Completed::Tool(self.result.clone()),
            Method::ListTools { .. } => Completed::Tools(ToolPage {
                catalog: Arc::clone(&self.catalog),
                next_cursor: None,
                cache: CacheHint {
                    ttl_ms: 0,
                    scope: CacheScope::Public,
                },
            }),
            // The other methods' capabilities aren't declared, so they are never called.
            _ => return Outcome::Error(CallError::Internal),
        })
    }
}

#[expect(clippy::print_stdout, reason = "the program prints its address")]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let bytes = arguments
        .next()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(1_000);

    let info = ServerInfo {
        name: "constant".to_owned(),
        title: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: None,
        website_url: None,
        icon: None,
    };
    let tool = ToolDefinition {
        name: "get_risk_score".to_owned(),
        title: None,
        description: "Returns a constant.".to_owned(),
        input_schema: serde_json::value::to_raw_value(&serde_json::json!({"type": "object"}))
            .expect("a literal serializes"),
        output_schema: None,
        hints: ToolHints {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    };
    let catalog = Arc::new(ToolCatalog::new(vec![tool]).expect("the tool is well-formed"));
    let text = format!("{{\\\"text\\\":\\\"{}\\\"}}", "x".repeat(bytes));
    let mut result = ToolResult::text(&text);
    result.structured = Some(format!("{{\"text\":\"{}\"}}", "x".repeat(bytes)).into());
    let server = Arc::new(Server::new(Constant {
        info,
        catalog,
        result,
    }));

    let config = Config::new(
        SessionKey::new(environment::key()),
        StateKeys::new(environment::key()),
        Arc::new(Wall::new()),
        Arc::new(Unpredictable),
    );
    let service = Service::new(config, Arc::new(Open), server, Open);
    let listener = TcpListener::bind(&address).await.expect("the address is free");
    println!(
        "http://{}/mcp",
        listener.local_addr().expect("a bound listener has an address")
    );
    serve(listener, service, std::future::pending()).await;
}
