//! The list of connectors, one line per vendor.

use crate::{
    m365::{M365, M365Tenant},
    okta::{Okta, OktaOrg},
    session::ReadLimits,
    vendor::{PermissionUse, permission_uses},
};
use std::sync::Arc;
use watchpost_core::{integration::connector::Connector, value::word::Platform};
use watchpost_outbound::Outbound;

/// Returns all connectors of this version. They send their requests through `outbound` and stay within `limits`.
pub fn connectors(outbound: &Outbound, limits: ReadLimits) -> Vec<Arc<dyn Connector>> {
    vec![
        Arc::new(M365::new(outbound, limits)),
        Arc::new(Okta::new(outbound, limits)),
    ]
}

/// Returns the permissions and roles that the connector of a platform can use; none for a platform without a connector.
pub fn permissions(platform: Platform) -> Vec<PermissionUse> {
    match platform {
        Platform::M365 => permission_uses::<M365Tenant>(),
        Platform::Okta => permission_uses::<OktaOrg>(),
        _ => Vec::new(),
    }
}
