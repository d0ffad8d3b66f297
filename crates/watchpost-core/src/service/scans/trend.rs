//! Trends of scan results.

use crate::{
    access::WorkspaceScope,
    check::ScanType,
    error::Error,
    integration::Integration,
    scan::ScanPoint,
    service::{Unrecorded, Watchpost},
    value::id::IntegrationId,
};

/// The result of [`Watchpost::score_trend`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendAnswer {
    /// The scanned integration.
    pub integration: Integration,
    /// The type of scan.
    pub scan_type: ScanType,
    /// Completed scans, oldest first.
    pub points: Vec<ScanPoint>,
}

impl Watchpost {
    /// Returns the numbers of completed scans of an integration and type of the last `days` days, including the whole day
    /// in UTC that many days ago.
    ///
    /// # Errors
    /// The same as of [`Watchpost::scannable`].
    pub async fn score_trend(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
        scan_type: ScanType,
        days: i64,
    ) -> Unrecorded<Result<TrendAnswer, Error>> {
        Unrecorded::of(async {
            let integration = self.scannable(scope, integration, None).await.into_inner()?;
            let since = self.clock().now().since_days_ago(days);
            let points = self
                .store()
                .scan_points(scope, integration.id, scan_type, since)
                .await?;
            Ok(TrendAnswer {
                integration,
                scan_type,
                points,
            })
        })
        .await
    }
}
