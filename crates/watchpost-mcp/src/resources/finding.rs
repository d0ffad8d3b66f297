//! `watchpost://findings/{id}`: a finding as in `list_findings`, with its evidence, history and rule.

use super::{ReadError, to_json};
use crate::{
    tool::Caller,
    wire::{AsOf, FindingOut, Text},
};
use serde::Serialize;
use serde_json::value::RawValue;
use watchpost_core::{
    audit::AuditTarget,
    finding::Finding,
    service::Detector,
    value::{id::FindingId, text::ForeignText, time::Timestamp, word::DismissReason},
};

#[derive(Debug, Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    finding: FindingOut<'a>,
    first_seen_at: Text<Timestamp>,
    last_seen_at: Text<Timestamp>,
    status_changed_at: Text<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dismiss_reason: Option<Text<DismissReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a ForeignText>,
    auto_resolved: bool,
    reopen_count: u32,
    scored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<FindingRule<'a>>,
    #[serde(flatten)]
    as_of: AsOf,
}

#[derive(Debug, Serialize)]
struct FindingRule<'a> {
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    remediation: &'a [String],
    references: &'a [String],
}

fn output<'a>(finding: &'a Finding, rule: Option<Detector<'a>>, as_of: AsOf) -> Output<'a> {
    Output {
        finding: FindingOut::from(&finding.summary),
        first_seen_at: Text(finding.summary.first_seen_at),
        last_seen_at: Text(finding.last_seen_at),
        status_changed_at: Text(finding.status_changed_at),
        snoozed_until: finding.snoozed_until.map(Text),
        dismiss_reason: finding.dismiss_reason.map(Text),
        note: finding.note.as_ref(),
        auto_resolved: finding.auto_resolved,
        reopen_count: finding.reopen_count,
        scored: finding.summary.scored,
        evidence: serde_json::from_str(&finding.evidence).ok(),
        rule: rule.map(|rule| FindingRule {
            title: rule.title,
            description: rule.description,
            action: rule.action,
            remediation: rule.remediation,
            references: rule.references,
        }),
        as_of,
    }
}

pub(super) async fn read(caller: Caller<'_>, id: FindingId) -> Result<(String, AuditTarget), ReadError> {
    let watchpost = caller.watchpost;
    let (finding, rule) = caller.open(watchpost.finding(caller.scope, id).await)?;
    let freshness = caller.open(watchpost.freshness(caller.scope).await)?;
    let as_of = AsOf::new(&freshness, watchpost.clock().now());
    let text = to_json(&output(&finding, rule, as_of))?;
    Ok((text, AuditTarget::new("finding", &id)))
}
