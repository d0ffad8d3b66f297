//! The resources of Microsoft's configuration snapshots in the internal form. A resource has the properties of its type in
//! the published schema (<https://json.schemastore.org/utcm-monitor.json>), which are not the fields of the cmdlet's output.
//!
//! [`TYPES`] lists every type that is ordered, and the fields that the type names differently. A property that isn't listed
//! has the same name and kind in both. A field without a property is absent: it is unreadable from a snapshot.

#[cfg(test)]
mod schema_tests;
mod table;

pub(crate) use table::{ResourceType, TYPES};

use super::convert;
use serde_json::{Map, Value, json};
use table::{Field, Made};

/// Returns the type whose resources form a setting.
pub(crate) fn type_of(path: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|kind| kind.path == path)
}

/// The properties that describe the resource, not the setting.
const OWN: [&str; 2] = ["Ensure", "IsSingleInstance"];

impl ResourceType {
    /// Converts the properties of a resource to the internal form. Returns `None` if they say that the resource is absent,
    /// which is also how the exporter reports one that it could not read.
    pub(crate) fn row(&self, mut properties: Map<String, Value>) -> Option<Value> {
        let ensure = properties.get("Ensure").and_then(Value::as_str);
        if ensure.is_some_and(|word| word.eq_ignore_ascii_case("Absent")) {
            return None;
        }
        for name in OWN {
            properties.remove(name);
        }
        for field in self.fields {
            field.set(&mut properties);
        }
        convert(self.path, &mut properties);
        Some(Value::Object(properties))
    }

    /// Returns the needed fields that a row of a setting lacks.
    pub(crate) fn lacks(&self, document: &Value) -> Vec<&'static str> {
        let rows = document.get("value").and_then(Value::as_array);
        let rows = rows.map(Vec::as_slice).unwrap_or_default();
        let has = |row: &Value, name: &str| row.get(name).is_some();
        self.needs
            .iter()
            .copied()
            .filter(|name| rows.iter().any(|row| !has(row, name)))
            .collect()
    }
}

impl Field {
    /// Sets the field in the properties, unless they don't tell its value.
    fn set(&self, properties: &mut Map<String, Value>) {
        let text = |name: &str| properties.get(name).and_then(Value::as_str);
        let value = match self.from {
            Made::Renamed(property) => properties.remove(property),
            Made::Copied(property) => match properties.get(self.name) {
                None => properties.get(property).cloned(),
                Some(_) => None,
            },
            Made::State(property) => match properties.remove(property) {
                Some(Value::Bool(true)) => Some("Enabled".into()),
                Some(Value::Bool(false)) => Some("Disabled".into()),
                _ => None,
            },
            Made::Word(words) => text(self.name).and_then(|text| {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(text))?;
                Some((*word).into())
            }),
            Made::IsDefault(property) => {
                let is_named_default = text("Identity").is_some_and(|name| {
                    DEFAULT_NAMES
                        .iter()
                        .any(|default| default.eq_ignore_ascii_case(name))
                });
                match properties.remove(property) {
                    Some(value @ Value::Bool(_)) => Some(value),
                    _ => is_named_default.then_some(Value::Bool(true)),
                }
            }
            Made::Preset => text("Identity").and_then(preset).map(Value::from),
            Made::Tagged => text(self.name).map(|name| {
                let is_tagged = name.eq_ignore_ascii_case("Global") || name.starts_with("Tag:");
                if is_tagged {
                    name.into()
                } else {
                    format!("Tag:{name}").into()
                }
            }),
            Made::InformationTypes => properties.remove(self.name).map(information_types),
            Made::Advanced => {
                let rule = text("AdvancedRule").map(str::trim).unwrap_or_default();
                Some(Value::Bool(!rule.is_empty()))
            }
            Made::Dropped => {
                properties.remove(self.name);
                None
            }
        };
        if let Some(value) = value {
            properties.insert(self.name.to_owned(), value);
        }
    }
}

/// The names of the policies that apply to everyone without another policy. They can't be changed.
const DEFAULT_NAMES: [&str; 2] = ["Default", "Office365 AntiPhish Default"];

/// Returns the preset of a policy by its name: Microsoft names the policies of presets, with a number at the end. Returns
/// `None` for policies that Microsoft names differently (`Built-In Protection Policy`, `Evaluation Policy`).
fn preset(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase();
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    match base.strip_suffix("preset security policy").map(str::trim_end) {
        Some("strict") => Some("Strict"),
        Some("standard") => Some("Standard"),
        _ if matches!(base, "built-in protection policy" | "evaluation policy") => None,
        _ => Some("Custom"),
    }
}

/// Converts the information types of a rule: `{SensitiveInformation: […], Groups: […], Operator}` becomes the cmdlet's
/// list, in which groups are in an entry with `operator` and `groups`.
fn information_types(value: Value) -> Value {
    let Value::Object(mut fields) = value else {
        return value;
    };
    let mut entries = match fields.remove("SensitiveInformation") {
        Some(Value::Array(types)) => types,
        Some(kind @ Value::Object(_)) => vec![kind],
        _ => Vec::new(),
    };
    if let Some(Value::Array(groups)) = fields.remove("Groups")
        && !groups.is_empty()
    {
        let groups: Vec<Value> = groups.into_iter().map(group).collect();
        let mut entry = json!({"groups": groups});
        if let Some(operator) = fields.remove("Operator") {
            entry["operator"] = operator;
        }
        entries.push(entry);
    }
    Value::Array(entries)
}

fn group(value: Value) -> Value {
    let Value::Object(fields) = value else {
        return value;
    };
    let renamed = fields.into_iter().map(|(name, value)| {
        let name = match name.as_str() {
            "SensitiveInformation" => "sensitivetypes".to_owned(),
            _ => name.to_ascii_lowercase(),
        };
        (name, value)
    });
    Value::Object(renamed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, properties: Value, expected: Value) {
        let Value::Object(fields) = properties else {
            panic!("{properties}");
        };
        let row = type_of(path).unwrap().row(fields);
        assert_eq!(row, Some(expected), "{path}");
    }

    #[test]
    fn properties_become_the_cmdlets_fields() {
        check(
            "exchange/DkimSigningConfig",
            json!({"Identity": "a.example", "Enabled": true, "KeySize": "2048", "Ensure": "Present"}),
            json!({"Identity": "a.example", "Name": "a.example", "Domain": "a.example", "Enabled": true,
                "Selector1KeySize": 2048}),
        );
        check(
            "exchange/TransportRule",
            json!({"Name": "R", "Enabled": false, "Mode": "enforce", "SetSCL": "-1", "Priority": 0}),
            json!({"Name": "R", "Identity": "R", "State": "Disabled", "Mode": "Enforce", "SetSCL": -1, "Priority": 0}),
        );
        check(
            "exchange/OrganizationConfig",
            json!({"IsSingleInstance": "Yes", "CustomerLockboxEnabled": true}),
            json!({"CustomerLockBoxEnabled": true}),
        );
        check(
            "exchange/MalwareFilterRule",
            json!({"Identity": "R", "Enabled": true, "Priority": "3", "MalwareFilterPolicy": "P"}),
            json!({"Identity": "R", "Name": "R", "State": "Enabled", "Priority": 3, "MalwareFilterPolicy": "P"}),
        );
        check(
            "exchange/RoleAssignmentPolicy",
            json!({"Name": "P", "IsDefault": true, "Roles": ["MyBaseOptions"]}),
            json!({"Name": "P", "Identity": "P", "IsDefault": true, "AssignedRoles": ["MyBaseOptions"]}),
        );
        check(
            "teams/MeetingPolicy",
            json!({"Identity": "Town halls", "AutoAdmittedUsers": "everyone"}),
            json!({"Identity": "Tag:Town halls", "AutoAdmittedUsers": "Everyone"}),
        );
        check(
            "exchange/SharedMailbox",
            json!({"Identity": "info", "PrimarySMTPAddress": "info@a.example"}),
            json!({"Identity": "info", "PrimarySmtpAddress": "info@a.example"}),
        );
    }

    #[test]
    fn only_what_is_certain_is_derived_from_a_policys_name() {
        let policy = |name: &str, more: Value, expected: Value| {
            let mut properties = json!({"Identity": name});
            let mut whole = json!({"Identity": name, "Name": name});
            for (from, to) in [(more, &mut properties), (expected, &mut whole)] {
                for (field, value) in from.as_object().unwrap() {
                    to[field] = value.clone();
                }
            }
            check("exchange/AntiPhishPolicy", properties, whole);
        };
        let kind = |word: &str| json!({"RecommendedPolicyType": word});
        policy(
            "Strict Preset Security Policy1700000000002",
            json!({}),
            kind("Strict"),
        );
        policy("standard preset security policy", json!({}), kind("Standard"));
        policy("Our strict preset security policy", json!({}), kind("Custom"));
        policy("Evaluation Policy", json!({}), json!({}));
        policy(
            "Office365 AntiPhish Default",
            json!({}),
            json!({"IsDefault": true, "RecommendedPolicyType": "Custom"}),
        );
        policy(
            "Sales",
            json!({"MakeDefault": false}),
            json!({"IsDefault": false, "RecommendedPolicyType": "Custom"}),
        );
    }

    #[test]
    fn information_types_become_the_cmdlets_list() {
        let rule = |types: Value, expected: Value| {
            check(
                "purview/DlpComplianceRule",
                json!({"Name": "R", "Policy": "P", "ContentContainsSensitiveInformation": types}),
                json!({"Name": "R", "Identity": "R", "ParentPolicyName": "P", "IsAdvancedRule": false,
                    "ContentContainsSensitiveInformation": expected}),
            );
        };
        let card = json!({"name": "Credit Card Number", "mincount": "1"});
        rule(json!({"SensitiveInformation": [card]}), json!([card]));
        rule(json!([card]), json!([card]));
        rule(json!({}), json!([]));
        rule(
            json!({"Groups": [{"SensitiveInformation": [card], "Name": "Default", "Operator": "Or"}], "Operator": "And"}),
            json!([{"operator": "And",
                "groups": [{"sensitivetypes": [card], "name": "Default", "operator": "Or"}]}]),
        );
        check(
            "purview/DlpComplianceRule",
            json!({"Name": "R", "AdvancedRule": "{\"Condition\":{}}"}),
            json!({"Name": "R", "Identity": "R", "AdvancedRule": "{\"Condition\":{}}", "IsAdvancedRule": true}),
        );
    }

    #[test]
    fn what_a_resource_does_not_tell_is_absent() {
        check(
            "exchange/AntiPhishRule",
            json!({"Identity": "R", "Enabled": null}),
            json!({"Identity": "R", "Name": "R"}),
        );
        let kind = type_of("exchange/AcceptedDomain").unwrap();
        let absent = json!({"Identity": "a.example", "Ensure": "absent"});
        assert_eq!(kind.row(absent.as_object().unwrap().clone()), None);
        let lacks = |path: &str, rows: Value| type_of(path).unwrap().lacks(&json!({"value": rows}));
        assert_eq!(lacks("exchange/RemoteDomain", json!([])), [""; 0]);
        let rows = json!([{"DomainName": "*", "AutoForwardEnabled": null}, {"DomainName": "a.example"}]);
        assert_eq!(lacks("exchange/RemoteDomain", rows), ["AutoForwardEnabled"]);
    }
}
