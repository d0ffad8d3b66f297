//! Exemptions from checks.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::Exempted,
    error::{Error, NextStep},
    scan::{AddExemption, EXEMPTIONS_MAX, Exemption, RemoveExemption},
    service::{Unrecorded, Watchpost},
    text,
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Maximum length of an exemption's reason, in characters.
const REASON_CHARS_MAX: usize = 1_000;

impl Watchpost {
    /// Returns all exemptions.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn exemptions(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<Exemption>, Error>> {
        Unrecorded::of(async { Ok(self.store().exemptions(scope).await?) }).await
    }

    /// Creates an exemption.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown check, an end that isn't in the future, or an empty reason or owner;
    /// [`Error::Conflict`] if the workspace has the maximum number of exemptions; [`Error::Denied`]; or the
    /// store's error.
    pub async fn add_exemption(
        &self,
        scope: &WorkspaceScope,
        what: Exempted,
        reason: &str,
        owner: &str,
        until: Option<Timestamp>,
        call: CallRecord,
    ) -> Result<Exemption, Error> {
        let known = self.checks().checks().iter().any(|check| {
            check.id == what.check || check.frameworks.iter().any(|id| id.as_str() == what.check)
        });
        if !known {
            return Err(
                Error::invalid("check", text::exemption::UNKNOWN_CHECK).with_next_step(NextStep::ListChecks)
            );
        }
        let now = self.clock().now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::invalid("until", text::exemption::END_IN_PAST));
        }
        let reason = ForeignText::clean(reason, REASON_CHARS_MAX);
        let owner = ForeignText::name(owner);
        if reason.is_empty() || owner.is_empty() {
            return Err(Error::invalid(
                if reason.is_empty() { "reason" } else { "owner" },
                text::exemption::REASON_AND_OWNER_REQUIRED,
            ));
        }
        let exemption = Exemption {
            id: ExemptionId::generate(self.clock(), self.random()),
            what,
            reason,
            owner,
            created_at: now,
            until,
        };
        let command = AddExemption {
            exemption: exemption.clone(),
        };
        let write = scope.authorize(command, call)?;
        if self.store().add_exemption(write).await?.into_value() {
            Ok(exemption)
        } else {
            Err(Error::conflict(text::exemption::limit_reached(EXEMPTIONS_MAX)))
        }
    }

    /// Removes an exemption.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Denied`], or the store's error.
    pub async fn remove_exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
        call: CallRecord,
    ) -> Result<(), Error> {
        let write = scope.authorize(RemoveExemption { id }, call)?;
        if self.store().remove_exemption(write).await?.into_value() {
            Ok(())
        } else {
            Err(Error::not_found("exemption", NextStep::ListExemptions))
        }
    }
}
