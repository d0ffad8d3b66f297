//! What a request asks a handler.

use crate::{change::Interest, completion::CompletionQuery, input::Inputs, json::RawJson};
use std::{borrow::Cow, collections::BTreeMap};

/// The methods that reach a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method<'a> {
    /// `tools/list`.
    ListTools {
        /// Where the page begins; `None` for the first. An empty string is a cursor.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool {
        /// The tool's name, not known to exist.
        name: Cow<'a, str>,
        /// A JSON object; `None` is the same as `{}`.
        arguments: Option<RawJson<'a>>,
    },
    /// `resources/list`.
    ListResources {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/templates/list`.
    ListResourceTemplates {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/read`.
    ReadResource {
        /// The address, not known to exist or to be one.
        uri: Cow<'a, str>,
    },
    /// `prompts/list`.
    ListPrompts {
        /// As with tools.
        cursor: Option<Cow<'a, str>>,
    },
    /// `prompts/get`.
    GetPrompt {
        /// The prompt's name, not known to exist.
        name: Cow<'a, str>,
        /// What the person filled in.
        arguments: BTreeMap<String, String>,
    },
    /// `completion/complete`.
    Complete(CompletionQuery<'a>),
    /// `resources/subscribe` of a legacy session: may it, and the entry of who did. The session remembers it; an
    /// unknown address is no error (mcp.md 13).
    Subscribe {
        /// The address, not known to exist or to be one.
        uri: Cow<'a, str>,
    },
    /// `resources/unsubscribe` of a legacy session.
    Unsubscribe {
        /// The address.
        uri: Cow<'a, str>,
    },
    /// `subscriptions/listen`: may it, and the entry of who did; [`Handler::watch`](crate::Handler::watch) follows.
    Listen {
        /// What of the wish this server offers.
        interest: &'a Interest,
    },
    /// `tasks/get`.
    GetTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
    },
    /// `tasks/update`: answers to what a task asked. Unknown keys, and those answered already, are ignored.
    UpdateTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
        /// The answers.
        answers: &'a Inputs,
    },
    /// `tasks/cancel`: a wish; the task may still end in another way.
    CancelTask {
        /// The task, not known to exist.
        id: Cow<'a, str>,
    },
}
