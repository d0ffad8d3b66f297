//! A server with one tool. The examples `clock_stdio`, `clock_http` and `clock_sse` serve it, each on one
//! transport.

use crate::environment::unix_millis;
use serde_json::value::RawValue;
use std::{borrow::Cow, sync::Arc};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, Completed, Handler, Method, Offer, Outcome, Server,
    ServerInfo, ToolCatalog, ToolDefinition, ToolHints, ToolPage, ToolResult,
};

/// A server that returns the current time to clients of every revision.
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
                let text = format!("{} seconds since 1970", unix_millis() / 1_000);
                Outcome::Complete(Completed::Tool(ToolResult::text(&text)))
            }
            Method::CallTool { .. } => Outcome::Error(CallError::UnknownTool),
            // The other methods' capabilities aren't declared, so they are never called.
            _ => Outcome::Error(CallError::Internal),
        }
    }
}

/// Creates the server, which can be used with any transport.
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
            icon: None,
        },
        tools: Arc::new(ToolCatalog::new(vec![time]).expect("the tool is well-formed")),
    }))
}
