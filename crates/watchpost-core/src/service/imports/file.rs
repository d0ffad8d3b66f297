//! Import of a result file.

use super::{evaluate::documents_of, no_integration};
use crate::{
    access::{AuthorizedWrite, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget, CallRecord, ReadRecord},
    check::CheckDocument,
    error::{Error, StoreError},
    import::{
        Batch, BatchQuery, ImportBatchHeader, ImportError, ImportFeed, ImportPermit, ImportRejection,
        ImportReport, ImportStep, ImportedRow, KeepImport, KeepOutcome, NewBatch, Tally,
    },
    integration::setting::SettingDocument,
    scan::{Exemption, RecordedScan},
    service::{Unrecorded, Watchpost},
    text,
    value::{
        id::{BatchId, ImportId, IntegrationId},
        text::ForeignText,
    },
};

/// Maximum size of all settings of a file, in bytes.
const SETTINGS_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Maximum number of batches in an answer; a file has no more.
const BATCHES_SHOWN: usize = 100;

/// The options of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file's name; empty if it has none.
    pub file_name: ForeignText,
    /// The integration that the file is about; `None` for the one with the tenant in the file.
    pub integration: Option<IntegrationId>,
    /// Whether a file about another tenant may be imported into `integration`.
    pub any_tenant: bool,
}

/// The result of [`Watchpost::import`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportAnswer {
    /// The id of the import: the earlier one if the file was imported before.
    pub import: ImportId,
    /// Whether the same file was imported before. Then nothing was changed.
    pub already_imported: bool,
    /// The stored batches, in the order of the file.
    pub batches: Vec<Batch>,
    /// The integrations that were created for the import.
    pub created: Vec<IntegrationId>,
    /// The result of reading the file.
    pub report: ImportReport,
}

/// The state of an import while its file is read.
#[derive(Default)]
struct FileReading {
    batches: Vec<BatchReading>,
    /// The number of rows read so far.
    position: u64,
    /// The size of the settings read so far, in bytes.
    setting_bytes: usize,
    exemptions: Vec<Exemption>,
}

impl FileReading {
    /// Counts rows. Returns the position of the first of them.
    fn count(&mut self, rows: &[(usize, ImportedRow)]) -> u64 {
        for (batch, row) in rows {
            if let Some(batch) = self.batches.get_mut(*batch) {
                batch.tally.add(row);
            }
        }
        let first = self.position;
        self.position = first.saturating_add(rows.len() as u64);
        first
    }
}

/// The state of a batch while its file is read.
struct BatchReading {
    integration: IntegrationId,
    header: ImportBatchHeader,
    tally: Tally,
    scans: Vec<RecordedScan>,
}

/// The reason why an import ended early.
enum Stop {
    File(ImportError),
    Core(Error),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Core(error.into())
    }
}

impl From<ImportRejection> for Error {
    fn from(refusal: ImportRejection) -> Self {
        match refusal {
            ImportRejection::NoIntegration => no_integration(),
            ImportRejection::OtherTenant { found, expected } => {
                Self::conflict(text::import::other_tenant(&found, &expected))
            }
        }
    }
}

impl Watchpost {
    /// Imports a file: reads the whole file, then makes all of it visible at once, or nothing. Rows are stored as
    /// they are read, so that a large file needs little memory. Passes the number of rows read to `progress`.
    ///
    /// The import has one audit entry, even if it is rejected.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file that can't be imported, with a reason for the file's owner;
    /// [`Error::NotFound`] for an unknown integration; [`Error::Conflict`] for a file about another tenant;
    /// [`Error::Denied`]; or the store's error.
    pub async fn import(
        &self,
        scope: &WorkspaceScope,
        feed: &mut dyn ImportFeed,
        request: ImportRequest,
        call: CallRecord,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<ImportAnswer, Error> {
        let id = ImportId::generate(self.clock(), self.random());
        let permit = ImportPermit::new(scope, id)?;
        if let Some(named) = request.integration
            && self.store().integration(scope, named).await?.is_none()
        {
            self.record_rejection(scope, id, AuditOutcome::NotFound, call)
                .await?;
            return Err(no_integration());
        }
        self.store().begin_import(&permit, self.clock().now()).await?;
        let (report, batches) = match self.read_import(scope, &permit, feed, progress).await {
            Ok(read) => read,
            Err(stop) => {
                self.store().discard_import(&permit).await?;
                return Err(match stop {
                    Stop::Core(error) => error,
                    Stop::File(error) => {
                        self.record_rejection(scope, id, AuditOutcome::Invalid, call)
                            .await?;
                        Error::invalid("file", error.to_string())
                    }
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
        let write: AuthorizedWrite<KeepImport> = scope.authorize(command, call)?;
        let kept = self.store().keep_import(write).await;
        if kept.is_err() {
            self.store().discard_import(&permit).await?;
        }
        let (import, created) = match kept?.into_value() {
            KeepOutcome::Kept(targets) => {
                let new = targets.into_iter().filter(|target| target.new.is_some());
                (id, new.map(|target| target.integration).collect())
            }
            KeepOutcome::AlreadyImported(before) => {
                self.store().discard_import(&permit).await?;
                (before, Vec::new())
            }
            KeepOutcome::Rejected(refusal) => {
                self.store().discard_import(&permit).await?;
                return Err(refusal.into());
            }
        };
        Ok(ImportAnswer {
            import,
            already_imported: import != id,
            batches: self.kept_batches(scope, import).await?,
            created,
            report,
        })
    }

    /// Returns the batches of an import, in the order of the file.
    async fn kept_batches(&self, scope: &WorkspaceScope, import: ImportId) -> Result<Vec<Batch>, Error> {
        let query = BatchQuery {
            import: Some(import),
            limit: BATCHES_SHOWN,
            ..BatchQuery::default()
        };
        let mut batches = self.store().list_batches(scope, &query).await?.batches;
        batches.reverse();
        Ok(batches)
    }

    async fn record_rejection(
        &self,
        scope: &WorkspaceScope,
        id: ImportId,
        outcome: AuditOutcome,
        call: CallRecord,
    ) -> Result<(), Error> {
        let target = AuditTarget::new("import", &id);
        let describe = |(): &()| ReadRecord {
            action: "import.refused",
            target,
            outcome,
            call,
        };
        Ok(self.record(scope, Unrecorded::new(()), describe).await?)
    }

    /// Stages the rows of a file and evaluates its settings.
    async fn read_import(
        &self,
        scope: &WorkspaceScope,
        permit: &ImportPermit,
        feed: &mut dyn ImportFeed,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(ImportReport, Vec<NewBatch>), Stop> {
        let mut file = FileReading {
            exemptions: self.store().exemptions(scope).await?,
            ..FileReading::default()
        };
        loop {
            match feed.next().await.map_err(Stop::File)? {
                ImportStep::Begin(header) => file.batches.push(BatchReading {
                    integration: IntegrationId::generate(self.clock(), self.random()),
                    header: *header,
                    tally: Tally::default(),
                    scans: Vec::new(),
                }),
                ImportStep::Rows(rows) => {
                    let first = file.count(&rows);
                    self.store()
                        .stage_rows(permit, first, rows, self.clock().now())
                        .await?;
                    progress(file.position);
                }
                ImportStep::Settings { batch, document } => {
                    self.read_settings(&mut file, batch, *document).await?;
                }
                ImportStep::Done(report) => {
                    let batches = self.new_batches(file.batches, &report);
                    return Ok((report, batches));
                }
            }
        }
    }

    /// Evaluates the settings in a file for one of its batches.
    async fn read_settings(
        &self,
        file: &mut FileReading,
        batch: usize,
        document: CheckDocument,
    ) -> Result<(), Stop> {
        let Some(batch) = file.batches.get_mut(batch) else {
            return Ok(());
        };
        let settings = documents_of(&document);
        let size = |setting: &SettingDocument| setting.document.as_ref().map_or(0, String::len);
        file.setting_bytes = file.setting_bytes.saturating_add(settings.iter().map(size).sum());
        if file.setting_bytes > SETTINGS_BYTES_MAX {
            return Err(Stop::File(ImportError::TooLarge {
                limit: SETTINGS_BYTES_MAX as u64,
            }));
        }
        let now = self.clock().now();
        let read_at = batch.header.ran_at.filter(|at| *at <= now).unwrap_or(now);
        let scans = self
            .evaluate_settings(document, settings, &file.exemptions, read_at)
            .await
            .map_err(Stop::Core)?;
        batch.scans.extend(scans);
        Ok(())
    }

    /// Returns the batches to keep.
    fn new_batches(&self, batches: Vec<BatchReading>, report: &ImportReport) -> Vec<NewBatch> {
        // Lists are ordered by id, and ids generated in the same millisecond have an arbitrary order. Sorting the
        // ids preserves the order of the file.
        let mut ids: Vec<BatchId> = batches
            .iter()
            .map(|_| BatchId::generate(self.clock(), self.random()))
            .collect();
        ids.sort_unstable();
        ids.into_iter()
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
            .collect()
    }
}
