//! Queries of scans and their results.

use crate::{
    access::WorkspaceScope,
    check::{Check, Framework, ScanType, Service},
    error::{Error, NextStep, StoreError},
    scan::{
        ComplianceScore, ResultDetail, ResultFilter, ResultPage, ResultRow, Scan, ScanCounts, ScanPage,
        ScanQuery, SettingRow, compare, scored_by_framework, scored_by_service, select,
    },
    service::{Unrecorded, Watchpost},
    text,
    value::{
        id::{IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::{CollectionState, Platform, RunState},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of new failures that an answer lists.
const NEW_FAILURES_SHOWN: usize = 25;

/// The new failures in a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewFailures {
    /// Compared with the previous completed scan.
    Since {
        /// The previous scan.
        previous: ScanId,
        /// The time at which the previous scan completed.
        at: Timestamp,
        /// All new failures, worst first.
        rows: Vec<ResultRow>,
        /// The number of checks that failed in the previous scan and pass now.
        fixed: u64,
        /// The score of the previous scan.
        previous_score: Option<ComplianceScore>,
    },
    /// There is no scan to compare with, for this reason.
    Unknown(&'static str),
}

/// The result of [`Watchpost::explain_scan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanAnswer {
    /// The scan.
    pub scan: Scan,
    /// Counts by framework.
    pub by_framework: BTreeMap<Framework, ScanCounts>,
    /// Counts by service.
    pub by_service: BTreeMap<Service, ScanCounts>,
    /// The new failures, if the scan has completed.
    pub new_failures: Option<NewFailures>,
    /// Settings that weren't read completely.
    pub unread: Vec<SettingRow>,
}

/// The result of [`Watchpost::scan_results`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsAnswer {
    /// The scan.
    pub scan: Scan,
    /// The page of results.
    pub page: ResultPage,
}

/// The result of [`Watchpost::scan_result`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultAnswer {
    /// The scan.
    pub scan: Scan,
    /// The result.
    pub result: ResultDetail,
    /// The check, if this version contains it.
    pub check: Option<Check>,
    /// The settings that the check uses.
    pub settings: Vec<SettingRow>,
    /// The check's result in the previous completed scan.
    pub before: Option<ResultRow>,
}

/// The latest scans of an integration, for a summary of the posture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanSummary {
    /// The integration.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub name: ForeignText,
    /// The vendor's id of the tenant, if it is known.
    pub tenant: Option<String>,
    /// The latest completed compliance scan.
    pub compliance: Option<Scan>,
    /// The latest completed exposure scan.
    pub exposure: Option<Scan>,
}

impl Watchpost {
    /// Returns the scan with an id, if there is one.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scan(&self, scope: &WorkspaceScope, id: ScanId) -> Unrecorded<Result<Option<Scan>, Error>> {
        Unrecorded::of(async { Ok(self.store().scan(scope, id).await?) }).await
    }

    /// Returns whether a scan is queued or in progress, so that its data may still change. Needs no audit entry:
    /// it reveals nothing about the scan's results.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scan_is_unfinished(&self, scope: &WorkspaceScope, id: ScanId) -> Result<bool, StoreError> {
        let scan = self.store().scan(scope, id).await?;
        Ok(scan.is_some_and(|scan| scan.is_unfinished()))
    }

    /// Returns a page of scans, newest first.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scans(
        &self,
        scope: &WorkspaceScope,
        query: &ScanQuery,
    ) -> Unrecorded<Result<ScanPage, Error>> {
        Unrecorded::of(async { Ok(self.store().list_scans(scope, query).await?) }).await
    }

    /// Returns the numbers of a scan and its new failures.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn explain_scan(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
    ) -> Unrecorded<Result<ScanAnswer, Error>> {
        Unrecorded::of(async {
            let mut answer = ScanAnswer {
                by_framework: BTreeMap::new(),
                by_service: BTreeMap::new(),
                new_failures: None,
                unread: Vec::new(),
                scan,
            };
            if answer.scan.state != RunState::Completed {
                return Ok(answer);
            }
            let rows = self.store().scan_results(scope, answer.scan.id).await?;
            answer.by_framework = scored_by_framework(&rows);
            answer.by_service = scored_by_service(&rows);
            answer.unread = self
                .store()
                .scan_settings(scope, answer.scan.id)
                .await?
                .into_iter()
                .filter(|row| row.state != CollectionState::Complete)
                .collect();
            answer.new_failures = Some(match self.scan_before(scope, &answer.scan).await.into_inner()? {
                None => NewFailures::Unknown(text::scan::FIRST_OF_TYPE),
                Some(previous) => {
                    let before = self.store().scan_results(scope, previous.id).await?;
                    let comparison = compare(&before, &rows);
                    NewFailures::Since {
                        previous: previous.id,
                        at: previous.completed_at.unwrap_or(previous.queued_at),
                        rows: comparison
                            .new_failures
                            .into_iter()
                            .filter_map(|change| change.after)
                            .collect(),
                        fixed: comparison.fixed.len() as u64,
                        previous_score: previous.score(),
                    }
                }
            });
            Ok(answer)
        })
        .await
    }

    /// Returns the maximum number of new failures that an answer lists; the others are only counted.
    pub const fn new_failures_shown() -> usize {
        NEW_FAILURES_SHOWN
    }

    /// Returns a page of a scan's results.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scan_results(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        filter: &ResultFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Unrecorded<Result<ResultsAnswer, Error>> {
        Unrecorded::of(async {
            let rows = self.store().scan_results(scope, scan.id).await?;
            Ok(ResultsAnswer {
                page: select(rows, filter, after, limit),
                scan,
            })
        })
        .await
    }

    /// Returns one result with its details. `check` is the check's id or one of its ids in a framework, in any
    /// case.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the store's error.
    pub async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        check: &str,
    ) -> Unrecorded<Result<ResultAnswer, Error>> {
        Unrecorded::of(async {
            let rows = self.store().scan_results(scope, scan.id).await?;
            let id = rows
                .iter()
                .find(|row| row.check_id.eq_ignore_ascii_case(check))
                .or_else(|| {
                    rows.iter().find(|row| {
                        row.frameworks
                            .iter()
                            .any(|id| id.as_str().eq_ignore_ascii_case(check))
                    })
                })
                .map(|row| row.check_id.clone());
            let missing = || Error::not_found(text::scan::CHECK_OF_SCAN, NextStep::ListResults);
            let id = id.ok_or_else(missing)?;
            let result = self
                .store()
                .scan_result(scope, scan.id, &id)
                .await?
                .ok_or_else(missing)?;
            let known = self.check(&id).cloned();
            let inputs: BTreeSet<&str> = known
                .iter()
                .flat_map(|check| check.inputs.iter().chain(&check.optional_inputs))
                .map(String::as_str)
                .collect();
            let settings = self
                .store()
                .scan_settings(scope, scan.id)
                .await?
                .into_iter()
                .filter(|row| inputs.contains(row.path.as_str()))
                .collect();
            let before = match self.scan_before(scope, &scan).await.into_inner()? {
                Some(previous) => self
                    .store()
                    .scan_results(scope, previous.id)
                    .await?
                    .into_iter()
                    .find(|row| row.check_id == id),
                None => None,
            };
            Ok(ResultAnswer {
                scan,
                result,
                check: known,
                settings,
                before,
            })
        })
        .await
    }

    /// Returns the latest scans of every integration that has one.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn scan_summaries(
        &self,
        scope: &WorkspaceScope,
    ) -> Unrecorded<Result<Vec<ScanSummary>, Error>> {
        Unrecorded::of(async {
            let mut out = Vec::new();
            for row in self.store().list_integrations(scope).await? {
                let latest = |scan_type| self.store().latest_scan(scope, row.id, scan_type, None);
                let compliance = latest(ScanType::Compliance).await?;
                let exposure = latest(ScanType::Exposure).await?;
                if compliance.is_some() || exposure.is_some() {
                    out.push(ScanSummary {
                        integration: row.id,
                        platform: row.platform,
                        name: row.name,
                        tenant: row.tenant_key,
                        compliance,
                        exposure,
                    });
                }
            }
            Ok(out)
        })
        .await
    }
}
