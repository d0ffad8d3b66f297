//! `generate_report`.

use super::{Answer, Context, Declaration, Link, QUERY, Tool};
use crate::{
    arguments::{Arguments, Line, Many, Reduced, Word},
    error::Failure,
    scan_wire::{ScanChoice, integration_id, platform_words, scan_id, score_words},
    wire::Text,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{Framework, ScanType, Service},
    report::{ReportFormat, ReportKind, ReportRequest},
    value::{id::ScanId, text::ForeignText},
};

/// Characters of Markdown that the answer carries; the linked file has everything.
const MARKDOWN_CHARS_MAX: usize = 24_000;

pub(super) struct GenerateReport;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// executive: for a board (default); framework: every check; evidence: for an auditor.
    kind: Option<Word<ReportKind>>,
    /// Default: the latest completed scan.
    scan_id: Option<Line<36>>,
    /// Of the latest scan; default compliance.
    scan_type: Option<Word<ScanType>>,
    /// Only needed if several platforms can be scanned.
    integration_id: Option<Line<36>>,
    #[serde(default)]
    framework: Many<Framework>,
    #[serde(default)]
    service: Many<Service>,
    /// Report the difference to this earlier scan.
    compare_with: Option<Line<36>>,
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
        if let Some(Word(kind)) = self.kind {
            out.word("kind", kind.as_str());
        }
        out.words("framework", self.framework.as_slice());
        out.words("service", self.service.as_slice());
        out.id("compare_with", self.compare_with.as_ref().map(Line::as_str));
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

    async fn run(context: &Context<'_>, input: Input) -> Result<Answer, Failure> {
        let compare_with = scan_id("compare_with", input.compare_with.as_ref())?;
        let request = ReportRequest {
            kind: input.kind.map_or(ReportKind::Executive, |word| word.0),
            scan: scan_id("scan_id", input.scan_id.as_ref())?,
            scan_type: input.choice().scan_type(),
            compare_with,
            difference: compare_with.is_some(),
            frameworks: input.framework.as_slice().to_vec(),
            services: input.service.as_slice().to_vec(),
        };
        let integration = integration_id(input.integration_id.as_ref())?;
        let data = context
            .watchpost
            .report_data(context.scope, &request, integration)
            .await?;
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
