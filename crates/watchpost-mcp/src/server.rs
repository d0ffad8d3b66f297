//! The handler behind every transport: finds the tool, checks its permission, runs it, and answers only after the call's
//! audit entry is committed.

mod calls;
mod catalog;
mod completion;
mod listening;
mod prompts;
mod resources;
mod tasks;
mod writes;

use crate::{
    arguments::Reduced,
    changes::Subscriptions,
    confirm::ConfirmMode,
    cursor::CursorKey,
    fence,
    instructions::instructions,
    reply_cache::ReplyCache,
    text,
    tool::Caller,
    tools::{self, TOOLS},
};
use catalog::catalog;
use std::{borrow::Cow, sync::Arc};
use watchpost_core::{
    access::{KeyScope, WorkspaceScope},
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    error::Error,
    log_sample::LogSample,
    service::{Reader, Unrecorded, Watchpost},
};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, CatalogError, Changes, Completed, Handler, Icon,
    Interest, Method, Offer, Outcome, PromptDefinition, RequestMeta, ServerInfo, ToolCatalog, ToolPage,
};

/// The icon beside the name: PNG, which every client that shows icons can show.
const ICON: Icon = Icon {
    bytes: include_bytes!("icon.png"),
    media_type: "image/png",
    size: "64x64",
};
/// The time for which a modern client may cache the list of tools, in milliseconds. The list changes only with a new
/// version or another key.
const LIST_TTL_MS: u32 = 300_000;

/// The MCP server of Watchpost.
#[derive(Debug)]
pub struct McpServer {
    watchpost: Watchpost,
    cursors: CursorKey,
    audit_key: AuditKey,
    info: ServerInfo,
    /// The tools for read keys.
    read_list: Arc<ToolCatalog>,
    /// The tools for write keys.
    write_list: Arc<ToolCatalog>,
    prompts: Arc<[PromptDefinition]>,
    replies: ReplyCache,
    confirm: ConfirmMode,
    subscriptions: Arc<Subscriptions>,
    outages: LogSample,
}

impl McpServer {
    /// Creates a server over the use cases.
    ///
    /// `cursors` and `audit_key` are derived from the master key, each for its purpose alone, and are the same in all
    /// processes on one store. `version` is the version of the binary.
    ///
    /// # Errors
    /// A tool's definition is invalid, which is a bug.
    pub fn new(
        watchpost: Watchpost,
        cursors: CursorKey,
        audit_key: AuditKey,
        version: &str,
    ) -> Result<Self, CatalogError> {
        Ok(Self {
            watchpost,
            cursors,
            audit_key,
            info: ServerInfo {
                name: "watchpost".into(),
                title: Some("Watchpost".into()),
                version: version.into(),
                description: Some(text::SERVER.into()),
                website_url: None,
                icon: Some(ICON),
            },
            read_list: catalog(
                TOOLS
                    .iter()
                    .filter(|tool| tool.declaration.permission.granted_to_scope(KeyScope::Read)),
            )?,
            write_list: catalog(TOOLS.iter())?,
            prompts: prompts::definitions(),
            replies: ReplyCache::default(),
            confirm: ConfirmMode::default(),
            subscriptions: Arc::default(),
            outages: LogSample::new(),
        })
    }

    /// Sets the mode of confirmation. The default is [`ConfirmMode::Risky`].
    #[must_use]
    pub const fn with_confirmation(mut self, mode: ConfirmMode) -> Self {
        self.confirm = mode;
        self
    }

    /// Returns the tools that this caller may call, sorted by name.
    pub fn tools(&self, scope: &WorkspaceScope) -> &Arc<ToolCatalog> {
        if may_write(scope) {
            &self.write_list
        } else {
            &self.read_list
        }
    }

    const fn caller<'c>(&'c self, scope: &'c WorkspaceScope, reader: &'c Reader) -> Caller<'c> {
        Caller {
            watchpost: &self.watchpost,
            scope,
            cursors: &self.cursors,
            audit_key: &self.audit_key,
            notify: None,
            reader,
        }
    }

    /// As [`Self::caller`], with the request's notifications of progress.
    fn caller_with_progress<'c>(
        &'c self,
        scope: &'c WorkspaceScope,
        reader: &'c Reader,
        meta: &'c RequestMeta<'_>,
    ) -> Caller<'c> {
        Caller {
            notify: Some(meta.notify()),
            ..self.caller(scope, reader)
        }
    }

    /// Stores the audit entry of a request other than a tool call, and returns what was read once the entry is committed.
    /// `describe` returns the entry's target and outcome.
    async fn record_request<T>(
        &self,
        scope: &WorkspaceScope,
        (action, method): (&'static str, &'static str),
        reduced: Reduced<'_>,
        read: Unrecorded<T>,
        describe: impl FnOnce(&T) -> (AuditTarget, AuditOutcome),
    ) -> Result<T, CallError> {
        let describe = |read: &T| {
            let (target, outcome) = describe(read);
            ReadRecord {
                action,
                target,
                outcome,
                call: CallRecord::new("mcp", method, reduced.text()),
            }
        };
        self.watchpost
            .record(scope, read, describe)
            .await
            .map_err(|error| {
                self.log_outage(method, &error);
                CallError::Unavailable(text::errors::AUDIT_UNAVAILABLE.into())
            })
    }

    /// As [`Self::record_request`], for a request that reads nothing.
    async fn record_outcome(
        &self,
        scope: &WorkspaceScope,
        names: (&'static str, &'static str),
        reduced: Reduced<'_>,
        outcome: AuditOutcome,
    ) -> Result<(), CallError> {
        let describe = |(): &()| (AuditTarget::default(), outcome);
        self.record_request(scope, names, reduced, Unrecorded::new(()), describe)
            .await
    }

    /// Logs an internal error and returns the error for the caller, which has the log's incident id.
    fn incident(
        &self,
        tool: &'static str,
        source: &(dyn std::error::Error + Send + Sync + 'static),
    ) -> Outcome {
        if let Some(error @ Error::Unavailable { source, .. }) = source.downcast_ref() {
            self.log_outage(tool, source.as_ref());
            return Outcome::Error(CallError::Unavailable(text::next_step::explained(error).into()));
        }
        Outcome::Error(CallError::Incident(self.log_incident(tool, source)))
    }

    /// Logs a sample of the requests that are not answered because the store can't be used: each request fails then, and
    /// the log must not fill the disk.
    fn log_outage(&self, tool: &'static str, source: &(dyn std::error::Error + Send + Sync + 'static)) {
        if let Some(left_out) = self.outages.take(self.watchpost.clock().now()) {
            let source: &(dyn std::error::Error + 'static) = source;
            tracing::error!(
                tool,
                left_out,
                error = source,
                "the store can't be used; requests are not answered"
            );
        }
    }

    /// Logs an internal error and returns its incident id.
    fn log_incident(
        &self,
        tool: &'static str,
        source: &(dyn std::error::Error + Send + Sync + 'static),
    ) -> String {
        let incident = fence::incident_id(self.watchpost.random());
        let source: &(dyn std::error::Error + 'static) = source;
        tracing::error!(tool, incident, error = source, "a call hit an internal error");
        incident
    }
}

/// Whether the caller may call any tool that needs a write key, and so sees the longer list.
fn may_write(scope: &WorkspaceScope) -> bool {
    tools::write_tools().any(|tool| scope.may(tool.declaration.permission))
}

impl Handler for McpServer {
    type Principal = Arc<WorkspaceScope>;

    fn info(&self) -> &ServerInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            tools: Offer::Fixed,
            prompts: Offer::Fixed,
            resources: Offer::Changing,
            resource_subscriptions: true,
            completions: true,
            logging: false,
            tasks: true,
        }
    }

    fn instructions(&self, scope: &Arc<WorkspaceScope>) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(instructions(may_write(scope))))
    }

    fn watch(&self, scope: &Arc<WorkspaceScope>, interest: &Interest) -> Box<dyn Changes> {
        self.subscriptions.open(scope, &self.cursors, interest)
    }

    async fn call(&self, scope: &Arc<WorkspaceScope>, call: Call<'_>) -> Outcome {
        match call.method {
            Method::ListTools { cursor: Some(_) } => Outcome::Error(CallError::InvalidCursor),
            Method::ListTools { cursor: None } => Outcome::Complete(Completed::Tools(ToolPage {
                catalog: Arc::clone(self.tools(scope)),
                next_cursor: None,
                cache: CacheHint {
                    ttl_ms: LIST_TTL_MS,
                    scope: CacheScope::Private,
                },
            })),
            Method::CallTool { name, arguments } => {
                self.call_tool(scope, &name, arguments.map(|raw| raw.as_str()), &call.meta)
                    .await
            }
            Method::ListResources { cursor: Some(_) }
            | Method::ListResourceTemplates { cursor: Some(_) }
            | Method::ListPrompts { cursor: Some(_) } => Outcome::Error(CallError::InvalidCursor),
            Method::ListResources { cursor: None } => self.list_resources(scope).await,
            Method::ListResourceTemplates { cursor: None } => {
                Outcome::Complete(Completed::ResourceTemplates(crate::resources::templates()))
            }
            Method::ReadResource { uri } => self.read_resource(scope, &uri).await,
            Method::ListPrompts { cursor: None } => self.list_prompts(),
            Method::GetPrompt { name, arguments } => self.get_prompt(scope, &name, &arguments).await,
            Method::Complete(query) => self.complete(scope, &query).await,
            Method::Subscribe { uri } => self.subscribe(scope, &uri).await,
            Method::Unsubscribe { uri } => self.unsubscribe(scope, &uri).await,
            Method::Listen { interest } => self.listen(scope, interest).await,
            Method::GetTask { id } => self.get_task(scope, &id).await,
            Method::UpdateTask { id, .. } => self.update_task(scope, &id).await,
            Method::CancelTask { id } => self.cancel_task(scope, &id).await,
            // A method of a later protocol needs a capability that isn't declared above, so none arrives here.
            _ => Outcome::Error(CallError::Internal),
        }
    }
}
