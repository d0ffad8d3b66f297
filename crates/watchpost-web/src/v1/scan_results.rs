//! The results of a scan's checks.

use crate::{
    answer::Answer,
    context::Context,
    failure::Failure,
    fields::{After, Id, Limit, Line, Many, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
    wire::{
        Time,
        scan::{DetailOut, ResultOut},
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{CheckResult, Framework, ScanType, Service},
    scan::{ResultFilter, ResultPage, Scan},
    service::{ResultAnswer, ResultChoice},
    value::{
        id::{IntegrationId, ScanId},
        word::Severity,
    },
};

pub(crate) struct ListCheckResults;

fields! {
    pub(crate) struct LatestResultFields {
        /// Default: the latest completed scan.
        scan_id: Option<Id<ScanId>>,
        /// Used without scan_id. Default: compliance.
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<Id<IntegrationId>>,
        /// Default: all.
        framework: Many<Framework>,
        /// Default: all.
        service: Many<Service>,
        /// A check or control id: its results, the first in full.
        check_id: Option<Line<64>>,
        /// Default: all.
        result: Many<CheckResult>,
        /// Severities of the checks. Default: all.
        severity: Many<Severity>,
        /// Words in id, title, framework id or reason.
        text: Option<Line<200>>,
        /// Rows of a page.
        limit: Limit<50>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

/// A page of results, failed and worst first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckResultList")]
pub(crate) struct Output<'a> {
    scan_id: Id<ScanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Time>,
    results: Vec<ResultOut<'a>>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
    /// With check_id: everything about the first result.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<DetailOut<'a>>,
}

/// The choice of results within a scan.
pub(crate) struct Choice<'i> {
    pub(crate) filter: ResultFilter,
    pub(crate) check: Option<&'i str>,
    after: Option<&'i After>,
    limit: usize,
}

async fn answer(context: &Context<'_>, scan: Scan, choice: Choice<'_>) -> Result<Answer, Failure> {
    let after = context.begin(choice.after)?;
    let selected = ResultChoice {
        filter: &choice.filter,
        after: after.as_deref(),
        limit: choice.limit,
    };
    let (scan, page, details) = match choice.check {
        Some(name) => {
            let detailed = usize::from(after.is_none());
            let found = context
                .watchpost
                .named_results(context.scope, scan, name, selected, detailed);
            let found = context.open(found.await)?;
            (found.scan, found.page, found.details)
        }
        None => {
            let found = context
                .watchpost
                .scan_results(context.scope, scan, selected)
                .await;
            let found = context.open(found)?;
            (found.scan, found.page, Vec::new())
        }
    };
    let target = AuditTarget::new("scan", &scan.id);
    Ok(Answer::json(&output(context, &scan, &page, details.first())?)?.about(target))
}

fn output<'a>(
    context: &Context<'_>,
    scan: &'a Scan,
    page: &'a ResultPage,
    detail: Option<&'a ResultAnswer>,
) -> Result<Output<'a>, Failure> {
    Ok(Output {
        scan_id: Id(scan.id),
        completed_at: scan.completed_at.map(Time),
        results: page.results.iter().map(ResultOut::from).collect(),
        total: page.total,
        next_after: page.next.as_deref().map(|check| context.position(check)),
        detail: detail
            .map(DetailOut::new)
            .transpose()
            .map_err(Failure::unwritable)?,
    })
}

impl LatestResultFields {
    /// Returns the scan.
    pub(crate) async fn scan(&self, context: &Context<'_>) -> Result<Scan, Failure> {
        let scan_type = self.scan_type.map_or(ScanType::Compliance, |word| word.0);
        let found = context
            .watchpost
            .find_scan(
                context.scope,
                self.scan_id.map(|id| id.0),
                self.integration_id.map(|id| id.0),
                scan_type,
            )
            .await;
        Ok(context.open(found)?)
    }

    /// Returns the choice of results.
    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice {
            filter: ResultFilter {
                results: self.result.as_slice().to_vec(),
                frameworks: self.framework.as_slice().to_vec(),
                services: self.service.as_slice().to_vec(),
                severities: self.severity.as_slice().to_vec(),
                text: self.text.as_ref().map(|text| text.as_str().to_owned()),
            },
            check: self.check_id.as_ref().map(Line::as_str),
            after: self.after.as_ref(),
            limit: self.limit.rows(),
        }
    }
}

impl Endpoint for ListCheckResults {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/check-results",
        name: "list_check_results",
        group: "checks",
        summary: "Lists the results of a scan's checks, failed and worst first, by default of the latest scan",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = LatestResultFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: LatestResultFields) -> Result<Answer, Failure> {
        let scan = input.scan(context).await?;
        answer(context, scan, input.choice()).await
    }
}

pub(crate) struct ListScanResults;

fields! {
    pub(crate) struct ResultFields {
        /// The scan's id.
        id: Id<ScanId>,
        /// Default: all.
        framework: Many<Framework>,
        /// Default: all.
        service: Many<Service>,
        /// A check or control id: its results, the first in full.
        check_id: Option<Line<64>>,
        /// Default: all.
        result: Many<CheckResult>,
        /// Severities of the checks. Default: all.
        severity: Many<Severity>,
        /// Words in id, title, framework id or reason.
        text: Option<Line<200>>,
        /// Rows of a page.
        limit: Limit<50>,
        /// next_after of the previous page, with the same filters.
        after: Option<After>,
    }
}

impl Endpoint for ListScanResults {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/scans/{id}/results",
        name: "list_scan_results",
        group: "scans",
        summary: "Lists the results of one scan's checks, failed and worst first",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = ResultFields;
    type Output = Output<'static>;

    async fn run(context: &Context<'_>, input: ResultFields) -> Result<Answer, Failure> {
        let found = context
            .watchpost
            .find_scan(context.scope, Some(input.id.0), None, ScanType::Compliance)
            .await;
        let scan = context.open(found)?;
        let choice = Choice {
            filter: ResultFilter {
                results: input.result.as_slice().to_vec(),
                frameworks: input.framework.as_slice().to_vec(),
                services: input.service.as_slice().to_vec(),
                severities: input.severity.as_slice().to_vec(),
                text: input.text.as_ref().map(|text| text.as_str().to_owned()),
            },
            check: input.check_id.as_ref().map(Line::as_str),
            after: input.after.as_ref(),
            limit: input.limit.rows(),
        };
        answer(context, scan, choice).await
    }
}
