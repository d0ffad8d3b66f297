//! The handler: the declared capabilities and the dispatch of methods.

use crate::{prompts, resources, tasks::Tasks, tools};
use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicU64},
};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, ChangeHub, Changes, Completed, Handler, Interest,
    Method, Offer, Outcome, ParameterHeaders, ServerInfo, ToolCatalog, ToolPage,
};

/// The cache hint: results are the same for every caller and may change at any time.
pub(crate) const CACHE: CacheHint = CacheHint {
    ttl_ms: 1_000,
    scope: CacheScope::Public,
};

/// The state of the server.
pub(crate) struct Fixture {
    info: ServerInfo,
    catalog: Arc<ToolCatalog>,
    pub(crate) hub: ChangeHub,
    pub(crate) tasks: Arc<Tasks>,
    /// The number of changes that tools have reported.
    pub(crate) changes: AtomicU64,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let hub = ChangeHub::new();
        Self {
            info: ServerInfo {
                name: "conformance-server".to_owned(),
                title: None,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                description: None,
                website_url: None,
                icon: None,
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
            // Every list fits on one page, so no cursor is ever issued.
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
            // Capabilities of later protocol versions aren't declared, so their methods are never called.
            _ => Err(CallError::Internal),
        };
        match completed {
            Ok(completed) => Outcome::Complete(completed),
            Err(error) => Outcome::Error(error),
        }
    }
}
