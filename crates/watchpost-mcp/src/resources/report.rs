//! `watchpost://reports/…`: reports on scans. The address contains everything that a report depends on.

use super::ReadError;
use crate::{text, tool::Caller};
use watchpost_core::{
    access::WorkspaceScope,
    audit::AuditTarget,
    check::ScanType,
    error::Error,
    report::{ReportFormat, ReportKind, ReportRequest, report_uri},
    scan::Scan,
    service::{ScanSummary, Unrecorded, Watchpost},
};
use watchpost_protocol::ResourceDefinition;

fn executive(scan: &Scan) -> ResourceDefinition {
    let request = ReportRequest {
        kind: ReportKind::Executive,
        scan: Some(scan.id),
        scan_type: scan.scan_type,
        compare_with: None,
        difference: false,
        frameworks: Vec::new(),
        services: Vec::new(),
    };
    ResourceDefinition {
        uri: report_uri(&scan.id, &request, ReportFormat::Html),
        name: format!("{}-{}-report", scan.platform, scan.scan_type),
        title: Some(text::scans::latest_report(scan)),
        description: Some(text::scans::latest_report_contents(scan)),
        media_type: Some(ReportFormat::Html.media_type().into()),
    }
}

/// Lists the executive reports on the latest completed scans.
pub(super) async fn latest(
    watchpost: &Watchpost,
    scope: &WorkspaceScope,
) -> Unrecorded<Result<Vec<ResourceDefinition>, Error>> {
    let summaries = watchpost.scan_summaries(scope).await;
    summaries.map_ok(|summaries| {
        let latest = |summary: &ScanSummary| [summary.compliance.clone(), summary.exposure.clone()];
        let scans = summaries.iter().flat_map(latest).flatten();
        scans.map(|scan| executive(&scan)).collect()
    })
}

pub(super) async fn read(
    caller: Caller<'_>,
    mut request: ReportRequest,
    format: ReportFormat,
) -> Result<(String, AuditTarget), ReadError> {
    let Caller { watchpost, scope, .. } = caller;
    let scan = caller.open(
        watchpost
            .find_scan(scope, request.scan, None, ScanType::Compliance)
            .await,
    )?;
    request.scan_type = scan.scan_type;
    let data = caller.open(watchpost.report_data(scope, &request, None).await)?;
    let rendered = watchpost.render_report(&data, format)?;
    let text = String::from_utf8_lossy(&rendered.bytes).into_owned();
    Ok((text, AuditTarget::new("scan", &scan.id)))
}
