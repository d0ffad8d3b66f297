//! Tells the form of a file by its content.

use super::{
    document::Document,
    maester,
    scubagear::results,
    split::{Next, Piece, Splitter},
    text,
};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use watchpost_core::import::ImportError;

/// Rows at the beginning that may be no objects.
const BAD_ROWS_MAX: u64 = 100;
/// Keys that an error names.
const KEYS_MAX: usize = 12;

/// A form that is read as rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// OCSF findings.
    Ocsf,
    /// Raw tests of ScubaGear or ScubaGoggles.
    ScubaTests,
}

/// A form that is read as one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Results of ScubaGear or ScubaGoggles.
    ScubaResults,
    /// One product's report of such results.
    ScubaReport,
    /// A provider settings export.
    ProviderSettings,
    /// Maester's results of one tenant.
    Maester,
    /// Maester's results of several tenants.
    MaesterMerged,
    /// One row alone.
    Rows(Rows),
}

/// What a file turned out to hold.
pub(super) enum Content {
    /// One document, as text.
    Document(String, Form),
    /// Rows; the first lies in the splitter.
    Rows(Rows),
}

/// Tells what a file holds.
pub(super) fn content(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    match splitter.peek()? {
        None => Err(ImportError::Empty),
        Some(b'[') => list(splitter),
        Some(b'{') => object(splitter),
        Some(byte) => Err(ImportError::UnknownFormat {
            seen: match byte {
                b'<' => "the file is HTML or XML",
                b'%' => "the file is a PDF or a program's own format",
                0x20..0x7f => "the file is text, but neither a JSON list nor a JSON object",
                _ => "the file is not text, or text in an encoding other than UTF-8 and UTF-16 with a byte-order mark",
            }
            .to_owned(),
        }),
    }
}

/// A list: its first object tells.
fn list(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    splitter.begin_list();
    for index in 0..BAD_ROWS_MAX {
        match splitter.next_row(index)? {
            Next::Row(Piece::Whole) => {}
            Next::End if index == 0 => return Err(ImportError::Empty),
            Next::Row(Piece::Cut) | Next::NoEnd => {
                return Err(ImportError::Truncated {
                    byte: splitter.offset,
                    row: Some(index),
                });
            }
            Next::Garbage => {
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
                seen: format!("the file is a list whose first object has {}", named(&keys)),
            });
    }
    Err(ImportError::UnknownFormat {
        seen: "the file is a list without objects".to_owned(),
    })
}

/// An object: the first of lines of rows, or a document.
fn object(splitter: &mut Splitter<'_>) -> Result<Content, ImportError> {
    let max = splitter.document_bytes();
    let piece = splitter.value(0, 0, max).map_err(|error| match error {
        ImportError::RowTooLarge { limit, .. } => ImportError::TooLarge { limit },
        other => other,
    })?;
    if piece == Piece::Whole
        && let Some(keys) = keys(&splitter.row)
        && let Some(rows) = rows(&keys)
    {
        splitter.begin_lines();
        return Ok(Content::Rows(rows));
    }
    let text =
        String::from_utf8(std::mem::take(&mut splitter.row)).map_err(|error| ImportError::Encoding {
            byte: error.utf8_error().valid_up_to() as u64,
        })?;
    if piece == Piece::Cut {
        // The place where the text stopped to make sense, which is before its end if a text never ends.
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
    let form = form(&text)?;
    Ok(Content::Document(text, form))
}

fn form(text: &str) -> Result<Form, ImportError> {
    let document = Document::new(text)?;
    let has = |key| document.has(key);
    if has("Results") && results::tool(&document).is_some() {
        return Ok(Form::ScubaResults);
    }
    if has("scuba_config") || (has("conditional_access_policies") && has("module_version")) {
        return Ok(Form::ProviderSettings);
    }
    if maester::is_tenant(&document) {
        return Ok(Form::Maester);
    }
    if maester::is_merged(&document) {
        return Ok(Form::MaesterMerged);
    }
    if results::is_report(&document) {
        return Ok(Form::ScubaReport);
    }
    let version: Option<String> = document.read("version");
    if has("runs") && version.is_some_and(|version| version.starts_with("2.1")) {
        return Err(ImportError::Unsupported {
            format: "SARIF",
            next: "let the tool write OCSF (Prowler: `-M json-ocsf`) and import that",
        });
    }
    let keys: Vec<String> = document.keys().map(str::to_owned).collect();
    Err(ImportError::UnknownFormat {
        seen: format!("the file is an object with {}", named(&keys)),
    })
}

fn rows(keys: &[String]) -> Option<Rows> {
    let has = |key: &str| keys.iter().any(|one| one == key);
    if has("PolicyId") && has("RequirementMet") {
        return Some(Rows::ScubaTests);
    }
    (has("class_uid") && has("category_uid")).then_some(Rows::Ocsf)
}

/// The keys of a row; `None` if it is no object. A row with a key twice tells its keys, too.
fn keys(row: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(row)
        .ok()
        .map(|fields| fields.into_keys().collect())
}

/// The keys for an error.
fn named(keys: &[String]) -> String {
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let mut out: Vec<String> = keys
        .iter()
        .take(KEYS_MAX)
        .map(|key| format!("`{}`", text::id(key, 40)))
        .collect();
    if keys.len() > KEYS_MAX {
        out.push(format!("{} more", keys.len().saturating_sub(KEYS_MAX)));
    }
    format!("the keys {}", out.join(", "))
}
