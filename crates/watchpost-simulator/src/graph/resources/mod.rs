//! The settings of workloads as resources of configuration snapshots. The settings are in the cmdlets' form, which is not
//! that of the resources.

mod table;

use crate::{settings, world::World};
use serde_json::{Map, Value, json};
use table::{RESOURCES, Resource};

/// Whether a snapshot can contain resources of this type. The name is in lower case.
pub(super) fn is_type(name: &str) -> bool {
    RESOURCES.iter().any(|resource| resource.name == name)
}

/// Returns the tenant's resources of a type.
pub(super) fn of_type(world: &World, name: &str) -> Vec<Value> {
    let Some(resource) = RESOURCES.iter().find(|resource| resource.name == name) else {
        return Vec::new();
    };
    let rows = settings::rows(world, resource.path).into_iter();
    rows.map(|row| resource.convert(&row)).collect()
}

/// A conversion of a field; `None` leaves the property out.
type Convert = fn(&Value) -> Option<Value>;

impl Resource {
    /// Converts a row of the setting. A property without a value is left out.
    fn convert(&self, row: &Value) -> Value {
        let mut properties = Map::new();
        if self.single {
            properties.insert("IsSingleInstance".to_owned(), json!("Yes"));
        }
        let kinds: [(&str, Convert); 4] = [
            (self.texts, text),
            (self.flags, flag),
            (self.lists, list),
            (self.numbers, number),
        ];
        for (words, convert) in kinds {
            for word in words.split_whitespace() {
                let (property, field) = word.split_once('=').unwrap_or((word, word));
                if let Some(value) = row.get(field).and_then(convert) {
                    properties.insert(property.to_owned(), value);
                }
            }
        }
        if self.path == "purview/DlpComplianceRule" {
            let field = "ContentContainsSensitiveInformation";
            let types = row.get(field).and_then(information_types);
            properties.extend(types.map(|types| (field.to_owned(), types)));
        }
        if self.ensure {
            properties.insert("Ensure".to_owned(), json!("Present"));
        }
        let id = ["Identity", "Name", "DisplayName"]
            .iter()
            .find_map(|key| properties.get(*key)?.as_str());
        let noun = self.path.rsplit('/').next().unwrap_or_default();
        let prefix = match self.name.split('.').nth(1) {
            Some("exchange") => "EXO",
            Some("securityandcompliance") => "SC",
            _ => "Teams",
        };
        let title = format!("{prefix}{noun}-{}", id.unwrap_or("Default"));
        json!({ "displayName": title, "resourceType": self.name, "properties": properties })
    }
}

fn text(value: &Value) -> Option<Value> {
    match value {
        // Teams puts this in front of the names of policies, which resources don't have.
        Value::String(text) => Some(json!(text.strip_prefix("Tag:").unwrap_or(text))),
        Value::Number(number) => Some(json!(number.to_string())),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<Value> {
    match value.as_str() {
        Some("Enabled") => Some(json!(true)),
        Some("Disabled") => Some(json!(false)),
        _ => value.as_bool().map(Value::Bool),
    }
}

fn number(value: &Value) -> Option<Value> {
    let parsed = value.as_str().and_then(|text| text.parse::<i64>().ok());
    value.as_i64().or(parsed).map(Value::from)
}

fn list(value: &Value) -> Option<Value> {
    let entries = value.as_array()?.iter().filter_map(|entry| match entry {
        Value::Object(fields) => ["Domain", "Name", "Id"]
            .iter()
            .find_map(|key| fields.get(*key)?.as_str()),
        entry => entry.as_str(),
    });
    Some(entries.collect())
}

/// Converts the list of information types to an object. An entry with groups becomes the object's groups.
fn information_types(value: &Value) -> Option<Value> {
    let known = |entry: &Value| -> Value {
        let names = [
            "name",
            "id",
            "mincount",
            "maxcount",
            "minconfidence",
            "maxconfidence",
            "classifiertype",
        ];
        let fields = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), text(entry.get(*name)?)?)));
        Value::Object(fields.collect())
    };
    let mut object = Map::new();
    let (grouped, plain): (Vec<_>, Vec<_>) = value
        .as_array()?
        .iter()
        .partition(|entry| entry.get("groups").is_some());
    if !plain.is_empty() {
        let types: Vec<Value> = plain.into_iter().map(known).collect();
        object.insert("SensitiveInformation".to_owned(), types.into());
    }
    if let Some(entry) = grouped.first() {
        let groups = entry["groups"].as_array()?.iter().map(|group| {
            let types = group["sensitivetypes"].as_array().into_iter().flatten();
            json!({ "Name": group["name"], "Operator": group["operator"],
                "SensitiveInformation": types.map(known).collect::<Vec<_>>() })
        });
        object.insert("Groups".to_owned(), groups.collect());
        object.insert("Operator".to_owned(), entry["operator"].clone());
    }
    Some(object.into())
}
