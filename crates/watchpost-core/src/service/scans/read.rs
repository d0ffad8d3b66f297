//! Queries of scans and their results.

use crate::{
    access::WorkspaceScope,
    check::{Check, Framework, ScanType, Service},
    error::{Error, NextStep, StoreError},
    scan::{
        ComplianceScore, ResultDetail, ResultFilter, ResultPage, ResultRow, Scan, ScanCounts, ScanPage,
        ScanQuery, SettingRow, compare_selected, scored_by_framework, scored_by_service, select,
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
    /// The counts of the results that the filter selects; `None` without a filter.
    pub selected: Option<ScanCounts>,
    /// The new failures, if the scan has completed.
    pub new_failures: Option<NewFailures>,
    /// Settings that weren't read completely.
    pub unread: Vec<SettingRow>,
}

/// The part of a scan's results to return.
#[derive(Debug, Clone, Copy)]
pub struct ResultChoice<'a> {
    /// The conditions.
    pub filter: &'a ResultFilter,
    /// The id of the check after which the page begins.
    pub after: Option<&'a str>,
    /// The maximum number of results.
    pub limit: usize,
}

/// The result of [`Watchpost::scan_results`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsAnswer {
    /// The scan.
    pub scan: Scan,
    /// The page of results.
    pub page: ResultPage,
}

/// The result of [`Watchpost::named_results`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedResults {
    /// The page of results, in the order of lists.
    pub page: ResultPage,
    /// The details of the page's results, as many as requested.
    pub details: Vec<ResultAnswer>,
    /// The counts of all matching results.
    pub counts: ScanCounts,
    /// The scan.
    pub scan: Scan,
}

/// The result of one check in [`NamedResults`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultAnswer {
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

    /// Returns the numbers of a scan and its new failures. The filter limits the new failures and fixed checks.
    ///
    /// # Errors
    /// Returns the store's error.
    pub async fn explain_scan(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        filter: &ResultFilter,
    ) -> Unrecorded<Result<ScanAnswer, Error>> {
        Unrecorded::of(async {
            let mut answer = ScanAnswer {
                by_framework: BTreeMap::new(),
                by_service: BTreeMap::new(),
                selected: None,
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
            answer.selected =
                (!filter.is_empty()).then(|| ScanCounts::of(rows.iter().filter(|row| filter.matches(row))));
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
                    let comparison = compare_selected(before, rows, filter);
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
        choice: ResultChoice<'_>,
    ) -> Unrecorded<Result<ResultsAnswer, Error>> {
        Unrecorded::of(async {
            let rows = self.store().scan_results(scope, scan.id).await?;
            Ok(ResultsAnswer {
                page: select(rows, choice.filter, choice.after, choice.limit),
                scan,
            })
        })
        .await
    }

    /// Returns the results of the check with an id, or of all checks that carry a framework's id, with the details of
    /// the first `detailed` ones of the page. `name` may be in any case, and a framework's id without its prefix (see
    /// [`FrameworkId::is_named`](crate::check::FrameworkId::is_named)).
    ///
    /// # Errors
    /// [`Error::NotFound`] if the scan has no such check, or the store's error.
    pub async fn named_results(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        name: &str,
        choice: ResultChoice<'_>,
        detailed: usize,
    ) -> Unrecorded<Result<NamedResults, Error>> {
        Unrecorded::of(async {
            let rows = named(self.store().scan_results(scope, scan.id).await?, name)?;
            let counts = ScanCounts::of(rows.iter().filter(|row| choice.filter.matches(row)));
            let page = select(rows, choice.filter, choice.after, choice.limit);
            let before = match self.scan_before(scope, &scan).await.into_inner()? {
                Some(previous) if detailed > 0 => self.store().scan_results(scope, previous.id).await?,
                _ => Vec::new(),
            };
            let settings = self.store().scan_settings(scope, scan.id).await?;
            let mut details = Vec::new();
            for row in page.results.iter().take(detailed) {
                let Some(result) = self.store().scan_result(scope, scan.id, &row.check_id).await? else {
                    continue;
                };
                details.push(self.explained(result, &settings, &before));
            }
            Ok(NamedResults {
                page,
                details,
                counts,
                scan,
            })
        })
        .await
    }

    /// Adds to a result its check, the settings that the check uses, and its result in the previous scan.
    fn explained(&self, result: ResultDetail, settings: &[SettingRow], before: &[ResultRow]) -> ResultAnswer {
        let id = &result.row.check_id;
        let check = self.check(id).cloned();
        let inputs: BTreeSet<&str> = check
            .iter()
            .flat_map(|check| check.inputs.iter().chain(&check.optional_inputs))
            .map(String::as_str)
            .collect();
        ResultAnswer {
            settings: settings
                .iter()
                .filter(|row| inputs.contains(row.path.as_str()))
                .cloned()
                .collect(),
            before: before.iter().find(|row| row.check_id == *id).cloned(),
            check,
            result,
        }
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
                let latest = |scan_type| self.store().latest_scan(scope, row.id, scan_type, None, None);
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

/// Returns the rows of the check with an id, or of all checks that carry a framework's id.
pub(super) fn named(rows: Vec<ResultRow>, name: &str) -> Result<Vec<ResultRow>, Error> {
    let is_own = |row: &ResultRow| row.check_id.eq_ignore_ascii_case(name.trim());
    let carries = |row: &ResultRow| row.frameworks.iter().any(|id| id.is_named(name));
    let has_own = rows.iter().any(is_own);
    let found: Vec<ResultRow> = rows
        .into_iter()
        .filter(|row| if has_own { is_own(row) } else { carries(row) })
        .collect();
    if found.is_empty() {
        return Err(Error::not_found(text::scan::CHECK_OF_SCAN, NextStep::ListResults));
    }
    Ok(found)
}
