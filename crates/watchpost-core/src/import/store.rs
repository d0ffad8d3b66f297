//! Storage of imports, with its command.
//!
//! The rows of a file are staged while it is read: they are stored, but not visible. [`KeepImport`] makes all of
//! them visible at once. An import that isn't kept leaves nothing behind.

use super::{
    BatchTarget, CheckVerdict, ImportBatchHeader, ImportCounts, ImportRejection, ImportTool, ImportedRow,
    ResultCounts,
};
use crate::{
    access::{Audited, AuthorizedWrite, Command, Denied, Permission, WorkspaceScope},
    audit::{AuditOutcome, AuditTarget},
    check::CheckResult,
    error::StoreError,
    scan::RecordedScan,
    value::{
        id::{BatchId, ImportId, IntegrationId, ScanId, WorkspaceId},
        text::ForeignText,
        time::Timestamp,
        word::Platform,
    },
};
use async_trait::async_trait;

/// The time without new rows after which a staged import is considered abandoned even if its process still runs, in
/// milliseconds.
pub const ABANDONED_AFTER_MS: i64 = 15 * 60 * 1_000;
/// Maximum length of an imported text, in characters. Readers keep at most the same number of bytes.
pub const DETAILS_CHARS_MAX: usize = 8 * 1_024;

/// The proof that its holder may stage the rows of one import, and nothing else.
#[derive(Debug, Clone)]
pub struct ImportPermit {
    workspace: WorkspaceId,
    import: ImportId,
}

impl ImportPermit {
    /// Creates a permit for a caller with the permission to import.
    ///
    /// # Errors
    /// [`Denied`] if the caller lacks the permission.
    pub fn new(scope: &WorkspaceScope, import: ImportId) -> Result<Self, Denied> {
        scope.require(Permission::ImportResults)?;
        Ok(Self {
            workspace: scope.workspace(),
            import,
        })
    }
    /// Returns the workspace. For stores.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// Returns the import. For stores.
    pub const fn import(&self) -> ImportId {
        self.import
    }
}

/// Makes a staged import visible.
#[derive(Debug)]
pub struct KeepImport {
    /// The import.
    pub id: ImportId,
    /// The file's name as given by the caller; empty if there is none.
    pub file_name: ForeignText,
    /// SHA-256 of the file, as 64 hexadecimal digits.
    pub sha256: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The integration that the caller chose.
    pub named: Option<IntegrationId>,
    /// Whether a file about another tenant may be imported into the chosen integration.
    pub any_tenant: bool,
    /// The batches, in the order of the file.
    pub batches: Vec<NewBatch>,
    /// The current time.
    pub now: Timestamp,
}

/// A batch of [`KeepImport`].
#[derive(Debug)]
pub struct NewBatch {
    /// The id of the new batch.
    pub id: BatchId,
    /// The id of the batch's integration, if a new one is created.
    pub integration: IntegrationId,
    /// The header.
    pub header: ImportBatchHeader,
    /// The numbers of rows.
    pub counts: ImportCounts,
    /// The number of settings in the batch.
    pub settings: u64,
    /// The number of rows by result.
    pub results: ResultCounts,
    /// The tool's verdicts on Watchpost's checks, at most one per check.
    pub verdicts: Vec<CheckVerdict>,
    /// Completed scans of the batch's integration, from evaluating the settings with Watchpost's checks.
    pub scans: Vec<RecordedScan>,
}

impl Command for KeepImport {
    fn permission(&self) -> Permission {
        Permission::ImportResults
    }
    fn action(&self) -> &'static str {
        "import.kept"
    }
    fn target(&self) -> AuditTarget {
        AuditTarget::new("import", &self.id)
    }
}

/// The outcome of [`KeepImport`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepOutcome {
    /// The import is visible. Contains the target of each batch.
    Kept(Vec<BatchTarget>),
    /// The same file was imported before. Nothing was kept.
    AlreadyImported(ImportId),
    /// The import was rejected. Nothing was kept.
    Rejected(ImportRejection),
}

impl KeepOutcome {
    /// Returns the outcome for the audit entry.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Kept(_) => AuditOutcome::Ok,
            Self::AlreadyImported(_) => AuditOutcome::Unchanged,
            Self::Rejected(ImportRejection::NoIntegration) => AuditOutcome::NotFound,
            Self::Rejected(ImportRejection::OtherTenant { .. }) => AuditOutcome::Conflict,
        }
    }
}

/// An imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFile {
    /// The import's id.
    pub id: ImportId,
    /// The file's name; empty if there was none.
    pub name: ForeignText,
    /// SHA-256 of the file, as 64 hexadecimal digits.
    pub sha256: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The time of the import.
    pub imported_at: Timestamp,
}

/// A stored batch: one run of a tool on one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The batch's id.
    pub id: BatchId,
    /// The file that contained the batch.
    pub file: ImportedFile,
    /// The header.
    pub header: ImportBatchHeader,
    /// The integration that the batch is about.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub integration_name: ForeignText,
    /// The numbers of rows.
    pub counts: ImportCounts,
    /// The number of settings in the batch.
    pub settings: u64,
    /// The number of rows by result.
    pub results: ResultCounts,
    /// The number of Watchpost's checks that the rows are about.
    pub checks: u64,
    /// The scans that were recorded from the settings.
    pub scans: Vec<ScanId>,
}

/// Conditions on batches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchQuery {
    /// Only batches of this integration.
    pub integration: Option<IntegrationId>,
    /// Only batches of this file.
    pub import: Option<ImportId>,
    /// Only batches of this tool.
    pub tool: Option<ImportTool>,
    /// Only batches that are older than this one.
    pub before: Option<BatchId>,
    /// Maximum number of batches, 1 to 100.
    pub limit: usize,
}

/// A page of batches, newest import first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage {
    /// The batches.
    pub batches: Vec<Batch>,
    /// The number of matching batches.
    pub total: u64,
    /// Whether there are older matching batches.
    pub more: bool,
}

/// Conditions on the imported results of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportedQuery {
    /// Only results about this Watchpost check.
    pub check: Option<String>,
    /// Only results of this control of the tool; case-sensitive.
    pub control: Option<String>,
    /// Only results with this value.
    pub result: Option<CheckResult>,
    /// Only results after this position.
    pub after: Option<u64>,
    /// Maximum number of results, 1 to 500.
    pub limit: usize,
}

/// A stored imported result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedResult {
    /// The position, which increases in the order of the file's rows.
    pub position: u64,
    /// The result.
    pub row: ImportedRow,
}

/// A page of imported results, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPage {
    /// The results.
    pub results: Vec<ImportedResult>,
    /// Whether there are more matching results.
    pub more: bool,
}

/// The verdict of a tool's latest run on one of Watchpost's checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedVerdict {
    /// The batch.
    pub batch: BatchId,
    /// The tool.
    pub tool: ImportTool,
    /// The time at which the tool ran.
    pub ran_at: Option<Timestamp>,
    /// The time of the import.
    pub imported_at: Timestamp,
    /// The verdict.
    pub verdict: CheckVerdict,
}

/// Storage of imports.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Creates a staged import that isn't visible, and deletes abandoned ones and those whose process has ended.
    async fn begin_import(&self, permit: &ImportPermit, now: Timestamp) -> Result<(), StoreError>;
    /// Adds rows to a staged import, each with the number of its batch. `first` is the position of the first of
    /// them among all rows of the file. Positions are unique.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the staged import was deleted.
    async fn stage_rows(
        &self,
        permit: &ImportPermit,
        first: u64,
        rows: Vec<(usize, ImportedRow)>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Deletes a staged import. Does nothing if the import was kept or never begun.
    async fn discard_import(&self, permit: &ImportPermit) -> Result<(), StoreError>;
    /// Makes a staged import visible: its batches, their integrations if they are new (see [`super::targets`]),
    /// and its scans, in one transaction. If the import isn't kept, it stays staged, and the caller must discard
    /// it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the staged import was deleted.
    async fn keep_import(
        &self,
        write: AuthorizedWrite<KeepImport>,
    ) -> Result<Audited<KeepOutcome>, StoreError>;

    /// Returns a page of batches.
    async fn list_batches(&self, scope: &WorkspaceScope, query: &BatchQuery)
    -> Result<BatchPage, StoreError>;
    /// Returns one batch.
    async fn batch(&self, scope: &WorkspaceScope, id: BatchId) -> Result<Option<Batch>, StoreError>;
    /// Returns a page of a batch's results; empty if there is no such batch.
    async fn imported_results(
        &self,
        scope: &WorkspaceScope,
        batch: BatchId,
        query: &ImportedQuery,
    ) -> Result<ImportedPage, StoreError>;
    /// Returns the verdicts of each tool's latest run on an integration about Watchpost's checks, ordered by tool
    /// and check. The latest run is determined by the time of the run, or of the import if that is unknown; runs
    /// without rows don't count.
    async fn imported_verdicts(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
    ) -> Result<Vec<ImportedVerdict>, StoreError>;
}
