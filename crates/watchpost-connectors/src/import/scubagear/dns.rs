//! The conversion of an export's DNS records to the setting `dns/domains`.

use super::shape::{boolean, rows, texts, with_dates};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The path of the setting.
pub(super) const PATH: &str = "dns/domains";

/// The keys of the export, with the lookup that each contains.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("spf_records", "spf"),
    ("dkim_records", "dkim"),
    ("dmarc_records", "dmarc"),
];

/// Returns one row per domain in the three keys; `None` if the export has none of the keys. `failed` are the lookups whose
/// command failed; they count as failed for every domain without records.
pub(super) fn domains(export: &Map<String, Value>, failed: &[&str]) -> Option<Vec<Value>> {
    let mut by_domain: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut present = false;
    for (key, lookup) in KEYS {
        let Some(value) = export.get(*key) else {
            continue;
        };
        present = true;
        for row in rows(value) {
            let Some(domain) = row.get("domain").and_then(Value::as_str) else {
                continue;
            };
            let lookups = by_domain.entry(domain.trim().to_ascii_lowercase()).or_default();
            let found = answer(&row, failed.contains(lookup));
            if *lookup == "dkim" {
                let list = lookups
                    .entry((*lookup).to_owned())
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Some(list) = list.as_array_mut() {
                    list.push(with_selector(found));
                }
            } else {
                lookups.insert((*lookup).to_owned(), found);
            }
        }
    }
    let defaults = default_domains(export);
    present.then(|| {
        by_domain
            .into_iter()
            .map(|(domain, lookups)| {
                let mut row = json!({"domain": domain, "lookups": lookups});
                if let (Some(is_default), Some(row)) = (defaults.get(&domain), row.as_object_mut()) {
                    row.insert("is_default".to_owned(), Value::Bool(*is_default));
                }
                row
            })
            .collect()
    })
}

/// Converts the answer of one lookup, with the export's fields `compliant`, `message` and `log`.
fn answer(row: &Value, failed: bool) -> Value {
    let rdata = texts(row.get("rdata"));
    let log = row.get("log").map(rows).unwrap_or_default();
    let log_contains = |words: &[&str]| {
        log.last()
            .and_then(|entry| entry.get("query_result"))
            .and_then(Value::as_str)
            .is_some_and(|result| {
                let result = result.to_ascii_lowercase();
                words.iter().any(|word| result.contains(word))
            })
    };
    let status = if !rdata.is_empty() {
        "found"
    } else if failed || log_contains(&["exception", "error", "timed out", "servfail", "refused"]) {
        "failed"
    } else if log_contains(&["nxdomain"]) {
        "nxdomain"
    } else if row.get("rdata").is_none() && row.get("compliant").and_then(boolean) == Some(true) {
        // Some exports contain the result without the record.
        "found"
    } else {
        "empty"
    };
    let mut out = Map::new();
    out.insert("status".into(), status.into());
    out.insert("rdata".into(), rdata.into());
    let name = log
        .iter()
        .rev()
        .find_map(|entry| entry.get("query_name").and_then(Value::as_str));
    out.insert("name".into(), name.into());
    for key in ["compliant", "message"] {
        if let Some(value) = row.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    if row.get("log").is_some() {
        out.insert("log".to_owned(), with_dates(Value::Array(log)));
    }
    Value::Object(out)
}

/// Adds the selector, which is the part of the queried name before `._domainkey`.
fn with_selector(mut answer: Value) -> Value {
    let selector = answer
        .get("name")
        .and_then(Value::as_str)
        .and_then(|name| name.split_once("._domainkey"))
        .map(|(selector, _)| selector.to_owned());
    if let Some(map) = answer.as_object_mut() {
        map.insert("selector".to_owned(), selector.into());
    }
    answer
}

fn default_domains(export: &Map<String, Value>) -> BTreeMap<String, bool> {
    ["all_domains", "accepted_domains"]
        .iter()
        .filter_map(|key| export.get(*key))
        .flat_map(rows)
        .filter_map(|row| {
            let domain = row.get("DomainName")?.as_str()?.trim().to_ascii_lowercase();
            Some((domain, boolean(row.get("Default")?)?))
        })
        .collect()
}
