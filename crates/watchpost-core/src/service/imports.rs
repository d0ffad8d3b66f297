//! Imports: other scanners' result files, beside our own verdicts.

use super::Watchpost;
use crate::{
    access::{AuthorizedWrite, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, CallRecord},
    check::{Check, CheckDocument, CheckResult, Profile, ScanType},
    error::{Error, StoreError},
    import::{
        Batch, BatchPage, BatchQuery, Disagreement, ImportBatchHeader, ImportError, ImportFeed, ImportPermit,
        ImportRefusal, ImportReport, ImportStep, ImportedPage, ImportedQuery, KeepImport, KeepOutcome,
        NewBatch, OurVerdict, Tally, disagreements,
    },
    integration::{
        Integration,
        setting::{SETTING_BYTES_MAX, SettingDocument},
    },
    port::{Clock, Random},
    scan::{
        Apps, Exemption, IMPORTED_CONFIGURATION, RecordedScan, ScanCounts, configuration_text, evaluate,
        exempt_whole,
    },
    value::{
        id::{BatchId, ImportId, IntegrationId, ScanId},
        text::ForeignText,
        time::Timestamp,
        word::CollectionState,
    },
};
use std::collections::BTreeSet;

/// Settings of one tenant that are kept.
const SETTINGS_MAX: usize = 1_000;
/// Bytes of all settings of a file that are kept.
const SETTINGS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Batches of one file that an answer shows; a file has no more.
const BATCHES_SHOWN: usize = 100;

/// How a file is to be imported.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file's name; empty if it has none.
    pub file_name: ForeignText,
    /// The integration that it is about; otherwise that of the tenant that the file names.
    pub integration: Option<IntegrationId>,
    /// Whether the named integration takes another tenant's file.
    pub any_tenant: bool,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportAnswer {
    /// The import: the earlier one if the file was imported before.
    pub import: ImportId,
    /// Whether the same file was imported before. Then nothing was changed.
    pub already_imported: bool,
    /// Its batches as they are kept, in the order of the file.
    pub batches: Vec<Batch>,
    /// Integrations that were made for it.
    pub made: Vec<IntegrationId>,
    /// What was read.
    pub report: ImportReport,
}

/// Where imported verdicts and ours differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisagreementAnswer {
    /// The integration.
    pub integration: Integration,
    /// Checks of ours that tools speak of and our latest scans judged or skipped.
    pub compared: u64,
    /// The differences, gravest first.
    pub rows: Vec<Disagreement>,
}

/// A batch while the file is read.
struct Reading {
    integration: IntegrationId,
    header: ImportBatchHeader,
    tally: Tally,
    scans: Vec<RecordedScan>,
}

/// Why an import ended early.
enum Stop {
    File(ImportError),
    Core(Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Core(error.into())
    }
}

impl Watchpost {
    /// Imports a file: reads it to its end, then shows all of it at once, or nothing. Rows go to the store as they are
    /// read, so that a large file needs little memory. `progress` hears of the rows that were read.
    ///
    /// The import has one audit entry, that of a refusal included.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file that can't be used, in words for its owner; [`Error::NotFound`] for an unknown
    /// integration; [`Error::Conflict`] for another tenant's file; [`Error::Denied`]; the store's.
    pub async fn import(
        &self,
        scope: &WorkspaceScope,
        feed: &mut dyn ImportFeed,
        request: ImportRequest,
        call: CallRecord,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<ImportAnswer, Error> {
        let id = ImportId::generate(self.clock(), self.random());
        let permit = ImportPermit::new(scope, id).map_err(|_| Error::Denied)?;
        if let Some(named) = request.integration
            && self.store().integration(scope, named).await?.is_none()
        {
            self.refused(scope, id, AuditOutcome::NotFound, call).await?;
            return Err(no_integration());
        }
        self.store().begin_import(&permit, self.clock().now()).await?;
        let read = self.read_import(scope, &permit, feed, progress).await;
        let (report, batches) = match read {
            Ok(read) => read,
            Err(stop) => {
                self.store().discard_import(&permit).await?;
                return Err(match stop {
                    Stop::File(error) => {
                        self.refused(scope, id, AuditOutcome::Invalid, call).await?;
                        Error::Invalid {
                            field: "file",
                            reason: error.to_string(),
                        }
                    }
                    Stop::Core(error) => error,
                });
            }
        };
        let command = KeepImport {
            id,
            file_name: request.file_name,
            sha256: report.sha256.clone(),
            bytes: report.bytes,
            named: request.integration,
            any_tenant: request.any_tenant,
            batches,
            now: self.clock().now(),
        };
        let write: AuthorizedWrite<KeepImport> = scope.authorize(command, call).map_err(|_| Error::Denied)?;
        let kept = self.store().keep_import(write).await;
        if !matches!(kept.as_ref().map(|_| ()), Ok(())) {
            self.store().discard_import(&permit).await?;
        }
        let (import, made) = match kept?.into_value() {
            KeepOutcome::Kept(places) => {
                let made = places
                    .into_iter()
                    .filter(|place| place.new.is_some())
                    .map(|place| place.integration)
                    .collect();
                (id, made)
            }
            KeepOutcome::AlreadyImported(before) => {
                self.store().discard_import(&permit).await?;
                (before, Vec::new())
            }
            KeepOutcome::Refused(refusal) => {
                self.store().discard_import(&permit).await?;
                return Err(match refusal {
                    ImportRefusal::NoIntegration => no_integration(),
                    ImportRefusal::OtherTenant { found, expected } => Error::Conflict {
                        reason: format!(
                            "the file speaks of another tenant ({found}) than the integration ({expected}): leave the \
                             integration out to import it under its own, or allow another tenant's file"
                        ),
                    },
                });
            }
        };
        let query = BatchQuery {
            import: Some(import),
            limit: BATCHES_SHOWN,
            ..BatchQuery::default()
        };
        let mut batches = self.store().list_batches(scope, &query).await?.batches;
        batches.reverse();
        Ok(ImportAnswer {
            import,
            already_imported: import != id,
            batches,
            made,
            report,
        })
    }

    async fn refused(
        &self,
        scope: &WorkspaceScope,
        id: ImportId,
        outcome: AuditOutcome,
        call: CallRecord,
    ) -> Result<(), Error> {
        let target = AuditTarget::new("import", &id);
        Ok(self
            .record(scope, "import.refused", target, outcome, call)
            .await?)
    }

    /// Stages the rows of a file and judges its settings.
    async fn read_import(
        &self,
        scope: &WorkspaceScope,
        permit: &ImportPermit,
        feed: &mut dyn ImportFeed,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(ImportReport, Vec<NewBatch>), Stop> {
        let mut batches: Vec<Reading> = Vec::new();
        let mut position = 0_u64;
        let mut bytes = 0_usize;
        let exemptions = self.store().exemptions(scope).await?;
        loop {
            match feed.next().await.map_err(Stop::File)? {
                ImportStep::Begin(header) => batches.push(Reading {
                    integration: IntegrationId::generate(self.clock(), self.random()),
                    header: *header,
                    tally: Tally::default(),
                    scans: Vec::new(),
                }),
                ImportStep::Rows(rows) => {
                    for (batch, row) in &rows {
                        if let Some(batch) = batches.get_mut(*batch) {
                            batch.tally.add(row);
                        }
                    }
                    let first = position;
                    position = position.saturating_add(rows.len() as u64);
                    self.store()
                        .stage_rows(permit, first, rows, self.clock().now())
                        .await?;
                    progress(position);
                }
                ImportStep::Settings { batch, document } => {
                    let Some(batch) = batches.get_mut(batch) else {
                        continue;
                    };
                    let settings = documents_of(&document);
                    let size = |setting: &SettingDocument| setting.document.as_ref().map_or(0, String::len);
                    bytes = bytes.saturating_add(settings.iter().map(size).sum());
                    if bytes > SETTINGS_BYTES_MAX {
                        return Err(Stop::File(ImportError::TooLarge {
                            limit: SETTINGS_BYTES_MAX as u64,
                        }));
                    }
                    let now = self.clock().now();
                    let read_at = batch.header.ran_at.filter(|at| *at <= now).unwrap_or(now);
                    let scans = self
                        .judge_settings(*document, settings, &exemptions, read_at)
                        .await
                        .map_err(Stop::Core)?;
                    batch.scans.extend(scans);
                }
                ImportStep::Done(report) => {
                    // Lists are in the order of ids, and ids of one moment in any: sorted, they keep the file's order.
                    let mut ids: Vec<BatchId> = batches
                        .iter()
                        .map(|_| BatchId::generate(self.clock(), self.random()))
                        .collect();
                    ids.sort_unstable();
                    let kept = ids
                        .into_iter()
                        .zip(batches)
                        .zip(&report.batches)
                        .map(|((id, batch), read)| NewBatch {
                            id,
                            integration: batch.integration,
                            header: batch.header,
                            counts: read.counts.clone(),
                            settings: read.settings,
                            results: batch.tally.counts(),
                            verdicts: batch.tally.into_verdicts(),
                            scans: batch.scans,
                        })
                        .collect();
                    return Ok((report, kept));
                }
            }
        }
    }

    /// Judges a tenant's settings by our checks, as a scan at the time at which they were read would have: one scan for
    /// each type of which at least one check could be judged.
    async fn judge_settings(
        &self,
        document: CheckDocument,
        settings: Vec<SettingDocument>,
        exemptions: &[Exemption],
        read_at: Timestamp,
    ) -> Result<Vec<RecordedScan>, Error> {
        let exemptions: Vec<Exemption> = exemptions
            .iter()
            .filter(|exemption| exemption.created_at <= read_at && exemption.holds_at(read_at))
            .cloned()
            .collect();
        let mut document = document;
        document.exemptions.extend(
            exemptions
                .iter()
                .filter(|exemption| exemption.what.kind != "*")
                .map(|exemption| exemption.what.clone()),
        );
        let sorted = Sorted {
            read_at,
            imported_at: self.clock().now(),
            random: self.random(),
        };
        let mut scans = Vec::new();
        for scan_type in ScanType::ALL.iter().copied() {
            let fits = |check: &Check| {
                check.scan == Some(scan_type)
                    && (check.platforms.is_empty() || check.platforms.contains(&document.platform))
            };
            let checks = self.checks().checks().iter().enumerate();
            let chosen: Vec<usize> = checks
                .filter(|(_, check)| fits(check))
                .map(|(at, _)| at)
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let judged = evaluate(
                self.checks(),
                document.clone(),
                chosen,
                Profile::Default,
                read_at,
                Apps::None,
            )
            .await?;
            let mut results = judged.map_err(|reason| Error::Internal(reason.into()))?;
            let any = results
                .iter()
                .any(|result| matches!(result.row.result, CheckResult::Passed | CheckResult::Failed));
            if !any {
                continue;
            }
            exempt_whole(&mut results, &exemptions, read_at);
            scans.push(RecordedScan {
                id: ScanId::generate(&sorted, &sorted),
                scan_type,
                read_at,
                settings: settings.clone(),
                counts: ScanCounts::of(results.iter().map(|result| &result.row)),
                results,
            });
        }
        Ok(scans)
    }

    /// Batches, newest import first.
    ///
    /// # Errors
    /// The store's.
    pub async fn import_batches(
        &self,
        scope: &WorkspaceScope,
        query: &BatchQuery,
    ) -> Result<BatchPage, Error> {
        Ok(self.store().list_batches(scope, query).await?)
    }

    /// Results of a batch.
    ///
    /// # Errors
    /// [`Error::NotFound`]; the store's.
    pub async fn imported_results(
        &self,
        scope: &WorkspaceScope,
        batch: BatchId,
        query: &ImportedQuery,
    ) -> Result<(Batch, ImportedPage), Error> {
        let batch = self
            .store()
            .batch(scope, batch)
            .await?
            .ok_or_else(|| Error::NotFound {
                what: "import batch",
                next: "`watchpost imports list` shows the ids".into(),
            })?;
        let page = self.store().imported_results(scope, batch.id, query).await?;
        Ok((batch, page))
    }

    /// Where the latest run of each tool and our latest completed scans differ, for one integration or for each that
    /// has imports.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown integration; the store's.
    pub async fn disagreements(
        &self,
        scope: &WorkspaceScope,
        integration: Option<IntegrationId>,
    ) -> Result<Vec<DisagreementAnswer>, Error> {
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
                let latest = self.store().latest_scan(scope, row.id, scan_type, None).await?;
                let Some(scan) = latest else { continue };
                let at = scan.completed_at.unwrap_or(scan.queued_at);
                ours.extend(
                    self.store()
                        .scan_results(scope, scan.id)
                        .await?
                        .into_iter()
                        .map(|row| OurVerdict {
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
    }
}

fn no_integration() -> Error {
    Error::NotFound {
        what: "integration",
        next: "`watchpost integrations list` shows the ids".into(),
    }
}

/// Clock and randomness for the ids of imported scans: they sort by the time at which the settings were read, and of
/// those read at the same moment (one run's results and its export) the one that was imported later comes later.
struct Sorted<'a> {
    read_at: Timestamp,
    imported_at: Timestamp,
    random: &'a dyn Random,
}

impl Clock for Sorted<'_> {
    fn now(&self) -> Timestamp {
        self.read_at
    }
    fn monotonic_ms(&self) -> u64 {
        0
    }
}

impl Random for Sorted<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
        // An id's version and variant stand over the upper four bits of the first byte and the upper two of the third:
        // the milliseconds' 48 bits go around them, the last three bytes stay random.
        let millis = u64::try_from(self.imported_at.as_millis()).unwrap_or(0);
        let spread =
            ((millis >> 36 & 0xfff) << 40) | ((millis >> 30 & 0x3f) << 32) | ((millis & 0x3fff_ffff) << 2);
        for (byte, own) in bytes.iter_mut().zip(spread.to_be_bytes().into_iter().skip(1)) {
            *byte = own;
        }
    }
}

/// A tenant's settings as a scan keeps them, with what the tool's operator had configured beside them, so that a
/// replay judges by the same.
fn documents_of(document: &CheckDocument) -> Vec<SettingDocument> {
    let setting = |path: &str, state, detail, text: Option<String>| SettingDocument {
        path: path.to_owned(),
        state,
        detail,
        source: "import",
        document: text,
    };
    let mut out = Vec::new();
    for (path, value) in document.settings.iter().take(SETTINGS_MAX) {
        let text = value.to_string();
        out.push(if text.len() > SETTING_BYTES_MAX {
            let detail = "the file has more than 4 MiB at this path";
            setting(path, CollectionState::Failed, Some(detail.to_owned()), None)
        } else if let Some(unread) = document.unreadable.get(path) {
            setting(path, unread.state, unread.detail.clone(), Some(text))
        } else {
            setting(path, CollectionState::Complete, None, Some(text))
        });
    }
    for (path, unread) in document.unreadable.iter().take(SETTINGS_MAX) {
        if !document.settings.contains_key(path) {
            out.push(setting(path, unread.state, unread.detail.clone(), None));
        }
    }
    let text = configuration_text(document);
    if text.len() <= SETTING_BYTES_MAX {
        let state = CollectionState::Complete;
        out.push(setting(IMPORTED_CONFIGURATION, state, None, Some(text)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn imported_scans_sort_by_reading_then_by_import() {
        let id = |read_at: i64, imported_at: i64, noise: u8| {
            let sorted = Sorted {
                read_at: Timestamp::from_millis(read_at),
                imported_at: Timestamp::from_millis(imported_at),
                random: &Fixed(noise),
            };
            ScanId::generate(&sorted, &sorted)
        };
        let now = 1_770_000_000_000;
        let ascending = [
            id(1_000, now + 9, 255),
            id(2_000, now, 255),
            id(2_000, now + 1, 0),
            id(2_000, now + (1 << 29), 0),
            id(2_000, now + (1 << 31), 0),
            id(2_000, now + (1 << 37), 0),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
        assert_ne!(id(2_000, now, 1), id(2_000, now, 2));
    }
}
