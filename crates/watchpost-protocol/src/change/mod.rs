//! What changes while a client listens.

pub(crate) mod hub;
mod interest;

pub use interest::{INTEREST_MAX, Interest};

use crate::{
    id::RequestId,
    json::push_string,
    revision::{Era, Revision},
    task::TaskState,
};
use bytes::Bytes;
use std::task::{Context, Poll};

/// Something that changed.
#[derive(Debug, Clone)]
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

impl Interest {
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
}

/// Where the changes for one stream come from.
pub trait Changes: Send {
    /// From now on the stream wants to hear of this instead.
    fn set(&mut self, interest: &Interest);

    /// The next change; `None` when there will be none any more, which ends the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>>;
}

/// Nothing ever changes.
#[derive(Debug, Clone, Copy, Default)]
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
