//! Reading a result file: decompressing it, detecting its format, and passing on its rows.

use super::{
    batches::Batches,
    detect::{self, Content, Format, Rows},
    document::Document,
    maester, ocsf,
    scubagear::results,
    source::{HashingReader, InputDigest, UnpackingReader, decoded, import_error, peek},
    split::{self, Piece, Splitter},
};
use crate::text::import as text;
use std::{
    cell::RefCell,
    io::{Cursor, Read},
    rc::Rc,
};
use watchpost_core::{
    check::Check,
    import::{ImportError, ImportLimits, ImportReport, ImportSink},
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
    let mut ignored = Vec::new();
    let mut ignore = |name: ForeignText, reason: String| {
        if ignored.len() < IGNORED_MAX {
            ignored.push((name, reason));
        }
    };
    let mut found = Vec::new();
    let detected = Rc::new(RefCell::new(0));
    for (at, name) in files {
        let text = decoded(entry(&mut archive, at, &detected, &limits)?).map_err(import_error)?;
        match detect::content(&mut Splitter::new(text, limits)) {
            Ok(Content::Document(text, format)) => found.push((at, name, format, text.contains("\"Raw\""))),
            Ok(Content::Rows(rows)) => found.push((at, name, Format::Rows(rows), false)),
            Err(
                error @ (ImportError::UnknownFormat { .. }
                | ImportError::Unsupported { .. }
                | ImportError::Empty),
            ) if !is_only_file => {
                ignore(name, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    let results = found
        .iter()
        .any(|(_, _, format, _)| *format == Format::ScubaResults);
    let raw = found
        .iter()
        .any(|(_, _, format, raw)| *format == Format::ScubaResults && *raw);
    let mut read_any = false;
    for (at, name, format, _) in found {
        let is_repeated = match format {
            Format::ScubaReport | Format::Rows(Rows::ScubaTests) => results,
            Format::ProviderSettings => raw,
            _ => false,
        };
        if is_repeated {
            ignore(name, text::REPEATED_FILE.to_owned());
            continue;
        }
        read_any = true;
        read_file(entry(&mut archive, at, unpacked, &limits)?, batches)?;
        batches.next_file();
    }
    if !read_any && let Some((_, reason)) = ignored.first() {
        return Err(ImportError::UnknownFormat {
            seen: text::no_result_file(reason),
        });
    }
    Ok(ignored)
}

/// Reads one decompressed file.
fn read_file(input: impl Read, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let mut splitter = Splitter::new(decoded(input).map_err(import_error)?, batches.limits);
    match detect::content(&mut splitter)? {
        Content::Document(text, format) => {
            drop(splitter);
            read_document(&text, format, batches)
        }
        Content::Rows(rows) => read_rows(&mut splitter, rows, batches),
    }
}

fn read_document(text: &str, format: Format, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let document = Document::new(text)?;
    match format {
        Format::ScubaResults | Format::ScubaReport => results::read(&document, batches),
        Format::ProviderSettings => results::read_export(text, batches),
        Format::Maester => {
            if !document.has("EndOfJson") {
                batches.partial();
            }
            maester::read(&document, batches)
        }
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

/// Reads rows one by one. The detection has already read the first one into the splitter.
fn read_rows(splitter: &mut Splitter<'_>, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let first = splitter.first_index();
    for index in 0..first {
        batches.bad_row(None, index, text::NOT_AN_OBJECT.to_owned())?;
    }
    let mut index = first;
    let mut piece = Piece::Complete;
    loop {
        if piece == Piece::Truncated {
            return truncated(splitter.offset, Some(index), rows, batches);
        }
        read_row(&splitter.row, index, rows, batches)?;
        index = index.saturating_add(1);
        piece = match splitter.next_row(index)? {
            split::Next::Row(piece) => piece,
            split::Next::End => return Ok(()),
            split::Next::Truncated => return truncated(splitter.offset, None, rows, batches),
            split::Next::Invalid => {
                return Err(ImportError::Damaged {
                    byte: splitter.offset,
                    row: Some(index),
                });
            }
        };
    }
}

/// Handles a file whose end is missing: within `row`, or after a row.
fn truncated(byte: u64, row: Option<u64>, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    if rows != Rows::Ocsf {
        return Err(ImportError::Truncated { byte, row });
    }
    if let Some(index) = row {
        batches.bad_row(None, index, text::file_ends_within(byte))?;
    }
    batches.partial();
    Ok(())
}
