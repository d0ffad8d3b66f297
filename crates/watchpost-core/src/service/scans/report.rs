//! What a report says.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    error::Error,
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRequest},
    scan::{
        Comparison, ResultDetail, ResultFilter, ResultRow, Scan, ScanCounts, ScanPoint, SettingChange,
        scored_by_framework, scored_by_service, select,
    },
    service::{Unrecorded, Watchpost},
    value::{id::IntegrationId, time::Timestamp, word::RunState},
};
use std::collections::BTreeMap;

/// Points of a trend in a report.
const TREND_POINTS: usize = 60;

/// The earlier scan with what differs from it, and the settings that moved.
type Compared = ((Scan, Comparison), BTreeMap<String, SettingChange>);

impl Watchpost {
    /// Gathers what a report says.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a scan that didn't complete, or a difference without a scan to
    /// compare with; the store's.
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
                return Err(Error::conflict(format!(
                    "the scan is {}: only a completed one has a report",
                    scan.state
                )));
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
                scan,
            })
        })
        .await
    }

    /// The scan that a report is of, and what differs from the one that it is compared with, if there is one: which of
    /// the two is the later one doesn't depend on which was named first.
    async fn compared(
        &self,
        scope: &WorkspaceScope,
        request: &ReportRequest,
        scan: Scan,
    ) -> Result<(Scan, Option<Compared>), Error> {
        let earlier = match request.compare_with {
            Some(id) => Some(self.store().scan(scope, id).await?.ok_or_else(not_found)?),
            None => self.scan_before(scope, &scan).await.into_inner()?,
        };
        match earlier {
            Some(earlier) => {
                let answer = self.compare_scans(scope, earlier, scan).await.into_inner()?;
                let compared = ((answer.before, answer.comparison), answer.settings);
                Ok((answer.after, Some(compared)))
            }
            None if request.difference => Err(Error::conflict(
                "there is no earlier completed scan of this type to compare with",
            )),
            None => Ok((scan, None)),
        }
    }

    /// The results that a report shows, in its order: in short, and with everything.
    async fn chosen_results(
        &self,
        scope: &WorkspaceScope,
        request: &ReportRequest,
        scan: &Scan,
    ) -> Result<(Vec<ResultRow>, Vec<ResultDetail>), Error> {
        let filter = ResultFilter {
            frameworks: request.frameworks.clone(),
            services: request.services.clone(),
            ..ResultFilter::default()
        };
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

    /// The newest completed scans of a scan's integration and type, up to that scan, oldest first.
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

    /// Writes a report.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a format that doesn't fit; [`Error::Internal`].
    pub fn render_report(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, Error> {
        self.renderer().render(data, format).map_err(|error| match error {
            ReportError::Unfit(reason) => Error::invalid("format", reason),
            failed @ ReportError::Failed(_) => Error::Internal(Box::new(failed)),
        })
    }
}
