//! The vendors, one line each.

use crate::{m365::M365, okta::Okta, session::ReadLimits};
use std::sync::Arc;
use watchpost_core::integration::connector::Connector;
use watchpost_outbound::Outbound;

/// All connectors of this version. They read through `outbound` and within `limits`.
pub fn connectors(outbound: &Outbound, limits: ReadLimits) -> Vec<Arc<dyn Connector>> {
    vec![
        Arc::new(M365::new(outbound, limits)),
        Arc::new(Okta::new(outbound, limits)),
    ]
}
