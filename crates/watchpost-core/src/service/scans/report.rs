//! Content and rendering of reports.

use crate::{
    access::WorkspaceScope,
    error::Error,
    report::{
        Rendered, ReportComparison, ReportData, ReportError, ReportFormat, ReportKind, ReportPosture,
        ReportRequest,
    },
    scan::{
        ResultDetail, ResultFilter, ResultRow, Scan, ScanCounts, ScanPoint, SettingChange,
        scored_by_framework, scored_by_service, select,
    },
    service::{PostureAnswer, Unrecorded, Watchpost},
    text,
    value::{id::IntegrationId, time::Timestamp, word::RunState},
};
use std::collections::BTreeMap;

/// Maximum number of points of the trend in a report.
const TREND_POINTS: usize = 60;

/// The earlier scan with the differences from it, and the changed settings.
type Compared = (ReportComparison, BTreeMap<String, SettingChange>);

impl Watchpost {
    /// Collects the content of a report.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the scan hasn't completed, or if a difference is requested and
    /// there is no scan to compare with; or the store's error.
    pub async fn report_data(
        &self,
        scope: &WorkspaceScope,
        request: &ReportRequest,
        integration: Option<IntegrationId>,
    ) -> Unrecorded<Result<ReportData, Error>> {
        Unrecorded::of(async {
            let scan = self
                .find_scan(scope, request.scan, integration, request.scan_type)
                .await
                .into_inner()?;
            if scan.state != RunState::Completed {
                return Err(Error::conflict(text::scan::no_report(scan.state)));
            }
            let (scan, compared) = self.compared(scope, request, scan).await?;
            let (comparison, setting_changes) = compared.unzip();
            let (chosen, results) = self.chosen_results(scope, request, &scan).await?;
            let integration = self.store().integration(scope, scan.integration).await?;
            let now = self.clock().now();
            let mut exemptions = self.store().exemptions(scope).await?;
            exemptions.retain(|exemption| exemption.holds_at(now));
            Ok(ReportData {
                kind: request.kind,
                generated_at: now,
                version: env!("CARGO_PKG_VERSION"),
                tenant: integration.and_then(|row| row.tenant_key).unwrap_or_default(),
                frameworks: request.frameworks.clone(),
                services: request.services.clone(),
                counts: ScanCounts::of(&chosen),
                by_framework: scored_by_framework(&chosen),
                by_service: scored_by_service(&chosen),
                checks: chosen
                    .iter()
                    .filter_map(|row| self.check(&row.check_id))
                    .map(|check| (check.id.clone(), check.clone()))
                    .collect(),
                results,
                comparison,
                setting_changes: setting_changes.unwrap_or_default(),
                difference: request.difference,
                trend: self.trend_before(scope, &scan).await?,
                settings: self.store().scan_settings(scope, scan.id).await?,
                exemptions,
                posture: match request.kind {
                    ReportKind::Executive => posture(self.posture(scope).await.into_inner()?),
                    ReportKind::Framework | ReportKind::Evidence => None,
                },
                scan,
            })
        })
        .await
    }

    /// Returns the scan of the report, and the differences from the scan to compare with, if there is one. The
    /// later of the two is always the scan of the report, whichever was given first.
    async fn compared(
        &self,
        scope: &WorkspaceScope,
        request: &ReportRequest,
        scan: Scan,
    ) -> Result<(Scan, Option<Compared>), Error> {
        match self.earlier_scan(scope, &scan, request.compare_with).await? {
            Some(earlier) => {
                let answer = self
                    .differences(scope, earlier, scan, &selection(request))
                    .await?;
                let comparison = ReportComparison {
                    before: answer.before,
                    with: answer.with,
                    differences: answer.comparison,
                };
                Ok((answer.after, Some((comparison, answer.settings))))
            }
            None if request.difference => Err(Error::conflict(text::scan::NOTHING_TO_COMPARE)),
            None => Ok((scan, None)),
        }
    }

    /// Returns the results in the report, in its order, without and with their details.
    async fn chosen_results(
        &self,
        scope: &WorkspaceScope,
        request: &ReportRequest,
        scan: &Scan,
    ) -> Result<(Vec<ResultRow>, Vec<ResultDetail>), Error> {
        let filter = selection(request);
        let details = self.store().scan_details(scope, scan.id).await?;
        let mut by_id: BTreeMap<String, ResultDetail> = details
            .into_iter()
            .map(|detail| (detail.row.check_id.clone(), detail))
            .collect();
        let rows: Vec<ResultRow> = by_id.values().map(|detail| detail.row.clone()).collect();
        let chosen = select(rows, &filter, None, usize::MAX).results;
        let results = chosen
            .iter()
            .filter_map(|row| by_id.remove(&row.check_id))
            .collect();
        Ok((chosen, results))
    }

    /// Returns the latest completed scans of a scan's integration and type, up to that scan, oldest first.
    async fn trend_before(&self, scope: &WorkspaceScope, scan: &Scan) -> Result<Vec<ScanPoint>, Error> {
        let completed = scan.completed_at.unwrap_or(scan.queued_at);
        let begin = Timestamp::from_millis(0);
        let mut trend = self
            .store()
            .scan_points(scope, scan.integration, scan.scan_type, begin)
            .await?;
        trend.retain(|point| point.at <= completed);
        let older = trend.len().saturating_sub(TREND_POINTS);
        trend.drain(..older);
        Ok(trend)
    }

    /// Renders a report.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the format isn't available for the kind of report, or [`Error::Internal`].
    pub fn render_report(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, Error> {
        self.renderer().render(data, format).map_err(|error| match error {
            ReportError::UnsupportedFormat(reason) => Error::invalid("format", reason),
            failed @ ReportError::Failed(_) => Error::Internal(Box::new(failed)),
        })
    }
}

/// Returns the results in a report.
fn selection(request: &ReportRequest) -> ResultFilter {
    ResultFilter {
        frameworks: request.frameworks.clone(),
        services: request.services.clone(),
        ..ResultFilter::default()
    }
}

/// Returns the numbers of the workspace for the executive summary, if there is a risk score.
fn posture(answer: PostureAnswer) -> Option<ReportPosture> {
    let without_people = answer.risk.freshness.without_people();
    let without_people = without_people.map(|source| source.platform).collect();
    let scored = answer.risk.score.ok()?;
    Some(ReportPosture {
        live_by_severity: scored.severity_counts,
        identities: scored.identities,
        risk: scored.risk,
        latest: answer.latest?,
        without_people,
    })
}
