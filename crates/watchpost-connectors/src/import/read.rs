//! Reading a result file: decompressing it, detecting its format, and passing on its rows.

use super::{
    batches::Batches,
    detect::{self, Content, Format, Rows},
    document::Document,
    maester, ocsf,
    scubagear::results,
    source::{HashingReader, InputDigest, UnpackingReader, decoded, import_error, peek},
    split::{Flaw, Next, Piece, Splitter},
};
use crate::text::import as text;
use std::{
    cell::RefCell,
    io::{Cursor, Read},
    rc::Rc,
};
use watchpost_core::{
    check::Check,
    import::{ImportBatchHeader, ImportError, ImportLimits, ImportReport, ImportSink},
    value::text::ForeignText,
};

/// The maximum number of ignored files of an archive that are reported.
const IGNORED_MAX: usize = 100;

/// Reads a result file and passes its batches to `sink` while reading. `checks` is our catalog of checks, with their names
/// in other tools.
///
/// The file may be compressed with gzip or be a zip archive. Text is UTF-8 or, with a byte order mark, UTF-16. In an
/// archive, files that aren't result files are ignored; if it contains ScubaGear's results, the raw tests, reports and
/// settings of the same run are ignored as well.
///
/// # Errors
/// Returns an error if the file can't be read. The data that the sink has received must then be discarded.
pub fn read(
    source: impl Read,
    limits: &ImportLimits,
    checks: &[Check],
    sink: &mut dyn ImportSink,
) -> Result<ImportReport, ImportError> {
    let digest = InputDigest::new();
    let hashing = HashingReader {
        inner: source,
        digest: Rc::clone(&digest),
    };
    let (magic, mut input) = peek(hashing, 4).map_err(import_error)?;
    let mut batches = Batches::new(sink, checks, *limits);
    let mut ignored = Vec::new();
    let unpacked = Rc::new(RefCell::new(0));
    match magic.as_slice() {
        [b'P', b'K', 3, 4] => {
            let packed = whole_archive(input.by_ref(), limits)?;
            ignored = read_archive(&packed, &unpacked, &mut batches)?;
        }
        [0x1f, 0x8b, ..] => {
            let count = Rc::clone(&digest);
            read_file(
                UnpackingReader {
                    inner: flate2::read::MultiGzDecoder::new(input.by_ref()),
                    packing: Some("gzip"),
                    packed: Box::new(move || count.borrow().bytes),
                    bytes: unpacked,
                    limits: *limits,
                },
                &mut batches,
            )?;
        }
        _ => read_file(
            UnpackingReader {
                inner: input.by_ref(),
                packing: None,
                packed: Box::new(|| 0),
                bytes: unpacked,
                limits: *limits,
            },
            &mut batches,
        )?,
    }
    // The hash and the size include the rest of the file, which the reader didn't need.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(import_error)?;
    let batches = batches.finish()?;
    let digest = digest.borrow();
    Ok(ImportReport {
        sha256: digest.sha256(),
        bytes: digest.bytes,
        batches,
        ignored,
    })
}

/// Reads a zip archive into memory, because its directory is at its end.
fn whole_archive(input: impl Read, limits: &ImportLimits) -> Result<Vec<u8>, ImportError> {
    let mut packed = Vec::new();
    input
        .take(limits.archive_bytes.saturating_add(1))
        .read_to_end(&mut packed)
        .map_err(import_error)?;
    if packed.len() as u64 > limits.archive_bytes {
        return Err(ImportError::TooLarge {
            limit: limits.archive_bytes,
        });
    }
    Ok(packed)
}

const DAMAGED_ZIP: ImportError = ImportError::DamagedArchive { kind: "zip" };

type Archive<'p> = zip::ZipArchive<Cursor<&'p [u8]>>;

fn entry<'a>(
    archive: &'a mut Archive<'_>,
    at: usize,
    unpacked: &Rc<RefCell<u64>>,
    limits: &ImportLimits,
) -> Result<UnpackingReader<impl Read + 'a>, ImportError> {
    let file = archive.by_index(at).map_err(|_| DAMAGED_ZIP)?;
    let packed = file.compressed_size();
    // The bytes from earlier files count with the share of the archive that they may have come from.
    let before = *unpacked.borrow();
    let share = before
        .checked_div(limits.expansion)
        .unwrap_or(0)
        .saturating_add(packed);
    Ok(UnpackingReader {
        inner: file,
        packing: Some("zip"),
        packed: Box::new(move || share),
        bytes: Rc::clone(unpacked),
        limits: *limits,
    })
}

/// Returns the index and the name of each file in an archive.
fn files(archive: &mut Archive<'_>) -> Result<Vec<(usize, ForeignText)>, ImportError> {
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index_raw(at).map_err(|_| DAMAGED_ZIP)?;
        if file.is_file() {
            let name = file.name().map_err(|_| DAMAGED_ZIP)?;
            files.push((at, ForeignText::name(&name)));
        }
    }
    Ok(files)
}

/// Reads the result files of an archive. Returns the names of the ignored files, each with the reason.
fn read_archive(
    packed: &[u8],
    unpacked: &Rc<RefCell<u64>>,
    batches: &mut Batches<'_>,
) -> Result<Vec<(ForeignText, String)>, ImportError> {
    let limits = batches.limits;
    let mut archive = zip::ZipArchive::new(Cursor::new(packed)).map_err(|_| DAMAGED_ZIP)?;
    if archive.len() > limits.archive_entries {
        return Err(ImportError::TooManyEntries {
            limit: limits.archive_entries,
        });
    }
    let files = files(&mut archive)?;
    let is_only_file = files.len() == 1;
    let mut found = Found::default();
    let detected = Rc::new(RefCell::new(0));
    for (at, name) in files {
        let text = decoded(entry(&mut archive, at, &detected, &limits)?).map_err(import_error)?;
        match detect::content(&mut Splitter::new(text, limits)) {
            Ok(content) => found.add(at, name, &content),
            Err(error) if is_only_file || concerns_archive(&error) => return Err(error),
            Err(error) => found.ignore(name, error),
        }
    }
    batches.run = found.run();
    let mut read_any = false;
    for (at, name, format) in found.in_order() {
        if found.is_repeated(format) {
            found.ignore_for(name, text::REPEATED_FILE.to_owned());
            continue;
        }
        read_any = true;
        read_file(entry(&mut archive, at, unpacked, &limits)?, batches)?;
        // The reports on the products of a run are read last and share a batch.
        if format != Format::ScubaReport {
            batches.next_file();
        }
    }
    if read_any {
        if found.damage.is_some() {
            batches.all_partial();
        }
        return Ok(found.ignored);
    }
    match (found.damage, found.ignored.first()) {
        (Some(error), _) => Err(error),
        (None, Some((_, reason))) => Err(ImportError::UnknownFormat {
            seen: text::no_result_file(reason),
        }),
        (None, None) => Ok(found.ignored),
    }
}

/// Whether an error in one file of an archive concerns the whole archive: its limits, its format, or the reader.
const fn concerns_archive(error: &ImportError) -> bool {
    !matches!(
        error,
        ImportError::UnknownFormat { .. }
            | ImportError::Unsupported { .. }
            | ImportError::Empty
            | ImportError::Damaged { .. }
            | ImportError::Truncated { .. }
            | ImportError::Encoding { .. }
            | ImportError::DuplicateKey { .. }
    )
}

/// The files of an archive.
#[derive(Default)]
struct Found {
    files: Vec<(usize, ForeignText, Format)>,
    /// Whether `ScubaResults` contain the settings.
    has_raw: bool,
    /// The runs that settings exports name.
    runs: Vec<ImportBatchHeader>,
    ignored: Vec<(ForeignText, String)>,
    /// The first damaged file's error.
    damage: Option<ImportError>,
}

impl Found {
    fn add(&mut self, at: usize, name: ForeignText, content: &Content) {
        let format = match content {
            Content::Document(text, format) => {
                self.has_raw |= *format == Format::ScubaResults && text.contains("\"Raw\"");
                if *format == Format::ProviderSettings {
                    match results::export_of(text) {
                        Ok((header, _)) => self.runs.push(header),
                        Err(error) => return self.ignore(name, error),
                    }
                }
                *format
            }
            Content::Documents(format) => *format,
            Content::Rows(rows) => Format::Rows(*rows),
        };
        self.files.push((at, name, format));
    }

    /// Returns the run of the only settings export, if it names its tenant.
    fn run(&mut self) -> Option<ImportBatchHeader> {
        let run = self.runs.pop().filter(|_| self.runs.is_empty())?;
        (!run.tenant_key.is_empty()).then_some(run)
    }

    fn ignore(&mut self, name: ForeignText, error: ImportError) {
        self.ignore_for(name, error.to_string());
        let is_damage = !matches!(
            error,
            ImportError::UnknownFormat { .. } | ImportError::Unsupported { .. } | ImportError::Empty
        );
        if is_damage {
            self.damage.get_or_insert(error);
        }
    }

    fn ignore_for(&mut self, name: ForeignText, reason: String) {
        if self.ignored.len() < IGNORED_MAX {
            self.ignored.push((name, reason));
        }
    }

    /// Whether another file of the run contains the same data: the results contain all of it, the reports on the products
    /// what the raw tests have.
    fn is_repeated(&self, format: Format) -> bool {
        let has = |wanted| self.files.iter().any(|(_, _, format)| *format == wanted);
        match format {
            Format::ScubaReport => has(Format::ScubaResults),
            Format::Rows(Rows::ScubaTests) => has(Format::ScubaResults) || has(Format::ScubaReport),
            Format::ProviderSettings => self.has_raw,
            _ => false,
        }
    }

    /// Returns the files in the order in which they are read: the reports on products last.
    fn in_order(&self) -> Vec<(usize, ForeignText, Format)> {
        let mut files = self.files.clone();
        files.sort_by_key(|(_, _, format)| *format == Format::ScubaReport);
        files
    }
}

/// Reads one decompressed file.
fn read_file(input: impl Read, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let mut splitter = Splitter::new(decoded(input).map_err(import_error)?, batches.limits);
    match detect::content(&mut splitter)? {
        Content::Document(text, format) => {
            drop(splitter);
            read_document(&text, format, batches)
        }
        Content::Documents(_) => read_items(&mut splitter, Items::Documents, batches),
        Content::Rows(rows) => read_items(&mut splitter, Items::Rows(rows), batches),
    }
}

fn read_document(text: &str, format: Format, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let document = Document::new(text)?;
    match format {
        Format::ScubaResults | Format::ScubaReport => results::read(&document, batches),
        Format::ProviderSettings => results::read_export(text, batches),
        Format::Maester => maester::read(&document, batches),
        Format::MaesterMerged => maester::read_merged(&document, batches),
        Format::Rows(rows) => read_row(text.as_bytes(), 0, rows, batches),
    }
}

fn read_row(row: &[u8], index: u64, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    match rows {
        Rows::Ocsf => ocsf::read(row, index, batches),
        Rows::ScubaTests => results::read_test(row, index, batches),
    }
}

/// The items of a text that holds several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    Documents,
    Rows(Rows),
}

/// Reads rows or documents one by one. The detection has already read the first one into the splitter. An item that can't be
/// read is counted, and the others are kept.
fn read_items(
    splitter: &mut Splitter<'_>,
    items: Items,
    batches: &mut Batches<'_>,
) -> Result<(), ImportError> {
    let max = match items {
        Items::Documents => batches.limits.document_bytes,
        Items::Rows(_) => batches.limits.row_bytes,
    };
    let mut index = 0_u64;
    for reason in std::mem::take(&mut splitter.unusable) {
        batches.bad_row(None, index, reason.to_owned())?;
        index = index.saturating_add(1);
    }
    let mut next = Next::Row(Piece::Complete);
    loop {
        for (flaw, byte) in splitter.take_flaws() {
            let reason = match flaw {
                Flaw::Glued => text::glued(byte),
                Flaw::Comma => text::comma(byte),
                Flaw::Other => text::other_characters(byte),
            };
            batches.damaged(index, reason);
        }
        match next {
            Next::Row(Piece::Complete) => match items {
                Items::Rows(rows) => read_row(&splitter.row, index, rows, batches)?,
                Items::Documents => read_next_document(&splitter.row, index, batches)?,
            },
            Next::Row(Piece::TooLarge) => batches.bad_row(None, index, text::TOO_LARGE.to_owned())?,
            Next::Row(Piece::TooDeep) => batches.bad_row(None, index, text::TOO_DEEP.to_owned())?,
            Next::Row(Piece::Truncated) => {
                batches.bad_row(None, index, text::file_ends_within(splitter.offset))?;
                batches.partial();
                return Ok(());
            }
            Next::Truncated => {
                batches.partial();
                return Ok(());
            }
            Next::End => return Ok(()),
        }
        index = index.saturating_add(1);
        next = match splitter.next_row(max) {
            // The end of a compressed file is missing.
            Err(ImportError::Truncated { .. }) => Next::Truncated,
            other => other?,
        };
    }
}

/// Reads one of several documents. The reports on the products of one run share a batch; any other document is a run of its
/// own.
fn read_next_document(row: &[u8], index: u64, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let format = std::str::from_utf8(row)
        .map_err(|_| text::UNEXPECTED_TYPES.to_owned())
        .and_then(|text| match detect::document_format(text) {
            Ok(format) => Ok((text, format)),
            Err(error) => Err(error.to_string()),
        });
    match format {
        Err(reason) => batches.bad_row(None, index, reason),
        Ok((text, format)) => {
            if index > 0 && format != Format::ScubaReport {
                batches.next_file();
            }
            read_document(text, format, batches)
        }
    }
}
