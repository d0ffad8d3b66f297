//! `compare_scans`: the differences between two scans of one platform.

use crate::{
    arguments::{IdLine, scan_arguments, scan_id},
    error::Failure,
    scan_wire::{Difference, OpenList, OpenObject, tenths},
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{Tenths, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    scan::{ComplianceScore, ResultChange, ResultRow, SettingChange, ValueChange},
    service::ComparisonAnswer,
    value::{id::ScanId, text::ForeignText, time::Timestamp},
};

/// The maximum number of changes of one kind that the answer shows.
const SHOWN: usize = 25;
/// The maximum number of changed values that a setting shows.
const VALUES_SHOWN: usize = 5;

pub(super) struct CompareScans;

scan_arguments! {
    pub(super) struct Input {
        framework, service;
        /// The earlier scan. Default: the last of another day, else the previous one.
        before_scan_id: Option<IdLine>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    before_scan_id: Text<ScanId>,
    before_at: Text<Timestamp>,
    compared_with: &'static str,
    scan_id: Text<ScanId>,
    /// Each with check, and results and values before and after.
    new_failures: OpenList<ChangeOut<'a>>,
    fixed: OpenList<ChangeOut<'a>>,
    #[serde(skip_serializing_if = "OpenList::is_empty")]
    changed_failures: OpenList<ChangeOut<'a>>,
    #[serde(skip_serializing_if = "OpenList::is_empty")]
    newly_skipped: OpenList<ChangeOut<'a>>,
    #[serde(skip_serializing_if = "OpenList::is_empty")]
    newly_readable: OpenList<ChangeOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<&'a str>,
    still_failing: u64,
    unchanged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_change: Option<Difference>,
    /// Scores by framework: before, after, change.
    frameworks: OpenObject<BTreeMap<&'static str, Delta>>,
}

#[derive(Debug, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Difference>,
}

#[derive(Debug, Serialize)]
struct ChangeOut<'a> {
    check_id: &'a str,
    title: &'a str,
    severity: &'static str,
    service: &'static str,
    framework_ids: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Side<'a>>,
    /// The changes in the settings that the check reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<ChangedSetting<'a>>,
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<&'static str>,
    reason: &'a ForeignText,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
struct ChangedSetting<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_after: Option<&'static str>,
    values: &'a [ValueChange],
}

fn side(row: &ResultRow) -> Side<'_> {
    Side {
        result: row.result.as_str(),
        skip_reason: row.skip.map(|skip| skip.as_str()),
        reason: &row.reason,
        detected: row
            .detected
            .clone()
            .and_then(|text| RawValue::from_string(text).ok()),
    }
}

fn changed_settings<'a>(answer: &'a ComparisonAnswer, check: &str) -> Vec<ChangedSetting<'a>> {
    let paths = answer.inputs.get(check).map_or(&[][..], Vec::as_slice);
    paths
        .iter()
        .filter_map(|path| answer.settings.get(path))
        .map(|change: &SettingChange| ChangedSetting {
            path: &change.path,
            state_before: change.state_before,
            state_after: change.state_after,
            values: change
                .values
                .get(..VALUES_SHOWN.min(change.values.len()))
                .unwrap_or_default(),
        })
        .collect()
}

fn changes<'a>(answer: &'a ComparisonAnswer, list: &'a [ResultChange]) -> OpenList<ChangeOut<'a>> {
    OpenList(
        list.iter()
            .filter_map(|change| Some((change, change.row()?)))
            .take(SHOWN)
            .map(|(change, row)| ChangeOut {
                check_id: &row.check_id,
                title: &row.title,
                severity: row.severity.as_str(),
                service: row.service.as_str(),
                framework_ids: row.frameworks.iter().map(|id| id.as_str()).collect(),
                before: change.before.as_ref().map(side),
                after: change.after.as_ref().map(side),
                settings: changed_settings(answer, &row.check_id),
            })
            .collect(),
    )
}

fn ids(list: &[ResultChange]) -> Vec<&str> {
    list.iter()
        .filter_map(ResultChange::row)
        .map(|row| row.check_id.as_str())
        .collect()
}

fn difference(before: Option<ComplianceScore>, after: Option<ComplianceScore>) -> Option<Difference> {
    after
        .zip(before)
        .map(|(after, before)| Difference(after.difference(before)))
}

fn output(answer: &ComparisonAnswer) -> Output<'_> {
    let found = &answer.comparison;
    let frameworks = found.frameworks.iter().map(|delta| {
        let out = Delta {
            before: tenths(delta.before),
            after: tenths(delta.after),
            change: difference(delta.before, delta.after),
        };
        (delta.framework.as_str(), out)
    });
    Output {
        before_scan_id: Text(answer.before.id),
        before_at: Text(answer.before.completed_at.unwrap_or(answer.before.queued_at)),
        compared_with: answer.with.as_str(),
        scan_id: Text(answer.after.id),
        new_failures: changes(answer, &found.new_failures),
        fixed: changes(answer, &found.fixed),
        changed_failures: changes(answer, &found.changed_failures),
        newly_skipped: changes(answer, &found.newly_skipped),
        newly_readable: changes(answer, &found.newly_readable),
        added: ids(&found.added),
        removed: ids(&found.removed),
        still_failing: found.still_failing,
        unchanged: found.unchanged,
        score_change: difference(found.score.0, found.score.1),
        frameworks: OpenObject(frameworks.collect()),
    }
}

impl Tool for CompareScans {
    const DECLARATION: Declaration = Declaration {
        name: "compare_scans",
        title: "Compare scans",
        description: "Compares two scans of one platform: new failures, fixes, checks newly skipped or readable, old and new values, score changes by framework.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for CompareScans {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let after = context.open(input.choice().find(context.watchpost, context.scope).await?)?;
        let before = scan_id("before_scan_id", input.before_scan_id.as_ref())?;
        let results = input.results();
        let compared = context
            .watchpost
            .compare_scans(context.scope, before, after, &results);
        let answer = context.open(compared.await)?;
        let sentence = text::scans::compared(&answer, &results);
        let output = output(&answer);
        Ok(Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &answer.after.id)))
    }
}
