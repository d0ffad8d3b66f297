//! Errors: one variant for each decision that a caller can take.

mod next;

pub use next::NextStep;

use crate::{
    access::{Denied, KeyScope, ONCE_KEPT_MAX, OnceKind},
    audit::AuditOutcome,
};
use std::error::Error as StdError;

/// A source that is only for the log.
pub type Source = Box<dyn StdError + Send + Sync>;

/// What a store can fail with. Absence is no error: look-ups give `Option`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was faster; doing it again may work.
    #[error("the store changed meanwhile")]
    Conflict,
    /// The store can't be used right now (locked, full, read-only): retry later.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// A stored value is not what was written.
    #[error("a stored value in `{table}` is damaged")]
    Corrupt {
        /// The table with the damaged row.
        table: &'static str,
        /// What was wrong, for the log.
        #[source]
        source: Source,
    },
    /// A token that makes a call take effect once was spent by another request.
    #[error("the {0} was used for another request")]
    Reused(OnceKind),
    /// The actor has spent more tokens than are remembered.
    #[error("too many spent tokens")]
    TooManyTokens,
    /// The audit log can't be written, so nothing may be answered.
    #[error("the audit log can't be written")]
    AuditUnavailable(#[source] Source),
    /// Anything else: a bug or a broken machine.
    #[error("the store failed")]
    Backend(#[source] Source),
}

/// What a use case can fail with. The text of each says what is wrong, for the caller; what to do about it is
/// [`Error::next_step`], which each surface puts into words. Sources are for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing that the caller may see.
    #[error("{what} not found")]
    NotFound {
        /// The kind of thing, as a noun.
        what: &'static str,
        /// What to do next.
        next: NextStep,
    },
    /// The caller's key may not do this.
    #[error("Write scope required")]
    WriteScopeRequired,
    /// Only a person at the machine may do this.
    #[error("not allowed for this caller")]
    Denied,
    /// A value is wrong.
    #[error("`{field}`: {reason}")]
    Invalid {
        /// The argument's name as the caller wrote it.
        field: &'static str,
        /// What was wrong and what would be right.
        reason: String,
        /// What to do next, where the reason doesn't say it.
        next: Option<NextStep>,
    },
    /// The state of things forbids it right now.
    #[error("{reason}")]
    Conflict {
        /// What stands in the way.
        reason: String,
        /// What to do next, where the reason doesn't say it.
        next: Option<NextStep>,
    },
    /// Right now impossible; retry.
    #[error("Watchpost can't answer right now: {reason}; try again in a few seconds")]
    Unavailable {
        /// What is unavailable.
        reason: &'static str,
        /// For the log.
        #[source]
        source: Source,
    },
    /// A change was handed to the store, and it isn't known whether it was made.
    #[error("it is not known whether the change was made")]
    Unknown(#[source] Source),
    /// A bug or a broken machine.
    #[error("internal error")]
    Internal(#[source] Source),
}

impl Error {
    /// There is no such thing.
    pub const fn not_found(what: &'static str, next: NextStep) -> Self {
        Self::NotFound { what, next }
    }

    /// A value is wrong.
    pub fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            reason: reason.into(),
            next: None,
        }
    }

    /// The state of things forbids it.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict {
            reason: reason.into(),
            next: None,
        }
    }

    /// The same, with what to do next.
    #[must_use]
    pub fn advise(mut self, step: NextStep) -> Self {
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

    /// What the caller can do next, where the text doesn't say it.
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

    /// How the audit entry of a request ends that failed with it.
    pub const fn outcome(&self) -> AuditOutcome {
        match self {
            Self::NotFound { .. } => AuditOutcome::NotFound,
            Self::WriteScopeRequired | Self::Denied => AuditOutcome::Denied,
            Self::Invalid { .. } => AuditOutcome::Invalid,
            Self::Conflict { .. } => AuditOutcome::Conflict,
            Self::Unavailable { .. } | Self::Unknown(_) | Self::Internal(_) => AuditOutcome::Error,
        }
    }

    /// What a store's error means for a change that was handed to it: a store that broke down meanwhile may or may not
    /// have made it.
    pub fn of_change(error: StoreError) -> Self {
        match error {
            broken @ (StoreError::Unavailable(_) | StoreError::Corrupt { .. } | StoreError::Backend(_)) => {
                Self::Unknown(Box::new(broken))
            }
            decided => decided.into(),
        }
    }
}

impl From<Denied> for Error {
    /// A key of the wider scope could do it, or nobody but the person at the machine can.
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
            StoreError::Conflict => Self::conflict("the data changed meanwhile: repeat the request"),
            StoreError::Reused(OnceKind::IdempotencyKey) => Self::invalid(
                "idempotency_key",
                "it was used with other arguments before: take a new key for another change",
            ),
            StoreError::Reused(OnceKind::Confirmation) => {
                Self::conflict("this confirmation was given for another request: call again without it")
            }
            StoreError::TooManyTokens => Self::conflict(format!(
                "this caller has used {ONCE_KEPT_MAX} idempotency keys and confirmations within 24 hours: wait, or call without a key"
            )),
            StoreError::Unavailable(source) => Self::Unavailable {
                reason: "the store is not available",
                source,
            },
            StoreError::AuditUnavailable(source) => Self::Unavailable {
                reason: "the audit log can't be written, so nothing is answered",
                source,
            },
            other @ (StoreError::Corrupt { .. } | StoreError::Backend(_)) => Self::Internal(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Permission;

    #[test]
    fn a_refusal_names_the_write_scope_only_where_a_write_key_could_do_it() {
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
