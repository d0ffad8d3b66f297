//! Changes and bulk work, from being queued to being answered.

use super::tx::Tx;
use crate::base::fault::{Fault, Reason, Res, unavailable};
use tokio::sync::oneshot;
use watchpost_core::error::StoreError;

/// A change, from its being queued to its being answered.
pub(super) trait Work: Send {
    /// Whether it must survive a power cut once it is answered.
    fn is_durable(&self) -> bool;
    /// Does it. An error undoes this work alone.
    fn run(&mut self, tx: &Tx<'_>) -> Res<()>;
    /// Notes that it failed by itself.
    fn fail(&mut self, fault: Fault);
    /// Answers it: with what `run` gave, if the group was committed.
    fn answer(self: Box<Self>, failure: Option<&GroupFailure>);
}

/// Bulk work: a slice at a time.
pub(super) trait Bulk: Send {
    /// Does a slice. `true`: it was the last.
    fn slice(&mut self, tx: &Tx<'_>) -> Res<bool>;
    fn answer(self: Box<Self>, failure: Option<Fault>);
}

/// Why a whole group failed. Each of its calls gets its own error made of it.
pub(super) struct GroupFailure {
    corrupt: bool,
    reason: String,
}

impl GroupFailure {
    pub(super) fn of(fault: Fault) -> Self {
        let error = fault.into_store("store");
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            reason.push_str(": ");
            reason.push_str(&inner.to_string());
            source = inner.source();
        }
        Self {
            corrupt: matches!(error, StoreError::Corrupt { .. }),
            reason,
        }
    }
    pub(super) fn error(&self) -> StoreError {
        let source = Box::new(Reason(self.reason.clone()));
        if self.corrupt {
            StoreError::Corrupt {
                table: "store",
                source,
            }
        } else {
            StoreError::Unavailable(source)
        }
    }
    pub(super) fn audit_error(&self) -> StoreError {
        StoreError::AuditUnavailable(Box::new(Reason(self.reason.clone())))
    }
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
    fn answer(self: Box<Self>, failure: Option<&GroupFailure>) {
        let result = failure.map_or(self.result, |failure| Err(failure.error()));
        // Nobody may wait any more: the change stands all the same.
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
    fn answer(self: Box<Self>, failure: Option<Fault>) {
        let result = match (failure, self.result) {
            (Some(fault), _) => Err(fault.into_store(self.table)),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(unavailable("the work was not done")),
        };
        let _ = self.reply.send(result);
    }
}
