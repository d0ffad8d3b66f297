//! The port of imports, with its command.
//!
//! A file's rows are staged while it is read: they are in the store, and nobody sees them. Keeping the import shows
//! all of them at once; an import that isn't kept leaves nothing.

use super::{
    BatchTarget, CheckVerdict, ImportBatchHeader, ImportCounts, ImportRefusal, ImportTool, ImportedRow,
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

/// A staged import to which nothing was added for so long, in milliseconds, has no process any more.
pub const ABANDONED_AFTER_MS: i64 = 15 * 60 * 1_000;
/// Characters that an imported text keeps at the most; a reader keeps at most as many bytes.
pub const DETAILS_CHARS_MAX: usize = 8 * 1_024;

/// The proof that its holder may stage the rows of one import, and nothing else.
#[derive(Debug, Clone)]
pub struct ImportPermit {
    workspace: WorkspaceId,
    import: ImportId,
}

impl ImportPermit {
    /// For a caller who may import.
    ///
    /// # Errors
    /// [`Denied`] for any other.
    pub fn new(scope: &WorkspaceScope, import: ImportId) -> Result<Self, Denied> {
        scope.require(Permission::ImportResults)?;
        Ok(Self {
            workspace: scope.workspace(),
            import,
        })
    }
    /// The workspace, for stores.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
    /// The import, for stores.
    pub const fn import(&self) -> ImportId {
        self.import
    }
}

/// Show what was staged.
#[derive(Debug)]
pub struct KeepImport {
    /// The import.
    pub id: ImportId,
    /// The file's name as the caller gave it; empty if there is none.
    pub file_name: ForeignText,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// The integration that the caller named.
    pub named: Option<IntegrationId>,
    /// Whether another tenant's file may go there.
    pub any_tenant: bool,
    /// The batches, in the order of the file.
    pub batches: Vec<NewBatch>,
    /// When.
    pub now: Timestamp,
}

/// A batch to keep.
#[derive(Debug)]
pub struct NewBatch {
    /// The id it gets.
    pub id: BatchId,
    /// The id that its integration gets if one has to be made.
    pub integration: IntegrationId,
    /// Its head.
    pub header: ImportBatchHeader,
    /// Its counts.
    pub counts: ImportCounts,
    /// Settings that came with it.
    pub settings: u64,
    /// How its rows ended.
    pub results: ResultCounts,
    /// What it says about our checks, at most one for each.
    pub verdicts: Vec<CheckVerdict>,
    /// Its settings, judged by our checks: completed scans of the batch's integration.
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

/// What keeping an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepOutcome {
    /// It is there, its batches, with where they went.
    Kept(Vec<BatchTarget>),
    /// The same file was imported before. Nothing was kept.
    AlreadyImported(ImportId),
    /// Nothing was kept.
    Refused(ImportRefusal),
}

impl KeepOutcome {
    /// How the entry of the change says that it ended.
    pub const fn audit_outcome(&self) -> AuditOutcome {
        match self {
            Self::Kept(_) => AuditOutcome::Ok,
            Self::AlreadyImported(_) => AuditOutcome::Unchanged,
            Self::Refused(ImportRefusal::NoIntegration) => AuditOutcome::NotFound,
            Self::Refused(ImportRefusal::OtherTenant { .. }) => AuditOutcome::Conflict,
        }
    }
}

/// An imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFile {
    /// The import.
    pub id: ImportId,
    /// The file's name; empty if there was none.
    pub name: ForeignText,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// When it was imported.
    pub imported_at: Timestamp,
}

/// One tool's run on one tenant, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The file that it is from.
    pub file: ImportedFile,
    /// Its head.
    pub header: ImportBatchHeader,
    /// The integration that it is about.
    pub integration: IntegrationId,
    /// The integration's platform.
    pub platform: Platform,
    /// The integration's name.
    pub integration_name: ForeignText,
    /// Its counts.
    pub counts: ImportCounts,
    /// Settings that came with it.
    pub settings: u64,
    /// How its rows ended.
    pub results: ResultCounts,
    /// Checks of ours that its rows are about.
    pub checks: u64,
    /// Scans that were made of its settings.
    pub scans: Vec<ScanId>,
}

/// Conditions on batches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchQuery {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only of this file.
    pub import: Option<ImportId>,
    /// Only of this tool.
    pub tool: Option<ImportTool>,
    /// Only older than this one.
    pub before: Option<BatchId>,
    /// 1 to 100.
    pub limit: usize,
}

/// A page of batches, newest import first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPage {
    /// The batches.
    pub batches: Vec<Batch>,
    /// How many fit in all.
    pub total: u64,
    /// Whether there are older ones.
    pub more: bool,
}

/// Conditions on imported results of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportedQuery {
    /// Only about this check of ours.
    pub check: Option<String>,
    /// Only of this control of the tool, letter for letter.
    pub control: Option<String>,
    /// Only with this result.
    pub result: Option<CheckResult>,
    /// Only behind this position.
    pub after: Option<u64>,
    /// 1 to 500.
    pub limit: usize,
}

/// An imported result as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedResult {
    /// Grows in the order of the file's rows.
    pub position: u64,
    /// The result.
    pub row: ImportedRow,
}

/// A page of imported results, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPage {
    /// The results.
    pub results: Vec<ImportedResult>,
    /// Whether more fit.
    pub more: bool,
}

/// What a tool's latest run says about one of our checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedVerdict {
    /// The batch.
    pub batch: BatchId,
    /// The tool.
    pub tool: ImportTool,
    /// When the tool ran.
    pub ran_at: Option<Timestamp>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// The verdict.
    pub verdict: CheckVerdict,
}

/// The port of imports.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Makes room for an import that nobody sees yet, and clears away those that never came to an end.
    async fn begin_import(&self, permit: &ImportPermit, now: Timestamp) -> Result<(), StoreError>;
    /// Adds rows to its batches, each with its batch's number. `first` is the position of the first of them in the
    /// file's rows; no position comes twice.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the import was cleared away.
    async fn stage_rows(
        &self,
        permit: &ImportPermit,
        first: u64,
        rows: Vec<(usize, ImportedRow)>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Clears a staged import away. One that was kept, or was never begun, stays as it is.
    async fn discard_import(&self, permit: &ImportPermit) -> Result<(), StoreError>;
    /// Shows a staged import: its batches, their integrations where there were none (see [`super::targets`]), and its
    /// scans, in one transaction. Whatever isn't kept stays staged: discard it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it was cleared away.
    async fn keep_import(
        &self,
        write: AuthorizedWrite<KeepImport>,
    ) -> Result<Audited<KeepOutcome>, StoreError>;

    /// A page of batches.
    async fn list_batches(&self, scope: &WorkspaceScope, query: &BatchQuery)
    -> Result<BatchPage, StoreError>;
    /// One batch.
    async fn batch(&self, scope: &WorkspaceScope, id: BatchId) -> Result<Option<Batch>, StoreError>;
    /// A page of a batch's results; empty if there is no such batch.
    async fn imported_results(
        &self,
        scope: &WorkspaceScope,
        batch: BatchId,
        query: &ImportedQuery,
    ) -> Result<ImportedPage, StoreError>;
    /// What each tool's latest run on an integration (by the time of the run, else of the import; runs without rows
    /// don't count) says about our checks, by tool and check.
    async fn imported_verdicts(
        &self,
        scope: &WorkspaceScope,
        integration: IntegrationId,
    ) -> Result<Vec<ImportedVerdict>, StoreError>;
}
