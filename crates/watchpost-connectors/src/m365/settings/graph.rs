//! Documents and lists that Graph gives as they are kept.

use super::table::GraphSetting;
use crate::{
    m365::client::{Client, GRAPH_API},
    settings::{Found, Miss},
    vendor::Refusal,
};
use serde_json::{Map, Value, value::RawValue};
use watchpost_core::integration::setting::SETTING_BYTES_MAX;

/// Reads one setting.
pub(super) async fn read(client: &Client, setting: &GraphSetting) -> Result<Found, Miss> {
    if setting.list {
        whole_list(client, setting.at, setting.query, setting.permission, Some).await
    } else {
        one(client, setting).await
    }
}

/// One object, without Graph's notes about it. Beta wraps some single objects in a list.
async fn one(client: &Client, setting: &GraphSetting) -> Result<Found, Miss> {
    let answer = client
        .get(client.url(setting.at, setting.query))
        .await
        .map_err(GRAPH_API.refused(setting.permission))?;
    let mut fields = match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(fields)) => fields,
        _ => return Err(GRAPH_API.not_understood().into()),
    };
    if let Some(Value::Array(rows)) = fields.get_mut("value") {
        fields = match (rows.len(), rows.pop()) {
            (1, Some(Value::Object(row))) => row,
            _ => return Err(GRAPH_API.not_understood().into()),
        };
    }
    fields.retain(|name, _| !name.starts_with("@odata."));
    Ok(Found::whole(Value::Object(fields)))
}

/// A list as one document. `keep` may change a row or drop it.
pub(super) async fn whole_list(
    client: &Client,
    at: &str,
    query: Option<&str>,
    permission: &'static str,
    keep: impl Fn(Map<String, Value>) -> Option<Map<String, Value>>,
) -> Result<Found, Miss> {
    let mut rows = Rows::default();
    let mut list = client.list(at, query);
    while let Some(page) = list.page().await.map_err(GRAPH_API.refused(permission))? {
        for raw in page {
            match serde_json::from_str(raw.get()) {
                Ok(Value::Object(row)) => {
                    if let Some(row) = keep(row) {
                        rows.push(&raw, row)?;
                    }
                }
                _ => rows.odd = rows.odd.saturating_add(1),
            }
        }
    }
    Ok(rows.found())
}

/// Rows of a document, no more than fit into one.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Value>,
    bytes: usize,
    /// Rows that could not be understood.
    pub(super) odd: u64,
}

impl Rows {
    /// Adds what `raw` became.
    pub(super) fn push(&mut self, raw: &RawValue, row: Map<String, Value>) -> Result<(), Miss> {
        self.bytes = self.bytes.saturating_add(raw.get().len());
        if self.bytes > SETTING_BYTES_MAX {
            return Err(Miss::Failed("it is larger than 4 MiB".to_owned()));
        }
        self.rows.push(Value::Object(row));
        Ok(())
    }

    /// The rows so far.
    pub(super) fn rows_mut(&mut self) -> &mut Vec<Value> {
        &mut self.rows
    }

    /// The document.
    pub(super) fn found(self) -> Found {
        let lacks = (self.odd > 0).then(|| {
            let all = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
            format!(
                "{} of {} rows could not be understood",
                self.odd,
                all.saturating_add(self.odd)
            )
        });
        Found::list(self.rows).lacking(lacks)
    }
}

/// Reads a long list row by row, holding a page at a time; `row` says whether it understood one. Gives how many it
/// didn't.
pub(super) async fn each<T: serde::de::DeserializeOwned>(
    client: &Client,
    at: &str,
    query: Option<&str>,
    mut row: impl FnMut(T) -> bool,
) -> Result<u64, Refusal> {
    let mut odd = 0_u64;
    let mut list = client.list(at, query);
    while let Some(page) = list.page().await? {
        for raw in page {
            if !serde_json::from_str(raw.get()).is_ok_and(&mut row) {
                odd = odd.saturating_add(1);
            }
        }
    }
    Ok(odd)
}

/// The reason for a document that lacks rows.
pub(super) fn odd_rows(odd: u64) -> Option<String> {
    (odd > 0).then(|| format!("{odd} rows could not be understood"))
}
