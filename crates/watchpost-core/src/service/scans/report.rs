//! What a report says.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    error::Error,
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRequest},
    scan::{
        ResultDetail, ResultFilter, ResultRow, ScanCounts, ScanPoint, scored_by_framework, scored_by_service,
        select,
    },
    service::Watchpost,
    value::{id::IntegrationId, time::Timestamp, word::RunState},
};
use std::collections::BTreeMap;

/// Points of a trend in a report.
const TREND_POINTS: usize = 60;

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
    ) -> Result<ReportData, Error> {
        let scan = self
            .find_scan(scope, request.scan, integration, request.scan_type)
            .await?;
        if scan.state != RunState::Completed {
            return Err(Error::Conflict {
                reason: format!("the scan is {}: only a completed one has a report", scan.state),
            });
        }
        let earlier = match request.compare_with {
            Some(id) => Some(self.store().scan(scope, id).await?.ok_or_else(not_found)?),
            None => self.scan_before(scope, &scan).await?,
        };
        let (scan, comparison, setting_changes) = match earlier {
            // The later of the two is the one that the report is of, whichever was named first.
            Some(earlier) => {
                let answer = self.compare_scans(scope, earlier, scan).await?;
                let comparison = Some((answer.before, answer.comparison));
                (answer.after, comparison, answer.settings)
            }
            None if request.difference => {
                return Err(Error::Conflict {
                    reason: "there is no earlier completed scan of this type to compare with".into(),
                });
            }
            None => (scan, None, BTreeMap::new()),
        };
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
        let checks = chosen
            .iter()
            .filter_map(|row| self.check(&row.check_id))
            .map(|check| (check.id.clone(), check.clone()))
            .collect();
        let integration = self.store().integration(scope, scan.integration).await?;
        let completed = scan.completed_at.unwrap_or(scan.queued_at);
        let mut trend: Vec<ScanPoint> = self
            .store()
            .scan_points(scope, scan.integration, scan.scan_type, Timestamp::from_millis(0))
            .await?
            .into_iter()
            .filter(|point| point.at <= completed)
            .collect();
        let older = trend.len().saturating_sub(TREND_POINTS);
        trend.drain(..older);
        let now = self.clock().now();
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
            results: chosen
                .iter()
                .filter_map(|row| by_id.remove(&row.check_id))
                .collect(),
            checks,
            comparison,
            setting_changes,
            difference: request.difference,
            trend,
            settings: self.store().scan_settings(scope, scan.id).await?,
            exemptions: self
                .store()
                .exemptions(scope)
                .await?
                .into_iter()
                .filter(|exemption| exemption.holds_at(now))
                .collect(),
            scan,
        })
    }

    /// Writes a report.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a format that doesn't fit; [`Error::Internal`].
    pub fn render_report(&self, data: &ReportData, format: ReportFormat) -> Result<Rendered, Error> {
        self.renderer().render(data, format).map_err(|error| match error {
            ReportError::Unfit(reason) => Error::Invalid {
                field: "format",
                reason: reason.into(),
            },
            failed @ ReportError::Failed(_) => Error::Internal(Box::new(failed)),
        })
    }
}
