//! Graph routes that return a settings document as it is.

use super::{apps, error, list};
use crate::{
    fault::Vendor,
    reply::{Context, Reply, Request},
    settings,
    world::World,
};
use serde_json::{Value, json};

/// The members of enumerations of conditional access that were added after `unknownFutureValue`.
const LATER_MEMBERS: [&str; 2] = ["linux", "riskRemediation"];

/// Returns the settings path of a route, if the route returns a settings document.
pub(super) fn path(route: &[&str], version: &str, world: &World) -> Option<&'static str> {
    let path = match route {
        ["domains"] => "domains",
        ["identity", "conditionalAccess", "policies"] => "identity/conditionalAccess/policies",
        ["identity", "conditionalAccess", "namedLocations"] => "identity/conditionalAccess/namedLocations",
        ["policies", "authenticationMethodsPolicy"] => "policies/authenticationMethodsPolicy",
        ["policies", "identitySecurityDefaultsEnforcementPolicy"] => {
            "policies/identitySecurityDefaultsEnforcementPolicy"
        }
        ["policies", "adminConsentRequestPolicy"] => "policies/adminConsentRequestPolicy",
        ["policies", "defaultAppManagementPolicy"] => "policies/defaultAppManagementPolicy",
        ["policies", "appManagementPolicies"] => "policies/appManagementPolicies",
        ["admin", "sharepoint", "settings"] => "admin/sharepoint/settings",
        ["security", "secureScores"] => "security/secureScores",
        ["settings"] if version == "beta" => "settings",
        ["legacy", "policies"] if version == "beta" => "policies/b2bManagementPolicy",
        ["servicePrincipals", id, "delegatedPermissionClassifications"]
            if *id == apps::graph_principal(world) =>
        {
            "delegatedPermissionClassifications"
        }
        _ => return None,
    };
    Some(path)
}

/// Returns the document: a list in pages, anything else as a whole.
pub(super) fn document(request: &Request, context: &Context, version: &str, path: &'static str) -> Reply {
    let Some(mut document) = settings::read(&context.world, path) else {
        return error(
            context,
            404,
            "ResourceNotFound",
            "The resource could not be found.",
        );
    };
    if version != "beta" {
        strip_beta(path, &mut document);
    }
    if path == "identity/conditionalAccess/policies"
        && !request.prefer.contains("include-unknown-enum-members")
    {
        hide_later_members(&mut document);
    }
    let Some(Value::Array(rows)) = document.get_mut("value").map(Value::take) else {
        return Reply::json(200, document);
    };
    let about = super::List {
        context: match path {
            "delegatedPermissionClassifications" => "servicePrincipals/delegatedPermissionClassifications",
            other => other,
        },
        total: rows.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |at| rows.get(at as usize).cloned())
}

/// Replaces the members of enumerations that were added later: only clients that ask for them get them.
fn hide_later_members(value: &mut Value) {
    match value {
        Value::String(text) if LATER_MEMBERS.contains(&text.as_str()) => *value = json!("unknownFutureValue"),
        Value::Array(items) => items.iter_mut().for_each(hide_later_members),
        Value::Object(fields) => fields.values_mut().for_each(hide_later_members),
        _ => {}
    }
}

/// Removes what only the beta version returns: fields of conditional access policies, and a method of authentication.
fn strip_beta(path: &str, document: &mut Value) {
    if let Some(Value::Array(methods)) = document.get_mut("authenticationMethodConfigurations") {
        methods.retain(|method| method["id"] != "HardwareOath");
    }
    if path != "identity/conditionalAccess/policies" {
        return;
    }
    let rows = document.get_mut("value").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        if let Some(Value::Object(conditions)) = row.get_mut("conditions") {
            for name in ["authenticationFlows", "agentIdRiskLevels"] {
                conditions.remove(name);
            }
        }
        if let Some(Value::Object(controls)) = row.get_mut("sessionControls") {
            controls.remove("continuousAccessEvaluation");
        }
    }
}

/// Returns the authorization policy: v1.0 returns an object, beta a list of one with the consent policies in another field.
pub(super) fn authorization(request: &Request, context: &Context, version: &str) -> Reply {
    let path = "policies/authorizationPolicy";
    let Some(mut policy) = settings::read(&context.world, path) else {
        return document(request, context, version, path);
    };
    if version != "beta" {
        return Reply::json(200, policy);
    }
    let assigned = policy
        .pointer_mut("/defaultUserRolePermissions")
        .and_then(Value::as_object_mut)
        .and_then(|permissions| permissions.remove("permissionGrantPoliciesAssigned"));
    policy["permissionGrantPolicyIdsAssignedToDefaultUserRole"] = assigned.unwrap_or(json!([]));
    let about = super::List {
        context: "policies/authorizationPolicy",
        total: 1,
        page: (1, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |_| Some(policy.clone()))
}

/// Lists the tenant's licenses, without those that were removed.
pub(super) fn subscribed_skus(request: &Request, context: &Context) -> Reply {
    let lost = |plan: &str| {
        let premium = match plan {
            _ if plan.starts_with("AAD_PREMIUM") => Vendor::Graph,
            _ if plan.starts_with("ATP_") || plan.starts_with("THREAT_") => Vendor::Exchange,
            _ if plan.starts_with("BI_") => Vendor::Fabric,
            _ => return false,
        };
        context.lacks_license(premium)
    };
    let rows: Vec<Value> = settings::rows(&context.world, "subscribedSkus")
        .into_iter()
        .filter_map(|mut sku| {
            let plans = sku.get_mut("servicePlans")?.as_array_mut()?;
            plans.retain(|plan| !plan["servicePlanName"].as_str().is_some_and(lost));
            (!plans.is_empty()).then_some(sku)
        })
        .collect();
    let about = super::List {
        context: "subscribedSkus",
        total: rows.len() as u64,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |at| rows.get(at as usize).cloned())
}
