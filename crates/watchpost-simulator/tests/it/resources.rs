//! Validation of the simulated resources of configuration snapshots against the schema that Microsoft publishes. It isn't
//! part of the repository: it is in `SHARED_DIR`, by default `../shared`.

use crate::client::{Client, read};
use serde_json::{Value, json};
use std::{
    io::Read,
    path::{Path, PathBuf},
};
use watchpost_simulator::Change;

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

/// Adds the errors of a value against a schema of this file, which uses `type`, `properties`, `required`, `items`, and
/// patterns that list words in any capitals.
fn validate(at: &str, value: &Value, schema: &Value, errors: &mut Vec<String>) {
    let is_kind = match schema["type"].as_str() {
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !is_kind {
        errors.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let Some(message) = schema["errorMessage"].as_str() {
        let text = value.as_str().unwrap_or_default();
        let mut words = message.split('\'').skip(1).step_by(2);
        if !words.any(|word| word.eq_ignore_ascii_case(text)) {
            errors.push(format!("{at}: {value}: {message}"));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        validate(&format!("{at}/{index}"), item, &schema["items"], errors);
    }
    if let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, inner) in fields {
            match properties.get(name) {
                Some(schema) => validate(&format!("{at}/{name}"), inner, schema, errors),
                None => errors.push(format!("{at}: no property {name}")),
            }
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                errors.push(format!("{at}: {name} is missing"));
            }
        }
    }
}

/// Settings that the company doesn't have, so that every resource type has a resource.
fn more() -> Vec<(&'static str, Value)> {
    let rule = |policy: &str, priority: Value| {
        json!({ "Identity": "R", "Name": "R", "State": "Enabled", "Priority": priority, policy: "P",
            "SentTo": ["a@birchworks.example"], "SentToMemberOf": null, "RecipientDomainIs": [] })
    };
    vec![
        (
            "exchange/HostedContentFilterRule",
            rule("HostedContentFilterPolicy", json!(0)),
        ),
        (
            "exchange/MalwareFilterRule",
            rule("MalwareFilterPolicy", json!(0)),
        ),
        ("exchange/AntiPhishRule", rule("AntiPhishPolicy", json!("1"))),
        (
            "exchange/OutboundConnector",
            json!({ "Identity": "C", "Enabled": true, "ConnectorType": "Partner", "RecipientDomains": ["*"],
                "SmartHosts": ["relay.birchworks.example"], "TlsSettings": "CertificateValidation" }),
        ),
        (
            "purview/DlpComplianceRule",
            json!({ "Name": "Grouped", "ParentPolicyName": "P", "Disabled": false, "ContentContainsSensitiveInformation": [
                { "operator": "And", "groups": [{ "name": "Default", "operator": "Or",
                    "sensitivetypes": [{ "name": "Credit Card Number", "mincount": 1 }] }] }] }),
        ),
    ]
}

#[tokio::test]
async fn every_simulated_resource_is_valid_against_the_schema() {
    let Some(definitions) = definitions() else {
        return;
    };
    let client = Client::start().await;
    for (path, row) in more() {
        let change = Change::SetSetting {
            path: path.to_owned(),
            pointer: "/value/-".to_owned(),
            value: row,
        };
        client.simulator.apply(&change).unwrap();
    }
    client.simulator.set_snapshot_polls(0);
    let base = format!(
        "{}/v1.0/admin/configurationManagement",
        client.simulator.m365().graph_url
    );
    let mut types = 0;
    let mut resources = 0;
    let mut errors = Vec::new();
    for (name, schema) in definitions.as_object().unwrap() {
        // A type that the simulator doesn't know is rejected.
        let body = json!({ "displayName": format!("Job {types}"), "description": "", "resources": [name] });
        let created = client
            .graph_post(
                "v1.0/admin/configurationManagement/configurationSnapshots/createSnapshot",
                &body,
            )
            .await;
        if created.status == 400 {
            continue;
        }
        assert_eq!(created.status, 201, "{name}: {}", created.body);
        types += 1;
        let id = created.json()["id"].as_str().unwrap().to_owned();
        let job = format!("{base}/configurationSnapshotJobs/{id}");
        let done = client
            .graph(&format!("{job}?$select=resourceLocation"))
            .await
            .json();
        let snapshot = client
            .graph(done["resourceLocation"].as_str().unwrap())
            .await
            .json();
        let rows = snapshot["resources"].as_array().unwrap().clone();
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            assert_eq!(row["resourceType"], **name);
            resources += 1;
            validate(
                &format!("{name} {}", row["displayName"]),
                &row["properties"],
                schema,
                &mut errors,
            );
        }
        let deleted = client.http.delete(job).bearer_auth(&client.graph_token).send();
        assert_eq!(read(deleted.await.unwrap()).await.status, 204);
    }
    assert!(errors.is_empty(), "{errors:#?}");
    println!("{resources} resources of {types} types are valid");
    assert_eq!(types, 35);
}
