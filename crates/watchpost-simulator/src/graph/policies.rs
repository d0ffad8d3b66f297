//! Tenant-wide documents: organisation, licences, domains, policies.

use serde_json::{Value, json};

use super::error;
use super::people::OFFICE_SKU_ID;
use crate::reply::{Context, Reply, Shape};
use crate::when::{iso, parse_offset};
use crate::world::World;

pub(super) fn organization(context: &Context) -> Reply {
    let world = &context.world;
    let profile = &world.company.profile;
    listing(json!({ "value": [{
        "id": world.tenant_id(), "displayName": profile.name, "tenantType": "AAD",
        "verifiedDomains": [
            { "name": profile.domain, "type": "Managed", "isDefault": true, "isInitial": false, "capabilities": "Email" },
            { "name": profile.initial_domain, "type": "Managed", "isDefault": false, "isInitial": true, "capabilities": "Email" } ],
        "onPremisesSyncEnabled": true, "countryLetterCode": "NL",
        "createdDateTime": iso(world.origin_ms - 3000 * crate::when::DAY_MS) }] }))
}

pub(super) fn subscribed_skus(context: &Context) -> Reply {
    let plan =
        |name: &str| json!({ "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User" });
    let mut plans = vec![
        plan("EXCHANGE_S_ENTERPRISE"),
        plan("SHAREPOINTENTERPRISE"),
        plan("TEAMS1"),
    ];
    if !context.unlicensed {
        plans.extend([plan("AAD_PREMIUM"), plan("AAD_PREMIUM_P2")]);
    }
    listing(
        json!({ "value": [{ "skuId": OFFICE_SKU_ID, "skuPartNumber": "SPE_E3", "capabilityStatus": "Enabled",
        "consumedUnits": 590, "prepaidUnits": { "enabled": 650, "suspended": 0, "warning": 0 }, "appliesTo": "User",
        "servicePlans": plans }] }),
    )
}

/// A document of `settings.json`; one with `value` is a list.
pub(super) fn document(context: &Context, name: &str) -> Reply {
    match context.world.company.settings.get(name) {
        Some(document) => listing(filled(&context.world, document)),
        None => error(
            context,
            404,
            "ResourceNotFound",
            "The resource could not be found.",
        ),
    }
}

/// v1.0 has one object, beta a list of one with the consent policies in another place.
pub(super) fn authorization(context: &Context, version: &str) -> Reply {
    let reply = document(context, "authorization");
    let crate::reply::Body::Json(Value::Object(mut policy)) = reply.body.clone() else {
        return reply;
    };
    if version != "beta" {
        return reply;
    }
    let assigned = policy
        .get_mut("defaultUserRolePermissions")
        .and_then(Value::as_object_mut)
        .and_then(|permissions| permissions.remove("permissionGrantPoliciesAssigned"));
    policy.insert(
        "permissionGrantPolicyIdsAssignedToDefaultUserRole".to_owned(),
        assigned.unwrap_or(json!([])),
    );
    listing(json!({ "value": [policy] }))
}

fn listing(body: Value) -> Reply {
    let shape = if body.get("value").is_some_and(Value::is_array) {
        Shape::Graph
    } else {
        Shape::Single
    };
    let mut reply = Reply::json(200, body);
    reply.shape = shape;
    reply
}

/// Replaces `@-400d` by the time, `#person:key` by the person's id and `#okta:key` by their Okta id, at any depth.
pub(crate) fn filled(world: &World, value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let time = text
                .strip_prefix('@')
                .and_then(parse_offset)
                .map(|offset| iso(world.origin_ms + offset));
            let person = text.strip_prefix("#person:").and_then(|key| world.position(key));
            let okta = text.strip_prefix("#okta:").and_then(|key| world.position(key));
            let replaced = time
                .or_else(|| person.map(|index| world.person_guid(index)))
                .or_else(|| okta.map(|index| world.okta_user_id(index)));
            Value::String(replaced.unwrap_or_else(|| text.clone()))
        }
        Value::Array(items) => items.iter().map(|item| filled(world, item)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(world, value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
