//! Reading the settings that scans look at, each by itself: what is denied or unlicensed keeps no other from being
//! read.

mod derived;
mod graph;
mod seen;
mod table;

pub(super) use table::PATHS;

use super::client::Client;
use crate::settings::Outlet;
use seen::Seen;
use std::{sync::Arc, time::Duration};
use table::GRAPH_SETTINGS;
use watchpost_core::connector::ConnectorError;

/// How long a collection may take.
pub(super) const BUDGET: Duration = Duration::from_secs(20 * 60);

/// Reads what `out` wants.
pub(super) async fn drive(client: Arc<Client>, mut out: Outlet) -> Result<(), ConnectorError> {
    let mut seen = Seen::default();
    for setting in GRAPH_SETTINGS {
        if out.wants(setting.path) {
            let end = graph::read(&client, setting).await;
            seen.note(setting.path, &end);
            out.give(setting.path, setting.source(), end).await?;
        }
    }
    derived::read(&client, &mut seen, &mut out).await?;
    out.finish(table::GRAPH).await
}
