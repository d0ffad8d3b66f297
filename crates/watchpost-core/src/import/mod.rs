//! Imports: what other scanners found, beside our own verdicts and never over them.
//!
//! A file gives batches, one per tool and tenant; a batch has rows (one verdict each) and perhaps settings. Reading a
//! file is the work of an adapter, which hands everything to an [`ImportSink`] as it goes, so that a large file needs
//! little memory. Here are only the shapes, and [`check_of`], which knows other scanners' names for our checks.

mod alias;
mod disagree;
mod feed;
mod store;
mod tally;
mod target;

pub use alias::{check_of, scuba_key};
pub use disagree::{Difference, Disagreement, OurVerdict, disagreements};
pub use feed::{ImportFeed, ImportStep};
pub use store::{
    ABANDONED_AFTER_MS, Batch, BatchPage, BatchQuery, DETAILS_CHARS_MAX, ImportPermit, ImportStore,
    ImportedFile, ImportedPage, ImportedQuery, ImportedResult, ImportedVerdict, KeepImport, KeepOutcome,
    NewBatch,
};
pub use tally::{CheckVerdict, ResultCounts, Tally};
pub use target::{BatchTarget, ImportRefusal, targets};

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
    /// Who wrote a file.
    ImportTool {
        /// CISA's scanner of Microsoft 365.
        Scubagear = "scubagear",
        /// Its sibling for Google Workspace.
        Scubagoggles = "scubagoggles",
        /// Prowler.
        Prowler = "prowler",
        /// Maester.
        Maester = "maester",
        /// Watchpost itself: an export read back.
        Watchpost = "watchpost",
        /// Any other tool that writes OCSF findings.
        Ocsf = "ocsf",
    }
    /// Why a tool's verdict isn't to be held against anybody.
    ExceptionKind {
        /// The policy was left out on purpose.
        Omitted = "omitted",
        /// The operator says that the verdict is wrong.
        FalsePositive = "false_positive",
        /// Muted in the tool.
        Suppressed = "suppressed",
    }
    /// The form of a file.
    ImportFormat {
        /// `ScubaResults` of ScubaGear or ScubaGoggles, or one product's report of it.
        ScubaResults = "scuba_results",
        /// `ProviderSettingsExport` of ScubaGear: settings, no verdicts.
        ProviderSettings = "provider_settings",
        /// `TestResults` of ScubaGear or ScubaGoggles.
        ScubaTests = "scuba_tests",
        /// OCSF findings, as an array or one a line.
        Ocsf = "ocsf",
        /// Maester's results, of one tenant or several.
        Maester = "maester",
    }
}

/// The head of a batch: one tool's run on one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBatchHeader {
    /// The form of the file that it is from.
    pub format: ImportFormat,
    /// Who wrote it.
    pub tool: ImportTool,
    /// The tool's version, as it says; empty if unknown.
    pub tool_version: ForeignText,
    /// The vendor's id of the tenant or account, at most 200 printable characters; empty if the file doesn't say.
    pub tenant_key: String,
    /// The tenant's name; empty if unknown.
    pub tenant_name: ForeignText,
    /// When the tool ran.
    pub ran_at: Option<Timestamp>,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEntity {
    /// What kind of thing, in lower case: `tenant`, `user`, `app`, …; `other` if the file doesn't say.
    pub kind: String,
    /// The vendor's id, at most 500 printable characters.
    pub id: String,
    /// Its name.
    pub name: ForeignText,
}

/// A verdict that the operator of the tool has put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedException {
    /// Why.
    pub kind: ExceptionKind,
    /// In the operator's words; empty if they gave none.
    pub reason: ForeignText,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// One verdict of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// The tool's id of the control, as in the file; at most 200 printable characters.
    pub control: String,
    /// Our check about the same control. It need not have the same condition.
    pub check: Option<String>,
    /// The control's title in the tool's words.
    pub title: ForeignText,
    /// What the tool found.
    pub result: CheckResult,
    /// Why it didn't judge; `Some` exactly for [`CheckResult::Skipped`].
    pub skip: Option<SkipReason>,
    /// How bad a failure is: the tool's word, else our check's, else a guess from the tool's wording.
    pub severity: Severity,
    /// The service that it judges.
    pub service: Service,
    /// What was seen; at most 8 KiB of plain text.
    pub details: ForeignText,
    /// What it is about; `None` if the file doesn't say.
    pub entity: Option<ImportedEntity>,
    /// Ids in frameworks that the tool names, at most 100.
    pub frameworks: Vec<FrameworkId>,
    /// Whether the operator has put the verdict aside.
    pub exception: Option<ImportedException>,
    /// The same control of the same thing in another run of the same tool has the same one: 32 hexadecimal digits.
    pub fingerprint: String,
}

/// A row that couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Its position in the file, from 0.
    pub index: u64,
    /// What was wrong with it, without any of its own text.
    pub reason: String,
}

/// How a batch went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Rows in the file; the sum of the other three.
    pub rows: u64,
    /// Rows handed out.
    pub rows_ok: u64,
    /// Rows that couldn't be read.
    pub rows_skipped: u64,
    /// Rows of tests that the tool didn't run.
    pub rows_not_run: u64,
    /// Whether the file says, or looks, as if rows were missing at its end.
    pub partial: bool,
    /// The first of the rows that couldn't be read, at most [`ImportLimits::errors`].
    pub errors: Vec<RowError>,
}

/// How much of a foreign file is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Bytes of the file once unpacked.
    pub bytes: u64,
    /// Bytes of one document that can only be read as a whole (everything but arrays and lines of rows).
    pub document_bytes: u64,
    /// Bytes of one row.
    pub row_bytes: u64,
    /// Bytes of a zip file, which is held in memory.
    pub archive_bytes: u64,
    /// Files in a zip file.
    pub archive_entries: usize,
    /// Bytes that one byte of a packed file may become on average, once it has become a mebibyte.
    pub expansion: u64,
    /// Rows.
    pub rows: u64,
    /// Tenants in one file.
    pub batches: usize,
    /// Lists and objects within each other.
    pub nesting: u32,
    /// Unreadable rows that are told one by one.
    pub errors: usize,
}

impl ImportTool {
    /// Its name, for people.
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
    /// For a file that the operator gives at the machine: 1 GiB unpacked.
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
    /// For a file that arrives over the network: 64 MiB unpacked.
    pub const NETWORK: Self = Self {
        bytes: 64 << 20,
        document_bytes: 64 << 20,
        ..Self::FILE
    };
}

/// One batch of a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedBatch {
    /// Its head.
    pub header: ImportBatchHeader,
    /// Its counts.
    pub counts: ImportCounts,
    /// Settings that came with it.
    pub settings: u64,
}

/// What reading a file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// SHA-256 of the file as it was read, packed or not; 64 hexadecimal digits.
    pub sha256: String,
    /// Bytes of the file as it was read.
    pub bytes: u64,
    /// The batches in the order in which they began.
    pub batches: Vec<ImportedBatch>,
    /// Files of an archive that were left alone, at most 100: their name and why.
    pub ignored: Vec<(ForeignText, String)>,
}

/// Where a read file goes. Batches are numbered from 0; several may be open at once, and all end when the file does.
pub trait ImportSink {
    /// A batch begins.
    ///
    /// # Errors
    /// [`ImportError::Sink`] stops the reading; so do the others' errors.
    fn begin_batch(&mut self, batch: usize, header: &ImportBatchHeader) -> Result<(), ImportError>;
    /// A row of it.
    ///
    /// # Errors
    /// [`ImportError::Sink`].
    fn row(&mut self, batch: usize, row: ImportedRow) -> Result<(), ImportError>;
    /// The tenant's settings, as checks judge them, with what the operator of the tool exempted.
    ///
    /// # Errors
    /// [`ImportError::Sink`].
    fn settings(&mut self, batch: usize, document: CheckDocument) -> Result<(), ImportError>;
    /// The batch ends. What a sink has taken in counts only once the whole file was read without an error.
    ///
    /// # Errors
    /// [`ImportError::Sink`].
    fn end_batch(&mut self, batch: usize, counts: &ImportCounts) -> Result<(), ImportError>;
}

/// Why a file was not taken in. The texts are for the operator and hold nothing of the file but names of keys.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file couldn't be read.
    #[error("the file can't be read: check that it is there and that you may read it")]
    Read(#[source] std::io::Error),
    /// Nothing in it.
    #[error("the file holds no results: check that the tool's run had ended, then import its result file")]
    Empty,
    /// A form that isn't known.
    #[error(
        "unknown format: {seen}; supported are ScubaGear and ScubaGoggles (ScubaResults, ProviderSettingsExport, TestResults), Prowler (json-ocsf), other OCSF findings, and Maester (JSON)"
    )]
    UnknownFormat {
        /// What was seen instead: the keys at the top, or what else the file begins with.
        seen: String,
    },
    /// A form that is known and not read.
    #[error("{format} is not supported: {next}")]
    Unsupported {
        /// Its name.
        format: &'static str,
        /// What to do instead.
        next: &'static str,
    },
    /// Not JSON, or damaged.
    #[error("the file is not valid JSON at byte {byte}{}: export it again", at_row(*row))]
    Damaged {
        /// Where, in the unpacked text, from 0.
        byte: u64,
        /// In which row, from 0, where the file has rows.
        row: Option<u64>,
    },
    /// It ends in the middle.
    #[error(
        "the file ends too early, at byte {byte}{}: copy it again, or let the tool finish, and import the whole file", at_row(*row)
    )]
    Truncated {
        /// Where, in the unpacked text, from 0.
        byte: u64,
        /// In which row, from 0, where the file has rows.
        row: Option<u64>,
    },
    /// The packing is damaged.
    #[error("the {kind} file is damaged: unpack it yourself and import what it holds")]
    DamagedArchive {
        /// `gzip` or `zip`.
        kind: &'static str,
    },
    /// Neither UTF-8 nor UTF-16.
    #[error("the file is neither UTF-8 nor UTF-16 text, at byte {byte}: save it as UTF-8")]
    Encoding {
        /// Where, in the unpacked text, from 0.
        byte: u64,
    },
    /// Too large.
    #[error("the file has more than {limit} bytes once unpacked: split it and import the parts")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// One row is too large.
    #[error("row {row} has more than {limit} bytes: leave it out and import the rest")]
    RowTooLarge {
        /// Position of the row, from 0.
        row: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Packed so well that it can only be meant to harm.
    #[error(
        "the packed file unpacks to far more than such files do: unpack it yourself if you trust it, and import what it holds"
    )]
    Bomb,
    /// Too many rows.
    #[error("the file has more than {limit} rows: split it and import the parts")]
    TooManyRows {
        /// Rows allowed.
        limit: u64,
    },
    /// Too many tenants.
    #[error("the file has results of more than {limit} tenants: split it and import the parts")]
    TooManyTenants {
        /// Tenants allowed.
        limit: usize,
    },
    /// Too many files in an archive.
    #[error("the archive has more than {limit} files: import the result files one by one")]
    TooManyEntries {
        /// Files allowed.
        limit: usize,
    },
    /// Nested too deep.
    #[error(
        "the file has more than {limit} lists and objects within each other, at byte {byte}: no result file of a supported tool has; check where it is from"
    )]
    TooDeep {
        /// Levels allowed.
        limit: u32,
        /// Where, in the unpacked text, from 0.
        byte: u64,
    },
    /// A key occurs twice at the top of a document.
    #[error("the file has the key `{key}` twice: it can't be told which counts; export it again")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Not one row could be read.
    #[error(
        "none of {rows} rows could be read, the first because {first}: export the file again with a current version of the tool"
    )]
    NoGoodRow {
        /// Rows in the file.
        rows: u64,
        /// What was wrong with the first.
        first: String,
    },
    /// Whoever takes the rows failed.
    #[error("what was read can't be kept")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn at_row(row: Option<u64>) -> String {
    row.map_or_else(String::new, |row| format!(" (row {row})"))
}

/// The fingerprint of a row: the tool and the parts that identify what it judged.
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
    fn fingerprints_tell_parts_apart() {
        let one = fingerprint(ImportTool::Prowler, &["ab", "c"]);
        assert_eq!(one.len(), 32);
        assert_eq!(one, fingerprint(ImportTool::Prowler, &["ab", "c"]));
        assert_ne!(one, fingerprint(ImportTool::Prowler, &["a", "bc"]));
        assert_ne!(one, fingerprint(ImportTool::Ocsf, &["ab", "c"]));
    }

    #[test]
    fn an_error_says_where_and_what_to_do() {
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
