//! The internal form of the settings that are read by cmdlets: one form for all sources, so that a check reads the same
//! fields whether the setting came from a cmdlet, an export or a configuration snapshot.
//!
//! The fields have the cmdlets' names and kinds. What a source can't tell is left out: an absent field is unknown, which is
//! neither `null` nor `false`. These fields differ between sources:
//!
//! | fields | form |
//! |---|---|
//! | `Priority` of rules, `SetSCL`, `PhishThresholdLevel`, `Selector1KeySize` | numbers, also where a source gives texts |
//! | `AllowedSenderDomains`, `AllowedSenders`, the locations of DLP policies, `AllowedDomains`, `BlockedDomains` | lists of texts, also where a source gives objects |
//! | data policies of Power Platform | `name`, `displayName`, `environmentType` (`AllEnvironments`, `OnlyEnvironments`, `ExceptEnvironments`) and `environments`, each with its `name` |
//!
//! [`snapshot`] has the fields that configuration snapshots name differently.

pub(crate) mod power_platform;
pub(crate) mod snapshot;

use serde_json::{Map, Value};

/// The conversion of a field's values.
#[derive(Debug, Clone, Copy)]
enum Values {
    /// A number, which may be written as a text.
    Number,
    /// A list of texts. An entry may be an object that has the text in the first of these fields that it has.
    Texts(&'static [&'static str]),
}

/// The fields whose values differ between sources, by the setting's path.
const FIELDS: &[(&str, &[&str], Values)] = &[
    ("exchange/TransportRule", &["SetSCL", "Priority"], Values::Number),
    ("exchange/MalwareFilterRule", &["Priority"], Values::Number),
    ("exchange/HostedContentFilterRule", &["Priority"], Values::Number),
    ("exchange/AntiPhishRule", &["Priority"], Values::Number),
    ("exchange/SafeLinksRule", &["Priority"], Values::Number),
    ("exchange/SafeAttachmentRule", &["Priority"], Values::Number),
    ("exchange/EOPProtectionPolicyRule", &["Priority"], Values::Number),
    ("exchange/ATPProtectionPolicyRule", &["Priority"], Values::Number),
    (
        "exchange/DkimSigningConfig",
        &["Selector1KeySize"],
        Values::Number,
    ),
    (
        "exchange/AntiPhishPolicy",
        &["PhishThresholdLevel"],
        Values::Number,
    ),
    ("purview/DlpComplianceRule", &["Priority"], Values::Number),
    ("purview/DlpCompliancePolicy", &["Priority"], Values::Number),
    (
        "exchange/HostedContentFilterPolicy",
        &["AllowedSenderDomains", "BlockedSenderDomains"],
        Values::Texts(&["Domain"]),
    ),
    (
        "exchange/HostedContentFilterPolicy",
        &["AllowedSenders", "BlockedSenders"],
        Values::Texts(&["Address", "Sender"]),
    ),
    (
        "purview/DlpCompliancePolicy",
        &[
            "ExchangeLocation",
            "SharePointLocation",
            "OneDriveLocation",
            "TeamsLocation",
            "EndpointDlpLocation",
        ],
        Values::Texts(&["Name", "DisplayName"]),
    ),
    (
        "teams/FederationConfiguration",
        &["AllowedDomains", "BlockedDomains"],
        Values::Texts(&["Domain"]),
    ),
];

/// Converts a row of a cmdlet's output, as the cmdlet or an export of it returns it, to the internal form.
pub(crate) fn from_command(path: &str, mut row: Value) -> Value {
    if let Value::Object(fields) = &mut row {
        convert(path, fields);
    }
    row
}

/// Converts the values that differ between sources. What isn't understood remains unchanged.
fn convert(path: &str, fields: &mut Map<String, Value>) {
    let of_path = FIELDS.iter().filter(|(of, ..)| *of == path);
    for (_, names, values) in of_path {
        for name in *names {
            if let Some(value) = fields.get_mut(*name) {
                match values {
                    Values::Number => number(value),
                    Values::Texts(keys) => texts(value, keys),
                }
            }
        }
    }
}

/// Converts a text that is an integer to a number.
fn number(value: &mut Value) {
    if let Some(number) = value.as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
        *value = number.into();
    }
}

/// Converts a list of objects to a list of texts, unless an entry is neither a text nor an object with one.
fn texts(value: &mut Value, keys: &[&str]) {
    let entries = match &*value {
        Value::Array(entries) => entries.as_slice(),
        Value::Object(fields) if !fields.is_empty() => std::slice::from_ref(&*value),
        _ => return,
    };
    let mut found = Vec::new();
    for entry in entries {
        if !text_of(entry, keys, 0, &mut found) {
            return;
        }
    }
    *value = Value::Array(found.into_iter().map(Value::String).collect());
}

/// The nesting depth up to which a text is looked for.
const DEPTH_MAX: u32 = 4;

/// Adds the texts of an entry. Returns `false` if it has none that is understood.
fn text_of(entry: &Value, keys: &[&str], depth: u32, found: &mut Vec<String>) -> bool {
    match entry {
        Value::String(text) => {
            found.push(text.clone());
            true
        }
        Value::Object(fields) if depth < DEPTH_MAX => keys
            .iter()
            .find_map(|key| fields.get(*key))
            .is_some_and(|inner| text_of(inner, keys, depth.saturating_add(1), found)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_sources_write_differently_are_converted_and_others_kept() {
        let check = |path: &str, row: Value, expected: Value| {
            assert_eq!(from_command(path, row.clone()), expected, "{path} {row}");
        };
        check(
            "exchange/TransportRule",
            json!({"SetSCL": "-1", "Priority": 3, "Name": "12"}),
            json!({"SetSCL": -1, "Priority": 3, "Name": "12"}),
        );
        check(
            "exchange/TransportRule",
            json!({"SetSCL": "high"}),
            json!({"SetSCL": "high"}),
        );
        check(
            "exchange/HostedContentFilterPolicy",
            json!({"AllowedSenderDomains": [{"Domain": "a.example"}, "b.example"],
                "AllowedSenders": [{"Sender": {"Address": "x@a.example"}}]}),
            json!({"AllowedSenderDomains": ["a.example", "b.example"], "AllowedSenders": ["x@a.example"]}),
        );
        check(
            "purview/DlpCompliancePolicy",
            json!({"ExchangeLocation": [{"DisplayName": "All", "Name": "All"}], "TeamsLocation": {},
                "OneDriveLocation": {"Name": "All"}, "SharePointLocation": null}),
            json!({"ExchangeLocation": ["All"], "TeamsLocation": {}, "OneDriveLocation": ["All"],
                "SharePointLocation": null}),
        );
        for unknown in [json!([{"Other": "x"}]), json!([7]), json!("All"), json!([["a"]])] {
            let row = json!({"AllowedDomains": unknown});
            check("teams/FederationConfiguration", row.clone(), row);
        }
        check("domains", json!({"SetSCL": "-1"}), json!({"SetSCL": "-1"}));
        check("exchange/TransportRule", json!("text"), json!("text"));
    }
}
