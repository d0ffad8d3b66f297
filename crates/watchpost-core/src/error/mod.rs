//! Errors, with one variant for each decision that a caller can take.

mod next;

pub use next::NextStep;

use crate::{
    access::{Denied, KeyScope, ONCE_KEPT_MAX, OnceTokenKind},
    audit::AuditOutcome,
    text,
};
use std::error::Error as StdError;

/// The table that a store names in [`StoreError::Corrupt`] if the credential of an integration is not valid.
pub const CREDENTIALS: &str = "integration_secrets";

/// The cause of an error, which is only logged.
pub type Source = Box<dyn StdError + Send + Sync>;

/// The errors of a store. A missing row is not an error: lookups return `Option`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer changed the data first. The operation can be repeated.
    #[error("the stored data changed in the meantime")]
    Conflict,
    /// The store can't be used right now (locked, full, read-only). A change was not made. Retry later.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The store failed at the end of a change, and it isn't known whether the change was made.
    #[error("it is not known whether the change was stored")]
    OutcomeUnknown(#[source] Source),
    /// A stored value is not valid.
    #[error("a stored value in `{table}` is damaged")]
    Corrupt {
        /// The table with the damaged row.
        table: &'static str,
        /// The reason why the value is not valid, for the log.
        #[source]
        source: Source,
    },
    /// A token that makes a call take effect once was spent by a different request.
    #[error("the {0} was used for another request")]
    Reused(OnceTokenKind),
    /// The actor has spent more tokens than the store keeps.
    #[error("too many spent tokens")]
    TooManyTokens,
    /// The audit log can't be written, so no request may be answered.
    #[error("the audit log can't be written")]
    AuditUnavailable(#[source] Source),
    /// Any other failure: a bug or a hardware failure.
    #[error("the store failed")]
    Backend(#[source] Source),
}

impl StoreError {
    /// Whether a stored value is not valid. An audit entry that can't be stored for this reason counts too.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::AuditUnavailable(source) => source.downcast_ref().is_some_and(Self::is_damage),
            _ => false,
        }
    }

    /// Whether the stored credential of an integration is not valid: setting it again helps.
    pub fn is_of_credential(&self) -> bool {
        matches!(self, Self::Corrupt { table, .. } if *table == CREDENTIALS)
    }
}

/// The errors of a use case. The text of each says what is wrong; [`Error::next_step`] is what the caller can do
/// about it, in terms that each surface words itself. Sources are for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing doesn't exist, or the caller may not see it.
    #[error("{what} not found")]
    NotFound {
        /// The kind of thing, as a noun.
        what: &'static str,
        /// The suggested next step.
        next: NextStep,
    },
    /// The caller's key lacks the write scope.
    #[error("Write scope required")]
    WriteScopeRequired,
    /// Only a person at the machine may do this.
    #[error("not allowed for this caller")]
    Denied,
    /// An argument is invalid.
    #[error("`{field}`: {reason}")]
    Invalid {
        /// The name of the argument as the caller wrote it.
        field: &'static str,
        /// The reason why the value is invalid, and what a valid one is.
        reason: String,
        /// The suggested next step, if the reason doesn't contain one.
        next: Option<NextStep>,
    },
    /// The current state doesn't allow the request.
    #[error("{reason}")]
    Conflict {
        /// The state that prevents it.
        reason: String,
        /// The suggested next step, if the reason doesn't contain one.
        next: Option<NextStep>,
    },
    /// Temporarily unavailable. Retry.
    #[error("Watchpost can't answer right now: {reason}; try again in a few seconds")]
    Unavailable {
        /// The component that is unavailable.
        reason: &'static str,
        /// The cause, for the log.
        #[source]
        source: Source,
    },
    /// The store failed during a change, and it isn't known whether the change was made.
    #[error("it is not known whether the change was made")]
    Unknown(#[source] Source),
    /// A bug or a hardware failure.
    #[error("internal error")]
    Internal(#[source] Source),
}

impl Error {
    /// Creates an [`Error::NotFound`].
    pub const fn not_found(what: &'static str, next: NextStep) -> Self {
        Self::NotFound { what, next }
    }

    /// Creates an [`Error::Invalid`] without a next step.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
            next: None,
        }
    }

    /// Creates an [`Error::Conflict`] without a next step.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict {
            reason: reason.into(),
            next: None,
        }
    }

    /// Sets the next step of a variant that has one.
    #[must_use]
    pub fn with_next_step(mut self, step: NextStep) -> Self {
        match &mut self {
            Self::NotFound { next, .. } => *next = step,
            Self::Invalid { next, .. } | Self::Conflict { next, .. } => *next = Some(step),
            Self::WriteScopeRequired
            | Self::Denied
            | Self::Unavailable { .. }
            | Self::Unknown(_)
            | Self::Internal(_) => {}
        }
        self
    }

    /// Returns the suggested next step, if the text doesn't contain one.
    pub const fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NotFound { next, .. } => Some(*next),
            Self::Invalid { next, .. } | Self::Conflict { next, .. } => *next,
            Self::WriteScopeRequired
            | Self::Denied
            | Self::Unavailable { .. }
            | Self::Unknown(_)
            | Self::Internal(_) => None,
        }
    }

    /// Returns the outcome for the audit entry of a request that failed with this error.
    pub const fn outcome(&self) -> AuditOutcome {
        match self {
            Self::NotFound { .. } => AuditOutcome::NotFound,
            Self::WriteScopeRequired | Self::Denied => AuditOutcome::Denied,
            Self::Invalid { .. } => AuditOutcome::Invalid,
            Self::Conflict { .. } => AuditOutcome::Conflict,
            Self::Unavailable { .. } | Self::Unknown(_) | Self::Internal(_) => AuditOutcome::Error,
        }
    }

    /// Converts the error of a store that was executing a change. If the store broke down, the change may or may
    /// not have been made.
    pub fn of_change(error: StoreError) -> Self {
        match error {
            broken @ (StoreError::Corrupt { .. } | StoreError::Backend(_)) => Self::Unknown(Box::new(broken)),
            StoreError::Unavailable(source) => Self::Unavailable {
                reason: text::error::CHANGE_NOT_STORED,
                source,
            },
            decided => decided.into(),
        }
    }
}

impl From<Denied> for Error {
    /// Distinguishes the callers that a write key would help from those that only the person at the machine can
    /// help.
    fn from(Denied(permission): Denied) -> Self {
        if permission.granted_to_scope(KeyScope::Write) && !permission.granted_to_scope(KeyScope::Read) {
            Self::WriteScopeRequired
        } else {
            Self::Denied
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::conflict(text::error::DATA_CHANGED),
            StoreError::Reused(OnceTokenKind::IdempotencyKey) => {
                Self::invalid("idempotency_key", text::error::IDEMPOTENCY_KEY_REUSED)
            }
            StoreError::Reused(OnceTokenKind::Confirmation) => {
                Self::conflict(text::error::CONFIRMATION_REUSED)
            }
            StoreError::TooManyTokens => Self::conflict(text::error::too_many_tokens(ONCE_KEPT_MAX)),
            StoreError::Unavailable(source) => Self::Unavailable {
                reason: text::error::STORE_UNAVAILABLE,
                source,
            },
            StoreError::AuditUnavailable(source) => Self::Unavailable {
                reason: text::error::AUDIT_UNAVAILABLE,
                source,
            },
            unknown @ StoreError::OutcomeUnknown(_) => Self::Unknown(Box::new(unknown)),
            other @ (StoreError::Corrupt { .. } | StoreError::Backend(_)) => Self::Internal(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Permission;

    #[test]
    fn a_denied_request_asks_for_the_write_scope_only_if_a_write_key_would_help() {
        for (permission, write_key_could) in [
            (Permission::TriggerSync, true),
            (Permission::SnoozeFinding, true),
            (Permission::SetAppPolicy, true),
            (Permission::ReadPosture, false),
            (Permission::StartScan, false),
            (Permission::DecideFinding, false),
            (Permission::ManageKeys, false),
            (Permission::RunJob, false),
        ] {
            let error = Error::from(Denied(permission));
            assert_eq!(
                matches!(error, Error::WriteScopeRequired),
                write_key_could,
                "{permission}"
            );
            assert_eq!(matches!(error, Error::Denied), !write_key_could, "{permission}");
        }
    }
}
