//! Changes that a key may make.

use super::Watchpost;
use crate::{
    access::{Made, Permission, WorkspaceScope},
    app::{App, AppLookup, AppPolicyOutcome, SetAppPolicy},
    audit::CallRecord,
    error::Error,
    finding::{Act, Finding, FindingCommand, FindingOutcome, SNOOZE_DAYS},
    job::{TriggerSync, TriggeredSync},
    remediation::{Remediation, RemediationOutcome, RequestRemediation},
    rule::Rule,
    value::{
        id::{FindingId, IntegrationId, JobId, RemediationId},
        text::ForeignText,
        word::{AppPolicy, DismissReason, FindingStatus, Platform},
    },
};

/// Integrations that one trigger covers at the most.
const SYNCS_MAX: usize = 100;
/// Characters of a note.
const NOTE_CHARS_MAX: usize = 1_000;

/// What triggering a sync came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncStart {
    /// At least one new job.
    Triggered,
    /// All were queued or running already.
    AlreadyRunning,
    /// There is nothing to sync.
    NoIntegrations,
}

/// The answer to "sync now".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncAnswer {
    /// What it came to.
    pub start: SyncStart,
    /// Each integration's job.
    pub syncs: Vec<TriggeredSync>,
    /// How it was stored.
    pub made: Made,
}

/// The answer to "repair this".
#[derive(Debug, Clone, PartialEq)]
pub enum RemediationAnswer {
    /// It waits for a person's approval now.
    Requested {
        /// The request.
        remediation: Box<Remediation>,
        /// Steps to do by hand meanwhile.
        steps: Vec<String>,
        /// How it was stored.
        made: Made,
    },
    /// The same request waits already.
    AlreadyWaiting {
        /// The request.
        remediation: Box<Remediation>,
        /// Steps to do by hand meanwhile.
        steps: Vec<String>,
        /// How it was stored.
        made: Made,
    },
    /// No action exists for this kind of finding; nothing was recorded but the refusal, which the caller stores.
    NoAction {
        /// Steps that a person can do.
        steps: Vec<String>,
    },
    /// The finding is closed.
    Closed {
        /// Its status now.
        status: FindingStatus,
        /// How the refusal was stored.
        made: Made,
    },
    /// There is no such finding any more.
    Gone {
        /// How that was stored.
        made: Made,
    },
}

/// Cleans what a caller wrote as a note.
///
/// # Errors
/// [`Error::Invalid`] past 1,000 characters: a note is never cut silently.
fn clean_note(note: Option<&str>) -> Result<Option<ForeignText>, Error> {
    let Some(note) = note.map(str::trim).filter(|note| !note.is_empty()) else {
        return Ok(None);
    };
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(Error::invalid(
            "note",
            format!("at most {NOTE_CHARS_MAX} characters"),
        ));
    }
    Ok(Some(ForeignText::clean(note, NOTE_CHARS_MAX)))
}

impl Watchpost {
    /// Queues a sync of every active integration, of one platform's, or of one.
    ///
    /// # Errors
    /// [`Error::WriteScopeRequired`], or the store's.
    pub async fn trigger_sync(
        &self,
        scope: &WorkspaceScope,
        platform: Option<Platform>,
        integration: Option<IntegrationId>,
        call: CallRecord,
    ) -> Result<SyncAnswer, Error> {
        let jobs = (0..SYNCS_MAX)
            .map(|_| JobId::generate(self.clock(), self.random()))
            .collect();
        let command = TriggerSync {
            integration,
            platform,
            jobs,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let done = self.store().trigger_sync(write).await.map_err(Error::of_change)?;
        let (made, syncs) = (done.made(), done.into_value());
        let start = if syncs.is_empty() {
            SyncStart::NoIntegrations
        } else if syncs.iter().any(|sync| sync.is_new) {
            SyncStart::Triggered
        } else {
            SyncStart::AlreadyRunning
        };
        Ok(SyncAnswer { start, syncs, made })
    }

    /// Hides a finding for 1 to 90 days.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::Conflict`], [`Error::WriteScopeRequired`], or the store's.
    pub async fn snooze_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        days: i64,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, Made), Error> {
        if !SNOOZE_DAYS.contains(&days) {
            return Err(Error::invalid("days", format!("must be 1 to 90, not {days}")));
        }
        self.change(scope, id, Act::Snooze { days }, note, call).await
    }

    /// Closes a finding as accepted or wrong.
    ///
    /// # Errors
    /// As [`Watchpost::snooze_finding`].
    pub async fn dismiss_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        reason: DismissReason,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, Made), Error> {
        self.change(scope, id, Act::Dismiss { reason }, note, call).await
    }

    /// Closes a finding as repaired: a person's decision.
    ///
    /// # Errors
    /// As [`Watchpost::snooze_finding`].
    pub async fn resolve_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, Made), Error> {
        self.change(scope, id, Act::Resolve, note, call).await
    }

    /// Takes a snooze, dismissal or resolution back: a person's decision.
    ///
    /// # Errors
    /// As [`Watchpost::snooze_finding`].
    pub async fn reopen_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, Made), Error> {
        self.change(scope, id, Act::Reopen, note, call).await
    }

    async fn change(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        act: Act,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, Made), Error> {
        let command = FindingCommand {
            finding: id,
            act,
            note: clean_note(note)?,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        // The entry of a command that came to nothing is stored with its outcome, too: these errors need no other.
        let done = self
            .store()
            .change_finding(write)
            .await
            .map_err(Error::of_change)?;
        let made = done.made();
        Ok((done.into_value(), made))
    }

    /// Puts the action that the finding's rule names into the queue for a person's approval. Where there is
    /// no action, the call's audit entry is still to be stored.
    ///
    /// # Errors
    /// As [`Watchpost::snooze_finding`].
    pub async fn remediate_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<RemediationAnswer, Error> {
        scope.require(Permission::RequestRemediation)?;
        let note = clean_note(note)?;
        let (_, rule): (Finding, Option<&Rule>) = self.finding(scope, id).await.into_inner()?;
        let steps = rule.map(|rule| rule.remediation.clone()).unwrap_or_default();
        let Some(action) = rule.and_then(|rule| rule.action.clone()) else {
            return Ok(RemediationAnswer::NoAction { steps });
        };
        let command = RequestRemediation {
            id: RemediationId::generate(self.clock(), self.random()),
            finding: id,
            action,
            note,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        // Whether the finding is still open is decided by the store, where a repeat is known as one.
        let done = self
            .store()
            .request_remediation(write)
            .await
            .map_err(Error::of_change)?;
        let made = done.made();
        Ok(match done.into_value() {
            RemediationOutcome::Requested(remediation) => RemediationAnswer::Requested {
                remediation,
                steps,
                made,
            },
            RemediationOutcome::AlreadyWaiting(remediation) => RemediationAnswer::AlreadyWaiting {
                remediation,
                steps,
                made,
            },
            RemediationOutcome::FindingClosed(status) => RemediationAnswer::Closed { status, made },
            RemediationOutcome::NotFound => RemediationAnswer::Gone { made },
        })
    }

    /// Sets an app's policy. Gives the app as it was before, and what came of it.
    ///
    /// # Errors
    /// As [`Watchpost::snooze_finding`]; [`Error::Invalid`] with the candidates if the name fits several apps.
    pub async fn set_app_policy(
        &self,
        scope: &WorkspaceScope,
        lookup: &AppLookup,
        policy: AppPolicy,
        call: CallRecord,
    ) -> Result<(Box<App>, AppPolicyOutcome, Made), Error> {
        scope.require(Permission::SetAppPolicy)?;
        let app = self.store().find_app(scope, lookup).await?.one("app")?;
        let analysis = JobId::generate(self.clock(), self.random());
        let command = SetAppPolicy {
            app: app.id,
            policy,
            analysis,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        let done = self
            .store()
            .set_app_policy(write)
            .await
            .map_err(Error::of_change)?;
        let made = done.made();
        Ok((app, done.into_value(), made))
    }
}
