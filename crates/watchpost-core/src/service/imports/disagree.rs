//! Comparison of imported verdicts with those of Watchpost's scans.

use super::no_integration;
use crate::{
    access::WorkspaceScope,
    check::ScanType,
    error::Error,
    import::{Disagreement, WatchpostVerdict, disagreements},
    integration::Integration,
    service::{Unrecorded, Watchpost},
    value::id::IntegrationId,
};
use std::collections::BTreeSet;

/// The disagreements between other tools and Watchpost about an integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisagreementAnswer {
    /// The integration.
    pub integration: Integration,
    /// The number of imported verdicts on checks that Watchpost's latest scans contain.
    pub compared: u64,
    /// The disagreements, most serious first.
    pub rows: Vec<Disagreement>,
}

impl Watchpost {
    /// Compares the latest run of each tool with Watchpost's latest completed scans, for one integration or for
    /// each that has imports.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown integration, or the store's error.
    pub async fn disagreements(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
    ) -> Unrecorded<Result<Vec<DisagreementAnswer>, Error>> {
        Unrecorded::of(async {
            let mut chosen = self.store().list_integrations(scope).await?;
            chosen.retain(|row| integration.is_none_or(|id| row.id == id));
            if chosen.is_empty() && integration.is_some() {
                return Err(no_integration());
            }
            let mut out = Vec::new();
            for row in chosen {
                let theirs = self.store().imported_verdicts(scope, row.id).await?;
                if theirs.is_empty() && integration.is_none() {
                    continue;
                }
                let mut ours = Vec::new();
                for scan_type in ScanType::ALL.iter().copied() {
                    let latest = self
                        .store()
                        .latest_scan(scope, row.id, scan_type, None, None)
                        .await?;
                    let Some(scan) = latest else { continue };
                    let at = scan.completed_at.unwrap_or(scan.queued_at);
                    ours.extend(
                        self.store()
                            .scan_results(scope, scan.id)
                            .await?
                            .into_iter()
                            .map(|row| WatchpostVerdict {
                                scan: scan.id,
                                at,
                                row,
                            }),
                    );
                }
                let known: BTreeSet<&str> = ours.iter().map(|one| one.row.check_id.as_str()).collect();
                let compared = theirs
                    .iter()
                    .filter(|one| known.contains(one.verdict.check.as_str()))
                    .count() as u64;
                out.push(DisagreementAnswer {
                    integration: row,
                    compared,
                    rows: disagreements(ours, theirs),
                });
            }
            Ok(out)
        })
        .await
    }
}
