//! Conditions that several rules and checks share. All of them together have one finding for each entity.

use crate::{source::Source, text};
use std::collections::BTreeMap;
use watchpost_core::value::word::EntityType;

/// A condition that more than one rule or check judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCondition {
    /// The condition's id, by convention the id of one of its rules or checks.
    pub id: String,
    /// The type of entity that its finding is about.
    pub entity: EntityType,
    /// The ids of the rules and checks, sorted, at least two.
    pub judged_by: Vec<String>,
}

/// The condition of a rule or check, from its METADATA.
pub(crate) struct Declared<'a> {
    pub(crate) source: &'a Source,
    pub(crate) id: &'a str,
    pub(crate) condition: &'a str,
    pub(crate) entity: EntityType,
}

impl Declared<'_> {
    fn error(&self, what: &str) -> String {
        text::metadata_error(&self.source.file, self.source.line_of("condition"), what)
    }
}

/// Returns the conditions that several rules or checks share, sorted by id. The error names the file and line of a
/// `condition` that no other rule or check has, or whose rules and checks have different types of entity.
pub(crate) fn shared(declared: &[Declared<'_>]) -> Result<Vec<SharedCondition>, String> {
    let mut by_id: BTreeMap<&str, Vec<&Declared<'_>>> = BTreeMap::new();
    for one in declared {
        by_id.entry(one.condition).or_default().push(one);
    }
    let mut out = Vec::new();
    for (id, of) in by_id {
        if let [only] = of.as_slice() {
            if only.id != id {
                return Err(only.error(&text::condition_of_one(id)));
            }
            continue;
        }
        // The error names a customer's file if there is one, and never the one that the condition is named after.
        let blamed = of
            .iter()
            .filter(|one| one.id != id)
            .min_by_key(|one| one.source.builtin)
            .or(of.first());
        if let Some(blamed) = blamed
            && let Some(other) = of.iter().find(|other| other.entity != blamed.entity)
        {
            let message = text::condition_of_other_entity(id, other.id, other.entity, blamed.entity);
            return Err(blamed.error(&message));
        }
        let mut judged_by: Vec<String> = of.iter().map(|one| one.id.to_owned()).collect();
        judged_by.sort_unstable();
        if let Some(first) = of.first() {
            out.push(SharedCondition {
                id: id.to_owned(),
                entity: first.entity,
                judged_by,
            });
        }
    }
    Ok(out)
}
