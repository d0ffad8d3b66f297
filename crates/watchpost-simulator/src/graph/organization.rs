//! The organization itself.

use crate::{
    reply::{Context, Reply, Shape},
    settings,
    when::iso,
};
use serde_json::json;

pub(super) fn organization(context: &Context) -> Reply {
    let world = &context.world;
    let profile = &world.company.profile;
    let domains: Vec<_> = settings::rows(world, "domains")
        .iter()
        .filter(|row| row["isVerified"] == true)
        .map(|row| {
            json!({ "name": row["id"], "type": row["authenticationType"], "isDefault": row["isDefault"],
                "isInitial": row["isInitial"], "capabilities": "Email" })
        })
        .collect();
    let mut reply = Reply::json(
        200,
        json!({ "value": [{
        "id": world.tenant_id(), "displayName": profile.name, "tenantType": "AAD",
        "verifiedDomains": domains,
        "onPremisesSyncEnabled": true, "countryLetterCode": "NL",
        "createdDateTime": iso(world.origin_ms - 3000 * crate::when::DAY_MS) }] }),
    );
    reply.shape = Shape::Graph;
    reply
}
