//! Exemptions from checks.

use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::{Exempted, FrameworkId},
    error::{Error, NextStep},
    scan::{AddExemption, EXEMPTIONS_MAX, Exemption, RemoveExemption},
    service::{Unrecorded, Watchpost},
    text,
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};
use std::collections::BTreeSet;

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

    /// Creates an exemption. The check's id may be in any case, and an id in a framework without its prefix; an
    /// exemption with the latter applies to all checks that carry it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown or ambiguous check, an end that isn't in the future, or an empty reason or owner;
    /// [`Error::Conflict`] if the workspace has the maximum number of exemptions; [`Error::Denied`]; or the
    /// store's error.
    pub async fn add_exemption(
        &self,
        scope: &WorkspaceScope,
        mut what: Exempted,
        reason: &str,
        owner: &str,
        until: Option<Timestamp>,
        call: CallRecord,
    ) -> Result<Exemption, Error> {
        what.check = self.exemptible(&what.check)?;
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

    /// Returns the id of a check, or an id in a framework, as checks write it. `name` is in any case, and an id in a
    /// framework with or without its prefix.
    fn exemptible(&self, name: &str) -> Result<String, Error> {
        let checks = self.checks().checks();
        if let Some(check) = checks
            .iter()
            .find(|check| check.id.eq_ignore_ascii_case(name.trim()))
        {
            return Ok(check.id.clone());
        }
        let ids = checks.iter().flat_map(|check| &check.frameworks);
        let named: BTreeSet<&str> = ids
            .filter(|id| id.is_named(name))
            .map(FrameworkId::as_str)
            .collect();
        let mut named = named.into_iter();
        match (named.next(), named.next()) {
            (Some(id), None) => Ok(id.to_owned()),
            (Some(one), Some(two)) => Err(Error::invalid("check", text::exemption::several(one, two))),
            (None, _) => {
                Err(Error::invalid("check", text::exemption::UNKNOWN_CHECK)
                    .with_next_step(NextStep::ListChecks))
            }
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
