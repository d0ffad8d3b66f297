//! Exemptions from checks.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::Exempted,
    error::{Error, NextStep},
    scan::{AddExemption, Exemption, RemoveExemption},
    service::{Unrecorded, Watchpost},
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Characters of an exemption's reason.
const REASON_CHARS_MAX: usize = 1_000;

impl Watchpost {
    /// All exemptions.
    ///
    /// # Errors
    /// The store's.
    pub async fn exemptions(&self, scope: &WorkspaceScope) -> Unrecorded<Result<Vec<Exemption>, Error>> {
        Unrecorded::of(async { Ok(self.store().exemptions(scope).await?) }).await
    }

    /// Agrees to an exemption.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Denied`]; the store's.
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
            return Err(Error::invalid("check", "no check has this id").advise(NextStep::ListChecks));
        }
        let now = self.clock().now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::invalid("until", "must lie in the future"));
        }
        let reason = ForeignText::clean(reason, REASON_CHARS_MAX);
        let owner = ForeignText::name(owner);
        if reason.is_empty() || owner.is_empty() {
            return Err(Error::invalid(
                if reason.is_empty() { "reason" } else { "owner" },
                "must not be empty: an exemption says why, and who answers for it",
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
            Err(Error::conflict("a workspace has at most 10,000 exemptions"))
        }
    }

    /// Takes an exemption back.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; the store's.
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
