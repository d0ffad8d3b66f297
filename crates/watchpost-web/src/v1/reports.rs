//! Reports.

use crate::{
    answer::Answer,
    context::Context,
    failure::Failure,
    fields::{Id, Many, Word, fields},
    operation::{Declaration, Endpoint, Form, Method},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use watchpost_core::{
    access::Permission,
    audit::AuditTarget,
    check::{Framework, ScanType, Service},
    report::{ReportFormat, ReportKind, ReportRequest},
    value::id::{IntegrationId, ScanId},
};

pub(crate) struct GenerateReport;

fields! {
    pub(crate) struct ReportFields {
        /// executive: for a board; framework: every check; evidence: for an auditor. Default: executive.
        kind: Option<Word<ReportKind>>,
        /// The format of the file. Default: html.
        format: Option<Word<ReportFormat>>,
        /// Default: the latest completed scan.
        scan_id: Option<Id<ScanId>>,
        /// Used without scan_id. Default: compliance.
        scan_type: Option<Word<ScanType>>,
        /// Needed only if several platforms can be scanned.
        integration_id: Option<Id<IntegrationId>>,
        /// An earlier scan to compare with; the report is then on the differences.
        compare_with: Option<Id<ScanId>>,
        /// Default: all.
        framework: Many<Framework>,
        /// Default: all.
        service: Many<Service>,
    }
}

/// The file of a report, whose media type depends on the format. The schema is the JSON format's; the others are texts.
pub(crate) struct ReportFile;

impl JsonSchema for ReportFile {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReportFile".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

impl Endpoint for GenerateReport {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/reports",
        name: "generate_report",
        group: "scans",
        summary: "Renders a report on a scan, or on the differences between two",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = ReportFields;
    type Output = ReportFile;

    async fn run(context: &Context<'_>, input: ReportFields) -> Result<Answer, Failure> {
        let compare_with = input.compare_with.map(|id| id.0);
        let request = ReportRequest {
            kind: input.kind.map_or(ReportKind::Executive, |word| word.0),
            scan: input.scan_id.map(|id| id.0),
            scan_type: input.scan_type.map_or(ScanType::Compliance, |word| word.0),
            compare_with,
            difference: compare_with.is_some(),
            frameworks: input.framework.as_slice().to_vec(),
            services: input.service.as_slice().to_vec(),
        };
        let integration = input.integration_id.map(|id| id.0);
        let format = input.format.map_or(ReportFormat::Html, |word| word.0);
        let read = context
            .watchpost
            .report_data(context.scope, &request, integration)
            .await;
        let data = context.open(read)?;
        let rendered = context.watchpost.render_report(&data, format)?;
        Ok(Answer::bytes(format.media_type(), rendered.bytes).about(AuditTarget::new("scan", &data.scan.id)))
    }
}
