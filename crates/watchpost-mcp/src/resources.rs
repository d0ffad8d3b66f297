//! Resources: reports, by addresses that say all that a report depends on.

use watchpost_core::{
    access::{Permission, WorkspaceScope},
    audit::AuditTarget,
    check::ScanType,
    error::Error,
    report::{ReportFormat, ReportKind, ReportRequest, report_of_uri, report_uri},
    scan::Scan,
    service::Watchpost,
};
use watchpost_protocol::{CacheHint, CacheScope, ResourceDefinition, ResourcePage, ResourceText};

/// Bytes of an address.
const URI_BYTES_MAX: usize = 1_024;
/// Reports change when scans end and exemptions do: clients ask again.
const FRESH: CacheHint = CacheHint {
    ttl_ms: 0,
    scope: CacheScope::Private,
};
/// The templates never change within a version.
const STEADY: CacheHint = CacheHint {
    ttl_ms: 3_600_000,
    scope: CacheScope::Private,
};

/// Why a resource wasn't read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// There is none of this address.
    Unknown,
    /// The caller may not read posture.
    Denied,
    /// Watchpost failed.
    Failed(Error),
}

/// What addresses there are besides those of the list.
pub(crate) fn templates() -> ResourcePage {
    ResourcePage {
        resources: vec![ResourceDefinition {
            uri: "watchpost://reports/{scan_id}-{kind}.{ending}{?framework*,service*,compare_with}".into(),
            name: "report".into(),
            title: Some("Report on a scan".into()),
            description: Some(
                "A report on a completed scan: kind executive, framework or evidence; ending html, md, json, csv or \
                 ocsf.jsonl. With compare_with, another scan's id: on the difference of the two."
                    .into(),
            ),
            media_type: None,
        }],
        next_cursor: None,
        cache: STEADY,
    }
}

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
        title: Some(format!(
            "Executive report of the latest {} scan of {}",
            scan.scan_type,
            scan.platform.title()
        )),
        description: None,
        media_type: Some(ReportFormat::Html.media_type().into()),
    }
}

/// Executive reports of the latest completed scans.
///
/// # Errors
/// The store's.
pub(crate) async fn list(watchpost: &Watchpost, scope: &WorkspaceScope) -> Result<ResourcePage, Error> {
    let mut resources = Vec::new();
    if scope.may(Permission::ReadPosture) {
        for summary in watchpost.scan_summaries(scope).await? {
            let latest = [summary.compliance, summary.exposure];
            resources.extend(latest.iter().flatten().map(executive));
        }
    }
    Ok(ResourcePage {
        resources,
        next_cursor: None,
        cache: FRESH,
    })
}

/// Reads a resource, and says what was looked at.
///
/// # Errors
/// [`Unread`].
pub(crate) async fn read(
    watchpost: &Watchpost,
    scope: &WorkspaceScope,
    uri: &str,
) -> Result<(ResourceText, AuditTarget), Unread> {
    if !scope.may(Permission::ReadPosture) {
        return Err(Unread::Denied);
    }
    let asked = (uri.len() <= URI_BYTES_MAX).then(|| report_of_uri(uri)).flatten();
    let (mut request, format) = asked.ok_or(Unread::Unknown)?;
    let why = |error| match error {
        Error::NotFound { .. } | Error::Invalid { .. } | Error::Conflict { .. } => Unread::Unknown,
        Error::Denied | Error::WriteScopeRequired => Unread::Denied,
        error => Unread::Failed(error),
    };
    let scan = watchpost
        .find_scan(scope, request.scan, None, ScanType::Compliance)
        .await
        .map_err(why)?;
    request.scan_type = scan.scan_type;
    let data = watchpost.report_data(scope, &request, None).await.map_err(why)?;
    let rendered = watchpost.render_report(&data, format).map_err(why)?;
    let text = ResourceText {
        uri: uri.to_owned(),
        media_type: format.media_type().to_owned(),
        text: String::from_utf8_lossy(&rendered.bytes).into_owned(),
        cache: FRESH,
    };
    Ok((text, AuditTarget::new("scan", &scan.id)))
}
