//! What a call can fail with, and its text for the caller: what is wrong and what to do next, in our own words. No
//! name or title that somebody outside wrote is ever part of it.

use crate::next;
use watchpost_core::{
    access::{Actor, ChangeReceipt},
    audit::{AuditOutcome, AuditTarget},
    error::{Error, Source, StoreError},
    value::{id::FindingId, word::FindingStatus},
};

/// Why a tool gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller can do something about it: a tool error.
    User(UserError),
    /// A bug or a broken machine: a protocol error with an incident id; the source goes to the log.
    Internal {
        /// What went wrong.
        source: Source,
        /// Whether a change was handed to the store, so that it may have been made.
        may_be_done: bool,
    },
}

/// A tool error.
#[derive(Debug)]
pub(crate) struct UserError {
    /// For the caller.
    pub message: String,
    /// How the audit entry ends.
    pub outcome: AuditOutcome,
    /// What the entry is about.
    pub target: AuditTarget,
    /// The proof that the entry of the change that came to this is stored; `None`: the call's entry is still to be
    /// stored.
    pub made: Option<ChangeReceipt>,
}

impl Failure {
    /// Wrong arguments.
    pub(crate) fn invalid(message: String) -> Self {
        Self::user(message, AuditOutcome::Invalid)
    }

    /// Any tool error whose entry is still to be stored.
    pub(crate) fn user(message: String, outcome: AuditOutcome) -> Self {
        Self::User(UserError {
            message,
            outcome,
            target: AuditTarget::default(),
            made: None,
        })
    }

    /// A tool error of a change whose entry the use case stored with it.
    pub(crate) fn of_change(message: String, outcome: AuditOutcome, made: ChangeReceipt) -> Self {
        Self::User(UserError {
            message,
            outcome,
            target: AuditTarget::default(),
            made: Some(made),
        })
    }

    /// The proof that the entry of the change that came to this is stored.
    pub(crate) fn made(&self) -> Option<ChangeReceipt> {
        match self {
            Self::User(error) => error.made,
            Self::Internal { .. } => None,
        }
    }

    /// What its entry is about, and how that ends.
    pub(crate) fn entry(&self) -> (AuditTarget, AuditOutcome) {
        match self {
            Self::User(error) => (error.target.clone(), error.outcome),
            Self::Internal { .. } => (AuditTarget::default(), AuditOutcome::Error),
        }
    }

    /// Names what the audit entry is about.
    pub(crate) fn about(mut self, target: AuditTarget) -> Self {
        if let Self::User(error) = &mut self {
            error.target = target;
        }
        self
    }

    /// An answer couldn't be written as JSON: a bug.
    pub(crate) fn unwritable(error: serde_json::Error) -> Self {
        Self::Internal {
            source: Box::new(error),
            may_be_done: false,
        }
    }
}

/// The one mapping of a use case's error: to an outcome of the audit log, and to an error for the caller.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let internal = |source, may_be_done| Self::Internal { source, may_be_done };
        let outcome = error.outcome();
        match error {
            Error::Internal(source) => return internal(source, false),
            Error::Unknown(source) => return internal(source, true),
            Error::Unavailable { reason, ref source } => {
                tracing::warn!(reason, error = source.as_ref(), "a call could not be answered");
            }
            _ => {}
        }
        Self::user(next::explained(&error), outcome)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

/// A finding can't be decided on as it stands. The entry is stored with that outcome.
pub(crate) fn not_possible(status: FindingStatus, id: FindingId, done: &str, made: ChangeReceipt) -> Failure {
    Failure::of_change(
        format!(
            "the finding is {status}, so it can't be {done}; nothing was changed. A person can reopen it with `watchpost findings reopen {id}`"
        ),
        AuditOutcome::Conflict,
        made,
    )
}

/// There is no such finding; one of another workspace is as unknown as any. The entry is stored.
pub(crate) fn finding_gone(made: ChangeReceipt) -> Failure {
    Failure::of_change(
        "finding not found: take an id from `list_findings`".into(),
        AuditOutcome::NotFound,
        made,
    )
}

/// The finding is closed. The entry is stored.
pub(crate) fn closed(status: FindingStatus, id: FindingId, made: ChangeReceipt) -> Failure {
    Failure::of_change(
        format!(
            "the finding is {status}: there is nothing to remediate; a person can reopen it with `watchpost findings reopen {id}`"
        ),
        AuditOutcome::Conflict,
        made,
    )
}

/// The finding's rule names no action. Steps are the rule author's words, not a stranger's.
pub(crate) fn no_action(steps: &[String]) -> Failure {
    let instead = if steps.is_empty() {
        "its rule names no steps either; look the finding up with `watchpost findings show`".to_owned()
    } else {
        let numbered: Vec<String> = (1_usize..)
            .zip(steps)
            .map(|(number, step)| format!("{number}. {step}"))
            .collect();
        format!("a person can do this instead: {}", numbered.join(" "))
    };
    Failure::user(
        format!("Watchpost has no action for this kind of finding, so nothing was queued; {instead}"),
        AuditOutcome::Conflict,
    )
}

/// The app was removed between the look and the change. The entry is stored.
pub(crate) fn app_gone(made: ChangeReceipt) -> Failure {
    Failure::of_change(
        "app not found: it was removed meanwhile; `check_app_policy` looks apps up by name".into(),
        AuditOutcome::NotFound,
        made,
    )
}

/// `entity` leads to nothing that the caller may see.
pub(crate) fn entity_not_found() -> Failure {
    Failure::user(
        "entity not found: `entity` takes an email address, an app's name, or the id of an identity, app or integration from another answer; to search by a part of a name use `text`".into(),
        AuditOutcome::NotFound,
    )
}

/// A cursor that wasn't made for this list.
pub(crate) fn foreign_cursor() -> Failure {
    Failure::invalid(
        "`cursor` isn't one of this list: pass next_cursor of the page before together with the same filters, or begin again without a cursor".into(),
    )
}

/// An action was asked for by a caller that may only read.
pub(crate) fn write_scope_required(tool: &str, actor: &Actor) -> String {
    match actor {
        Actor::LocalOperator { .. } => format!(
            "Write scope required: `{tool}` changes the workspace and this server was started to read only. Whoever runs Watchpost can start it with `--scope write`, or with a key made by `watchpost keys create --label NAME --scope write`"
        ),
        Actor::Key { .. } | Actor::Worker { .. } => format!(
            "Write scope required: `{tool}` changes the workspace and this key may only read. Whoever runs Watchpost can make a key that may: `watchpost keys create --label NAME --scope write`"
        ),
    }
}

/// Whether a failed call of a write tool can be repeated without doing harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Nothing was changed, for certain.
    Unchanged,
    /// It may have been changed, but the call has a key.
    ByKey,
    /// It may have been changed, and nothing would notice the repeat.
    Unsafe,
}

impl Retry {
    pub(crate) const fn is_safe(self) -> bool {
        !matches!(self, Self::Unsafe)
    }
    const fn words(self) -> &'static str {
        match self {
            Self::Unchanged => "Safe to retry: yes, because nothing was changed",
            Self::ByKey => {
                "Safe to retry: yes, with the same idempotency_key, because the change is made at most once for it"
            }
            Self::Unsafe => {
                "Safe to retry: no, because it isn't known whether the change was made and the call had no idempotency_key: look first"
            }
        }
    }
    /// An error's text with its advice.
    pub(crate) fn advise(self, message: &str) -> String {
        let message = message.trim_end_matches('.');
        format!("{message}. {}.", self.words())
    }
}

/// The text of a bug in an error of a write tool.
pub(crate) fn incident(id: &str) -> String {
    format!("Watchpost failed inside; whoever runs it finds the reason in the log under incident {id}")
}

/// A person was asked and said no.
pub(crate) const DECLINED: &str = "Nothing was changed: the person who was asked declined. Respect that: don't call again unless they ask for it";
/// A person was asked and gave no answer.
pub(crate) const CANCELLED: &str = "Nothing was changed: the person who was asked gave no answer. Tell them what is still to be decided; don't call again unless they ask for it";

/// The audit log can't be written.
pub(crate) const AUDIT_UNAVAILABLE: &str = "The audit log can't be written, and without its entry nothing is answered. Try again in a few seconds; if it stays so, whoever runs Watchpost finds the reason with `watchpost doctor`";
