//! Changes and bulk work that the writer runs.

use super::tx::Tx;
use crate::{
    base::fault::{Fault, Reason, Res, unavailable},
    text,
};
use tokio::sync::oneshot;
use watchpost_core::error::StoreError;

/// A queued change.
pub(super) trait Work: Send {
    /// Whether the change must survive a power cut once the caller has its result.
    fn is_durable(&self) -> bool;
    /// Makes the change. An error rolls back this change alone.
    fn run(&mut self, tx: &Tx<'_>) -> Res<()>;
    /// Records that this change alone failed.
    fn fail(&mut self, fault: Fault);
    /// Sends the result to the caller: the result of `run`, or `failure` if the group wasn't committed.
    fn finish(self: Box<Self>, failure: Option<&GroupFailure>);
}

/// Queued bulk work, which runs one slice at a time.
pub(super) trait Bulk: Send {
    /// Runs a slice. Returns whether it was the last.
    fn slice(&mut self, tx: &Tx<'_>) -> Res<bool>;
    /// Sends the result to the caller: the value of the last slice, or `failure`.
    fn finish(self: Box<Self>, failure: Option<Fault>);
}

/// The reason that a whole group failed. Each call of the group gets an error made from it.
pub(super) struct GroupFailure {
    corrupt: bool,
    outcome_known: bool,
    reason: String,
}

impl GroupFailure {
    /// Creates the reason of a group that isn't in the store, or of which that isn't known.
    pub(super) fn new(fault: Fault, outcome_known: bool) -> Self {
        let error = fault.into_store("store");
        let reason = reason(&error);
        Self {
            corrupt: error.is_damage(),
            outcome_known,
            reason,
        }
    }
    pub(super) fn error(&self) -> StoreError {
        let source = Box::new(Reason(self.reason.clone()));
        if !self.outcome_known {
            StoreError::OutcomeUnknown(source)
        } else if self.corrupt {
            StoreError::Corrupt {
                table: "store",
                source,
            }
        } else {
            StoreError::Unavailable(source)
        }
    }
    /// The reason, for the log.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
    pub(super) fn audit_error(&self) -> StoreError {
        match self.error() {
            // Damage is no outage: waiting doesn't help.
            damage @ StoreError::Corrupt { .. } => StoreError::AuditUnavailable(Box::new(damage)),
            _ => StoreError::AuditUnavailable(Box::new(Reason(self.reason.clone()))),
        }
    }
}

/// The message of the cause of an error. SQLite's own error, below it, says nothing more.
fn reason(error: &StoreError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while cause.is::<StoreError>()
        && let Some(inner) = cause.source()
    {
        cause = inner;
    }
    cause.to_string()
}

pub(super) struct Change<T, F> {
    pub(super) table: &'static str,
    pub(super) durable: bool,
    pub(super) work: Option<F>,
    pub(super) result: Result<T, StoreError>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Tx<'_>) -> Res<T> + Send> Work for Change<T, F> {
    fn is_durable(&self) -> bool {
        self.durable
    }
    fn run(&mut self, tx: &Tx<'_>) -> Res<()> {
        if let Some(work) = self.work.take() {
            self.result = Ok(work(tx)?);
        }
        Ok(())
    }
    fn fail(&mut self, fault: Fault) {
        self.result = Err(fault.into_store(self.table));
    }
    fn finish(self: Box<Self>, failure: Option<&GroupFailure>) {
        let result = failure.map_or(self.result, |failure| Err(failure.error()));
        // The caller may have stopped waiting; the change is made all the same.
        let _ = self.reply.send(result);
    }
}

pub(super) struct Sliced<T, F> {
    pub(super) table: &'static str,
    pub(super) work: F,
    pub(super) result: Option<T>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Tx<'_>) -> Res<Option<T>> + Send> Bulk for Sliced<T, F> {
    fn slice(&mut self, tx: &Tx<'_>) -> Res<bool> {
        self.result = (self.work)(tx)?;
        Ok(self.result.is_some())
    }
    fn finish(self: Box<Self>, failure: Option<Fault>) {
        let result = match (failure, self.result) {
            (Some(fault), _) => Err(fault.into_store(self.table)),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(unavailable(text::WORK_NOT_DONE)),
        };
        let _ = self.reply.send(result);
    }
}
