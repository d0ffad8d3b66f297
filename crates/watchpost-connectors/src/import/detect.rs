//! Detection of a file's format by its content.

use super::{
    document::Document,
    maester, sanitize,
    scubagear::results,
    split::{Next, Piece, Splitter},
};
use crate::text::import as text;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use watchpost_core::import::ImportError;

/// The maximum number of rows before the first object.
const BAD_ROWS_MAX: u64 = 100;
/// The maximum number of keys that an error lists.
const KEYS_MAX: usize = 12;

/// A format that is read row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// OCSF findings.
    Ocsf,
    /// The raw tests of ScubaGear or ScubaGoggles.
    ScubaTests,
}

/// A format that is read as one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The results of ScubaGear or ScubaGoggles.
    ScubaResults,
    /// The part of such results that covers one product.
    ScubaReport,
    /// A provider settings export.
    ProviderSettings,
    /// Maester's results for one tenant.
    Maester,
    /// Maester's merged results for several tenants.
    MaesterMerged,
    /// A single row.
    Rows(Rows),
}

/// The content of a file.
pub(super) enum Content {
    /// One document.
    Document(String, Format),
    /// Documents in a list or one after another. The splitter holds the first one.
    Documents(Format),
    /// Rows. The splitter holds the first one.
    Rows(Rows),
}

/// Detects the content of a file.
pub(super) fn content(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    match splitter.peek()? {
        None => Err(ImportError::Empty),
        Some(b'[') => list(splitter),
        Some(b'{') => object(splitter),
        Some(byte) => Err(ImportError::UnknownFormat {
            seen: match byte {
                b'<' => text::HTML_OR_XML,
                b'%' => text::PDF_OR_BINARY,
                0x20..0x7f => text::OTHER_TEXT,
                _ => text::NOT_TEXT,
            }
            .to_owned(),
        }),
    }
}

/// Detects the format of a list by the first object in a known format.
fn list(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    splitter.begin_list();
    let limits = *splitter.limits();
    let mut first_error = None;
    for index in 0..BAD_ROWS_MAX {
        let unusable = match splitter.next_row(limits.document_bytes)? {
            Next::End if index == 0 => return Err(ImportError::Empty),
            Next::End => break,
            Next::Row(Piece::Truncated) | Next::Truncated => {
                return Err(first_error.unwrap_or(ImportError::Truncated {
                    byte: splitter.offset,
                    row: Some(index),
                }));
            }
            Next::Row(Piece::TooDeep) => {
                first_error.get_or_insert_with(|| splitter.too_deep());
                text::TOO_DEEP
            }
            Next::Row(Piece::TooLarge) => {
                first_error.get_or_insert(ImportError::TooLarge {
                    limit: limits.document_bytes,
                });
                text::TOO_LARGE
            }
            Next::Row(Piece::Complete) => match keys(&splitter.row) {
                None => text::NOT_AN_OBJECT,
                Some(keys) => {
                    if let Some(rows) = rows(&keys) {
                        if splitter.row.len() as u64 <= limits.row_bytes {
                            return Ok(Content::Rows(rows));
                        }
                        first_error.get_or_insert(ImportError::RowTooLarge {
                            row: index,
                            limit: limits.row_bytes,
                        });
                        text::TOO_LARGE
                    } else {
                        let document = std::str::from_utf8(&splitter.row).ok();
                        if let Some(Ok(format)) = document.map(document_format) {
                            return Ok(Content::Documents(format));
                        }
                        first_error.get_or_insert_with(|| ImportError::UnknownFormat {
                            seen: text::unknown_list(&listed(&keys)),
                        });
                        text::UNEXPECTED_TYPES
                    }
                }
            },
        };
        splitter.unusable.push(unusable);
    }
    Err(first_error.unwrap_or_else(|| ImportError::UnknownFormat {
        seen: text::LIST_WITHOUT_OBJECTS.to_owned(),
    }))
}

/// Detects the format of an object, which is a document or the first of several objects.
fn object(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    let limit = splitter.limits().document_bytes;
    let piece = splitter.value(0, limit)?;
    let lines = !splitter.row.contains(&b'\n');
    match piece {
        Piece::Complete => {}
        Piece::TooLarge => return Err(ImportError::TooLarge { limit }),
        Piece::TooDeep => return Err(splitter.too_deep()),
        Piece::Truncated => {
            let document = std::str::from_utf8(&splitter.row);
            return Err(document.map_or_else(not_utf8, |_| ImportError::Truncated {
                // If a string isn't terminated, the offset is that of the end of the file.
                byte: splitter.offset,
                row: None,
            }));
        }
    }
    if let Some(keys) = keys(&splitter.row)
        && let Some(rows) = rows(&keys)
    {
        splitter.begin_objects(lines);
        return Ok(Content::Rows(rows));
    }
    let document = std::str::from_utf8(&splitter.row).map_err(not_utf8)?;
    let format = document_format(document);
    let after = splitter.offset;
    match (format, splitter.peek()?) {
        (Ok(format), None) => {
            let document = String::from_utf8(std::mem::take(&mut splitter.row));
            let document = document.map_err(|error| not_utf8(error.utf8_error()))?;
            Ok(Content::Document(document, format))
        }
        (Ok(format), Some(_)) => {
            splitter.begin_objects(false);
            Ok(Content::Documents(format))
        }
        (Err(ImportError::UnknownFormat { .. }), Some(_)) => Err(ImportError::Damaged {
            byte: after,
            row: None,
        }),
        (Err(error), _) => Err(error),
    }
}

const fn not_utf8(error: std::str::Utf8Error) -> ImportError {
    ImportError::Encoding {
        byte: error.valid_up_to() as u64,
    }
}

/// Detects the format of a document.
pub(super) fn document_format(json: &str) -> Result<Format, ImportError> {
    let document = Document::new(json)?;
    let has = |key| document.has(key);
    if has("Results") && results::tool(&document).is_some() {
        return Ok(Format::ScubaResults);
    }
    if has("scuba_config") || (has("conditional_access_policies") && has("module_version")) {
        return Ok(Format::ProviderSettings);
    }
    if maester::is_tenant(&document) {
        return Ok(Format::Maester);
    }
    if maester::is_merged(&document) {
        return Ok(Format::MaesterMerged);
    }
    if results::is_report(&document) {
        return Ok(Format::ScubaReport);
    }
    let version: Option<String> = document.read("version");
    if has("runs") && version.is_some_and(|version| version.starts_with("2.1")) {
        return Err(ImportError::Unsupported {
            format: "SARIF",
            next: text::INSTEAD_OF_SARIF,
        });
    }
    let keys: Vec<String> = document.keys().map(str::to_owned).collect();
    Err(ImportError::UnknownFormat {
        seen: text::unknown_object(&listed(&keys)),
    })
}

fn rows(keys: &[String]) -> Option<Rows> {
    let has = |key: &str| keys.iter().any(|one| one == key);
    if has("PolicyId") && has("RequirementMet") {
        return Some(Rows::ScubaTests);
    }
    (has("class_uid") && has("category_uid")).then_some(Rows::Ocsf)
}

/// Returns the keys of a row; `None` if the row isn't an object. Duplicate keys are allowed.
fn keys(row: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(row)
        .ok()
        .map(|fields| fields.into_keys().collect())
}

/// Lists the keys for an error.
fn listed(keys: &[String]) -> String {
    let listed: Vec<String> = keys
        .iter()
        .take(KEYS_MAX)
        .map(|key| format!("`{}`", sanitize::id(key, 40)))
        .collect();
    text::keys(&listed, keys.len().saturating_sub(KEYS_MAX))
}
