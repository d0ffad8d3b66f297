//! Exemptions of entities from checks, agreed by a person, usually with an end.

use crate::{
    access::{Command, Permission},
    audit::AuditTarget,
    check::Exempted,
    value::{id::ExemptionId, text::ForeignText, time::Timestamp},
};

/// Maximum number of exemptions in a workspace, including ended ones.
pub const EXEMPTIONS_MAX: u64 = 10_000;

/// An exemption from a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// The exemption's id.
    pub id: ExemptionId,
    /// The exempted entity and the check.
    pub what: Exempted,
    /// The reason for the exemption.
    pub reason: ForeignText,
    /// The person responsible for the exemption.
    pub owner: ForeignText,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The end of the exemption; `None` if it holds until it is removed.
    pub until: Option<Timestamp>,
}

impl Exemption {
    /// Returns whether the exemption is in effect at a point in time.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Creates an exemption.
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

/// Removes an exemption.
#[derive(Debug)]
pub struct RemoveExemption {
    /// The exemption to remove.
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
