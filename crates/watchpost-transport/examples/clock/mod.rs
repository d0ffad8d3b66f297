//! A server of one tool, and what a program brings along for the transports. The examples `clock_stdio`, `clock_http` and
//! `clock_sse` serve it, each on one transport.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, Completed, Handler, Method, Offer, Outcome, Server,
    ServerInfo, ToolCatalog, ToolDefinition, ToolHints, ToolPage, ToolResult,
};
use watchpost_transport::{Binding, Caller, Clock, Credential, Gate, Probes, Random, Refusal};

/// Tells the time to every client, whatever its revision.
pub(crate) struct ClockServer {
    info: ServerInfo,
    tools: Arc<ToolCatalog>,
}

impl Handler for ClockServer {
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
        match call.method {
            Method::ListTools { cursor: None } => Outcome::Complete(Completed::Tools(ToolPage {
                catalog: Arc::clone(&self.tools),
                next_cursor: None,
                cache: CacheHint {
                    ttl_ms: 60_000,
                    scope: CacheScope::Public,
                },
            })),
            Method::ListTools { .. } => Outcome::Error(CallError::InvalidCursor),
            Method::CallTool { name, .. } if name == "time" => {
                let text = format!("{} seconds since 1970", Local::default().unix_seconds());
                Outcome::Complete(Completed::Tool(ToolResult::text(&text)))
            }
            Method::CallTool { .. } => Outcome::Error(CallError::UnknownTool),
            // Their capabilities aren't declared, so these are never asked for.
            _ => Outcome::Error(CallError::Internal),
        }
    }
}

/// The server, ready for any transport.
pub(crate) fn clock() -> Arc<Server<ClockServer>> {
    let time = ToolDefinition {
        name: "time".to_owned(),
        title: None,
        description: "Tells the time.".to_owned(),
        input_schema: RawValue::from_string(r#"{"type":"object"}"#.to_owned()).expect("it's JSON"),
        output_schema: None,
        hints: ToolHints {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    };
    Arc::new(Server::new(ClockServer {
        info: ServerInfo {
            name: "clock".to_owned(),
            title: None,
            version: "1.0.0".to_owned(),
            description: None,
            website_url: None,
        },
        tools: Arc::new(ToolCatalog::new(vec![time]).expect("the tool is well-formed")),
    }))
}

/// Lets everyone in, as nobody: for loopback alone.
#[derive(Debug)]
pub(crate) struct Open;

impl Gate for Open {
    type Principal = ();

    async fn admit(&self, _: Option<Credential<'_>>, _: &Caller<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn binding(&self, (): &()) -> Binding {
        Binding::new(b"nobody").expect("it's short")
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

/// The machine's clocks, and bytes that are good enough where everyone is let in. A server with keys takes them from
/// the operating system's generator.
#[derive(Debug)]
pub(crate) struct Local(Instant);

impl Default for Local {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Local {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn unix_seconds(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Random for Local {
    fn fill(&self, bytes: &mut [u8]) {
        use std::hash::{BuildHasher as _, Hasher as _};
        for chunk in bytes.chunks_mut(8) {
            let word = std::hash::RandomState::new()
                .build_hasher()
                .finish()
                .to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// A key for as long as the process lives.
pub(crate) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    Local::default().fill(&mut key);
    key
}
