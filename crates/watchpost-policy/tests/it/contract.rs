//! The field names of documents are a contract: cases and rules use only fields that the domain serializes.

use crate::documents::{app, identity, integration};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};
use watchpost_policy::cases;

/// Field names by kind of object.
type Fields = BTreeMap<String, BTreeSet<String>>;

fn kind_of(parent: &str, key: &str) -> Option<&'static str> {
    Some(match key {
        "accounts" if parent == "identity" => "account",
        "roles" => "role",
        "grants" => "grant",
        "integrations" | "integration" => "integration_ref",
        "principals" | "owners" => "principal",
        "credentials" => "credential",
        _ => return None,
    })
}

fn collect(kind: &str, value: &Map<String, Value>, out: &mut Fields) {
    for (key, value) in value {
        out.entry(kind.to_owned()).or_default().insert(key.clone());
        let Some(inner) = kind_of(kind, key) else { continue };
        match value {
            Value::Object(fields) => collect(inner, fields, out),
            Value::Array(items) => {
                for item in items.iter().filter_map(Value::as_object) {
                    collect(inner, item, out);
                }
            }
            _ => {}
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}

/// Returns the fields that the domain serializes when everything is known.
fn serialized() -> Fields {
    let mut out = Fields::new();
    for (kind, document) in [
        ("identity", serde_json::to_value(identity(1)).unwrap()),
        ("app", serde_json::to_value(app()).unwrap()),
        ("integration", serde_json::to_value(integration()).unwrap()),
    ] {
        collect(kind, &object(document), &mut out);
    }
    out
}

#[test]
fn cases_use_only_fields_that_documents_have() {
    let real = serialized();
    let mut used = Fields::new();
    let base = object(serde_json::from_str(cases::base()).unwrap());
    for (kind, defaults) in base.iter().filter(|(kind, _)| *kind != "platforms") {
        collect(kind, &object(defaults.clone()), &mut used);
    }
    let pack = watchpost_policy::Pack::builtin();
    for (rule, _, text) in cases::builtin_cases() {
        let kind = pack
            .rules()
            .iter()
            .find(|candidate| candidate.id == rule)
            .unwrap()
            .document
            .as_str();
        let file: Value = serde_json::from_str(text).unwrap();
        for case in file["cases"].as_array().unwrap() {
            collect(kind, &object(case["document"].clone()), &mut used);
        }
    }
    for (kind, fields) in used {
        let unknown: Vec<_> = fields.difference(&real[&kind]).collect();
        assert!(unknown.is_empty(), "{kind} has no {unknown:?}");
    }
}

#[test]
fn a_base_sets_every_field_that_documents_always_have() {
    // The base leaves out only fields that may be unknown. Otherwise, rules would be tested with documents that never
    // occur.
    let optional = [
        "status_changed_at_ms",
        "password_never_expires",
        "password_changed_at_ms",
        "password_expiry_exempt",
        "synced",
        "on_premises_id",
        "phishing_resistant",
        "weak_mfa_only",
        "expires_at_ms",
        "network",
        "invitation_pending",
        "mailbox",
        "via_group",
        "ends_at_ms",
        "name",
        "last_used_ms",
        "sign_on_mode",
        "deprovisioning",
        "tenant_wide_risk",
    ];
    let base = object(serde_json::from_str(cases::base()).unwrap());
    for (kind, fields) in serialized() {
        let defaults = object(base[&kind].clone());
        for field in fields.iter().filter(|field| !optional.contains(&field.as_str())) {
            assert!(defaults.contains_key(field), "the base {kind} lacks {field}");
        }
    }
}

/// Returns the field names after `prefix` in a rule's text.
fn fields_after<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    text.match_indices(prefix)
        .filter(|(at, _)| {
            !text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '"'))
        })
        .map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn rules_read_only_fields_that_documents_have() {
    let real = serialized();
    let pack = watchpost_policy::Pack::builtin();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut read = 0;
    let mut check = |file: &str, kinds: &[&str], prefix: &str, text: &str| {
        for field in fields_after(text, prefix) {
            read += 1;
            assert!(
                kinds.iter().any(|kind| real[*kind].contains(field)),
                "{file}: {prefix}{field} is not a field of {kinds:?}"
            );
        }
    };
    let everything = ["identity", "app", "integration"];
    let mut texts = vec![("lib.rego".to_owned(), everything.as_slice())];
    for rule in pack.rules() {
        let kind = everything
            .iter()
            .position(|kind| *kind == rule.document.as_str())
            .unwrap();
        texts.push((format!("{}.rego", rule.id), &everything[kind..=kind]));
    }
    for (file, documents) in texts {
        let text: String = fs::read_to_string(folder.join(&file))
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .fold(String::new(), |all, line| all + line + "\n");
        check(&file, documents, "input.doc.", &text);
        for (prefix, kind) in [
            ("account.", "account"),
            ("account.integration.", "integration_ref"),
            ("input.doc.integration.", "integration_ref"),
            ("role.", "role"),
            ("grant.", "grant"),
            ("owner.", "principal"),
            ("credential.", "credential"),
        ] {
            check(&file, &[kind], prefix, &text);
        }
    }
    assert!(read > 300, "only {read} fields seen: the scan is broken");
}
