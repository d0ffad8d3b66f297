//! The failures of calls. A failure's text says what is wrong and what to do next, and contains no text from outside.

use crate::text::{self, next_step};
use watchpost_core::{
    access::ChangeReceipt,
    audit::{AuditOutcome, AuditTarget},
    error::{Error, Source, StoreError},
    value::{id::FindingId, word::FindingStatus},
};

/// The failure of a tool call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A tool error, about which the caller can do something.
    User(UserError),
    /// A bug or a broken machine: a protocol error with an incident id. The source is logged.
    Internal {
        /// The cause.
        source: Source,
        /// Whether a change was handed to the store, so that it may have been made.
        may_be_done: bool,
    },
}

/// A tool error.
#[derive(Debug)]
pub(crate) struct UserError {
    /// The message for the caller.
    pub message: String,
    /// The outcome in the audit entry.
    pub outcome: AuditOutcome,
    /// The target in the audit entry.
    pub target: AuditTarget,
    /// The receipt of the audit entry that the use case has stored; `None` if the server has yet to store it.
    pub receipt: Option<ChangeReceipt>,
    /// The outage of the store, if that is the reason.
    pub outage: Option<Outage>,
}

/// An outage of the store.
#[derive(Debug)]
pub(crate) struct Outage {
    /// The cause, for the log.
    pub source: Source,
    /// Whether a change was handed to the store, so that it may have been made.
    pub may_be_done: bool,
}

impl Failure {
    /// Creates the error for invalid arguments.
    pub(crate) fn invalid(message: String) -> Self {
        Self::user(message, AuditOutcome::Invalid)
    }

    /// Creates a tool error whose audit entry the server has yet to store.
    pub(crate) fn user(message: String, outcome: AuditOutcome) -> Self {
        Self::User(UserError {
            message,
            outcome,
            target: AuditTarget::default(),
            receipt: None,
            outage: None,
        })
    }

    /// Creates the tool error of a change whose audit entry the use case has stored.
    pub(crate) fn of_change(message: String, outcome: AuditOutcome, receipt: ChangeReceipt) -> Self {
        Self::User(UserError {
            message,
            outcome,
            target: AuditTarget::default(),
            receipt: Some(receipt),
            outage: None,
        })
    }

    /// Returns the receipt of the audit entry that the use case has stored.
    pub(crate) fn receipt(&self) -> Option<ChangeReceipt> {
        match self {
            Self::User(error) => error.receipt,
            Self::Internal { .. } => None,
        }
    }

    /// Returns the target and the outcome for the audit entry.
    pub(crate) fn entry(&self) -> (AuditTarget, AuditOutcome) {
        match self {
            Self::User(error) => (error.target.clone(), error.outcome),
            Self::Internal { .. } => (AuditTarget::default(), AuditOutcome::Error),
        }
    }

    /// Sets the target of the audit entry.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        if let Self::User(error) = &mut self {
            error.target = target;
        }
        self
    }

    /// Creates the failure of an answer that can't be serialized, which is a bug.
    pub(crate) fn unwritable(error: serde_json::Error) -> Self {
        Self::Internal {
            source: Box::new(error),
            may_be_done: false,
        }
    }
}

/// Maps a use case's error to an outcome of the audit log and to an error for the caller.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let internal = |source, may_be_done| Self::Internal { source, may_be_done };
        let outcome = error.outcome();
        let message = next_step::explained(&error);
        let (source, may_be_done) = match error {
            Error::Internal(source) => return internal(source, false),
            Error::Unknown(source) if !is_outage(source.as_ref()) => return internal(source, true),
            Error::Unknown(source) => (source, true),
            Error::Unavailable { source, .. } => (source, false),
            _ => return Self::user(message, outcome),
        };
        Self::User(UserError {
            message,
            outcome,
            target: AuditTarget::default(),
            receipt: None,
            outage: Some(Outage { source, may_be_done }),
        })
    }
}

/// Whether a change has no known outcome because the store could not be used, not because of a bug.
fn is_outage(source: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(source.downcast_ref(), Some(StoreError::OutcomeUnknown(_)))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

/// The finding's status forbids the decision. The audit entry is stored with that outcome.
pub(crate) fn not_possible(
    status: FindingStatus,
    id: FindingId,
    done: &str,
    receipt: ChangeReceipt,
) -> Failure {
    Failure::of_change(
        text::findings::cannot_be(done, status, id),
        AuditOutcome::Conflict,
        receipt,
    )
}

/// There is no such finding in the caller's workspace. The audit entry is stored.
pub(crate) fn finding_not_found(receipt: ChangeReceipt) -> Failure {
    Failure::of_change(
        text::findings::NOT_FOUND.to_owned(),
        AuditOutcome::NotFound,
        receipt,
    )
}

/// The finding is closed. The audit entry is stored.
pub(crate) fn closed(status: FindingStatus, id: FindingId, receipt: ChangeReceipt) -> Failure {
    Failure::of_change(
        text::findings::nothing_to_remediate(status, id),
        AuditOutcome::Conflict,
        receipt,
    )
}

/// The finding's rule or check has no action. `steps` are the words of its author, not text from outside.
pub(crate) fn no_action(steps: &[String], id: FindingId) -> Failure {
    Failure::user(text::findings::no_action(steps, id), AuditOutcome::Conflict)
}

/// The app was removed between the lookup and the change. The audit entry is stored.
pub(crate) fn app_removed(receipt: ChangeReceipt) -> Failure {
    Failure::of_change(text::apps::REMOVED.to_owned(), AuditOutcome::NotFound, receipt)
}

/// `entity` names nothing that the caller may see.
pub(crate) fn entity_not_found() -> Failure {
    Failure::user(
        text::findings::ENTITY_NOT_FOUND.to_owned(),
        AuditOutcome::NotFound,
    )
}

/// The cursor was not made for this list.
pub(crate) fn wrong_cursor() -> Failure {
    Failure::invalid(text::findings::WRONG_CURSOR.to_owned())
}

/// Whether a failed call of a write tool can be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Nothing was changed, and the cause may be gone later.
    Unchanged,
    /// Nothing was changed, and the same call fails again as long as its cause exists.
    Refused,
    /// Nothing was changed, because a person decided so. The message says what to do.
    Decided,
    /// The change may have been made, but the call has an idempotency key.
    ByKey,
    /// The change may have been made, and a retry would not be recognized.
    Unsafe,
}

impl Retry {
    /// Appends the advice to an error's text.
    pub(crate) fn advise(self, message: &str) -> String {
        let advice = match self {
            Self::Unchanged => text::errors::UNCHANGED_SAFE,
            Self::Refused => text::errors::UNCHANGED_REFUSED,
            Self::Decided => return text::errors::with_full_stop(message),
            Self::ByKey => text::errors::KEYED_SAFE,
            Self::Unsafe => text::errors::UNKNOWN_UNSAFE,
        };
        text::errors::with_retry_advice(message, advice)
    }
}
