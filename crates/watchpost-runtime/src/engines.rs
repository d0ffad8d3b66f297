//! The engines for rules and checks, and the renderer of reports.

use std::sync::Arc;
use watchpost_core::service::Engines;
use watchpost_policy::{Pack, RegoRules, check::RegoChecks};
use watchpost_report::Reports;

/// Makes the engines for a loaded pack.
pub(crate) fn engines(pack: Pack) -> Engines {
    Engines {
        checks: Arc::new(RegoChecks::new(pack.clone())),
        rules: Arc::new(RegoRules::new(pack)),
        renderer: Arc::new(Reports),
    }
}
