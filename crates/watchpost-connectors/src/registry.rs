//! The list of connectors, one line per vendor.

use crate::{m365::M365, okta::Okta, session::ReadLimits};
use std::sync::Arc;
use watchpost_core::integration::connector::Connector;
use watchpost_outbound::Outbound;

/// Returns all connectors of this version. They send their requests through `outbound` and stay within `limits`.
pub fn connectors(outbound: &Outbound, limits: ReadLimits) -> Vec<Arc<dyn Connector>> {
    vec![
        Arc::new(M365::new(outbound, limits)),
        Arc::new(Okta::new(outbound, limits)),
    ]
}
