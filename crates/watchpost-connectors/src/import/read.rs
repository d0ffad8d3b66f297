//! Reading a result file: unpacking it, telling its form, handing its rows on.

use super::{
    batches::Batches,
    detect::{self, Content, Form, Rows},
    document::Document,
    maester, ocsf,
    scubagear::results,
    source::{Hashing, Taken, Unpacked, decoded, from_io, peek},
    split::{self, Piece, Splitter},
};
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

/// Files of an archive that were left alone and are told by name.
const IGNORED_MAX: usize = 100;

/// Reads a result file and hands its batches to `sink` as it goes. `checks` is our catalogue, for the names that other
/// tools have for its checks.
///
/// Plain, gzip and zip files are read, in UTF-8 or, with a byte-order mark, in UTF-16. Of a zip file the result files
/// count and others are left alone; where it holds ScubaGear's results, the raw tests, reports and settings of the
/// same run beside them are left alone too.
///
/// # Errors
/// [`ImportError`]. What the sink was given until then must not be kept.
pub fn read(
    source: impl Read,
    limits: &ImportLimits,
    checks: &[Check],
    sink: &mut dyn ImportSink,
) -> Result<ImportReport, ImportError> {
    let taken = Taken::new();
    let hashing = Hashing {
        inner: source,
        taken: Rc::clone(&taken),
    };
    let (magic, mut input) = peek(hashing, 4).map_err(from_io)?;
    let mut batches = Batches::new(sink, checks, *limits);
    let mut ignored = Vec::new();
    let unpacked = Rc::new(RefCell::new(0));
    match magic.as_slice() {
        [b'P', b'K', 3, 4] => {
            let packed = whole_archive(input.by_ref(), limits)?;
            ignored = read_archive(&packed, &unpacked, &mut batches)?;
        }
        [0x1f, 0x8b, ..] => {
            let count = Rc::clone(&taken);
            read_file(
                Unpacked {
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
            Unpacked {
                inner: input.by_ref(),
                packing: None,
                packed: Box::new(|| 0),
                bytes: unpacked,
                limits: *limits,
            },
            &mut batches,
        )?,
    }
    // Whatever a reader had no need of belongs to the file all the same.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(from_io)?;
    let batches = batches.finish()?;
    let taken = taken.borrow();
    Ok(ImportReport {
        sha256: taken.sha256(),
        bytes: taken.bytes,
        batches,
        ignored,
    })
}

/// A zip file's directory is at its end: it is held in memory.
fn whole_archive(input: impl Read, limits: &ImportLimits) -> Result<Vec<u8>, ImportError> {
    let mut packed = Vec::new();
    input
        .take(limits.archive_bytes.saturating_add(1))
        .read_to_end(&mut packed)
        .map_err(from_io)?;
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
) -> Result<Unpacked<impl Read + 'a>, ImportError> {
    let file = archive.by_index(at).map_err(|_| DAMAGED_ZIP)?;
    let packed = file.compressed_size();
    // What came out of former files has its own share of the archive.
    let before = *unpacked.borrow();
    let share = before
        .checked_div(limits.expansion)
        .unwrap_or(0)
        .saturating_add(packed);
    Ok(Unpacked {
        inner: file,
        packing: Some("zip"),
        packed: Box::new(move || share),
        bytes: Rc::clone(unpacked),
        limits: *limits,
    })
}

/// Reads the result files of an archive; gives the names of the others and why they were left alone.
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
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let file = archive.by_index_raw(at).map_err(|_| DAMAGED_ZIP)?;
        if file.is_file() {
            let name = file.name().map_err(|_| DAMAGED_ZIP)?;
            files.push((at, ForeignText::name(&name)));
        }
    }
    let alone = files.len() == 1;
    let mut ignored = Vec::new();
    let mut ignore = |name: ForeignText, reason: String| {
        if ignored.len() < IGNORED_MAX {
            ignored.push((name, reason));
        }
    };
    let mut found = Vec::new();
    let looked = Rc::new(RefCell::new(0));
    for (at, name) in files {
        let text = decoded(entry(&mut archive, at, &looked, &limits)?).map_err(from_io)?;
        match detect::content(&mut Splitter::new(text, limits)) {
            Ok(Content::Document(text, form)) => found.push((at, name, form, text.contains("\"Raw\""))),
            Ok(Content::Rows(rows)) => found.push((at, name, Form::Rows(rows), false)),
            Err(
                error @ (ImportError::UnknownFormat { .. }
                | ImportError::Unsupported { .. }
                | ImportError::Empty),
            ) if !alone => {
                ignore(name, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    let results = found.iter().any(|(_, _, form, _)| *form == Form::ScubaResults);
    let raw = found
        .iter()
        .any(|(_, _, form, raw)| *form == Form::ScubaResults && *raw);
    let mut read_any = false;
    for (at, name, form, _) in found {
        let repeats = match form {
            Form::ScubaReport | Form::Rows(Rows::ScubaTests) => results,
            Form::ProviderSettings => raw,
            _ => false,
        };
        if repeats {
            ignore(name, "the results beside it say the same".to_owned());
            continue;
        }
        read_any = true;
        read_file(entry(&mut archive, at, unpacked, &limits)?, batches)?;
        batches.next_file();
    }
    if !read_any && let Some((_, reason)) = ignored.first() {
        return Err(ImportError::UnknownFormat {
            seen: format!("no file of the archive is a result file (the first: {reason})"),
        });
    }
    Ok(ignored)
}

/// Reads one file's text.
fn read_file(input: impl Read, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let mut splitter = Splitter::new(decoded(input).map_err(from_io)?, batches.limits);
    match detect::content(&mut splitter)? {
        Content::Document(text, form) => {
            drop(splitter);
            read_document(&text, form, batches)
        }
        Content::Rows(rows) => read_rows(&mut splitter, rows, batches),
    }
}

fn read_document(text: &str, form: Form, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let document = Document::new(text)?;
    match form {
        Form::ScubaResults | Form::ScubaReport => results::read(&document, batches),
        Form::ProviderSettings => results::read_export(text, batches),
        Form::Maester => {
            if !document.has("EndOfJson") {
                batches.partial();
            }
            maester::read(&document, batches)
        }
        Form::MaesterMerged => maester::read_merged(&document, batches),
        Form::Rows(rows) => read_row(text.as_bytes(), 0, rows, batches),
    }
}

fn read_row(row: &[u8], index: u64, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    match rows {
        Rows::Ocsf => ocsf::read(row, index, batches),
        Rows::ScubaTests => results::read_test(row, index, batches),
    }
}

/// Reads rows one by one. The detection has taken the first, which lies in the splitter.
fn read_rows(splitter: &mut Splitter<'_>, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let first = splitter.first_index();
    for index in 0..first {
        batches.bad_row(None, index, "it is not an object".to_owned())?;
    }
    let mut index = first;
    let mut piece = Piece::Whole;
    loop {
        if piece == Piece::Cut {
            return cut(splitter.offset, Some(index), rows, batches);
        }
        read_row(&splitter.row, index, rows, batches)?;
        index = index.saturating_add(1);
        piece = match splitter.next_row(index)? {
            split::Next::Row(piece) => piece,
            split::Next::End => return Ok(()),
            split::Next::NoEnd => return cut(splitter.offset, None, rows, batches),
            split::Next::Garbage => {
                return Err(ImportError::Damaged {
                    byte: splitter.offset,
                    row: Some(index),
                });
            }
        };
    }
}

/// The end is missing: within a row, or behind one.
fn cut(byte: u64, row: Option<u64>, rows: Rows, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    if rows != Rows::Ocsf {
        return Err(ImportError::Truncated { byte, row });
    }
    if let Some(index) = row {
        batches.bad_row(None, index, format!("the file ends within it, at byte {byte}"))?;
    }
    batches.partial();
    Ok(())
}
