//! The fields that checks read. A field decides a verdict only if a case of the check has it, and the documents of the cases
//! have no field that the vendor's description doesn't have.

use crate::{
    csdl::{Model, Property, TypeRef},
    graph,
    log::{Log, wrong},
    okta, rego,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The settings that are stored as Graph answers them: path, version, and address below the version.
const GRAPH_SETTINGS: &[(&str, &str, &str)] = &[
    ("admin/sharepoint/settings", "v1.0", "admin/sharepoint/settings"),
    ("applications", "beta", "applications"),
    (
        "delegatedPermissionClassifications",
        "v1.0",
        "servicePrincipals/id/delegatedPermissionClassifications",
    ),
    ("domains", "v1.0", "domains"),
    (
        "identity/conditionalAccess/namedLocations",
        "v1.0",
        "identity/conditionalAccess/namedLocations",
    ),
    (
        "identity/conditionalAccess/policies",
        "beta",
        "identity/conditionalAccess/policies",
    ),
    (
        "policies/adminConsentRequestPolicy",
        "v1.0",
        "policies/adminConsentRequestPolicy",
    ),
    (
        "policies/appManagementPolicies",
        "beta",
        "policies/appManagementPolicies",
    ),
    (
        "policies/authenticationMethodsPolicy",
        "beta",
        "policies/authenticationMethodsPolicy",
    ),
    (
        "policies/authorizationPolicy",
        "v1.0",
        "policies/authorizationPolicy",
    ),
    (
        "policies/defaultAppManagementPolicy",
        "beta",
        "policies/defaultAppManagementPolicy",
    ),
    (
        "policies/identitySecurityDefaultsEnforcementPolicy",
        "v1.0",
        "policies/identitySecurityDefaultsEnforcementPolicy",
    ),
    ("settings", "beta", "settings"),
    ("subscribedSkus", "v1.0", "subscribedSkus"),
];

/// The settings of Okta: path, and the component of its rows.
const OKTA_SETTINGS: &[(&str, &str)] = &[("policies/OKTA_SIGN_ON", "OktaSignOnPolicy")];

/// The settings without a description, and the reason.
const UNDESCRIBED: &[(&str, &str)] = &[
    (
        "cloudidentity/policies",
        "Google's API, for imported documents only",
    ),
    ("conversations", "Slack's API, for imported documents only"),
    ("orgs/repos", "GitHub's API, for imported documents only"),
    (
        "orgs/secret-scanning/alerts",
        "GitHub's API, for imported documents only",
    ),
    ("directory/privilegedRoles", "our own form, from several answers"),
    ("directory/privilegedUsers", "our own form, from several answers"),
    ("dns/domains", "our own form, from DNS records"),
    ("groups/public", "our own form, from several answers"),
    (
        "groups/settings",
        "a list that Graph doesn't offer, for imported documents only",
    ),
    ("licenses/features", "our own form, from several answers"),
    ("reports/mfaCapability", "our own form, from several answers"),
    ("servicePrincipals/open", "our own form, from several answers"),
    ("users/summary", "our own form, from several answers"),
    ("policies/b2bManagementPolicy", "in no description"),
    ("powerbi/TenantSettings", "Fabric's API has no description here"),
    ("powerplatform/", "Power Platform's API has no description here"),
    (
        "sharepoint/Tenant",
        "SharePoint's administration has no description here",
    ),
    ("exchange/", "cmdlets and snapshots, which have one internal form"),
    ("purview/", "cmdlets and snapshots, which have one internal form"),
    ("teams/", "cmdlets and snapshots, which have one internal form"),
];

/// Fields that cases invent, because checks must not pass a policy with a condition that they don't know.
const INVENTED: &[&str] = &["moonPhases"];
/// Values that cases invent, because checks must not judge a value that they don't know.
const INVENTED_VALUES: &[&str] = &["anybody"];

fn checks() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../watchpost-policy/checks")
}

/// Returns the files with an ending in the folders of checks, by name.
fn files(ending: &str) -> BTreeMap<String, String> {
    let folders = [checks(), checks().join("variants")];
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    entries
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, std::fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

/// Returns the settings of all cases of a file, by path.
fn settings(cases: &str) -> Vec<(String, Value)> {
    let file: Value = serde_json::from_str(cases).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let all = cases.iter().filter_map(|case| case["settings"].as_object());
    all.flatten()
        .map(|(path, document)| (path.clone(), document.clone()))
        .collect()
}

/// Returns the rows of a document: its `value`, the list itself, or the object alone.
fn rows(document: &Value) -> Vec<Value> {
    match document.get("value").unwrap_or(document) {
        Value::Array(rows) => rows.clone(),
        other => vec![other.clone()],
    }
}

/// Returns a property of a type or of any type that is derived from it, because documents may leave the kind out.
fn property<'m>(model: &'m Model, name: &str, field: &str) -> Option<&'m Property> {
    model.property(name, field).or_else(|| {
        let mut derived = model
            .structures
            .iter()
            .filter(|(other, _)| model.derives(other, name));
        derived.find_map(|(_, structure)| structure.properties.get(field))
    })
}

/// Compares the names of fields, and the members of enumerations. Cases have wrong types on purpose.
fn compare(log: &mut Log, graph: &graph::Graph, model: &Model, place: &str, value: &Value, of: &TypeRef) {
    match value {
        Value::Array(items) => {
            for item in items {
                compare(log, graph, model, place, item, of);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields.iter().filter(|(field, _)| !field.starts_with('@')) {
                log.value();
                let at = format!("{place}.{field}");
                // The beta metadata are those of a cloud without some features that v1.0 has.
                let found = property(model, &of.name, field).or_else(|| property(&graph.v1, &of.name, field));
                match found {
                    None if INVENTED.contains(&field.as_str()) => {}
                    Some(property) => compare(log, graph, model, &at, value, &property.of),
                    None => log.differs(&at, "no such property"),
                }
            }
        }
        Value::String(text) => {
            if let Some(enumeration) = model.enumeration(&of.name)
                && !INVENTED_VALUES.contains(&text.as_str())
                && !text
                    .split(',')
                    .all(|part| enumeration.members.iter().any(|member| member == part.trim()))
            {
                log.differs(place, &format!("{text:?} isn't a member"));
            }
        }
        _ => {}
    }
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        Value::Object(fields) => {
            into.extend(fields.keys().cloned());
            fields.values().for_each(|value| keys(value, into));
        }
        _ => {}
    }
}

#[test]
fn documents_of_cases_have_only_fields_that_the_vendors_describe() {
    let (Some(graph), Some(okta)) = (graph::graph(), okta::okta()) else {
        return;
    };
    let mut log = Log::default();
    let mut documents = 0;
    for (check, cases) in files(".cases.json") {
        for (path, document) in settings(&cases) {
            log.at(format!("{check} {path}"));
            if let Some((_, version, address)) = GRAPH_SETTINGS.iter().find(|(known, ..)| *known == path) {
                documents += 1;
                let model = graph.model(version).unwrap();
                let segments: Vec<&str> = address.split('/').collect();
                let of = model.resolve(&segments).unwrap().of.unwrap();
                for row in rows(&document) {
                    compare(&mut log, graph, model, "", &row, &of);
                }
            } else if let Some((_, component)) = OKTA_SETTINGS.iter().find(|(known, _)| *known == path) {
                documents += 1;
                for mut row in rows(&document) {
                    let rules = row
                        .as_object_mut()
                        .and_then(|row| row.remove("rules"))
                        .unwrap_or_default();
                    okta_names(&mut log, okta, &row, component);
                    for rule in rows(&rules) {
                        okta_names(&mut log, okta, &rule, "OktaSignOnPolicyRule");
                    }
                }
            } else if !UNDESCRIBED
                .iter()
                .any(|(known, _)| path == *known || (known.ends_with('/') && path.starts_with(known)))
            {
                log.differs("", "a setting that this test doesn't know");
            }
        }
    }
    let texts = files(".cases.json");
    for name in INVENTED.iter().chain(INVENTED_VALUES) {
        assert!(
            texts.values().any(|text| text.contains(name)),
            "{name} is in no case"
        );
    }
    println!(
        "cases of checks: {documents} documents, {} fields compared, {} exceptions",
        log.counts.values,
        crate::exceptions::CASES.len()
    );
    let wrong = wrong(&log.differences, crate::exceptions::CASES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares the names of fields with a schema of Okta.
fn okta_names(log: &mut Log, okta: &crate::openapi::Document, value: &Value, component: &str) {
    let Value::Object(fields) = value else {
        return;
    };
    let mut all = log.trial();
    let schema = serde_json::json!({ "$ref": format!("#/components/schemas/{component}") });
    okta.compare_fields(&mut all, "", fields, &schema);
    all.differences
        .retain(|line, _| line.contains("no such property"));
    log.keep(all);
}

/// Returns the names of all properties in the types below one.
fn described(model: &Model, name: &str, seen: &mut BTreeSet<String>, into: &mut BTreeSet<String>) {
    if !seen.insert(model.full_name(name)) {
        return;
    }
    let mut all = model.lineage(name);
    let derived = model
        .structures
        .iter()
        .filter(|(other, _)| model.derives(other, name));
    all.extend(derived.map(|(_, structure)| structure));
    for structure in all {
        for (field, property) in &structure.properties {
            into.insert(field.clone());
            if let Some(enumeration) = model.enumeration(&property.of.name) {
                into.extend(enumeration.members.iter().cloned());
            }
            if !property.navigation {
                described(model, &property.of.name, seen, into);
            }
        }
    }
}

/// Returns the fields that the descriptions of the Graph settings have.
fn fields_of_graph(graph: &graph::Graph) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for (_, version, address) in GRAPH_SETTINGS {
        let model = graph.model(version).unwrap();
        let segments: Vec<&str> = address.split('/').collect();
        let of = model.resolve(&segments).unwrap().of.unwrap();
        for model in [model, &graph.v1] {
            described(model, &of.name, &mut BTreeSet::new(), &mut fields);
        }
    }
    fields
}

#[test]
fn checks_read_only_fields_that_are_described_or_that_their_cases_have() {
    let Some(graph) = graph::graph() else {
        return;
    };
    let cases = files(".cases.json");
    let mut known = fields_of_graph(graph);
    known.extend(crate::resources::fields());
    for text in cases.values() {
        keys(&serde_json::from_str(text).unwrap(), &mut known);
    }
    let sources = files(".rego");
    let own: BTreeSet<String> = sources.values().flat_map(|text| rego::own_names(text)).collect();
    let mut log = Log::default();
    for (check, text) in &sources {
        log.at(check.clone());
        for field in rego::fields(text) {
            log.value();
            // A check's own names are lower-case words; vendors' fields are rarely so.
            let is_own = own.contains(&field) && !field.contains(|c: char| c.is_ascii_uppercase());
            if !known.contains(&field) && !is_own {
                log.differs(&field, "neither described nor in a case");
            }
        }
    }
    println!(
        "checks: {} fields that they read, {} exceptions",
        log.counts.values,
        crate::exceptions::READS.len()
    );
    let wrong = wrong(&log.differences, crate::exceptions::READS);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
