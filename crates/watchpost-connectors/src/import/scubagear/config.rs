//! The ScubaGear configuration in an export: exemptions and parameters by policy.

use super::shape::texts;
use serde_json::{Map, Value};
use watchpost_core::check::CheckDocument;

/// The maximum number of policies in a configuration. The catalog has fewer than two hundred.
const POLICIES_MAX: usize = 1_000;
/// The maximum number of exempted ids per policy and kind.
const IDS_MAX: usize = 10_000;

/// The lists of exempted ids: the outer key, the inner key, and the kind of the exemption.
const EXCLUSIONS: &[(&str, &str, &str)] = &[
    ("CapExclusions", "Users", "user"),
    ("CapExclusions", "Groups", "group"),
    ("CapExclusions", "Applications", "application"),
    ("CapExclusions", "GuestUserTypes", "guest_user_type"),
    ("RoleExclusions", "Users", "role_user"),
    ("RoleExclusions", "Groups", "role_group"),
];

/// Adds the exemptions and parameters of a `scuba_config` to a document. Products are recognized by the names of their
/// policies, because the names of the products have changed. Omitted and annotated policies aren't exemptions: they are
/// still evaluated.
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

/// Returns the configured cloud: `commercial`, `gcc`, `gcchigh` or `dod`.
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

/// Whether a key is the id of a policy, such as `MS.AAD.1.1v1`.
fn is_policy(name: &str) -> bool {
    let upper = name.get(..4).unwrap_or_default().to_ascii_uppercase();
    name.len() <= 64 && (upper.starts_with("MS.") || upper == "GWS.")
}

/// Converts `SensitiveUsers` to `sensitive_users`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len().saturating_add(4));
    let mut previous_is_lower = false;
    for c in name.chars().take(64) {
        if c.is_ascii_uppercase() && previous_is_lower {
            out.push('_');
        }
        previous_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}
