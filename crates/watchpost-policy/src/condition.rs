//! Conditions that several rules and checks share: one finding for what all of them judge.

use crate::source::Source;
use std::collections::BTreeMap;
use watchpost_core::value::word::EntityType;

/// A condition that more than one rule or check judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCondition {
    /// The id that they share: by habit the id of one of them.
    pub id: String,
    /// What its finding is about.
    pub entity: EntityType,
    /// The rules and checks, by id, sorted; at least two.
    pub judged_by: Vec<String>,
}

/// What the METADATA of a rule or check says of its condition.
pub(crate) struct Declared<'a> {
    pub(crate) source: &'a Source,
    pub(crate) id: &'a str,
    pub(crate) condition: &'a str,
    pub(crate) entity: EntityType,
}

impl Declared<'_> {
    fn error(&self, what: &str) -> String {
        let line = self.source.line_of("condition");
        format!("{}:{line}: METADATA: {what}", self.source.file)
    }
}

/// The conditions that several share, sorted by id. The error names file and line of a `condition` that nothing else
/// has, or whose rules and checks find it at different types of entity.
pub(crate) fn shared(declared: &[Declared<'_>]) -> Result<Vec<SharedCondition>, String> {
    let mut by_id: BTreeMap<&str, Vec<&Declared<'_>>> = BTreeMap::new();
    for one in declared {
        by_id.entry(one.condition).or_default().push(one);
    }
    let mut out = Vec::new();
    for (id, of) in by_id {
        if let [only] = of.as_slice() {
            if only.id != id {
                return Err(only.error(&format!("no other rule or check has the condition `{id}`")));
            }
            continue;
        }
        // The one to blame is a customer's where there is one, and never the one that the condition is named after.
        let blamed = of
            .iter()
            .filter(|one| one.id != id)
            .min_by_key(|one| one.source.builtin)
            .or(of.first());
        if let Some(blamed) = blamed
            && let Some(other) = of.iter().find(|other| other.entity != blamed.entity)
        {
            return Err(blamed.error(&format!(
                "the condition `{id}` is also that of `{}`, whose findings are about another type of entity ({}, not {})",
                other.id, other.entity, blamed.entity
            )));
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
