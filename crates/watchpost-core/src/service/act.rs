//! Changes that an API key may make.

use super::{Detector, Watchpost};
use crate::{
    access::{ChangeReceipt, Permission, WorkspaceScope},
    app::{App, AppLookup, AppPolicyOutcome, SetAppPolicy},
    audit::CallRecord,
    error::Error,
    finding::{Finding, FindingAction, FindingCommand, FindingOutcome, SNOOZE_DAYS},
    job::{TriggerSync, TriggeredSync},
    remediation::{Remediation, RemediationOutcome, RequestRemediation},
    text,
    value::{
        id::{FindingId, IntegrationId, JobId, RemediationId},
        text::ForeignText,
        word::{AppPolicy, DismissReason, FindingStatus, Platform},
    },
};

/// Maximum number of integrations in one trigger.
const SYNCS_MAX: usize = 100;
/// Maximum length of a note, in characters.
const NOTE_CHARS_MAX: usize = 1_000;

/// The outcome of triggering syncs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncStart {
    /// At least one sync was queued.
    Triggered,
    /// All syncs were queued or in progress already.
    AlreadyRunning,
    /// No active integration matches.
    NoIntegrations,
}

/// The result of [`Watchpost::trigger_sync`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncAnswer {
    /// The outcome.
    pub start: SyncStart,
    /// The job of each integration.
    pub syncs: Vec<TriggeredSync>,
    /// The audit row, and whether the call is a repeat.
    pub receipt: ChangeReceipt,
}

/// The result of [`Watchpost::remediate_finding`].
#[derive(Debug, Clone, PartialEq)]
pub enum RemediationAnswer {
    /// The remediation now waits for a person's approval.
    Requested {
        /// The remediation.
        remediation: Box<Remediation>,
        /// Manual steps to fix the finding in the meantime.
        steps: Vec<String>,
        /// The audit row, and whether the call is a repeat.
        receipt: ChangeReceipt,
    },
    /// The same remediation waits for approval already.
    AlreadyWaiting {
        /// The remediation.
        remediation: Box<Remediation>,
        /// Manual steps to fix the finding in the meantime.
        steps: Vec<String>,
        /// The audit row, and whether the call is a repeat.
        receipt: ChangeReceipt,
    },
    /// The finding's rule or check has no action. Nothing was recorded; the caller stores the audit entry of the call.
    NoAction {
        /// Manual steps to fix the finding.
        steps: Vec<String>,
    },
    /// The finding is closed.
    Closed {
        /// The finding's current status.
        status: FindingStatus,
        /// The audit row, and whether the call is a repeat.
        receipt: ChangeReceipt,
    },
    /// The finding no longer exists.
    Gone {
        /// The audit row, and whether the call is a repeat.
        receipt: ChangeReceipt,
    },
}

/// Cleans the text of a note.
///
/// # Errors
/// [`Error::Invalid`] if it has more than 1,000 characters: a note is never truncated silently.
fn clean_note(note: Option<&str>) -> Result<Option<ForeignText>, Error> {
    let Some(note) = note.map(str::trim).filter(|note| !note.is_empty()) else {
        return Ok(None);
    };
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(Error::invalid("note", text::note_too_long(NOTE_CHARS_MAX)));
    }
    Ok(Some(ForeignText::clean(note, NOTE_CHARS_MAX)))
}

impl Watchpost {
    /// Queues a sync of every active integration, of those of one platform, or of one.
    ///
    /// # Errors
    /// [`Error::WriteScopeRequired`], or the store's error.
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
        let (receipt, syncs) = (done.receipt(), done.into_value());
        let start = if syncs.is_empty() {
            SyncStart::NoIntegrations
        } else if syncs.iter().any(|sync| sync.is_new) {
            SyncStart::Triggered
        } else {
            SyncStart::AlreadyRunning
        };
        Ok(SyncAnswer {
            start,
            syncs,
            receipt,
        })
    }

    /// Snoozes a finding for 1 to 90 days.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::WriteScopeRequired`], or the store's error. A finding that doesn't exist or
    /// can't be snoozed is a [`FindingOutcome`].
    pub async fn snooze_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        days: i64,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), Error> {
        if !SNOOZE_DAYS.contains(&days) {
            return Err(Error::invalid("days", text::out_of_range(&SNOOZE_DAYS, &days)));
        }
        self.change(scope, id, FindingAction::Snooze { days }, note, call)
            .await
    }

    /// Dismisses a finding as accepted or wrong.
    ///
    /// # Errors
    /// The same as of [`Watchpost::snooze_finding`].
    pub async fn dismiss_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        reason: DismissReason,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), Error> {
        self.change(scope, id, FindingAction::Dismiss { reason }, note, call)
            .await
    }

    /// Resolves a finding as fixed, which is a person's decision.
    ///
    /// # Errors
    /// [`Error::Denied`], and otherwise the same as of [`Watchpost::snooze_finding`].
    pub async fn resolve_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), Error> {
        self.change(scope, id, FindingAction::Resolve, note, call).await
    }

    /// Reverts a snooze, a dismissal or a resolution, which is a person's decision.
    ///
    /// # Errors
    /// [`Error::Denied`], and otherwise the same as of [`Watchpost::snooze_finding`].
    pub async fn reopen_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), Error> {
        self.change(scope, id, FindingAction::Reopen, note, call).await
    }

    async fn change(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        action: FindingAction,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<(FindingOutcome, ChangeReceipt), Error> {
        let command = FindingCommand {
            finding: id,
            action,
            note: clean_note(note)?,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call)?;
        // The store also stores the audit entry of a command that changes nothing, with its outcome.
        let done = self
            .store()
            .change_finding(write)
            .await
            .map_err(Error::of_change)?;
        let receipt = done.receipt();
        Ok((done.into_value(), receipt))
    }

    /// Requests the action of the finding's rule, which then waits for a person's approval. If the rule has no
    /// action, the caller must store the audit entry of the call.
    ///
    /// # Errors
    /// [`Error::NotFound`], and the same as of [`Watchpost::snooze_finding`].
    pub async fn remediate_finding(
        &self,
        scope: &WorkspaceScope,
        id: FindingId,
        note: Option<&str>,
        call: CallRecord,
    ) -> Result<RemediationAnswer, Error> {
        scope.require(Permission::RequestRemediation)?;
        let note = clean_note(note)?;
        let (_, detector): (Finding, Option<Detector<'_>>) = self.finding(scope, id).await.into_inner()?;
        let steps = detector
            .as_ref()
            .map_or_else(Vec::new, |found| found.remediation.to_vec());
        let Some(action) = detector.and_then(|found| found.action).map(str::to_owned) else {
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
        // The store decides whether the finding is open, because it recognizes repeated calls.
        let done = self
            .store()
            .request_remediation(write)
            .await
            .map_err(Error::of_change)?;
        let receipt = done.receipt();
        Ok(match done.into_value() {
            RemediationOutcome::Requested(remediation) => RemediationAnswer::Requested {
                remediation,
                steps,
                receipt,
            },
            RemediationOutcome::AlreadyWaiting(remediation) => RemediationAnswer::AlreadyWaiting {
                remediation,
                steps,
                receipt,
            },
            RemediationOutcome::FindingClosed(status) => RemediationAnswer::Closed { status, receipt },
            RemediationOutcome::NotFound => RemediationAnswer::Gone { receipt },
        })
    }

    /// Sets an app's policy. Returns the app as it was before, and the outcome.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] with the candidates if the name matches several apps;
    /// [`Error::WriteScopeRequired`]; or the store's error.
    pub async fn set_app_policy(
        &self,
        scope: &WorkspaceScope,
        lookup: &AppLookup,
        policy: AppPolicy,
        call: CallRecord,
    ) -> Result<(Box<App>, AppPolicyOutcome, ChangeReceipt), Error> {
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
        let receipt = done.receipt();
        Ok((app, done.into_value(), receipt))
    }
}
