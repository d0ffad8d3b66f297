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

/// Detects the format of a list by its first object.
fn list(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    splitter.begin_list();
    for index in 0..BAD_ROWS_MAX {
        match splitter.next_row(index)? {
            Next::Row(Piece::Complete) => {}
            Next::End if index == 0 => return Err(ImportError::Empty),
            Next::Row(Piece::Truncated) | Next::Truncated => {
                return Err(ImportError::Truncated {
                    byte: splitter.offset,
                    row: Some(index),
                });
            }
            Next::Invalid => {
                return Err(ImportError::Damaged {
                    byte: splitter.offset,
                    row: Some(index),
                });
            }
            Next::End => break,
        }
        let Some(keys) = keys(&splitter.row) else {
            continue;
        };
        splitter.set_first_index(index);
        return rows(&keys)
            .map(Content::Rows)
            .ok_or_else(|| ImportError::UnknownFormat {
                seen: text::unknown_list(&listed(&keys)),
            });
    }
    Err(ImportError::UnknownFormat {
        seen: text::LIST_WITHOUT_OBJECTS.to_owned(),
    })
}

/// Detects the format of an object, which is a document or the first row of a file with one row per line.
fn object(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    let max = splitter.document_bytes();
    let piece = splitter.value(0, 0, max).map_err(|error| match error {
        ImportError::RowTooLarge { limit, .. } => ImportError::TooLarge { limit },
        other => other,
    })?;
    if piece == Piece::Complete
        && let Some(keys) = keys(&splitter.row)
        && let Some(rows) = rows(&keys)
    {
        splitter.begin_lines();
        return Ok(Content::Rows(rows));
    }
    let document =
        String::from_utf8(std::mem::take(&mut splitter.row)).map_err(|error| ImportError::Encoding {
            byte: error.utf8_error().valid_up_to() as u64,
        })?;
    if piece == Piece::Truncated {
        // If a string isn't terminated, the offset is that of the end of the file.
        return Err(ImportError::Truncated {
            byte: splitter.offset,
            row: None,
        });
    }
    let before = splitter.offset;
    if splitter.peek()?.is_some() {
        return Err(ImportError::Damaged {
            byte: before,
            row: None,
        });
    }
    let format = document_format(&document)?;
    Ok(Content::Document(document, format))
}

fn document_format(json: &str) -> Result<Format, ImportError> {
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
