//! Exemptions from checks.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::Exempted,
    error::Error,
    scan::{AddExemption, Exemption, RemoveExemption},
    service::Watchpost,
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Characters of an exemption's reason.
const REASON_CHARS_MAX: usize = 1_000;

impl Watchpost {
    /// All exemptions.
    ///
    /// # Errors
    /// The store's.
    pub async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, Error> {
        Ok(self.store().exemptions(scope).await?)
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
            return Err(Error::Invalid {
                field: "check",
                reason: "no check has this id: `watchpost policy list` shows them".into(),
            });
        }
        let now = self.clock().now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::Invalid {
                field: "until",
                reason: "must lie in the future".into(),
            });
        }
        let reason = ForeignText::clean(reason, REASON_CHARS_MAX);
        let owner = ForeignText::name(owner);
        if reason.is_empty() || owner.is_empty() {
            return Err(Error::Invalid {
                field: if reason.is_empty() { "reason" } else { "owner" },
                reason: "must not be empty: an exemption says why, and who answers for it".into(),
            });
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
            Err(Error::Conflict {
                reason: "a workspace has at most 10,000 exemptions".into(),
            })
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
            Err(Error::NotFound {
                what: "exemption",
                next: "`watchpost exemption list` shows the ids".into(),
            })
        }
    }
}
