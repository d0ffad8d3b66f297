//! Comparisons of two scans.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Failure, of_lookup},
    fields::{Id, Many, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    schema::any_value,
    wire::{
        Difference, Foreign, Tenths, Time, raw,
        scan::{difference, tenths},
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{CheckResult, Framework, ScanType, Service, SkipReason},
    scan::{ResultChange, ResultFilter, ResultRow, SettingChange, ValueChange},
    service::ComparisonAnswer,
    value::{
        id::{IntegrationId, ScanId},
        word::Severity,
    },
};

pub(crate) struct CompareScans;

fields! {
    pub(crate) struct CompareFields {
        /// The later scan. Default: the latest completed scan.
        scan_id: Option<Id<ScanId>>,
        /// The earlier scan. Default: the last of another day, else the previous one.
        before_scan_id: Option<Id<ScanId>>,
        /// Used without scan_id. Default: compliance.
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<Id<IntegrationId>>,
        /// Default: all.
        framework: Many<Framework>,
        /// Default: all.
        service: Many<Service>,
    }
}

/// The differences between two scans.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub(crate) struct Output<'a> {
    before_scan_id: Id<ScanId>,
    before_at: Time,
    compared_with: &'static str,
    scan_id: Id<ScanId>,
    new_failures: Vec<ChangeOut<'a>>,
    fixed: Vec<ChangeOut<'a>>,
    changed_failures: Vec<ChangeOut<'a>>,
    newly_skipped: Vec<ChangeOut<'a>>,
    newly_readable: Vec<ChangeOut<'a>>,
    added: Vec<&'a str>,
    removed: Vec<&'a str>,
    still_failing: u64,
    unchanged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_change: Option<Difference>,
    frameworks: BTreeMap<&'static str, Delta>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreDelta")]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Difference>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResultChange")]
struct ChangeOut<'a> {
    check_id: &'a str,
    title: &'a str,
    severity: Word<Severity>,
    service: Word<Service>,
    framework_ids: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Side<'a>>,
    /// The changes in the settings that the check reads.
    settings: Vec<ChangedSetting<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResultSide")]
struct Side<'a> {
    result: Word<CheckResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<Word<SkipReason>>,
    reason: Foreign<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    detected: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangedSetting<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_after: Option<&'static str>,
    values: Vec<ChangedValue<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangedValue<'a> {
    pointer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    before: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    after: Option<&'a Value>,
}

fn side(row: &ResultRow) -> Result<Side<'_>, serde_json::Error> {
    Ok(Side {
        result: Word(row.result),
        skip_reason: row.skip.map(Word),
        reason: Foreign(&row.reason),
        detected: row.detected.as_deref().map(raw).transpose()?,
    })
}

fn changed_settings<'a>(answer: &'a ComparisonAnswer, check: &str) -> Vec<ChangedSetting<'a>> {
    let paths = answer.inputs.get(check).map_or(&[][..], Vec::as_slice);
    let value = |change: &'a ValueChange| ChangedValue {
        pointer: &change.pointer,
        before: change.before.as_ref(),
        after: change.after.as_ref(),
    };
    paths
        .iter()
        .filter_map(|path| answer.settings.get(path))
        .map(|change: &SettingChange| ChangedSetting {
            path: &change.path,
            state_before: change.state_before,
            state_after: change.state_after,
            values: change.values.iter().map(value).collect(),
        })
        .collect()
}

fn changes<'a>(
    answer: &'a ComparisonAnswer,
    list: &'a [ResultChange],
) -> Result<Vec<ChangeOut<'a>>, serde_json::Error> {
    list.iter()
        .filter_map(|change| Some((change, change.row()?)))
        .map(|(change, row)| {
            Ok(ChangeOut {
                check_id: &row.check_id,
                title: &row.title,
                severity: Word(row.severity),
                service: Word(row.service),
                framework_ids: row.frameworks.iter().map(|id| id.as_str()).collect(),
                before: change.before.as_ref().map(side).transpose()?,
                after: change.after.as_ref().map(side).transpose()?,
                settings: changed_settings(answer, &row.check_id),
            })
        })
        .collect()
}

fn ids(list: &[ResultChange]) -> Vec<&str> {
    list.iter()
        .filter_map(ResultChange::row)
        .map(|row| row.check_id.as_str())
        .collect()
}

fn output(answer: &ComparisonAnswer) -> Result<Output<'_>, serde_json::Error> {
    let found = &answer.comparison;
    let frameworks = found.frameworks.iter().map(|delta| {
        let out = Delta {
            before: tenths(delta.before),
            after: tenths(delta.after),
            change: difference(delta.before, delta.after),
        };
        (delta.framework.as_str(), out)
    });
    Ok(Output {
        before_scan_id: Id(answer.before.id),
        before_at: Time(answer.before.completed_at.unwrap_or(answer.before.queued_at)),
        compared_with: answer.with.as_str(),
        scan_id: Id(answer.after.id),
        new_failures: changes(answer, &found.new_failures)?,
        fixed: changes(answer, &found.fixed)?,
        changed_failures: changes(answer, &found.changed_failures)?,
        newly_skipped: changes(answer, &found.newly_skipped)?,
        newly_readable: changes(answer, &found.newly_readable)?,
        added: ids(&found.added),
        removed: ids(&found.removed),
        still_failing: found.still_failing,
        unchanged: found.unchanged,
        score_change: difference(found.score.0, found.score.1),
        frameworks: frameworks.collect(),
    })
}

impl Endpoint for CompareScans {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/comparisons",
        name: "compare_scans",
        group: "scans",
        summary: "Compares two scans of one platform, with old and new values",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = CompareFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: CompareFields) -> Result<Answer, Failure> {
        let scan_type = input.scan_type.map_or(ScanType::Compliance, |word| word.0);
        let found = context
            .watchpost
            .find_scan(
                context.scope,
                input.scan_id.map(|id| id.0),
                input.integration_id.map(|id| id.0),
                scan_type,
            )
            .await;
        let after = context.open(found)?;
        let filter = ResultFilter {
            frameworks: input.framework.as_slice().to_vec(),
            services: input.service.as_slice().to_vec(),
            ..ResultFilter::default()
        };
        let before = input.before_scan_id.map(|id| id.0);
        let compared = context
            .watchpost
            .compare_scans(context.scope, before, after, &filter);
        let answer = context.open(compared.await).map_err(of_lookup)?;
        let output = output(&answer).map_err(Failure::unwritable)?;
        Ok(Answer::json(&output)?.about(AuditTarget::new("scan", &answer.after.id)))
    }
}
