//! How the score moved.

use crate::{
    access::WorkspaceScope,
    check::ScanType,
    error::Error,
    integration::Integration,
    scan::ScanPoint,
    service::{Unrecorded, Watchpost},
    value::{id::IntegrationId, time::Timestamp},
};

/// The answer to "how did the score move?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendAnswer {
    /// What was scanned.
    pub integration: Integration,
    /// What it looked for.
    pub scan_type: ScanType,
    /// Completed scans, oldest first.
    pub points: Vec<ScanPoint>,
}

impl Watchpost {
    /// How the score moved.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn score_trend(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
        scan_type: ScanType,
        since: Timestamp,
    ) -> Unrecorded<Result<TrendAnswer, Error>> {
        Unrecorded::of(async {
            let integration = self.scannable(scope, integration, None).await.into_inner()?;
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
