//! Tests of the table against the published schema, which is in `SHARED_DIR`, by default `../shared`.

use super::*;
use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

/// Returns the definitions of the schema. If it doesn't exist, prints a line and returns `None`, or fails in continuous
/// integration.
fn definitions() -> Option<Value> {
    let shared = std::env::var_os("SHARED_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = shared.join("data/vendor/utcm-monitor.json.gz");
    if !file.is_file() {
        assert!(
            std::env::var_os("CI").is_none(),
            "no shared data: {}",
            file.display()
        );
        eprintln!("skipped: no shared data: {}", file.display());
        return None;
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    Some(schema["$defs"].clone())
}

#[test]
fn every_ordered_type_is_in_the_schema_and_every_property_in_its_type() {
    let Some(definitions) = definitions() else {
        return;
    };
    for kind in TYPES {
        let properties = &definitions[kind.name]["properties"];
        let has = |name: &str| properties.get(name).is_some();
        assert!(properties.is_object(), "{}", kind.name);
        for field in kind.fields {
            let property = match field.from {
                Made::Renamed(name) | Made::Copied(name) | Made::State(name) | Made::IsDefault(name) => {
                    assert!(
                        !has(field.name) || matches!(field.from, Made::Copied(_)),
                        "{} {}",
                        kind.name,
                        field.name
                    );
                    name
                }
                Made::Preset => "Identity",
                Made::Advanced => "AdvancedRule",
                Made::Word(_) | Made::Tagged | Made::InformationTypes | Made::Dropped => field.name,
            };
            assert!(has(property), "{} {property}", kind.name);
        }
    }
}

#[test]
fn the_words_of_a_property_are_the_schemas() {
    let Some(definitions) = definitions() else {
        return;
    };
    for kind in TYPES {
        for field in kind.fields {
            let Made::Word(words) = field.from else { continue };
            let property = &definitions[kind.name]["properties"][field.name];
            let message = property["errorMessage"].as_str().unwrap();
            let named: BTreeSet<&str> = message.split('\'').skip(1).step_by(2).collect();
            let known: BTreeSet<&str> = words.iter().copied().collect();
            assert!(named.is_subset(&known), "{} {}: {named:?}", kind.name, field.name);
        }
    }
}

#[test]
fn the_needed_fields_that_no_snapshot_tells_are_known() {
    let Some(definitions) = definitions() else {
        return;
    };
    let mut untold = Vec::new();
    for kind in TYPES {
        for name in kind.needs {
            let is_made = kind.fields.iter().any(|field| field.name == *name);
            if !is_made && definitions[kind.name]["properties"].get(*name).is_none() {
                untold.push((kind.path, *name));
            }
        }
    }
    assert_eq!(
        untold,
        [
            ("exchange/OrganizationConfig", "RejectDirectSend"),
            ("exchange/AcceptedDomain", "IsCoexistenceDomain"),
            ("exchange/EOPProtectionPolicyRule", "HostedContentFilterPolicy"),
            ("purview/DlpComplianceRule", "Priority"),
        ]
    );
}
