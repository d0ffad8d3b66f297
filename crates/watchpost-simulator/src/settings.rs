//! The tenant's settings documents: one JSON file for each path in `fixtures/company/m365/settings/`, their earlier states,
//! and changes to them.
//!
//! A document has the format in which its API returns it. Placeholders are filled in when it is read: `@-400d` becomes the
//! time 400 days before the origin (`@@-6h`: 6 hours before the stage), `#person:key`, `#okta:key` and `#group:name` become
//! identifiers, and `{tenant}` becomes the tenant's id. A row with `#since` is left out before that time.

use crate::{
    ids::{self, Kind},
    when::{When, iso, parse_offset},
    world::World,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

macro_rules! documents {
    ($($path:literal,)*) => {
        const DOCUMENTS: &[(&str, &str)] = &[$(
            ($path, include_str!(concat!("../../../fixtures/company/m365/settings/", $path, ".json"))),
        )*];
    };
}

documents! {
    "admin/sharepoint/settings",
    "delegatedPermissionClassifications",
    "domains",
    "exchange/ATPBuiltInProtectionRule",
    "exchange/ATPProtectionPolicyRule",
    "exchange/AcceptedDomain",
    "exchange/AdminAuditLogConfig",
    "exchange/AntiPhishPolicy",
    "exchange/AntiPhishRule",
    "exchange/AtpPolicyForO365",
    "exchange/DkimSigningConfig",
    "exchange/EOPProtectionPolicyRule",
    "exchange/ExternalInOutlook",
    "exchange/HostedConnectionFilterPolicy",
    "exchange/HostedContentFilterPolicy",
    "exchange/HostedContentFilterRule",
    "exchange/HostedOutboundSpamFilterPolicy",
    "exchange/InboundConnector",
    "exchange/MailboxAuditBypassAssociation",
    "exchange/MalwareFilterPolicy",
    "exchange/MalwareFilterRule",
    "exchange/OrganizationConfig",
    "exchange/OutboundConnector",
    "exchange/OwaMailboxPolicy",
    "exchange/RemoteDomain",
    "exchange/RoleAssignmentPolicy",
    "exchange/SafeAttachmentPolicy",
    "exchange/SafeAttachmentRule",
    "exchange/SafeLinksPolicy",
    "exchange/SafeLinksRule",
    "exchange/SharedMailbox",
    "exchange/SharingPolicy",
    "exchange/TeamsProtectionPolicy",
    "exchange/TransportConfig",
    "exchange/TransportRule",
    "identity/conditionalAccess/namedLocations",
    "identity/conditionalAccess/policies",
    "policies/adminConsentRequestPolicy",
    "policies/appManagementPolicies",
    "policies/authenticationMethodsPolicy",
    "policies/authorizationPolicy",
    "policies/b2bManagementPolicy",
    "policies/defaultAppManagementPolicy",
    "policies/identitySecurityDefaultsEnforcementPolicy",
    "powerbi/TenantSettings",
    "powerplatform/DlpPolicies",
    "powerplatform/Environments",
    "powerplatform/TenantIsolationPolicy",
    "powerplatform/TenantSettings",
    "purview/DlpCompliancePolicy",
    "purview/DlpComplianceRule",
    "purview/ProtectionAlert",
    "purview/UnifiedAuditLogRetentionPolicy",
    "roleManagementPolicies",
    "security/secureScores",
    "settings",
    "sharepoint/Tenant",
    "subscribedSkus",
    "teams/AppPermissionPolicy",
    "teams/ClientConfiguration",
    "teams/FederationConfiguration",
    "teams/MeetingBroadcastPolicy",
    "teams/MeetingPolicy",
}

/// The documents by path, with their state at the origin and with placeholders.
pub(crate) type Documents = BTreeMap<String, Value>;

/// Parses the embedded documents.
///
/// # Errors
/// The path of the first document that isn't valid JSON, and the error.
pub(crate) fn embedded() -> Result<Documents, (&'static str, serde_json::Error)> {
    DOCUMENTS
        .iter()
        .map(|&(path, text)| match serde_json::from_str(text) {
            Ok(document) => Ok((path.to_owned(), document)),
            Err(error) => Err((path, error)),
        })
        .collect()
}

/// The earlier value of a position in a document, until a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingDrift {
    path: String,
    /// The JSON pointer (RFC 6901) to the value.
    pointer: String,
    until: When,
    was: Value,
}

/// Returns the documents with their state at `as_of_ms`.
pub(crate) fn as_of(now: &Documents, drift: &[SettingDrift], origin_ms: i64, as_of_ms: i64) -> Documents {
    let mut documents = now.clone();
    for was in drift.iter().filter(|drift| as_of_ms < drift.until.ms(origin_ms)) {
        // A pointer without a value is an error in the fixture; a test checks all pointers.
        let _ = documents
            .get_mut(&was.path)
            .is_some_and(|document| put(document, &was.pointer, was.was.clone()));
    }
    documents
}

/// Sets the value at a JSON pointer: replaces an existing value, adds a field to an object, or appends to a list at `-`. An
/// empty pointer replaces the document. Returns `false` if the pointer has no parent in the document.
pub(crate) fn put(document: &mut Value, pointer: &str, value: Value) -> bool {
    if let Some(place) = document.pointer_mut(pointer) {
        *place = value;
        return true;
    }
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return false;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(last.replace("~1", "/").replace("~0", "~"), value);
            true
        }
        Some(Value::Array(items)) if last == "-" => {
            items.push(value);
            true
        }
        _ => false,
    }
}

/// Returns the document at a path, with placeholders filled in.
pub(crate) fn read(world: &World, path: &str) -> Option<Value> {
    world.settings.get(path).map(|document| filled(world, document))
}

/// Returns the rows of a list document, with placeholders filled in; empty if there is no such list.
pub(crate) fn rows(world: &World, path: &str) -> Vec<Value> {
    match read(world, path).map(|mut document| document["value"].take()) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}

/// Fills in placeholders at any depth, and removes rows that don't exist yet.
pub(crate) fn filled(world: &World, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(replaced(world, text)),
        Value::Array(items) => items
            .iter()
            .filter(|item| has_begun(world, item))
            .map(|item| filled(world, item))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| *name != "#since")
            .map(|(name, value)| (name.clone(), filled(world, value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn has_begun(world: &World, item: &Value) -> bool {
    item.get("#since")
        .and_then(Value::as_str)
        .and_then(parse_offset)
        .is_none_or(|since| world.has_begun(Some(When::Offset(since))))
}

fn replaced(world: &World, text: &str) -> String {
    if let Some(marked) = text.strip_prefix('@') {
        let (from_ms, offset) = match marked.strip_prefix('@') {
            Some(offset) => (world.as_of_ms, offset),
            None => (world.origin_ms, marked),
        };
        if let Some(offset) = parse_offset(offset) {
            return iso(from_ms + offset);
        }
    }
    let id = if let Some(key) = text.strip_prefix("#person:") {
        world.position(key).map(|index| world.person_guid(index))
    } else if let Some(key) = text.strip_prefix("#okta:") {
        world.position(key).map(|index| world.okta_user_id(index))
    } else if let Some(name) = text.strip_prefix("#group:") {
        let at = world.company.groups.iter().position(|group| group.name == name);
        at.map(|at| ids::guid(world.seed, Kind::Group, at as u64))
    } else {
        None
    };
    id.unwrap_or_else(|| text.replace("{tenant}", &world.tenant_id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{company::Company, when::DAY_MS};
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn setting_a_value_replaces_adds_or_appends_but_creates_no_parents() {
        let mut document = json!({ "value": [{ "a": 1 }] });
        assert!(put(&mut document, "/value/0/a", json!(2)));
        assert!(put(&mut document, "/value/0/b~1c", json!(3)));
        assert!(put(&mut document, "/value/-", json!("end")));
        assert_eq!(document, json!({ "value": [{ "a": 2, "b/c": 3 }, "end"] }));
        for nowhere in ["/other/0", "/value/9", "/value/0/a/b", "value"] {
            assert!(!put(&mut document, nowhere, json!(0)), "{nowhere}");
        }
        assert!(put(&mut document, "", json!(null)));
        assert_eq!(document, json!(null));
    }

    #[test]
    fn every_drift_points_to_a_value_and_changes_it() {
        let company = Company::load_embedded().unwrap();
        assert!(!company.setting_drift.is_empty());
        for drift in &company.setting_drift {
            let document = &company.settings[&drift.path];
            let now = document.pointer(&drift.pointer);
            assert!(now.is_some(), "{} {}", drift.path, drift.pointer);
            assert_ne!(now, Some(&drift.was), "{} {}", drift.path, drift.pointer);
        }
    }

    #[test]
    fn no_placeholder_is_left_and_no_document_contains_a_future_time() {
        let company = Arc::new(Company::load_embedded().unwrap());
        for days in [0, 7, 30] {
            let origin_ms = 1_772_442_902_000;
            let world = World::new(Arc::clone(&company), 1, origin_ms, -days * DAY_MS);
            let stage = iso(world.as_of_ms);
            for path in world.settings.keys() {
                let text = read(&world, path).unwrap().to_string();
                for mark in ["\"#person:", "\"#group:", "\"#since", "\"@-", "\"@@", "{tenant}"] {
                    assert!(!text.contains(mark), "{path}: {mark}");
                }
                for field in [
                    "createdDateTime",
                    "modifiedDateTime",
                    "WhenChanged",
                    "createdTime",
                ] {
                    let mark = format!("\"{field}\":\"");
                    for (at, _) in text.match_indices(&mark) {
                        let time = &text[at + mark.len()..at + mark.len() + stage.len()];
                        assert!(*time <= *stage, "{path}: {field} {time} at {stage}");
                    }
                }
            }
        }
    }
}
