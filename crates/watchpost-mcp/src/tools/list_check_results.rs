//! `list_check_results`: the results of a scan's checks, or everything about one.

use crate::{
    arguments::{Line, Many, Whole, scan_arguments},
    error::Failure,
    scan_wire::{OpenObject, ResultOut},
    text,
    tool::{Answer, Context, Declaration, QUERY, QueryTool, Tool},
    wire::{Text, len},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::CheckResult,
    scan::{ResultFilter, Scan},
    service::{ResultAnswer, ResultChoice},
    value::{id::ScanId, text::ForeignText, time::Timestamp, word::Severity},
};

/// The maximum number of failing entities that the detail of a result names.
const ENTITIES_SHOWN: usize = 50;

pub(super) struct ListCheckResults;

scan_arguments! {
    pub(super) struct Input {
        framework, service;
        /// A check or control id: its results, the first in full.
        check_id: Option<Line<64>>,
        /// Default: all.
        #[serde(default)]
        result: Many<CheckResult>,
        /// Severities of the checks.
        #[serde(default)]
        severity: Many<Severity>,
        /// Words in id, title, framework id or reason.
        text: Option<Line<200>>,
        /// Rows of a page.
        #[schemars(extend("default" = 25))]
        limit: Option<Whole<1, 100>>,
        /// next_after of the previous page.
        after: Option<Line<64>>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    scan_id: Text<ScanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Text<Timestamp>>,
    results: Vec<ResultOut<'a>>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<&'a str>,
    /// With check_id: detected value, evidence, failing entities, remediation.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<OpenObject<Detail<'a>>>,
}

#[derive(Debug, Serialize)]
struct Detail<'a> {
    check_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected: Option<Box<RawValue>>,
    evidence: Box<RawValue>,
    failing: Vec<Failing<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_pass_if: Option<&'a ForeignText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<&'a [String]>,
    remediation: &'a [String],
    references: &'a [String],
    settings: Vec<SettingOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_before: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Failing<'a> {
    kind: &'a str,
    id: &'a str,
    name: &'a ForeignText,
}

#[derive(Debug, Serialize)]
struct SettingOut<'a> {
    path: &'a str,
    state: &'static str,
    source: &'a str,
    read_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

fn raw(text: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text.to_owned()).map_err(Failure::unwritable)
}

fn detail(answer: &ResultAnswer) -> Result<Detail<'_>, Failure> {
    let result = &answer.result;
    let check = answer.check.as_ref();
    Ok(Detail {
        check_id: &result.row.check_id,
        description: check.map(|check| check.description.as_str()),
        detected: result.row.detected.as_deref().map(raw).transpose()?,
        evidence: raw(&result.evidence)?,
        failing: result
            .entities
            .iter()
            .take(ENTITIES_SHOWN)
            .map(|entity| Failing {
                kind: &entity.kind,
                id: &entity.id,
                name: &entity.name,
            })
            .collect(),
        would_pass_if: result.would_pass.as_ref().map(|would| &would.condition),
        excluded: result.would_pass.as_ref().map(|would| would.excluded.as_slice()),
        remediation: check.map_or(&[], |check| check.remediation.as_slice()),
        references: check.map_or(&[], |check| check.references.as_slice()),
        settings: answer
            .settings
            .iter()
            .map(|row| SettingOut {
                path: &row.path,
                state: row.state.as_str(),
                source: &row.source,
                read_at: row.read_at,
                detail: row.detail.as_deref(),
            })
            .collect(),
        result_before: answer.before.as_ref().map(|row| row.result.as_str()),
    })
}

impl Tool for ListCheckResults {
    const DECLARATION: Declaration = Declaration {
        name: "list_check_results",
        title: "Check results",
        description: "Lists the results of a scan's checks, failed and worst first, by default of the latest completed compliance scan. Use for \"which CIS checks fail for Exchange Online\". With check_id: evidence and how to fix it.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

/// The answer about one check, or about all checks that carry a framework's id, with the details of the first.
async fn of_check(
    context: &Context<'_>,
    scan: Scan,
    name: &str,
    choice: ResultChoice<'_>,
) -> Result<Answer, Failure> {
    let detailed = usize::from(choice.after.is_none());
    let found = context
        .watchpost
        .named_results(context.scope, scan, name, choice, detailed);
    let answer = context.open(found.await)?;
    let first = answer.details.first();
    let output = Output {
        scan_id: Text(answer.scan.id),
        completed_at: answer.scan.completed_at.map(Text),
        results: answer.page.results.iter().map(ResultOut::from).collect(),
        total: answer.page.total,
        next_after: answer.page.next.as_deref(),
        detail: first.map(detail).transpose()?.map(OpenObject),
    };
    let sentence = match (&answer.page.results[..], answer.page.total) {
        ([row], 1) => text::scans::result(row, &answer.scan),
        _ => text::scans::results_of_control(
            &answer.scan,
            answer.page.total,
            &answer.counts,
            first.map(|first| first.result.row.check_id.as_str()),
        ),
    };
    Answer::new(sentence, &output)
}

impl QueryTool for ListCheckResults {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let scan = context.open(input.choice().find(context.watchpost, context.scope).await?)?;
        let target = AuditTarget::new("scan", &scan.id);
        let filter = ResultFilter {
            results: input.result.as_slice().to_vec(),
            severities: input.severity.as_slice().to_vec(),
            text: input.text.as_ref().map(|text| text.as_str().to_owned()),
            ..input.results()
        };
        let limit = input
            .limit
            .and_then(|limit| usize::try_from(limit.0).ok())
            .unwrap_or(25);
        let after = input.after.as_ref().map(Line::as_str);
        let choice = ResultChoice {
            filter: &filter,
            after,
            limit,
        };
        if let Some(name) = &input.check_id {
            return Ok(of_check(context, scan, name.as_str(), choice)
                .await?
                .about(target));
        }
        let answer = context.open(context.watchpost.scan_results(context.scope, scan, choice).await)?;
        let output = Output {
            scan_id: Text(answer.scan.id),
            completed_at: answer.scan.completed_at.map(Text),
            results: answer.page.results.iter().map(ResultOut::from).collect(),
            total: answer.page.total,
            next_after: answer.page.next.as_deref(),
            detail: None,
        };
        let sentence = text::scans::results_listed(
            &answer.scan,
            answer.page.total,
            len(&output.results),
            output.next_after.is_some(),
        );
        Ok(Answer::new(sentence, &output)?.about(target))
    }
}
