//! `compare_scans`.

use super::{Answer, Context, Declaration, QUERY, Tool};
use crate::{
    arguments::{Arguments, Line, Many, Reduced, Word},
    error::Failure,
    scan_wire::{Difference, Open, OpenList, ScanChoice, fits, platform_words, scan_id, tenths},
    wire::{Tenths, Text, count},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{Framework, ScanType, Service},
    scan::{ResultChange, ResultRow, SettingChange},
    service::ComparisonAnswer,
    value::{id::ScanId, text::ForeignText, time::Timestamp},
};

/// Changes of one kind that the answer shows.
const SHOWN: usize = 25;
/// Moved values that are shown for a change.
const VALUES_SHOWN: usize = 5;

pub(super) struct CompareScans;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Default: the latest completed scan.
    scan_id: Option<Line<36>>,
    /// Of the latest scan; default compliance.
    scan_type: Option<Word<ScanType>>,
    /// Only needed if several platforms can be scanned.
    integration_id: Option<Line<36>>,
    /// The earlier scan; default: the one before.
    before_scan_id: Option<Line<36>>,
    #[serde(default)]
    framework: Many<Framework>,
    #[serde(default)]
    service: Many<Service>,
}

impl Input {
    fn choice(&self) -> ScanChoice<'_> {
        ScanChoice::new(
            self.scan_id.as_ref(),
            self.scan_type,
            self.integration_id.as_ref(),
        )
    }
}

impl Arguments for Input {
    fn reduce(&self, out: &mut Reduced<'_>) {
        self.choice().reduce(out);
        out.id("before_scan_id", self.before_scan_id.as_ref().map(Line::as_str));
        out.words("framework", self.framework.as_slice());
        out.words("service", self.service.as_slice());
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    before_scan_id: Text<ScanId>,
    before_at: Text<Timestamp>,
    scan_id: Text<ScanId>,
    /// Each with check, results and values before and after.
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
    frameworks: Open<BTreeMap<&'static str, Delta>>,
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
    /// What moved in the settings behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    settings: Vec<MovedSetting<'a>>,
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
struct MovedSetting<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_before: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_after: Option<&'static str>,
    values: &'a [watchpost_core::scan::ValueChange],
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

fn moved<'a>(answer: &'a ComparisonAnswer, check: &str) -> Vec<MovedSetting<'a>> {
    let paths = answer.inputs.get(check).map_or(&[][..], Vec::as_slice);
    paths
        .iter()
        .filter_map(|path| answer.settings.get(path))
        .map(|change: &SettingChange| MovedSetting {
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

fn changes<'a>(
    answer: &'a ComparisonAnswer,
    list: &'a [ResultChange],
    input: &Input,
) -> OpenList<ChangeOut<'a>> {
    OpenList(
        list.iter()
            .filter_map(|change| Some((change, change.row()?)))
            .filter(|(_, row)| fits(row, &input.framework, &input.service))
            .take(SHOWN)
            .map(|(change, row)| ChangeOut {
                check_id: &row.check_id,
                title: &row.title,
                severity: row.severity.as_str(),
                service: row.service.as_str(),
                framework_ids: row.frameworks.iter().map(|id| id.as_str()).collect(),
                before: change.before.as_ref().map(side),
                after: change.after.as_ref().map(side),
                settings: moved(answer, &row.check_id),
            })
            .collect(),
    )
}

fn ids<'a>(list: &'a [ResultChange], input: &Input) -> Vec<&'a str> {
    list.iter()
        .filter_map(ResultChange::row)
        .filter(|row| fits(row, &input.framework, &input.service))
        .map(|row| row.check_id.as_str())
        .collect()
}

impl Tool for CompareScans {
    const DECLARATION: Declaration = Declaration {
        name: "compare_scans",
        title: "Compare scans",
        description: "What changed between two scans of one platform: new failures, fixed, newly skipped or readable, old and new values, score difference by framework. Default: the latest completed scan against the one before. Filter by framework and service.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let after = input.choice().find(context).await?;
        let before = match scan_id("before_scan_id", input.before_scan_id.as_ref())? {
            Some(id) => {
                context
                    .watchpost
                    .find_scan(context.scope, Some(id), None, after.scan_type)
                    .await?
            }
            None => context
                .watchpost
                .scan_before(context.scope, &after)
                .await?
                .ok_or_else(|| {
                    Failure::invalid(
                        "there is no earlier completed scan of this type to compare with; the next scan can be compared with this one"
                            .to_owned(),
                    )
                })?,
        };
        let answer = context
            .watchpost
            .compare_scans(context.scope, before, after)
            .await?;
        let found = &answer.comparison;
        let change = |before: Option<watchpost_core::scan::ComplianceScore>,
                      after: Option<watchpost_core::scan::ComplianceScore>| {
            after
                .zip(before)
                .map(|(after, before)| Difference(after.difference(before)))
        };
        let output = Output {
            before_scan_id: Text(answer.before.id),
            before_at: Text(answer.before.completed_at.unwrap_or(answer.before.queued_at)),
            scan_id: Text(answer.after.id),
            new_failures: changes(&answer, &found.new_failures, &input),
            fixed: changes(&answer, &found.fixed, &input),
            changed_failures: changes(&answer, &found.changed_failures, &input),
            newly_skipped: changes(&answer, &found.newly_skipped, &input),
            newly_readable: changes(&answer, &found.newly_readable, &input),
            added: ids(&found.added, &input),
            removed: ids(&found.removed, &input),
            still_failing: found.still_failing,
            unchanged: found.unchanged,
            score_change: change(found.score.0, found.score.1),
            frameworks: Open(
                found
                    .frameworks
                    .iter()
                    .map(|delta| {
                        let out = Delta {
                            before: tenths(delta.before),
                            after: tenths(delta.after),
                            change: change(delta.before, delta.after),
                        };
                        (delta.framework.as_str(), out)
                    })
                    .collect(),
            ),
        };
        let scores = match found.score {
            (Some(before), Some(after)) => format!(" Score {before}, now {after} (higher is better)."),
            _ => String::new(),
        };
        let sentence = format!(
            "{} scans of {} compared: {}, {} fixed, {} still failing.{scores}",
            if answer.after.exposure().is_some() {
                "Exposure"
            } else {
                "Compliance"
            },
            platform_words(&answer.after),
            count(ids(&found.new_failures, &input).len() as u64, "new failure"),
            ids(&found.fixed, &input).len(),
            found.still_failing,
        );
        Ok(Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &answer.after.id)))
    }
}
