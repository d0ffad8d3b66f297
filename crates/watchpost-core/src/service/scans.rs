//! Scans: starting, reading, comparing, explaining, reporting; schedules and exemptions.

use super::Watchpost;
use crate::{
    access::WorkspaceScope,
    audit::CallRecord,
    check::{Check, CheckResult, Exempted, Framework, Outcome, Profile, ScanType, Service},
    error::Error,
    integration::Integration,
    report::{Rendered, ReportData, ReportError, ReportFormat, ReportRequest},
    scan::{
        AddExemption, AddSchedule, Apps, CancelOutcome, CancelScan, ChangeSchedule, Comparison, Exemption,
        RemoveExemption, ResultChange, ResultDetail, ResultFilter, ResultPage, ResultRow, Scan, ScanCounts,
        ScanPage, ScanPoint, ScanQuery, ScanStart, Schedule, ScheduleChange, SettingChange, SettingRow,
        SettingValue, StartScan, compare, document_of, evaluate, next_after, scored_by_framework,
        scored_by_service, select,
    },
    value::{
        id::{ExemptionId, IntegrationId, JobId, ScanId, ScheduleId},
        text::ForeignText,
        time::Timestamp,
        word::{Platform, RunState},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// New failures that a scan's answer names.
const NEW_FAILURES_SHOWN: usize = 25;
/// Points of a trend in a report.
const TREND_POINTS: usize = 60;
/// Settings whose moved values a comparison shows.
const SETTINGS_COMPARED: usize = 40;
/// Characters of an exemption's reason.
const REASON_CHARS_MAX: usize = 1_000;

/// A scan that was started, or the one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanStarted {
    /// The scan.
    pub scan: Scan,
    /// Whether it is new; otherwise it ran already and nothing was started.
    pub is_new: bool,
}

/// What is new in a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewFailures {
    /// Against the completed scan before.
    Since {
        /// That scan.
        previous: ScanId,
        /// When it completed.
        at: Timestamp,
        /// All new failures, worst first.
        rows: Vec<ResultRow>,
        /// Failures of that scan that pass now.
        fixed: u64,
        /// Its score, in tenths of a percent.
        previous_score: Option<crate::scan::ComplianceScore>,
    },
    /// There is nothing to compare with; says why.
    Unknown(&'static str),
}

/// The answer to "how is that scan?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanAnswer {
    /// The scan.
    pub scan: Scan,
    /// Counts by framework.
    pub by_framework: BTreeMap<Framework, ScanCounts>,
    /// Counts by service.
    pub by_service: BTreeMap<Service, ScanCounts>,
    /// What is new; only for completed scans.
    pub new_failures: Option<NewFailures>,
    /// Settings that weren't read wholly.
    pub unread: Vec<SettingRow>,
}

/// The answer to "which checks fail?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsAnswer {
    /// The scan.
    pub scan: Scan,
    /// The page.
    pub page: ResultPage,
}

/// Everything about one result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultAnswer {
    /// The scan.
    pub scan: Scan,
    /// The result.
    pub result: ResultDetail,
    /// The check, if this version has it.
    pub check: Option<Check>,
    /// The settings that it was judged by.
    pub settings: Vec<SettingRow>,
    /// The result in the completed scan before.
    pub before: Option<ResultRow>,
}

/// The answer to "what changed between two scans?".
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonAnswer {
    /// The earlier scan.
    pub before: Scan,
    /// The later scan.
    pub after: Scan,
    /// What differs.
    pub comparison: Comparison,
    /// Settings behind the changed checks that moved, by path.
    pub settings: BTreeMap<String, SettingChange>,
    /// Which of those settings each changed check looks at.
    pub inputs: BTreeMap<String, Vec<String>>,
}

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

/// The latest scans of an integration: what a posture summary says of compliance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanSummary {
    /// The integration.
    pub integration: IntegrationId,
    /// Its platform.
    pub platform: Platform,
    /// Its name.
    pub name: ForeignText,
    /// The newest completed compliance scan.
    pub compliance: Option<Scan>,
    /// The newest completed exposure scan.
    pub exposure: Option<Scan>,
}

/// A past result judged again by today's checks on that scan's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The result then.
    pub then: ResultDetail,
    /// The result now.
    pub now: ResultDetail,
}

impl Replay {
    /// Whether the verdict is the same.
    pub fn agrees(&self) -> bool {
        (self.then.row.result, self.then.row.skip) == (self.now.row.result, self.now.row.skip)
    }
}

fn not_found() -> Error {
    Error::NotFound {
        what: "scan",
        next: "`list_scans` (or `watchpost scan list`) shows the ids".into(),
    }
}

impl Watchpost {
    /// The integration that a scan is about: the one named, or the only one that can be scanned.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] if several could be meant, naming them.
    pub async fn scannable(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
        platform: Option<Platform>,
    ) -> Result<Integration, Error> {
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
        let mut fitting: Vec<Integration> = all.into_iter().filter(can).collect();
        // Where both an import and a live connection fit, the live one is meant; Microsoft 365 before others, since it
        // has compliance checks.
        if integration.is_none() && fitting.len() > 1 {
            let live: Vec<Integration> = fitting
                .iter()
                .filter(|row| row.platform == Platform::M365)
                .cloned()
                .collect();
            if !live.is_empty() {
                fitting = live;
            }
        }
        if fitting.len() > 1 {
            let names: Vec<String> = fitting
                .iter()
                .map(|row| format!("{} ({} {})", row.id, row.platform.title(), row.name.untrusted()))
                .collect();
            return Err(Error::Invalid {
                field: "integration_id",
                reason: format!(
                    "several integrations could be meant; name one of: {}",
                    names.join(", ")
                ),
            });
        }
        fitting.pop().ok_or_else(|| Error::NotFound {
            what: "integration to scan",
            next: "`get_integrations` (or `watchpost integrations list`) shows what is connected".into(),
        })
    }

    /// By the checks, not by the connectors: a process that only answers has none.
    fn has_checks(&self, platform: Platform, scan_type: Option<ScanType>) -> bool {
        self.checks().checks().iter().any(|check| {
            check.scan.is_some()
                && scan_type.is_none_or(|wanted| check.scan == Some(wanted))
                && check.platforms.contains(&platform)
        })
    }

    /// Whether there are checks of the type for an integration.
    pub fn can_scan(&self, integration: &Integration, scan_type: ScanType) -> bool {
        self.has_checks(integration.platform, Some(scan_type))
    }

    /// Queues a scan, unless one of the integration waits or runs.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] if it takes part in nothing, [`Error::Denied`]; the store's.
    pub async fn start_scan(
        &self,
        scope: &WorkspaceScope,
        integration: &Integration,
        scan_type: ScanType,
        fresh: bool,
        call: CallRecord,
    ) -> Result<ScanStarted, Error> {
        if !self.has_checks(integration.platform, None) {
            return Err(Error::Conflict {
                reason: format!(
                    "this version has nothing to scan on {}; import its results with `watchpost import FILE`",
                    integration.platform.title()
                ),
            });
        }
        if !self.can_scan(integration, scan_type) {
            return Err(Error::Conflict {
                reason: format!(
                    "there are no {scan_type} checks for {}",
                    integration.platform.title()
                ),
            });
        }
        let id = ScanId::generate(self.clock(), self.random());
        let command = StartScan {
            id,
            integration: integration.id,
            scan_type,
            fresh,
            job: JobId::generate(self.clock(), self.random()),
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call).map_err(|_| Error::Denied)?;
        let (id, is_new) = match self.store().start_scan(write).await?.into_value() {
            ScanStart::Started => (id, true),
            ScanStart::AlreadyRunning(running) => (running, false),
            ScanStart::NoIntegration => {
                return Err(Error::Conflict {
                    reason: "this integration is paused or disconnected: `watchpost integrations resume` brings it back"
                        .into(),
                });
            }
        };
        let scan = self.store().scan(scope, id).await?.ok_or_else(not_found)?;
        Ok(ScanStarted { scan, is_new })
    }

    /// Cancels a scan that waits or runs.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it has ended; [`Error::Denied`]; the store's.
    pub async fn cancel_scan(
        &self,
        scope: &WorkspaceScope,
        id: ScanId,
        call: CallRecord,
    ) -> Result<(), Error> {
        let command = CancelScan {
            id,
            now: self.clock().now(),
        };
        let write = scope.authorize(command, call).map_err(|_| Error::Denied)?;
        match self.store().cancel_scan(write).await?.into_value() {
            CancelOutcome::Cancelled => Ok(()),
            CancelOutcome::Ended(state) => Err(Error::Conflict {
                reason: format!("the scan is {state}: it can't be cancelled any more"),
            }),
            CancelOutcome::NotFound => Err(not_found()),
        }
    }

    /// A scan by id, or the latest completed one of an integration and type.
    ///
    /// # Errors
    /// [`Error::NotFound`], saying how to start one; the store's.
    pub async fn find_scan(
        &self,
        scope: &WorkspaceScope,
        id: Option<ScanId>,
        integration: Option<IntegrationId>,
        scan_type: ScanType,
    ) -> Result<Scan, Error> {
        if let Some(id) = id {
            return self.store().scan(scope, id).await?.ok_or_else(not_found);
        }
        let integration = self.scannable(scope, integration, None).await?;
        self.store()
            .latest_scan(scope, integration.id, scan_type, None)
            .await?
            .ok_or_else(|| Error::NotFound {
                what: "completed scan",
                next: format!(
                    "start one with `start_scan` and scan_type `{scan_type}` (or `watchpost scan start --type {scan_type}`)"
                ),
            })
    }

    /// Scans, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn scans(&self, scope: &WorkspaceScope, query: &ScanQuery) -> Result<ScanPage, Error> {
        Ok(self.store().list_scans(scope, query).await?)
    }

    /// The completed scan before a scan, of the same integration and type.
    ///
    /// # Errors
    /// The store's.
    pub async fn scan_before(&self, scope: &WorkspaceScope, scan: &Scan) -> Result<Option<Scan>, Error> {
        Ok(self
            .store()
            .latest_scan(scope, scan.integration, scan.scan_type, Some(scan.id))
            .await?)
    }

    /// How a scan stands and what is new in it.
    ///
    /// # Errors
    /// The store's.
    pub async fn explain_scan(&self, scope: &WorkspaceScope, scan: Scan) -> Result<ScanAnswer, Error> {
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
            .filter(|row| row.state != crate::value::word::CollectionState::Complete)
            .collect();
        answer.new_failures = Some(match self.scan_before(scope, &answer.scan).await? {
            None => NewFailures::Unknown("this is the first completed scan of its type on this integration"),
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
    }

    /// How many new failures an answer names before it says "and so many more".
    pub const fn new_failures_shown() -> usize {
        NEW_FAILURES_SHOWN
    }

    /// Results of a scan.
    ///
    /// # Errors
    /// The store's.
    pub async fn scan_results(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        filter: &ResultFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ResultsAnswer, Error> {
        let rows = self.store().scan_results(scope, scan.id).await?;
        Ok(ResultsAnswer {
            page: select(rows, filter, after, limit),
            scan,
        })
    }

    /// One result with everything about it. `check` is a check's id or an id of it in a framework.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn scan_result(
        &self,
        scope: &WorkspaceScope,
        scan: Scan,
        check: &str,
    ) -> Result<ResultAnswer, Error> {
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
        let missing = || Error::NotFound {
            what: "check in this scan",
            next: "`list_check_results` (or `watchpost scan results`) shows the check ids".into(),
        };
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
        let before = match self.scan_before(scope, &scan).await? {
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
    }

    /// A check of this version.
    pub fn check(&self, id: &str) -> Option<&Check> {
        let checks = self.checks().checks();
        checks
            .binary_search_by(|check| check.id.as_str().cmp(id))
            .ok()
            .and_then(|at| checks.get(at))
    }

    /// Compares two scans of one integration and type, earlier first.
    ///
    /// # Errors
    /// [`Error::Invalid`] if they can't be compared; the store's.
    pub async fn compare_scans(
        &self,
        scope: &WorkspaceScope,
        before: Scan,
        after: Scan,
    ) -> Result<ComparisonAnswer, Error> {
        if (before.integration, before.scan_type) != (after.integration, after.scan_type) {
            return Err(Error::Invalid {
                field: "before_scan_id",
                reason: "both scans must be of the same integration and type".into(),
            });
        }
        if before.state != RunState::Completed || after.state != RunState::Completed {
            return Err(Error::Conflict {
                reason: "only completed scans can be compared".into(),
            });
        }
        let (before, after) = if before.id > after.id {
            (after, before)
        } else {
            (before, after)
        };
        let one = self.store().scan_results(scope, before.id).await?;
        let two = self.store().scan_results(scope, after.id).await?;
        let comparison = compare(&one, &two);
        let rows_before = by_path(self.store().scan_settings(scope, before.id).await?);
        let rows_after = by_path(self.store().scan_settings(scope, after.id).await?);
        let moved = |path: &str| {
            let key = |rows: &BTreeMap<String, SettingRow>| rows.get(path).map(|row| (row.state, row.hash));
            key(&rows_before) != key(&rows_after)
        };
        let mut inputs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut paths: BTreeSet<String> = BTreeSet::new();
        for row in comparison.changes().filter_map(ResultChange::row) {
            let Some(check) = self.check(&row.check_id) else {
                continue;
            };
            let of_check: Vec<String> = check
                .inputs
                .iter()
                .chain(&check.optional_inputs)
                .filter(|path| moved(path))
                .cloned()
                .collect();
            if !of_check.is_empty() {
                if paths.len() < SETTINGS_COMPARED {
                    paths.extend(of_check.iter().cloned());
                }
                inputs.insert(row.check_id.clone(), of_check);
            }
        }
        let mut settings = BTreeMap::new();
        if !paths.is_empty() {
            let paths: Vec<String> = paths.into_iter().collect();
            let old = by_document(self.store().setting_values(scope, before.id, &paths).await?);
            let new = by_document(self.store().setting_values(scope, after.id, &paths).await?);
            for path in paths {
                let documents = (
                    old.get(&path).and_then(Option::as_deref),
                    new.get(&path).and_then(Option::as_deref),
                );
                let change = SettingChange::between(rows_before.get(&path), rows_after.get(&path), documents);
                if let Some(change) = change {
                    settings.insert(path, change);
                }
            }
        }
        Ok(ComparisonAnswer {
            before,
            after,
            comparison,
            settings,
            inputs,
        })
    }

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
    ) -> Result<TrendAnswer, Error> {
        let integration = self.scannable(scope, integration, None).await?;
        let points = self
            .store()
            .scan_points(scope, integration.id, scan_type, since)
            .await?;
        Ok(TrendAnswer {
            integration,
            scan_type,
            points,
        })
    }

    /// The latest scans of every integration that has one.
    ///
    /// # Errors
    /// The store's.
    pub async fn scan_summaries(&self, scope: &WorkspaceScope) -> Result<Vec<ScanSummary>, Error> {
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
                    compliance,
                    exposure,
                });
            }
        }
        Ok(out)
    }

    /// Judges a past result again: today's check on the settings that the scan had kept, with the exemptions and the
    /// time of then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn replay(&self, scope: &WorkspaceScope, scan: Scan, check_id: &str) -> Result<Replay, Error> {
        let then = self.scan_result(scope, scan.clone(), check_id).await?;
        let id = then.result.row.check_id.clone();
        let checks = self.checks().checks();
        let Some(at) = checks.iter().position(|check| check.id == id) else {
            return Err(Error::NotFound {
                what: "check in this version",
                next: "`watchpost policy list` shows the checks that there are".into(),
            });
        };
        let integration = self
            .store()
            .integration(scope, scan.integration)
            .await?
            .ok_or_else(not_found)?;
        let values: Vec<SettingValue> = self.store().setting_values(scope, scan.id, &[]).await?;
        let read_at = scan.completed_at.unwrap_or(scan.queued_at);
        let exemptions: Vec<Exemption> = self
            .store()
            .exemptions(scope)
            .await?
            .into_iter()
            .filter(|exemption| exemption.created_at <= read_at)
            .collect();
        let document = document_of(&integration, values, &exemptions, read_at);
        let judged = evaluate(
            self.checks(),
            document,
            vec![at],
            Profile::Default,
            read_at,
            Apps::None,
        )
        .await?;
        let now = judged
            .map_err(|reason| Error::Internal(reason.into()))?
            .pop()
            .unwrap_or_else(|| {
                let outcome = Outcome::plain(CheckResult::Error, None, "The check gave no verdict.");
                ResultDetail::new(&checks[at], outcome)
            });
        Ok(Replay {
            then: then.result,
            now,
        })
    }

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

    /// All schedules.
    ///
    /// # Errors
    /// The store's.
    pub async fn schedules(&self, scope: &WorkspaceScope) -> Result<Vec<Schedule>, Error> {
        Ok(self.store().schedules(scope).await?)
    }

    /// Makes a schedule; its id and next time are set here.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Conflict`] past 100 schedules; [`Error::Denied`]; the store's.
    pub async fn add_schedule(
        &self,
        scope: &WorkspaceScope,
        mut schedule: Schedule,
        call: CallRecord,
    ) -> Result<Schedule, Error> {
        if schedule.scan_types.is_empty() {
            return Err(Error::Invalid {
                field: "type",
                reason: "name at least one of compliance, exposure".into(),
            });
        }
        let next = next_after(&schedule.recurrence, &schedule.zone, self.clock().now()).map_err(|error| {
            Error::Invalid {
                field: "schedule",
                reason: error.to_string(),
            }
        })?;
        schedule.id = ScheduleId::generate(self.clock(), self.random());
        schedule.next_at = schedule.enabled.then_some(next);
        let command = AddSchedule {
            schedule: schedule.clone(),
        };
        let write = scope.authorize(command, call).map_err(|_| Error::Denied)?;
        if self.store().add_schedule(write).await?.into_value() {
            Ok(schedule)
        } else {
            Err(Error::Conflict {
                reason: "a workspace has at most 100 schedules, each of an integration that exists".into(),
            })
        }
    }

    /// Switches a schedule on or off, or deletes it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; the store's.
    pub async fn change_schedule(
        &self,
        scope: &WorkspaceScope,
        id: ScheduleId,
        enabled: Option<bool>,
        call: CallRecord,
    ) -> Result<(), Error> {
        let missing = || Error::NotFound {
            what: "schedule",
            next: "`watchpost schedule list` shows the ids".into(),
        };
        let change = match enabled {
            None => ScheduleChange::Delete,
            Some(false) => ScheduleChange::Disable,
            Some(true) => {
                let all = self.store().schedules(scope).await?;
                let known = all.iter().find(|row| row.id == id).ok_or_else(missing)?;
                let next =
                    next_after(&known.recurrence, &known.zone, self.clock().now()).map_err(|error| {
                        Error::Invalid {
                            field: "schedule",
                            reason: error.to_string(),
                        }
                    })?;
                ScheduleChange::Enable(next)
            }
        };
        let write = scope
            .authorize(ChangeSchedule { id, change }, call)
            .map_err(|_| Error::Denied)?;
        if self.store().change_schedule(write).await?.into_value() {
            Ok(())
        } else {
            Err(missing())
        }
    }

    /// All exemptions.
    ///
    /// # Errors
    /// The store's.
    pub async fn exemptions(&self, scope: &WorkspaceScope) -> Result<Vec<Exemption>, Error> {
        Ok(self.store().exemptions(scope).await?)
    }

    /// Agrees to an exemption.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Denied`]; the store's.
    pub async fn add_exemption(
        &self,
        scope: &WorkspaceScope,
        what: Exempted,
        reason: &str,
        owner: &str,
        until: Option<Timestamp>,
        call: CallRecord,
    ) -> Result<Exemption, Error> {
        let known = self.checks().checks().iter().any(|check| {
            check.id == what.check || check.frameworks.iter().any(|id| id.as_str() == what.check)
        });
        if !known {
            return Err(Error::Invalid {
                field: "check",
                reason: "no check has this id: `watchpost policy list` shows them".into(),
            });
        }
        let now = self.clock().now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::Invalid {
                field: "until",
                reason: "must lie in the future".into(),
            });
        }
        let reason = ForeignText::clean(reason, REASON_CHARS_MAX);
        let owner = ForeignText::name(owner);
        if reason.is_empty() || owner.is_empty() {
            return Err(Error::Invalid {
                field: if reason.is_empty() { "reason" } else { "owner" },
                reason: "must not be empty: an exemption says why, and who answers for it".into(),
            });
        }
        let exemption = Exemption {
            id: ExemptionId::generate(self.clock(), self.random()),
            what,
            reason,
            owner,
            created_at: now,
            until,
        };
        let command = AddExemption {
            exemption: exemption.clone(),
        };
        let write = scope.authorize(command, call).map_err(|_| Error::Denied)?;
        if self.store().add_exemption(write).await?.into_value() {
            Ok(exemption)
        } else {
            Err(Error::Conflict {
                reason: "a workspace has at most 10,000 exemptions".into(),
            })
        }
    }

    /// Takes an exemption back.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; the store's.
    pub async fn remove_exemption(
        &self,
        scope: &WorkspaceScope,
        id: ExemptionId,
        call: CallRecord,
    ) -> Result<(), Error> {
        let write = scope
            .authorize(RemoveExemption { id }, call)
            .map_err(|_| Error::Denied)?;
        if self.store().remove_exemption(write).await?.into_value() {
            Ok(())
        } else {
            Err(Error::NotFound {
                what: "exemption",
                next: "`watchpost exemption list` shows the ids".into(),
            })
        }
    }
}

fn by_path(rows: Vec<SettingRow>) -> BTreeMap<String, SettingRow> {
    rows.into_iter().map(|row| (row.path.clone(), row)).collect()
}

fn by_document(values: Vec<SettingValue>) -> BTreeMap<String, Option<String>> {
    values
        .into_iter()
        .map(|value| (value.row.path, value.document))
        .collect()
}
