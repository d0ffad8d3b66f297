//! `watchpost://rules/{id}`: a rule as in `list_rules`, with its description, steps and references.

use super::{ReadError, to_json};
use crate::{tool::Caller, tools::RuleOut, wire::AsOf};
use serde::Serialize;
use watchpost_core::audit::AuditTarget;

#[derive(Debug, Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    rule: RuleOut<'a>,
    description: &'a str,
    remediation: &'a [String],
    references: &'a [String],
    frameworks: &'a [String],
    #[serde(flatten)]
    as_of: AsOf,
}

pub(super) async fn read(caller: Caller<'_>, id: &str) -> Result<(String, AuditTarget), ReadError> {
    let watchpost = caller.watchpost;
    let (rules, freshness) = caller.open(watchpost.rules(caller.scope).await)?;
    let answer = rules
        .iter()
        .find(|answer| answer.rule.id == id)
        .ok_or(ReadError::NotFound)?;
    let text = to_json(&Output {
        rule: RuleOut::from(answer),
        description: &answer.rule.description,
        remediation: &answer.rule.remediation,
        references: &answer.rule.references,
        frameworks: &answer.rule.frameworks,
        as_of: AsOf::new(&freshness, watchpost.clock().now()),
    })?;
    Ok((text, AuditTarget::new("rule", &id)))
}
