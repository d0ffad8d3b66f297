//! The organisation itself.

use serde_json::json;

use crate::reply::{Context, Reply, Shape};
use crate::when::iso;

pub(super) fn organization(context: &Context) -> Reply {
    let world = &context.world;
    let profile = &world.company.profile;
    let mut reply = Reply::json(
        200,
        json!({ "value": [{
        "id": world.tenant_id(), "displayName": profile.name, "tenantType": "AAD",
        "verifiedDomains": [
            { "name": profile.domain, "type": "Managed", "isDefault": true, "isInitial": false, "capabilities": "Email" },
            { "name": profile.initial_domain, "type": "Managed", "isDefault": false, "isInitial": true, "capabilities": "Email" } ],
        "onPremisesSyncEnabled": true, "countryLetterCode": "NL",
        "createdDateTime": iso(world.origin_ms - 3000 * crate::when::DAY_MS) }] }),
    );
    reply.shape = Shape::Graph;
    reply
}
