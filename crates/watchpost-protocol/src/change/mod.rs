//! What changes while a client listens.

mod hub;

pub use hub::ChangeHub;

use std::collections::BTreeSet;
use std::task::{Context, Poll};

use bytes::Bytes;
use serde::Deserialize;

use crate::handler::{Capabilities, Offer};
use crate::id::RequestId;
use crate::json::{RawJson, push_string};
use crate::revision::{Era, Revision};
use crate::task::TaskState;

/// The most URIs, and the most task ids, of one stream.
pub const INTEREST_MAX: usize = 1024;

/// What one stream wants to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// That the list of tools changed.
    pub tools: bool,
    /// That the list of prompts changed.
    pub prompts: bool,
    /// That the list of resources changed.
    pub resources: bool,
    /// That one of these resources changed.
    pub uris: BTreeSet<String>,
    /// That one of these tasks changed.
    pub tasks: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    tools_list_changed: bool,
    #[serde(default)]
    prompts_list_changed: bool,
    #[serde(default)]
    resources_list_changed: bool,
    #[serde(default)]
    resource_subscriptions: BTreeSet<String>,
    #[serde(default)]
    task_ids: BTreeSet<String>,
}

impl Interest {
    /// What a legacy session hears of without asking: every list that is declared to change.
    pub fn of_lists(capabilities: Capabilities) -> Self {
        Self {
            tools: capabilities.tools == Offer::Changing,
            prompts: capabilities.prompts == Offer::Changing,
            resources: capabilities.resources == Offer::Changing,
            ..Self::default()
        }
    }

    /// Whether a change is part of it.
    pub fn covers(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools,
            Change::Prompts => self.prompts,
            Change::Resources => self.resources,
            Change::Resource(uri) => self.uris.contains(uri),
            Change::Task(task) => self.tasks.contains(&task.id),
        }
    }

    /// Reads the filter of `subscriptions/listen`.
    pub(crate) fn read(value: Option<RawJson<'_>>) -> Result<Self, &'static str> {
        // A struct would also be read from an array of its members.
        let filter: Filter = value
            .filter(|value| value.is_object())
            .and_then(|value| value.parse().ok())
            .ok_or("`notifications` has to be an object of flags and of lists of strings")?;
        if filter.resource_subscriptions.len() > INTEREST_MAX || filter.task_ids.len() > INTEREST_MAX {
            return Err("a subscription has at most 1024 resources and 1024 tasks");
        }
        Ok(Self {
            tools: filter.tools_list_changed,
            prompts: filter.prompts_list_changed,
            resources: filter.resources_list_changed,
            uris: filter.resource_subscriptions,
            tasks: filter.task_ids,
        })
    }

    /// The part that a server with these capabilities honours (SUB-04).
    pub(crate) fn honoured(self, capabilities: Capabilities) -> Self {
        let lists = Self::of_lists(capabilities);
        Self {
            tools: self.tools && lists.tools,
            prompts: self.prompts && lists.prompts,
            resources: self.resources && lists.resources,
            uris: if capabilities.resource_subscriptions {
                self.uris
            } else {
                BTreeSet::new()
            },
            tasks: if capabilities.tasks {
                self.tasks
            } else {
                BTreeSet::new()
            },
        }
    }

    fn push(&self, out: &mut Vec<u8>) {
        let mut first = true;
        let mut key = |out: &mut Vec<u8>, name: &str| {
            out.push(if std::mem::take(&mut first) { b'{' } else { b',' });
            push_string(out, name);
            out.push(b':');
        };
        let flags = [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resources),
        ];
        for (name, _) in flags.into_iter().filter(|(_, wanted)| *wanted) {
            key(out, name);
            out.extend_from_slice(b"true");
        }
        let lists = [("resourceSubscriptions", &self.uris), ("taskIds", &self.tasks)];
        for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            key(out, name);
            for (index, value) in values.iter().enumerate() {
                out.push(if index > 0 { b',' } else { b'[' });
                push_string(out, value);
            }
            out.push(b']');
        }
        if first {
            out.push(b'{');
        }
        out.push(b'}');
    }
}

/// Something that changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The resource with this URI, or one below it.
    Resource(String),
    /// A task.
    Task(TaskState),
}

impl Change {
    /// Whether the other one makes this one needless while both wait.
    fn is_covered_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Tools, Self::Tools)
            | (Self::Prompts, Self::Prompts)
            | (Self::Resources, Self::Resources) => true,
            (Self::Resource(this), Self::Resource(that)) => this == that,
            (Self::Task(this), Self::Task(that)) => this.id == that.id,
            _ => false,
        }
    }
}

/// Where the changes for one stream come from.
pub trait Changes: Send {
    /// From now on the stream wants to hear of this instead.
    fn set(&mut self, interest: &Interest);

    /// The next change; `None` when there will be none any more, which ends the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>>;
}

/// Nothing ever changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChanges;

impl Changes for NoChanges {
    fn set(&mut self, _: &Interest) {}

    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Change>> {
        Poll::Pending
    }
}

/// The notifications of one stream, as finished messages in the terms of its client's revision.
pub struct ChangeStream {
    changes: Box<dyn Changes>,
    interest: Interest,
    revision: Revision,
    /// `"_meta":{"io.modelcontextprotocol/subscriptionId":…}` for a modern stream.
    tag: Vec<u8>,
    id: Option<RequestId<'static>>,
    ending: Bytes,
}

impl std::fmt::Debug for ChangeStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeStream")
            .field("interest", &self.interest)
            .field("revision", &self.revision)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ChangeStream {
    pub(crate) fn legacy(changes: Box<dyn Changes>, interest: Interest, revision: Revision) -> Self {
        Self {
            changes,
            interest,
            revision,
            tag: Vec::new(),
            id: None,
            ending: Bytes::new(),
        }
    }

    pub(crate) fn modern(
        changes: Box<dyn Changes>,
        interest: Interest,
        revision: Revision,
        id: &RequestId<'static>,
        ending: Bytes,
    ) -> Self {
        Self {
            changes,
            interest,
            revision,
            tag: tag(id),
            id: Some(id.clone()),
            ending,
        }
    }

    /// What it's about.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// From now on it's about this instead. For legacy sessions, which subscribe one by one.
    pub fn set_interest(&mut self, interest: Interest) {
        self.changes.set(&interest);
        self.interest = interest;
    }

    /// The first message of a modern stream: what of the wish is honoured (SUB-01).
    pub fn acknowledgment(&self) -> Bytes {
        let mut out =
            br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":"#
                .to_vec();
        self.interest.push(&mut out);
        out.push(b',');
        out.extend_from_slice(&self.tag);
        out.extend_from_slice(b"}}");
        out.into()
    }

    /// The last message of a modern stream that the server ends: the result of the listening (SUB-06).
    pub fn ending(&self) -> Bytes {
        self.ending.clone()
    }

    /// On stdio, what follows [`ChangeStream::ending`] (SUB-08).
    pub fn cancelled(&self) -> Option<Bytes> {
        let id = self.id.as_ref()?;
        let mut out =
            br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#.to_vec();
        id.push(&mut out);
        out.extend_from_slice(b",\"reason\":\"the server ended the subscription\"}}");
        Some(out.into())
    }

    /// The next notification; `None` when the source has ended.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match self.changes.poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                // Nothing that nobody asked for ever goes out, whatever the source does (SUB-03).
                Poll::Ready(Some(change)) if !self.interest.covers(&change) => {}
                Poll::Ready(Some(change)) => return Poll::Ready(Some(self.message(&change))),
            }
        }
    }

    fn message(&self, change: &Change) -> Bytes {
        let method = match change {
            Change::Tools => "notifications/tools/list_changed",
            Change::Prompts => "notifications/prompts/list_changed",
            Change::Resources => "notifications/resources/list_changed",
            Change::Resource(_) => "notifications/resources/updated",
            Change::Task(_) => "notifications/tasks",
        };
        let mut out = br#"{"jsonrpc":"2.0","method":"#.to_vec();
        push_string(&mut out, method);
        let mut params = Vec::new();
        match change {
            Change::Tools | Change::Prompts | Change::Resources => {}
            Change::Resource(uri) => {
                params.extend_from_slice(b"\"uri\":");
                push_string(&mut params, uri);
            }
            Change::Task(task) => task.push(&mut params, self.revision, true),
        }
        if self.revision.era() == Era::Modern {
            if !params.is_empty() {
                params.push(b',');
            }
            params.extend_from_slice(&self.tag);
        }
        if !params.is_empty() {
            out.extend_from_slice(b",\"params\":{");
            out.extend_from_slice(&params);
            out.push(b'}');
        }
        out.push(b'}');
        out.into()
    }
}

/// `"_meta":{…}` with the subscription's id, which is the id of its request (SUB-02).
pub(crate) fn tag(id: &RequestId<'_>) -> Vec<u8> {
    let mut out = br#""_meta":{"io.modelcontextprotocol/subscriptionId":"#.to_vec();
    id.push(&mut out);
    out.push(b'}');
    out
}
