//! `generate_report`: a report on a scan, or on the differences between two.

use crate::{
    arguments::{IdLine, Word, scan_arguments, scan_id},
    error::Failure,
    scan_wire::tenths,
    text,
    tool::{Answer, Context, Declaration, Link, QUERY, QueryTool, Tool},
    wire::{Tenths, Text},
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::ScanType,
    report::{ReportFormat, ReportKind, ReportRequest},
    value::{id::ScanId, text::ForeignText},
};

/// The maximum number of characters of Markdown in the answer; the linked file has the whole report.
const MARKDOWN_CHARS_MAX: usize = 24_000;

pub(super) struct GenerateReport;

scan_arguments! {
    pub(super) struct Input {
        framework, service;
        /// executive: for a board; framework: every check; evidence: for an auditor.
        #[schemars(extend("default" = "executive"))]
        kind: Option<Word<ReportKind>>,
        /// An earlier scan to compare with.
        compare_with: Option<IdLine>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    scan_id: Text<ScanId>,
    report_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Tenths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_scan_id: Option<Text<ScanId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<&'static str>,
    markdown: Text<&'a ForeignText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

impl Tool for GenerateReport {
    const DECLARATION: Declaration = Declaration {
        name: "generate_report",
        title: "Report",
        description: "Writes a report on a scan, as Markdown with a link to the full file: executive summary for a board, framework report, or evidence for an auditor. With compare_with: on the differences between two scans.",
        permission: Permission::ReadPosture,
        hints: QUERY,
    };
    type Input = Input;
    type Output = Output<'static>;
}

impl QueryTool for GenerateReport {
    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let compare_with = scan_id("compare_with", input.compare_with.as_ref())?;
        let choice = input.choice();
        let filter = input.results();
        let request = ReportRequest {
            kind: input.kind.map_or(ReportKind::Executive, |word| word.0),
            scan: choice.scan_id()?,
            scan_type: choice.scan_type(),
            compare_with,
            difference: compare_with.is_some(),
            frameworks: filter.frameworks,
            services: filter.services,
        };
        let integration = choice.integration_id()?;
        let data = context.open(
            context
                .watchpost
                .report_data(context.scope, &request, integration)
                .await,
        )?;
        let rendered = context.watchpost.render_report(&data, ReportFormat::Markdown)?;
        let whole = String::from_utf8_lossy(&rendered.bytes);
        let markdown: String = whole.chars().take(MARKDOWN_CHARS_MAX).collect();
        let truncated = markdown.len() < whole.len();
        let uri = watchpost_core::report::report_uri(&data.scan.id, &request, ReportFormat::Html);
        let foreign = ForeignText::lines(&markdown, MARKDOWN_CHARS_MAX);
        let output = Output {
            scan_id: Text(data.scan.id),
            report_uri: uri.clone(),
            score: match data.scan.scan_type {
                ScanType::Compliance => tenths(data.counts.score()),
                ScanType::Exposure => None,
            },
            before_scan_id: data.comparison.as_ref().map(|compared| Text(compared.before.id)),
            compared_with: data.comparison.as_ref().map(|compared| compared.with.as_str()),
            markdown: Text(&foreign),
            truncated: truncated.then_some(true),
        };
        let sentence = text::scans::report(&data);
        let mut answer = Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &data.scan.id));
        answer.link = Some(Link {
            uri,
            name: format!("{} report", request.kind),
            media_type: ReportFormat::Html.media_type(),
        });
        Ok(answer)
    }
}
