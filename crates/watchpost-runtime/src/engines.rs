//! What judges and what draws, for this process.

use std::sync::Arc;
use watchpost_core::service::Engines;
use watchpost_policy::{Pack, RegoRules, check::RegoChecks};
use watchpost_report::Reports;

/// The engines over one loaded pack.
pub(crate) fn engines(pack: Pack) -> Engines {
    Engines {
        checks: Arc::new(RegoChecks::new(pack.clone())),
        rules: Arc::new(RegoRules::new(pack)),
        renderer: Arc::new(Reports),
    }
}
