//! The conversion of a provider settings export, the configuration of one tenant, to the document that checks evaluate.

use super::{
    config, dlp, dns,
    paths::{LISTS, NOT_SETTINGS, Spelling, lookup_of, paths_of},
    shape::{as_graph, boolean, rows, texts, with_dates, with_hashtables},
};
use crate::{form, text::import as text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use watchpost_core::{
    check::{CheckDocument, Unreadable},
    value::word::{CollectionState, Platform},
};

/// The keys, besides the service plans, from which `licenses/features` is derived.
const FEATURE_KEYS: &[(&str, &str)] = &[
    ("defender_license", "defender"),
    ("defender_dlp_license", "defender_dlp"),
    ("powerbi_license_found", "powerbi"),
];
/// A key whose value isn't a plain list: the key, the setting's path, and the conversion.
type SpecialKey = (&'static str, &'static str, fn(&Value) -> Value);
const SPECIAL_KEYS: [SpecialKey; 10] = [
    (
        "authentication_method",
        "policies/authenticationMethodsPolicy",
        authentication_methods,
    ),
    ("privileged_users", "directory/privilegedUsers", keyed_rows),
    (
        "privileged_service_principals",
        "directory/privilegedServicePrincipals",
        keyed_rows,
    ),
    ("privileged_roles", "directory/privilegedRoles", privileged_roles),
    ("service_plans", "subscribedSkus", subscribed),
    (
        "risky_delegated_permission_classifications",
        "delegatedPermissionClassifications",
        classified_permissions,
    ),
    ("environment_creation", "powerplatform/TenantSettings", tables),
    ("environment_list", "powerplatform/Environments", outer_rows),
    ("dlp_policies", "powerplatform/DlpPolicies", data_policies),
    ("powerbi_tenant_settings", "powerbi/TenantSettings", |value| {
        unwrapped(value, "tenantSettings")
    }),
];
/// The maximum length of a tenant's id or name, in characters.
const TENANT_CHARS_MAX: usize = 200;

/// Converts a provider settings export, or a part of one, to the settings of a tenant.
///
/// The keys of current and older exports are supported. An absent key is an absent setting, and a key without rows is
/// `{"value":[]}`. A key without a known setting is stored under `export/<key>`. Settings whose command failed are
/// unreadable. Any other JSON results in an empty document.
pub fn check_document(export: &Value) -> CheckDocument {
    let mut document = CheckDocument::new(Platform::M365, String::new(), String::new());
    let Some(export) = export.as_object() else {
        return document;
    };
    (document.tenant, document.tenant_name) = tenant(export);
    let mut used: BTreeSet<&str> = NOT_SETTINGS.iter().copied().collect();
    read_lists(export, &mut document, &mut used);
    for (key, path, read) in SPECIAL_KEYS {
        if let Some(value) = export.get(key) {
            used.insert(key);
            document.settings.insert(path.to_owned(), read(value));
        }
    }
    let empty = Value::Null;
    let configuration = export.get("scuba_config").unwrap_or(&empty);
    if let Some(features) = features(export, configuration) {
        document.settings.insert("licenses/features".to_owned(), features);
    }
    if let Some(name) = config::environment(configuration) {
        document
            .settings
            .insert("export/environment".to_owned(), json!({ "name": name }));
    }
    config::read(configuration, &mut document);
    let failed = failed_commands(export);
    let failed_lookups: Vec<&str> = failed.iter().filter_map(|command| lookup_of(command)).collect();
    used.extend(dns::KEYS.iter().map(|(key, _)| *key));
    if let Some(domains) = dns::domains(export, &failed_lookups) {
        document.settings.insert(dns::PATH.to_owned(), listed(domains));
    }
    for (key, value) in export {
        let is_commands = key.ends_with("successful_commands");
        // The key becomes part of a path that people see.
        let is_name = key.len() <= 100 && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !used.contains(key.as_str()) && !is_commands && is_name {
            document
                .settings
                .insert(format!("export/{key}"), with_dates(value.clone()));
        }
    }
    mark_unreadable(&failed, &mut document);
    document
}

/// Converts the keys whose value is a plain list of rows.
fn read_lists(export: &Map<String, Value>, document: &mut CheckDocument, used: &mut BTreeSet<&str>) {
    for list in LISTS {
        let Some(value) = export.get(list.key) else {
            continue;
        };
        used.insert(list.key);
        if !document.settings.contains_key(list.path) {
            let converted = rows(value).into_iter().map(|row| match list.spelling {
                Spelling::Graph => as_graph(row),
                Spelling::Command => form::from_command(list.path, dlp::restored(with_dates(row))),
            });
            document
                .settings
                .insert(list.path.to_owned(), listed(converted.collect()));
        }
    }
}

fn listed(rows: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([("value".to_owned(), Value::Array(rows))]))
}

/// Returns the tenant's id and name; each is empty if the export doesn't contain it.
fn tenant(export: &Map<String, Value>) -> (String, String) {
    let details = export
        .get("tenant_details")
        .map(rows)
        .unwrap_or_default()
        .into_iter()
        .next()
        .unwrap_or_default();
    let text = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .map(|text| text.trim().chars().take(TENANT_CHARS_MAX).collect::<String>())
            .filter(|text| !text.is_empty())
    };
    let id = text(details.get("TenantId")).or_else(|| text(export.get("tenant_id")));
    let name = text(details.get("DisplayName")).or_else(|| text(details.get("DomainName")));
    (id.unwrap_or_default(), name.unwrap_or_default())
}

/// Converts the authentication methods policy. In current exports, the policy and its methods are separate. Older ones
/// contain only the policy, with the names of types instead of the methods.
fn authentication_methods(value: &Value) -> Value {
    let rows = rows(value);
    if rows.is_empty() {
        return listed(rows);
    }
    let mut policy = Map::new();
    let mut methods: Option<Vec<Value>> = None;
    for row in rows {
        let Value::Object(mut row) = row else { continue };
        if let Some(settings) = row.remove("authentication_method_feature_settings") {
            methods
                .get_or_insert_default()
                .extend(self::rows(&settings).into_iter().map(as_graph));
        }
        let parts = match row.remove("authentication_method_policy") {
            Some(part) => self::rows(&part),
            None => vec![Value::Object(row)],
        };
        for part in parts {
            if let Value::Object(part) = as_graph(part) {
                for (key, inner) in part {
                    policy.entry(key).or_insert(inner);
                }
            }
        }
    }
    let in_policy = policy
        .remove("authenticationMethodConfigurations")
        .map(|list| {
            self::rows(&list)
                .into_iter()
                .filter(Value::is_object)
                .collect::<Vec<_>>()
        })
        .filter(|list| !list.is_empty());
    if let Some(methods) = methods
        .filter(|methods| !methods.is_empty() || in_policy.is_none())
        .or(in_policy)
    {
        policy.insert("authenticationMethodConfigurations".to_owned(), methods.into());
    }
    Value::Object(policy)
}

/// Converts an object keyed by id to rows with an `id`.
fn keyed_rows(value: &Value) -> Value {
    let convert = |id: Option<&str>, row: &Value| {
        let Value::Object(mut row) = as_graph(row.clone()) else {
            return None;
        };
        if let Some(id) = id {
            row.insert("id".to_owned(), id.into());
        }
        let roles = texts(row.get("roles"));
        row.insert("roles".to_owned(), roles.into());
        Some(Value::Object(row))
    };
    listed(match value {
        Value::Object(map) => map
            .iter()
            .filter_map(|(id, row)| convert(Some(id), row))
            .collect(),
        other => rows(other).iter().filter_map(|row| convert(None, row)).collect(),
    })
}

fn privileged_roles(value: &Value) -> Value {
    let roles = rows(value).into_iter().map(|row| {
        let mut row = as_graph(row);
        for key in ["assignments", "rules"] {
            if let Some(inner) = row.get_mut(key) {
                *inner = Value::Array(rows(inner));
            }
        }
        row
    });
    listed(roles.collect())
}

/// Converts all plans to those of one subscription. An export without the plans' states lists only provisioned ones.
fn subscribed(value: &Value) -> Value {
    let plans: Vec<Value> = rows(value)
        .into_iter()
        .filter(Value::is_object)
        .map(|row| {
            let mut row = as_graph(row);
            if let Some(row) = row.as_object_mut() {
                row.entry("provisioningStatus")
                    .or_insert_with(|| "Success".into());
            }
            row
        })
        .collect();
    if plans.is_empty() {
        return listed(plans);
    }
    listed(vec![json!({
        "skuPartNumber": "",
        "capabilityStatus": "Enabled",
        "servicePlans": plans,
    })])
}

/// Converts the classified permissions. The export lists the names of those that are classified as low.
fn classified_permissions(value: &Value) -> Value {
    let low = |name: &str| json!({"permissionName": name, "classification": "low"});
    let mut out = Vec::new();
    for row in rows(value) {
        match &row {
            Value::String(name) => out.push(low(name)),
            Value::Object(map) if map.contains_key("RiskyPermClassifications") => {
                out.extend(
                    texts(map.get("RiskyPermClassifications"))
                        .iter()
                        .map(|name| low(name)),
                );
            }
            _ => out.push(as_graph(row)),
        }
    }
    listed(out)
}

fn tables(value: &Value) -> Value {
    let rows = rows(value).into_iter().map(|mut row| {
        if let Some(map) = row.as_object_mut() {
            for inner in map.values_mut() {
                *inner = with_hashtables(inner.take());
            }
        }
        with_dates(row)
    });
    listed(rows.collect())
}

/// Converts rows without flattening: a list within the list is kept, because the published baselines don't evaluate its
/// elements.
fn outer_rows(value: &Value) -> Value {
    let rows = match value {
        Value::Array(items) => items.clone(),
        other => rows(other),
    };
    let present = rows.into_iter().filter(|row| !row.is_null());
    listed(present.map(with_dates).collect())
}

/// Converts rows, some of which may be responses that contain the actual rows under `key`.
fn unwrapped(value: &Value, key: &str) -> Value {
    let mut out = Vec::new();
    for row in rows(value) {
        match row.get(key) {
            // A field `value` of an actual row isn't a list.
            Some(inner @ (Value::Array(_) | Value::Null)) => out.extend(rows(inner)),
            Some(inner @ Value::Object(_)) => out.push(inner.clone()),
            _ => out.push(row),
        }
    }
    listed(out.into_iter().map(with_dates).collect())
}

/// Converts the data policies of Power Platform.
fn data_policies(value: &Value) -> Value {
    let mut list = unwrapped(value, "value");
    if let Some(Value::Array(rows)) = list.get_mut("value") {
        for row in rows {
            *row = form::power_platform::policy(row.take());
        }
    }
    list
}

/// Returns the tenant's licensed features. An unknown feature is absent.
fn features(export: &Map<String, Value>, configuration: &Value) -> Option<Value> {
    let mut out = Map::new();
    for (key, feature) in FEATURE_KEYS {
        if let Some(has) = export.get(*key).and_then(boolean) {
            out.insert((*feature).to_owned(), has.into());
        }
    }
    if let Some(plans) = export.get("service_plans") {
        let has = |name: &str| {
            rows(plans).iter().any(|plan| {
                plan.get("ServicePlanName").and_then(Value::as_str) == Some(name)
                    && plan
                        .get("ProvisioningStatus")
                        .and_then(Value::as_str)
                        .is_none_or(|status| status == "Success")
            })
        };
        out.insert("entra_p2".to_owned(), has("AAD_PREMIUM_P2").into());
        out.insert("audit_advanced".to_owned(), has("M365_ADVANCED_AUDITING").into());
    }
    if let Some(name) = config::environment(configuration) {
        let government = matches!(name.as_str(), "gcchigh" | "dod");
        out.insert("government".to_owned(), government.into());
        out.insert("gcc".to_owned(), (name == "gcc").into());
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// Returns the failed commands of all products.
fn failed_commands(export: &Map<String, Value>) -> BTreeSet<String> {
    export
        .iter()
        .filter(|(key, _)| key.ends_with("_unsuccessful_commands"))
        .flat_map(|(_, value)| texts(Some(value)))
        .collect()
}

/// Marks the settings of failed commands as unreadable. Their values in the export are empty placeholders.
fn mark_unreadable(failed: &BTreeSet<String>, document: &mut CheckDocument) {
    for command in failed {
        let paths = paths_of(command).iter().copied();
        let lookup = lookup_of(command).is_some();
        for path in paths.chain(lookup.then_some(dns::PATH)) {
            // Other lookups may have succeeded, so the setting is unreadable only if it has no rows.
            if path == dns::PATH && has_rows(document.settings.get(path)) {
                continue;
            }
            document.settings.remove(path);
            document.unreadable.insert(
                path.to_owned(),
                Unreadable {
                    state: CollectionState::Failed,
                    detail: Some(text::command_failed(&command_name(command))),
                },
            );
        }
    }
}

fn has_rows(setting: Option<&Value>) -> bool {
    setting
        .and_then(|setting| setting.get("value"))
        .and_then(Value::as_array)
        .is_some_and(|rows| !rows.is_empty())
}

/// Returns the name of a command, restricted to safe characters.
fn command_name(command: &str) -> String {
    command
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' '))
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests;
