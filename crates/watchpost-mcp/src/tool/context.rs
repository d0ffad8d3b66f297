//! What a call comes with, and what a running tool has at hand.

use crate::{arguments::AuditArguments, confirm::Confirmation, cursor::CursorKey, wire::AsOf};
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{AuditKey, CallRecord},
    posture::Freshness,
    service::{Reader, Unrecorded, Watchpost},
    value::time::Timestamp,
};
use watchpost_protocol::Notify;

/// What a call needs besides its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'c> {
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    pub(crate) audit_key: &'c AuditKey,
    /// Takes progress to a client that wants to hear of it.
    pub(crate) notify: Option<&'c Notify<'c>>,
    /// Opens what is read for the answer, which needs its entry as a whole.
    pub(crate) reader: &'c Reader,
}

impl Caller<'_> {
    /// What was read, to make the answer of.
    pub(crate) fn open<T>(&self, read: Unrecorded<T>) -> T {
        self.reader.open(read)
    }
}

/// What a running tool has at hand.
pub(crate) struct Context<'c> {
    reader: &'c Reader,
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    /// The wall clock at the beginning of the call.
    pub(crate) now: Timestamp,
    /// Takes progress to a client that wants to hear of it.
    pub(crate) notify: Option<&'c Notify<'c>>,
    arguments: &'c AuditArguments<'c>,
    confirmation: Option<Confirmation>,
}

impl<'c> Context<'c> {
    /// `confirmation`: how the change was confirmed, for its entry; `None` for a tool that nobody is ever asked about.
    pub(crate) fn new(
        caller: Caller<'c>,
        arguments: &'c AuditArguments<'c>,
        confirmation: Option<Confirmation>,
    ) -> Self {
        Self {
            reader: caller.reader,
            watchpost: caller.watchpost,
            scope: caller.scope,
            cursors: caller.cursors,
            now: caller.watchpost.clock().now(),
            notify: caller.notify,
            arguments,
            confirmation,
        }
    }

    /// What was read, to make the answer of.
    pub(crate) fn open<T>(&self, read: Unrecorded<T>) -> T {
        self.reader.open(read)
    }

    /// The call's record, for the use case that stores it with its change.
    pub(crate) fn record(&self) -> CallRecord {
        self.arguments.record(self.confirmation)
    }

    /// What an answer begins with if the call was a repeat.
    pub(crate) fn repeat(&self, made: ChangeReceipt) -> Option<String> {
        let earlier = made.earlier?;
        let by = if self.arguments.has_idempotency_key() {
            "idempotency_key"
        } else {
            "confirmation"
        };
        Some(format!(
            "Nothing was changed now: an earlier call with the same {by} was made at {earlier}, and this is what it came to."
        ))
    }

    /// How old and whole the data is, for the answer of a change. The change is made, so a failure to read this is
    /// no failure of the call.
    pub(crate) async fn as_of(&self) -> AsOf {
        let freshness = self.open(self.watchpost.freshness(self.scope).await);
        match freshness {
            Ok(freshness) => AsOf::new(&freshness, self.now),
            Err(error) => {
                tracing::warn!(%error, "the age of the data could not be read for an answer");
                AsOf::new(
                    &Freshness {
                        as_of: None,
                        sources: Vec::new(),
                    },
                    self.now,
                )
            }
        }
    }
}
