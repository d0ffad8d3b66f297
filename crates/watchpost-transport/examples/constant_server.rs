//! Answers one tool with a constant, without keys, on loopback: what the transport and the protocol cost by
//! themselves. `constant_server [ADDRESS] [ANSWER_BYTES]`, until killed.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, Completed, Handler, Method, Offer, Outcome, Server,
    ServerInfo, ToolCatalog, ToolDefinition, ToolHints, ToolPage, ToolResult,
};
use watchpost_transport::{
    Binding, Caller, Clock, Config, Credential, Gate, Probes, Random, Refusal, Service, SessionKey,
    StateKeys, serve,
};

/// As the programs that serve have it.
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
            // Without their capability they never come here.
            _ => return Outcome::Error(CallError::Internal),
        })
    }
}

/// Lets everyone in, as nobody.
struct Open;

impl Gate for Open {
    type Principal = ();

    async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn binding(&self, (): &()) -> Binding {
        Binding::new(b"").expect("nothing fits")
    }

    async fn still_valid(&self, (): &()) -> bool {
        true
    }
}

impl Probes for Open {
    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn metrics(&self) -> String {
        String::new()
    }
}

/// Time since the start, and names that only this process needs to tell apart.
struct Local(Instant, AtomicU64);

impl Clock for Local {
    fn unix_seconds(&self) -> u64 {
        self.monotonic().as_secs()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Random for Local {
    fn fill(&self, bytes: &mut [u8]) {
        let n = self.1.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(n).for_each(|(byte, n)| *byte = n);
    }
}

#[expect(clippy::print_stdout, reason = "a program that says where it listens")]
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
    };
    let tool = ToolDefinition {
        name: "get_risk_score".to_owned(),
        title: None,
        description: "Always the same.".to_owned(),
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

    let local = Arc::new(Local(Instant::now(), AtomicU64::new(0)));
    let config = Config::new(
        SessionKey::new([0; 32]),
        StateKeys::new([0; 32]),
        Arc::<Local>::clone(&local),
        local,
    );
    let service = Service::new(config, Arc::new(Open), server, Open);
    let listener = TcpListener::bind(&address).await.expect("the address is free");
    println!(
        "http://{}/mcp",
        listener.local_addr().expect("a bound listener has an address")
    );
    serve(listener, service, std::future::pending()).await;
}
