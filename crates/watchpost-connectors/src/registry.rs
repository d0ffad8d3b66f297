//! The vendors, one line each.

use crate::{m365::M365, okta::Okta, outbound::Outbound};
use std::sync::Arc;
use watchpost_core::integration::connector::Connector;

/// All connectors of this version.
pub fn connectors(outbound: &Outbound) -> Vec<Arc<dyn Connector>> {
    vec![
        Arc::new(M365::new(outbound.clone())),
        Arc::new(Okta::new(outbound.clone())),
    ]
}
