//! Reading the settings that scans look at, each by itself: what is denied or unlicensed keeps no other from being
//! read.

mod admin;
mod derived;
mod domains;
mod exchange;
mod graph;
mod hosts;
mod privileged;
mod probe;
mod seen;
mod snapshot;
mod table;
mod workloads;

pub(super) use hosts::{Hosts, KNOWN_ADDRESS};
pub(super) use probe::{permissions, settings_of};
pub(super) use table::PATHS;

use super::client::Client;
use crate::{dns::DnsSettings, settings::Outlet};
use seen::Seen;
use std::sync::Arc;
use table::GRAPH_SETTINGS;
use watchpost_core::integration::connector::ConnectorError;

/// Reads what `out` wants, with configuration snapshots if `metered`.
pub(super) async fn drive(
    client: Arc<Client>,
    hosts: Hosts,
    dns: DnsSettings,
    metered: bool,
    mut out: Outlet,
) -> Result<(), ConnectorError> {
    let mut seen = Seen::default();
    for setting in GRAPH_SETTINGS {
        if out.wants(setting.path) {
            let end = graph::read(&client, setting).await;
            seen.note(setting.path, &end);
            out.give(setting.path, setting.source(), end).await?;
        }
    }
    derived::read(&client, &mut seen, &mut out).await?;
    privileged::read(&client, &mut out).await?;
    workloads::read(&client, &hosts, &mut seen, metered, &mut out).await?;
    admin::read(&client, &hosts, &mut seen, &mut out).await?;
    domains::read(&client, dns, &mut seen, &mut out).await?;
    out.finish(table::GRAPH).await
}
