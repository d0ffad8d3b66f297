//! The handler behind every transport: finds the tool, checks its permission, runs it, and answers only once the
//! call's audit entry is committed.

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
    tool::Caller,
    tools::{self, TOOLS},
};
use catalog::catalog;
use std::{borrow::Cow, sync::Arc};
use watchpost_core::{
    access::{KeyScope, WorkspaceScope},
    audit::{AuditKey, AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    service::{Reader, Unrecorded, Watchpost},
};
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, CatalogError, Changes, Completed, Handler,
    Interest, Method, Offer, Outcome, PromptDefinition, RequestMeta, ServerInfo, ToolCatalog, ToolPage,
};

/// For how long a modern client may keep the list of tools, in milliseconds: it only changes with a new version or
/// another key.
const LIST_TTL_MS: u32 = 300_000;

/// The MCP server of Watchpost.
#[derive(Debug)]
pub struct McpServer {
    watchpost: Watchpost,
    cursors: CursorKey,
    audit_key: AuditKey,
    info: ServerInfo,
    /// The list for keys that may only read, and the list for keys that may act.
    read_list: Arc<ToolCatalog>,
    write_list: Arc<ToolCatalog>,
    prompts: Arc<[PromptDefinition]>,
    replies: ReplyCache,
    confirm: ConfirmMode,
    subscriptions: Arc<Subscriptions>,
}

impl McpServer {
    /// A server over the use cases.
    ///
    /// `cursors` and `audit_key` are derived from the master key, each for its purpose alone, and equal in all
    /// processes on one store. `version` is the program's.
    ///
    /// # Errors
    /// A tool's definition that no client should see: a bug, found when the server starts.
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
                description: Some("Answers questions about a company's security posture".into()),
                website_url: None,
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
        })
    }

    /// The same server with another rule about when a person is asked. The default is [`ConfirmMode::Risky`].
    #[must_use]
    pub const fn with_confirmation(mut self, policy: ConfirmMode) -> Self {
        self.confirm = policy;
        self
    }

    /// The tools that this caller may call, sorted by name.
    pub fn tools(&self, scope: &WorkspaceScope) -> &Arc<ToolCatalog> {
        if may_act(scope) {
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

    /// A caller who may hear of progress.
    fn caller_with<'c>(
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

    /// Stores the entry of a request that is no tool call: its action, and what was asked. Opens what was read once it
    /// is committed. `describe` says what the entry is about and how it ends.
    async fn record_request<T>(
        &self,
        scope: &WorkspaceScope,
        (action, what): (&'static str, &'static str),
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
                call: CallRecord::new("mcp", what, reduced.finish()),
            }
        };
        self.watchpost.record(scope, read, describe).await.map_err(|error| {
            tracing::error!(%error, what, "an audit entry could not be stored; the request is not answered");
            CallError::Internal
        })
    }

    /// The same for a request that reads nothing.
    async fn record_outcome(
        &self,
        scope: &WorkspaceScope,
        what: (&'static str, &'static str),
        reduced: Reduced<'_>,
        outcome: AuditOutcome,
    ) -> Result<(), CallError> {
        let describe = |(): &()| (AuditTarget::default(), outcome);
        self.record_request(scope, what, reduced, Unrecorded::new(()), describe)
            .await
    }

    /// A bug: the caller gets an id under which the log says what happened.
    fn incident(
        &self,
        tool: &'static str,
        source: &(dyn std::error::Error + Send + Sync + 'static),
    ) -> Outcome {
        Outcome::Error(CallError::Incident(self.log_incident(tool, source)))
    }

    /// Logs a bug and gives the id under which it stands there.
    fn log_incident(
        &self,
        tool: &'static str,
        source: &(dyn std::error::Error + Send + Sync + 'static),
    ) -> String {
        let incident = fence::incident_id(self.watchpost.random());
        let source: &(dyn std::error::Error + 'static) = source;
        tracing::error!(tool, incident, error = source, "a call failed inside Watchpost");
        incident
    }
}

/// Whether the caller may call any tool that takes a write key: which of the two lists it sees.
fn may_act(scope: &WorkspaceScope) -> bool {
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
        Some(Cow::Owned(instructions(may_act(scope))))
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
            // What a later protocol brings has a capability that isn't declared above: it never comes here.
            _ => Outcome::Error(CallError::Internal),
        }
    }
}
