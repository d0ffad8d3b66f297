//! Documents and lists of Graph that are stored unchanged.

use super::table::GraphSetting;
use crate::{
    m365::client::{Client, GRAPH_API},
    settings::{SettingContent, SettingError},
    text::{self, m365_settings},
    vendor::ApiError,
};
use serde_json::{Map, Value, value::RawValue};
use watchpost_core::integration::setting::SETTING_BYTES_MAX;

/// The lists that are never empty: the organization is its only row, and every tenant has an initial domain.
const NEVER_EMPTY: &[&str] = &["organization", "domains"];

/// Reads one setting.
pub(super) async fn read(client: &Client, setting: &GraphSetting) -> Result<SettingContent, SettingError> {
    if setting.list {
        let found = read_list(client, setting.at, setting.query, setting.permission, Some).await?;
        if NEVER_EMPTY.contains(&setting.path) && found.has_no_rows() {
            return Err(SettingError::Denied(setting.permission.to_owned()));
        }
        Ok(found)
    } else {
        one(client, setting).await
    }
}

/// Reads one object, without Graph's annotations. The beta version wraps some single objects in a list.
async fn one(client: &Client, setting: &GraphSetting) -> Result<SettingContent, SettingError> {
    let response = client
        .get(client.url(setting.at, setting.query))
        .await
        .map_err(GRAPH_API.read_error_for(setting.permission))?;
    let mut fields = match serde_json::from_slice(&response.body) {
        Ok(Value::Object(fields)) => fields,
        _ => return Err(GRAPH_API.unexpected_response().into()),
    };
    if let Some(Value::Array(rows)) = fields.get_mut("value") {
        fields = match (rows.len(), rows.pop()) {
            (1, Some(Value::Object(row))) => row,
            _ => return Err(GRAPH_API.unexpected_response().into()),
        };
    }
    fields.retain(|name, _| !name.starts_with("@odata."));
    Ok(SettingContent::complete(Value::Object(fields)))
}

/// Reads a list as one document. `keep` may change or drop a row.
pub(super) async fn read_list(
    client: &Client,
    at: &str,
    query: Option<&str>,
    permission: &'static str,
    keep: impl Fn(Map<String, Value>) -> Option<Map<String, Value>>,
) -> Result<SettingContent, SettingError> {
    let mut rows = Rows::default();
    let mut list = client.list(at, query);
    while let Some(page) = list.page().await.map_err(GRAPH_API.read_error_for(permission))? {
        for raw in page {
            match serde_json::from_str(raw.get()) {
                Ok(Value::Object(row)) => {
                    if let Some(row) = keep(row) {
                        rows.push(&raw, row)?;
                    }
                }
                _ => rows.unreadable = rows.unreadable.saturating_add(1),
            }
        }
    }
    Ok(rows.found())
}

/// The rows of a document, up to the size limit of a setting.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Value>,
    bytes: usize,
    /// The number of rows that could not be parsed.
    pub(super) unreadable: u64,
}

impl Rows {
    /// Adds the row that was parsed from `raw`.
    pub(super) fn push(&mut self, raw: &RawValue, row: Map<String, Value>) -> Result<(), SettingError> {
        self.bytes = self.bytes.saturating_add(raw.get().len());
        if self.bytes > SETTING_BYTES_MAX {
            return Err(SettingError::Failed(text::SETTING_TOO_LARGE.to_owned()));
        }
        self.rows.push(Value::Object(row));
        Ok(())
    }

    /// Returns the rows so far.
    pub(super) fn rows_mut(&mut self) -> &mut Vec<Value> {
        &mut self.rows
    }

    /// Returns the document.
    pub(super) fn found(self) -> SettingContent {
        let incomplete = (self.unreadable > 0).then(|| {
            let readable = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
            text::unreadable_rows(self.unreadable, readable.saturating_add(self.unreadable))
        });
        SettingContent::list(self.rows).incomplete_because(incomplete)
    }
}

/// Reads a long list that is never empty, like [`each`].
///
/// # Errors
/// [`ApiError::Denied`] if the list is empty, because Graph then hides its rows.
pub(super) async fn each_of_some<T: serde::de::DeserializeOwned>(
    client: &Client,
    at: &str,
    query: Option<&str>,
    mut row: impl FnMut(T) -> bool,
) -> Result<u64, ApiError> {
    let mut any = false;
    let unreadable = each(client, at, query, |parsed| {
        any = true;
        row(parsed)
    })
    .await?;
    if any || unreadable > 0 {
        Ok(unreadable)
    } else {
        Err(ApiError::Denied)
    }
}

/// Reads a long list row by row, with one page in memory at a time. `row` returns whether it could use a row. Returns the
/// number of rows that could not be parsed or used.
pub(super) async fn each<T: serde::de::DeserializeOwned>(
    client: &Client,
    at: &str,
    query: Option<&str>,
    mut row: impl FnMut(T) -> bool,
) -> Result<u64, ApiError> {
    let mut unreadable = 0_u64;
    let mut list = client.list(at, query);
    while let Some(page) = list.page().await? {
        for raw in page {
            if !serde_json::from_str(raw.get()).is_ok_and(&mut row) {
                unreadable = unreadable.saturating_add(1);
            }
        }
    }
    Ok(unreadable)
}

/// Returns the reason for a document with unreadable rows.
pub(super) fn unreadable_rows(unreadable: u64) -> Option<String> {
    (unreadable > 0).then(|| m365_settings::unreadable_rows(unreadable))
}
