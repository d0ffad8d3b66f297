//! The operator's own configuration in an export: exemptions and parameters, per policy.

use super::shape::texts;
use serde_json::{Map, Value};
use watchpost_core::check::CheckDocument;

/// Policies that a configuration may speak of; the catalogue has fewer than two hundred.
const POLICIES_MAX: usize = 1_000;
/// Exempted things of one policy and kind.
const IDS_MAX: usize = 10_000;

/// Lists of exempted things: key, key within it, and the kind that we call it.
const EXCLUSIONS: &[(&str, &str, &str)] = &[
    ("CapExclusions", "Users", "user"),
    ("CapExclusions", "Groups", "group"),
    ("CapExclusions", "Applications", "application"),
    ("CapExclusions", "GuestUserTypes", "guest_user_type"),
    ("RoleExclusions", "Users", "role_user"),
    ("RoleExclusions", "Groups", "role_group"),
];

/// Puts the exemptions and parameters of a `scuba_config` into a document. Products are told by their policies'
/// names, not by their own, which changed. Omitted and annotated policies are no exemptions: those policies are
/// judged all the same.
pub(super) fn read(config: &Value, document: &mut CheckDocument) {
    let Some(products) = config.as_object() else {
        return;
    };
    let policies = products
        .iter()
        .filter(|(product, _)| !matches!(product.as_str(), "OmitPolicy" | "AnnotatePolicy"))
        .filter_map(|(_, inner)| inner.as_object())
        .flatten()
        .filter(|(policy, _)| is_policy(policy))
        .filter_map(|(policy, inner)| Some((policy, inner.as_object()?)));
    for (policy, inner) in policies.take(POLICIES_MAX) {
        read_policy(policy, inner, document);
    }
}

/// The cloud that the run was told it is in: `commercial`, `gcc`, `gcchigh`, `dod`.
pub(super) fn environment(config: &Value) -> Option<String> {
    let name = config
        .get("M365Environment")?
        .as_str()?
        .trim()
        .to_ascii_lowercase();
    (!name.is_empty() && name.len() <= 32).then_some(name)
}

fn read_policy(policy: &str, inner: &Map<String, Value>, document: &mut CheckDocument) {
    for (outer_key, key, kind) in EXCLUSIONS {
        let ids = inner.get(*outer_key).and_then(|exclusions| exclusions.get(*key));
        exempt(policy, kind, ids, document);
    }
    exempt(policy, "domain", inner.get("AllowedForwardingDomains"), document);
    for (key, value) in inner {
        let known = matches!(
            key.as_str(),
            "CapExclusions" | "RoleExclusions" | "AllowedForwardingDomains"
        );
        if !known {
            document
                .params
                .entry(policy.to_owned())
                .or_default()
                .insert(snake_case(key), value.clone());
        }
    }
}

fn exempt(policy: &str, kind: &str, ids: Option<&Value>, document: &mut CheckDocument) {
    for id in texts(ids).into_iter().take(IDS_MAX) {
        document.exemptions.push(watchpost_core::check::Exempted {
            check: policy.to_owned(),
            kind: kind.to_owned(),
            id,
        });
    }
}

/// `MS.AAD.1.1v1` and the like.
fn is_policy(name: &str) -> bool {
    let upper = name.get(..4).unwrap_or_default().to_ascii_uppercase();
    name.len() <= 64 && (upper.starts_with("MS.") || upper == "GWS.")
}

/// `SensitiveUsers` as `sensitive_users`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len().saturating_add(4));
    let mut before_is_lower = false;
    for c in name.chars().take(64) {
        if c.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}
