//! The methods that a handler serves.

use crate::{change::Interest, completion::CompletionQuery, input::Inputs, json::RawJson};
use std::{borrow::Cow, collections::BTreeMap};

/// A method that reaches a handler, with its parameters. Names, URIs and ids come from the client and may not
/// exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method<'a> {
    /// `tools/list`.
    ListTools {
        /// The position at which the page starts. `None` is the first page. An empty string is a cursor.
        cursor: Option<Cow<'a, str>>,
    },
    /// `tools/call`.
    CallTool {
        /// The name of the tool.
        name: Cow<'a, str>,
        /// The arguments, a JSON object. `None` means `{}`.
        arguments: Option<RawJson<'a>>,
    },
    /// `resources/list`.
    ListResources {
        /// The position at which the page starts, as in [`Method::ListTools`].
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/templates/list`.
    ListResourceTemplates {
        /// The position at which the page starts, as in [`Method::ListTools`].
        cursor: Option<Cow<'a, str>>,
    },
    /// `resources/read`.
    ReadResource {
        /// The URI of the resource. Its syntax hasn't been checked.
        uri: Cow<'a, str>,
    },
    /// `prompts/list`.
    ListPrompts {
        /// The position at which the page starts, as in [`Method::ListTools`].
        cursor: Option<Cow<'a, str>>,
    },
    /// `prompts/get`.
    GetPrompt {
        /// The name of the prompt.
        name: Cow<'a, str>,
        /// The values that the user filled in, by argument. An argument that is `null` is absent.
        arguments: BTreeMap<String, String>,
    },
    /// `completion/complete`.
    Complete(CompletionQuery<'a>),
    /// `resources/subscribe` of a legacy session. The handler checks permission and records the call; the
    /// transport stores the subscription. A URI that no resource has isn't an error.
    Subscribe {
        /// The URI of the resource. Its syntax hasn't been checked.
        uri: Cow<'a, str>,
    },
    /// `resources/unsubscribe` of a legacy session.
    Unsubscribe {
        /// The URI of the resource.
        uri: Cow<'a, str>,
    },
    /// `subscriptions/listen`. The handler checks permission and records the call.
    /// [`Handler::watch`](crate::Handler::watch) is called next.
    Listen {
        /// The part of the client's filter that this server offers.
        interest: &'a Interest,
    },
    /// `tasks/get`.
    GetTask {
        /// The id of the task.
        id: Cow<'a, str>,
    },
    /// `tasks/update`: answers to a task's questions. The handler ignores keys that are unknown or already
    /// answered.
    UpdateTask {
        /// The id of the task.
        id: Cow<'a, str>,
        /// The answers.
        answers: &'a Inputs,
    },
    /// `tasks/cancel`. Cancellation is cooperative: the task may still end in another way.
    CancelTask {
        /// The id of the task.
        id: Cow<'a, str>,
    },
}
