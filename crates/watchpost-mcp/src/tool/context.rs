//! The context of a call and of a running tool.

use crate::{arguments::AuditArguments, confirm::Confirmation, cursor::CursorKey, text, wire::AsOf};
use watchpost_core::{
    access::{ChangeReceipt, WorkspaceScope},
    audit::{AuditKey, CallRecord},
    posture::Freshness,
    service::{Reader, Unrecorded, Watchpost},
    value::time::Timestamp,
};
use watchpost_protocol::Notify;

/// The context of a call: everything but its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'c> {
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    pub(crate) audit_key: &'c AuditKey,
    /// Sends progress to a client that requested it.
    pub(crate) notify: Option<&'c Notify<'c>>,
    /// Opens the data that is read for the answer. One audit entry covers all of it.
    pub(crate) reader: &'c Reader,
}

impl Caller<'_> {
    /// Returns the data that was read, for use in the answer.
    pub(crate) fn open<T>(&self, read: Unrecorded<T>) -> T {
        self.reader.open(read)
    }
}

/// The context of a running tool.
pub(crate) struct Context<'c> {
    reader: &'c Reader,
    pub(crate) watchpost: &'c Watchpost,
    pub(crate) scope: &'c WorkspaceScope,
    pub(crate) cursors: &'c CursorKey,
    /// The time at which the call began.
    pub(crate) now: Timestamp,
    /// Sends progress to a client that requested it.
    pub(crate) notify: Option<&'c Notify<'c>>,
    arguments: &'c AuditArguments<'c>,
    confirmation: Option<Confirmation>,
}

impl<'c> Context<'c> {
    /// Creates the context. `confirmation` is that of the change, for the audit entry; `None` for a tool that needs none.
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

    /// Returns the data that was read, for use in the answer.
    pub(crate) fn open<T>(&self, read: Unrecorded<T>) -> T {
        self.reader.open(read)
    }

    /// Returns the record of the call, which the use case stores with its change.
    pub(crate) fn record(&self) -> CallRecord {
        self.arguments.record(self.confirmation)
    }

    /// Returns the beginning of the answer if the call was a repeat.
    pub(crate) fn repeat(&self, receipt: ChangeReceipt) -> Option<String> {
        let first_at = receipt.earlier?;
        let token = if self.arguments.has_idempotency_key() {
            "idempotency_key"
        } else {
            "confirmation"
        };
        Some(text::repeated_call(token, first_at))
    }

    /// Returns the age and the completeness of the data, for the answer to a change. The change has already been made, so a
    /// failed read doesn't fail the call.
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
