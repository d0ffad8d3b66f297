//! `generate_report`.

use crate::{
    arguments::{IdLine, Word, scan_arguments, scan_id},
    error::Failure,
    scan_wire::{platform_words, score_words},
    tool::{Answer, Context, Declaration, Link, QUERY, QueryTool, Tool},
    wire::Text,
};
use schemars::JsonSchema;
use serde::Serialize;
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    report::{ReportFormat, ReportKind, ReportRequest},
    value::{id::ScanId, text::ForeignText},
};

/// Characters of Markdown that the answer carries; the linked file has everything.
const MARKDOWN_CHARS_MAX: usize = 24_000;

pub(super) struct GenerateReport;

scan_arguments! {
    pub(super) struct Input {
        framework, service;
        /// executive: for a board (default); framework: every check; evidence: for an auditor.
        kind: Option<Word<ReportKind>>,
        /// Report the difference to this earlier scan.
        compare_with: Option<IdLine>,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output<'a> {
    scan_id: Text<ScanId>,
    report_uri: String,
    markdown: Text<&'a ForeignText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

impl Tool for GenerateReport {
    const DECLARATION: Declaration = Declaration {
        name: "generate_report",
        title: "Report",
        description: "A written report of a scan, as Markdown with a link to the full file: executive summary for a board, framework report, or evidence for an auditor; with compare_with, of the difference of two scans.",
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
        let confined = input.results();
        let request = ReportRequest {
            kind: input.kind.map_or(ReportKind::Executive, |word| word.0),
            scan: choice.scan_id()?,
            scan_type: choice.scan_type(),
            compare_with,
            difference: compare_with.is_some(),
            frameworks: confined.frameworks,
            services: confined.services,
        };
        let integration = choice.integration_id()?;
        let data = context.open(
            context
                .watchpost
                .report_data(context.scope, &request, integration)
                .await,
        )?;
        let rendered = context.watchpost.render_report(&data, ReportFormat::Markdown)?;
        let text = String::from_utf8_lossy(&rendered.bytes);
        let markdown: String = text.chars().take(MARKDOWN_CHARS_MAX).collect();
        let truncated = markdown.len() < text.len();
        let uri = watchpost_core::report::report_uri(&data.scan.id, &request, ReportFormat::Html);
        let foreign = ForeignText::lines(&markdown, MARKDOWN_CHARS_MAX);
        let output = Output {
            scan_id: Text(data.scan.id),
            report_uri: uri.clone(),
            markdown: Text(&foreign),
            truncated: truncated.then_some(true),
        };
        let sentence = format!(
            "{} report of the {} scan of {}: {}. The Markdown is below; `watchpost report` writes it as HTML, JSON, CSV or OCSF.",
            match request.kind {
                ReportKind::Executive => "Executive",
                ReportKind::Framework => "Framework",
                ReportKind::Evidence => "Evidence",
            },
            data.scan.scan_type,
            platform_words(&data.scan),
            score_words(&data.scan),
        );
        let mut answer = Answer::new(sentence, &output)?.about(AuditTarget::new("scan", &data.scan.id));
        answer.link = Some(Link {
            uri,
            name: format!("{} report", request.kind),
            media_type: ReportFormat::Html.media_type(),
        });
        Ok(answer)
    }
}
