//! Exemptions: what a check leaves out, agreed by a person, with an end.

use crate::{
    access::{Command, Permission},
    audit::AuditTarget,
    check::Exempted,
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Exemptions of a workspace at the most, ended ones too.
pub const EXEMPTIONS_MAX: u64 = 10_000;

/// One exemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// Its id.
    pub id: ExemptionId,
    /// What is exempted from which check.
    pub what: Exempted,
    /// Why.
    pub reason: ForeignText,
    /// Who answers for it.
    pub owner: ForeignText,
    /// When it was agreed.
    pub created_at: Timestamp,
    /// When it ends; `None`: until it is removed.
    pub until: Option<Timestamp>,
}

impl Exemption {
    /// Whether it holds at a time.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Agree to an exemption.
#[derive(Debug)]
pub struct AddExemption {
    /// The exemption.
    pub exemption: Exemption,
}

impl Command for AddExemption {
    fn permission(&self) -> Permission {
        Permission::ManageExemptions
    }
    fn action(&self) -> &'static str {
        "exemption.added"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("exemption", &self.exemption.id)
    }
}

/// Take an exemption back.
#[derive(Debug)]
pub struct RemoveExemption {
    /// Which.
    pub id: ExemptionId,
}

impl Command for RemoveExemption {
    fn permission(&self) -> Permission {
        Permission::ManageExemptions
    }
    fn action(&self) -> &'static str {
        "exemption.removed"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("exemption", &self.id)
    }
}
