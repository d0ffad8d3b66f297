//! The conversion of an export's DNS records to the setting `dns/domains`.

use super::{
    shape::{boolean, rows, with_dates},
    txt,
};
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
            let domain = domain.trim().to_ascii_lowercase();
            let found = answer(&row, &domain, lookup, failed.contains(lookup));
            let lookups = by_domain.entry(domain).or_default();
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

/// The words by which the log of a lookup tells that no name server answered.
const NO_ANSWER: &[&str] = &["exception", "error", "timed out", "servfail", "refused"];

/// Converts the answer of one lookup, with the export's fields `compliant`, `message` and `log`.
fn answer(row: &Value, domain: &str, lookup: &str, failed: bool) -> Value {
    let rdata = txt::records(row.get("rdata"), lookup);
    let log = row.get("log").map(rows).unwrap_or_default();
    let log_contains = |words: &[&str]| log.last().is_some_and(|entry| entry_contains(entry, words));
    let name = queried_name(&log, !rdata.is_empty());
    // The record of a parent is that of the organizational domain. It applies only if the domain has no record of its own.
    let inherited = lookup == "dmarc"
        && !rdata.is_empty()
        && name
            .as_deref()
            .and_then(|name| name.strip_prefix("_dmarc."))
            .and_then(|parent| domain.strip_suffix(parent))
            .is_some_and(|rest| rest.ends_with('.'));
    let is_unsure = inherited && (failed || !is_answered(&log, &format!("_dmarc.{domain}")));
    let status = if is_unsure {
        "failed"
    } else if !rdata.is_empty() {
        "found"
    } else if failed || log_contains(NO_ANSWER) {
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
    out.insert("name".into(), name.into());
    if inherited {
        out.insert("organizational".into(), true.into());
    }
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

/// Whether an entry of a log contains one of the words in its result.
fn entry_contains(entry: &Value, words: &[&str]) -> bool {
    entry
        .get("query_result")
        .and_then(Value::as_str)
        .is_some_and(|result| {
            let result = result.to_ascii_lowercase();
            words.iter().any(|word| result.contains(word))
        })
}

/// Returns the name whose query gave the records: the last one with an answer, or else the last one. `None` without a log.
fn queried_name(log: &[Value], has_records: bool) -> Option<String> {
    let name = |entry: &Value| {
        let name = entry.get("query_name").and_then(Value::as_str)?;
        Some(name.trim().trim_end_matches('.').to_ascii_lowercase())
    };
    let is_negative =
        |entry: &&Value| entry_contains(entry, NO_ANSWER) || entry_contains(entry, &["nxdomain"]);
    let answered = log
        .iter()
        .rev()
        .filter(|entry| !is_negative(entry))
        .find_map(name);
    answered
        .filter(|_| has_records)
        .or_else(|| log.iter().rev().find_map(name))
}

/// Whether a name server answered a query for a name.
fn is_answered(log: &[Value], name: &str) -> bool {
    log.iter().any(|entry| {
        entry
            .get("query_name")
            .and_then(Value::as_str)
            .is_some_and(|queried| queried.trim().trim_end_matches('.').eq_ignore_ascii_case(name))
            && !entry_contains(entry, NO_ANSWER)
    })
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
