//! The resources of a snapshot, as settings in the internal form.

use super::{SnapshotResults, failed, mentions};
use crate::{
    form::snapshot::ResourceType,
    m365::settings::table::WorkloadSetting,
    settings::{SettingContent, SettingError},
    text::{SETTING_TOO_LARGE, m365_settings as text},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use std::collections::{BTreeMap, BTreeSet};
use watchpost_core::integration::setting::SETTING_BYTES_MAX;

#[derive(Deserialize)]
struct Snapshot {
    /// An older format has other names for this field and for the type.
    #[serde(alias = "configurationItems")]
    resources: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(alias = "type")]
    resource_type: String,
    properties: Map<String, Value>,
}

/// Parses a snapshot. Returns the results by path.
pub(super) fn parse(
    body: &[u8],
    set: &[&'static WorkloadSetting],
    partial: bool,
    errors: &[String],
) -> Result<SnapshotResults, SettingError> {
    let snapshot: Snapshot = serde_json::from_slice(body).map_err(|_| failed(text::SNAPSHOT_UNREADABLE))?;
    tracing::info!(
        resources = snapshot.resources.len(),
        "configuration snapshot read"
    );
    let types: BTreeMap<&str, &'static ResourceType> = set
        .iter()
        .filter_map(|setting| setting.resource_type())
        .map(|kind| (kind.name, kind))
        .collect();
    let mut rows: BTreeMap<&str, (Vec<Value>, usize)> = BTreeMap::new();
    let mut unreadable = 0_u64;
    // The settings with a resource that is reported as absent: it could not be read.
    let mut absent = BTreeSet::new();
    for raw in &snapshot.resources {
        let Ok(row) = serde_json::from_str::<Resource>(raw.get()) else {
            unreadable = unreadable.saturating_add(1);
            continue;
        };
        let Some(kind) = types.get(row.resource_type.to_ascii_lowercase().as_str()) else {
            continue;
        };
        let (list, bytes) = rows.entry(kind.path).or_default();
        *bytes = bytes.saturating_add(raw.get().len());
        match kind.row(row.properties) {
            Some(row) if *bytes <= SETTING_BYTES_MAX => list.push(row),
            Some(_) => {}
            None => {
                absent.insert(kind.path);
            }
        }
    }
    let affected: BTreeSet<&str> = set
        .iter()
        .filter(|setting| errors.iter().any(|error| mentions(error, setting)))
        .map(|setting| setting.path)
        .collect();
    // An error that mentions no type may affect every setting without rows.
    let unattributed =
        partial && (affected.is_empty() || errors.iter().any(|error| !mentions_any(error, set)));
    let results = set.iter().map(|setting| {
        let (list, bytes) = rows.remove(setting.path).unwrap_or_default();
        let result = if bytes > SETTING_BYTES_MAX {
            Err(failed(SETTING_TOO_LARGE))
        } else if list.is_empty() && (unattributed || affected.contains(setting.path)) {
            Err(failed(text::NOT_IN_SNAPSHOT))
        } else if affected.contains(setting.path) || absent.contains(setting.path) {
            let reason = text::SNAPSHOT_INCOMPLETE.to_owned();
            Ok(SettingContent::list(list).incomplete_because(Some(reason)))
        } else if unreadable > 0 {
            let reason = text::unreadable_snapshot_rows(unreadable);
            Ok(SettingContent::list(list).incomplete_because(Some(reason)))
        } else {
            Ok(SettingContent::list(list))
        };
        (setting.path, result)
    });
    Ok(results.collect())
}

fn mentions_any(error: &str, set: &[&'static WorkloadSetting]) -> bool {
    set.iter().any(|setting| mentions(error, setting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::m365::settings::table::WORKLOAD_SETTINGS;
    use serde_json::json;

    fn setting(path: &str) -> &'static WorkloadSetting {
        WORKLOAD_SETTINGS
            .iter()
            .find(|setting| setting.path == path)
            .unwrap()
    }

    #[test]
    fn both_formats_are_read_and_missing_settings_are_reported() {
        let set = [
            setting("teams/MeetingPolicy"),
            setting("exchange/TransportRule"),
            setting("exchange/RemoteDomain"),
        ];
        let new = r#"{"resources":[{"resourceType":"Microsoft.Teams.MeetingPolicy","properties":{"Identity":"Global"}}]}"#;
        let old = r#"{"configurationItems":[{"type":"microsoft.teams.meetingpolicy","properties":{"Identity":"Global"}}]}"#;
        for body in [new, old] {
            let results = parse(body.as_bytes(), &set, false, &[]).unwrap();
            assert!(
                results
                    .values()
                    .all(|result| result.as_ref().unwrap().incomplete.is_none())
            );
            let rows = &results["teams/MeetingPolicy"].as_ref().unwrap().document["value"];
            assert_eq!(rows[0]["Identity"], "Global");
        }
        let errors = ["microsoft.exchange.transportrule: access denied".to_owned()];
        let results = parse(new.as_bytes(), &set, true, &errors).unwrap();
        assert!(results["exchange/TransportRule"].is_err());
        assert!(results["exchange/RemoteDomain"].is_ok());
        let results = parse(new.as_bytes(), &set, true, &["something".to_owned()]).unwrap();
        assert!(results["exchange/RemoteDomain"].is_err());
        assert!(results["teams/MeetingPolicy"].is_ok());
        assert!(parse(br#"{"resources":{}}"#, &set, false, &[]).is_err());
        assert!(parse(b"[]", &set, false, &[]).is_err());
    }

    #[test]
    fn rows_are_in_the_internal_form_and_absent_ones_make_the_list_incomplete() {
        let set = [
            setting("exchange/TransportRule"),
            setting("exchange/DkimSigningConfig"),
        ];
        let body = json!({"resources": [
            {"resourceType": "microsoft.exchange.transportrule", "displayName": "r",
                "properties": {"Name": "R", "Enabled": true, "Ensure": "Present"}},
            {"resourceType": "microsoft.exchange.dkimsigningconfig",
                "properties": {"Identity": "a.example", "Ensure": "Absent"}},
        ]});
        let results = parse(body.to_string().as_bytes(), &set, false, &[]).unwrap();
        let rules = results["exchange/TransportRule"].as_ref().unwrap();
        assert_eq!(
            rules.document,
            json!({"value": [{"Identity": "R", "Name": "R", "State": "Enabled"}]})
        );
        assert_eq!(rules.incomplete, None);
        let domains = results["exchange/DkimSigningConfig"].as_ref().unwrap();
        assert_eq!(domains.document, json!({"value": []}));
        assert!(domains.incomplete.is_some());
    }
}
