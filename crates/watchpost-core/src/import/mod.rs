//! Imports of other scanners' results, which are stored beside Watchpost's own verdicts and never replace them.
//!
//! A file contains batches, one per tool and tenant. A batch contains rows (one verdict each) and optionally
//! settings. Files are read by an adapter, which passes everything to an [`ImportSink`] as it reads, so that
//! large files need little memory. This module defines the data types, the decisions and [`check_of`], which maps
//! the control names of other scanners to Watchpost's checks.

mod alias;
mod disagree;
mod feed;
mod store;
mod tally;
mod target;

pub use alias::{check_of, scuba_key};
pub use disagree::{Difference, Disagreement, WatchpostVerdict, disagreements};
pub use feed::{ImportFeed, ImportStep};
pub use store::{
    ABANDONED_AFTER_MS, Batch, BatchPage, BatchQuery, DETAILS_CHARS_MAX, ImportPermit, ImportStore,
    ImportedFile, ImportedPage, ImportedQuery, ImportedResult, ImportedVerdict, KeepImport, KeepOutcome,
    NewBatch,
};
pub use tally::{CheckVerdict, ResultCounts, Tally};
pub use target::{BatchTarget, ImportRejection, targets};

use crate::{
    check::{CheckDocument, CheckResult, FrameworkId, Service, SkipReason},
    value::{
        text::ForeignText,
        time::Timestamp,
        word::{Severity, words},
    },
};
use sha2::{Digest, Sha256};

words! {
    /// The tool that wrote a file.
    ImportTool {
        /// CISA's scanner for Microsoft 365.
        Scubagear = "scubagear",
        /// CISA's scanner for Google Workspace.
        Scubagoggles = "scubagoggles",
        /// Prowler.
        Prowler = "prowler",
        /// Maester.
        Maester = "maester",
        /// Watchpost itself (an export that is imported again).
        Watchpost = "watchpost",
        /// Any other tool that writes OCSF findings.
        Ocsf = "ocsf",
    }
    /// The reason for which the tool's operator marked a verdict as an exception.
    ExceptionKind {
        /// The policy was omitted on purpose.
        Omitted = "omitted",
        /// The verdict is wrong according to the operator.
        FalsePositive = "false_positive",
        /// The verdict is muted in the tool.
        Suppressed = "suppressed",
    }
    /// The format of a file.
    ImportFormat {
        /// `ScubaResults` of ScubaGear or ScubaGoggles, or the report on one product from it.
        ScubaResults = "scuba_results",
        /// `ProviderSettingsExport` of ScubaGear, which contains settings and no verdicts.
        ProviderSettings = "provider_settings",
        /// `TestResults` of ScubaGear or ScubaGoggles.
        ScubaTests = "scuba_tests",
        /// OCSF findings, as an array or one per line.
        Ocsf = "ocsf",
        /// Maester's results, of one tenant or several.
        Maester = "maester",
    }
}

/// The header of a batch: one run of a tool on one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBatchHeader {
    /// The format of the file.
    pub format: ImportFormat,
    /// The tool that wrote the file.
    pub tool: ImportTool,
    /// The tool's version, as stated in the file; empty if unknown.
    pub tool_version: ForeignText,
    /// The vendor's id of the tenant or account, at most 200 printable characters; empty if the file doesn't
    /// contain it.
    pub tenant_key: String,
    /// The tenant's name; empty if unknown.
    pub tenant_name: ForeignText,
    /// The time at which the tool ran.
    pub ran_at: Option<Timestamp>,
}

/// The entity that a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEntity {
    /// The kind of entity in lower case: `tenant`, `user`, `app`, …; `other` if the file doesn't contain it.
    pub kind: String,
    /// The vendor's id, at most 500 printable characters.
    pub id: String,
    /// The entity's name.
    pub name: ForeignText,
}

/// An exception that the tool's operator made for a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedException {
    /// The reason.
    pub kind: ExceptionKind,
    /// The operator's explanation; empty if there is none.
    pub reason: ForeignText,
    /// The end of the exception.
    pub until: Option<Timestamp>,
}

/// One verdict of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// The tool's id of the control, as written in the file; at most 200 printable characters.
    pub control: String,
    /// Watchpost's check for the same control. Its condition may differ.
    pub check: Option<String>,
    /// The control's title, as written by the tool.
    pub title: ForeignText,
    /// The result.
    pub result: CheckResult,
    /// The reason for which the tool didn't evaluate the control. `Some` exactly for [`CheckResult::Skipped`].
    pub skip: Option<SkipReason>,
    /// The severity of a failure: the tool's, else that of Watchpost's check, else one derived from the tool's
    /// wording.
    pub severity: Severity,
    /// The service that the control is about.
    pub service: Service,
    /// The observed facts, at most 8 KiB of plain text.
    pub details: ForeignText,
    /// The entity that the row is about; `None` if the file doesn't contain it.
    pub entity: Option<ImportedEntity>,
    /// The tool's ids in frameworks; at most 100.
    pub frameworks: Vec<FrameworkId>,
    /// The exception that the operator made for the verdict.
    pub exception: Option<ImportedException>,
    /// The fingerprint: equal for the same control and entity in every run of the tool. 32 hexadecimal digits.
    pub fingerprint: String,
}

/// A row that can't be read, or that has damage in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row's position in the file, from 0.
    pub index: u64,
    /// The problem, without any text from the row.
    pub reason: String,
}

/// The numbers of rows in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Rows in the file; the sum of the next three.
    pub rows: u64,
    /// Rows that were returned.
    pub rows_ok: u64,
    /// Rows that can't be read.
    pub rows_skipped: u64,
    /// Rows of tests that the tool didn't run.
    pub rows_not_run: u64,
    /// Whether rows may be missing: at the end of the file, or where it is damaged.
    pub partial: bool,
    /// The first rows that can't be read, and damage in front of rows; at most [`ImportLimits::errors`].
    pub errors: Vec<RowError>,
}

/// Limits on an imported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Maximum size of the unpacked file, in bytes.
    pub bytes: u64,
    /// Maximum size of a document that can only be read as a whole (everything except arrays and lines of rows),
    /// in bytes.
    pub document_bytes: u64,
    /// Maximum size of a row, in bytes.
    pub row_bytes: u64,
    /// Maximum size of a zip file, which is held in memory, in bytes.
    pub archive_bytes: u64,
    /// Maximum number of files in a zip file.
    pub archive_entries: usize,
    /// Maximum average number of bytes to which one byte of a packed file may expand, checked once a mebibyte was
    /// unpacked.
    pub expansion: u64,
    /// Maximum number of rows.
    pub rows: u64,
    /// Maximum number of tenants in a file.
    pub batches: usize,
    /// Maximum nesting depth of lists and objects.
    pub nesting: u32,
    /// Maximum number of unreadable rows that are reported individually.
    pub errors: usize,
}

impl ImportTool {
    /// Returns the tool's name, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Scubagear => "ScubaGear",
            Self::Scubagoggles => "ScubaGoggles",
            Self::Prowler => "Prowler",
            Self::Maester => "Maester",
            Self::Watchpost => "Watchpost",
            Self::Ocsf => "OCSF",
        }
    }
}

impl ImportLimits {
    /// Limits on a file that the operator imports at the machine: 1 GiB unpacked.
    pub const FILE: Self = Self {
        bytes: 1 << 30,
        document_bytes: 128 << 20,
        row_bytes: 4 << 20,
        archive_bytes: 64 << 20,
        archive_entries: 1_000,
        expansion: 250,
        rows: 200_000,
        batches: 100,
        nesting: 64,
        errors: 100,
    };
    /// Limits on a file that arrives over the network: 64 MiB unpacked.
    pub const NETWORK: Self = Self {
        bytes: 64 << 20,
        document_bytes: 64 << 20,
        ..Self::FILE
    };
}

/// One batch of a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedBatch {
    /// The header.
    pub header: ImportBatchHeader,
    /// The numbers of rows.
    pub counts: ImportCounts,
    /// The number of settings in the batch.
    pub settings: u64,
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// SHA-256 of the file as read, packed or not, as 64 hexadecimal digits.
    pub sha256: String,
    /// The size of the file as read, in bytes.
    pub bytes: u64,
    /// The batches, in the order in which they began.
    pub batches: Vec<ImportedBatch>,
    /// Files in an archive that were ignored, with their name and the reason; at most 100.
    pub ignored: Vec<(ForeignText, String)>,
}

/// The receiver of a file that is read. Batches are numbered from 0. Several may be open at once, and all end
/// with the file.
pub trait ImportSink {
    /// Receives the beginning of a batch.
    ///
    /// # Errors
    /// [`ImportError::Sink`] stops reading.
    fn begin_batch(&mut self, batch: usize, header: &ImportBatchHeader) -> Result<(), ImportError>;
    /// Receives a row of a batch.
    ///
    /// # Errors
    /// [`ImportError::Sink`] stops reading.
    fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError>;
    /// Receives the tenant's settings as the checks evaluate them, with the exemptions that the tool's operator
    /// configured.
    ///
    /// # Errors
    /// [`ImportError::Sink`] stops reading.
    fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError>;
    /// Receives the end of a batch. A sink must discard everything it received unless the whole file is read
    /// without an error.
    ///
    /// # Errors
    /// [`ImportError::Sink`] stops reading.
    fn end_batch(&mut self, batch: usize, counts: &ImportCounts) -> Result<(), ImportError>;
}

/// The errors of importing a file. The texts are for the operator and quote nothing from the file except names of
/// keys.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error("the file can't be read: check that it exists and that you have permission to read it")]
    Read(#[source] std::io::Error),
    /// The file is empty.
    #[error("the file contains no results: check that the tool's run has ended, then import its result file")]
    Empty,
    /// The format isn't known.
    #[error(
        "unknown format: {seen}; the supported formats are ScubaGear and ScubaGoggles (ScubaResults, ProviderSettingsExport, TestResults), Prowler (json-ocsf), other OCSF findings, and Maester (JSON)"
    )]
    UnknownFormat {
        /// The content of the file instead: the keys at the top level, or its first characters.
        seen: String,
    },
    /// The format is known but not supported.
    #[error("{format} is not supported: {next}")]
    Unsupported {
        /// The name of the format.
        format: &'static str,
        /// The suggested next step.
        next: &'static str,
    },
    /// The file isn't JSON, or is damaged.
    #[error(
        "the file is not valid JSON at byte {byte}{}: copy the file from the machine that wrote it; if the error is in that file too, report it to the makers of the tool", at_row(*row)
    )]
    Damaged {
        /// The position in the unpacked text, from 0.
        byte: u64,
        /// The row, from 0, if the file has rows.
        row: Option<u64>,
    },
    /// The file ends in the middle of a value.
    #[error(
        "the file ends too early, at byte {byte}{}: copy it again, or let the tool finish, and import the whole file", at_row(*row)
    )]
    Truncated {
        /// The position in the unpacked text, from 0.
        byte: u64,
        /// The row, from 0, if the file has rows.
        row: Option<u64>,
    },
    /// The archive is damaged.
    #[error("the {kind} file is damaged: unpack it yourself and import its contents")]
    DamagedArchive {
        /// `gzip` or `zip`.
        kind: &'static str,
    },
    /// The file is neither UTF-8 nor UTF-16.
    #[error("the file is neither UTF-8 nor UTF-16 text, at byte {byte}: save it as UTF-8")]
    Encoding {
        /// The position in the unpacked text, from 0.
        byte: u64,
    },
    /// The file is too large.
    #[error("the file has more than {limit} bytes once unpacked: split it and import the parts")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A row is too large.
    #[error("row {row} has more than {limit} bytes: remove it and import the other rows")]
    RowTooLarge {
        /// The row, from 0.
        row: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file expands to so many bytes that it is probably a decompression bomb.
    #[error(
        "the packed file unpacks to far more than such files do: unpack it yourself if you trust it, and import its contents"
    )]
    Bomb,
    /// The file has too many rows.
    #[error("the file has more than {limit} rows: split it and import the parts")]
    TooManyRows {
        /// The limit.
        limit: u64,
    },
    /// The file has too many tenants.
    #[error("the file has results of more than {limit} tenants: split it and import the parts")]
    TooManyTenants {
        /// The limit.
        limit: usize,
    },
    /// The archive has too many files.
    #[error("the archive has more than {limit} files: import the result files one by one")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// The file is nested too deeply.
    #[error(
        "the file nests lists and objects more than {limit} levels deep, at byte {byte}: result files of supported tools don't; check where the file comes from"
    )]
    TooDeep {
        /// The limit.
        limit: u32,
        /// The position in the unpacked text, from 0.
        byte: u64,
    },
    /// A key occurs twice at the top level of a document.
    #[error("the file contains the key `{key}` twice, so that its value is ambiguous: remove one of them")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// No row could be read.
    #[error(
        "none of {rows} rows could be read, the first because {first}: export the file again with a current version of the tool"
    )]
    NoGoodRow {
        /// The number of rows in the file.
        rows: u64,
        /// The problem with the first row.
        first: String,
    },
    /// The receiver of the rows failed.
    #[error("the results can't be stored")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn at_row(row: Option<u64>) -> String {
    row.map_or_else(String::new, |row| format!(" (row {row})"))
}

/// Returns the fingerprint of a row: a hash over the tool and the parts that identify the control and entity.
pub fn fingerprint(tool: ImportTool, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&tool.as_str()).chain(parts) {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_the_boundaries_of_parts() {
        let one = fingerprint(ImportTool::Prowler, &["ab", "c"]);
        assert_eq!(one.len(), 32);
        assert_eq!(one, fingerprint(ImportTool::Prowler, &["ab", "c"]));
        assert_ne!(one, fingerprint(ImportTool::Prowler, &["a", "bc"]));
        assert_ne!(one, fingerprint(ImportTool::Ocsf, &["ab", "c"]));
    }

    #[test]
    fn an_error_contains_the_position_and_the_next_step() {
        let error = ImportError::Truncated {
            byte: 17,
            row: Some(3),
        };
        assert_eq!(
            error.to_string(),
            "the file ends too early, at byte 17 (row 3): copy it again, or let the tool finish, and import the whole file"
        );
    }
}
