//! The organization itself.

use super::{List, list};
use crate::{
    reply::{Context, Reply, Request},
    settings,
    when::iso,
};
use serde_json::json;

pub(super) fn organization(request: &Request, context: &Context) -> Reply {
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
    let row = json!({
        "id": world.tenant_id(), "displayName": profile.name, "tenantType": "AAD",
        "verifiedDomains": domains,
        "onPremisesSyncEnabled": true, "countryLetterCode": "NL",
        "createdDateTime": iso(world.origin_ms - 3000 * crate::when::DAY_MS) });
    let about = List {
        context: "organization",
        total: 1,
        page: (100, 999),
        gap: false,
        default_fields: None,
    };
    list(request, context, &about, |_| Some(row.clone()))
}
