//! Change notifications and subscriptions.

pub(crate) mod hub;
mod interest;

pub use interest::{INTEREST_MAX, Interest};

use crate::{
    id::RequestId,
    json::push_string,
    revision::{Era, Revision},
    task::TaskState,
    text,
};
use bytes::Bytes;
use std::task::{Context, Poll};

/// A change that clients can be notified of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The list of resources changed.
    Resources,
    /// The resource with this URI, or one below it, changed.
    Resource(String),
    /// A task changed. The value is its new state.
    Task(TaskState),
}

impl Change {
    /// Whether `later` makes this change redundant while both are waiting.
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
    /// Whether this interest includes the change.
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

/// The source of changes for one stream.
pub trait Changes: Send {
    /// Replaces the stream's interest.
    fn set(&mut self, interest: &Interest);

    /// Returns the next change. `None` means that there won't be any more, and ends the stream.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>>;
}

/// A source without changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoChanges;

impl Changes for NoChanges {
    fn set(&mut self, _: &Interest) {}

    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Change>> {
        Poll::Pending
    }
}

/// The notifications of one stream, encoded for its client's revision.
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

    /// Returns the stream's interest.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Replaces the stream's interest, when a legacy session subscribes or unsubscribes.
    pub fn set_interest(&mut self, interest: Interest) {
        self.changes.set(&interest);
        self.interest = interest;
    }

    /// Returns the first message of a modern stream, with the part of the filter that the server offers
    /// (SUB-01).
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

    /// Returns the last message of a modern stream that the server ends: the result of `subscriptions/listen`
    /// (SUB-06).
    pub fn ending(&self) -> Bytes {
        self.ending.clone()
    }

    /// Returns the message that follows [`ChangeStream::ending`] on stdio (SUB-08).
    pub fn cancelled(&self) -> Option<Bytes> {
        let id = self.id.as_ref()?;
        let mut out =
            br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#.to_vec();
        id.push(&mut out);
        out.extend_from_slice(b",\"reason\":");
        push_string(&mut out, text::SUBSCRIPTION_ENDED);
        out.extend_from_slice(b"}}");
        Some(out.into())
    }

    /// Returns the next notification. `None` means that the source has ended.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match self.changes.poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                // Changes that the client didn't ask for are never sent, even if the source reports them
                // (SUB-03).
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

/// Returns `"_meta":{…}` with the subscription's id, which is the id of its request (SUB-02).
pub(crate) fn tag(id: &RequestId<'_>) -> Vec<u8> {
    let mut out = br#""_meta":{"io.modelcontextprotocol/subscriptionId":"#.to_vec();
    id.push(&mut out);
    out.push(b'}');
    out
}
