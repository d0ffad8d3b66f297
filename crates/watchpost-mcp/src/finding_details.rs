//! A finding with all that explains it: the answer of `get_finding` and of the resource `watchpost://findings/{id}`.

use crate::wire::{AsOf, FindingOut, Tenths, Text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::value::RawValue;
use watchpost_core::{
    integration::fact::Dataset,
    posture::score,
    service::{Detector, EvidenceSource, FindingAnswer},
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, DismissReason, Platform},
    },
};

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingDetails<'a> {
    #[serde(flatten)]
    finding: FindingOut<'a>,
    last_seen_at: Text<Timestamp>,
    status_changed_at: Text<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dismiss_reason: Option<Text<DismissReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Text<&'a ForeignText>>,
    auto_resolved: bool,
    reopen_count: u32,
    scored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "saving_fields")]
    saving: Option<Saving>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "evidence_rows")]
    evidence: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "source_rows")]
    evidence_from: Vec<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "rule_fields")]
    rule: Option<FindingRule<'a>>,
    #[serde(flatten)]
    as_of: AsOf,
}

/// The effect of fixing the finding.
#[derive(Debug, Serialize)]
struct Saving {
    points: u64,
    score_without: Tenths,
    points_saved: Tenths,
}

impl From<score::Saving> for Saving {
    fn from(saving: score::Saving) -> Self {
        Self {
            points: saving.points,
            score_without: Tenths(saving.score_without_tenths),
            points_saved: Tenths(saving.saved_tenths),
        }
    }
}

/// A dataset that the rule evaluates, and when it was last read.
#[derive(Debug, Serialize)]
struct Source {
    platform: Text<Platform>,
    dataset: Text<Dataset>,
    state: Text<CollectionState>,
    read_at: Text<Timestamp>,
}

impl From<&EvidenceSource> for Source {
    fn from(source: &EvidenceSource) -> Self {
        Self {
            platform: Text(source.platform),
            dataset: Text(source.dataset),
            state: Text(source.state),
            read_at: Text(source.read_at),
        }
    }
}

/// The rule or check that reports the finding.
#[derive(Debug, Serialize)]
struct FindingRule<'a> {
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    remediation: &'a [String],
    references: &'a [String],
    frameworks: Vec<&'a str>,
}

impl<'a> From<&Detector<'a>> for FindingRule<'a> {
    fn from(detector: &Detector<'a>) -> Self {
        Self {
            title: detector.title,
            description: detector.description,
            action: detector.action,
            remediation: detector.remediation,
            references: detector.references,
            frameworks: detector.frameworks.clone(),
        }
    }
}

fn saving_fields(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "description": "points, score_without, points_saved." })
}

fn evidence_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "object" } })
}

fn source_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "object" },
        "description": "platform, dataset, state, read_at.",
    })
}

fn rule_fields(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "title, description, action, remediation, references, frameworks.",
    })
}

impl<'a> FindingDetails<'a> {
    pub(crate) fn new(answer: &'a FindingAnswer<'_>, now: Timestamp) -> Self {
        let finding = &answer.finding;
        Self {
            finding: FindingOut::from(&finding.summary),
            last_seen_at: Text(finding.last_seen_at),
            status_changed_at: Text(finding.status_changed_at),
            snoozed_until: finding.snoozed_until.map(Text),
            dismiss_reason: finding.dismiss_reason.map(Text),
            note: finding.note.as_ref().map(Text),
            auto_resolved: finding.auto_resolved,
            reopen_count: finding.reopen_count,
            scored: finding.summary.scored,
            saving: answer.saving.map(Saving::from),
            evidence: serde_json::from_str(&finding.evidence).ok(),
            evidence_from: answer.sources.iter().map(Source::from).collect(),
            rule: answer.detector.as_ref().map(FindingRule::from),
            as_of: AsOf::new(&answer.freshness, now),
        }
    }

    pub(crate) fn dated(&self, sentence: &str) -> String {
        self.as_of.dated(sentence)
    }
}
