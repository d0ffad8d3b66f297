//! Lookup of the integration and the scan that a request is about.

use super::not_found;
use crate::{
    access::WorkspaceScope,
    check::{Check, ScanType},
    error::{Error, NextStep},
    integration::Integration,
    scan::{ComparedWith, Scan, ScanQuery},
    service::{Unrecorded, Watchpost},
    text,
    value::{
        id::{IntegrationId, ScanId},
        word::{Platform, RunState},
    },
};

impl Watchpost {
    /// Returns the integration with the given id, or the only one that can be scanned.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] with the candidates if there are several; or the store's error.
    pub async fn scannable(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
        platform: Option<Platform>,
    ) -> Unrecorded<Result<Integration, Error>> {
        Unrecorded::of(async {
            let all = self.store().list_integrations(scope).await?;
            let can = |row: &Integration| {
                integration.map_or_else(
                    || {
                        platform.is_none_or(|platform| row.platform == platform)
                            && (row.platform == Platform::Import || self.has_checks(row.platform, None))
                    },
                    |id| row.id == id,
                )
            };
            let mut candidates: Vec<Integration> = all.into_iter().filter(can).collect();
            // A connected Microsoft 365 tenant takes precedence over imports and other platforms, because it has
            // compliance checks.
            if integration.is_none() && candidates.len() > 1 {
                let connected: Vec<Integration> = candidates
                    .iter()
                    .filter(|row| row.platform == Platform::M365)
                    .cloned()
                    .collect();
                if !connected.is_empty() {
                    candidates = connected;
                }
            }
            if candidates.len() > 1 {
                let names: Vec<String> = candidates
                    .iter()
                    .map(|row| format!("{} ({} {})", row.id, row.platform.title(), row.name.untrusted()))
                    .collect();
                return Err(Error::invalid(
                    "integration_id",
                    text::integration::several(&names),
                ));
            }
            candidates
                .pop()
                .ok_or_else(|| Error::not_found("integration to scan", NextStep::ListIntegrations))
        })
        .await
    }

    /// Returns whether there are checks for a platform. Independent of the connectors, because a process that
    /// only answers requests has none.
    pub(super) fn has_checks(&self, platform: Platform, scan_type: Option<ScanType>) -> bool {
        self.checks().checks().iter().any(|check| {
            check.scan.is_some()
                && scan_type.is_none_or(|wanted| check.scan == Some(wanted))
                && check.platforms.contains(&platform)
        })
    }

    /// Returns whether there are checks of the type for an integration.
    pub fn can_scan(&self, integration: &Integration, scan_type: ScanType) -> bool {
        self.has_checks(integration.platform, Some(scan_type))
    }

    /// Returns the scan with an id, or the latest completed one of an integration and type.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the next step of starting a scan, [`Error::Invalid`] as for
    /// [`Watchpost::scannable`], or the store's error.
    pub async fn find_scan(
        &self,
        scope: &WorkspaceScope,
        id: Option<ScanId>,
        integration: Option<IntegrationId>,
        scan_type: ScanType,
    ) -> Unrecorded<Result<Scan, Error>> {
        Unrecorded::of(async {
            if let Some(id) = id {
                return self.store().scan(scope, id).await?.ok_or_else(not_found);
            }
            let integration = self.scannable(scope, integration, None).await.into_inner()?;
            self.store()
                .latest_scan(scope, integration.id, scan_type, None, None)
                .await?
                .ok_or_else(|| Error::not_found("completed scan", NextStep::StartScan(scan_type)))
        })
        .await
    }

    /// Returns the newest scan that is queued or in progress, of an integration and type if given. `None` if all have
    /// ended.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn unfinished_scan(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
        scan_type: Option<ScanType>,
    ) -> Unrecorded<Result<Option<Scan>, Error>> {
        Unrecorded::of(async {
            let mut newest: Option<Scan> = None;
            // In the order of a scan's life, so that a scan that begins between the two reads is in the second.
            for state in [RunState::Queued, RunState::InProgress] {
                let query = ScanQuery {
                    integration,
                    scan_type,
                    state: Some(state),
                    before: None,
                    limit: 1,
                };
                let found = self
                    .store()
                    .list_scans(scope, &query)
                    .await?
                    .scans
                    .into_iter()
                    .next();
                newest = newest.into_iter().chain(found).max_by_key(|scan| scan.id);
            }
            Ok(newest)
        })
        .await
    }

    /// Returns the previous completed scan of the same integration and type.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scan_before(
        &self,
        scope: &WorkspaceScope,
        scan: &Scan,
    ) -> Unrecorded<Result<Option<Scan>, Error>> {
        Unrecorded::of(async {
            Ok(self
                .store()
                .latest_scan(scope, scan.integration, scan.scan_type, Some(scan.id), None)
                .await?)
        })
        .await
    }

    /// Returns the scan to compare a scan with: the requested one; otherwise the last completed scan of the same
    /// integration and type on another day in UTC, or the previous one if there is none. `None` if there is no earlier
    /// scan.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a requested scan that doesn't exist, or the store's error.
    pub(super) async fn earlier_scan(
        &self,
        scope: &WorkspaceScope,
        scan: &Scan,
        requested: Option<ScanId>,
    ) -> Result<Option<(Scan, ComparedWith)>, Error> {
        let store = self.store();
        if let Some(id) = requested {
            let found = store.scan(scope, id).await?.ok_or_else(not_found)?;
            return Ok(Some((found, ComparedWith::Requested)));
        }
        let day = scan.completed_at.unwrap_or(scan.queued_at).start_of_day();
        for (completed_before, with) in [
            (Some(day), ComparedWith::AnotherDay),
            (None, ComparedWith::Previous),
        ] {
            let found = store
                .latest_scan(
                    scope,
                    scan.integration,
                    scan.scan_type,
                    Some(scan.id),
                    completed_before,
                )
                .await?;
            if let Some(found) = found {
                return Ok(Some((found, with)));
            }
        }
        Ok(None)
    }

    /// Returns the check with an id, if this version contains it.
    pub fn check(&self, id: &str) -> Option<&Check> {
        let checks = self.checks().checks();
        checks
            .binary_search_by(|check| check.id.as_str().cmp(id))
            .ok()
            .and_then(|at| checks.get(at))
    }
}
