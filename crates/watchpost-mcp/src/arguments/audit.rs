//! The arguments of a call in the form of the audit log.

use super::Arguments;
use crate::confirm::Confirmation;
use watchpost_core::{
    access::OnceTokenKind,
    audit::{AuditKey, CallRecord},
};

pub(crate) use watchpost_core::audit::Reduced;

/// The arguments of one call, for its audit entry and for recognizing a repeat.
pub(crate) struct AuditArguments<'k> {
    tool: &'static str,
    reduced: Reduced<'k>,
}

impl<'k> AuditArguments<'k> {
    pub(crate) fn new(tool: &'static str, input: &impl Arguments, key: &'k AuditKey) -> Self {
        let mut reduced = Reduced::new(key);
        input.reduce(&mut reduced);
        Self { tool, reduced }
    }

    /// Whether the call has an idempotency key, so that a repeat would be recognized.
    pub(crate) const fn has_idempotency_key(&self) -> bool {
        self.reduced.has_idempotency_key()
    }

    /// Returns the text of the audit entry, with the confirmation of the change.
    pub(crate) fn text(&self, confirmation: Option<Confirmation>) -> String {
        let mut reduced = self.reduced.clone();
        if let Some(confirmation) = confirmation {
            reduced.word("confirmation", confirmation.as_str());
        }
        reduced.text()
    }

    /// Returns the record of the call, which the use case stores with its change.
    pub(crate) fn record(&self, confirmation: Option<Confirmation>) -> CallRecord {
        let mut call = CallRecord::new("mcp", self.tool, self.text(confirmation));
        if let Some(token) = self.reduced.idempotency_token(self.tool) {
            call = call.once(token);
        }
        if let Some(Confirmation::Asked(nonce)) = confirmation {
            let token = self.reduced.token(OnceTokenKind::Confirmation, &nonce, self.tool);
            call = call.once(token);
        }
        call
    }
}
